"""Traps of entries, aliases and fallbacks."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rollcall.inspect.findings import Finding
from rollcall.inspect.site import Path, Site
from rollcall.litellm_config.effective import mapping, resolved

POLLED_PROVIDERS = frozenset({"openai", "openai_like", "hosted_vllm", "text-completion-openai"})
"""LiteLLM asks the api_base of such entries for their limits (MODEL_INFO_DISCOVERY_PROVIDERS)."""
COST = re.compile(r"(?:^|_)cost_per_|_token_cost(?:_|$)")


def entry_traps(site: Site) -> Iterator[Finding]:
    """Entry by entry, then what only several of them make a trap."""
    entries = site.data.get("model_list")
    entries = entries if isinstance(entries, list) else []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            yield from _shape(site, index, entry)
            yield from _costs(site, index, entry)
            yield from _wildcard(site, index, entry)
        else:
            what = f"Entry {index + 1} of model_list is no mapping: LiteLLM does not start."
            fix = "Begin it with `- model_name: ...`, or delete the line."
            yield site.error("entry_no_mapping", what, ("model_list", index), fix)
    yield from _shared_ids(site, entries)
    yield from _polling(site, entries)


def _shape(site: Site, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    name = entry.get("model_name")
    place = ("model_list", index)
    if name is None:
        what = f"Entry {index + 1} of model_list has no model_name: LiteLLM does not start."
        yield site.error("no_model_name", what, place, "Add `model_name: NAME`.")
    elif not isinstance(name, str):
        what = f"The model_name {name!r} is read as a {_kind(name)}: LiteLLM does not start."
        fix = "Put the name in quotes, as it is written."
        yield site.error("name_not_text", what, (*place, "model_name"), fix)
    params = entry.get("litellm_params")
    if not isinstance(params, dict) or not isinstance(params.get("model"), str):
        what = f"{called(entry, index)} has no litellm_params.model: LiteLLM does not start."
        fix = "Add `litellm_params: {model: PROVIDER/ID}`."
        yield site.error("no_litellm_model", what, (*place, "litellm_params"), fix)
    if "model_info" in entry and not isinstance(entry["model_info"], dict):
        what = f"The model_info of {called(entry, index)} is empty: LiteLLM does not start."
        fix = "Delete the line, or write `model_info: {}`."
        yield site.error("model_info_null", what, (*place, "model_info"), fix)


def _costs(site: Site, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    for section in ("litellm_params", "model_info"):
        for key, value in mapping(entry.get(section)).items():
            if not isinstance(key, str) or not COST.search(key) or isinstance(value, dict | list):
                continue
            path = ("model_list", index, section, key)
            number = _number(value)
            if value is not None and number is None:
                what = f"{key} of {called(entry, index)} is not a number: LiteLLM drops the entry."
                yield site.error("cost_not_a_number", what, path, "Write it as 0.000001.")
            elif number is not None and (isinstance(value, bool) or not number >= 0):
                what = f"{key} of {called(entry, index)} is no price: budgets would go wrong."
                fix = "Write USD per token, or leave it out."
                yield site.warning("cost_no_price", what, path, fix)


def _wildcard(site: Site, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    name = entry.get("model_name")
    if isinstance(name, str) and "*" in name:
        what = f"`{name}` offers whatever LiteLLM's own table holds, withdrawn models included."
        fix = "Name what you want in policy.yaml instead: rollcall init"
        yield site.warning("wildcard", what, ("model_list", index, "model_name"), fix)


def _shared_ids(site: Site, entries: list[Any]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        identity = mapping(mapping(entry).get("model_info")).get("id")
        if not isinstance(identity, str):
            continue
        if identity in first:
            what = (
                f"Entries {first[identity] + 1} and {index + 1} share the model_info.id {identity}."
            )
            path = ("model_list", index, "model_info", "id")
            yield site.warning("shared_id", what, path, "Give each entry an id of its own.")
        first.setdefault(identity, index)


def _polling(site: Site, entries: list[Any]) -> Iterator[Finding]:
    if mapping(site.merged.get("general_settings")).get("disable_model_info_refresh") is True:
        return
    polled = [
        (index, host)
        for index, entry in enumerate(entries)
        if (host := _polled_host(mapping(mapping(entry).get("litellm_params")), site.environ))
    ]
    if polled:
        hosts = ", ".join(sorted({host for _, host in polled})[:5])
        what = (
            f"LiteLLM asks {hosts} for /v1/models at its start and every 300 s, with the entry's"
            f" key, for each entry that has an api_base ({len(polled)} here)."
        )
        fix = "Where that is not wanted: general_settings.disable_model_info_refresh: true"
        path = ("model_list", polled[0][0], "litellm_params", "api_base")
        yield site.warning("polled_api_base", what, path, fix)


def _polled_host(params: dict[Any, Any], environ: Mapping[str, str]) -> str | None:
    """The host an entry has LiteLLM ask; never the whole URL, which may hold a key."""
    model, base = params.get("model"), resolved(params.get("api_base"), environ)
    if not isinstance(model, str) or not base or "*" in model:
        return None
    provider = params.get("custom_llm_provider") or model.partition("/")[0]
    if provider not in POLLED_PROVIDERS:
        return None
    try:
        return urlsplit(base).hostname or "its api_base"
    except ValueError:
        return "its api_base"


def called(entry: dict[str, Any], index: int) -> str:
    """How a finding calls an entry."""
    name = entry.get("model_name")
    return f"`{name}`" if isinstance(name, str) else f"entry {index + 1} of model_list"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "yes or no"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is the question
    except (TypeError, ValueError):
        return None


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
        yield from _alias_shape(site, alias, target)
    for found in site.view.aliases.values():
        yield from _meaning(site, found.name, found.target)


def _alias_shape(site: Site, alias: Any, target: Any) -> Iterator[Finding]:
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
