"""Changes that wait for a person: aliases held where they are, and what `--accept` lets through.

Pure. A held alias keeps its target in the config, even past its grace, while it is served.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rollcall.departures import Cause
from rollcall.entries import key_of
from rollcall.guards import Move, hold, models_by_name
from rollcall.plan import HeldChange
from rollcall.roster import Role, Seat

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.admission import Admission
    from rollcall.aliases import Resolved
    from rollcall.roster import Roster
    from rollcall.situation import Situation


def hold_back(
    situation: Situation,
    roster: Roster,
    resolved: tuple[Resolved, ...],
    current: Mapping[str, str],
) -> tuple[tuple[Resolved, ...], list[HeldChange], list[str]]:
    """Aliases whose move a guard holds stay where they are, and notes of those that cannot."""
    models = models_by_name(situation, roster)
    kept, held, notes = [], [], []
    for alias in resolved:
        old = current.get(alias.name)
        found = None
        if old is not None and alias.target not in (None, old):
            found = hold(situation, Move(alias.name, old, str(alias.target)), models)
        if found is None or old is None:
            kept.append(alias)
        elif _can_stay(situation, roster, old):
            found = found.model_copy(
                update={"reason": found.reason + _ends_anyway(roster, old, str(alias.target))}
            )
            held.append(found)
            kept.append(replace(alias, target=old, reason=f"held: {found.reason}"))
        else:
            kept.append(alias)
            notes.append(
                f"alias {alias.name!r} moves from {old}, which is gone, to {alias.target}, "
                f"although {found.reason}"
            )
    return tuple(kept), held, notes


def _ends_anyway(roster: Roster, old: str, new: str) -> str:
    """What to say of a hold whose target its provider does not serve any more."""
    departure = roster.departures.get(old)
    if departure is None or departure.cause is Cause.SUPERSEDED:
        return ""
    return f"; {old}: {departure.reason}, then the alias moves to {new} all the same"


def _can_stay(situation: Situation, roster: Roster, name: str) -> bool:
    """Whether an alias's present target may stay: not what the policy takes out, nor what its
    provider serves no more and whose grace is over.
    """
    if name in situation.own_names - situation.own_aliases:
        return True
    if any(seat.name == name for seat in roster.seats):
        return True
    departure = roster.departures.get(name)
    return departure is not None and departure.cause is Cause.SUPERSEDED


def keep_held_targets(
    situation: Situation,
    roster: Roster,
    held: list[HeldChange],
    resolved: tuple[Resolved, ...],
) -> Roster:
    """An entry whose grace is over stays as long as a held alias leads to it."""
    seated = {seat.name for seat in roster.seats} | situation.own_names
    names = {change.name for change in held}
    wanted = {alias.target for alias in resolved if alias.name in names} - seated
    lasts = [roster.departures[name].last for name in wanted if name in roster.departures]
    back = [
        Seat(entry, key, Role.LEAVING, "stays while a held alias leads to it")
        for entry in lasts
        if entry is not None and (key := key_of(entry)) is not None
    ]
    back.sort(key=lambda seat: seat.name)
    if not back:
        return roster
    gone = {name: why for name, why in roster.gone.items() if name not in wanted}
    return replace(roster, seats=(*roster.seats, *back), gone=gone)


def accepted_models(
    situation: Situation, roster: Roster, resolved: tuple[Resolved, ...]
) -> frozenset[str]:
    targets = {alias.name: alias.target for alias in resolved}
    ids = {seat.name: seat.key.qualified for seat in roster.seats}
    leads = {name: ids.get(target or "", target) for name, target in targets.items()}
    return frozenset(leads.get(name) or name for name in situation.accepting)


def accepting_nothing(situation: Situation, resolved: tuple[Resolved, ...]) -> Iterable[str]:
    """Names given to `--accept` that mean nothing here: most likely misspelled."""
    if not situation.accepting:
        return
    known = {str(entry["model_name"]) for entry in situation.document.managed.models}
    known |= {alias.name for alias in resolved} | {alias.target or "" for alias in resolved}
    for answer in situation.answers.values():
        known |= {name for model in answer.models for name in (model.id, model.qualified)}
    for name in sorted(situation.accepting - known):
        yield f"--accept {name}: no model and no alias is called that"


def held_models(admitted: Admission) -> list[HeldChange]:
    return [
        HeldChange(
            name=row.model.qualified,
            change="add",
            reason=row.reason,
            accept=f"rollcall apply --accept {row.model.qualified}",
        )
        for row in admitted.held
    ]
