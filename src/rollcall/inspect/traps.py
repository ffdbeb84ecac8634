"""What LiteLLM swallows in a config, or stops at without naming the place.

LiteLLM checks no duplicate key, no alias target and no fallback target, drops an entry it cannot
use with a line in its log, and ends with a long traceback that names no entry where it does stop.
Each trap here was seen on LiteLLM 1.106.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from rollcall.errors import did_you_mean
from rollcall.inspect.checked_config import CheckedConfig, Path
from rollcall.inspect.findings import Finding, at_most
from rollcall.inspect.traps_aliases import alias_traps, fallback_traps
from rollcall.inspect.traps_entries import called, entry_traps
from rollcall.litellm_config.document import LITELLM_KEYS
from rollcall.litellm_config.effective import mapping, variable_of
from rollcall.litellm_config.text import line_number

MERGE = "tag:yaml.org,2002:merge"


def text_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Why LiteLLM could not load it, and the keys of which only the last one counts."""
    body, root, value, refused = config.reading
    if refused is not None:
        reason = refused.what.partition(": ")[2] or refused.what
        what = f"LiteLLM does not start, the file does not load: {reason}"
        yield config.error("does_not_load", what, refused.line, refused.hint)
        return
    if not value:
        what = "It is empty: LiteLLM does not start."
        yield config.error("empty", what, None, "Run `rollcall apply`, or write `model_list: []`.")
    elif not isinstance(value, dict):
        what = "Its top level is a list or a text: LiteLLM does not start."
        yield config.error("no_mapping", what, 1, "Begin it with a key such as `model_list:`.")
    else:
        yield from _duplicate_keys(config, body, root)


def _duplicate_keys(config: CheckedConfig, body: str, root: Any) -> Iterator[Finding]:
    for node in _mappings(root):
        first: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            line = line_number(body, key.start_mark.index)
            name = (key.tag, key.value)
            if name in first:
                what = f"`{key.value}` stands on line {first[name]} already; the last one counts."
                yield config.error("duplicate_key", what, line, "Join the two, or delete one.")
            first.setdefault(name, line)


def _mappings(root: Any) -> Iterator[Any]:
    """Every mapping node of the tree, in file order; shared ones once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode) or node is None:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            members = [value for _, value in node.value]
        else:
            members = list(node.value)
        waiting.extend(reversed(members))


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


def section_traps(config: CheckedConfig) -> Iterator[Finding]:
    """What is missing, misplaced, or replaced by an included file."""
    yield from _no_models(config)
    yield from _misplaced(config)
    yield from _no_mappings(config)
    yield from _health_checks(config)
    yield from _includes(config)


def _no_models(config: CheckedConfig) -> Iterator[Finding]:
    models = config.merged.get("model_list")
    if models is not None and not isinstance(models, list):
        what = "model_list is not a list: LiteLLM does not start."
        yield config.error("model_list_no_list", what, ("model_list",), "Begin each with `- `.")
    elif not models:
        what = "There is no model: LiteLLM starts, says it is healthy, and serves nothing."
        yield config.warning("no_models", what, ("model_list",), "Run: rollcall apply")


def _misplaced(config: CheckedConfig) -> Iterator[Finding]:
    for key in config.data:
        if not isinstance(key, str) or key in LITELLM_KEYS or key.startswith("x-"):
            continue
        if home := HOMES.get(key):
            what = f"`{key}` has no effect at the top level."
            yield config.warning("misplaced_key", what, (key,), f"Move it below `{home}:`.")
        elif key.isidentifier() and not key.startswith("_"):
            what = f"LiteLLM does not know the section `{key}` and ignores it without a word."
            near = did_you_mean(key, LITELLM_KEYS, likeness=0.85)
            fix = near or "Begin your own keys with `x-`."
            yield config.warning("unknown_section", what, (key,), fix)
    for section in SECTIONS:
        for key in mapping(config.data.get(section)):
            home = HOMES.get(key, section)
            if home != section and section != "environment_variables":
                what = f"`{key}` has no effect in {section}."
                yield config.warning(
                    "misplaced_key", what, (section, key), f"Move it below `{home}:`."
                )


def _no_mappings(config: CheckedConfig) -> Iterator[Finding]:
    for section in SECTIONS:
        value = config.data.get(section)
        if value is not None and not isinstance(value, dict):
            what = f"{section} is not a mapping, so LiteLLM passes over it or does not start."
            fix = "Write `name: value` lines below it, without dashes."
            yield config.error("section_no_mapping", what, (section,), fix)


def _health_checks(config: CheckedConfig) -> Iterator[Finding]:
    for key in HEALTH_CHECK_KEYS:
        if key in mapping(config.merged.get("router_settings")):
            what = f"`{key}` in router_settings: LiteLLM does not start."
            fix = "Move it below `general_settings:`."
            yield config.error("health_check_in_router", what, ("router_settings", key), fix)


def _includes(config: CheckedConfig) -> Iterator[Finding]:
    include = config.data.get("include")
    if include is not None and not (
        isinstance(include, list) and all(isinstance(entry, str) for entry in include)
    ):
        what = "include is not a list of paths: LiteLLM does not start."
        yield config.error("include_no_list", what, ("include",), "Write `include: [models.yaml]`.")
    for entry in config.missing_includes:
        what = f"The included file {entry} is not there: LiteLLM does not start."
        fix = "Create it, or take it out of `include:`."
        yield config.error("include_missing", what, ("include",), fix)
    for key, value in config.data.items():
        if isinstance(value, list) or key == "include":
            continue
        if any(key in included for included in config.included):
            what = f"An included file has `{key}` too and replaces this one whole."
            fix = f"Keep `{key}` in one file; only lists such as model_list add up."
            yield config.warning("include_replaces", what, (key,), fix)


PLAIN_KEY = re.compile(r"(?:sk-|gsk_|xai-|pplx-|hf_|AIza)[A-Za-z0-9_\-]{16,}")


def secret_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Variables that are not set, once each, and keys that stand in the file."""
    yield from _unset_variables(config)
    yield from _plain_keys(config)


def _unset_variables(config: CheckedConfig) -> Iterator[Finding]:
    general = mapping(config.merged.get("general_settings"))
    if general.get("key_management_system"):
        return
    provided = mapping(config.merged.get("environment_variables"))
    used: dict[str, list[tuple[Path, str]]] = {}
    for path, name, value in _parameters(config):
        variable = variable_of(value)
        if variable and not config.environ.get(variable) and not provided.get(variable):
            used.setdefault(variable, []).append((path, name))
    for variable, places in used.items():
        first, name = places[0]
        who = f"{name} and {len(places) - 1} more need" if len(places) > 1 else f"{name} needs"
        what = f"{variable} is not set, and {who} it: listed, but every call fails."
        fix = f"Set {variable} in the environment or .env, or take the entries out."
        yield config.warning("variable_unset", what, first, fix)


def _plain_keys(config: CheckedConfig) -> Iterator[Finding]:
    fix = "Put it into .env and write os.environ/NAME here; change the key if others saw the file."
    for path, name, value in _parameters(config):
        if isinstance(value, str) and PLAIN_KEY.fullmatch(value.strip()):
            what = f"A key of {name} stands in the file in plain text."
            yield config.warning("plain_key", what, path, fix)
    master = mapping(config.data.get("general_settings")).get("master_key")
    if isinstance(master, str) and variable_of(master) is None:
        what = "The master key stands in the file in plain text."
        yield config.warning("plain_master_key", what, ("general_settings", "master_key"), fix)


def _parameters(config: CheckedConfig) -> Iterator[tuple[Path, str, Any]]:
    """(path, the entry's name, value) of every litellm_params value."""
    entries = config.data.get("model_list")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        for key, value in mapping(mapping(entry).get("litellm_params")).items():
            if isinstance(key, str):
                yield ("model_list", index, "litellm_params", key), called(entry, index), value


def find_traps(config: CheckedConfig) -> tuple[Finding, ...]:
    """Every trap in one config, file order within each kind, at most ten of a kind."""
    return at_most(_all(config))


def _all(config: CheckedConfig) -> Iterator[Finding]:
    yield from text_traps(config)
    if not config.data:
        return
    yield from section_traps(config)
    yield from entry_traps(config)
    yield from secret_traps(config)
    yield from alias_traps(config)
    yield from fallback_traps(config)
