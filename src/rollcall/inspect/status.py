"""How things stand: the last run, each provider's last good answer, and what is overdue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rollcall.errors import ConfigRefused, PolicyError, RollcallError, StoreError
from rollcall.files import is_there
from rollcall.policy.schema import Defaults
from rollcall.settings import parse_moment
from rollcall.store.store import Store, open_store, version_of
from rollcall.sync.gather import gather, read_policy

if TYPE_CHECKING:
    from datetime import datetime

    from rollcall.plan.decide import Decision
    from rollcall.plan.guards import HeldChange
    from rollcall.plan.last_days import LastDay
    from rollcall.settings import Settings
    from rollcall.store.state import RunRecord, State, TrialRecord


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """One provider: what became of asking it last, and since when it is not well."""

    name: str
    verdict: str
    last_good: str | None
    stale_since: str | None
    models: int
    detail: str


@dataclass(frozen=True, slots=True)
class Status:
    """What `rollcall status` shows.

    Attributes:
        held: changes that wait for a person's word, as the last replies have it.
        alarms: what has been wrong for too long, or ends too soon, one line each.
        last_days: entries whose model ends within the policy's notice, the nearest first.
        config: its address or path, its version, and who wrote it last; why that cannot be told.
        trials: what became of calling models before they were used, the latest last.
    """

    last_run: str | None
    last_record: RunRecord | None
    providers: tuple[ProviderStatus, ...]
    backups: int
    alarms: tuple[str, ...]
    held: tuple[HeldChange, ...] = ()
    last_days: tuple[LastDay, ...] = ()
    config: str = ""
    trials: tuple[TrialRecord, ...] = ()


def read_status(settings: Settings, ends_within: int | None = None) -> Status:
    """How things stand, as far as the state folder and the policy can be read.

    Args:
        ends_within: days; an entry whose model ends sooner is an alarm.
    """
    store = open_store(settings)
    unread = []
    try:
        backups = len(store.backups())
    except StoreError as error:
        backups = 0
        unread.append(error.what.rstrip("."))
    try:
        defaults = read_policy(settings)[1].defaults
    except PolicyError:
        defaults = Defaults()
    decision, why = read_decision(settings)
    ends = decision.last_days if decision else ()
    today = settings.now.date()

    def ending(*notices: int) -> tuple[LastDay, ...]:
        return tuple(row for row in ends if notices and row.days_left(today) <= max(notices))

    asked = () if ends_within is None else (ends_within,)
    unread += [row.told(today) for row in ending(*asked)]
    if ends_within is not None:
        unread += [f"last days cannot be told: {why}"] if why else []
    state, _ = store.memory.read_state()
    config = ""
    try:
        config = told_store(settings, store, state)
    except (ConfigRefused, StoreError) as error:
        if settings.address is not None:
            raise
        unread.append(error.what.rstrip("."))
    providers = tuple(
        ProviderStatus(name, row.verdict, row.last_good, row.stale_since, row.models, row.detail)
        for name, row in state.providers.items()
    )
    return Status(
        last_run=state.last_run,
        last_record=state.runs[-1] if state.runs else None,
        providers=providers,
        backups=backups,
        alarms=(
            *unread,
            *alarms(state, now=settings.now, stale_after_seconds=defaults.stale_after),
        ),
        held=decision.held if decision else (),
        last_days=ending(*defaults.warn_before, *asked),
        trials=tuple(state.trials),
        config=config,
    )


def told_store(settings: Settings, store: Store, state: State) -> str:
    """Which config, in which version, and who wrote it last.

    Raises:
        StoreError: it cannot be read. ConfigRefused: a manifest with no config in it, or several.
    """
    content = store.read_config()
    version = store.version or version_of(content)
    if not version.strip():
        empty = settings.address is None and is_there(settings.config_path)
        return f"{settings.config_name} is {'empty' if empty else 'not there yet'}"
    told = f"{settings.config_name}, version {version.strip()}"
    wrote = next((run for run in reversed(state.runs) if run.version), None)
    if wrote is None:
        return told if state.runs else f"{told}, never written by rollcall"
    if wrote.version == version:
        return f"{told}, last written by {wrote.by} at {wrote.at}"
    return f"{told}, changed since {wrote.by} wrote it at {wrote.at}"


def read_decision(settings: Settings) -> tuple[Decision | None, str]:
    """What would be decided from what was kept of the last run; None and why, where nothing can."""
    from rollcall.plan.decide import decide

    store = open_store(settings)
    try:
        return decide(gather(replace(settings, offline=True), store)), ""
    except RollcallError as error:
        return None, error.what.rstrip(".")


def alarms(state: State, *, now: datetime, stale_after_seconds: float) -> tuple[str, ...]:
    """What has been wrong for too long at `now`, one line each.

    Args:
        stale_after_seconds: how long a provider, or rollcall itself, may be silent.
    """
    found = []
    if state.last_run is None:
        found.append("rollcall has not run yet with this state folder")
    elif _age(state.last_run, now) > stale_after_seconds:
        found.append(f"rollcall itself has not run since {state.last_run}")
    for name, row in state.providers.items():
        if row.stale_since and _age(row.stale_since, now) > stale_after_seconds:
            found.append(f"{name} could not be asked since {row.stale_since}: {row.detail}")
    return tuple(found)


def _age(moment: str, now: datetime) -> float:
    """Seconds since an ISO 8601 moment; a moment in the future, or none at all, has no age."""
    then = parse_moment(moment)
    return (now - then).total_seconds() if then else 0.0
