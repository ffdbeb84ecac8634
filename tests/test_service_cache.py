"""How long a list is good, and how often LiteLLM is asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rollcall.inspect.inventory import Inventory
from rollcall.service import cache
from rollcall.service.access import Authenticator, Caller
from rollcall.service.cache import MAX_KEPT, ListAnswer, ModelListCache, Source
from rollcall.service.model_list import KnownModels
from rollcall.service.requests import ApiError, ListRequest, read_list_request
from rollcall.service.upstream import Failed, Listed, OtherAnswer, Outcome, Refused, Upstream

KNOWN = KnownModels(Inventory())
LIST = read_list_request("/v1/models", b"", [])


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

    async def list_models(self, asked: object, caller: object) -> Outcome:
        self.asked += 1
        await self.answering.wait()
        body = {"object": "list", "data": [{"id": f"model-{self.asked}"}]}
        return self.outcome or Listed(body, 100)


def caller(key: bytes = b"k") -> Caller:
    """A caller with a key of their own."""
    admitted = GATE.admit([(b"x-api-key", key)])
    assert admitted is not None
    return admitted


GATE = Authenticator((), None)

Story = Callable[[ModelListCache, ScriptedUpstream, Clock], Awaitable[None]]


def play(story: Story, patience_seconds: float = 30.0) -> None:
    """Run a story of requests and passing time."""

    async def run() -> None:
        upstream, clock = ScriptedUpstream(), Clock()
        lists = ModelListCache(
            upstream, lambda: KNOWN, patience_seconds=patience_seconds, clock=clock
        )
        await story(lists, upstream, clock)
        await lists.close()
        await upstream.close()

    asyncio.run(run())


def source(answer: ListAnswer | OtherAnswer | ApiError) -> Source:
    """Where an answer came from."""
    assert isinstance(answer, ListAnswer)
    return answer.source


def test_a_hundred_callers_at_once_are_one_request() -> None:
    async def story(lists: ModelListCache, upstream: ScriptedUpstream, clock: Clock) -> None:
        upstream.answering.clear()
        waiting = [asyncio.create_task(lists.get(caller(), LIST)) for _ in range(100)]
        await asyncio.sleep(0)
        upstream.answering.set()
        answers = await asyncio.gather(*waiting)
        assert {source(answer) for answer in answers} == {Source.LITELLM}
        assert upstream.asked == 1

    play(story)


def test_a_list_is_used_while_fresh_refreshed_before_it_is_old_and_asked_for_after() -> None:
    async def story(lists: ModelListCache, upstream: ScriptedUpstream, clock: Clock) -> None:
        await lists.get(caller(), LIST)
        clock.seconds = 2
        assert source(await lists.get(caller(), LIST)) is Source.CACHE
        assert upstream.asked == 1
        clock.seconds = 5
        assert source(await lists.get(caller(), LIST)) is Source.CACHE
        while lists.health.last_good != 5:
            await asyncio.sleep(0)
        clock.seconds = 60
        assert source(await lists.get(caller(), LIST)) is Source.LITELLM
        assert upstream.asked == 3

    play(story)


def test_nobody_waits_long_for_what_is_kept_and_the_slow_answer_is_heard_in_the_end() -> None:
    async def story(lists: ModelListCache, upstream: ScriptedUpstream, clock: Clock) -> None:
        await lists.get(caller(), LIST)
        upstream.answering.clear()
        clock.seconds = 60
        for _ in range(3):
            assert source(await lists.get(caller(), LIST)) is Source.CACHE
        assert upstream.asked == 2
        upstream.answering.set()
        while lists.health.answers is not True:
            await asyncio.sleep(0)
        answer = await lists.get(caller(), LIST)
        assert isinstance(answer, ListAnswer)
        assert b"model-2" in answer.rendered.content

    play(story, patience_seconds=0.01)


def test_who_can_be_given_nothing_else_waits_for_a_litellm_that_failed_a_moment_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cache, "FAILING_PATIENCE_SECONDS", 0.0)

    async def story(lists: ModelListCache, upstream: ScriptedUpstream, clock: Clock) -> None:
        upstream.outcome = Failed("LiteLLM answers with status 500.")
        assert isinstance(await lists.get(caller(b"other"), LIST), ApiError)
        assert lists.health.answers is False
        upstream.outcome = None
        upstream.answering.clear()
        asking = asyncio.create_task(lists.get(caller(), LIST))
        for _ in range(50):
            await asyncio.sleep(0)
        upstream.answering.set()
        assert source(await asking) is Source.LITELLM

    play(story)


def test_a_caller_who_stops_waiting_does_not_end_the_request_of_the_others() -> None:
    async def story(lists: ModelListCache, upstream: ScriptedUpstream, clock: Clock) -> None:
        upstream.answering.clear()
        leaving = asyncio.create_task(lists.get(caller(), LIST))
        staying = asyncio.create_task(lists.get(caller(), LIST))
        await asyncio.sleep(0)
        leaving.cancel()
        upstream.answering.set()
        assert source(await staying) is Source.LITELLM

    play(story)


def test_the_number_of_kept_lists_is_bounded() -> None:
    async def story(lists: ModelListCache, upstream: ScriptedUpstream, clock: Clock) -> None:
        for number in range(MAX_KEPT + 1):
            await lists.get(caller(b"%d" % number), LIST)
        upstream.outcome = Failed("down")
        clock.seconds = 60
        forgotten = await lists.get(caller(b"0"), LIST)
        kept = await lists.get(caller(b"1"), LIST)
        assert isinstance(forgotten, ApiError)
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
def test_equal_requests_share_an_answer(one: bytes, other: bytes, same: bool) -> None:
    def asked(query: bytes) -> ListRequest:
        return read_list_request("/v1/models", query, [])

    assert (asked(one) == asked(other)) is same


def test_claude_code_and_others_do_not_share_an_answer() -> None:
    def asked(agent: bytes) -> ListRequest:
        return read_list_request("/v1/models", b"", [(b"user-agent", agent)])

    assert asked(b"claude-code/2.1") != asked(b"curl/8")
    assert asked(b"curl/8") == asked(b"curl/9")


def test_a_key_of_our_own_that_is_refused_again_after_a_good_list_is_told_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ours = Authenticator(("token-of-ours",), "sk-own").admit([(b"x-api-key", b"token-of-ours")])
    assert ours is not None
    refused = Refused(OtherAnswer(401, b"", "application/json"))

    async def story(lists: ModelListCache, upstream: ScriptedUpstream, clock: Clock) -> None:
        for outcome in (refused, refused, None, refused, refused):
            upstream.outcome = outcome
            await lists.get(ours, LIST)
            clock.seconds += 600

    play(story)
    assert caplog.text.count("LiteLLM refuses LITELLM_API_KEY") == 2
