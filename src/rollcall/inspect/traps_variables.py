"""One walk over config.yaml and its includes for variables: what becomes of one that is not set.

LiteLLM replaces `os.environ/NAME` wherever it is the whole value of a key, and takes what is not
set for null. Whether it then starts, fails calls, uses another key or goes on as if the line were
not there depends on the place. In a list of texts, and in any other notation, it looks nothing up:
the text itself is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rollcall.inspect.checked_config import CheckedConfig, CheckedEntry, CheckedFile, several
from rollcall.inspect.findings import Finding
from rollcall.inspect.releases import pattern_of
from rollcall.litellm_config.effective import config_variables, mapping, provider_and_id, rows_of
from rollcall.litellm_config.settings_fields import NULL_ENDS_START
from rollcall.providers.builtin import BUILTIN
from rollcall.secrets import (
    MARK,
    REFERENCE,
    is_known_key,
    looks_like_key,
    names_secret,
    variable_of,
)

if TYPE_CHECKING:
    from rollcall.yaml_reading import Place

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
OTHER_NOTATION: Final = re.compile(
    rf"\s*(?:\$\{{(?P<a>{_NAME})\}}|\$(?P<b>{_NAME})|%(?P<c>{_NAME})%|\{{\{{\s*(?P<d>{_NAME})\s*\}}\}}"
    rf"|(?i:os\.environ|env|environ)[./\[(]+[\"']?(?P<e>{_NAME})[\"'\])]*"
    rf"|(?i:os\.getenv)\([\"']?(?P<f>{_NAME})[\"']?\))\s*"
)
"""How variables are written elsewhere: shells, cmd, templates, Python, other casing, a blank."""
NO_NAME: Final = re.compile(r"[^\w.\-]")
"""All that stands behind `os.environ/` is the name to LiteLLM, a path or a second one included."""
INSIDE: Final = re.compile(rf"\$\{{({_NAME})\}}")


class Outcome(Enum):
    """What becomes of a place whose variable is not set, the worst first: the code of the finding,
    and how it ends.
    """

    NO_START = "variable_no_start", ": LiteLLM does not start."
    CALLS_FAIL = "variable_unset", ": listed, but every call fails."
    FALLS_BACK = "variable_falls_back", ": LiteLLM uses {instead} instead."
    ELSEWHERE = (
        "variable_elsewhere",
        " as api_base: calls, and the key, go to the provider's own address.",
    )
    AS_IF_ABSENT = "variable_ignored", ": LiteLLM goes on as if the line were not there."


NO_START: Final = (
    "model_list.#.model_name",
    "model_list.#.litellm_params",
    "model_list.#.litellm_params.model",
    "model_list.#.model_info",
    "router_settings.fallbacks.#.*",
    "router_settings.content_policy_fallbacks.#.*",
    "litellm_settings.audit_log_callbacks",
    "litellm_settings.callbacks",
    "litellm_settings.failure_callback",
    "litellm_settings.post_call_rules",
    "litellm_settings.success_callback",
    *NULL_ENDS_START,
)
"""Places where null ends the start; `#` is any item of a list, `*` any key."""
CALLS_FAIL: Final = (
    "model_list.#.litellm_params.extra_headers.*",
    "model_list.#.litellm_params.headers.*",
    "router_settings.model_group_alias.*",
    "router_settings.routing_strategy",
    "litellm_settings.request_timeout",
    "general_settings.allowed_routes",
)
"""Places where null fails calls: of the entry, of the alias, or all of them."""
ELSEWHERE: Final = ("model_list.#.litellm_params.api_base",)
"""Places where null sends calls, and the entry's key, to the provider's own address."""
WEBHOOKS: Final = "general_settings.alert_to_webhook_url."
"""Below it LiteLLM looks up what stands in lists, too, and needs every value where it alerts."""
KEY: Final = "model_list.#.litellm_params.api_key"
CREDENTIAL_KEY: Final = "credential_list.#.credential_values.api_key"
ELSEWHERE_READ: Final = ("include", "environment_variables")
"""Sections in whose lists a reference is nobody's."""
LOOKED_UP_LATER: Final = frozenset({"general_settings.master_key", "include"})
"""Places that other checks judge."""


class Use(NamedTuple):
    """One place that names a variable. `place` is its path as a pattern, `who` who needs it."""

    file: CheckedFile
    path: Place
    place: str
    who: str
    value: Any
    in_list: bool


def variable_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Variables that are not set, by what becomes of that, and texts that stay texts."""
    uses = [
        use
        for file in config.files
        for use in _uses(file)
        if not use.path or config.counts(file, use.path[0])
    ]
    yield from _as_text(uses)
    if config.section("general_settings").get("key_management_system"):
        return  # it may hold them all
    yield from _nulls(uses)
    yield from _unset(config, uses)
    yield from _without_key(config)


PUT_AWAY: Final = (
    "Put it into .env and write os.environ/NAME here; change the key if others saw the file."
)


def plain_keys(config: CheckedConfig) -> Iterator[Finding]:
    """Keys that stand in a file."""
    for file in config.files:
        for use in _uses(file):
            if isinstance(use.value, str) and is_known_key(use.value.strip()):
                what = f"A key of {use.who} stands in the file in plain text."
                if use.place == "general_settings.master_key":
                    continue
                yield file.warning("plain_key", what, use.path, PUT_AWAY)
        master = mapping(file.data.get("general_settings")).get("master_key")
        if isinstance(master, str) and master and not _is_reference(master):
            what = "The master key stands in the file in plain text."
            path = ("general_settings", "master_key")
            yield file.warning("plain_master_key", what, path, PUT_AWAY)


def _is_reference(text: str) -> bool:
    return variable_of(text) is not None or OTHER_NOTATION.fullmatch(text) is not None


def _uses(file: CheckedFile) -> Iterator[Use]:
    """Every scalar of a file that may name a variable, in file order."""
    waiting: list[tuple[Place, Any, bool]] = [((), file.data, False)]
    while waiting:
        path, value, in_list = waiting.pop()
        if isinstance(value, dict):
            inner = [((*path, key), one, False) for key, one in value.items() if _is_step(key)]
            waiting.extend(reversed(inner))
        elif isinstance(value, list):
            items = [((*path, at), one, True) for at, one in enumerate(value)]
            waiting.extend(reversed(items))
        elif value is None or isinstance(value, str):
            yield Use(file, path, pattern_of(path), _who(file, path), value, in_list)


def _is_step(key: object) -> bool:
    return isinstance(key, str) and not key.startswith("x-")


def _who(file: CheckedFile, path: Place) -> str:
    """Whom a place belongs to: an entry by its name, else the place itself."""
    if path and path[0] == "model_list" and len(path) > 2 and isinstance(path[1], int):
        return file.entries[path[1]].called
    return ".".join(str(step) for step in path if not isinstance(step, int))


def _matches(place: str, patterns: tuple[str, ...]) -> bool:
    if place in patterns:
        return True
    head = place.rpartition(".")[0]
    return f"{head}.*" in patterns


_ADDRESSES = ("api_base", "base_url", "url", "host", "database_url")


def _as_text(uses: list[Use]) -> Iterator[Finding]:
    """References that LiteLLM does not see: in a list of texts, or in another notation."""
    for use in uses:
        if not isinstance(use.value, str):
            continue
        if variable_of(use.value) is None:
            yield from _other_notation(use, use.value)
        elif use.in_list and not _is_looked_up(use) and use.path[0] not in ELSEWHERE_READ:
            what = (
                f"LiteLLM looks no variable up in a list of texts: {use.who} gets the text"
                f" {_shown(use.value)} itself."
            )
            yield use.file.warning("variable_as_text", what, use.path, "Write the value itself.")


def _shown(reference: str) -> str:
    """A reference as it may be shown: people paste keys behind `os.environ/`."""
    return f"{REFERENCE}{MARK}" if looks_like_key(variable_of(reference) or "") else reference


def _is_looked_up(use: Use) -> bool:
    """Whether LiteLLM replaces a reference there: no item of a list, with one exception."""
    return not use.in_list or use.place.startswith(WEBHOOKS)


def _ends_alerting(use: Use) -> bool:
    """Whether LiteLLM, which sets up its alerts first, cannot start without this webhook."""
    alerts = mapping(use.file.data.get("general_settings")).get("alerting")
    return use.place.startswith(WEBHOOKS) and alerts is not None


def _other_notation(use: Use, text: str) -> Iterator[Finding]:
    name = str(next((step for step in reversed(use.path) if isinstance(step, str)), ""))
    found = None
    if name in _ADDRESSES or names_secret(name):
        found = OTHER_NOTATION.fullmatch(text)
    if found is None and name in _ADDRESSES:
        found = INSIDE.search(text)
    in_entry = use.place.startswith("model_list.#.litellm_params.")
    if found is None and not (in_entry and REFERENCE in text):
        return
    variable = next(filter(None, found.groups()), "NAME") if found else "NAME"
    what = f"{name} of {use.who} names a variable in a way LiteLLM does not read: the text itself"
    fix = f"Write {REFERENCE}{variable} and nothing else."
    yield use.file.error("variable_as_text", f"{what} is used.", use.path, fix)


def _nulls(uses: list[Use]) -> Iterator[Finding]:
    """Null written out where LiteLLM needs a value; entries are checked as such."""
    for use in uses:
        if use.value is not None or use.place.startswith("model_list.#."):
            continue
        if not _is_looked_up(use):
            continue
        in_alias = use.place.startswith("router_settings.model")
        ends = ""
        if _matches(use.place, NO_START) or _ends_alerting(use):
            ends = "LiteLLM does not start"
        elif _matches(use.place, CALLS_FAIL) and not in_alias:
            ends = "every call fails"
        if ends:
            what = f"{use.who} has no value: {ends}."
            yield use.file.error("no_value", what, use.path, "Give it one, or delete the line.")


def _unset(config: CheckedConfig, uses: list[Use]) -> Iterator[Finding]:
    """What becomes of each variable that is not set, the worst of each first."""
    groups: dict[tuple[str, Outcome, str, str], list[Use]] = {}
    for use in uses:
        variable = variable_of(use.value)
        if variable is None or not _is_looked_up(use) or config.environ.get(variable):
            continue
        if use.place in LOOKED_UP_LATER or use.path[0] == "environment_variables":
            continue
        if use.path[0] == "model_list" and variable in config.environ and use.place != KEY:
            continue  # set to nothing: a text, which the field's own check judges
        outcome, instead = _outcome(config, use)
        if instead == variable:
            continue  # it is in environment_variables, and LiteLLM reads it by itself in time
        place = use.place if outcome is Outcome.NO_START else ""  # what starts, changes by release
        groups.setdefault((variable, outcome, instead, place), []).append(use)
    for (variable, outcome, instead, _), places in sorted(
        groups.items(), key=lambda group: _rank(group[0][1:])
    ):
        yield _told(variable, outcome, instead, places, config)


def _outcome(config: CheckedConfig, use: Use) -> tuple[Outcome, str]:
    """What becomes of one place, and for a key the variable that is used instead."""
    if _matches(use.place, NO_START) or _ends_cache(config, use) or _ends_alerting(use):
        return Outcome.NO_START, ""
    if use.place == KEY:
        return key_outcome(config, use.file.entries[int(use.path[1])].params)
    if _matches(use.place, CALLS_FAIL):
        return Outcome.CALLS_FAIL, ""
    if use.place == CREDENTIAL_KEY:
        return _credential_outcome(config, use)
    if use.place in ELSEWHERE:
        return Outcome.ELSEWHERE, ""
    return Outcome.AS_IF_ABSENT, ""


def _credential_outcome(config: CheckedConfig, use: Use) -> tuple[Outcome, str]:
    """What the calls of the entries do that name a credential without its key."""
    row = mapping(rows_of(use.file.data.get("credential_list"))[int(use.path[1])])
    worst: tuple[Outcome, str] = (Outcome.AS_IF_ABSENT, "")
    for entry in config.entries:
        if entry.params.get("litellm_credential_name") == row.get("credential_name"):
            bare = {**entry.params, "litellm_credential_name": None}
            worst = min(worst, key_outcome(config, bare), key=_rank)
    return worst


def _rank(outcome: Sequence[Any]) -> int:
    return list(Outcome).index(outcome[0])


def key_outcome(config: CheckedConfig, params: Mapping[Any, Any]) -> tuple[Outcome, str]:
    """What the calls of an entry do that gives no key, and the variable used instead."""
    usual = usual_keys(params)
    if params.get("litellm_credential_name") or usual == ():
        return Outcome.AS_IF_ABSENT, ""
    given = config_variables(config.merged)
    for name in usual or _likely_keys(params):
        if config.environ.get(name) or given.get(name):
            return Outcome.FALLS_BACK, name
    return Outcome.CALLS_FAIL, ""


USUAL_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    **{row.litellm_prefix: () if row.key_optional else row.key_env for row in BUILTIN.values()},
    "azure": ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "litellm_proxy": ("LITELLM_PROXY_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "ollama": (),
    "text-completion-openai": ("OPENAI_API_KEY",),
}
"""LiteLLM's provider -> the variables it reads a key from by itself; () = it needs none."""


def usual_keys(params: Mapping[Any, Any]) -> tuple[str, ...] | None:
    """The variables LiteLLM reads an entry's key from by itself; None where that is not known."""
    return USUAL_KEYS.get(_provider_of(params) or "")


def _likely_keys(params: Mapping[Any, Any]) -> tuple[str, ...]:
    """The variable most of LiteLLM's other providers have their key in."""
    provider = re.sub(r"[^A-Z0-9]", "_", (_provider_of(params) or "").upper())
    return (f"{provider}_API_KEY", f"{provider.replace('_', '')}_API_KEY") if provider else ()


def _provider_of(params: Mapping[Any, Any]) -> str | None:
    model, provider = params.get("model"), params.get("custom_llm_provider")
    if isinstance(provider, str) or not isinstance(model, str):
        return provider if isinstance(model, str) else None
    return provider_and_id(model)[0]


def _ends_cache(config: CheckedConfig, use: Use) -> bool:
    """Whether the cache, and so LiteLLM, cannot start without this setting."""
    return use.place == "litellm_settings.cache_params.type" and config.cache_params is not None


def _told(
    variable: str, outcome: Outcome, instead: str, places: list[Use], config: CheckedConfig
) -> Finding:
    first = places[0]
    who = list(dict.fromkeys(use.who for use in places))
    names = f"{who[0]} and {len(who) - 1} more need" if len(who) > 1 else f"{who[0]} needs"
    joined = f"{variable} is not set, and {names} it"
    fix = f"Set {variable} in the environment or .env, or take the line out."
    if variable in config_variables(config.merged):
        joined = f"{variable} stands in environment_variables, too late for {who[0]}"
        fix = f"Set {variable} in the environment or .env, which LiteLLM reads first."
    elif looks_like_key(variable):
        joined = f"What stands behind {REFERENCE} is no variable's name but a key, it seems, and"
        joined += f" {names} it"
        fix = PUT_AWAY
    elif NO_NAME.search(variable):
        joined = f"{variable!r} is no variable's name, and {names} it"
        fix = f"Write {REFERENCE}NAME and nothing else; NAME holds the whole value."
    code, ends = outcome.value
    fails = outcome is Outcome.CALLS_FAIL and first.place not in (KEY, CREDENTIAL_KEY)
    make = first.file.error if fails or outcome is Outcome.NO_START else first.file.warning
    return make(code, joined + ends.format(instead=instead), first.path, fix)


def _without_key(config: CheckedConfig) -> Iterator[Finding]:
    """Entries that name no key at all, and whose usual variable is not set."""
    missing: dict[tuple[str, ...], list[CheckedEntry]] = {}
    for entry in config.entries:
        usual = usual_keys(entry.params)
        if not usual or entry.params.get("api_key") is not None or "model_name" not in entry.data:
            continue
        if key_outcome(config, entry.params)[0] is Outcome.CALLS_FAIL:
            missing.setdefault(usual, []).append(entry)
    for names, entries in missing.items():
        unset = f"none of {', '.join(names)} is set" if names[1:] else f"{names[0]} is not set"
        what = f"{several(entries, 'name')} no key, and {unset}: listed, but every call fails."
        fix = f"Set {' or '.join(names)} in the environment or .env, or take the entries out."
        yield entries[0].warning("variable_unset", what, fix, "litellm_params")
