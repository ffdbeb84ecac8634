"""What a run refuses to do by itself, and what it holds until a person accepts it.

Guards compare with config.yaml, not with a memory, so they hold in CI and on the first run too.

Pure. A held alias keeps its target in the config, even past its grace, while it is served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel

from rollcall.catalog.facts import price_label
from rollcall.catalog.model import Verdict, in_dollars
from rollcall.litellm_config.entries import key_of, leaves_on, model_of, name_of
from rollcall.plan.changes import STRICT
from rollcall.plan.departures import Cause
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from rollcall.catalog.model import Model
    from rollcall.plan.inputs import Inputs
    from rollcall.plan.model_list import ModelList, Placement
    from rollcall.plan.trial import Trial
    from rollcall.selection.admission import Admission
    from rollcall.selection.aliases import Resolved


class HeldChange(BaseModel):
    """A change a guard held back while the rest goes on; `accept` is what lets it through."""

    model_config = STRICT

    name: str
    change: str
    reason: str
    accept: str = ""


class Refusal(BaseModel):
    """A guard that refuses the whole plan. `accept`: what the user can do to let it through."""

    model_config = STRICT

    guard: str
    reason: str
    accept: str = ""


MIN_WITHDRAWN = 3
"""Fewer withdrawn ids than this never refuse a plan, whatever their share."""


def refusals(
    inputs: Inputs, model_list: ModelList, resolved: Sequence[Resolved]
) -> Iterator[Refusal]:
    """The guards that refuse the whole plan; none with `force`."""
    if not inputs.force:
        yield from _too_many(inputs, model_list)
        yield from _too_many_withdrawn(inputs, model_list)
        yield from _vanishing_aliases(inputs, model_list, resolved)
        yield from _replacing(inputs)


def _replacing(inputs: Inputs) -> Iterator[Refusal]:
    entries, others = len(inputs.document.own_models), len(inputs.document.own_aliases)
    if inputs.policy.model_list == "replace" and (entries or others):
        yield Refusal(
            guard="model_list",
            reason="the policy says model_list: replace, which takes out what you wrote by hand: "
            f"{entries} {'entry' if entries == 1 else 'entries'} and "
            f"{others} {'alias' if others == 1 else 'aliases'}",
            accept="say model_list: keep, or pass --force once",
        )


def _too_many(inputs: Inputs, model_list: ModelList) -> Iterator[Refusal]:
    limit = inputs.policy.guards.max_models
    number = sum(1 for one in model_list.placements if leaves_on(one.entry) is None)
    if number > limit:
        yield Refusal(
            guard="max_models",
            reason=f"{number} models would be in the config, the policy allows {limit}",
            accept="narrow the rules, raise guards.max_models, or pass --force",
        )


def _too_many_withdrawn(inputs: Inputs, model_list: ModelList) -> Iterator[Refusal]:
    entries = inputs.document.managed.models
    staying = [key for entry in entries if leaves_on(entry) is None and (key := key_of(entry))]
    ours = sum(1 for key in staying if inputs.verdict(key.provider) is Verdict.OK)
    missed = [name for name, departure in model_list.departures.items() if departure.missed]
    number, share = len(missed), inputs.policy.guards.max_withdrawn
    if number >= MIN_WITHDRAWN and number > share * ours:
        names = ", ".join(missed[:8]) + (", ..." if number > 8 else "")
        yield Refusal(
            guard="max_withdrawn",
            reason=f"{number} of {ours} entries are no longer listed by providers that "
            f"answered, more than {share:.0%}: {names}",
            accept="look at the provider; if it is right, pass --force once",
        )


def _vanishing_aliases(
    inputs: Inputs, model_list: ModelList, resolved: Iterable[Resolved]
) -> Iterator[Refusal]:
    """Aliases that would lead nowhere; in mode `legacy` also those of the fuller policy whose
    targets it takes out.
    """
    others = dict(inputs.current_aliases)
    for alias in resolved:
        now = others.pop(alias.name, None)
        if alias.target is None and now is not None:
            yield Refusal(
                guard="alias",
                reason=f"alias {alias.name!r} leads to {now} now and would lead nowhere: "
                f"{alias.reason}",
                accept="admit a model for it, change or remove the alias in policy.yaml, or pass "
                "--force",
            )
    names = model_list.names | inputs.own_names
    for name, target in sorted(others.items()):
        if inputs.mode is Mode.LEGACY and target not in names:
            yield Refusal(
                guard="alias",
                reason=f"alias {name!r} leads to {target}, which mode legacy takes out",
                accept="use mode orchestrator, or pass --force",
            )


def hold(inputs: Inputs, alias: Resolved, models: Mapping[str, Model]) -> HeldChange | None:
    """Whether an alias's move is held: dearer than `price_rise` allows, or free becoming paid.

    Args:
        models: model_name -> model, of every entry before and after.
    """
    old, new = inputs.current_aliases.get(alias.name, ""), alias.target or ""
    before, after = models.get(old), models.get(new)
    if old == new or before is None or after is None:
        return None
    if inputs.accepts(after.id, after.qualified, new, alias.name):
        return None
    rise = inputs.policy.guards.price_rise
    why = _dearer(price_of(inputs, before), price_of(inputs, after), rise)
    return held_change(alias.name, f"{old} -> {new}", why, after.qualified) if why else None


def held_change(name: str, change: str, reason: str, accept: str) -> HeldChange:
    """A change that waits until a person accepts what `accept` names."""
    accept = f"rollcall apply --accept {accept}"
    return HeldChange(name=name, change=change, reason=reason, accept=accept)


class Cost(NamedTuple):
    """3 x input + output in USD per token; `source` is "" or says whose price stands in."""

    blended: Decimal
    source: str = ""

    def __str__(self) -> str:
        """`$0.28/M (OpenRouter's price for z-ai/glm-5)`: what a token costs on average."""
        source = f" ({self.source})" if self.source else ""
        return f"{in_dollars(self.blended / 4)}/M{source}"


def price_of(inputs: Inputs, model: Model) -> Cost | None:
    """What models are compared by: their own price, else a borrowed one; None = unknown."""
    known = inputs.others.complete(model)
    if known.price.blended is None:
        return None
    source = known.borrowed.get("price", "")
    return Cost(known.price.blended, price_label(source) if source else "")


def _dearer(old: Cost | None, new: Cost | None, rise: float) -> str | None:
    """Why a move from `old` to `new` is held; None where it is not, or cannot be compared."""
    if old is None:
        return None
    if old.blended == 0:
        if new is not None and new.blended == 0:
            return None
        return f"it is free now, the new target is {new or 'of unknown price'}"
    if new is None:
        return None
    share = float(new.blended / old.blended) - 1
    if share <= rise:
        return None
    return f"the price rises {share:.0%}, from {old} to {new} (3 parts input, 1 part output)"


def models_by_name(inputs: Inputs, placements: Iterable[Placement]) -> dict[str, Model]:
    """The model behind every managed name, before and after this run."""
    named: dict[str, Model] = {}
    for entry in (*inputs.document.managed.models, *(one.entry for one in placements)):
        model = model_of(entry)
        if model is not None:
            named[name_of(entry)] = inputs.listed.get(model.key, model)
    return named


class Moves(NamedTuple):
    """The aliases with their moves allowed or held.

    Attributes:
        aliases: each with the target it will have. held: the moves that wait for a person.
        notes: aliases that move although a guard would hold them: nothing else is left for them.
        trials: the calls that prove the targets not proven yet.
    """

    aliases: tuple[Resolved, ...]
    held: tuple[HeldChange, ...] = ()
    notes: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()


def hold_moves(inputs: Inputs, model_list: ModelList, tried: Moves) -> Moves:
    """Let each alias move where it resolved to, or hold it where it stands in config.yaml, because
    of what its new target would cost.

    Args:
        tried: the moves after the guard `trial`; see `plan.trial_holds`.
    """
    models = models_by_name(inputs, model_list.placements)
    aliases, held, notes = [], list(tried.held), list(tried.notes)
    for alias in tried.aliases:
        found = hold(inputs, alias, models)
        if found is None:
            aliases.append(alias)
            continue
        old, new = inputs.current_aliases[alias.name], alias.target
        if can_stay(inputs, model_list, old):
            reason = found.reason + _ends_anyway(model_list, old, new)
            held.append(found.model_copy(update={"reason": reason}))
            aliases.append(alias._replace(target=old, reason=f"held: {reason}"))
        else:
            aliases.append(alias)
            notes.append(
                f"alias {alias.name!r} moves from {old}, which is gone, to {new}, "
                f"although {found.reason}"
            )
    return tried._replace(aliases=tuple(aliases), held=tuple(held), notes=tuple(notes))


def _ends_anyway(model_list: ModelList, old: str, new: str | None) -> str:
    """What to say of a hold whose target its provider does not serve any more."""
    departure = model_list.departures.get(old)
    if departure is None or departure.cause is Cause.SUPERSEDED:
        return ""
    return f"; {old}: {departure.reason}, then the alias moves to {new} all the same"


def can_stay(inputs: Inputs, model_list: ModelList, name: str) -> bool:
    """Whether an alias's present target may stay: not what the policy takes out, nor what its
    provider serves no more and whose grace is over.
    """
    if name in inputs.own_names - inputs.own_aliases or name in model_list.names:
        return True
    departure = model_list.departures.get(name)
    return departure is not None and departure.cause is Cause.SUPERSEDED


def accepted_models(
    inputs: Inputs, placements: Iterable[Placement], resolved: Iterable[Resolved]
) -> frozenset[str]:
    """What this run was told to accept, to be remembered: an alias as the model it leads to now,
    so that its next rise is held again.
    """
    ids = {one.name: one.key.qualified for one in placements}
    targets = {alias.name: alias.target or "" for alias in resolved}
    leads = {name: ids.get(target, target) for name, target in targets.items()}
    return frozenset(leads.get(name) or name for name in inputs.accepting)


def accepting_nothing(inputs: Inputs, resolved: Sequence[Resolved]) -> Iterator[str]:
    """Names given to `--accept` that mean nothing here: most likely misspelled."""
    if not inputs.accepting:
        return
    known = {name_of(entry) for entry in inputs.document.managed.models}
    known |= {alias.name for alias in resolved} | {alias.target or "" for alias in resolved}
    for answer in inputs.answers.values():
        known |= {name for model in answer.models for name in (model.id, model.qualified)}
    for name in sorted(inputs.accepting - known):
        yield f"--accept {name}: no model and no alias is called that"


def held_models(admitted: Admission) -> Iterator[HeldChange]:
    """The models that wait because they are younger than `min_age`, or have not answered yet."""
    for row in admitted.held:
        name = row.model.qualified
        yield held_change(name, "add", row.reason, name)
