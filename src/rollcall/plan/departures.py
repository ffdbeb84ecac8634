"""Why a managed entry leaves model_list, and how long it stays all the same.

An entry leaves because its id was withdrawn, retired, renamed or superseded (it then stays a
while, with the leaving day in the entry), or because the user edited the policy (at once). The
leaving day only ever comes nearer: a clock that once stood wrong, or a grace that was shortened,
leaves nothing behind for years.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.model import ModelKey
from rollcall.catalog.reading import read
from rollcall.errors import PolicyError
from rollcall.litellm_config.entries import (
    called_by,
    leaves_on,
    model_of,
    name_of,
    section_of,
    with_leaving_day,
)
from rollcall.policy.words import render_name
from rollcall.selection import admission
from rollcall.selection.provider_catalog import denying_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rollcall.catalog.model import Model
    from rollcall.litellm_config.document import Entry
    from rollcall.plan.inputs import Inputs
    from rollcall.selection.admission import Admission, Admitted

    Before = Callable[[], Mapping[ModelKey, str]]
    """A model -> its model_name under the policy of the last apply; see `admitted_before`."""


class Listing:
    """What one provider lists now.

    Attributes:
        models: by id.
    """

    def __init__(self, inputs: Inputs, provider: str) -> None:
        """Lay out the answer of `provider`, which answered well."""
        self._inputs = inputs
        self._provider = provider
        self.models = {model.id: model for model in inputs.answers[provider].models}

    def renamed(self, entry: Entry, key: ModelKey) -> Model | None:
        """The model of an entry under the id it has now: case, alias or canonical name tell.

        Another offer of it (`:free`, batch), a moving id, one that is denied, or one that was
        listed beside it before, is something else.
        """
        return next((row for row in self._alike(entry, key) if self._may_follow(key, row)), None)

    def _alike(self, entry: Entry, key: ModelKey) -> Iterator[Model]:
        # An entry that was led to the new id at an earlier run tells so by itself.
        yield from self._by_name[f"calls {called_by(entry)}"]
        yield from self._by_name[f"id {key.id.lower()}"]
        yield from self._by_name[f"known {key.id}"]
        before = self._before.get(key.id)
        if before is not None and before.canonical is not None:
            alike = self._by_name[f"canonical {before.canonical}"]
            yield from (model for model in alike if model.id not in self._before)

    @cached_property
    def _by_name(self) -> dict[str, list[Model]]:
        found: defaultdict[str, list[Model]] = defaultdict(list)
        for model in self.models.values():
            for name in _names(model):
                found[name].append(model)
        return found

    @cached_property
    def _before(self) -> dict[str, Model]:
        """The list of the last good answer before this one."""
        return {model.id: model for model in self._inputs.previous.get(self._provider, ())}

    def _may_follow(self, key: ModelKey, model: Model) -> bool:
        if model.batch_only or model.points_at is not None:
            return False
        reading = model.reading
        same_offer = reading.variant == read(key.id).variant and not reading.moving
        denied = denying_pattern(self._inputs.policy, model.provider, model.id)
        return same_offer and denied is None


def _names(model: Model) -> Iterable[str]:
    yield f"calls {model.litellm_model}"
    yield f"id {model.id.lower()}"
    yield from (f"known {name}" for name in model.aliases)
    if model.canonical is not None:
        yield f"known {model.canonical}"
        yield f"canonical {model.canonical}"


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


class Departure(NamedTuple):
    """One entry on its way out. `entry` is None once it is gone.

    Attributes:
        why: in words, without the day it goes.
        last: what the entry would be, were it to stay: with today's prices while it is listed.
        missed: its provider listed it no more, and nothing newer has its place: what the guard
            `max_withdrawn` counts.
    """

    cause: Cause
    why: str
    entry: Entry | None = None
    missed: bool = False
    last: Entry | None = None

    @property
    def reason(self) -> str:
        """Why, and when it goes: `superseded by b-2 (rule 1: newest 1); stays until 2026-12-04`."""
        if self.cause is Cause.POLICY:
            return self.why
        day = leaves_on(self.entry) if self.entry else None
        return f"{self.why}; {f'stays until {day}' if day else 'its grace is over'}"


def depart(
    inputs: Inputs,
    admitted: Admission,
    entry: Entry,
    key: ModelKey,
    listing: Listing,
    before: Before,
) -> Departure:
    """Decide why `entry`, whose provider answered and which no rule admits, leaves, and when.

    Args:
        listing: what its provider lists. before: see `admitted_before`; asked only where it
            matters.
    """
    present = listing.models.get(key.id)
    if present is None:
        return _missing(inputs, admitted, entry, key, listing)
    if present.ends is not None and present.ends < inputs.today:
        retired = f"{key.provider} retired it on {present.ends}"
        return _staying(inputs, entry, Cause.RETIRED, retired)
    why = admitted.superseded(key.provider, key.id)
    if key in before() or (why is None and not inputs.same_policy):
        return Departure(Cause.POLICY, "no rule of the policy admits it any more")
    why = why or "no rule admits it any more, under the same policy"
    return _staying(inputs, _refreshed(inputs, entry, present), Cause.SUPERSEDED, why)


def depart_name(inputs: Inputs, entry: Entry, row: Admitted, before: Before) -> Departure:
    """Decide whether an entry whose model is admitted under another name keeps its own a while.

    It does where a rule would still give it that name, were the model newer: another rule took
    the model over, and clients have the old name. A naming that was edited counts at once.
    """
    mine, model, name = name_of(entry), row.model, row.name
    edited = before().get(model.key) == mine
    if edited or mine not in _possible_names(inputs, model):
        return Departure(Cause.POLICY, f"the policy names it {name}")
    why = f"another rule has the model now, as {name}"
    return _staying(inputs, _refreshed(inputs, entry, model), Cause.SUPERSEDED, why)


def _possible_names(inputs: Inputs, model: Model) -> set[str]:
    policy = inputs.policy
    return {
        render_name(policy.rule(rule).name or policy.naming, model)
        for rule in admission.rules_of(policy, model)
    }


def _refreshed(inputs: Inputs, entry: Entry, model: Model) -> Entry:
    """The entry with today's prices and limits: it is served, and charged, until it goes."""
    rule = admission.rule_of(inputs.policy, model)
    if rule is None:
        return entry
    fresh = inputs.entry_of(model, name_of(entry), rule)
    day = leaves_on(entry)
    return with_leaving_day(fresh, day) if day else fresh


def _missing(
    inputs: Inputs,
    admitted: Admission,
    entry: Entry,
    key: ModelKey,
    listing: Listing,
) -> Departure:
    renamed = listing.renamed(entry, key)
    if renamed is not None:
        params = {**section_of(entry, "litellm_params"), "model": renamed.litellm_model}
        why = f"{key.provider} renamed it to {renamed.id}"
        return _staying(inputs, {**entry, "litellm_params": params}, Cause.RENAMED, why)
    as_was = model_of(entry)
    if as_was is not None and admission.rule_of(inputs.policy, as_was) is None:
        return Departure(Cause.POLICY, "no rule of the policy names it any more")
    departure = _staying(inputs, entry, Cause.WITHDRAWN, f"{key.provider} no longer lists it")
    missed = leaves_on(entry) is None and (as_was is None or admitted.would_take(as_was))
    return departure._replace(missed=missed)


def admitted_before(inputs: Inputs) -> dict[ModelKey, str]:
    """The models the policy of the last apply would admit from today's catalogs, and their names.

    What is among them and admitted no more was taken out by editing the policy. Empty where the
    policy is the same, not remembered, or no longer works (that may be why it was edited).
    """
    if inputs.old_policy is None:
        return {}
    try:
        before = inputs.admit(inputs.old_policy)
    except PolicyError:
        return {}
    return {row.model.key: row.name for row in before.admitted}


def _staying(inputs: Inputs, entry: Entry, cause: Cause, why: str) -> Departure:
    """The entry stays until its leaving day; that day is written into it when it starts."""
    grace = inputs.policy.grace
    days = grace.superseded if cause is Cause.SUPERSEDED else grace.vanished
    latest = inputs.today + timedelta(days=days)
    day = min(leaves_on(entry) or latest, latest)
    if inputs.today >= day:
        return Departure(cause, why, last=entry)
    return Departure(cause, why, with_leaving_day(entry, day))
