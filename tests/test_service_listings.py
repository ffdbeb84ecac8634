"""How long a list is good, and how often LiteLLM is asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rollcall.inspect.inventory import Inventory
from rollcall.service.access import Caller, Gate
from rollcall.service.kept import Answer, Source
from rollcall.service.known import Known
from rollcall.service.listings import MAX_KEPT, Listings
from rollcall.service.problems import Problem
from rollcall.service.question import Asked, read_question
from rollcall.service.upstream import Listed, Outcome, Unavailable, Upstream

KNOWN = Known(Inventory())
LIST = read_question("/v1/models", b"", [])


class Clock:
    """Seconds that pass when told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class ScriptedUpstream(Upstream):
    """Answers from memory; counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.asked = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self.outcome: Outcome | None = None

    async def ask(self, question: object, caller: object, view_headers: object) -> Outcome:
        self.asked += 1
        await self.answering.wait()
        body = {"object": "list", "data": [{"id": f"model-{self.asked}"}]}
        return self.outcome or Listed(body, 100)


def caller(key: bytes = b"k") -> Caller:
    """A caller with a key of their own."""
    admitted = GATE.admit([(b"x-api-key", key)])
    assert admitted is not None
    return admitted


GATE = Gate((), None)

Story = Callable[[Listings, ScriptedUpstream, Clock], Awaitable[None]]


def play(story: Story) -> None:
    """Run a story of questions and passing time."""

    async def run() -> None:
        upstream, clock = ScriptedUpstream(), Clock()
        listings = Listings(upstream, lambda: KNOWN, patience_seconds=0.2, clock=clock)
        await story(listings, upstream, clock)
        await listings.close()
        await upstream.close()

    asyncio.run(run())


def source(answer: Answer | Problem) -> Source:
    """Where an answer came from."""
    assert isinstance(answer, Answer)
    return answer.source


def test_a_hundred_callers_at_once_are_one_request() -> None:
    async def story(listings: Listings, upstream: ScriptedUpstream, clock: Clock) -> None:
        upstream.answering.clear()
        waiting = [asyncio.create_task(listings.answer(caller(), LIST)) for _ in range(100)]
        await asyncio.sleep(0)
        upstream.answering.set()
        answers = await asyncio.gather(*waiting)
        assert {source(answer) for answer in answers} == {Source.LITELLM}
        assert upstream.asked == 1

    play(story)


def test_a_list_is_used_while_fresh_refreshed_before_it_is_old_and_asked_for_after() -> None:
    async def story(listings: Listings, upstream: ScriptedUpstream, clock: Clock) -> None:
        await listings.answer(caller(), LIST)
        clock.seconds = 2
        assert source(await listings.answer(caller(), LIST)) is Source.CACHE
        assert upstream.asked == 1
        clock.seconds = 5
        assert source(await listings.answer(caller(), LIST)) is Source.CACHE
        while listings.health.last_good != 5:
            await asyncio.sleep(0)
        clock.seconds = 60
        assert source(await listings.answer(caller(), LIST)) is Source.LITELLM
        assert upstream.asked == 3

    play(story)


def test_nobody_waits_long_for_what_is_kept_and_the_slow_answer_is_heard_in_the_end() -> None:
    async def story(listings: Listings, upstream: ScriptedUpstream, clock: Clock) -> None:
        await listings.answer(caller(), LIST)
        upstream.answering.clear()
        clock.seconds = 60
        for _ in range(3):
            assert source(await listings.answer(caller(), LIST)) is Source.CACHE
        assert upstream.asked == 2
        upstream.answering.set()
        while listings.health.answers is not True:
            await asyncio.sleep(0)
        answer = await listings.answer(caller(), LIST)
        assert isinstance(answer, Answer)
        assert b"model-2" in answer.rendered.content

    play(story)


def test_a_caller_who_stops_waiting_does_not_end_the_request_of_the_others() -> None:
    async def story(listings: Listings, upstream: ScriptedUpstream, clock: Clock) -> None:
        upstream.answering.clear()
        leaving = asyncio.create_task(listings.answer(caller(), LIST))
        staying = asyncio.create_task(listings.answer(caller(), LIST))
        await asyncio.sleep(0)
        leaving.cancel()
        upstream.answering.set()
        assert source(await staying) is Source.LITELLM

    play(story)


def test_the_number_of_kept_lists_is_bounded() -> None:
    async def story(listings: Listings, upstream: ScriptedUpstream, clock: Clock) -> None:
        for number in range(MAX_KEPT + 1):
            await listings.answer(caller(b"%d" % number), LIST)
        upstream.outcome = Unavailable("down")
        clock.seconds = 60
        forgotten = await listings.answer(caller(b"0"), LIST)
        kept = await listings.answer(caller(b"1"), LIST)
        assert isinstance(forgotten, Problem)
        assert source(kept) is Source.CACHE

    play(story)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"", b"limit=1000", True),
        (b"ready=false", b"", True),
        (b"a=1&b=2", b"b=2&a=1", True),
        (b"a=1", b"a=2", False),
        (b"client_version=1", b"", False),
        (b"key=sk-secret", b"", True),
    ],
)
def test_equal_questions_share_an_answer(one: bytes, other: bytes, same: bool) -> None:
    def question(query: bytes) -> Asked:
        return read_question("/v1/models", query, [])

    assert (question(one).question == question(other).question) is same


def test_claude_code_and_others_do_not_share_an_answer() -> None:
    def asked(agent: bytes) -> Asked:
        return read_question("/v1/models", b"", [(b"user-agent", agent)])

    assert asked(b"claude-code/2.1").question != asked(b"curl/8").question
    assert asked(b"curl/8").question == asked(b"curl/9").question
