"""The connections of a client: a pool for each event loop, and a thread with an event loop of its
own, in which calls from ordinary code are made. So there is one way to make a call, and it works
from several threads, inside a running event loop (Jupyter), and after a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rollcall.runtime.errors import LLMError

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_EXIT_SECONDS = 2.0
"""At the end of the process, for connections to close; then it ends without."""


class _Running(NamedTuple):
    """A thread and its event loop; `stop` ends both."""

    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event


class Network:
    """What a client calls over. Safe for threads.

    Args:
        sleep: how to wait between attempts.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self.sleep = sleep
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._pools: _Pools = {}
        _ALL.add(self)

    async def client(self, url: str) -> httpx.AsyncClient:
        """The pool of the running event loop for an address; it closes with its loop.

        Raises:
            OSError, ValueError, ImportError: a certificate file or proxy that cannot be used.
        """
        from rollcall.providers.http_client import open_client

        key = (asyncio.get_running_loop(), url.lower().startswith("https:"))
        if key not in self._pools:
            client = open_client([url])
            keeper = _keep(self._pools, key, client)
            self._pools[key] = (client, keeper)
            await anext(keeper)
        return self._pools[key][0]

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the thread and wait for its result. Ctrl-C cancels it.

        Raises:
            LLMError: the client was closed meanwhile, or Python is ending.
        """
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            self._submit(coroutine, future)
            return _result(future)
        except concurrent.futures.CancelledError:
            raise LLMError(
                "The client was closed during the call.", "Close it after the last call."
            ) from None
        except BaseException:
            future.cancel()
            raise

    def close(self, seconds: float | None = None) -> None:
        """End the thread, its calls and its connections; a later call starts anew.

        Args:
            seconds: how long to wait for that; None = as long as it takes.
        """
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.loop.call_soon_threadsafe(running.stop.set)
            if running.thread is not threading.current_thread():
                running.thread.join(seconds)

    async def aclose(self) -> None:
        """Close the pool of the running event loop; a later call opens a new one."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._pools if key[0] is loop]:
            await self._pools[key][1].aclose()

    def __del__(self) -> None:
        running = self._running
        if running is not None and not running.loop.is_closed():
            running.loop.call_soon_threadsafe(running.stop.set)

    def _submit(
        self, coroutine: Coroutine[Any, Any, T], future: concurrent.futures.Future[T]
    ) -> None:
        if self._running and self._running.thread is threading.current_thread():
            coroutine.close()
            raise LLMError("A call was made from inside a call.", "Use arun or astream there.")
        try:
            with self._lock:
                if self._running is None:
                    self._running = _start()
                loop = self._running.loop
                loop.call_soon_threadsafe(_begin, loop, coroutine, future)
        except (RuntimeError, OSError) as error:
            coroutine.close()
            raise LLMError(
                f"The call cannot be made: {error}.", "Make it before the program ends."
            ) from None

    def _forget(self) -> None:
        """In a forked child: neither the thread nor the connections are this process's."""
        _NOT_OURS.append((self._running, dict(self._pools)))
        self._lock = threading.Lock()
        self._running = None
        self._pools.clear()


_ALL: weakref.WeakSet[Network] = weakref.WeakSet()
_process = SimpleNamespace(ends=False)
_NOT_OURS: list[object] = []
"""Of the parent, in a forked child. It is kept: closing it here would reach into the parent."""


def _start() -> _Running:
    """A thread with an event loop.

    Raises:
        RuntimeError: there are no threads any more. OSError: there are no sockets.
    """
    from rollcall.providers.http_client import LooseThreads

    if _process.ends:
        raise RuntimeError("the process ends")
    loop = asyncio.new_event_loop()
    loop.set_default_executor(LooseThreads())
    stop = asyncio.Event()
    thread = threading.Thread(target=_serve, args=(loop, stop), name="rollcall", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        loop.close()
        raise
    return _Running(thread, loop, stop)


def _serve(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Run a loop until it is stopped; then cancel its calls and close its connections.

    Not `asyncio.run`, whose end starts one more thread, which Python forbids while it ends.
    """
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(stop.wait())
        calls = asyncio.all_tasks(loop)
        for call in calls:
            call.cancel()
        loop.run_until_complete(asyncio.gather(*calls, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _begin(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, T],
    future: concurrent.futures.Future[T],
) -> None:
    """Run a coroutine for whoever waits for the future; where it is given up, so is the coroutine.

    Not `run_coroutine_threadsafe`, whose future is there only once the coroutine may run already:
    Ctrl-C between the two would leave it running.
    """
    if future.cancelled():
        coroutine.close()
        return
    task = loop.create_task(coroutine)

    def give_up(given: concurrent.futures.Future[T]) -> None:
        if given.cancelled() and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    def tell(done: asyncio.Task[T]) -> None:
        if done.cancelled():
            future.cancel()
        with suppress(concurrent.futures.InvalidStateError):  # given up at this very moment
            error = None if done.cancelled() else done.exception()
            if error is not None:
                future.set_exception(error)
            elif not done.cancelled():
                future.set_result(done.result())

    future.add_done_callback(give_up)
    task.add_done_callback(tell)


def _result(future: concurrent.futures.Future[T]) -> T:
    while sys.platform == "win32" and not future.done():
        # There, a wait without end hears no Ctrl-C.
        concurrent.futures.wait([future], timeout=0.1)
    return future.result()


def _close_all() -> None:
    _process.ends = True
    for network in list(_ALL):
        network.close(_EXIT_SECONDS)


def _forget_all() -> None:
    for network in list(_ALL):
        network._forget()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


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
