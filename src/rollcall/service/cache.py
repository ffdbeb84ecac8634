"""The lists LiteLLM gave, kept per caller; asked for anew before they are old.

    age        an answer is          and LiteLLM
    0 to 3 s   the kept one          is not asked
    3 to 10 s  the kept one          is asked in the background
    older      awaited a second      is asked; no answer by then: the kept one
    none kept  awaited two seconds   is asked; no answer by then: a fallback

One request of one caller has at most one request upstream under way, whoever waits for it; it goes
on when they stop waiting, so that a slow LiteLLM is heard in the end. While LiteLLM is failing
nobody waits longer than a fifth of a second who can be given another list.

What a request tells about LiteLLM's health: any answer, that it answers; nobody listening, that it
does not; anything else that goes wrong, only where it is the plain list that every LiteLLM has.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from rollcall.service.formats import Format, rows_by_name, write_list
from rollcall.service.model_list import render
from rollcall.service.requests import ApiError, ListRequest
from rollcall.service.upstream import Failed, Listed, OtherAnswer, Refused
from rollcall.settings import with_places

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.service.access import Caller, Header
    from rollcall.service.model_list import KnownModels, RenderedList
    from rollcall.service.upstream import Outcome, Upstream

FRESH_SECONDS = 3.0
USABLE_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
FAILING_PATIENCE_SECONDS = 0.2
REQUEST_SECONDS = 20.0
MAX_KEPT = 256
MAX_KEPT_BYTES = 32_000_000
"""Of JSON as it came; in memory a list is several times that. The newest is always kept."""
WARM_SECONDS = 600.0
"""Lists nobody has asked for in this long are not refreshed in the background."""

SLOW = "LiteLLM is slow to answer."
OWN_KEY_REFUSED = "LiteLLM refuses LITELLM_API_KEY."

_log = logging.getLogger("rollcall.service")

Key = tuple[bytes, ListRequest]


class Source(StrEnum):
    """Where an answer comes from: the header `x-rollcall-source`."""

    LITELLM = "litellm"
    CACHE = "cache"
    CONFIG = "config"


@dataclass(slots=True)
class CachedList:
    """One list LiteLLM gave, with what was made of it for each value of `ready`."""

    body: dict[str, Any]
    size: int
    at: float
    used_at: float
    headers: tuple[Header, ...]
    rendered: dict[bool | None, RenderedList] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """A list to send. `age_seconds` is None for the list of config.yaml."""

    rendered: RenderedList
    source: Source
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether LiteLLM answers; None = it was never asked. `last_good`: seconds of the clock."""

    answers: bool | None = None
    last_good: float | None = None
    reason: str = ""


class ModelListCache:
    """Every list of every caller.

    Args:
        known: what rollcall knows at this moment; another object after a change on disk.
        patience_seconds: the longest anybody waits for LiteLLM.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        upstream: Upstream,
        known: Callable[[], KnownModels],
        *,
        patience_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstream = upstream
        self._known = known
        self._patience = patience_seconds
        self._clock = clock
        self._lists: OrderedDict[Key, CachedList] = OrderedDict()
        self._under_way: dict[Key, asyncio.Task[Outcome]] = {}
        self._own_key_refused = False
        self.health = Health()

    async def get(
        self, caller: Caller, asked: ListRequest, *, anew: bool = False
    ) -> ListAnswer | OtherAnswer | ApiError:
        """The list a caller asks for, what LiteLLM answers instead, or why there is none.

        Args:
            anew: LiteLLM is asked whatever is kept.
        """
        key = (caller.identity, asked)
        kept = self._lists.get(key)
        if kept is not None and not anew:
            kept.used_at = self._clock()
            age = kept.used_at - kept.at
            if age <= USABLE_SECONDS:
                if age > FRESH_SECONDS:
                    self._request(key, caller)
                return self._answer(kept, asked, Source.CACHE)
        outcome = await self._wait_for(self._request(key, caller), key, caller)
        match outcome:
            case Listed():
                return self._answer(self._lists[key], asked, Source.LITELLM)
            case OtherAnswer():
                return outcome
            case Refused():
                if asked.format is Format.MODEL_INFO:
                    return await self._info_from_list(caller, asked)
                return outcome.answer
            case Failed():
                return self._fallback(key, caller, outcome)
            case _:
                assert_never(outcome)

    async def refresh_warm(self, caller: Caller) -> None:
        """Ask again for this caller's lists that somebody used lately."""
        warm = self._clock() - WARM_SECONDS
        for key, kept in list(self._lists.items()):
            if key[0] == caller.identity and kept.used_at >= warm:
                again = (key[0], replace(key[1], headers=kept.headers))
                await asyncio.wait({self._request(again, caller)})

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_for(self, request: asyncio.Task[Outcome], key: Key, caller: Caller) -> Outcome:
        """What LiteLLM says, or that it does not say it in time."""
        asked, patience = key[1], self._patience
        if key in self._lists:
            patience = min(patience, PATIENCE_SECONDS)
        if self.health.answers is False and self._has_fallback(key, caller):
            patience = min(patience, FAILING_PATIENCE_SECONDS)
        done, _ = await asyncio.wait({request}, timeout=patience)
        if done:
            return request.result()
        slow = Failed(SLOW)
        self._note_failure(slow, asked)
        return slow

    def _request(self, key: Key, caller: Caller) -> asyncio.Task[Outcome]:
        """The request under way for this list; started if there is none."""
        task = self._under_way.get(key)
        if task is None or task.done():
            task = asyncio.create_task(self._ask(key, caller))
            self._under_way[key] = task
            task.add_done_callback(partial(self._ended, key))
        return task

    def _ended(self, key: Key, task: asyncio.Task[Outcome]) -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]

    async def _ask(self, key: Key, caller: Caller) -> Outcome:
        asked = key[1]
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                outcome = await self._upstream.list_models(asked, caller)
        except TimeoutError:
            outcome = Failed("LiteLLM does not answer in time.")
        if isinstance(outcome, Refused):
            outcome = self._refused(key, caller, outcome)
        if isinstance(outcome, Failed):
            self._note_failure(outcome, asked)
        else:
            last_good = self._clock() if isinstance(outcome, Listed) else self.health.last_good
            self.health = Health(answers=True, last_good=last_good)
        if isinstance(outcome, Listed):
            self._own_key_refused = self._own_key_refused and not caller.own
            self._keep(key, outcome)
        return outcome

    def _note_failure(self, failed: Failed, asked: ListRequest) -> None:
        if asked.is_plain or not failed.connected:
            self.health = replace(self.health, answers=False, reason=failed.reason)

    def _refused(self, key: Key, caller: Caller, outcome: Refused) -> Outcome:
        """Forget what a key that is no longer good was shown.

        When it is our own key that LiteLLM refuses, its callers are not to blame: that is an
        outage. A key refused anything but the plain list is still good for that.
        """
        asked, status = key[1], outcome.answer.status
        if status not in (401, 403):
            return outcome
        if caller.own and asked.format is not Format.MODEL_INFO:
            if not self._own_key_refused:
                self._own_key_refused = True
                _log.warning("%s", with_places(OWN_KEY_REFUSED))
            return Failed(OWN_KEY_REFUSED)
        for other in list(self._lists):
            wrong_key = status == 401 and asked.is_plain and other[0] == caller.identity
            if wrong_key or other == key:
                del self._lists[other]
        return outcome

    def _keep(self, key: Key, listed: Listed) -> None:
        now = self._clock()
        before = self._lists.get(key)
        used_at = before.used_at if before else now
        kept = CachedList(listed.body, listed.size, now, used_at, key[1].headers)
        if before is not None and before.body == listed.body:
            kept.rendered = before.rendered
        self._lists[key] = kept
        self._lists.move_to_end(key)
        total = sum(each.size for each in self._lists.values())
        while len(self._lists) > MAX_KEPT or (total > MAX_KEPT_BYTES and len(self._lists) > 1):
            _, dropped = self._lists.popitem(last=False)
            total -= dropped.size

    def _answer(self, kept: CachedList, asked: ListRequest, source: Source) -> ListAnswer:
        known = self._known()
        rendered = kept.rendered.get(asked.ready)
        if rendered is None or rendered.known is not known:
            rendered = render(kept.body, asked.format, known, asked.ready)
            kept.rendered[asked.ready] = rendered
        return ListAnswer(rendered, source, self._clock() - kept.at)

    async def _info_from_list(
        self, caller: Caller, asked: ListRequest
    ) -> ListAnswer | OtherAnswer | ApiError:
        """/model/info for a key that may list models but not ask for more: what it sees in the
        list, with what rollcall knows of it.
        """
        answer = await self.get(caller, ListRequest())
        if not isinstance(answer, ListAnswer):
            return answer
        said = rows_by_name(answer.rendered.body, Format.OPENAI)
        body = write_list(tuple(said), Format.MODEL_INFO, self._known(), said)
        assert body is not None
        rendered = render(body, Format.MODEL_INFO, self._known(), asked.ready)
        return ListAnswer(rendered, answer.source, answer.age_seconds)

    def _fallback(
        self, key: Key, caller: Caller, failed: Failed
    ) -> ListAnswer | OtherAnswer | ApiError:
        """The best list this caller may see without LiteLLM.

        A key LiteLLM has answered before sees what it saw then, in any format; a trusted caller
        also the list of config.yaml; anybody else nothing: only LiteLLM knows what they may see.
        """
        asked = key[1]
        kept = self._lists.get(key)
        if kept is not None:
            return self._answer(kept, asked, Source.CACHE)
        known, earlier = self._known(), self._latest(caller)
        names: tuple[str, ...] = known.listed_names if caller.trusted else ()
        if earlier is not None:
            names = tuple(rows_by_name(earlier[1].body, earlier[0].format))
        body = write_list(names, asked.format, known)
        if body is None or not (caller.trusted or earlier):
            return failed.answer or _unavailable(failed.reason)
        rendered = render(body, asked.format, known, asked.ready)
        if earlier is not None:
            return ListAnswer(rendered, Source.CACHE, self._clock() - earlier[1].at)
        return ListAnswer(rendered, Source.CONFIG, None)

    def _has_fallback(self, key: Key, caller: Caller) -> bool:
        if key in self._lists:
            return True
        other = caller.trusted or self._latest(caller) is not None
        return other and key[1].format is not Format.CODEX

    def _latest(self, caller: Caller) -> tuple[ListRequest, CachedList] | None:
        mine = [(key[1], kept) for key, kept in self._lists.items() if key[0] == caller.identity]
        return max(mine, key=lambda pair: (not pair[0].query, pair[1].at), default=None)


def _unavailable(reason: str) -> ApiError:
    return ApiError(503, f"{reason} No list is known that this key may see. Try again shortly.")
