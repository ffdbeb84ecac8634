"""How things stand: the last run, each provider's last good answer, and what is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollcall.store.state import RunRecord, State


@dataclass(frozen=True, slots=True)
class ProviderStanding:
    """One provider: what became of asking it last, and since when it is not well."""

    name: str
    verdict: str
    last_good: str | None
    stale_since: str | None
    models: int
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What `rollcall status` shows. `alarms`: what has been wrong for too long, one line each."""

    last_run: str | None
    last_record: RunRecord | None
    providers: tuple[ProviderStanding, ...]
    backups: int
    alarms: tuple[str, ...]


def standing_of(
    state: State, *, now: datetime, stale_after_seconds: float, backups: int
) -> Standing:
    """How things stand at `now`.

    Args:
        stale_after_seconds: how long a provider, or rollcall itself, may be silent.
    """
    providers = tuple(
        ProviderStanding(name, row.verdict, row.last_good, row.stale_since, row.models, row.detail)
        for name, row in state.providers.items()
    )
    alarms = []
    if state.last_run is None:
        alarms.append("rollcall has not run yet with this state folder")
    elif _age(state.last_run, now) > stale_after_seconds:
        alarms.append(f"rollcall itself has not run since {state.last_run}")
    alarms += [
        f"{row.name} could not be asked since {row.stale_since}: {row.detail}"
        for row in providers
        if row.stale_since and _age(row.stale_since, now) > stale_after_seconds
    ]
    return Standing(
        last_run=state.last_run,
        last_record=state.runs[-1] if state.runs else None,
        providers=providers,
        backups=backups,
        alarms=tuple(alarms),
    )


def _age(moment: str, now: datetime) -> float:
    """Seconds since an ISO 8601 moment; a moment in the future, or none at all, has no age."""
    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return 0.0
    return (now - then.replace(tzinfo=then.tzinfo or UTC)).total_seconds()
