"""LiteLLM, asked for its list or any other call; the only place that translates httpx's errors."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from rollcall.service.formats import BAD_ADDRESS, FORBIDDEN, KEY_REFUSED, ApiError
from rollcall.service.model_list import is_list, parse_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rollcall.service.access import Caller
    from rollcall.service.formats import ListRequest

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
