"""Entries that change hands: `adopt` takes the user's over, `eject` gives ours up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rollcall.errors import GuardRefused, NobodyAsked
from rollcall.litellm_config import adoption, writing
from rollcall.litellm_config.document import parse
from rollcall.litellm_config.entries import alias_target, called_by, name_of
from rollcall.plan.decide import decide
from rollcall.plan.plan import plan_of
from rollcall.store.config_file import Written
from rollcall.store.store import Store
from rollcall.sync.apply import locked, write
from rollcall.sync.gather import gather
from rollcall.sync.remember import remember, remember_handover

if TYPE_CHECKING:
    from rollcall.plan.inputs import Inputs
    from rollcall.settings import Settings


def adoptable(inputs: Inputs) -> tuple[frozenset[str], frozenset[str]]:
    """(model_names, alias names) of the user's own lines that `adopt` takes over.

    An entry, when the policy admits a model under its very name for the very model it calls; an
    alias, when the policy gives that name and it leads to an entry that is, or becomes, ours.
    """
    wanted = {row.name: row.model.litellm_model for row in inputs.admit(inputs.policy).admitted}
    names = frozenset(
        name
        for entry in inputs.document.own_entries
        if wanted.get(name := name_of(entry)) == called_by(entry)
    )
    ours = names | {stray.model_name for stray in inputs.document.strays}
    ours |= {name_of(entry) for entry in inputs.document.managed.models}
    return names, frozenset(_aliases(inputs, ours))


def _aliases(inputs: Inputs, ours: frozenset[str]) -> set[str]:
    document = inputs.document
    free = replace(inputs, document=replace(document, own_models=(), own_aliases={}))
    given = {alias.name for alias in decide(free).resolved if alias.target is not None}
    return {
        name
        for name, target in document.own_aliases.items()
        if name in given and alias_target(target) in ours
    }


@dataclass(frozen=True, slots=True)
class Adopted:
    """What `adopt` took over."""

    names: tuple[str, ...]
    aliases: tuple[str, ...]
    written: Written | None
    notes: tuple[str, ...] = ()


def adopt(settings: Settings) -> Adopted:
    """Turn hand-written entries and aliases the policy would produce into managed ones.

    Entries of ours whose markers were lost come back too. One write, with the plan's other
    changes in it.

    Raises:
        NobodyAsked, GuardRefused: the policy's word cannot be had, or a guard refuses it.
        ConfigRefused: an entry cannot be taken over safely.
    """
    store = Store(settings.config_path, settings.state_dir)
    with locked(settings, store):
        found = gather(settings, store)
        names, aliases = adoptable(found)
        before = found.document
        inputs = replace(found, document=parse(adoption.adopt(before, names, aliases=aliases)))
        decision = decide(inputs)
        result = writing.with_blocks(inputs.document, decision.blocks)
        plan = plan_of(inputs, decision, result)
        if plan.nobody:
            raise NobodyAsked(
                "Nobody could be asked: nothing is adopted.", "Try again, or --offline."
            )
        if plan.refused:
            raise GuardRefused(
                f"A guard refused: {plan.refused[0].reason}.", plan.refused[0].accept
            )
        written = None
        if result != before.raw:
            written = write(settings, store, before.raw, result, "adopt")
        notes = remember(settings, store, found, plan, result, written)
    strays = {stray.model_name for stray in before.strays}
    return Adopted(tuple(sorted({*names, *strays})), tuple(sorted(aliases)), written, notes)


def eject(settings: Settings, *, remove: bool = False) -> Written | None:
    """Give the managed entries up: leave them as ordinary ones, or take them out.

    Raises:
        ConfigRefused: it cannot be done without touching the user's lines.
    """
    store = Store(settings.config_path, settings.state_dir)
    with locked(settings, store):
        document = parse(store.read_config())
        result = adoption.eject(document, remove=remove)
        if result == document.raw:
            return None
        reason = "eject --remove" if remove else "eject"
        written = write(settings, store, document.raw, result, reason)
        remember_handover(settings, store, reason, result, written)
    return written
