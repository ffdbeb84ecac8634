"""What a run remembers of its providers, and of itself."""

from __future__ import annotations

from datetime import date

from rollcall.catalog.model import Answer, Verdict
from rollcall.store.state import RUNS_KEPT, RunRecord, State
from rollcall.sync.remember import after_asking, after_run
from tests.policy_making import models

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def asked(state: State, day: date, *ids: str, verdict: Verdict = Verdict.OK) -> State:
    """The state after xai answered, or did not."""
    rows = tuple(models(*(f"xai/{one}" for one in ids)))
    answer = Answer("xai", verdict, models=rows, detail="" if ids else "no answer")
    return after_asking(state, [answer], now=f"{day}T12:00:00Z", today=day)


def test_the_first_sight_of_a_provider_makes_nothing_new() -> None:
    state = asked(State(), MONDAY, "grok-4")
    assert state.providers["xai"].first_seen == {"grok-4": None}
    state = asked(state, TUESDAY, "grok-4", "grok-5")
    assert state.providers["xai"].first_seen == {"grok-4": None, "grok-5": TUESDAY}


def test_a_first_sight_after_failures_is_a_first_sight_still() -> None:
    state = asked(State(), MONDAY, verdict=Verdict.TIMEOUT)
    state = asked(state, TUESDAY, "grok-4")
    assert state.providers["xai"].first_seen == {"grok-4": None}


def test_what_left_is_remembered_for_a_year_and_keeps_its_first_day() -> None:
    state = asked(State(), MONDAY, "grok-4", "grok-5")
    state = asked(state, TUESDAY, "grok-5")
    assert state.providers["xai"].last_seen == {"grok-4": MONDAY, "grok-5": TUESDAY}
    assert "grok-4" in state.providers["xai"].first_seen
    back = asked(state, date(2026, 11, 20), "grok-4", "grok-5")
    assert back.providers["xai"].first_seen["grok-4"] is None, "it is not new again"
    late = asked(state, date(2027, 11, 20), "grok-5")
    assert list(late.providers["xai"].last_seen) == ["grok-5"]


def test_failures_say_since_when_and_a_good_answer_ends_them() -> None:
    state = asked(State(), MONDAY, "grok-4")
    state = asked(state, TUESDAY, verdict=Verdict.TIMEOUT)
    state = asked(state, date(2026, 11, 18), verdict=Verdict.AUTH)
    xai = state.providers["xai"]
    assert xai.stale_since == "2026-11-17T12:00:00Z"
    assert xai.last_good == "2026-11-16T12:00:00Z"
    assert xai.verdict == "auth"
    assert asked(state, date(2026, 11, 19), "grok-4").providers["xai"].stale_since is None


def test_who_was_not_asked_is_as_before() -> None:
    state = asked(State(), MONDAY, "grok-4")
    later = asked(state, TUESDAY, verdict=Verdict.NOT_ASKED)
    assert later.providers == state.providers


def test_runs_that_change_nothing_replace_one_another_and_old_ones_go() -> None:
    state = State()
    for number in range(30):
        state = after_run(state, RunRecord(at=f"{number}", command="apply", outcome="unchanged"))
    assert [run.at for run in state.runs] == ["29"]
    for number in range(30):
        state = after_run(state, RunRecord(at=f"{number}", command="apply", outcome="applied"))
    assert len(state.runs) == RUNS_KEPT
    assert state.runs[-1].at == "29"
