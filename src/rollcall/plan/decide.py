"""From what a run knows to the managed lines, with a reason for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.catalog import order
from rollcall.catalog.model import Verdict
from rollcall.litellm_config.document import Blocks
from rollcall.litellm_config.entries import called_by, leaves_on, model_of
from rollcall.plan.guards import (
    accepted_models,
    accepting_nothing,
    held_models,
    hold_back,
    keep_held_targets,
    refusals,
)
from rollcall.plan.model_list import ModelList, Origin, place_entries
from rollcall.selection import admission, aliases
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.plan.plan import HeldChange, Refusal
    from rollcall.plan.situation import Situation
    from rollcall.selection.admission import Admission
    from rollcall.selection.aliases import Candidate, Resolved


class Decision(NamedTuple):
    """What a run decided.

    Attributes:
        model_reasons, alias_reasons: name -> why it is there, moved, or is gone.
        resolved: every alias with its candidates in order, for `explain`.
        accepting: what this run was told to accept, to be remembered: an alias as the model it
            leads to now, so that its next rise is held again.
    """

    blocks: Blocks
    admitted: Admission
    roster: ModelList
    resolved: tuple[Resolved, ...]
    model_reasons: dict[str, str]
    alias_reasons: dict[str, str]
    held: tuple[HeldChange, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    accepting: frozenset[str] = frozenset()


def decide(situation: Situation) -> Decision:
    """Admit, call the roll, resolve the aliases, ask the guards: in this order, nothing else.

    Raises:
        PolicyError, PlanError: names that cannot stand together.
    """
    admitted = situation.admit(situation.policy)
    roster = place_entries(situation, admitted)
    current = current_aliases(situation)
    resolved, notes = resolve(situation, admitted, roster, current)
    refused = refusals(situation, roster, resolved, current)
    resolved, held, moved = hold_back(situation, roster, resolved, current)
    roster = _make_room(keep_held_targets(situation, roster, held, resolved), resolved)
    alias_block = _alias_block(situation, roster, resolved)
    fallbacks, fallback_notes = _fallback_block(situation, roster, resolved, alias_block)
    blocks = Blocks(
        models=tuple(seat.entry for seat in roster.seats),
        aliases=alias_block,
        fallbacks=fallbacks,
    )
    return Decision(
        blocks=blocks,
        admitted=admitted,
        roster=roster,
        resolved=resolved,
        model_reasons={**{seat.name: seat.reason for seat in roster.seats}, **roster.gone},
        alias_reasons={alias.name: alias.reason for alias in resolved},
        held=(*held, *held_models(admitted)),
        refused=tuple(refused),
        warnings=(
            *admitted.warnings,
            *roster.warnings,
            *notes,
            *moved,
            *fallback_notes,
            *accepting_nothing(situation, resolved),
        ),
        accepting=accepted_models(situation, roster, resolved),
    )


def current_aliases(situation: Situation) -> dict[str, str]:
    """Our aliases as they stand in config.yaml: name -> target model_name."""
    return {
        name: str(target["model"] if isinstance(target, dict) else target)
        for name, target in situation.document.managed.aliases.items()
    }


def resolve(
    situation: Situation, admitted: Admission, roster: ModelList, current: Mapping[str, str]
) -> tuple[tuple[Resolved, ...], tuple[str, ...]]:
    """Resolve every alias among the seats that stay; leaving ones are never a target."""
    pool = [*_own_instead(situation, admitted, roster), *_pool(situation, roster, current)]
    kept = {seat.key.provider for seat in roster.seats if seat.role is Origin.KEPT}
    unanswered = {name for name in kept if situation.verdict(name) is not Verdict.OK}
    return aliases.resolve(
        situation.policy,
        sorted(pool, key=lambda one: one.rule),
        own_names=situation.own_names,
        current=current,
        unanswered=frozenset(unanswered),
        today=situation.today,
        own_aliases=situation.own_aliases,
        picked=situation.picked,
    )


def _pool(
    situation: Situation, roster: ModelList, current: Mapping[str, str]
) -> Iterable[Candidate]:
    held = set(current.values())
    for seat in roster.seats:
        if seat.admitted is not None:
            row = seat.admitted
            yield aliases.Candidate(row.name, row.model, row.reading, row.rule)
        elif seat.role is Origin.KEPT and (leaves_on(seat.entry) is None or seat.name in held):
            model = model_of(seat.entry)
            if model is not None:
                index = admission.rule_of(situation.policy, model)
                reading = order.read_model(model)
                rule = len(situation.policy.allow) if index is None else index
                yield aliases.Candidate(seat.name, model, reading, rule + 1, staying=True)


def _own_instead(
    situation: Situation, admitted: Admission, roster: ModelList
) -> Iterable[Candidate]:
    """Admitted models that the user has by hand under the very name: an alias may lead there."""
    seated = {seat.name for seat in roster.seats}
    calls = {str(row.get("model_name")): called_by(row) for row in situation.own_entries}
    for row in admitted.admitted:
        if row.name not in seated and calls.get(row.name) == row.model.litellm_model:
            yield aliases.Candidate(row.name, row.model, row.reading, row.rule)


def _make_room(roster: ModelList, resolved: tuple[Resolved, ...]) -> ModelList:
    """A leaving entry whose name an alias takes over goes at once: it could not be reached."""
    names = {alias.name for alias in resolved if alias.target is not None}
    leaving = {seat.name for seat in roster.seats if seat.role is Origin.LEAVING} & names
    if not leaving:
        return roster
    seats = tuple(seat for seat in roster.seats if seat.name not in leaving)
    gone = {**roster.gone, **dict.fromkeys(leaving, "an alias takes over its name")}
    return replace(roster, seats=seats, gone=gone)


def _alias_block(
    situation: Situation, roster: ModelList, resolved: tuple[Resolved, ...]
) -> dict[str, Any]:
    block: dict[str, Any] = {}
    if situation.mode is Mode.LEGACY:
        block.update(_others_aliases(situation, roster, resolved))
    for alias in resolved:
        if alias.target is not None and alias.name not in situation.own_names:
            block[alias.name] = (
                {"model": alias.target, "hidden": True} if alias.hidden else alias.target
            )
    return block


def _others_aliases(
    situation: Situation, roster: ModelList, resolved: tuple[Resolved, ...]
) -> dict[str, Any]:
    """In legacy mode the aliases of the fuller policy stay while their targets do."""
    known = {alias.name for alias in resolved} | situation.own_names
    names = {seat.name for seat in roster.seats} | situation.own_names
    targets = current_aliases(situation)
    return {
        name: value
        for name, value in situation.document.managed.aliases.items()
        if name not in known and targets[name] in names
    }


def _fallback_block(
    situation: Situation,
    roster: ModelList,
    resolved: tuple[Resolved, ...],
    block: Mapping[str, Any],
) -> tuple[tuple[dict[str, list[str]], ...], tuple[str, ...]]:
    rows = aliases.fallback_entries(resolved)
    if situation.mode is Mode.LEGACY:
        known = {alias.name for alias in resolved}
        others = situation.document.managed.fallbacks
        rows = (*(row for row in others if known.isdisjoint(row)), *rows)
    if not rows:
        return (), ()
    if situation.document.fallbacks_section == "both":
        return (), (
            "fallbacks are in use in router_settings and in litellm_settings, and LiteLLM reads "
            "only the first: ours are left out until yours are in one place",
        )
    own = {
        name for row in situation.document.own_fallbacks if isinstance(row, dict) for name in row
    }
    names = {seat.name for seat in roster.seats} | situation.own_names | set(block)
    kept = []
    for row in rows:
        for name, targets in row.items():
            live = [target for target in targets if target in names]
            if name in block and name not in own and live:
                kept.append({name: live})
    return tuple(kept), ()
