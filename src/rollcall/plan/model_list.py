"""Decides each entry of model_list: admitted, kept (its provider was not reachable), or in grace.

A provider that could not be asked keeps its entries exactly as they are, in their places, so its
outage changes nothing. Admitted entries stand in rule order; kept and leaving ones stay behind
the entry they stood behind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.model import Verdict
from rollcall.errors import PlanError
from rollcall.litellm_config.entries import EntryKey, key_of
from rollcall.plan.departures import Listing, admitted_before, depart, depart_name
from rollcall.selection import admission
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rollcall.litellm_config.document import Entry
    from rollcall.plan.departures import Departure
    from rollcall.plan.situation import Situation
    from rollcall.selection.admission import Admission, Admitted

    Listings = Callable[[str], Listing]


class Origin(StrEnum):
    """How an entry comes to be there."""

    ADMITTED = "admitted"
    KEPT = "kept"
    LEAVING = "leaving"


class Placement(NamedTuple):
    """One managed entry after this run; `admitted` is set for that role only."""

    entry: Entry
    key: EntryKey
    role: Origin
    reason: str
    admitted: Admitted | None = None

    @property
    def name(self) -> str:
        """Its model_name."""
        return str(self.entry["model_name"])


@dataclass(frozen=True, slots=True)
class ModelList:
    """The decision about model_list.

    Attributes:
        seats: in output order. gone: model_name -> why it left now.
        departures: by model_name, those leaving and those gone.
    """

    seats: tuple[Placement, ...]
    gone: dict[str, str] = field(default_factory=dict)
    departures: dict[str, Departure] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def place_entries(situation: Situation, admitted: Admission) -> ModelList:
    """Decide, entry by entry, who is in model_list after this run.

    Raises:
        PlanError: two entries would carry one model_name; LiteLLM would balance them silently.
    """
    seated, warnings = _admitted_seats(situation, admitted)
    before = cache(lambda: admitted_before(situation))
    listings: Listings = cache(partial(Listing, situation))
    seated, waiting = _behind_kept(situation, seated, listings)
    own = situation.own_names
    places = {seat.key: seat for seat in seated}
    staying: dict[str, Placement] = {}
    gone: dict[str, str] = {}
    departures: dict[str, Departure] = {}
    for entry in situation.document.managed.models:
        name, key = str(entry["model_name"]), key_of(entry)
        if key is None:
            gone[name] = "its model_info.id is not one of ours: edited by hand"
        elif unwanted := _unwanted(situation, name, key, own):
            gone[name] = unwanted
        elif kept := _kept_because(situation, key, places, listings):
            staying[name] = Placement(entry, key, Origin.KEPT, kept)
        elif key not in places or places[key].name != name:
            seat = places.get(key)
            if seat is not None and seat.admitted is not None:
                departure = depart_name(situation, entry, seat.admitted, before)
            else:
                listing = listings(key.provider)
                departure = depart(situation, admitted, entry, key, listing, before)
            departures[name] = departure
            gone[name] = departure.reason
            if departure.entry is not None:
                staying[name] = Placement(departure.entry, key, Origin.LEAVING, departure.reason)
    seats = _merge(situation, seated, staying)
    _refuse_twins(seats)
    for seat in seats:
        gone.pop(seat.name, None)
    return ModelList(tuple(seats), gone, departures, (*warnings, *waiting))


def _admitted_seats(situation: Situation, admitted: Admission) -> tuple[list[Placement], list[str]]:
    seats, warnings = [], []
    own = situation.own_names
    for row in admitted.admitted:
        if row.name in own:
            warnings.append(
                f"{row.name}: your own entry or alias of that name stands; "
                f"{row.model.qualified} is not added"
            )
            continue
        entry = situation.entry_of(row.model, row.name, row.extras)
        key = EntryKey(row.model.provider, row.model.id)
        seats.append(Placement(entry, key, Origin.ADMITTED, row.reason, row))
    return seats, warnings


def _behind_kept(
    situation: Situation, seated: list[Placement], listings: Listings
) -> tuple[list[Placement], list[str]]:
    """The admitted whose name no entry of an unanswering provider has; that one stays for now."""
    kept = {}
    own = situation.own_names
    for entry in situation.document.managed.models:
        key, name = key_of(entry), str(entry["model_name"])
        if (
            key
            and _kept_because(situation, key, {}, listings)
            and not _unwanted(situation, name, key, own)
        ):
            kept[name] = key
    free = [seat for seat in seated if kept.get(seat.name, seat.key) == seat.key]
    if len(free) == len(seated):
        return seated, []
    waiting = [
        f"{seat.name}: still {kept[seat.name].qualified}, because {kept[seat.name].provider} was "
        f"not asked or did not answer; {seat.key.qualified} is not added"
        for seat in seated
        if seat not in free
    ]
    return free, waiting


def _kept_because(
    situation: Situation, key: EntryKey, places: Mapping[EntryKey, Placement], listings: Listings
) -> str | None:
    """Why an entry stays exactly as it is, whatever the rules say; None = the rules decide."""
    verdict = situation.verdict(key.provider)
    if verdict is not Verdict.OK:
        return f"kept as it is: {key.provider} {verdict}"
    if situation.mode is not Mode.SUBAGENTS or key in places:
        return None
    model = listings(key.provider).models.get(key.id)
    rules = admission.rules_of(situation.policy, model) if model else iter(())
    if any(not rule.from_ for rule in rules):
        return f"kept as it is: mode subagents works by rules that name {key.provider}"
    return None


def _unwanted(situation: Situation, name: str, key: EntryKey, own: frozenset[str]) -> str | None:
    """Why an entry goes at once, whatever its provider says; None = it does not."""
    policy = situation.policy
    if name in own:
        return "your own entry or alias of that name stands"
    denied = admission.denied(policy, key.provider, key.id)
    if denied:
        return f"denied by {denied!r}"
    if key.provider not in policy.providers and situation.mode is not Mode.LEGACY:
        return f"{key.provider} is no longer among the policy's providers"
    keyless = situation.verdict(key.provider) is Verdict.NO_KEY
    if keyless and policy.missing_key == "drop" and key.provider not in situation.keyed_elsewhere:
        return f"{key.provider} has no key, and the policy says missing_key: drop"
    return None


def _merge(
    situation: Situation, seated: Iterable[Placement], staying: dict[str, Placement]
) -> list[Placement]:
    """Admitted seats in rule order, each staying one behind the entry it stands behind now.

    A leaving entry whose name an admitted one takes over (a rule's fixed `name`) makes room.
    """
    order = list(seated)
    taken = {seat.name for seat in order}
    places = {seat.key: seat for seat in order}
    following: dict[EntryKey | None, list[Placement]] = {}
    anchor: EntryKey | None = None
    for entry in situation.document.managed.models:
        key, seat = key_of(entry), staying.get(str(entry["model_name"]))
        if seat is not None and not (seat.role is Origin.LEAVING and seat.name in taken):
            following.setdefault(anchor, []).append(seat)
        elif key in places:
            anchor = key
    merged = list(following.get(None, []))
    for seat in order:
        merged.append(seat)
        merged.extend(following.get(seat.key, []))
    return merged


def _refuse_twins(seats: list[Placement]) -> None:
    seen: dict[str, Placement] = {}
    for seat in seats:
        twin = seen.setdefault(seat.name, seat)
        if twin is not seat:
            raise PlanError(
                f"{twin.key.qualified} and {seat.key.qualified} would both be named "
                f"{seat.name!r}: LiteLLM would balance between them silently.",
                "Give one of their rules another `name` in policy.yaml, or deny one of the two.",
            )
