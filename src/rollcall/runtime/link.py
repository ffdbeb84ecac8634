"""The network of the library: pooled httpx clients, and what httpx raises turned into values.

httpx is imported at the first call, through `rollcall.providers.http_client`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from rollcall._version import __version__
from rollcall.runtime.steps import NoReply, Reply, Send

if TYPE_CHECKING:
    import httpx

MAX_REPLY_BYTES = 64 * 1024 * 1024
CONNECT_SECONDS = 10.0
USER_AGENT = f"litellm-rollcall/{__version__}"
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class _TooLarge(Exception):
    """A reply's body is longer than any completion."""


class _TooSlow(Exception):
    """A reply's body drips in past the time for the whole of it."""


class _Body:
    """Collects a body under a bound on its size and on its time."""

    def __init__(self, send: Send, clock: Callable[[], float]) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._clock = clock
        self._end = clock() + send.timeout_seconds

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > MAX_REPLY_BYTES:
            raise _TooLarge
        if self._clock() > self._end:
            raise _TooSlow

    def whole(self) -> bytes:
        return b"".join(self._chunks)


def _request(client: httpx.Client | httpx.AsyncClient, send: Send) -> httpx.Request:
    from rollcall.providers.http_client import httpx

    timeout = httpx.Timeout(
        send.timeout_seconds, connect=min(CONNECT_SECONDS, send.timeout_seconds)
    )
    return client.build_request(
        "POST", send.url, content=send.body, headers=send.headers, timeout=timeout
    )


def _streams(send: Send, response: httpx.Response) -> bool:
    return send.stream and response.status_code == 200


def _no_reply(error: Exception) -> NoReply:
    from rollcall.providers.http_client import httpx

    if isinstance(error, httpx.TimeoutException | _TooSlow):
        return NoReply("timeout", type(error).__name__.strip("_"))
    if isinstance(error, _TooLarge):
        return NoReply("too_large", f"more than {MAX_REPLY_BYTES >> 20} MiB")
    detail = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.DecodingError):
        return NoReply("broken", detail)
    return NoReply("unreachable", detail)


def _expected() -> tuple[type[Exception], ...]:
    """What sending raises; OSError and ValueError: a proxy or CA variable that makes no sense."""
    from rollcall.providers.http_client import httpx

    return (httpx.HTTPError, httpx.InvalidURL, _TooLarge, _TooSlow, OSError, ValueError)


def _options(url: str) -> dict[str, Any]:
    """How clients are made: loopback goes through no proxy, and plain http loads no certificates
    (20 to 40 ms); else the usual variables for proxies and certificates hold.
    """
    import ssl

    from rollcall.providers.http_client import httpx

    secure = _is_secure(url)
    return {
        "verify": httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "mounts": dict.fromkeys(_LOOPBACK),
        "headers": {"user-agent": USER_AGENT},
        "follow_redirects": False,
    }


def _is_secure(url: str) -> bool:
    return url.startswith("https:")


class HttpLink:
    """Sends from threads, over one pool. `sleep` waits between attempts."""

    def __init__(
        self,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._clients: dict[bool, httpx.Client] = {}

    def send(self, send: Send) -> Reply | NoReply:
        """Send a request; redirects are not followed: a key goes to no other host."""
        try:
            client = self._pool(send.url)
            response = client.send(_request(client, send), stream=True)
            if _streams(send, response):
                return Reply(200, dict(response.headers), chunks=_chunks(response))
            try:
                body = _Body(send, self._clock)
                for chunk in response.iter_bytes():
                    body.add(chunk)
            finally:
                response.close()
        except _expected() as error:
            return _no_reply(error)
        return Reply(response.status_code, dict(response.headers), body.whole())

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def close(self) -> None:
        """Close the pool; a later call opens a new one."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _pool(self, url: str) -> httpx.Client:
        from rollcall.providers.http_client import httpx

        secure = _is_secure(url)
        with self._lock:
            if secure not in self._clients:
                self._clients[secure] = httpx.Client(**_options(url))
            return self._clients[secure]


def _chunks(response: httpx.Response) -> Iterator[bytes | NoReply]:
    try:
        yield from response.iter_bytes()
    except _expected() as error:
        yield _no_reply(error)
    finally:
        response.close()


class AsyncHttpLink:
    """Sends from event loops, one pool for each; a pool closes with its loop."""

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._pools: _Pools = {}

    async def send(self, send: Send) -> Reply | NoReply:
        """Send a request; redirects are not followed: a key goes to no other host."""
        try:
            client = await self._pool(send.url)
            response = await client.send(_request(client, send), stream=True)
            if _streams(send, response):
                return Reply(200, dict(response.headers), chunks=_async_chunks(response))
            try:
                body = _Body(send, self._clock)
                async for chunk in response.aiter_bytes():
                    body.add(chunk)
            finally:
                await response.aclose()
        except _expected() as error:
            return _no_reply(error)
        return Reply(response.status_code, dict(response.headers), body.whole())

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self._sleep(seconds)

    async def close(self) -> None:
        """Close the pool of this loop; a later call opens a new one."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._pools if key[0] is loop]:
            await self._pools[key][1].aclose()

    async def _pool(self, url: str) -> httpx.AsyncClient:
        from rollcall.providers.http_client import httpx

        key = (asyncio.get_running_loop(), _is_secure(url))
        if key not in self._pools:
            client = httpx.AsyncClient(**_options(url))
            keeper = _keep(self._pools, key, client)
            self._pools[key] = (client, keeper)
            await anext(keeper)
        return self._pools[key][0]


_Keeper = AsyncGenerator[None, None]
_Key = tuple[asyncio.AbstractEventLoop, bool]
_Pools = dict[_Key, "tuple[httpx.AsyncClient, _Keeper]"]


async def _keep(pools: _Pools, key: _Key, client: httpx.AsyncClient) -> _Keeper:
    """Close a pool when its loop ends: `asyncio.run` closes the generators that still wait."""
    try:
        yield
    finally:
        pools.pop(key, None)
        await client.aclose()


async def _async_chunks(response: httpx.Response) -> AsyncIterator[bytes | NoReply]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except _expected() as error:
        yield _no_reply(error)
    finally:
        await response.aclose()
