"""Checks model_list entry by entry, and what only several entries together make a trap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rollcall.inspect.checked_config import CheckedConfig, CheckedEntry, odd_name, several
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.traps_variables import Outcome, key_outcome
from rollcall.litellm_config.effective import ENVIRONMENTS, mapping, resolved, texts_in, value_at
from rollcall.litellm_config.fields import (
    Consequence,
    Misfit,
    known_providers,
    misfits,
    table_version,
    tells_provider,
    unfit,
)
from rollcall.litellm_config.settings_fields import first_missing
from rollcall.secrets import variable_of

COST = re.compile(r"(?:^|_)cost_per_|_token_cost(?:_|$)")


def entry_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Entry by entry, then what only several of them make a trap."""
    for entry in config.entries:
        if isinstance(entry.item, dict):
            yield from _shape(entry)
            for check in (_values, _provider, _auto_router, _environment):
                yield from check(config, entry)
        else:
            what = f"Entry {entry.index + 1} of model_list is no mapping: LiteLLM does not start."
            fix = "Begin it with `- model_name: ...`, or delete the line."
            yield entry.error("entry_no_mapping", what, fix)
    yield from _wildcards(config)
    yield from _credentials(config)
    yield from _shared_ids(config)


def dropped_names(config: CheckedConfig) -> frozenset[str]:
    """The model_names all of whose entries LiteLLM drops, whatever table of models it has."""
    kept: dict[str, bool] = {}
    for entry in config.entries:
        if entry.name is not None:
            kept[entry.name] = kept.get(entry.name, False) or not _is_dropped(config, entry)
    return frozenset(name for name, stays in kept.items() if not stays)


def _is_dropped(config: CheckedConfig, entry: CheckedEntry) -> bool:
    for _, wrong in _misfits(config, entry):
        if wrong.consequence is Consequence.DROPPED:
            return True
    checks = (_provider, _auto_router, _environment)
    found = (one for check in checks for one in check(config, entry))
    return any(one.level is Level.ERROR for one in found)


def _shape(entry: CheckedEntry) -> Iterator[Finding]:
    name = entry.data.get("model_name")
    if name is None:
        what = f"Entry {entry.index + 1} of model_list has no model_name: LiteLLM does not start."
        yield entry.error("no_model_name", what, "Add `model_name: NAME`.")
    elif not isinstance(name, str):
        what = f"The model_name {name!r} is read as a {_kind(name)}: LiteLLM does not start."
        fix = "Put the name in quotes, as it is written."
        yield entry.error("name_not_text", what, fix, "model_name")
    elif not name:
        what = f"Entry {entry.index + 1} of model_list has an empty model_name: no call reaches it."
        yield entry.error("name_empty", what, "Give it a name.", "model_name")
    model = entry.params.get("model")
    for field, text in (("model_name", name), ("litellm_params", model)):
        if isinstance(text, str) and (odd := odd_name(text)):
            what = f"The name {text!r} {odd[1]}: every call fails."
            fix = "Use plain letters; show another name by model_info.display_name."
            yield entry.error(odd[0], what, fix, field)
    if not isinstance(model, str):
        what = f"{entry.called} has no litellm_params.model: LiteLLM does not start."
        fix = "Add `litellm_params: {model: PROVIDER/ID}`."
        yield entry.error("no_litellm_model", what, fix, "litellm_params")
    info = entry.data.get("model_info", {})
    if not isinstance(info, dict):
        kind = "empty" if info is None else "no mapping"
        what = f"The model_info of {entry.called} is {kind}: LiteLLM does not start."
        fix = "Delete the line, or write `model_info: {}`."
        yield entry.error("model_info_null", what, fix, "model_info")


def _values(config: CheckedConfig, entry: CheckedEntry) -> Iterator[Finding]:
    """Values that do not fit their fields, those of variables too."""
    for path, wrong in _misfits(config, entry):
        field = path[-1]
        what = f"{field} of {entry.called} is not {wrong.wanted}: {wrong.consequence}."
        fix = f"Write {wrong.wanted}, or delete the line."
        if wrong.in_quotes:
            fix = "Put the value in quotes."
        if variable := variable_of(value_at(entry.data, path)):
            fix = f"Set {variable} to {wrong.wanted}, or unset it."
        if wrong.consequence is Consequence.NO_EFFECT:
            yield entry.warning("value_does_not_fit", what, fix, *path)
            continue
        code = "cost_not_a_number" if COST.search(field) else "value_does_not_fit"
        yield entry.error(code, what, fix, *path)
    yield from _prices(entry)


def _misfits(
    config: CheckedConfig, entry: CheckedEntry
) -> Iterator[tuple[tuple[str, ...], Misfit]]:
    """Each field that LiteLLM cannot use as it has it, where a variable gives it a value."""
    for section, path, fields in (
        ("entry", (), entry.data),
        ("litellm_params", ("litellm_params",), entry.params),
        ("model_info", ("model_info",), entry.info),
    ):
        known = {
            key: config.environ.get(variable_of(value) or "", value)
            for key, value in fields.items()
        }
        for field, _, wrong in misfits(section, known):
            yield (*path, field), wrong


def _prices(entry: CheckedEntry) -> Iterator[Finding]:
    for section in ("litellm_params", "model_info"):
        for key, value in mapping(entry.data.get(section)).items():
            if not isinstance(key, str) or not COST.search(key) or isinstance(value, dict | list):
                continue
            number = _number(value)
            if number is not None and (isinstance(value, bool) or not number >= 0):
                what = f"{key} of {entry.called} is no price: budgets would go wrong."
                fix = "Write USD per token, or leave it out."
                yield entry.warning("cost_no_price", what, fix, section, key)


WITH_PROVIDER = "Write it as PROVIDER/ID, all lower-case."


def _provider(config: CheckedConfig, entry: CheckedEntry) -> Iterator[Finding]:
    """A provider that LiteLLM does not know: it drops the entry."""
    model, given, base = (
        resolved(entry.params.get(field), config.environ)
        for field in ("model", "custom_llm_provider", "api_base")
    )
    if not isinstance(model, str) or (given is None and entry.params.get("custom_llm_provider")):
        return
    rows = config.section("litellm_settings").get("custom_provider_map")
    known = known_providers() | texts_in(rows, "provider")
    provider, slash, _ = model.partition("/")
    if given in known or (given is None and slash and provider in known):
        return
    field = "model"
    what = f"the provider `{given or provider}`, which LiteLLM does not know: it drops the entry"
    if given is not None:
        field = "custom_llm_provider"
    elif not model:
        what = "no model: LiteLLM drops the entry without a word"
    elif tells_provider(model, base):
        return
    elif not slash:
        what = f"{entry.called} names no provider, and LiteLLM {table_version()} does not know"
        what += f" {model}: it drops the entry, unless a newer table of its own has it."
        yield entry.warning("unknown_provider", what, WITH_PROVIDER, "litellm_params", field)
        return
    what = f"{entry.called} names {what}."
    yield entry.error("unknown_provider", what, WITH_PROVIDER, "litellm_params", field)


AUTO_ROUTERS = {
    "auto_router/adaptive_router": ("adaptive_router_config", "LiteLLM does not start"),
    "auto_router/complexity_router": (
        "complexity_router_config/complexity_router_default_model",
        "LiteLLM drops the entry without a word",
    ),
    "auto_router/quality_router": (
        "quality_router_config/quality_router_default_model",
        "LiteLLM drops the entry without a word",
    ),
    "auto_router/": (
        "auto_router_config/auto_router_config_path auto_router_default_model"
        " auto_router_embedding_model",
        "LiteLLM drops the entry without a word",
    ),
}
"""How the model of an entry begins that chooses among others -> what it needs, and what becomes of
it else.
"""


def _auto_router(config: CheckedConfig, entry: CheckedEntry) -> Iterator[Finding]:
    model = resolved(entry.params.get("model"), config.environ) or ""
    kind = next((prefix for prefix in AUTO_ROUTERS if model.startswith(prefix)), None)
    if kind is None:
        return
    needs, ends = AUTO_ROUTERS[kind]
    if missing := first_missing(needs, entry.params, config.environ):
        what = f"The router {entry.called} has no {missing}: {ends}."
        fix = f"Add {missing} to its litellm_params."
        yield entry.error("auto_router", what, fix, "litellm_params", "model")
    elif kind == "auto_router/adaptive_router":
        yield from _adaptive_router(config, entry)


def _adaptive_router(config: CheckedConfig, entry: CheckedEntry) -> Iterator[Finding]:
    """The models it chooses among, and what the first entry of each says for it."""
    names = mapping(entry.params["adaptive_router_config"]).get("available_models")
    if not isinstance(names, list):
        what = "adaptive_router_config has no list of available_models: LiteLLM does not start."
        fix = "Write `available_models: [NAME]` in it."
        yield entry.error("auto_router", what, fix, "litellm_params", "adaptive_router_config")
        return
    first = {one.name: one for one in reversed(config.entries) if one.name in names}
    for one in first.values():
        given = one.info.get("adaptive_router_preferences")
        if wrong := unfit("preferences", Consequence.NO_START, given):
            what = f"adaptive_router_preferences of {one.called} are not {wrong.wanted}"
            what = f"{what}: {wrong.consequence}."
            fix = "Write {quality_tier: 2}, or delete the line."
            code = "auto_router" if isinstance(given, dict) else "router_preferences"
            yield one.error(code, what, fix, "model_info", "adaptive_router_preferences")


def _environment(config: CheckedConfig, entry: CheckedEntry) -> Iterator[Finding]:
    """`supported_environments` that leaves an entry out everywhere, not only elsewhere."""
    wanted = entry.info.get("supported_environments")
    if wanted is None or variable_of(wanted) is not None:
        return
    here = config.environ.get("LITELLM_ENVIRONMENT")
    known = ", ".join(ENVIRONMENTS)
    problem = None
    fix = f"Use a list of {known}."
    if not isinstance(wanted, list):
        problem = "is not a list"
    elif strange := [one for one in wanted if one not in ENVIRONMENTS]:
        problem = f"names {strange[0]!r}, which LiteLLM does not know"
    elif here is None:
        problem = "is given, and LITELLM_ENVIRONMENT is not set"
        fix = f"Set LITELLM_ENVIRONMENT to one of {known}."
    elif here not in ENVIRONMENTS:
        problem = f"is given, and LITELLM_ENVIRONMENT is {here!r}, which LiteLLM does not know"
        fix = f"Set LITELLM_ENVIRONMENT to one of {known}."
    if problem:
        what = f"supported_environments of {entry.called} {problem}: LiteLLM drops the entry."
        yield entry.error("environments", what, fix, "model_info", "supported_environments")


def _wildcards(config: CheckedConfig) -> Iterator[Finding]:
    """Entries LiteLLM expands out of its own table: one finding for them all."""
    if config.section("litellm_settings").get("check_provider_endpoint") is True:
        return  # it asks the providers
    found = [entry for entry in config.entries if _is_expanded(entry)]
    if found:
        who = several(found, "offer")
        what = f"{who} whatever LiteLLM's own table holds, withdrawn models included."
        fix = "Name what you want in policy.yaml instead: rollcall init"
        yield found[0].warning("wildcard", what, fix, "model_name")


def _is_expanded(entry: CheckedEntry) -> bool:
    """Whether /v1/models shows names for an entry's wildcard: only a provider's, or for `*` that of
    the model. Another pattern is a route to one model.
    """
    name, model = entry.name or "", entry.params.get("model")
    if "*" not in name:
        return False
    return "/" in name or (name == "*" and isinstance(model, str) and "/*" in model)


def _credentials(config: CheckedConfig) -> Iterator[Finding]:
    """Entries that name a credential."""
    listed = config.merged.get("credential_list")
    names = texts_in(listed, "credential_name")
    from_database = config.section("general_settings").get("store_model_in_db")
    nowhere: dict[tuple[str, str], list[CheckedEntry]] = {}
    place = ("litellm_params", "litellm_credential_name")
    for entry in config.entries:
        name = entry.params.get("litellm_credential_name")
        if not isinstance(name, str) or variable_of(name) is not None:
            continue
        if name not in names and not from_database:
            ends = _without_credential(config, entry.params)
            nowhere.setdefault((name, ends), []).append(entry)
        elif resolved(entry.params.get("api_key"), config.environ):
            what = f"{entry.called} has an api_key too, which wins over {name}."
            yield entry.warning("credential_unused", what, "Keep one of the two.", *place)
    for (name, ends), entries in nowhere.items():
        what = f"{several(entries, 'name')} the credential {name}, which is nowhere: {ends}."
        fix = "Add it to credential_list, or correct the name."
        if listed is None:
            fix += " If another file includes this one, look at that: rollcall doctor -c FILE"
        make = entries[0].error if ends == FAILS else entries[0].warning
        yield make("credential_nowhere", what, fix, *place)


FAILS = "every call fails"


def _without_credential(config: CheckedConfig, params: Mapping[Any, Any]) -> str:
    """What the calls of an entry do whose credential is nowhere."""
    outcome, instead = key_outcome(config, {**params, "litellm_credential_name": None})
    if outcome is Outcome.AS_IF_ABSENT or params.get("api_key") is not None:
        return "it has no effect"
    return f"LiteLLM uses {instead}" if instead else FAILS


def _shared_ids(config: CheckedConfig) -> Iterator[Finding]:
    first: dict[str, CheckedEntry] = {}
    for entry in config.entries:
        identity = entry.info.get("id")
        if isinstance(identity, str) and first.setdefault(identity, entry) is not entry:
            what = (
                f"{first[identity].called} and {entry.called} share the model_info.id {identity}."
            )
            fix = "Give each entry an id of its own."
            yield entry.warning("shared_id", what, fix, "model_info", "id")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "yes or no"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is the question
    except (TypeError, ValueError):
        return None
