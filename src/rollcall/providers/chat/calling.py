"""Calls a model over the network: one request, and its reply read whole or piece by piece.

Whatever goes wrong is a ProviderError; httpx's errors are caught here and nowhere else. Redirects
are not followed: a key goes to no other host. Imported only when somebody is called.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from rollcall.providers.chat.call import (
    Call,
    Completion,
    NoReply,
    Piece,
    Reply,
    UnexpectedShape,
    mapping,
)
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.errors import ProviderError
from rollcall.providers.chat.failures import error_of, error_of_words, invalid_reply
from rollcall.providers.http_client import httpx

MAX_REPLY_BYTES = 64 * 1024 * 1024
MAX_EVENT_BYTES = 8 * 1024 * 1024
CONNECT_SECONDS = 10.0
LINGER_SECONDS = 2.0
"""So long we wait for what may follow a whole answer (counts of tokens, the end of the body), after
which the connection can be used again."""

_FIELDS = (b"data", b"event", b"id", b"retry", b":")
"""How a stream of events begins."""


class _TooLarge(Exception):
    """A reply, or an event of one, is longer than any completion."""


async def complete(
    client: httpx.AsyncClient, endpoint: Endpoint, call: Call
) -> tuple[Mapping[str, Any], Completion]:
    """The reply to a call as it came, and what it says.

    Raises:
        InvalidCall: the provider would refuse it; nothing was sent. ProviderError: it was refused.
    """
    try:
        async with (
            asyncio.timeout(endpoint.timeout_seconds),
            _sent(client, endpoint, call) as response,
        ):
            body = await _whole(response.aiter_bytes())
    except _expected() as error:
        raise error_of(_no_reply(error), endpoint) from None
    if response.status_code != 200:
        raise error_of(_reply(response, body), endpoint)
    return _read(body, endpoint)


async def stream(
    client: httpx.AsyncClient, endpoint: Endpoint, call: Call
) -> AsyncGenerator[Piece, None]:
    """The pieces of a streamed answer, as they come; the last one says that it is whole.

    Raises:
        InvalidCall, ProviderError: also in the middle, where the provider or the connection
            breaks off.
    """
    async with aclosing(_events(client, endpoint, call)) as events:
        complete = False
        while True:
            try:
                async with asyncio.timeout(LINGER_SECONDS if complete else None):
                    data = await anext(events)
            except StopAsyncIteration:
                break
            except (ProviderError, TimeoutError):
                if complete:  # all has been said; how the connection ends no longer matters
                    return
                raise
            if isinstance(data, bytes):
                _, said = _read(data, endpoint)
                yield Piece(said.content, last=True)
                return
            if data.strip() == "[DONE]":
                complete = True
                continue
            piece = _piece(data, endpoint)
            complete = complete or piece.last
            yield piece
    if not complete:
        raise invalid_reply("ended before the answer was complete", endpoint)


async def _events(
    client: httpx.AsyncClient, endpoint: Endpoint, call: Call
) -> AsyncGenerator[str | bytes, None]:
    """The data of each event; or the whole body, once, where the reply is no stream of events."""
    from httpx_sse import EventSource

    try:
        async with _sent(client, endpoint, call) as response:
            chunks = response.aiter_bytes()
            async with asyncio.timeout(endpoint.timeout_seconds):
                start = await _start(chunks)
                if response.status_code != 200 or not _are_events(response, start):
                    body = start + await _whole(chunks)
                    start = b""
            if not start:
                if response.status_code != 200:
                    raise error_of(_reply(response, body), endpoint)
                yield body
                return
            bounded = _Bounded(start, chunks)
            source = httpx.Response(
                200, headers={"content-type": "text/event-stream"}, content=aiter(bounded)
            )
            async with aclosing(EventSource(source).aiter_sse()) as events:
                async for event in events:
                    bounded.held = 0
                    if event.data:
                        yield event.data
    except _expected() as error:
        raise error_of(_no_reply(error), endpoint) from None


@asynccontextmanager
async def _sent(
    client: httpx.AsyncClient, endpoint: Endpoint, call: Call
) -> AsyncIterator[httpx.Response]:
    """The response to a call, its body not yet read."""
    request = endpoint.protocol.request(call)
    seconds = endpoint.timeout_seconds
    async with client.stream(
        "POST",
        endpoint.base_url + request.path,
        content=json.dumps(request.body, ensure_ascii=False).encode("utf-8", "replace"),
        headers={
            "content-type": "application/json",
            "accept": "text/event-stream" if call.stream else "application/json",
            **endpoint.protocol.key_headers(endpoint.key),
        },
        timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
    ) as response:
        yield response


async def _whole(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise _TooLarge(f"more than {MAX_REPLY_BYTES >> 20} MiB")
    return bytes(body)


async def _start(chunks: AsyncIterator[bytes]) -> bytes:
    """The beginning of a body, enough of it to tell a stream of events from anything else."""
    start = b""
    async for chunk in chunks:
        start = (start + chunk).removeprefix(b"\xef\xbb\xbf").lstrip()
        if len(start) >= max(map(len, _FIELDS)):
            break
    return start


def _are_events(response: httpx.Response, start: bytes) -> bool:
    """Whether a body is a stream of events; what servers call it is not always so."""
    called_so = response.headers.get("content-type", "").startswith("text/event-stream")
    return start.startswith(_FIELDS) or (called_so and start[:1] not in (b"", b"{", b"[", b"<"))


class _Bounded:
    """Chunks of a stream, as long as no event of it grows beyond reason."""

    def __init__(self, start: bytes, chunks: AsyncIterator[bytes]) -> None:
        self._start = start
        self._chunks = chunks
        self.held = len(start)
        """Bytes since the last event."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._start
        async for chunk in self._chunks:
            self.held += len(chunk)
            if self.held > MAX_EVENT_BYTES:
                raise _TooLarge("an event of many megabytes")
            yield chunk
        yield b"\n\n"  # providers let the last event end where the stream ends


def _read(body: bytes, endpoint: Endpoint) -> tuple[Mapping[str, Any], Completion]:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid_reply("is not JSON", endpoint, body) from None
    if not isinstance(raw, dict):
        raise invalid_reply("is not a JSON object", endpoint)
    if raw.get("error"):
        raise error_of_words(raw["error"], endpoint)
    try:
        return raw, endpoint.protocol.parse(raw)
    except UnexpectedShape as shape:
        raise invalid_reply(f"is not a completion: {shape}", endpoint) from None


def _piece(data: str, endpoint: Endpoint) -> Piece:
    try:
        piece = endpoint.protocol.piece(mapping(json.loads(data)))
    except (ValueError, RecursionError):
        raise invalid_reply("has an event that is not JSON", endpoint) from None
    except UnexpectedShape as shape:
        raise invalid_reply(f"is not a streamed completion: {shape}", endpoint) from None
    if piece.error is not None:
        raise error_of_words(piece.error, endpoint)
    return piece


def _reply(response: httpx.Response, body: bytes) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body)


def _expected() -> tuple[type[Exception], ...]:
    """What sending raises; OSError and ValueError: a proxy or CA variable that makes no sense."""
    return (httpx.HTTPError, httpx.InvalidURL, _TooLarge, OSError)


def _no_reply(error: Exception) -> NoReply:
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return NoReply("timeout", type(error).__name__)
    if isinstance(error, _TooLarge):
        return NoReply("too_large", str(error))
    detail = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.DecodingError):
        return NoReply("broken", detail)
    return NoReply("unreachable", detail)
