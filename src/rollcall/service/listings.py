"""The lists LiteLLM gave, kept per caller; asked for anew before they are old.

    age        an answer is          and LiteLLM
    0 to 3 s   the kept one          is not asked
    3 to 10 s  the kept one          is asked in the background
    older      awaited a second      is asked; no answer by then: the kept one
    none kept  awaited two seconds   is asked; no answer by then: a fallback

One question of one caller has at most one request under way, whoever waits for it; it goes on
when they stop waiting, so that a slow LiteLLM is heard in the end. While it is failing nobody
waits longer than a fifth of a second.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, assert_never

from rollcall.service.kept import Answer, Health, Kept, Source
from rollcall.service.listing import names_in, shape_names
from rollcall.service.problems import UNAVAILABLE, Problem
from rollcall.service.rendering import render
from rollcall.service.upstream import Listed, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.service.access import Caller, Header
    from rollcall.service.known import Known
    from rollcall.service.question import Asked, Question
    from rollcall.service.upstream import Outcome, Upstream

FRESH_SECONDS = 3.0
USABLE_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
FAILING_PATIENCE_SECONDS = 0.2
FLIGHT_SECONDS = 20.0
MAX_KEPT = 256
MAX_KEPT_BYTES = 32_000_000
"""Of JSON as it came; in memory a list is several times that. The newest is always kept."""
WARM_SECONDS = 600.0
"""Lists nobody has asked for in this long are not refreshed in the background."""

Key = tuple[bytes, "Question"]


class Listings:
    """Every list of every caller.

    Args:
        known: what rollcall knows at this moment; another object after a change on disk.
        patience_seconds: the longest anybody waits for LiteLLM.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        upstream: Upstream,
        known: Callable[[], Known],
        *,
        patience_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstream = upstream
        self._known = known
        self._patience = patience_seconds
        self._clock = clock
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._flights: dict[Key, asyncio.Task[Outcome]] = {}
        self.health = Health()

    async def answer(self, caller: Caller, asked: Asked, *, now: bool = False) -> Answer | Problem:
        """The list a caller asks for, or why there is none.

        Args:
            now: LiteLLM is asked whatever is kept.
        """
        key = (caller.identity, asked.question)
        kept = self._kept.get(key)
        if kept is not None and not now:
            kept.used_at = self._clock()
            age = kept.used_at - kept.at
            if age <= USABLE_SECONDS:
                if age > FRESH_SECONDS:
                    self._flight(key, caller, asked.view_headers)
                return self._from(kept, asked, Source.CACHE)
        outcome = await self._await(key, caller, asked, kept)
        match outcome:
            case Listed():
                return self._from(self._kept[key], asked, Source.LITELLM)
            case Refused():
                return outcome.problem
            case Unavailable() | None:
                return self._fallback(key, caller, asked)
            case _:
                assert_never(outcome)

    async def refresh_warm(self, caller: Caller) -> None:
        """Ask again for this caller's lists that somebody used lately."""
        warm = self._clock() - WARM_SECONDS
        for key, kept in list(self._kept.items()):
            if key[0] == caller.identity and kept.used_at >= warm:
                await asyncio.wait({self._flight(key, caller, kept.view_headers)})

    async def close(self) -> None:
        """Give up what is under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _await(
        self, key: Key, caller: Caller, asked: Asked, kept: Kept | None
    ) -> Outcome | None:
        """What LiteLLM says, or None when it does not say it in time."""
        patience = self._patience
        if kept is not None:
            patience = min(patience, PATIENCE_SECONDS)
        if self.health.answers is False:
            patience = min(patience, FAILING_PATIENCE_SECONDS)
        flight = self._flight(key, caller, asked.view_headers)
        done, _ = await asyncio.wait({flight}, timeout=patience)
        if done:
            return flight.result()
        self._failed("LiteLLM is slow to answer.")
        return None

    def _flight(
        self, key: Key, caller: Caller, view_headers: tuple[Header, ...]
    ) -> asyncio.Task[Outcome]:
        """The request under way for this list; started if there is none."""
        flight = self._flights.get(key)
        if flight is None or flight.done():
            flight = asyncio.create_task(self._ask(key, caller, view_headers))
            self._flights[key] = flight
            flight.add_done_callback(partial(self._landed, key))
        return flight

    def _landed(self, key: Key, flight: asyncio.Task[Outcome]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _ask(self, key: Key, caller: Caller, view_headers: tuple[Header, ...]) -> Outcome:
        question = key[1]
        try:
            async with asyncio.timeout(FLIGHT_SECONDS):
                outcome = await self._upstream.ask(question, caller, view_headers)
        except TimeoutError:
            outcome = Unavailable("LiteLLM does not answer in time.")
        match outcome:
            case Listed():
                self._keep(key, outcome, view_headers)
            case Refused():
                outcome = self._refused(key, caller, outcome)
            case Unavailable():
                self._failed(outcome.reason)
            case _:
                assert_never(outcome)
        return outcome

    def _refused(self, key: Key, caller: Caller, outcome: Refused) -> Outcome:
        """Forget what a key that is no longer good was shown.

        When it is our own key that LiteLLM refuses, its callers are not to blame: that is an
        outage.
        """
        if not outcome.problem.about_key:
            return outcome
        if caller.own:
            self._failed("LiteLLM refuses LITELLM_API_KEY.")
            return Unavailable("LiteLLM refuses LITELLM_API_KEY.")
        wrong_key = outcome.problem.status == 401
        forgotten = [
            other
            for other in self._kept
            if other == key or (wrong_key and other[0] == caller.identity)
        ]
        for other in forgotten:
            del self._kept[other]
        return outcome

    def _keep(self, key: Key, listed: Listed, view_headers: tuple[Header, ...]) -> None:
        now = self._clock()
        before = self._kept.get(key)
        kept = Kept(listed.body, listed.size, now, before.used_at if before else now, view_headers)
        if before is not None and before.body == listed.body:
            kept.rendered = before.rendered
        self._kept[key] = kept
        self._kept.move_to_end(key)
        total = sum(each.size for each in self._kept.values())
        while len(self._kept) > MAX_KEPT or (total > MAX_KEPT_BYTES and len(self._kept) > 1):
            _, dropped = self._kept.popitem(last=False)
            total -= dropped.size
        self.health = Health(answers=True, last_good=now)

    def _failed(self, reason: str) -> None:
        self.health = Health(answers=False, last_good=self.health.last_good, reason=reason)

    def _from(self, kept: Kept, asked: Asked, source: Source) -> Answer:
        known = self._known()
        rendered = kept.rendered.get(asked.ready)
        if rendered is None or rendered.known is not known:
            rendered = render(kept.body, asked.question.shape, known, asked.ready)
            kept.rendered[asked.ready] = rendered
        return Answer(rendered, source, self._clock() - kept.at)

    def _fallback(self, key: Key, caller: Caller, asked: Asked) -> Answer | Problem:
        """The best list this caller may see without LiteLLM.

        A key LiteLLM has answered before sees what it saw then, in any shape; a trusted caller
        also the list of config.yaml; anybody else nothing: only LiteLLM knows what they may see.
        """
        kept = self._kept.get(key)
        if kept is not None:
            return self._from(kept, asked, Source.CACHE)
        known = self._known()
        shape = asked.question.shape
        earlier = self._latest(caller)
        if earlier is not None:
            names = names_in(earlier[1].body, earlier[0].shape)
        elif caller.trusted:
            names = known.listed_names
        else:
            return UNAVAILABLE
        body = shape_names(names, shape, known)
        if body is None:
            return UNAVAILABLE
        rendered = render(body, shape, known, asked.ready)
        if earlier is not None:
            return Answer(rendered, Source.CACHE, self._clock() - earlier[1].at)
        return Answer(rendered, Source.CONFIG, None)

    def _latest(self, caller: Caller) -> tuple[Question, Kept] | None:
        mine = [(key[1], kept) for key, kept in self._kept.items() if key[0] == caller.identity]
        return max(mine, key=lambda pair: (not pair[0].query, pair[1].at), default=None)
