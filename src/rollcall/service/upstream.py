"""LiteLLM, asked for its list; the only place that translates httpx's errors. Network."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from rollcall.service.listing import parse_listing
from rollcall.service.problems import BAD_ADDRESS, FORBIDDEN, KEY_REFUSED, Problem, bad_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rollcall.service.access import Caller, Header
    from rollcall.service.question import Question

MAX_LISTING_BYTES = 64_000_000
_SLOW_READ_SECONDS = 10.0
_THREAD_BYTES = 500_000
"""Bodies above this are parsed in a thread, so that nobody else waits."""


@dataclass(frozen=True, slots=True)
class Listed:
    """LiteLLM's list."""

    body: dict[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """LiteLLM's answer is that this caller, or this question, gets none."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No usable answer: down, slow, not a list."""

    reason: str


Outcome = Listed | Refused | Unavailable


class UpstreamDown(Exception):
    """LiteLLM could not be reached, or broke off."""


class Upstream:
    """LiteLLM's proxy at one address.

    Two clients: long calls never use up the connections that listings need. Idle connections are
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

    async def ask(
        self, question: Question, caller: Caller, view_headers: tuple[Header, ...]
    ) -> Outcome:
        """Ask for a list; every failure is a value."""
        url = self.base_url + question.path + (f"?{question.query}" if question.query else "")
        headers = [*view_headers, *caller.credentials, (b"accept", b"application/json")]
        try:
            request = httpx.Request("GET", url, headers=headers)
            async with self._opened(self._lists, request) as response:
                content = await _read(response)
        except UpstreamDown as error:
            return Unavailable(str(error))
        except httpx.InvalidURL:
            return Refused(BAD_ADDRESS)
        return await _outcome(response, content, question, caller)

    @asynccontextmanager
    async def call(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """Send any call on; its response, unread.

        Raises:
            UpstreamDown: no response came.
        """
        async with self._opened(self._calls, request) as response:
            yield response

    @staticmethod
    @asynccontextmanager
    async def _opened(
        client: httpx.AsyncClient, request: httpx.Request
    ) -> AsyncIterator[httpx.Response]:
        try:
            response = await client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise UpstreamDown(f"LiteLLM does not answer ({type(error).__name__}).") from error
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
        if len(content) > MAX_LISTING_BYTES:
            raise UpstreamDown("LiteLLM's list is larger than 64 MB.")
    return bytes(content)


async def _outcome(
    response: httpx.Response, content: bytes, question: Question, caller: Caller
) -> Outcome:
    status = response.status_code
    if status == 200:
        if len(content) > _THREAD_BYTES:
            body = await asyncio.to_thread(parse_listing, content, question.shape)
        else:
            body = parse_listing(content, question.shape)
        if body is None:
            return Unavailable("LiteLLM's answer is not a list of models.")
        return Listed(body, len(content))
    if key_refused(status, response.headers.get("content-type", ""), content, caller):
        return Refused(KEY_REFUSED)
    if status == 403:
        return Refused(FORBIDDEN)
    if question.query and status in (400, 404, 422):
        return Refused(bad_request("LiteLLM does not accept these parameters.", status))
    return Unavailable(f"LiteLLM answers with status {status}.")


def key_refused(status: int, content_type: str, content: bytes, caller: Caller) -> bool:
    """Whether an answer means that the key is wrong.

    Without a database LiteLLM answers a wrong key with 400 "No connected db.", and a missing one
    with a bare 500.
    """
    if status == 401:
        return True
    if status == 400:
        return b'"no_db_connection"' in content or b"No connected db" in content
    return status == 500 and not caller.has_key and content_type.startswith("text/plain")
