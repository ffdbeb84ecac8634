"""What a run refuses to do by itself, and what it holds until a person accepts it.

Guards compare with config.yaml, not with a memory, so they hold in CI and on the first run too.

Pure. A held alias keeps its target in the config, even past its grace, while it is served.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.model import Verdict
from rollcall.litellm_config.entries import key_of, leaves_on, model_of
from rollcall.plan.departures import Cause
from rollcall.plan.model_list import Origin, Placement
from rollcall.plan.plan import HeldChange, Refusal, per_million
from rollcall.plan.prices import Cost, cost_of
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.catalog.model import Model
    from rollcall.plan.model_list import ModelList
    from rollcall.plan.situation import Situation
    from rollcall.selection.admission import Admission
    from rollcall.selection.aliases import Resolved


MIN_WITHDRAWN = 3
"""Fewer withdrawn ids than this never refuse a plan, whatever their share."""


def refusals(
    situation: Situation,
    roster: ModelList,
    resolved: Iterable[Resolved],
    current: Mapping[str, str],
) -> list[Refusal]:
    """The guards that refuse the whole plan; none with `force`."""
    if situation.force:
        return []
    return [
        *_too_many(situation, roster),
        *_too_many_withdrawn(situation, roster),
        *_vanishing_aliases(resolved, current),
        *_aliases_left_behind(situation, roster, resolved, current),
        *_replacing(situation),
    ]


def _replacing(situation: Situation) -> list[Refusal]:
    if situation.policy.model_list != "replace":
        return []
    entries, others = len(situation.document.own_models), len(situation.document.own_aliases)
    if not entries and not others:
        return []
    return [
        Refusal(
            guard="model_list",
            reason="the policy says model_list: replace, which takes out what you wrote by hand: "
            f"{_counted(entries, 'entry', 'entries')} and {_counted(others, 'alias', 'aliases')}",
            accept="say model_list: keep, or pass --force once",
        )
    ]


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _too_many(situation: Situation, roster: ModelList) -> list[Refusal]:
    limit = situation.policy.guards.max_models
    number = sum(1 for seat in roster.seats if leaves_on(seat.entry) is None)
    if number <= limit:
        return []
    return [
        Refusal(
            guard="max_models",
            reason=f"{number} models would be in the config, the policy allows {limit}",
            accept="narrow the rules, raise guards.max_models, or pass --force",
        )
    ]


def _too_many_withdrawn(situation: Situation, roster: ModelList) -> list[Refusal]:
    entries = situation.document.managed.models
    staying = [key for entry in entries if leaves_on(entry) is None and (key := key_of(entry))]
    ours = sum(1 for key in staying if situation.verdict(key.provider) is Verdict.OK)
    missed = [name for name, departure in roster.departures.items() if departure.missed]
    number, share = len(missed), situation.policy.guards.max_withdrawn
    if number < MIN_WITHDRAWN or number <= share * ours:
        return []
    names = ", ".join(missed[:8]) + (", ..." if number > 8 else "")
    return [
        Refusal(
            guard="max_withdrawn",
            reason=f"{number} of {ours} entries are no longer listed by providers that "
            f"answered, more than {share:.0%}: {names}",
            accept="look at the provider; if it is right, pass --force once",
        )
    ]


def _vanishing_aliases(resolved: Iterable[Resolved], current: Mapping[str, str]) -> list[Refusal]:
    return [
        Refusal(
            guard="alias",
            reason=f"alias {alias.name!r} leads to {current[alias.name]} now and would lead "
            f"nowhere: {alias.reason}",
            accept="admit a model for it, change or remove the alias in policy.yaml, or pass "
            "--force",
        )
        for alias in resolved
        if alias.target is None and alias.name in current
    ]


def _aliases_left_behind(
    situation: Situation,
    roster: ModelList,
    resolved: Iterable[Resolved],
    current: Mapping[str, str],
) -> list[Refusal]:
    """Aliases of the fuller policy whose targets mode `legacy` takes out."""
    if situation.mode is not Mode.LEGACY:
        return []
    names = {seat.name for seat in roster.seats} | situation.own_names
    others = set(current) - {alias.name for alias in resolved}
    return [
        Refusal(
            guard="alias",
            reason=f"alias {name!r} leads to {current[name]}, which mode legacy takes out",
            accept="use mode orchestrator, or pass --force",
        )
        for name in sorted(others)
        if current[name] not in names
    ]


class Move(NamedTuple):
    """An alias that would lead somewhere else."""

    alias: str
    old: str
    new: str


def hold(situation: Situation, move: Move, models: Mapping[str, Model]) -> HeldChange | None:
    """Whether an alias's move is held: dearer than `price_rise` allows, or free becoming paid.

    Args:
        models: model_name -> model, of every entry before and after.
    """
    old_model, new_model = models.get(move.old), models.get(move.new)
    if old_model is None or new_model is None or _accepted(situation, move, new_model):
        return None
    old, new = price_of(situation, old_model), price_of(situation, new_model)
    why = _dearer(old, new, situation.policy.guards.price_rise)
    if why is None:
        return None
    return HeldChange(
        name=move.alias,
        change=f"{move.old} -> {move.new}",
        reason=why,
        accept=f"rollcall apply --accept {new_model.qualified}",
    )


def price_of(situation: Situation, model: Model) -> Cost | None:
    """What models are compared by: the provider's own price, else what OpenRouter takes for the
    same model, now or when it was asked last.
    """
    return cost_of(model) or cost_of(model, situation.openrouter_models)


def _accepted(situation: Situation, move: Move, new: Model) -> bool:
    return bool(situation.accepted & {new.id, new.qualified, move.new, move.alias})


def _dearer(old: Cost | None, new: Cost | None, rise: float) -> str | None:
    """Why a move from `old` to `new` is held; None where it is not, or cannot be compared."""
    if old is None:
        return None
    if old.blended == 0:
        if new is not None and new.blended == 0:
            return None
        price = "of unknown price" if new is None else f"${per_million(new.blended / 4)}/M"
        return f"it is free now, the new target is {price}{_labelled(new)}"
    if new is None:
        return None
    share = float(new.blended / old.blended) - 1
    if share <= rise:
        return None
    return (
        f"the price rises {share:.0%}, from ${per_million(old.blended / 4)}/M{_labelled(old)} to "
        f"${per_million(new.blended / 4)}/M{_labelled(new)} (3 parts input, 1 part output)"
    )


def _labelled(cost: Cost | None) -> str:
    return f" ({cost.source})" if cost is not None and cost.source else ""


def models_by_name(situation: Situation, roster: ModelList) -> dict[str, Model]:
    """The model behind every managed name, before and after this run."""
    known = {model.key: model for answer in situation.answers.values() for model in answer.models}
    named: dict[str, Model] = {}
    entries = [*situation.document.managed.models, *(seat.entry for seat in roster.seats)]
    for entry in entries:
        model = model_of(entry)
        if model is not None:
            named[str(entry["model_name"])] = known.get(model.key, model)
    return named


def hold_back(
    situation: Situation,
    roster: ModelList,
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


def _ends_anyway(roster: ModelList, old: str, new: str) -> str:
    """What to say of a hold whose target its provider does not serve any more."""
    departure = roster.departures.get(old)
    if departure is None or departure.cause is Cause.SUPERSEDED:
        return ""
    return f"; {old}: {departure.reason}, then the alias moves to {new} all the same"


def _can_stay(situation: Situation, roster: ModelList, name: str) -> bool:
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
    roster: ModelList,
    held: list[HeldChange],
    resolved: tuple[Resolved, ...],
) -> ModelList:
    """An entry whose grace is over stays as long as a held alias leads to it."""
    seated = {seat.name for seat in roster.seats} | situation.own_names
    names = {change.name for change in held}
    wanted = {alias.target for alias in resolved if alias.name in names} - seated
    lasts = [roster.departures[name].last for name in wanted if name in roster.departures]
    back = [
        Placement(entry, key, Origin.LEAVING, "stays while a held alias leads to it")
        for entry in lasts
        if entry is not None and (key := key_of(entry)) is not None
    ]
    back.sort(key=lambda seat: seat.name)
    if not back:
        return roster
    gone = {name: why for name, why in roster.gone.items() if name not in wanted}
    return replace(roster, seats=(*roster.seats, *back), gone=gone)


def accepted_models(
    situation: Situation, roster: ModelList, resolved: tuple[Resolved, ...]
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
