"""Decides each entry of model_list: admitted, kept (its provider was not reachable), or in grace.

A provider that could not be asked keeps its entries exactly as they are, in their places, so its
outage changes nothing. Admitted entries stand in rule order; kept and leaving ones stay behind
the entry they stood behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.model import ModelKey, Verdict
from rollcall.litellm_config.entries import called_by, key_of, model_of, name_of
from rollcall.plan.departures import Listing, admitted_before, depart, depart_name
from rollcall.selection import admission
from rollcall.selection.provider_catalog import denying_pattern
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from rollcall.catalog.model import Model
    from rollcall.litellm_config.document import Entry
    from rollcall.plan.departures import Departure
    from rollcall.plan.inputs import Inputs
    from rollcall.selection.admission import Admission, Admitted
    from rollcall.selection.aliases import Resolved

    Listings = Callable[[str], Listing]
    Slot = tuple[str, ModelKey | None]


class Origin(StrEnum):
    """How an entry comes to be there."""

    ADMITTED = "admitted"
    KEPT = "kept"
    LEAVING = "leaving"


class Placement(NamedTuple):
    """One managed entry after this run; `admitted` is set where its origin is that."""

    entry: Entry
    key: ModelKey
    origin: Origin
    reason: str
    admitted: Admitted | None = None

    @property
    def name(self) -> str:
        """Its model_name."""
        return name_of(self.entry)

    @property
    def model(self) -> Model | None:
        """What it calls: as its provider lists it, else as far as the entry says."""
        return self.admitted.model if self.admitted else model_of(self.entry)


class ModelList(NamedTuple):
    """The decision about model_list.

    Attributes:
        placements: in output order. gone: model_name -> why it left now.
        departures: by model_name, those leaving and those gone.
    """

    placements: tuple[Placement, ...]
    gone: Mapping[str, str] = {}
    departures: Mapping[str, Departure] = {}
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The model_names in it."""
        return frozenset(one.name for one in self.placements)

    @property
    def reasons(self) -> dict[str, str]:
        """model_name -> why it is there, or is gone."""
        return {**{one.name: one.reason for one in self.placements}, **self.gone}


def place_entries(inputs: Inputs, admitted: Admission) -> ModelList:
    """Decide, entry by entry, who is in model_list after this run, as far as rules and providers
    say; what aliases change in it, `settle` says.
    """
    listings: Listings = cache(partial(Listing, inputs))
    before = cache(lambda: admitted_before(inputs))
    placed, warnings = _admitted_placements(inputs, admitted, _kept_names(inputs, listings))
    places = {one.key: one for one in placed}
    staying: dict[Slot, Placement] = {}
    slot = partial(_slot, inputs.policy.balanced_names)
    gone: dict[str, str] = {}
    departures: dict[str, Departure] = {}
    for entry in inputs.document.managed.models:
        name, key = name_of(entry), key_of(entry)
        if key is None:
            gone[name] = "its model_info.id is not one of ours: edited by hand"
        elif unwanted := _unwanted(inputs, name, key):
            gone[name] = unwanted
        elif kept := _kept_because(inputs, key, listings, admitted=key in places):
            staying.setdefault(slot(name, key), Placement(entry, key, Origin.KEPT, kept))
        elif key not in places or places[key].name != name:
            row = places[key].admitted if key in places else None
            departures[name] = departure = (
                depart_name(inputs, entry, row, before)
                if row is not None
                else depart(inputs, admitted, entry, key, listings(key.provider), before)
            )
            gone[name] = departure.reason
            if departure.entry is not None:
                leaving = Placement(departure.entry, key, Origin.LEAVING, departure.reason)
                staying.setdefault(slot(name, key), leaving)
    placements = _merged(inputs, placed, staying)
    for one in placements:
        gone.pop(one.name, None)
    return ModelList(tuple(placements), gone, departures, tuple(warnings))


def _slot(balanced: frozenset[str], name: str, key: ModelKey | None) -> Slot:
    """What only one entry may be: a name, but for groups that LiteLLM balances on purpose."""
    return (name, key if name in balanced else None)


def settle(
    model_list: ModelList,
    resolved: Iterable[Resolved],
    held: Iterable[str],
    own: frozenset[str],
    named: Collection[str] = (),
) -> ModelList:
    """The entries once it is known where the aliases lead.

    A leaving entry whose name an alias takes over goes at once: it could not be reached. One whose
    grace is over stays as long as a held alias, or a line of the user's, leads to it.

    Args:
        held: names of the aliases that a guard holds where they are. own: the user's own names.
        named: what the user's own lines lead to.
    """
    targets = {alias.name: alias.target for alias in resolved if alias.target is not None}
    taken = {
        one.name
        for one in model_list.placements
        if one.origin is Origin.LEAVING and one.name in targets
    }
    needed = {targets[name] for name in held if name in targets}
    leading = dict.fromkeys(needed, "a held alias leads")
    leading |= {name: "a line of yours leads" for name in named if name not in needed}
    needed = set(leading) - (model_list.names | own | targets.keys())
    lasts = {name: row.last for name, row in model_list.departures.items() if name in needed}
    back = [
        Placement(entry, key, Origin.LEAVING, f"stays while {leading[name]} to it")
        for name, entry in sorted(lasts.items())
        if entry is not None and (key := key_of(entry)) is not None
    ]
    staying = [one for one in model_list.placements if one.name not in taken]
    gone = {
        **{name: why for name, why in model_list.gone.items() if name not in lasts},
        **dict.fromkeys(sorted(taken), "an alias takes over its name"),
    }
    return model_list._replace(placements=(*staying, *back), gone=gone)


def _admitted_placements(
    inputs: Inputs, admitted: Admission, kept: Mapping[str, ModelKey]
) -> tuple[list[Placement], list[str]]:
    """The admitted models as entries, in rule order, without those whose name is taken.

    Args:
        kept: model_names that stay for now, because their provider could not be asked.
    """
    placed, taken, waiting, alike = [], [], [], 0
    own = inputs.own_names
    present = _unseen_entries(inputs)
    calls = {name_of(entry): called_by(entry) for entry in inputs.own_entries}
    for row in admitted.admitted:
        key = row.model.key
        other = kept.get(row.name, key)
        if row.name in own and calls.get(row.name) == row.model.litellm_model:
            alike += 1
        elif row.name in own:
            taken.append(
                f"{row.name}: your own entry or alias of that name stands; "
                f"{key.qualified} is not added"
            )
        elif other != key:
            waiting.append(
                f"{row.name}: still {other.qualified}, because {other.provider} was "
                f"not asked or did not answer; {key.qualified} is not added"
            )
        else:
            entry = present.get((key, row.name))
            entry = entry or inputs.entry_of(row.model, row.name, row.rule)
            placed.append(Placement(entry, key, Origin.ADMITTED, row.reason, row))
    if alike:
        many = f"{alike} of your own entries call" if alike > 1 else "an entry of your own calls"
        taken.append(f"{many} what the policy admits under that name: see `rollcall adopt`")
    return placed, [*taken, *waiting]


def _unseen_entries(inputs: Inputs) -> dict[tuple[ModelKey, str], Entry]:
    """(key, model_name) -> the entries whose model a partial list lacks: they stay as they are."""
    return {
        (key, name_of(entry)): entry
        for entry in inputs.document.managed.models
        if (key := key_of(entry)) and key.id in inputs.unseen.get(key.provider, {})
    }


def _kept_names(inputs: Inputs, listings: Listings) -> dict[str, ModelKey]:
    """model_names of entries that stay as they are, whatever the rules admit under them."""
    entries = inputs.document.managed.models
    return {
        name: key
        for name, key in ((name_of(entry), key_of(entry)) for entry in entries)
        if key is not None
        and name not in inputs.policy.balanced_names
        and _kept_because(inputs, key, listings, admitted=False)
        and not _unwanted(inputs, name, key)
    }


def _kept_because(
    inputs: Inputs, key: ModelKey, listings: Listings, *, admitted: bool
) -> str | None:
    """Why an entry stays exactly as it is, whatever the rules say; None = the rules decide."""
    verdict = inputs.verdict(key.provider)
    if verdict is not Verdict.OK:
        return f"kept as it is: {key.provider} {verdict}"
    partly = inputs.gave_part(key.provider) and key.id not in listings(key.provider).models
    if partly and not admitted:
        return f"kept as it is: {key.provider} gave only a part of its list"
    if inputs.mode is not Mode.SUBAGENTS or admitted:
        return None
    model = listings(key.provider).models.get(key.id)
    rules = admission.rules_of(inputs.policy, model) if model else ()
    if any(not inputs.policy.rule(rule).from_ for rule in rules):
        return f"kept as it is: mode subagents works by rules that name {key.provider}"
    return None


def _unwanted(inputs: Inputs, name: str, key: ModelKey) -> str | None:
    """Why an entry goes at once, whatever its provider says; None = it does not."""
    policy = inputs.policy
    if name in inputs.own_names:
        return "your own entry or alias of that name stands"
    denied = denying_pattern(policy, key.provider, key.id)
    if denied:
        return f"denied by {denied!r}"
    if key.provider not in policy.providers and inputs.mode is not Mode.LEGACY:
        return f"{key.provider} is no longer among the policy's providers"
    keyless = inputs.verdict(key.provider) is Verdict.NO_KEY
    if keyless and policy.missing_key == "drop" and key.provider not in inputs.keyed_elsewhere:
        return f"{key.provider} has no key, and the policy says missing_key: drop"
    return None


def _merged(
    inputs: Inputs, placed: Sequence[Placement], staying: Mapping[Slot, Placement]
) -> list[Placement]:
    """Admitted entries in rule order, each staying one behind the entry it stands behind now.

    A leaving entry whose name an admitted one takes over (a rule's fixed `name`) makes room.
    """
    taken = {one.name for one in placed}
    places = {one.key for one in placed}
    following: dict[ModelKey | None, dict[Slot, Placement]] = {}
    anchor: ModelKey | None = None
    for entry in inputs.document.managed.models:
        key, name = key_of(entry), name_of(entry)
        slot = _slot(inputs.policy.balanced_names, name, key)
        one = staying.get(slot)
        if one is not None and not (one.origin is Origin.LEAVING and name in taken):
            following.setdefault(anchor, {}).setdefault(slot, one)
        elif key in places:
            anchor = key
    merged = list(following.get(None, {}).values())
    for one in placed:
        merged.append(one)
        merged.extend(following.get(one.key, {}).values())
    return merged
