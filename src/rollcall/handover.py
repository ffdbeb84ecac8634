"""Entries that change hands: `adopt` takes the user's over, `eject` gives ours up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rollcall import config_document
from rollcall.adopting import adoptable
from rollcall.decision import decide
from rollcall.errors import GuardRefused, NobodyAsked
from rollcall.evidence import gather, situate
from rollcall.memory import remember, remember_handover
from rollcall.outcome import plan_of
from rollcall.store import Store, Written
from rollcall.sync import LOCK_WAIT_SECONDS, write

if TYPE_CHECKING:
    from rollcall.settings import Settings


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
    with store.locked(settings.deadline_seconds or LOCK_WAIT_SECONDS):
        evidence = gather(settings)
        names, aliases = adoptable(situate(evidence))
        before = evidence.document
        taken = config_document.adopt(before, names, aliases=aliases)
        adopted = replace(evidence, document=config_document.parse(taken))
        situation = situate(adopted)
        decision = decide(situation)
        result = config_document.with_blocks(adopted.document, decision.blocks)
        plan = plan_of(adopted, decision, result)
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
            written = write(settings, store, before.raw, result, "adopt", None)
        notes = remember(evidence, plan, result, written)
    strays = {stray.model_name for stray in before.strays}
    return Adopted(tuple(sorted({*names, *strays})), tuple(sorted(aliases)), written, notes)


def eject(settings: Settings, *, remove: bool = False) -> Written | None:
    """Give the managed entries up: leave them as ordinary ones, or take them out.

    Raises:
        ConfigRefused: it cannot be done without touching the user's lines.
    """
    store = Store(settings.config_path, settings.state_dir)
    with store.locked(settings.deadline_seconds or LOCK_WAIT_SECONDS):
        document = config_document.parse(store.read_config())
        result = config_document.eject(document, remove=remove)
        if result == document.raw:
            return None
        reason = "eject --remove" if remove else "eject"
        written = write(settings, store, document.raw, result, reason, None)
        remember_handover(settings, store, reason, result, written)
    return written
