"""Keeps what a run learnt for the next one: replies, state, and a stamp for `start`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from rollcall.catalog.model import Answer, Verdict
from rollcall.files import sha256_of
from rollcall.plan.changes import counts
from rollcall.settings import stamp
from rollcall.store import freshness
from rollcall.store.memory import FACTS
from rollcall.store.state import RUNS_KEPT, ProviderState, RunRecord, State, digest_of_ours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.plan.inputs import Inputs
    from rollcall.plan.plan import Plan
    from rollcall.settings import Settings
    from rollcall.store.config_file import Written
    from rollcall.store.store import Store


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
        "detail": answer.detail or answer.partial,
        "last_asked": now,
        "models": len(answer.models),
        "key_mark": answer.key_mark,
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


def remember(
    settings: Settings,
    store: Store,
    inputs: Inputs,
    plan: Plan,
    config: bytes,
    written: Written | None,
) -> tuple[str, ...]:
    """Keep replies, state and freshness after a run; what cannot be kept is a note.

    Args:
        config: config.yaml as the run left it.
    """
    answers = tuple(inputs.answers.values())
    notes = () if settings.offline else store.memory.write_replies(answers)
    if inputs.facts_to_keep is not None:
        notes += store.memory.keep(FACTS, inputs.facts_to_keep)
    state = after_asking(inputs.state, answers, now=inputs.stamp, today=inputs.today)
    if plan.stands_still:
        outcome = "nobody" if plan.nobody else "refused"
        state = after_run(state, _record_of(settings, plan, outcome, written))
        return (*notes, *store.memory.write_state(state))
    notes += store.memory.write_state(
        _applied(settings, state, plan, inputs.policy_text, config, written)
    )
    if not settings.only_providers and sha256_of(config) == plan.result_sha256:
        said = freshness.make_stamp(
            settings,
            config=config,
            policy_sha256=inputs.policy_sha256,
            ttl_seconds=inputs.policy.defaults.ttl,
            key_names={name for row in inputs.providers.values() for name in row.key_env},
        )
        notes += store.memory.keep(freshness.STAMP, said.encode())
    return notes


def remember_saved(
    settings: Settings,
    store: Store,
    plan: Plan,
    policy_text: str,
    config: bytes,
    written: Written | None,
) -> tuple[str, ...]:
    """Keep what applying a saved plan did; see `remember`."""
    state, notes = store.memory.read_state()
    return notes + store.memory.write_state(
        _applied(settings, state, plan, policy_text, config, written)
    )


def remember_replies(store: Store, inputs: Inputs) -> tuple[str, ...]:
    """Keep what the providers said, after a run that writes nothing; call it under the lock.

    The state may have moved on since the run began: it is read anew, and where another run asked
    a provider meanwhile, what that one learnt stands.
    """
    state, notes = store.memory.read_state()
    before = inputs.state.providers
    answers = tuple(
        answer
        for name, answer in inputs.answers.items()
        if state.providers.get(name) == before.get(name)
    )
    notes += store.memory.write_replies(answers)
    state = after_asking(state, answers, now=inputs.stamp, today=inputs.today)
    return notes + store.memory.write_state(state)


def remember_edit(
    settings: Settings, store: Store, command: str, what: str, content: bytes, written: Written
) -> tuple[str, ...]:
    """Keep that config.yaml was rolled back or its entries changed hands."""
    state, _ = store.memory.read_state()
    record = _record(settings, written, command=command, outcome="applied", summary=what)
    return store.memory.write_state(after_run(_with_result(state, content), record))


def _applied(
    settings: Settings,
    state: State,
    plan: Plan,
    policy_text: str,
    config: bytes,
    written: Written | None,
) -> State:
    state = state.model_copy(
        update={
            "policy_text": policy_text,
            "accepted": sorted({*state.accepted, *plan.accepted}),
        }
    )
    outcome = "applied" if written is not None and plan.changed else "unchanged"
    record = _record_of(settings, plan, outcome, written)
    return after_run(_with_result(state, config), record)


def _with_result(state: State, content: bytes) -> State:
    """The state knowing config.yaml as we left it, to tell hand edits from our own writing."""
    return state.model_copy(update={"written_blocks_sha256": digest_of_ours(content)})


def _record_of(settings: Settings, plan: Plan, outcome: str, written: Written | None) -> RunRecord:
    return _record(
        settings,
        written,
        command="apply",
        outcome=outcome,
        summary=counts(plan.changes, len(plan.held)),
        changes=[f"{change.kind} {change.name}: {change.reason}" for change in plan.changes][:50],
    )


def _record(settings: Settings, written: Written | None, **said: Any) -> RunRecord:
    return RunRecord(
        **said,
        at=stamp(settings),
        backup_id=written.backup_id if written else None,
        by=_who(settings),
        version=written.version if written else "",
    )


def _who(settings: Settings) -> str:
    """Who wrote, for the others who share the config."""
    import platform

    environ = settings.environ
    if run := environ.get("GITHUB_RUN_ID"):
        return f"GitHub Actions, run {run}"
    user = environ.get("USER") or environ.get("USERNAME") or "somebody"
    return f"{user} on {environ.get('HOSTNAME') or platform.node()}"
