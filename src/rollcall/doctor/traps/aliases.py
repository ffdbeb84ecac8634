"""Traps of router_settings.model_group_alias."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterator
from typing import Any

from rollcall.doctor.findings import Finding
from rollcall.doctor.traps.site import Site
from rollcall.litellm_view import mapping

MAP = ("router_settings", "model_group_alias")
COMPARED_NAMES = 500
"""Comparing a name with more than these takes longer than a suggestion is worth."""


def alias_traps(site: Site) -> Iterator[Finding]:
    """The map as a whole, then alias by alias."""
    value = mapping(site.merged.get("router_settings")).get("model_group_alias")
    if value is not None and not isinstance(value, dict):
        what = "model_group_alias is not a mapping: LiteLLM does not start."
        yield site.error("alias_map", what, MAP, "Write `alias: model_name` lines, without dashes.")
    for alias, target in mapping(value).items():
        yield from _shape(site, alias, target)
    for found in site.view.aliases.values():
        yield from _meaning(site, found.name, found.target)


def _shape(site: Site, alias: Any, target: Any) -> Iterator[Finding]:
    place = (*MAP, alias if isinstance(alias, str) else str(alias))
    if not isinstance(alias, str):
        what = f"The alias {alias!r} is not read as text: LiteLLM does not start."
        yield site.error("alias_not_text", what, place, "Put the alias in quotes.")
    if isinstance(target, dict):
        missing = [key for key in ("model", "hidden") if key not in target]
        if missing:
            what = f"The alias {alias} has no `{missing[0]}`: LiteLLM does not start."
            fix = f"Write `{alias}: {{model: NAME, hidden: false}}`."
            yield site.error("alias_without_hidden", what, place, fix)
    elif not isinstance(target, str):
        what = f"The alias {alias} leads to no name: it is not listed, and every call fails."
        yield site.error("alias_no_target", what, place, "Give it a model_name, in quotes.")


def _meaning(site: Site, alias: str, target: str) -> Iterator[Finding]:
    place = (*MAP, alias)
    if alias in site.view.groups:
        what = f"The alias {alias} hides the model of the same name: nobody can reach that one."
        yield site.error("alias_shadows_model", what, place, "Rename one of the two.")
    if serves(site, target):
        return
    if target in site.view.aliases:
        what = f"The alias {alias} leads to the alias {target}; LiteLLM follows one step only."
        end = site.view.aliases[target].target
        fix = f"Let it lead to {end} itself."
        yield site.error("alias_to_alias", what, place, fix)
        return
    what = f"The alias {alias} leads to {target}, which is no model_name: every call fails."
    yield site.error("alias_to_nothing", what, place, suggestion(site, target))


def serves(site: Site, name: str) -> bool:
    """Whether a model_name, a wildcard or an id of the config serves `name`."""
    patterns = site.view.wildcards
    return name in site.known_names or any(fnmatch.fnmatchcase(name, glob) for glob in patterns)


def suggestion(site: Site, name: str) -> str:
    """What to do about a name that is nowhere."""
    known = sorted(site.known_names) if len(site.known_names) <= COMPARED_NAMES else []
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"Did you mean {near[0]}?" if near else "Correct the name, or take the line out."
