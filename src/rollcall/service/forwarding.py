"""Every other call: streamed to LiteLLM and back, both ways, unchanged.

Only four things differ from calling LiteLLM directly: hop-by-hop headers end here, a token of
ours is replaced by LiteLLM's key, a doubled slash or `/v1` in the path is mended, and LiteLLM's odd
answers to a wrong key become 401.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import httpx
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from rollcall.service.access import CREDENTIAL_HEADERS
from rollcall.service.formats import BAD_ADDRESS, BAD_GATEWAY, KEY_REFUSED, error_reply
from rollcall.service.upstream import UpstreamDown, key_refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from starlette.types import Receive, Scope, Send

    from rollcall.service.access import Authenticator, Caller, Header
    from rollcall.service.upstream import Upstream

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
NOT_SENT_UP = frozenset({b"host", b"expect", b"origin", b"cookie"})
"""Ours to decide: `origin` would bring LiteLLM's open CORS headers, cookies are the page's."""
NOT_SENT_DOWN = frozenset({b"date", b"server"})

_SMALL_BODY_BYTES = 8_192
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
"""What stays as it is in an address; other bytes are percent-encoded one by one."""


class ForwardedReply(Response):
    """LiteLLM's answer to a call; the call ends upstream when the caller goes away."""

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
        dropped = NOT_SENT_UP | HOP_BY_HOP | _named_in_connection(headers)
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
    dropped = NOT_SENT_DOWN | HOP_BY_HOP | _named_in_connection(headers)
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
