"""From a situation to what shall stand between our markers, with a reason for each line. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rollcall import admission, aliases, families
from rollcall.config_document import Blocks
from rollcall.departures import Cause
from rollcall.entries import key_of, leaves_on, model_of
from rollcall.guards import Move, hold, models_by_name, refusals
from rollcall.plan import HeldChange
from rollcall.roster import Role, Roster, Seat, call_roll
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.admission import Admission
    from rollcall.aliases import Candidate, Resolved
    from rollcall.plan import Refusal
    from rollcall.situation import Situation


@dataclass(frozen=True, slots=True)
class Decision:
    """What a run decided.

    Attributes:
        model_reasons, alias_reasons: name -> why it is there, moved, or is gone.
        resolved: every alias with its candidates in order, for `explain`.
    """

    blocks: Blocks
    admitted: Admission
    roster: Roster
    resolved: tuple[Resolved, ...]
    model_reasons: dict[str, str]
    alias_reasons: dict[str, str]
    held: tuple[HeldChange, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]


def decide(situation: Situation) -> Decision:
    """Admit, call the roll, resolve the aliases, ask the guards: in this order, nothing else.

    Raises:
        PolicyError, PlanError: names that cannot stand together.
    """
    admitted = admit(situation)
    roster = call_roll(situation, admitted)
    current = current_aliases(situation)
    resolved, notes = resolve(situation, roster, current)
    refused = refusals(situation, roster, resolved, current)
    resolved, held = _hold_back(situation, roster, resolved, current)
    roster = _keep_held_targets(situation, roster, held, resolved)
    alias_block = _alias_block(situation, roster, resolved)
    fallbacks, fallback_notes = _fallback_block(situation, roster, resolved)
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
        held=(*held, *_held_models(admitted)),
        refused=tuple(refused),
        warnings=(*admitted.warnings, *roster.warnings, *notes, *fallback_notes),
    )


def admit(situation: Situation) -> Admission:
    """The rules' say over what the answering providers list."""
    return admission.admit(
        situation.policy,
        situation.catalogs,
        today=situation.today,
        first_seen=situation.first_seen,
        accepted=situation.accepted,
        named_only=situation.mode is Mode.SUBAGENTS,
        present=situation.present,
    )


def current_aliases(situation: Situation) -> dict[str, str]:
    """Our aliases as they stand in config.yaml: name -> target model_name."""
    return {
        name: str(target["model"] if isinstance(target, dict) else target)
        for name, target in situation.document.managed.aliases.items()
    }


def resolve(
    situation: Situation, roster: Roster, current: Mapping[str, str]
) -> tuple[tuple[Resolved, ...], tuple[str, ...]]:
    """Resolve every alias among the seats that stay; leaving ones are never a target."""
    unanswered = {seat.key.provider for seat in roster.seats if seat.role is Role.KEPT}
    return aliases.resolve(
        situation.policy,
        list(_pool(situation, roster)),
        own_names=situation.own_names,
        current=current,
        unanswered=frozenset(unanswered),
        today=situation.today,
        own_aliases=frozenset(situation.document.own_aliases),
        picked=situation.picked,
    )


def _pool(situation: Situation, roster: Roster) -> Iterable[Candidate]:
    for seat in roster.seats:
        if seat.admitted is not None:
            row = seat.admitted
            yield aliases.Candidate(row.name, row.model, row.reading, row.rule)
        elif seat.role is Role.KEPT and leaves_on(seat.entry) is None:
            model = model_of(seat.entry)
            if model is not None:
                index = admission.rule_of(situation.policy, model)
                reading = families.read_model(model)
                rule = len(situation.policy.allow) if index is None else index
                yield aliases.Candidate(seat.name, model, reading, rule + 1, staying=True)


def _hold_back(
    situation: Situation,
    roster: Roster,
    resolved: tuple[Resolved, ...],
    current: Mapping[str, str],
) -> tuple[tuple[Resolved, ...], list[HeldChange]]:
    """Aliases whose move a guard holds stay where they are."""
    models = models_by_name(situation, roster)
    kept, held = [], []
    for alias in resolved:
        old = current.get(alias.name)
        if old is not None and alias.target not in (None, old):
            found = hold(situation, Move(alias.name, old, str(alias.target)), models)
            if found is not None and _can_stay(situation, roster, old):
                held.append(found)
                kept.append(replace(alias, target=old, reason=f"held: {found.reason}"))
                continue
        kept.append(alias)
    return tuple(kept), held


def _can_stay(situation: Situation, roster: Roster, name: str) -> bool:
    """Whether an alias's present target may stay: anything but what the policy takes out."""
    if any(seat.name == name for seat in roster.seats) or name in situation.own_names:
        return True
    departure = roster.departures.get(name)
    return departure is not None and departure.cause is not Cause.POLICY


def _keep_held_targets(
    situation: Situation,
    roster: Roster,
    held: list[HeldChange],
    resolved: tuple[Resolved, ...],
) -> Roster:
    """An entry whose grace is over stays as long as a held alias leads to it."""
    seated = {seat.name for seat in roster.seats}
    names = {change.name for change in held}
    wanted = {alias.target for alias in resolved if alias.name in names} - seated
    back = [
        Seat(entry, key, Role.LEAVING, "stays while a held alias leads to it")
        for entry in situation.document.managed.models
        if entry["model_name"] in wanted and (key := key_of(entry)) is not None
    ]
    if not back:
        return roster
    gone = {name: why for name, why in roster.gone.items() if name not in wanted}
    return replace(roster, seats=(*roster.seats, *back), gone=gone)


def _alias_block(
    situation: Situation, roster: Roster, resolved: tuple[Resolved, ...]
) -> dict[str, Any]:
    block: dict[str, Any] = {}
    own = situation.own_names
    if situation.mode is Mode.LEGACY:
        block.update(_others_aliases(situation, roster, {alias.name for alias in resolved}))
    for alias in resolved:
        if alias.target is None or alias.name in own:
            continue
        block[alias.name] = (
            {"model": alias.target, "hidden": True} if alias.hidden else alias.target
        )
    return block


def _others_aliases(situation: Situation, roster: Roster, known: set[str]) -> dict[str, Any]:
    """In legacy mode the aliases of the fuller policy stay while their targets do."""
    names = {seat.name for seat in roster.seats}
    targets = current_aliases(situation)
    return {
        name: value
        for name, value in situation.document.managed.aliases.items()
        if name not in known and targets[name] in names
    }


def _fallback_block(
    situation: Situation, roster: Roster, resolved: tuple[Resolved, ...]
) -> tuple[tuple[dict[str, list[str]], ...], tuple[str, ...]]:
    rows = aliases.fallback_entries(resolved)
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
    names = {seat.name for seat in roster.seats} | situation.own_names
    names |= {alias.name for alias in resolved if alias.target is not None}
    kept = []
    for row in rows:
        for name, targets in row.items():
            live = [target for target in targets if target in names]
            if name not in own and live:
                kept.append({name: live})
    return tuple(kept), ()


def _held_models(admitted: Admission) -> list[HeldChange]:
    return [
        HeldChange(
            name=row.model.qualified,
            change="add",
            reason=row.reason,
            accept=f"rollcall apply --accept {row.model.qualified}",
        )
        for row in admitted.held
    ]
