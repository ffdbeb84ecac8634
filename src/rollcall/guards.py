"""What a run refuses to do by itself: whole plans, and single alias moves. Pure.

Guards compare with config.yaml, not with a memory, so they hold in CI and on the first run too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog import Verdict
from rollcall.changes import per_million
from rollcall.entries import key_of, leaves_on, model_of
from rollcall.plan import HeldChange, Refusal
from rollcall.prices import Cost, cost_of
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.aliases import Resolved
    from rollcall.catalog import Model
    from rollcall.roster import Roster
    from rollcall.situation import Situation

MIN_WITHDRAWN = 3
"""Fewer withdrawn ids than this never refuse a plan, whatever their share."""

PRICED_BY_OTHERS = "openrouter"
"""Whose price stands in for comparing where a provider lists none."""


def refusals(
    situation: Situation, roster: Roster, resolved: Iterable[Resolved], current: Mapping[str, str]
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


def _too_many(situation: Situation, roster: Roster) -> list[Refusal]:
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


def _too_many_withdrawn(situation: Situation, roster: Roster) -> list[Refusal]:
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
    situation: Situation, roster: Roster, resolved: Iterable[Resolved], current: Mapping[str, str]
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
    own = cost_of(model)
    if own is not None or PRICED_BY_OTHERS not in situation.answers:
        return own
    listed = situation.answers[PRICED_BY_OTHERS].models
    return cost_of(model, listed or situation.previous_models(PRICED_BY_OTHERS))


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


def models_by_name(situation: Situation, roster: Roster) -> dict[str, Model]:
    """The model behind every managed name, before and after this run."""
    known = {model.key: model for answer in situation.answers.values() for model in answer.models}
    named: dict[str, Model] = {}
    entries = [*situation.document.managed.models, *(seat.entry for seat in roster.seats)]
    for entry in entries:
        model = model_of(entry)
        if model is not None:
            named[str(entry["model_name"])] = known.get(model.key, model)
    return named
