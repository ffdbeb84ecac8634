"""Decides what our lines in config.yaml shall be, with a reason for each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.litellm_config.document import Blocks
from rollcall.litellm_config.entries import leaves_on, model_of
from rollcall.plan import own_entries, trial_holds
from rollcall.plan.guards import (
    accepted_models,
    accepting_nothing,
    held_models,
    hold_moves,
    refusals,
)
from rollcall.plan.last_days import LastDay, ending, last_days
from rollcall.plan.model_list import ModelList, Origin, Placement, place_entries, settle
from rollcall.plan.own_entries import named_in, read_own_entries
from rollcall.selection import admission, aliases
from rollcall.selection.choosing import Candidate, Pool
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from rollcall.plan.guards import HeldChange, Refusal
    from rollcall.plan.inputs import Inputs
    from rollcall.plan.own_entries import OwnEntry
    from rollcall.plan.trial import Trial
    from rollcall.selection.admission import Admission
    from rollcall.selection.aliases import Resolved


class Decision(NamedTuple):
    """What a run decided.

    Attributes:
        resolved: every alias with its candidates in order, for `explain`.
        accepting: what this run was told to accept, to be remembered.
        trials: the calls to make before this can be written.
        last_days: every entry whose last day is known, however far.
        own: the user's entries, each with the model it calls.
    """

    blocks: Blocks
    admitted: Admission
    model_list: ModelList
    resolved: tuple[Resolved, ...]
    held: tuple[HeldChange, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    accepting: frozenset[str] = frozenset()
    trials: tuple[Trial, ...] = ()
    last_days: tuple[LastDay, ...] = ()
    own: tuple[OwnEntry, ...] = ()


def decide(inputs: Inputs) -> Decision:
    """What our lines shall be: rules first, then entries, aliases, guards.

    Raises:
        PolicyError: names that cannot stand together.
    """
    admitted = inputs.admit(inputs.policy)
    entries = place_entries(inputs, admitted)  # before the aliases may change it
    own = read_own_entries(inputs)
    wanted, notes = resolve_aliases(inputs, admitted, entries, own)
    tried = trial_holds.hold_untried(
        inputs,
        entries,
        wanted,
        lambda without: resolve_aliases(inputs, admitted, entries, own, without)[0],
    )
    moves = hold_moves(inputs, entries, tried)
    named = named_in(inputs.document, inputs.included)
    held = [change.name for change in moves.held]
    model_list = settle(entries, moves.aliases, held, inputs.own_names, named)
    blocks, fallback_notes = blocks_of(inputs, model_list, moves.aliases)
    ends = last_days(inputs, admitted, model_list.placements, own, moves.aliases)
    return Decision(
        blocks=blocks,
        admitted=admitted,
        model_list=model_list,
        resolved=moves.aliases,
        held=(*moves.held, *held_models(admitted)),
        refused=tuple(refusals(inputs, entries, wanted)),  # judged before anything is held
        warnings=(
            *admitted.warnings,
            *entries.warnings,
            *notes,
            *moves.notes,
            *fallback_notes,
            *accepting_nothing(inputs, moves.aliases),
            *own_entries.notes(inputs, model_list, moves.aliases, named, own),
            *(row.told(inputs.today) for row in ending(inputs, ends)),
        ),
        last_days=ends,
        own=own,
        accepting=accepted_models(inputs, model_list.placements, moves.aliases),
        trials=trial_holds.calls_of(inputs, admitted, tried),
    )


def resolve_aliases(
    inputs: Inputs,
    admitted: Admission,
    model_list: ModelList,
    own: Iterable[OwnEntry],
    without: Collection[str] = (),
) -> tuple[tuple[Resolved, ...], tuple[str, ...]]:
    """Where each alias would lead among the entries that stay and the user's own, and notes;
    leaving ones are never a target.

    Args:
        without: model_names that nothing may lead to.
    """
    placements = [one for one in model_list.placements if one.name not in without]
    pool = [*_pool(inputs, placements), *_own_pool(inputs, admitted, own)]
    return aliases.resolve(
        Pool(
            inputs.policy,
            tuple(sorted(pool, key=lambda one: one.rule)),
            inputs.today,
            own_names=inputs.own_names,
            own_aliases=inputs.own_aliases,
            own_ids=inputs.own_ids,
            unanswered=frozenset(inputs.providers) - frozenset(inputs.catalogs),
        ),
        inputs.current_aliases,
        inputs.picked,
    )


def _pool(inputs: Inputs, placements: Iterable[Placement]) -> Iterator[Candidate]:
    led_to = set(inputs.current_aliases.values())
    for one in placements:
        if one.admitted is not None:
            row = one.admitted
            yield Candidate(row.name, row.model, row.rule)
        elif one.origin is Origin.KEPT and (leaves_on(one.entry) is None or one.name in led_to):
            stated = model_of(one.entry)
            if stated is not None:
                model = inputs.others.complete(stated)
                rule = admission.rule_of(inputs.policy, model) or len(inputs.policy.allow) + 1
                # A part of a list is an answer: what it lacks competes with what it holds.
                away = not inputs.gave_part(one.key.provider)
                yield Candidate(one.name, model, rule, staying=away)


def _own_pool(inputs: Inputs, admitted: Admission, own: Iterable[OwnEntry]) -> Iterator[Candidate]:
    """The user's own entries, by the model each calls; behind all that rules admit, but in the
    place of the rule that would admit that very model under that very name.
    """
    rules = {(row.name, row.model.key): row.rule for row in admitted.admitted}
    last = len(inputs.policy.allow) + 2
    seen: set[str] = set()
    for one in own:
        if one.model is None or one.gone or one.name in seen or one.name in inputs.own_aliases:
            continue
        seen.add(one.name)
        rule = rules.get((one.name, one.model.key), last)
        yield Candidate(one.name, one.model, rule)


def blocks_of(
    inputs: Inputs, model_list: ModelList, resolved: tuple[Resolved, ...]
) -> tuple[Blocks, tuple[str, ...]]:
    """Our three blocks as plain data, and notes of what has to be left out."""
    models = tuple(one.entry for one in model_list.placements)
    if elsewhere := inputs.router_elsewhere:
        wanted = any(alias.target for alias in resolved)
        note = (f"aliases and fallbacks are left out: {elsewhere}",) if wanted else ()
        return Blocks(models=models), note
    alias_block = _alias_block(inputs, model_list, resolved)
    fallbacks, notes = _fallback_block(inputs, model_list, resolved, alias_block)
    return Blocks(models=models, aliases=alias_block, fallbacks=fallbacks), notes


def _alias_block(
    inputs: Inputs, model_list: ModelList, resolved: tuple[Resolved, ...]
) -> dict[str, Any]:
    block: dict[str, Any] = {}
    if inputs.mode is Mode.LEGACY:  # the fuller policy's aliases stay while their targets do
        known = {alias.name for alias in resolved} | inputs.own_names
        names, targets = model_list.names | inputs.own_names, inputs.current_aliases
        block = {
            name: value
            for name, value in inputs.document.managed.aliases.items()
            if name not in known and targets[name] in names
        }
    for alias in resolved:
        if alias.target is not None and alias.name not in inputs.own_names:
            hidden = {"model": alias.target, "hidden": True}
            block[alias.name] = hidden if alias.hidden else alias.target
    return block


def _fallback_block(
    inputs: Inputs,
    model_list: ModelList,
    resolved: tuple[Resolved, ...],
    block: Mapping[str, Any],
) -> tuple[tuple[dict[str, list[str]], ...], tuple[str, ...]]:
    rows = aliases.fallback_entries(resolved)
    if inputs.mode is Mode.LEGACY:
        known = {alias.name for alias in resolved}
        others = inputs.document.managed.fallbacks
        rows = (*(row for row in others if known.isdisjoint(row)), *rows)
    if not rows:
        return (), ()
    if inputs.document.fallbacks_section == "both":
        return (), (
            "fallbacks are in use in router_settings and in litellm_settings, and LiteLLM reads "
            "only the first: ours are left out until yours are in one place",
        )
    own = {name for row in inputs.document.own_fallbacks if isinstance(row, dict) for name in row}
    names = model_list.names | inputs.own_names | set(block)
    kept = []
    for row in rows:
        for name, targets in row.items():
            live = [target for target in targets if target in names]
            if name in block and name not in own and live:
                kept.append({name: live})
    return tuple(kept), ()
