"""Asks all providers at once, under one deadline.

Every provider has its own timeout per request; the deadline is over everything, the last byte
of a dripping body included. One second try on a failed connection, 429 and 5xx, if there is time
for it. Redirects are never followed: the key stays with the host it was meant for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.answers import MAX_BYTES, Pages, Refused, from_bodies, no_key, refused
from rollcall.providers.failures import Refusal
from rollcall.secrets import Redactor

if TYPE_CHECKING:
    import httpx

    from rollcall.catalog.model import Answer
    from rollcall.providers.builtin import Provider
    from rollcall.providers.wire import HttpRequest


@dataclass(frozen=True, slots=True)
class Target:
    """One provider to ask, with the key to ask it with (None = none needed, or none there).

    Attributes:
        timeout_seconds: for each request to it, its body included.
    """

    provider: Provider
    key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 2.0


class Observer(Protocol):
    """Told about progress, for the live display; must not raise."""

    def asking(self, provider: str) -> None:
        """A request went out."""

    def answered(self, answer: Answer) -> None:
        """A provider is settled."""


def ask_all(
    targets: Sequence[Target],
    *,
    deadline_seconds: float,
    fetched_at: str,
    observer: Observer | None = None,
    secrets: Sequence[str] = (),
    meanwhile: Iterable[Callable[[], object]] = (),
) -> tuple[Answer, ...]:
    """Ask every target at once; answers in the order of `targets`. Never raises for a provider.

    May be called where an event loop is running already: it then works in a thread of its own.

    Args:
        deadline_seconds: bound on the whole call, bodies included.
        fetched_at: ISO 8601 UTC, stamped on every answer.
        secrets: strings to redact wherever a provider echoes them.
        meanwhile: short pieces of work to do once the requests are out; skipped when nobody is
            asked.
    """
    if not targets:
        return ()

    keys = [target.key for target in targets if target.key]
    redactor = Redactor([*secrets, *keys])
    answers = Round(redactor, deadline_seconds, observer, meanwhile).ask(targets)
    return tuple(replace(answer, fetched_at=fetched_at) for answer in answers)


def parse_stored(target: Target, pages: Sequence[bytes], *, fetched_at: str) -> Answer:
    """The answer that stored bodies give: the same adapters, no network."""
    answer = from_bodies(target.provider, pages, Redactor())
    return replace(answer, fetched_at=fetched_at, offline=True)


MAX_PAGES: Final = 20
RETRY_SECONDS: Final = 0.1
"""Before a second try, where the provider names no time."""

_TURNS: Final = 8
"""Of the event loop, until what is ready has been sent: a connection takes several."""

_GRACE_SECONDS: Final = 0.1
"""For tasks to end by themselves after the deadline, before they are left behind."""


class Round:
    """One call of `fetch.ask_all`: its deadline, its observer, what it must not say."""

    def __init__(
        self,
        redactor: Redactor,
        deadline_seconds: float,
        observer: Observer | None,
        meanwhile: Iterable[Callable[[], object]] = (),
    ) -> None:
        """Prepare; nothing goes out yet."""
        self._meanwhile = meanwhile
        self._redactor = redactor
        self._deadline_seconds = deadline_seconds
        self._observer = observer
        self._deadline_at = 0.0
        self._answers: list[Answer] = []

    def ask(self, targets: Sequence[Target]) -> list[Answer]:
        """The answers, in the order of `targets`."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._run(targets)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._run, targets).result()

    def _run(self, targets: Sequence[Target]) -> list[Answer]:
        with asyncio.Runner() as runner:
            runner.get_loop().set_default_executor(_LooseThreads())
            runner.run(self._collect(targets))
        return self._answers

    async def _collect(self, targets: Sequence[Target]) -> None:
        """Keep the answers instead of returning them.

        Python 3.11 makes a repr of the finished task, result and all, when it puts Ctrl-C's
        handler back: 40 ms for six hundred models.
        """
        self._answers = await self._ask_all(targets)

    async def _ask_all(self, targets: Sequence[Target]) -> list[Answer]:
        self._deadline_at = _now() + self._deadline_seconds
        asked = [target for target in targets if _is_asked(target)]
        try:
            from rollcall.providers.http_client import open_client

            client = open_client([target.provider.base_url for target in asked])
        except (OSError, ValueError, ImportError) as error:
            detail = f"the certificates or the proxy of the environment cannot be used: {error}"
            refusal = Refusal(Verdict.UNREACHABLE, detail)
            return [self._told(self._unasked(target, refusal)) for target in targets]
        async with client:
            tasks = [asyncio.create_task(self._settle(client, target)) for target in targets]
            await self._use_the_wait()
            left = self._deadline_at - _now() + _GRACE_SECONDS
            await asyncio.wait(tasks, timeout=max(0.0, left))
            late = self._too_late()
            return [
                task.result() if task.done() else self._told(self._unasked(target, late))
                for task, target in zip(tasks, targets, strict=True)
            ]

    async def _use_the_wait(self) -> None:
        """Work while the providers think; between two pieces the sockets have their turn."""
        for piece in self._meanwhile:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            piece()

    async def _settle(self, client: httpx.AsyncClient, target: Target) -> Answer:
        """One provider's answer, whatever happens."""
        started = _now()
        provider = target.provider
        if not _is_asked(target):
            return self._told(no_key(provider))
        if self._observer:
            self._observer.asking(provider.name)
        try:
            async with asyncio.timeout_at(self._deadline_at):
                answer = await self._ask(client, target)
        except TimeoutError:
            answer = self._unasked(target, self._too_late())
        except Refused as error:
            answer = self._unasked(target, error.refusal)
        except Exception as error:  # noqa: BLE001 - an adapter's bug must not stop a proxy's start
            detail = f"its answer broke our reading of it ({type(error).__name__})"
            answer = self._unasked(target, Refusal(Verdict.BAD_BODY, detail))
        if target.key is None and provider.needs_key:
            # A public list: for display only, whatever became of it.
            shown = no_key(provider)
            answer = replace(shown, models=answer.models, pages=answer.pages, notes=answer.notes)
        return self._told(replace(answer, elapsed_ms=round(1000 * (_now() - started))))

    async def _ask(self, client: httpx.AsyncClient, target: Target) -> Answer:
        """All pages of one provider."""
        key = target.key
        if key and not _fits_header(key):
            raise Refused(Refusal(Verdict.AUTH, "the key holds characters that no key has"))
        pages = Pages(target.provider, self._redactor)
        asker = _Asker(client, target.timeout_seconds, self._deadline_at)
        request: HttpRequest | None = ADAPTERS[target.provider.protocol].first_request(
            target.provider, key
        )
        seen: list[HttpRequest] = []
        while request is not None:
            if len(seen) == MAX_PAGES:
                pages.notes.append(f"it has more than {MAX_PAGES} pages; the rest was not read")
                break
            seen.append(request)
            body = await asker.get(request)
            if _now() >= self._deadline_at:  # reading the others' answers took the time
                raise TimeoutError
            pages.add(body)
            request = pages.following(key)
            if request in seen:
                pages.notes.append("its pages go in a circle; the rest was not read")
                break
        return pages.answer()

    def _unasked(self, target: Target, refusal: Refusal) -> Answer:
        if not _is_asked(target):
            return no_key(target.provider)
        return refused(target.provider, refusal, self._redactor)

    def _too_late(self) -> Refusal:
        detail = f"no complete answer within the deadline of {self._deadline_seconds:g} s"
        return Refusal(Verdict.TIMEOUT, detail)

    def _told(self, answer: Answer) -> Answer:
        if self._observer:
            self._observer.answered(answer)
        return answer


class _Asker:
    """The requests to one provider: a bound on all bodies together, and one second try."""

    def __init__(
        self, client: httpx.AsyncClient, timeout_seconds: float, deadline_at: float
    ) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._deadline_at = deadline_at
        self._room = MAX_BYTES
        self._may_retry = True

    async def get(self, request: HttpRequest) -> bytes:
        """The body of a good reply.

        Raises:
            Refused: there is none, also not at the second try.
        """
        try:
            body = await self._in_time(request)
        except Refused as error:
            if not self._may_retry or not error.refusal.retry:
                raise
            self._may_retry = False
            given = error.refusal.wait_seconds
            wait = RETRY_SECONDS if given is None else given
            if _now() + wait >= self._deadline_at:
                raise
            await asyncio.sleep(wait)
            body = await self._in_time(request)
        self._room -= len(body)
        return body

    async def _in_time(self, request: HttpRequest) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                from rollcall.providers.exchange import exchange

                return await exchange(self._client, request, self._room)
        except TimeoutError:
            detail = f"no complete answer within {self._timeout_seconds:g} s"
            raise Refused(Refusal(Verdict.TIMEOUT, detail)) from None


def _is_asked(target: Target) -> bool:
    provider = target.provider
    return target.key is not None or not provider.needs_key or provider.public_list


def _fits_header(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key


def _now() -> float:
    return asyncio.get_running_loop().time()


class _LooseThreads(ThreadPoolExecutor):
    """Runs name look-ups in threads that nobody waits for.

    The event loop looks names up in its executor, and waits for that executor when it closes: a
    name server that hangs would hold us, and the interpreter's exit, far past the deadline.
    """

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `work` in a daemon thread of its own."""
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits it
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future

    def shutdown(
        self,
        wait: bool = True,  # noqa: FBT001, FBT002 - as the base has it
        *,
        cancel_futures: bool = False,
    ) -> None:
        """Wait for nobody."""
