"""Checks aliases and fallbacks: where LiteLLM would lead a call, and where it leads nowhere."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

from rollcall.errors import did_you_mean
from rollcall.inspect.checked_config import CheckedConfig, odd_name
from rollcall.inspect.findings import Finding
from rollcall.inspect.traps_entries import dropped_names
from rollcall.litellm_config.effective import alias_map, alias_target, texts_in
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from rollcall.yaml_reading import Place

MAP = ("router_settings", "model_group_alias")
COMPARED_NAMES = 500
"""Comparing a name with more than these takes longer than a suggestion is worth."""


def alias_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Each alias as it stands, then where it leads."""
    for alias, target in alias_map(config.merged).items():
        yield from _alias_shape(config, alias, target)
    dropped = dropped_names(config)
    for found in config.view.aliases.values():
        if found.target:
            yield from _meaning(config, found.name, found.target, dropped)


def _alias_shape(config: CheckedConfig, alias: Any, target: Any) -> Iterator[Finding]:
    place = (*MAP, alias if isinstance(alias, str) else str(alias))
    if not isinstance(alias, str):
        what = f"The alias {alias!r} is not read as text: LiteLLM does not start."
        yield config.error("alias_not_text", what, place, "Put the alias in quotes.")
    elif odd := odd_name(alias):
        what = f"The alias {alias!r} {odd[1]}: every call fails."
        yield config.error(odd[0], what, place, "Use plain letters.")
    if isinstance(target, dict):
        missing = [key for key in ("model", "hidden") if key not in target]
        if missing:
            hidden = target.get("hidden") is True
            ends = "every call fails" if hidden else "LiteLLM does not start"
            what = f"The alias {alias} has no `{missing[0]}`: {ends}."
            fix = f"Write `{alias}: {{model: NAME, hidden: false}}`."
            yield config.error("alias_without_hidden", what, place, fix)
            return
    if alias_target(target) is None:
        what = f"The alias {alias} leads to no name: it is not listed, and every call fails."
        yield config.error("alias_no_target", what, place, "Give it a model_name, in quotes.")


def _meaning(
    config: CheckedConfig, alias: str, target: str, dropped: frozenset[str]
) -> Iterator[Finding]:
    def error(code: str, ends: str, fix: str) -> Finding:
        return config.error(code, f"The alias {alias} {ends}", (*MAP, alias), fix)

    view = config.view
    if alias in view.groups:
        ends = "hides the model of the same name: nobody can reach that one."
        yield error("alias_shadows_model", ends, "Rename one of the two.")
    if alias in view.ids:
        ends = "is the model_info.id of an entry too, and that entry answers."
        yield error("alias_is_id", ends, "Rename the alias.")
    if target in dropped:
        ends = f"leads to {target}, which LiteLLM drops: every call fails."
        yield error("alias_to_dropped", ends, "Mend that entry.")
    elif variable_of(target) is not None or _leads(config, target):
        return
    elif target in view.aliases:
        ends = f"leads to the alias {target}; LiteLLM follows one step only."
        yield error("alias_to_alias", ends, f"Let it lead to {view.aliases[target].target} itself.")
    elif target in view.ids:
        ends = f"leads to the model_info.id {target}: every call fails."
        yield error("alias_to_id", ends, "Give the model_name of that entry instead.")
    else:
        ends = f"leads to {target}, which is no model_name: every call fails."
        yield error("alias_to_nothing", ends, _suggestion(target, _targets(config)))


def _leads(config: CheckedConfig, target: str) -> bool:
    """Whether an alias to `target` answers."""
    return config.view.serves(target) or target in _targets(config)


def _targets(config: CheckedConfig) -> frozenset[str]:
    """What an alias may lead to, wildcards aside."""
    routing = texts_in(config.section("router_settings").get("routing_groups"), "group_name")
    served = [name for name, group in config.view.groups.items() if group.litellm_models]
    return frozenset({*served, *config.view.models, *routing})


def _suggestion(name: str, known: frozenset[str]) -> str:
    """What to do about a name that is nowhere."""
    names = sorted(known) if len(known) <= COMPARED_NAMES else []
    return did_you_mean(name, names, likeness=0.8) or "Correct the name, or take the line out."


SECTIONS = ("router_settings", "litellm_settings")
KINDS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
CHECKED_AT_START = frozenset({"fallbacks", "content_policy_fallbacks"})


def fallback_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Two sections, wrong shapes, names that are nowhere, and aliases that get none."""
    yield from _two_sections(config)
    for section, kind in product(SECTIONS, (*KINDS, "default_fallbacks")):
        value = config.section(section).get(kind)
        if value is not None and variable_of(value) is None:
            check = _rows if kind in KINDS else _defaults
            yield from check(config, (section, kind), value)
    yield from _not_by_alias(config)


def _two_sections(config: CheckedConfig) -> Iterator[Finding]:
    for kind in KINDS:
        if all(config.section(section).get(kind) for section in SECTIONS):
            what = f"{kind} stand in router_settings too, and those alone count."
            yield config.warning(
                "fallbacks_twice", what, ("litellm_settings", kind), "Keep them in one section."
            )


def _rows(config: CheckedConfig, place: Place, value: Any) -> Iterator[Finding]:
    kind = str(place[1])
    fix = "Write a list of `- NAME: [FIRST, SECOND]` lines."
    if not isinstance(value, list):
        yield _misshapen(config, f"{kind} is not a list", place, fix)
        return
    for index, row in enumerate(value):
        at = (*place, index)
        if not isinstance(row, dict) or len(row) != 1:
            yield _misshapen(config, f"Row {index + 1} of {kind} is not one name", at, fix)
            continue
        [(name, targets)] = row.items()
        if not isinstance(name, str):
            yield _misshapen(config, f"The name in row {index + 1} of {kind} is no text", at, fix)
        elif not isinstance(targets, list):
            if variable_of(targets) is None:
                yield _misshapen(config, f"The {kind} of {name} are no list", at, fix)
        else:
            yield from _names(config, at, name, targets)


def _misshapen(config: CheckedConfig, what: str, place: Place, fix: str) -> Finding:
    """A row of the wrong shape; of two kinds LiteLLM looks at the shape when it starts."""
    ends = "LiteLLM does not start" if place[1] in CHECKED_AT_START else "LiteLLM finds none"
    return config.error("fallbacks_shape", f"{what}: {ends}.", place, fix)


def _defaults(config: CheckedConfig, place: Place, value: Any) -> Iterator[Finding]:
    """default_fallbacks: names for every model that has no fallbacks of its own."""
    fix = "Write a list of names: [FIRST, SECOND]."
    if isinstance(value, str):
        what = "default_fallbacks is a text, not a list: LiteLLM does not start."
        yield config.error("fallbacks_shape", what, place, fix)
    elif not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        what = "default_fallbacks is not a list of names: LiteLLM finds none of them."
        yield config.error("fallbacks_shape", what, place, fix)
    else:
        for target in value:
            yield from _target(config, place, "any model", target)


def _names(config: CheckedConfig, place: Place, name: str, targets: list[Any]) -> Iterator[Finding]:
    called = {*config.view.groups, *config.view.aliases, *config.view.ids, "*"}
    if name not in called and not any(
        fnmatch.fnmatchcase(name, glob) for glob in config.view.wildcards
    ):
        what = f"A fallback is given for {name}, which is neither a model_name nor an alias."
        fix = _suggestion(name, frozenset(called))
        yield config.warning("fallback_from_nothing", what, place, fix)
    for target in targets:
        if isinstance(target, str):
            yield from _target(config, place, name, target)


def _target(config: CheckedConfig, place: Place, name: str, target: str) -> Iterator[Finding]:
    if not _reachable(config, target):
        what = f"The fallback {target} of {name} is nowhere: LiteLLM passes over it."
        fix = _suggestion(target, _targets(config) | frozenset(config.view.aliases))
        yield config.warning("fallback_to_nothing", what, place, fix)


def _not_by_alias(config: CheckedConfig) -> Iterator[Finding]:
    section, rows = _in_force(config)
    names = {name for row in rows if isinstance(row, dict) for name in row}
    default = any(config.section(part).get("default_fallbacks") for part in SECTIONS)
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
        rows = config.section(section).get("fallbacks")
        if isinstance(rows, list) and rows:
            return section, rows
    return SECTIONS[0], []


def _reachable(config: CheckedConfig, name: str) -> bool:
    """Whether a call to `name`, as a fallback makes one, is answered by anything."""
    return name in config.view.aliases or name in config.view.ids or _leads(config, name)
