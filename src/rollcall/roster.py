"""Who sits in model_list after this run: admitted, kept as they are, or leaving. Pure.

A provider that could not be asked keeps its entries exactly as they are, in their places, so its
outage changes nothing. Admitted entries stand in rule order; kept and leaving ones stay behind
the entry they stood behind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from rollcall import admission
from rollcall.catalog import Verdict
from rollcall.departures import Cause, Departure, admitted_before, depart
from rollcall.entries import EntryKey, entry_of, key_of, leaves_on
from rollcall.errors import PlanError
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.admission import Admission, Admitted
    from rollcall.config_document import Entry
    from rollcall.situation import Situation


class Role(StrEnum):
    """How an entry comes to be there."""

    ADMITTED = "admitted"
    KEPT = "kept"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Seat:
    """One managed entry after this run; `admitted` is set for that role only."""

    entry: Entry
    key: EntryKey
    role: Role
    reason: str
    admitted: Admitted | None = None

    @property
    def name(self) -> str:
        """Its model_name."""
        return str(self.entry["model_name"])


@dataclass(frozen=True, slots=True)
class Roster:
    """The decision about model_list.

    Attributes:
        seats: in output order. gone: model_name -> why it left now.
        departures: by model_name, those leaving and those gone.
        withdrawn: ids that answering providers no longer list and that were staying until now.
        counted: how many staying entries those providers had in the file.
    """

    seats: tuple[Seat, ...]
    gone: dict[str, str] = field(default_factory=dict)
    departures: dict[str, Departure] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()
    counted: int = 0
    warnings: tuple[str, ...] = ()


def call_roll(situation: Situation, admitted: Admission) -> Roster:
    """Decide, entry by entry, who is in model_list after this run.

    Raises:
        PlanError: two entries would carry one model_name; LiteLLM would balance them silently.
    """
    seated, warnings = _admitted_seats(situation, admitted)
    present = {seat.key for seat in seated}
    staying: dict[str, Seat] = {}
    gone: dict[str, str] = {}
    departures: dict[str, Departure] = {}
    withdrawn: list[str] = []
    counted = 0
    before = cache(lambda: admitted_before(situation))
    for entry in situation.document.managed.models:
        name, key = str(entry["model_name"]), key_of(entry)
        if key is None:
            gone[name] = "its model_info.id is not one of ours: edited by hand"
            continue
        answered = situation.verdict(key.provider) is Verdict.OK
        counted += answered and leaves_on(entry) is None
        if key in present:
            gone[name] = "the policy gives it another name"
            continue
        unwanted = _unwanted(situation, key)
        if unwanted:
            gone[name] = unwanted
        elif not answered:
            reason = f"kept as it is: {key.provider} {situation.verdict(key.provider)}"
            staying[name] = Seat(entry, key, Role.KEPT, reason)
        else:
            departure = depart(situation, admitted, entry, key, before)
            departures[name] = departure
            if departure.cause is Cause.WITHDRAWN and leaves_on(entry) is None:
                withdrawn.append(key.qualified)
            if departure.entry is None:
                gone[name] = departure.reason
            else:
                staying[name] = Seat(departure.entry, key, Role.LEAVING, departure.reason)
    seats = _merge(situation, seated, staying)
    _refuse_twins(seats)
    for seat in seats:
        gone.pop(seat.name, None)
    return Roster(tuple(seats), gone, departures, tuple(withdrawn), counted, tuple(warnings))


def _admitted_seats(situation: Situation, admitted: Admission) -> tuple[list[Seat], list[str]]:
    seats, warnings = [], []
    own = situation.own_names
    for row in admitted.admitted:
        provider = situation.providers[row.model.provider]
        if row.name in own:
            warnings.append(
                f"{row.name}: your own entry or alias of that name stands; "
                f"{row.model.qualified} is not added"
            )
            continue
        entry = entry_of(
            row.model,
            provider,
            name=row.name,
            key_env=situation.key_envs.get(provider.name),
            params=row.params,
            model_info=row.model_info,
        )
        key = EntryKey(row.model.provider, row.model.id)
        seats.append(Seat(entry, key, Role.ADMITTED, row.reason, row))
    return seats, warnings


def _unwanted(situation: Situation, key: EntryKey) -> str | None:
    """Why the policy takes an entry out at once, whatever its provider says; None = it does not."""
    policy = situation.policy
    denied = admission.denied(policy, key.provider, key.id)
    if denied:
        return f"denied by {denied!r}"
    if key.provider not in policy.providers and situation.mode is not Mode.LEGACY:
        return f"{key.provider} is no longer among the policy's providers"
    if situation.verdict(key.provider) is Verdict.NO_KEY and policy.missing_key == "drop":
        return f"{key.provider} has no key, and the policy says missing_key: drop"
    return None


def _merge(situation: Situation, seated: Iterable[Seat], staying: dict[str, Seat]) -> list[Seat]:
    """Admitted seats in rule order, each staying one behind the entry it stands behind now.

    A leaving entry whose name an admitted one takes over (a rule's fixed `name`) makes room.
    """
    order = list(seated)
    taken = {seat.name for seat in order}
    places = {seat.key: seat for seat in order}
    following: dict[EntryKey | None, list[Seat]] = {}
    anchor: EntryKey | None = None
    for entry in situation.document.managed.models:
        key, seat = key_of(entry), staying.get(str(entry["model_name"]))
        if seat is not None and not (seat.role is Role.LEAVING and seat.name in taken):
            following.setdefault(anchor, []).append(seat)
        elif key in places:
            anchor = key
    merged = list(following.get(None, []))
    for seat in order:
        merged.append(seat)
        merged.extend(following.get(seat.key, []))
    return merged


def _refuse_twins(seats: list[Seat]) -> None:
    seen: dict[str, Seat] = {}
    for seat in seats:
        twin = seen.setdefault(seat.name, seat)
        if twin is not seat:
            raise PlanError(
                f"{twin.key.qualified} and {seat.key.qualified} would both be named "
                f"{seat.name!r}: LiteLLM would balance between them silently.",
                "Give one of their rules another `name` in policy.yaml, or deny one of the two.",
            )
