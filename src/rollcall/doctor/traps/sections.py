"""Traps of the sections: no models, keys in the wrong place, includes that replace."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from rollcall.config_document.foreign import LITELLM_KEYS
from rollcall.doctor.findings import Finding
from rollcall.doctor.traps.site import Site
from rollcall.litellm_view import mapping

HOMES = {
    "model_group_alias": "router_settings",
    "routing_strategy": "router_settings",
    "drop_params": "litellm_settings",
    "master_key": "general_settings",
    "database_url": "general_settings",
}
"""Keys that are often written a level too high, or in the wrong section: where they belong."""
SECTIONS = ("router_settings", "litellm_settings", "general_settings", "environment_variables")
HEALTH_CHECK_KEYS = ("health_check_interval", "health_check_concurrency")


def section_traps(site: Site) -> Iterator[Finding]:
    """What is missing, misplaced, or replaced by an included file."""
    yield from _no_models(site)
    yield from _misplaced(site)
    yield from _no_mappings(site)
    yield from _health_checks(site)
    yield from _includes(site)


def _no_models(site: Site) -> Iterator[Finding]:
    models = site.merged.get("model_list")
    if models is not None and not isinstance(models, list):
        what = "model_list is not a list: LiteLLM does not start."
        yield site.error("model_list_no_list", what, ("model_list",), "Begin each with `- `.")
    elif not models:
        what = "There is no model: LiteLLM starts, says it is healthy, and serves nothing."
        yield site.warning("no_models", what, ("model_list",), "Run: rollcall apply")


def _misplaced(site: Site) -> Iterator[Finding]:
    for key in site.data:
        if not isinstance(key, str) or key in LITELLM_KEYS or key.startswith("x-"):
            continue
        if home := HOMES.get(key):
            what = f"`{key}` has no effect at the top level."
            yield site.warning("misplaced_key", what, (key,), f"Move it below `{home}:`.")
        elif key.isidentifier() and not key.startswith("_"):
            what = f"LiteLLM does not know the section `{key}` and ignores it without a word."
            near = difflib.get_close_matches(key, LITELLM_KEYS, n=1, cutoff=0.85)
            fix = f"Did you mean `{near[0]}`?" if near else "Begin your own keys with `x-`."
            yield site.warning("unknown_section", what, (key,), fix)
    for section in SECTIONS:
        for key in mapping(site.data.get(section)):
            home = HOMES.get(key, section)
            if home != section and section != "environment_variables":
                what = f"`{key}` has no effect in {section}."
                yield site.warning(
                    "misplaced_key", what, (section, key), f"Move it below `{home}:`."
                )


def _no_mappings(site: Site) -> Iterator[Finding]:
    for section in SECTIONS:
        value = site.data.get(section)
        if value is not None and not isinstance(value, dict):
            what = f"{section} is not a mapping, so LiteLLM passes over it or does not start."
            fix = "Write `name: value` lines below it, without dashes."
            yield site.error("section_no_mapping", what, (section,), fix)


def _health_checks(site: Site) -> Iterator[Finding]:
    for key in HEALTH_CHECK_KEYS:
        if key in mapping(site.merged.get("router_settings")):
            what = f"`{key}` in router_settings: LiteLLM does not start."
            fix = "Move it below `general_settings:`."
            yield site.error("health_check_in_router", what, ("router_settings", key), fix)


def _includes(site: Site) -> Iterator[Finding]:
    include = site.data.get("include")
    if include is not None and not (
        isinstance(include, list) and all(isinstance(entry, str) for entry in include)
    ):
        what = "include is not a list of paths: LiteLLM does not start."
        yield site.error("include_no_list", what, ("include",), "Write `include: [models.yaml]`.")
    for entry in site.missing_includes:
        what = f"The included file {entry} is not there: LiteLLM does not start."
        fix = "Create it, or take it out of `include:`."
        yield site.error("include_missing", what, ("include",), fix)
    for key, value in site.data.items():
        if isinstance(value, list) or key == "include":
            continue
        if any(key in included for included in site.included):
            what = f"An included file has `{key}` too and replaces this one whole."
            fix = f"Keep `{key}` in one file; only lists such as model_list add up."
            yield site.warning("include_replaces", what, (key,), fix)
