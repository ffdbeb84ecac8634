"""Asking over the network: every provider at once, each with its own timeout, under one deadline.
`fetch` tells its layers in order.

A timeout is for one request, its body included; the deadline is over everything, the last byte of
a dripping body too. Each provider gets one second try, on a failed connection, 429 and 5xx, if
there is time for it. Redirects are never followed: the key stays with the host it was meant for.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.answers import Pages, for_display, moments_of, refused
from rollcall.providers.bodies import MAX_BYTES
from rollcall.providers.failures import Refused
from rollcall.providers.http_client import exchange, httpx, import_the_rest, open_client
from rollcall.providers.wire import HttpRequest
from rollcall.secrets import key_problem

if TYPE_CHECKING:
    from rollcall.providers.fetch import Observer, Target
    from rollcall.secrets import Redactor

MAX_PAGES: Final = 20
NOT_FOUND: Final = 404
RETRY_SECONDS: Final = 0.1
"""Before a second try, where the provider names no time."""

_TURNS: Final = 8
"""Of the event loop, until what is ready has been sent: a connection takes several."""

_GRACE_SECONDS: Final = 0.1
"""For tasks to end by themselves after the deadline, before they are left behind."""


class Round:
    """One call of `fetch.ask_all`: its deadline, its observer, what it must not say.

    Attributes:
        answers: in the order of the targets, once they were asked. Kept here instead of returned:
            Python 3.11 makes a repr of the finished task, result and all, when it puts Ctrl-C's
            handler back, 40 ms for six hundred models.
    """

    def __init__(
        self,
        redactor: Redactor,
        deadline_seconds: float,
        observer: Observer | None,
        meanwhile: Iterable[Callable[[], object]] = (),
        asked_at: str = "",
    ) -> None:
        """Prepare; nothing goes out yet."""
        self._moments = (time.time(), *moments_of(asked_at))
        self._meanwhile = meanwhile
        self._redactor = redactor
        self._deadline_seconds = deadline_seconds
        self._observer = observer
        self._deadline_at = 0.0
        self._clock = _Clock()
        self.answers: list[Answer] = []

    async def ask(self, targets: Sequence[Target]) -> None:
        """Ask them all at once, until the deadline."""
        asyncio.get_running_loop().time = self._clock.time  # type: ignore[method-assign]
        try:
            client = open_client([target.provider.base_url for target in targets])
            await import_the_rest()
        except (OSError, ValueError, ImportError) as error:
            detail = f"the certificates or the proxy of the environment cannot be used: {error}"
            refusal = Refused(Verdict.UNREACHABLE, detail)
            self.answers = [self._told(self._unasked(target, refusal)) for target in targets]
            return
        self._deadline_at = _now() + self._deadline_seconds
        async with client:
            tasks = [asyncio.create_task(self._settle(client, target)) for target in targets]
            await self._use_the_wait()
            left = self._deadline_at - _now() + _GRACE_SECONDS
            await asyncio.wait(tasks, timeout=max(0.0, left))
            late = self._too_late()
            self.answers = [
                task.result() if task.done() else self._told(self._unasked(target, late))
                for task, target in zip(tasks, targets, strict=True)
            ]

    async def _use_the_wait(self) -> None:
        """Work while the providers think; between two pieces the sockets have their turn.

        An import takes milliseconds, or seconds where a scanner reads along: nobody is late for it.
        """
        for piece in self._meanwhile:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            with self._clock.stopped():
                piece()

    async def _settle(self, client: httpx.AsyncClient, target: Target) -> Answer:
        """One provider's answer, whatever happens."""
        started = _now()
        provider = target.provider
        if self._observer:
            self._observer.asking(provider.name)
        pages = Pages(provider, self._redactor, self._moments)
        reader = _Reader(client, target, pages, self._deadline_at)
        try:
            try:
                async with asyncio.timeout_at(self._deadline_at):
                    stopped = await reader.read()
            except TimeoutError:  # those pages count that were read before the deadline, if any
                late = self._too_late()
                if not pages.bodies:
                    raise late from None
                stopped = f"page {len(pages.bodies) + 1}: {late.detail}"
            answer = pages.answer(stopped)
        except Refused as error:
            answer = self._unasked(target, error)
        except Exception as error:  # noqa: BLE001 - an adapter's bug must not stop a proxy's start
            detail = f"its answer broke our reading of it ({type(error).__name__})"
            answer = self._unasked(target, Refused(Verdict.BAD_BODY, detail))
        answer = for_display(target, answer)
        return self._told(replace(answer, elapsed_ms=round(1000 * (_now() - started))))

    def _unasked(self, target: Target, refusal: Refused) -> Answer:
        return refused(target.provider, refusal, self._redactor)

    def _too_late(self) -> Refused:
        detail = f"no complete answer within the deadline of {self._deadline_seconds:g} s"
        return Refused(Verdict.TIMEOUT, detail)

    def _told(self, answer: Answer) -> Answer:
        if self._observer:
            self._observer.answered(answer)
        return answer


class _Clock:
    """The event loop's time, by which every timeout and the deadline go: it can stand still."""

    def __init__(self) -> None:
        self._lost_seconds = 0.0

    def time(self) -> float:
        """Seconds since some moment, as `loop.time`."""
        return time.monotonic() - self._lost_seconds

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """No time passes in here."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._lost_seconds += time.monotonic() - began


class _Reader:
    """One provider's list, page by page: a bound on all bodies together, and one second try."""

    def __init__(
        self, client: httpx.AsyncClient, target: Target, pages: Pages, deadline_at: float
    ) -> None:
        self._client = client
        self._target = target
        self._deadline_at = deadline_at
        self._pages = pages
        self._asked: list[HttpRequest] = []
        self._room = MAX_BYTES
        self._may_retry = True

    async def read(self) -> str:
        """Read every page there is a way to; what stopped it behind the first one, in words.

        Raises:
            Refused: the first page could not be had. TimeoutError: the deadline is over.
        """
        provider, key = self._target.provider, self._target.key
        if key and (problem := key_problem(key)):
            raise Refused(Verdict.AUTH, f"the key {problem}, which no key has")
        request = await self._first(ADAPTERS[provider.protocol].requests(provider, key))
        while following := self._pages.following(request):
            if following in self._asked:
                return "its pages go in a circle; the rest was not read"
            read = len(self._pages.bodies)
            if read == MAX_PAGES:
                return f"it has more than {MAX_PAGES} pages; the rest was not read"
            try:
                await self._take(request := following)
            except Refused as error:
                return f"page {read + 1}: {error.detail}"
        return ""

    async def _first(self, requests: Sequence[HttpRequest]) -> HttpRequest:
        """Take the first page from the first of these addresses that is there."""
        *others, last = requests
        for request in others:
            try:
                await self._take(request)
            except Refused as error:
                if error.status != NOT_FOUND:
                    raise
            else:
                return request
        await self._take(last)
        return last

    async def _take(self, request: HttpRequest) -> None:
        """Take one page, at a second try where that may help and there is time for it.

        Raises:
            Refused: there is none. TimeoutError: the deadline is over.
        """
        self._asked.append(request)
        seconds = self._target.timeout_seconds
        while True:
            try:
                async with asyncio.timeout(seconds):
                    body, link = await exchange(self._client, request, self._room)
                break
            except TimeoutError:
                detail = f"no complete answer within {seconds:g} s"
                raise Refused(Verdict.TIMEOUT, detail) from None
            except Refused as error:
                wait = RETRY_SECONDS if error.wait_seconds is None else error.wait_seconds
                worth_it = self._may_retry and error.retry and _now() + wait < self._deadline_at
                if not worth_it:
                    raise
            self._may_retry = False
            await asyncio.sleep(wait)
        self._room -= len(body)
        if _now() >= self._deadline_at:  # reading the others' answers took the time
            raise TimeoutError
        self._pages.add(body, link)


def _now() -> float:
    return asyncio.get_running_loop().time()
