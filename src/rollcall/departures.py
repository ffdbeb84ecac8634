"""Why a managed entry leaves, and how long it stays all the same. Pure.

An entry leaves because its id was withdrawn, retired, renamed or superseded (it then stays a
while, with the leaving day in the entry), or because the user edited the policy (at once).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from rollcall import admission
from rollcall.entries import EntryKey, entry_of, leaves_on, model_of, with_leaving_day
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rollcall.admission import Admission
    from rollcall.catalog import Model
    from rollcall.config_document import Entry
    from rollcall.situation import Situation


class Cause(StrEnum):
    """Why an entry leaves."""

    WITHDRAWN = "withdrawn"
    """The provider no longer lists the id."""
    RENAMED = "renamed"
    """The provider lists the same model under another id."""
    RETIRED = "retired"
    """Its announced last day is past."""
    SUPERSEDED = "superseded"
    """A rule would admit it, but for newer, cheaper or otherwise better ones."""
    POLICY = "policy"
    """The user's policy no longer wants it."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One entry on its way out. `entry` is None once it is gone."""

    cause: Cause
    reason: str
    entry: Entry | None
    renamed_to: str | None = None


def depart(
    situation: Situation,
    admitted: Admission,
    entry: Entry,
    key: EntryKey,
    before: Callable[[], frozenset[tuple[str, str]]],
) -> Departure:
    """Decide why `entry`, whose provider answered and which no rule admits, leaves, and when.

    Args:
        before: see `admitted_before`; asked only where it matters.
    """
    models = situation.answers[key.provider].models
    present = next((model for model in models if model.id == key.id), None)
    if present is None:
        return _missing(situation, entry, key, models)
    if present.ends is not None and present.ends < situation.today:
        reason = f"{key.provider} retired it on {present.ends}"
        return _staying(situation, entry, Cause.RETIRED, reason)
    if (key.provider, key.id) in before() or not admitted.matched(key.provider, key.id):
        return Departure(Cause.POLICY, "no rule of the policy admits it any more", None)
    return _staying(
        situation,
        _refreshed(situation, entry, present),
        Cause.SUPERSEDED,
        _successor(admitted, key),
    )


def _refreshed(situation: Situation, entry: Entry, model: Model) -> Entry:
    """The entry with today's prices and limits: it is served, and charged, until it goes."""
    index = admission.rule_of(situation.policy, model)
    if index is None:
        return entry
    rule = situation.policy.allow[index]
    fresh = entry_of(
        model,
        situation.providers[model.provider],
        name=entry["model_name"],
        key_env=situation.key_envs.get(model.provider),
        params=rule.params,
        model_info=rule.model_info,
    )
    day = leaves_on(entry)
    return with_leaving_day(fresh, day) if day else fresh


def _missing(
    situation: Situation, entry: Entry, key: EntryKey, models: Sequence[Model]
) -> Departure:
    renamed = _renamed(situation, key, models)
    if renamed is not None:
        moved = {
            **entry,
            "litellm_params": {**entry["litellm_params"], "model": renamed.litellm_model},
        }
        reason = f"{key.provider} renamed it to {renamed.id}"
        return _staying(situation, moved, Cause.RENAMED, reason, renamed.id)
    as_was = model_of(entry)
    if as_was is not None and admission.rule_of(situation.policy, as_was) is None:
        return Departure(Cause.POLICY, "no rule of the policy names it any more", None)
    return _staying(situation, entry, Cause.WITHDRAWN, f"{key.provider} no longer lists it")


def _renamed(situation: Situation, key: EntryKey, models: Sequence[Model]) -> Model | None:
    """The model the provider now lists under another id: case, alias or canonical name tell."""
    for model in models:
        if model.id.lower() == key.id.lower() or key.id in model.aliases:
            return model
    before = next((m for m in situation.previous_models(key.provider) if m.id == key.id), None)
    if before is None or before.canonical is None:
        return None
    same = [model for model in models if model.canonical == before.canonical]
    return next((model for model in same if not model.batch_only), None)


def admitted_before(situation: Situation) -> frozenset[tuple[str, str]]:
    """(provider, id) of what the policy of the last apply would admit from today's catalogs.

    What is among them and admitted no more was taken out by editing the policy. Empty where the
    policy is the same, or not remembered.
    """
    if situation.old_policy is None:
        return frozenset()
    before = admission.admit(
        situation.old_policy,
        situation.catalogs,
        today=situation.today,
        first_seen=situation.first_seen,
        accepted=situation.accepted,
        named_only=situation.mode is Mode.SUBAGENTS,
        present=situation.present,
    )
    return frozenset(row.model.key for row in before.admitted)


def _successor(admitted: Admission, key: EntryKey) -> str:
    why = next((step.why for step in admitted.trail(key.provider, key.id) if not step.passed), "")
    return why or "superseded"


def _staying(
    situation: Situation,
    entry: Entry,
    cause: Cause,
    reason: str,
    renamed_to: str | None = None,
) -> Departure:
    """The entry stays until its leaving day; that day is written into it when it starts."""
    grace = situation.policy.grace
    days = grace.superseded if cause is Cause.SUPERSEDED else grace.vanished
    day = leaves_on(entry) or situation.today + timedelta(days=days)
    if situation.today >= day:
        return Departure(cause, f"{reason}; its grace is over", None, renamed_to)
    return Departure(
        cause, f"{reason}; stays until {day}", with_leaving_day(entry, day), renamed_to
    )
