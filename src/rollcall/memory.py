"""What a run leaves behind for the next one: replies, state, and the stamp of freshness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall import config_document, freshness, history
from rollcall.plan import counts
from rollcall.settings import stamp
from rollcall.state import RunRecord, State

if TYPE_CHECKING:
    from rollcall.evidence import Evidence
    from rollcall.plan import Plan
    from rollcall.settings import Settings
    from rollcall.store import Store, Written


def remember(
    evidence: Evidence, plan: Plan, result: bytes, written: Written | None
) -> tuple[str, ...]:
    """Keep replies, state and freshness after a run; what cannot be kept is a note."""
    settings, store = evidence.settings, evidence.store
    answers = tuple(evidence.answers.values())
    notes = () if settings.offline else store.write_replies(answers)
    now, today = stamp(settings), settings.now.date()
    state = history.after_asking(evidence.state, answers, now=now, today=today)
    if plan.nobody or plan.refused:
        outcome = "nobody" if plan.nobody else "refused"
        state = history.after_run(state, _record(settings, plan, outcome, written))
        return (*notes, *store.write_state(state))
    result = result if written is not None else evidence.document.raw
    notes += store.write_state(
        _applied(settings, state, plan, evidence.policy_bytes, result, written)
    )
    if not settings.only_providers:
        notes += store.write_stamp(_fresh(evidence, result))
    return notes


def remember_saved(
    settings: Settings,
    store: Store,
    plan: Plan,
    policy_bytes: bytes,
    result: bytes,
    written: Written | None,
) -> tuple[str, ...]:
    """Keep what applying a saved plan did."""
    state, notes = store.read_state()
    return notes + store.write_state(_applied(settings, state, plan, policy_bytes, result, written))


def remember_replies(evidence: Evidence) -> tuple[str, ...]:
    """Keep what the providers said, after a run that writes nothing."""
    settings, store = evidence.settings, evidence.store
    answers = tuple(evidence.answers.values())
    notes = store.write_replies(answers)
    now, today = stamp(settings), settings.now.date()
    state = history.after_asking(evidence.state, answers, now=now, today=today)
    return (*notes, *store.write_state(state))


def remember_handover(
    settings: Settings, store: Store, what: str, content: bytes, written: Written
) -> tuple[str, ...]:
    """Keep that config.yaml was rolled back or its entries changed hands."""
    state, _ = store.read_state()
    record = RunRecord(
        at=stamp(settings),
        command=what.split()[0],
        outcome="applied",
        summary=what,
        backup_id=written.backup_id,
    )
    return store.write_state(history.after_run(_with_result(state, content), record))


def _applied(
    settings: Settings,
    state: State,
    plan: Plan,
    policy_bytes: bytes,
    result: bytes,
    written: Written | None,
) -> State:
    state = state.model_copy(
        update={
            "policy_text": policy_bytes.decode("utf-8", "replace"),
            "accepted": sorted({*state.accepted, *plan.accepted}),
        }
    )
    outcome = "applied" if written is not None and plan.changed else "unchanged"
    record = _record(settings, plan, outcome, written)
    return history.after_run(_with_result(state, result), record)


def _with_result(state: State, content: bytes) -> State:
    """The state knowing config.yaml as we left it, to tell hand edits from our own writing."""
    managed = config_document.managed_text(content) if content else ""
    return state.model_copy(
        update={
            "written_blocks_sha256": freshness.sha256(managed.encode()),
        }
    )


def _record(settings: Settings, plan: Plan, outcome: str, written: Written | None) -> RunRecord:
    return RunRecord(
        at=stamp(settings),
        command="apply",
        outcome=outcome,
        summary=counts(plan.changes),
        changes=[f"{change.kind} {change.name}: {change.reason}" for change in plan.changes][:50],
        backup_id=written.backup_id if written else None,
    )


def _fresh(evidence: Evidence, config: bytes) -> str:
    providers = evidence.roll.providers.values()
    return freshness.make_stamp(
        evidence.settings,
        config=config,
        ttl_seconds=evidence.policy.defaults.ttl,
        key_names={name for provider in providers for name in provider.key_env},
    )
