"""Which hand-written entries and aliases are just what the policy would produce. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rollcall.decision import decide
from rollcall.entries import called_by

if TYPE_CHECKING:
    from rollcall.situation import Situation


def adoptable(situation: Situation) -> tuple[frozenset[str], frozenset[str]]:
    """(model_names, alias names) of the user's own lines that `adopt` takes over.

    An entry, when the policy admits a model under its very name for the very model it calls; an
    alias, when the policy gives that name and it leads to an entry that is, or becomes, ours.
    """
    wanted = {
        row.name: row.model.litellm_model for row in situation.admit(situation.policy).admitted
    }
    names = frozenset(
        name
        for entry in situation.document.own_entries
        if wanted.get(name := str(entry.get("model_name"))) == called_by(entry)
    )
    ours = names | {stray.model_name for stray in situation.document.strays}
    ours |= {str(entry["model_name"]) for entry in situation.document.managed.models}
    return names, frozenset(_aliases(situation, ours))


def _aliases(situation: Situation, ours: frozenset[str]) -> set[str]:
    document = situation.document
    free = replace(situation, document=replace(document, own_models=(), own_aliases={}))
    given = {alias.name for alias in decide(free).resolved if alias.target is not None}
    return {
        name
        for name, target in document.own_aliases.items()
        if name in given and (target.get("model") if isinstance(target, dict) else target) in ours
    }
