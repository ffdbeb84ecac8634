"""What LiteLLM swallows in a config, or stops at without naming the place: all checks, and those of
whole files and sections.

LiteLLM checks no duplicate key, no alias target and no fallback target, drops an entry it cannot
use with a line in its log, and ends with a long traceback that names no entry where it does stop.
docs/LITELLM.md shows what it did with each trap, and tests/test_litellm_matrix.py holds doctor,
--validate and smoke against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from rollcall.errors import did_you_mean
from rollcall.inspect.checked_config import CheckedConfig, CheckedFile
from rollcall.inspect.findings import Finding, at_most
from rollcall.inspect.traps_aliases import alias_traps, fallback_traps
from rollcall.inspect.traps_entries import entry_traps
from rollcall.inspect.traps_imports import import_traps
from rollcall.inspect.traps_services import service_traps
from rollcall.inspect.traps_variables import plain_keys, variable_traps
from rollcall.litellm_config.effective import LITELLM_KEYS, mapping, rows_of
from rollcall.litellm_config.settings_fields import missing_settings, wrong_settings
from rollcall.litellm_config.text import line_number
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from rollcall.yaml_reading import Place

MERGE = "tag:yaml.org,2002:merge"


def find_traps(config: CheckedConfig) -> tuple[Finding, ...]:
    """Every trap in one config, file order within each kind, at most ten of a kind."""
    return at_most(_all(config))


def _all(config: CheckedConfig) -> Iterator[Finding]:
    yield from text_traps(config.root)
    for file in config.included:
        if file.reading.refused is not None or file.reading.value:  # an empty one is well
            yield from text_traps(file)
    if not config.data:
        return
    if not config.included and LITELLM_KEYS.isdisjoint(config.merged) and not _high(config):
        yield from _no_models(config)  # a compose file, a chart's values: nothing else in it counts
        return
    yield from section_traps(config)
    yield from service_traps(config)
    yield from import_traps(config)
    yield from entry_traps(config)
    yield from variable_traps(config)
    yield from plain_keys(config)
    yield from alias_traps(config)
    yield from fallback_traps(config)


def text_traps(file: CheckedFile) -> Iterator[Finding]:
    """Why LiteLLM could not load it, and the keys of which only the last one counts."""
    body, root, value, refused = file.reading
    if refused is not None:
        what = f"LiteLLM does not start, the file does not load: {refused.why}."
        yield file.error("does_not_load", what, refused.line, refused.hint)
        return
    if not value:
        what = "It is empty: LiteLLM does not start."
        yield file.error("empty", what, None, "Run `rollcall apply`, or write `model_list: []`.")
    elif not isinstance(value, dict):
        what = "Its top level is a list or a text: LiteLLM does not start."
        yield file.error("no_mapping", what, 1, "Begin it with a key such as `model_list:`.")
    else:
        yield from _duplicate_keys(file, body, root)


def _duplicate_keys(file: CheckedFile, body: str, root: Any) -> Iterator[Finding]:
    for node in _mappings(root):
        first: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            line = line_number(body, key.start_mark.index)
            name = (key.tag, key.value)
            if name in first:
                what = f"`{key.value}` stands on line {first[name]} already; the last one counts."
                yield file.error("duplicate_key", what, line, "Join the two, or delete one.")
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
    "fallbacks": "router_settings",
    "context_window_fallbacks": "router_settings",
    "content_policy_fallbacks": "router_settings",
    "default_fallbacks": "litellm_settings",
    "drop_params": "litellm_settings",
    "master_key": "general_settings",
    "database_url": "general_settings",
}
"""Keys that are often written a level too high, or in the wrong section: where they belong."""
TOO_HIGH = HOMES | {
    **dict.fromkeys(
        (
            "cache",
            "cache_params",
            "callbacks",
            "default_key_generate_params",
            "failure_callback",
            "json_logs",
            "model_alias_map",
            "model_group_settings",
            "num_retries",
            "request_timeout",
            "set_verbose",
            "success_callback",
        ),
        "litellm_settings",
    ),
    **dict.fromkeys(
        ("allowed_fails", "cooldown_time", "enable_pre_call_checks", "redis_host", "retry_policy"),
        "router_settings",
    ),
    **dict.fromkeys(
        ("alerting", "background_health_checks", "store_model_in_db"), "general_settings"
    ),
}
"""Keys that have no effect at the top level; some have a home in several sections."""
FALLBACKS = frozenset(key for key in HOMES if key.endswith("fallbacks"))
"""These have a home in litellm_settings and in router_settings."""
SECTIONS = ("router_settings", "litellm_settings", "general_settings", "environment_variables")
NOT_IN_ROUTER = {
    "health_check_interval": "Move it below `general_settings:`.",
    "health_check_concurrency": "Move it below `general_settings:`.",
    "alerting_config": "Write `alerting` and `alerting_args` below `general_settings:`.",
}
"""Keys of router_settings that end the start, and where they belong."""


def section_traps(config: CheckedConfig) -> Iterator[Finding]:
    """What is missing, misplaced, or replaced by an included file."""
    yield from _no_models(config)
    yield from _misplaced(config)
    yield from _settings(config)
    yield from _not_in_router(config)
    yield from _includes(config)


def _no_models(config: CheckedConfig) -> Iterator[Finding]:
    models = config.merged.get("model_list")
    if not models or variable_of(models) is not None:
        what = "There is no model: LiteLLM starts, says it is healthy, and serves nothing."
        fix = "Run: rollcall apply"
        if LITELLM_KEYS.isdisjoint(config.merged):
            fix = "Point --config at the file that holds model_list."
        yield config.warning("no_models", what, ("model_list",), fix)


def _high(config: CheckedConfig) -> bool:
    """Whether a file has keys that belong into one of LiteLLM's sections."""
    return not TOO_HIGH.keys().isdisjoint(config.merged)


def _misplaced(config: CheckedConfig) -> Iterator[Finding]:
    for file in config.files:
        for key in file.data:
            if isinstance(key, str) and (home := TOO_HIGH.get(key)):
                what = f"`{key}` has no effect at the top level."
                yield file.warning("misplaced_key", what, (key,), f"Move it below `{home}:`.")
        yield from _unknown(file)
    for section in SECTIONS[:3]:
        for key in config.section(section):
            home = HOMES.get(key, section)
            if section != home and not (key in FALLBACKS and section in SECTIONS[:2]):
                what = f"`{key}` has no effect in {section}."
                fix = f"Move it below `{home}:`."
                yield config.warning("misplaced_key", what, (section, key), fix)


def _unknown(file: CheckedFile) -> Iterator[Finding]:
    """Sections LiteLLM does not know: those that look misspelled each, the others in one finding.

    Not those that hold anchors of other sections, nor the keys of a file that is none of LiteLLM's.
    """
    if LITELLM_KEYS.isdisjoint(file.data):
        return
    others: list[str] = []
    for key in file.data:
        if not isinstance(key, str) or key in LITELLM_KEYS or key in TOO_HIGH:
            continue
        if key.startswith(("x-", "_")) or not key.isidentifier() or _is_shared(file, key):
            continue
        near = did_you_mean(key, LITELLM_KEYS, likeness=0.85)
        longer = [known for known in sorted(LITELLM_KEYS) if known.startswith(f"{key}_")]
        if near or longer:
            what = f"LiteLLM does not know the section `{key}` and ignores it without a word."
            fix = near or f"Did you mean {longer[0]!r}?"
            yield file.warning("unknown_section", what, (key,), fix)
        else:
            others.append(key)
    if others:
        names = ", ".join(f"`{key}`" for key in others[:3])
        names += f" and {len(others) - 3} more" if others[3:] else ""
        many = len(others) > 1
        what = (
            f"LiteLLM does not know the section{'s' * many} {names} and ignores"
            f" {'them' if many else 'it'} without a word."
        )
        fix = "Begin your own keys with `x-`."
        yield file.warning("unknown_section", what, (others[0],), fix)


def _is_shared(file: CheckedFile, key: str) -> bool:
    """Whether other root keys use what stands under this one, by an anchor."""
    inside: set[int] = set()
    outside: set[int] = set()
    for name, value in file.reading.root.value:
        (inside if name.value == key else outside).update(id(node) for node in _mappings(value))
    return not inside.isdisjoint(outside)


CODES = {
    "credential_list": "credential_shape",
    "litellm_jwtauth": "jwtauth",
    "mcp_servers": "mcp_server",
    "model_group_alias": "alias_map",
    "model_list": "model_list_no_list",
}
"""First or last name of a place -> the code of what does not fit there."""
FIXES = {
    "a list": "Begin each item with `- `.",
    "a mapping": "Write `name: value` lines below it, without dashes.",
}
"""What is wanted -> what to do, where that is more than to write it."""


def _settings(config: CheckedConfig) -> Iterator[Finding]:
    """Values LiteLLM cannot use where they stand, and what is missing beside them."""
    for path, wrong in wrong_settings(config.merged):
        what = f"{_told(path)} is not {wrong.wanted}: {wrong.consequence}."
        fix = FIXES.get(wrong.wanted, f"Write {wrong.wanted}, or delete the line.")
        yield config.error(_code(path), what, path, fix)
    for path, name in missing_settings(config.merged):
        what = f"{_told(path)} has no {name}: LiteLLM does not start."
        yield config.error(_code((*path, name)), what, path, f"Add {name}.")


def _told(path: Place) -> str:
    """A place in words: `path of row 1 of pass_through_endpoints in general_settings`."""
    inner = [f"row {step + 1}" if isinstance(step, int) else str(step) for step in path[:0:-1]]
    told = f"{' of '.join(inner)} in {path[0]}" if inner else str(path[0])
    return f"R{told[1:]}" if isinstance(path[-1], int) else told


def _code(path: Place) -> str:
    if known := CODES.get(str(path[0])) or CODES.get(str(path[-1])):
        return known
    if path[0] in SECTIONS and len(path) < 3:
        return "value_does_not_fit" if path[1:] else "section_no_mapping"
    return "section_shape"


def _not_in_router(config: CheckedConfig) -> Iterator[Finding]:
    for key, fix in NOT_IN_ROUTER.items():
        if key in config.section("router_settings"):
            what = f"`{key}` in router_settings: LiteLLM does not start."
            yield config.error("key_in_router", what, ("router_settings", key), fix)


def _includes(config: CheckedConfig) -> Iterator[Finding]:
    for file in config.files:
        include = file.data.get("include")
        if "include" in file.data and not (
            isinstance(include, list) and all(isinstance(entry, str) for entry in include)
        ):
            what = "include is not a list of paths: LiteLLM does not start."
            yield file.error(
                "include_no_list", what, ("include",), "Write `include: [models.yaml]`."
            )
    for entry in config.missing_includes:
        what = f"The included file {entry} is not there: LiteLLM does not start."
        fix = "Create it, or take it out of `include:`."
        naming = [file for file in config.files if entry in rows_of(file.data.get("include"))]
        place = naming[0] if naming else config.root
        yield place.error("include_missing", what, ("include",), fix)
    for file in config.files:
        for key, value in file.data.items():
            if isinstance(key, str) and key != "include" and not config.counts(file, key):
                yield from _replaced(config, file, key, value)


def _replaced(config: CheckedConfig, file: CheckedFile, key: str, value: Any) -> Iterator[Finding]:
    """What a section says, and the included file's that LiteLLM takes instead does not."""
    taken = next(one for one in reversed(config.files) if key in one.data)
    instead = mapping(taken.data[key])
    lost = [str(name) for name in mapping(value) if instead.get(name, ...) != value[name]]
    if not lost and isinstance(value, dict):
        return
    what = f"{taken.name}, an included file, has `{key}` too and replaces this one whole"
    aliases = [str(name) for name in mapping(mapping(value).get("model_group_alias"))]
    gone = [name for name in aliases if name not in mapping(instead.get("model_group_alias"))]
    if key == "router_settings" and gone:
        what += f": the alias {gone[0]}" + (f" and {len(gone) - 1} more" if gone[1:] else "")
        what += " leads nowhere"
    elif lost:
        what += f": {', '.join(lost[:3])} {'has' if len(lost) == 1 else 'have'} no effect"
    make = file.error if gone or FALLBACKS.intersection(lost) else file.warning
    fix = f"Keep `{key}` in one file; only lists such as model_list add up."
    yield make("include_replaces", f"{what}.", (key,), fix)
