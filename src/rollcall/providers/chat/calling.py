"""Calls a model over the network: one request, and its reply read whole or piece by piece.

Whatever goes wrong is a ProviderError; httpx's errors are caught here and nowhere else. Redirects
are not followed: a key goes to no other host. Imported only when somebody is called.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from rollcall.providers.bodies import Inbox, TooLarge, Unreadable, as_utf8, mapping, read_json
from rollcall.providers.chat.answer import Piece, Reply, UnexpectedShape
from rollcall.providers.chat.call import Call, WireRequest
from rollcall.providers.chat.embeddings import Embeddings
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.errors import InvalidCall, InvalidParams, ProviderError
from rollcall.providers.chat.failures import (
    error_inside,
    error_of,
    error_of_words,
    invalid_reply,
    no_reply,
)
from rollcall.providers.http_client import fill, httpx

MAX_REPLY_BYTES = 64 * 1024 * 1024
MAX_EMBEDDING_BYTES = 256 * 1024 * 1024
"""Two thousand vectors of three thousand numbers are some 80 MB."""
MAX_EVENT_BYTES = 8 * 1024 * 1024
CONNECT_SECONDS = 10.0
LINGER_SECONDS = 2.0
"""So long we wait for what may follow a whole answer (counts of tokens, the end of the body), after
which the connection can be used again."""

_JSON = {"accept": "application/json"}
_EVENTS = {"accept": "text/event-stream", "accept-encoding": "identity"}
_EXPECTED = (
    *(httpx.HTTPError, httpx.InvalidURL, TooLarge, Unreadable, OSError),
    UnicodeEncodeError,  # a key that is none
)
"""What sending raises."""
_FIELDS = (b"data", b"event", b"id", b"retry", b":")
"""How a stream of events begins."""


class _EndlessEvent(TooLarge):
    """An event of a stream is longer than any."""


async def complete(
    client: httpx.AsyncClient, endpoint: Endpoint, call: Call
) -> tuple[Mapping[str, Any], Piece]:
    """The reply to a call as it came, and what it says.

    Raises:
        InvalidCall: the provider would refuse it; nothing was sent. ProviderError: it was refused.
    """
    request = endpoint.protocol.request(call)
    body = await _ask(client, endpoint, request, MAX_REPLY_BYTES)
    return _read(body, endpoint, _names(request))


async def embed(
    client: httpx.AsyncClient,
    endpoint: Endpoint,
    model: str,
    texts: Sequence[str],
    params: Mapping[str, Any],
) -> tuple[Mapping[str, Any], Embeddings]:
    """The reply to a call for embeddings as it came, and the vectors in it, one for each text.

    Raises:
        InvalidCall: the provider has none. ProviderError: it was refused.
    """
    protocol = endpoint.embeddings
    if protocol is None:
        raise InvalidCall(
            f"{endpoint.name} has no embeddings.",
            "Give the role a provider that has, such as openai, gemini, mistral or ollama.",
        )
    request = protocol.request(model, texts, params)
    body = await _ask(client, endpoint, request, MAX_EMBEDDING_BYTES)
    raw = _json(body, endpoint, _names(request))
    try:
        found = protocol.parse(raw)
    except UnexpectedShape as shape:
        raise invalid_reply(f"holds no embeddings: {shape}", endpoint, body) from None
    if len(found.vectors) != len(texts):
        counts = f"{len(found.vectors)} embeddings for {len(texts)} texts"
        raise invalid_reply(f"holds {counts}", endpoint)
    return raw, found


async def stream(
    client: httpx.AsyncClient, endpoint: Endpoint, call: Call
) -> AsyncGenerator[Piece, None]:
    """The pieces of a streamed answer, as they come; one of them says why it ends.

    A reply that is no stream of events is read as a whole one.

    Raises:
        InvalidCall, ProviderError: also in the middle, where the provider or the connection
            breaks off.
    """
    request = endpoint.protocol.request(call)
    sent = _names(request)
    async with aclosing(_events(client, endpoint, request)) as events:
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
                yield _read(data, endpoint, sent)[1]
                return
            if data.strip() == "[DONE]":
                complete = True
                continue
            piece = _piece(data, endpoint, sent)
            complete = complete or bool(piece.finish_reason)
            yield piece
    if not complete:
        error = invalid_reply("ended before the answer was complete", endpoint)
        error.retryable = True
        raise error


async def _ask(
    client: httpx.AsyncClient, endpoint: Endpoint, request: WireRequest, room: int
) -> bytes:
    """The body of a good reply, of at most `room` bytes."""
    try:
        async with (
            asyncio.timeout(endpoint.timeout_seconds),
            _sent(client, endpoint, request, _JSON) as response,
        ):
            inbox = Inbox(response.headers.get("content-encoding", ""), room)
            await fill(inbox, response)
            body = inbox.body()
    except _EXPECTED as error:
        raise _silence(error, endpoint) from None
    if response.status_code != 200:
        raise error_of(_reply(response, body), endpoint, _names(request))
    return body


async def _events(
    client: httpx.AsyncClient, endpoint: Endpoint, request: WireRequest
) -> AsyncGenerator[str | bytes, None]:
    """The data of each event; or the whole body, once, where the reply is no stream of events."""
    from httpx_sse import EventSource

    try:
        async with _sent(client, endpoint, request, _EVENTS) as response:
            chunks = response.aiter_bytes()
            async with asyncio.timeout(endpoint.timeout_seconds):
                start = await _start(chunks)
                if response.status_code != 200:
                    body = start + await _whole(chunks)
                    raise error_of(_reply(response, body), endpoint, _names(request))
                whole = not _are_events(response, start)
                if whole:
                    start += await _whole(chunks)
            if whole:
                yield start
                return
            bounded = _Bounded(start, chunks, endpoint.timeout_seconds)
            source = httpx.Response(
                200, headers={"content-type": "text/event-stream"}, content=aiter(bounded)
            )
            async with aclosing(EventSource(source).aiter_sse()) as events:
                async for event in events:
                    bounded.held = 0
                    if event.data.strip():
                        yield event.data
    except _EXPECTED as error:
        raise _silence(error, endpoint) from None


@asynccontextmanager
async def _sent(
    client: httpx.AsyncClient, endpoint: Endpoint, request: WireRequest, accept: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """The response to a request, its body not yet read."""
    seconds = endpoint.timeout_seconds
    try:
        body = json.dumps(request.body, ensure_ascii=False).encode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidParams(
            f"The call cannot be written as JSON: {error}.", "Use texts, numbers, lists and dicts."
        ) from None
    async with client.stream(
        "POST",
        endpoint.base_url + request.path,
        content=body,
        headers={
            "content-type": "application/json",
            **accept,
            **endpoint.protocol.key_headers(endpoint.key),
        },
        timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
    ) as response:
        yield response


def _names(request: WireRequest) -> Collection[str]:
    """The parameters that were sent, Gemini's inner ones included."""
    return (*request.body, *mapping(request.body.get("generationConfig")))


async def _whole(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise TooLarge
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
    return start.startswith(_FIELDS) or (called_so and start[:1] not in (b"{", b"[", b"<"))


class _Bounded:
    """Chunks of a stream, as long as no event grows, and no line takes, beyond reason."""

    def __init__(self, start: bytes, chunks: AsyncIterator[bytes], line_seconds: float) -> None:
        self._start = start
        self._chunks = chunks
        self._line_seconds = line_seconds
        self.held = len(start)
        """Bytes since the last event."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        now = asyncio.get_running_loop().time
        line_began = now()
        yield self._start
        async for chunk in self._chunks:
            self.held += len(chunk)
            if self.held > MAX_EVENT_BYTES:
                raise _EndlessEvent
            if b"\n" in chunk:
                line_began = now()
            elif now() - line_began > self._line_seconds:
                raise TimeoutError
            yield chunk
        yield b"\n\n"  # providers let the last event end where the stream ends


def _json(body: bytes, endpoint: Endpoint, sent: Collection[str]) -> Mapping[str, Any]:
    """A reply as data, if it is none of the errors that come with status 200."""
    try:
        raw = read_json(as_utf8(body))
    except Unreadable as unreadable:
        raise invalid_reply(str(unreadable).removeprefix("it "), endpoint, body) from None
    error = error_inside(raw, endpoint, sent)
    if error is not None:
        raise error
    if not isinstance(raw, dict):
        raise invalid_reply("is not a JSON object", endpoint)
    return raw


def _read(
    body: bytes, endpoint: Endpoint, sent: Collection[str]
) -> tuple[Mapping[str, Any], Piece]:
    raw = _json(body, endpoint, sent)
    try:
        said = endpoint.protocol.parse(raw)
    except UnexpectedShape as shape:
        raise invalid_reply(f"is not a completion: {shape}", endpoint, body) from None
    if said.error is not None:
        raise error_of_words(said.error, endpoint, sent)
    return raw, said


def _piece(data: str, endpoint: Endpoint, sent: Collection[str]) -> Piece:
    """What an event says; most that are no answer say nothing."""
    try:
        event = read_json(data.encode())
    except Unreadable:
        raise invalid_reply("has an event that is not JSON", endpoint, data.encode()) from None
    error = error_inside(event, endpoint, sent)
    if error is not None:
        raise error
    piece = endpoint.protocol.piece(mapping(event))
    if piece.error is not None:
        raise error_of_words(piece.error, endpoint, sent)
    return piece


def _reply(response: httpx.Response, body: bytes) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body)


def _silence(error: Exception, endpoint: Endpoint) -> ProviderError:
    """The error for what sending raised."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return no_reply("timeout", type(error).__name__, endpoint)
    if isinstance(error, TooLarge):
        endless = isinstance(error, _EndlessEvent)
        what = "an event of many megabytes" if endless else "longer than any answer"
        return no_reply("too_large", what, endpoint)
    detail = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnicodeEncodeError):
        detail = "the key holds characters that no key has"
    broken = (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError, Unreadable)
    return no_reply("broken" if isinstance(error, broken) else "unreachable", detail, endpoint)
