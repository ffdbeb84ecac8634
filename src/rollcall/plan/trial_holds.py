"""Holds an alias back from a model that has not answered, and says which calls a run should make.

Nothing that serves is taken away by a failed trial: an alias stays where it is, or moves to a
sister of the same family that does answer. One that leads nowhere yet takes an unproven model
rather than none. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog import order
from rollcall.plan.guards import Moves, can_stay, held_change, hold, models_by_name
from rollcall.plan.trial import held_because, is_to_be_tried, trial_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rollcall.catalog.model import Model
    from rollcall.plan.guards import HeldChange
    from rollcall.plan.inputs import Inputs
    from rollcall.plan.model_list import ModelList
    from rollcall.plan.trial import Trial
    from rollcall.selection.admission import Admission
    from rollcall.selection.aliases import Resolved

    Again = Callable[[frozenset[str]], Sequence[Resolved]]
    """The aliases resolved anew, without these model_names."""


TO_BE_TRIED = "to be tried at apply"


def hold_untried(
    inputs: Inputs, model_list: ModelList, wanted: Sequence[Resolved], again: Again
) -> Moves:
    """Let each alias move where it resolved to if that model has answered; else hold it, or let
    it lead to the next of the family that has.
    """
    if inputs.policy.guards.trial == "off":
        return Moves(tuple(wanted))
    return _Holder(inputs, model_list, again).hold_all(wanted)


def calls_of(inputs: Inputs, admitted: Admission, tried: Moves) -> tuple[Trial, ...]:
    """The calls a run should make: of targets, and with `trial: all` of models to be admitted."""
    calls = list(tried.trials)
    if inputs.policy.guards.trial == "all":
        new = [(row.model, row.rule, row.name) for row in admitted.admitted]
        new += [(row.model, row.rule, "") for row in admitted.held]
        for model, rule, name in new:
            if model.key in inputs.present:
                continue
            call = trial_of(inputs, inputs.entry_of(model, name, rule), model)
            if call is not None and is_to_be_tried(inputs, call, name):
                calls.append(call)
    return tuple({call.callee: call for call in calls}.values())


class _Settled(NamedTuple):
    """Where an alias leads, the move that waits, a note; and the aliases whose targets a run should
    call.
    """

    alias: Resolved
    held: HeldChange | None = None
    note: str = ""
    asking: Sequence[Resolved] = ()


class _Holder:
    """One decision about all aliases; holds what each of them needs."""

    def __init__(self, inputs: Inputs, model_list: ModelList, again: Again) -> None:
        self.inputs = inputs
        self.model_list = model_list
        self.again = again
        self.models = models_by_name(inputs, model_list.placements)
        self.calls: dict[str, list[Trial]] = {}
        """model_name -> the calls that prove it: of each entry where LiteLLM balances several."""
        for one in model_list.placements:
            call = trial_of(inputs, one.entry, one.model) if one.model else None
            self.calls.setdefault(one.name, []).extend([call] if call else [])

    def hold_all(self, wanted: Sequence[Resolved]) -> Moves:
        """Every alias; the ones without a word against them as they are."""
        others: dict[str, Resolved] = {}
        if any(self._why_not(alias) for alias in wanted):
            dead = frozenset(name for name in self.calls if self._held_because(name))
            others = {alias.name: alias for alias in self.again(dead)}
        rows = [self._settled(alias, others.get(alias.name)) for alias in wanted]
        return Moves(
            tuple(row.alias for row in rows),
            tuple(row.held for row in rows if row.held),
            tuple(row.note for row in rows if row.note),
            tuple(call for row in rows for alias in row.asking for call in self._due(alias)),
        )

    def _why_not(self, alias: Resolved) -> str | None:
        """Why an alias may not move to its target yet; None where it may, or is there already."""
        return self._held_because(alias.target or "", alias.name) if self._moves(alias) else None

    def _held_because(self, name: str, *accepted: str) -> str | None:
        """Why nobody is sent to a model_name yet."""
        whys = (
            held_because(self.inputs, call, name, *accepted) for call in self.calls.get(name, ())
        )
        return next(filter(None, whys), None)

    def _moves(self, alias: Resolved) -> bool:
        """Whether an alias would move, and its new price is no reason to stay."""
        now = self.inputs.current_aliases.get(alias.name)
        return alias.target not in (None, now) and not hold(self.inputs, alias, self.models)

    def _due(self, alias: Resolved) -> list[Trial]:
        """The calls that an alias's target still needs before it moves there."""
        name = alias.target or ""
        calls = self.calls.get(name, ()) if self._moves(alias) else ()
        return [call for call in calls if is_to_be_tried(self.inputs, call, name, alias.name)]

    def _told(self, alias: Resolved) -> Resolved:
        """The alias, saying so where nobody has called its target yet."""
        due = self._due(alias)
        return alias._replace(reason=f"{alias.reason}; {TO_BE_TRIED}") if due else alias

    def _settled(self, alias: Resolved, other: Resolved | None) -> _Settled:
        """Where an alias leads; `other` is the same one without what failed."""
        why = self._why_not(alias)
        if why is None:
            return _Settled(self._told(alias), asking=(alias,))
        old = self.inputs.current_aliases.get(alias.name)
        present = old if old is not None and can_stay(self.inputs, self.model_list, old) else None
        sister, asking = None, [alias]
        if other is not None and other.target not in (None, present):
            doubted = self._why_not(other) is not None
            sister = None if doubted or not self._is_better(other, alias, present) else other
            asking += [other] if doubted or sister else []
        if sister is None and present is None:
            note = f"alias {alias.name!r} leads to {alias.target} all the same, having no other: "
            return _Settled(alias, note=note + why, asking=asking)
        accept = self._qualified(alias.target or "")
        change = held_change(alias.name, f"{old or 'none'} -> {alias.target}", why, accept)
        if sister is None:
            held = alias._replace(target=old, reason=f"held: {why}")
            return _Settled(held, change, asking=asking)
        lost = ((alias.target or "", why), *alias.candidates[1:])
        rest = tuple(row for row in lost if row[0] != sister.target)
        won = ((sister.target or "", sister.reason), *rest)
        moved = self._told(sister)._replace(fallbacks=alias.fallbacks, candidates=won)
        return _Settled(moved, change, asking=asking)

    def _qualified(self, name: str) -> str:
        return next((call.callee.key.qualified for call in self.calls.get(name, ())), name)

    def _is_better(self, other: Resolved, alias: Resolved, present: str | None) -> bool:
        """Whether to lead an alias where it would lead without what failed, rather than leave it
        where it stands.
        """
        if present is None:
            return True
        found, wanted, old = (
            self.models.get(name or "") for name in (other.target, alias.target, present)
        )
        return bool(found and wanted and _between(found, wanted, old))


def _between(found: Model, wanted: Model, old: Model | None) -> bool:
    """Whether a model is of the family wanted, and no step back from the old one."""
    family = wanted.reading.family
    if found.reading.family != family:
        return False
    if old is None or old.reading.family != family:
        return True
    return order.newest_first([old, found])[0].key == found.key
