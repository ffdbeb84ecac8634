"""LiteLLM, asked for its lists and for every other call; translates httpx's errors."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import httpx
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from rollcall.service.access import CREDENTIAL_HEADERS
from rollcall.service.formats import is_list
from rollcall.service.model_list import parse_json
from rollcall.service.requests import (
    BAD_ADDRESS,
    BAD_GATEWAY,
    FORBIDDEN,
    KEY_REFUSED,
    ApiError,
    error_reply,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from starlette.types import Receive, Scope, Send

    from rollcall.service.access import Authenticator, Caller, Header
    from rollcall.service.requests import ListRequest

MAX_LIST_BYTES = 64_000_000
_SLOW_READ_SECONDS = 10.0
_THREAD_BYTES = 500_000
"""Bodies above this are parsed in a thread, so that nobody else waits."""


@dataclass(frozen=True, slots=True)
class Listed:
    """LiteLLM's list."""

    body: dict[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class OtherAnswer:
    """An answer that is no list in the format asked for; it goes to the caller as it is."""

    status: int
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Refused:
    """LiteLLM's answer is that this key, or this address, gets none; what the caller is told."""

    answer: ApiError | OtherAnswer


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable answer.

    Attributes:
        connected: whether anybody listens at LiteLLM's address.
        answer: what came, for a caller for whom there is nothing better.
    """

    reason: str
    connected: bool = True
    answer: OtherAnswer | None = None


Outcome = Listed | OtherAnswer | Refused | Failed


class UpstreamDown(Exception):
    """LiteLLM could not be reached, or broke off."""

    connected = True


class Upstream:
    """LiteLLM's proxy at one address.

    Two clients: long calls never use up the connections that lists need. Idle connections are
    given up before uvicorn's five seconds, so that none is used at the moment LiteLLM closes it.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._lists = _client(max_connections=20, read_seconds=_SLOW_READ_SECONDS)
        self._calls = _client(max_connections=None, read_seconds=None)

    async def close(self) -> None:
        """Close every connection."""
        await self._lists.aclose()
        await self._calls.aclose()

    async def list_models(self, asked: ListRequest, caller: Caller) -> Outcome:
        """Ask for a list; every failure is a value."""
        url = self.base_url + asked.path + (f"?{asked.query}" if asked.query else "")
        headers = [*asked.headers, *caller.credentials, (b"accept", b"application/json")]
        try:
            request = httpx.Request("GET", url, headers=headers)
            async with _opened(self._lists, request) as response:
                content = await _read(response)
        except UpstreamDown as error:
            return Failed(str(error), connected=error.connected)
        except httpx.InvalidURL:
            return Refused(BAD_ADDRESS)
        return await _outcome(response, content, asked, caller)

    @asynccontextmanager
    async def call(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """Send any call on; its response, unread.

        Raises:
            UpstreamDown: no response came.
        """
        async with _opened(self._calls, request) as response:
            yield response


@asynccontextmanager
async def _opened(
    client: httpx.AsyncClient, request: httpx.Request
) -> AsyncIterator[httpx.Response]:
    try:
        response = await client.send(request, stream=True)
    except httpx.HTTPError as error:
        down = UpstreamDown(f"LiteLLM does not answer ({type(error).__name__}).")
        down.connected = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        raise down from error
    try:
        yield response
    except httpx.HTTPError as error:
        raise UpstreamDown(f"LiteLLM broke off ({type(error).__name__}).") from error
    finally:
        await response.aclose()


# Not `open_client`, which is for providers: LiteLLM is next door, whatever proxy the environment
# names, and is called with all of a caller's headers and none of ours.
def _client(*, max_connections: int | None, read_seconds: float | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(5.0, read=read_seconds, write=read_seconds),
        limits=httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=20, keepalive_expiry=2.0
        ),
        follow_redirects=False,
        trust_env=False,
    )


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_LIST_BYTES:
            raise UpstreamDown("LiteLLM's list is larger than 64 MB.")
    return bytes(content)


async def _outcome(
    response: httpx.Response, content: bytes, asked: ListRequest, caller: Caller
) -> Outcome:
    status, content_type = response.status_code, response.headers.get("content-type", "")
    answer = OtherAnswer(status, content, content_type)
    if status == 200:
        if len(content) > _THREAD_BYTES:
            body = await asyncio.to_thread(parse_json, content)
        else:
            body = parse_json(content)
        if isinstance(body, dict) and is_list(body, asked.format):
            return Listed(body, len(content))
        # Data in another format is LiteLLM's answer; a web page or half a body is somebody else's.
        return answer if body is not None else Failed("LiteLLM's answer is no JSON.", answer=answer)
    if key_refused(status, content_type, content, caller):
        return Refused(KEY_REFUSED)
    if status == 403:
        return Refused(FORBIDDEN if asked.is_plain else answer)
    failed = Failed(f"LiteLLM answers with status {status}.")
    if asked.is_plain:
        return failed
    about_question = 400 <= status < 500 and status not in (408, 429)
    return answer if about_question else Failed(failed.reason, answer=answer)


def key_refused(status: int, content_type: str, content: bytes, caller: Caller) -> bool:
    """Whether an answer means that the key is wrong.

    Without a database LiteLLM answers a wrong key with 400 "No connected db.", and a missing one
    with a bare 500.
    """
    if status == 401:
        return True
    if status == 400:
        return b'"no_db_connection"' in content or b"No connected db" in content
    return status == 500 and not caller.credentials and content_type.startswith("text/plain")


_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
_NOT_SENT_UP = frozenset({b"host", b"expect", b"origin", b"cookie"})
"""Ours to decide: `origin` would bring LiteLLM's open CORS headers, cookies are the page's."""
_NOT_SENT_DOWN = frozenset({b"date", b"server"})

_SMALL_BODY_BYTES = 8_192
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
"""What stays as it is in an address; other bytes are percent-encoded one by one."""


class ForwardedReply(Response):
    """LiteLLM's answer to any other call: streamed both ways, unchanged.

    Only four things differ from calling LiteLLM directly: hop-by-hop headers end here, a token of
    ours is replaced by LiteLLM's key, a doubled slash or `/v1` in the path is mended, and LiteLLM's
    odd answers to a wrong key become 401. The call ends upstream when the caller goes away.
    """

    def __init__(self, upstream: Upstream, authenticator: Authenticator, caller: Caller) -> None:
        self._upstream = upstream
        self._authenticator = authenticator
        self._caller = caller
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _RequestBody(scope, receive)
        try:
            request = httpx.Request(
                scope["method"],
                self._upstream.base_url + _target(scope),
                headers=self._headers_up(scope["headers"]),
                content=body.chunks() if body.expected else None,
            )
        except httpx.InvalidURL:
            return await error_reply(BAD_ADDRESS, scope)(scope, receive, send)
        answering = asyncio.create_task(self._answer(request, scope, send))
        leaving = asyncio.create_task(body.caller_left())
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, leaving):
                task.cancel()
            results = await asyncio.gather(answering, leaving, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]
        return None

    async def _answer(self, request: httpx.Request, scope: Scope, send: Send) -> None:
        started = False
        try:
            async with self._upstream.call(request) as response:
                short = await _short_refusal(response)
                content_type = response.headers.get("content-type", "")
                status = response.status_code
                if status != 401 and key_refused(status, content_type, short or b"", self._caller):
                    return await error_reply(KEY_REFUSED, scope)(scope, _nothing, send)
                headers = _headers_down(response.headers.raw)
                await send({"type": "http.response.start", "status": status, "headers": headers})
                started = True
                async for chunk in response.aiter_raw() if short is None else _once(short):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                return await send({"type": "http.response.body", "body": b""})
        except UpstreamDown:
            if not started:
                return await error_reply(BAD_GATEWAY, scope)(scope, _nothing, send)
            # Too late for a status: the connection closes without the body's end.
            return None
        except ClientDisconnect:
            return None

    def _headers_up(self, headers: Iterable[Header]) -> list[Header]:
        dropped = _NOT_SENT_UP | _HOP_BY_HOP | _named_in_connection(headers)
        if not self._caller.own:
            return [pair for pair in headers if pair[0] not in dropped]
        dropped |= CREDENTIAL_HEADERS
        kept = [
            (name, value)
            for name, value in headers
            if name not in dropped and not self._authenticator.carries_token(value)
        ]
        return [*kept, *self._caller.credentials]


class _RequestBody:
    """The caller's body as it arrives, and the news that the caller has left.

    Both come through the same `receive`, so the second waits until the first has ended.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        names = {name for name, _ in scope["headers"]}
        self.expected = bool(names & {b"content-length", b"transfer-encoding"})
        self._receive = receive
        self._ended = asyncio.Event()
        if not self.expected:
            self._ended.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]
        self._ended.set()

    async def caller_left(self) -> None:
        await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _target(scope: Scope) -> str:
    """Path and query to ask for, as they came.

    Raises:
        httpx.InvalidURL: a path with `.` or `..` in it. httpx would resolve those, and
            `/v1/../key/generate` must not reach LiteLLM's administration.
    """
    path = quote(scope.get("raw_path") or quote(scope["path"]).encode(), _ASCII)
    decoded = unquote(unquote(path)).replace("\\", "/")
    if any(segment in (".", "..") for segment in decoded.split("/")):
        raise httpx.InvalidURL("the path climbs")
    query = quote(scope["query_string"], _ASCII)
    return f"{path}?{query}" if query else path


def _headers_down(headers: Iterable[Header]) -> list[Header]:
    dropped = _NOT_SENT_DOWN | _HOP_BY_HOP | _named_in_connection(headers)
    lowered = [(name.lower(), value) for name, value in headers]
    return [
        pair
        for pair in lowered
        if pair[0] not in dropped and not pair[0].startswith(b"access-control-")
    ]


def _named_in_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    values = b",".join(value for name, value in headers if name.lower() == b"connection")
    return frozenset(word.strip().lower() for word in values.split(b","))


async def _short_refusal(response: httpx.Response) -> bytes | None:
    """The body of a short plain 400, which may be LiteLLM's answer to a wrong key; else None."""
    length = response.headers.get("content-length", "")
    short = length.isdigit() and int(length) <= _SMALL_BODY_BYTES
    if response.status_code != 400 or not short or "content-encoding" in response.headers:
        return None
    return b"".join([chunk async for chunk in response.aiter_raw()])


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _nothing() -> dict[str, str]:
    return {"type": "http.disconnect"}
