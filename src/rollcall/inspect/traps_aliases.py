"""Checks aliases and fallbacks: where LiteLLM would lead a call, and where it leads nowhere."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Any

from rollcall.errors import did_you_mean
from rollcall.inspect.checked_config import CheckedConfig, Path
from rollcall.inspect.findings import Finding
from rollcall.litellm_config.effective import mapping

MAP = ("router_settings", "model_group_alias")
COMPARED_NAMES = 500
"""Comparing a name with more than these takes longer than a suggestion is worth."""


def alias_traps(config: CheckedConfig) -> Iterator[Finding]:
    """The map as a whole, then alias by alias."""
    value = mapping(config.merged.get("router_settings")).get("model_group_alias")
    if value is not None and not isinstance(value, dict):
        what = "model_group_alias is not a mapping: LiteLLM does not start."
        yield config.error(
            "alias_map", what, MAP, "Write `alias: model_name` lines, without dashes."
        )
    for alias, target in mapping(value).items():
        yield from _alias_shape(config, alias, target)
    for found in config.view.aliases.values():
        yield from _meaning(config, found.name, found.target)


def _alias_shape(config: CheckedConfig, alias: Any, target: Any) -> Iterator[Finding]:
    place = (*MAP, alias if isinstance(alias, str) else str(alias))
    if not isinstance(alias, str):
        what = f"The alias {alias!r} is not read as text: LiteLLM does not start."
        yield config.error("alias_not_text", what, place, "Put the alias in quotes.")
    if isinstance(target, dict):
        missing = [key for key in ("model", "hidden") if key not in target]
        if missing:
            what = f"The alias {alias} has no `{missing[0]}`: LiteLLM does not start."
            fix = f"Write `{alias}: {{model: NAME, hidden: false}}`."
            yield config.error("alias_without_hidden", what, place, fix)
    elif not isinstance(target, str):
        what = f"The alias {alias} leads to no name: it is not listed, and every call fails."
        yield config.error("alias_no_target", what, place, "Give it a model_name, in quotes.")


def _meaning(config: CheckedConfig, alias: str, target: str) -> Iterator[Finding]:
    place = (*MAP, alias)
    if alias in config.view.groups:
        what = f"The alias {alias} hides the model of the same name: nobody can reach that one."
        yield config.error("alias_shadows_model", what, place, "Rename one of the two.")
    if serves(config, target):
        return
    if target in config.view.aliases:
        what = f"The alias {alias} leads to the alias {target}; LiteLLM follows one step only."
        end = config.view.aliases[target].target
        fix = f"Let it lead to {end} itself."
        yield config.error("alias_to_alias", what, place, fix)
        return
    what = f"The alias {alias} leads to {target}, which is no model_name: every call fails."
    yield config.error("alias_to_nothing", what, place, suggestion(config, target))


def serves(config: CheckedConfig, name: str) -> bool:
    """Whether a model_name, a wildcard or an id of the config serves `name`."""
    patterns = config.view.wildcards
    return name in config.known_names or any(fnmatch.fnmatchcase(name, glob) for glob in patterns)


def suggestion(config: CheckedConfig, name: str) -> str:
    """What to do about a name that is nowhere."""
    known = sorted(config.known_names) if len(config.known_names) <= COMPARED_NAMES else []
    near = did_you_mean(name, known, likeness=0.8)
    return near or "Correct the name, or take the line out."


SECTIONS = ("router_settings", "litellm_settings")
CONSEQUENCE = {
    "fallbacks": "LiteLLM does not start",
    "context_window_fallbacks": "LiteLLM does not find them",
    "content_policy_fallbacks": "LiteLLM does not start",
}
"""What a row of the wrong shape does to each kind."""


def fallback_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Two sections, wrong shapes, names that are nowhere, and aliases that get none."""
    yield from _two_sections(config)
    for section in SECTIONS:
        for kind in CONSEQUENCE:
            value = mapping(config.merged.get(section)).get(kind)
            if value is not None:
                yield from _rows(config, (section, kind), value)
    yield from _not_by_alias(config)


def _two_sections(config: CheckedConfig) -> Iterator[Finding]:
    for kind in CONSEQUENCE:
        if all(mapping(config.merged.get(section)).get(kind) for section in SECTIONS):
            what = f"{kind} stand in router_settings too, and those alone count."
            yield config.warning(
                "fallbacks_twice", what, ("litellm_settings", kind), "Keep them in one section."
            )


def _rows(config: CheckedConfig, place: Path, value: Any) -> Iterator[Finding]:
    kind = str(place[1])
    fix = "Write a list of `- NAME: [FIRST, SECOND]` lines."
    if not isinstance(value, list):
        what = f"{kind} is not a list: {CONSEQUENCE[kind]}."
        yield config.error("fallbacks_shape", what, place, fix)
        return
    for index, row in enumerate(value):
        if not isinstance(row, dict) or len(row) != 1:
            what = f"Row {index + 1} of {kind} is not one name: {CONSEQUENCE[kind]}."
            yield config.error("fallbacks_shape", what, (*place, index), fix)
            continue
        [(name, targets)] = row.items()
        if not isinstance(targets, list):
            what = f"The {kind} of {name} are no list, so none of them is found."
            yield config.error("fallbacks_shape", what, (*place, index), fix)
            continue
        yield from _names(config, (*place, index), name, targets)


def _names(config: CheckedConfig, place: Path, name: Any, targets: list[Any]) -> Iterator[Finding]:
    if isinstance(name, str) and name != "*" and not _known(config, name):
        what = f"A fallback is given for {name}, which is neither a model_name nor an alias."
        yield config.warning("fallback_from_nothing", what, place, suggestion(config, name))
    for target in targets:
        if isinstance(target, str) and not _known(config, target):
            what = f"The fallback {target} of {name} is nowhere: LiteLLM passes over it."
            yield config.warning("fallback_to_nothing", what, place, suggestion(config, target))


def _not_by_alias(config: CheckedConfig) -> Iterator[Finding]:
    section, rows = _in_force(config)
    names = {name for row in rows if isinstance(row, dict) for name in row}
    default = any(mapping(config.merged.get(part)).get("default_fallbacks") for part in SECTIONS)
    if "*" in names or default:
        return
    for alias in config.view.aliases.values():
        if alias.target in names and alias.name not in names:
            what = (
                f"The fallbacks of {alias.target} do not apply to calls by its alias {alias.name}."
            )
            fix = f"Give them for the alias too: `- {alias.name}: [...]`."
            yield config.warning("fallback_not_by_alias", what, (section, "fallbacks"), fix)


def _in_force(config: CheckedConfig) -> tuple[str, list[Any]]:
    """The section whose fallbacks LiteLLM uses, and its rows."""
    for section in SECTIONS:
        rows = mapping(config.merged.get(section)).get("fallbacks")
        if isinstance(rows, list) and rows:
            return section, rows
    return SECTIONS[0], []


def _known(config: CheckedConfig, name: str) -> bool:
    return name in config.view.aliases or serves(config, name)
