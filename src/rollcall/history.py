"""The state after a run, from the state before it. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from rollcall.catalog import Answer, Verdict
from rollcall.state import ProviderState, RunRecord, State

if TYPE_CHECKING:
    from collections.abc import Iterable

RUNS_KEPT = 20
FORGET_AFTER = timedelta(days=365)


def after_asking(state: State, answers: Iterable[Answer], *, now: str, today: date) -> State:
    """What asking taught: verdicts, last good times, and which ids were seen when.

    Args:
        now: ISO 8601 UTC of the run.
    """
    providers = dict(state.providers)
    for answer in answers:
        if answer.verdict is not Verdict.NOT_ASKED and not answer.offline:
            before = providers.get(answer.provider, ProviderState())
            providers[answer.provider] = _provider_after(before, answer, now, today)
    return state.model_copy(update={"providers": providers, "last_run": now})


def _provider_after(before: ProviderState, answer: Answer, now: str, today: date) -> ProviderState:
    asked = {
        "verdict": answer.verdict.value,
        "detail": answer.detail,
        "last_asked": now,
        "models": len(answer.models),
    }
    if answer.verdict is Verdict.NO_KEY:
        return before.model_copy(update={**asked, "stale_since": None})
    if answer.verdict is not Verdict.OK:
        stale_since = before.stale_since or now
        return before.model_copy(
            update={**asked, "models": before.models, "stale_since": stale_since}
        )
    start = None if before.last_good is None else today
    seen = {model.id: before.first_seen.get(model.id, start) for model in answer.models}
    left = {
        model_id: day
        for model_id, day in before.last_seen.items()
        if model_id not in seen and today - day < FORGET_AFTER
    }
    gone = {
        model_id: day
        for model_id, day in before.first_seen.items()
        if model_id not in seen and model_id in left
    }
    return before.model_copy(
        update={
            **asked,
            "last_good": now,
            "stale_since": None,
            "first_seen": {**gone, **seen},
            "last_seen": {**left, **dict.fromkeys(seen, today)},
        }
    )


def after_run(state: State, record: RunRecord) -> State:
    """The state with one more run on record; runs that changed nothing replace one another."""
    runs = list(state.runs)
    if runs and record.outcome == "unchanged" == runs[-1].outcome:
        runs.pop()
    return state.model_copy(update={"runs": [*runs, record][-RUNS_KEPT:], "last_run": record.at})
