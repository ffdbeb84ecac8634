"""Traps of fallbacks, in whichever section they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rollcall.doctor.findings import Finding
from rollcall.doctor.traps.aliases import serves, suggestion
from rollcall.doctor.traps.site import Path, Site
from rollcall.litellm_view import mapping

SECTIONS = ("router_settings", "litellm_settings")
CONSEQUENCE = {
    "fallbacks": "LiteLLM does not start",
    "context_window_fallbacks": "LiteLLM does not find them",
    "content_policy_fallbacks": "LiteLLM does not start",
}
"""What a row of the wrong shape does to each kind."""


def fallback_traps(site: Site) -> Iterator[Finding]:
    """Two sections, wrong shapes, names that are nowhere, and aliases that get none."""
    yield from _two_sections(site)
    for section in SECTIONS:
        for kind in CONSEQUENCE:
            value = mapping(site.merged.get(section)).get(kind)
            if value is not None:
                yield from _rows(site, (section, kind), value)
    yield from _not_by_alias(site)


def _two_sections(site: Site) -> Iterator[Finding]:
    for kind in CONSEQUENCE:
        if all(mapping(site.merged.get(section)).get(kind) for section in SECTIONS):
            what = f"{kind} stand in router_settings too, and those alone count."
            yield site.warning(
                "fallbacks_twice", what, ("litellm_settings", kind), "Keep them in one section."
            )


def _rows(site: Site, place: Path, value: Any) -> Iterator[Finding]:
    kind = str(place[1])
    fix = "Write a list of `- NAME: [FIRST, SECOND]` lines."
    if not isinstance(value, list):
        what = f"{kind} is not a list: {CONSEQUENCE[kind]}."
        yield site.error("fallbacks_shape", what, place, fix)
        return
    for index, row in enumerate(value):
        if not isinstance(row, dict) or len(row) != 1:
            what = f"Row {index + 1} of {kind} is not one name: {CONSEQUENCE[kind]}."
            yield site.error("fallbacks_shape", what, (*place, index), fix)
            continue
        [(name, targets)] = row.items()
        if not isinstance(targets, list):
            what = f"The {kind} of {name} are no list, so none of them is found."
            yield site.error("fallbacks_shape", what, (*place, index), fix)
            continue
        yield from _names(site, (*place, index), name, targets)


def _names(site: Site, place: Path, name: Any, targets: list[Any]) -> Iterator[Finding]:
    if isinstance(name, str) and name != "*" and not _known(site, name):
        what = f"A fallback is given for {name}, which is neither a model_name nor an alias."
        yield site.warning("fallback_from_nothing", what, place, suggestion(site, name))
    for target in targets:
        if isinstance(target, str) and not _known(site, target):
            what = f"The fallback {target} of {name} is nowhere: LiteLLM passes over it."
            yield site.warning("fallback_to_nothing", what, place, suggestion(site, target))


def _not_by_alias(site: Site) -> Iterator[Finding]:
    section, rows = _in_force(site)
    names = {name for row in rows if isinstance(row, dict) for name in row}
    default = any(mapping(site.merged.get(part)).get("default_fallbacks") for part in SECTIONS)
    if "*" in names or default:
        return
    for alias in site.view.aliases.values():
        if alias.target in names and alias.name not in names:
            what = (
                f"The fallbacks of {alias.target} do not apply to calls by its alias {alias.name}."
            )
            fix = f"Give them for the alias too: `- {alias.name}: [...]`."
            yield site.warning("fallback_not_by_alias", what, (section, "fallbacks"), fix)


def _in_force(site: Site) -> tuple[str, list[Any]]:
    """The section whose fallbacks LiteLLM uses, and its rows."""
    for section in SECTIONS:
        rows = mapping(site.merged.get(section)).get("fallbacks")
        if isinstance(rows, list) and rows:
            return section, rows
    return SECTIONS[0], []


def _known(site: Site, name: str) -> bool:
    return name in site.view.aliases or serves(site, name)
