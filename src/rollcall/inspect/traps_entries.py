"""Checks model_list entry by entry, and what only several entries together make a trap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rollcall.inspect.checked_config import CheckedConfig, CheckedFile, called, odd_name
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.traps_variables import Outcome, key_outcome
from rollcall.litellm_config.effective import ENVIRONMENTS, mapping, resolved, rows_of
from rollcall.litellm_config.fields import (
    Consequence,
    known_providers,
    misfits,
    table_version,
    tells_provider,
    unfit,
)
from rollcall.litellm_config.settings_fields import first_missing
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from rollcall.yaml_reading import Place

COST = re.compile(r"(?:^|_)cost_per_|_token_cost(?:_|$)")


def entry_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Entry by entry, then what only several of them make a trap."""
    for file, index, entry in config.entries:
        if isinstance(entry, dict):
            yield from _shape(file, index, entry)
            yield from _values(config, file, index, entry)
            yield from _provider(config, file, index, entry)
            yield from _auto_router(config, file, index, entry)
            yield from _environment(config, file, index, entry)
        else:
            what = f"Entry {index + 1} of model_list is no mapping: LiteLLM does not start."
            fix = "Begin it with `- model_name: ...`, or delete the line."
            yield file.error("entry_no_mapping", what, ("model_list", index), fix)
    yield from _wildcards(config)
    yield from _credentials(config)
    yield from _shared_ids(config)


def dropped_names(config: CheckedConfig) -> frozenset[str]:
    """The model_names all of whose entries LiteLLM drops, whatever table of models it has."""
    kept: dict[str, bool] = {}
    for file, index, entry in config.entries:
        name = mapping(entry).get("model_name")
        if isinstance(name, str):
            kept[name] = kept.get(name, False) or not _is_dropped(config, file, index, entry)
    return frozenset(name for name, stays in kept.items() if not stays)


def _is_dropped(
    config: CheckedConfig, file: CheckedFile, index: int, entry: dict[str, Any]
) -> bool:
    for section in ("litellm_params", "model_info"):
        fields = mapping(entry.get(section))
        known = {key: _known(value, config.environ) for key, value in fields.items()}
        if any(wrong.consequence is Consequence.DROPPED for *_, wrong in misfits(section, known)):
            return True
    checks = (_provider, _auto_router, _environment)
    found = (one for check in checks for one in check(config, file, index, entry))
    return any(one.level is Level.ERROR for one in found)


def _shape(file: CheckedFile, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    name = entry.get("model_name")
    place = ("model_list", index)
    if name is None:
        what = f"Entry {index + 1} of model_list has no model_name: LiteLLM does not start."
        yield file.error("no_model_name", what, place, "Add `model_name: NAME`.")
    elif not isinstance(name, str):
        what = f"The model_name {name!r} is read as a {_kind(name)}: LiteLLM does not start."
        fix = "Put the name in quotes, as it is written."
        yield file.error("name_not_text", what, (*place, "model_name"), fix)
    elif not name:
        what = f"Entry {index + 1} of model_list has an empty model_name: no call reaches it."
        yield file.error("name_empty", what, (*place, "model_name"), "Give it a name.")
    params = entry.get("litellm_params")
    model = params.get("model") if isinstance(params, dict) else None
    for field, text in (("model_name", name), ("litellm_params", model)):
        if isinstance(text, str) and (odd := odd_name(text)):
            what = f"The name {text!r} {odd[1]}: every call fails."
            fix = "Use plain letters; show another name by model_info.display_name."
            yield file.error(odd[0], what, (*place, field), fix)
    if not isinstance(model, str):
        what = f"{called(entry, index)} has no litellm_params.model: LiteLLM does not start."
        fix = "Add `litellm_params: {model: PROVIDER/ID}`."
        yield file.error("no_litellm_model", what, (*place, "litellm_params"), fix)
    if "model_info" in entry and not isinstance(entry["model_info"], dict):
        kind = "empty" if entry["model_info"] is None else "no mapping"
        what = f"The model_info of {called(entry, index)} is {kind}: LiteLLM does not start."
        fix = "Delete the line, or write `model_info: {}`."
        yield file.error("model_info_null", what, (*place, "model_info"), fix)


def _values(
    config: CheckedConfig, file: CheckedFile, index: int, entry: dict[str, Any]
) -> Iterator[Finding]:
    """Values that do not fit their fields, those of variables too."""
    place: Place = ("model_list", index)
    for section in ("entry", "litellm_params", "model_info"):
        fields = entry if section == "entry" else mapping(entry.get(section))
        known = {key: _known(value, config.environ) for key, value in fields.items()}
        for field, _, wrong in misfits(section, known):
            path = (*place, field) if section == "entry" else (*place, section, field)
            name = called(entry, index)
            what = f"{field} of {name} is not {wrong.wanted}: {wrong.consequence}."
            fix = f"Write {wrong.wanted}, or delete the line."
            if wrong.in_quotes:
                fix = "Put the value in quotes."
            if variable := variable_of(fields[field]):
                fix = f"Set {variable} to {wrong.wanted}, or unset it."
            if wrong.consequence is Consequence.NO_EFFECT:
                yield file.warning("value_does_not_fit", what, path, fix)
                continue
            code = "cost_not_a_number" if COST.search(field) else "value_does_not_fit"
            yield file.error(code, what, path, fix)
    yield from _prices(file, index, entry)


def _known(value: object, environ: Mapping[str, str]) -> object:
    """A value as LiteLLM has it, where a variable gives it one."""
    variable = variable_of(value)
    return environ[variable] if variable is not None and variable in environ else value


def _prices(file: CheckedFile, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    for section in ("litellm_params", "model_info"):
        for key, value in mapping(entry.get(section)).items():
            if not isinstance(key, str) or not COST.search(key) or isinstance(value, dict | list):
                continue
            number = _number(value)
            if number is not None and (isinstance(value, bool) or not number >= 0):
                path = ("model_list", index, section, key)
                what = f"{key} of {called(entry, index)} is no price: budgets would go wrong."
                fix = "Write USD per token, or leave it out."
                yield file.warning("cost_no_price", what, path, fix)


def _provider(
    config: CheckedConfig, file: CheckedFile, index: int, entry: dict[str, Any]
) -> Iterator[Finding]:
    """A provider that LiteLLM does not know: it drops the entry."""
    params = mapping(entry.get("litellm_params"))
    model = resolved(params.get("model"), config.environ)
    given = resolved(params.get("custom_llm_provider"), config.environ)
    if not isinstance(model, str) or (given is None and params.get("custom_llm_provider")):
        return
    rows = rows_of(config.section("litellm_settings").get("custom_provider_map"))
    known = known_providers() | {mapping(row).get("provider") for row in rows}
    path: Place = ("model_list", index, "litellm_params", "model")
    if not model and given is None:
        what = f"{called(entry, index)} names no model: LiteLLM drops the entry without a word."
        yield file.error("unknown_provider", what, path, WITH_PROVIDER)
        return
    provider, slash, _ = model.partition("/")
    if given in known or (given is None and slash and provider in known):
        return
    if given is not None:
        path, named = (*path[:-1], "custom_llm_provider"), f"the provider `{given}`"
    elif tells_provider(model, resolved(params.get("api_base"), config.environ)):
        return
    elif slash:
        named = f"the provider `{provider}`"
    else:
        what = f"{called(entry, index)} names no provider, and LiteLLM {table_version()} does not"
        what += f" know {model}: it drops the entry, unless a newer table of its own has it."
        yield file.warning("unknown_provider", what, path, WITH_PROVIDER)
        return
    what = f"{called(entry, index)} names {named}, which LiteLLM does not know: it drops the entry."
    yield file.error("unknown_provider", what, path, WITH_PROVIDER)


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


def _auto_router(
    config: CheckedConfig, file: CheckedFile, index: int, entry: dict[str, Any]
) -> Iterator[Finding]:
    params = mapping(entry.get("litellm_params"))
    model = resolved(params.get("model"), config.environ) or ""
    kind = next((prefix for prefix in AUTO_ROUTERS if model.startswith(prefix)), None)
    if kind is None:
        return
    needs, ends = AUTO_ROUTERS[kind]
    if missing := first_missing(needs, params, config.environ):
        what = f"The router {called(entry, index)} has no {missing}: {ends}."
        path: Place = ("model_list", index, "litellm_params", "model")
        yield file.error("auto_router", what, path, f"Add {missing} to its litellm_params.")
    elif kind == "auto_router/adaptive_router":
        yield from _adaptive_router(config, file, index, params["adaptive_router_config"])


def _adaptive_router(
    config: CheckedConfig, file: CheckedFile, index: int, settings: object
) -> Iterator[Finding]:
    """The models it chooses among, and what the first entry of each says for it."""
    names = mapping(settings).get("available_models")
    if not isinstance(names, list):
        what = "adaptive_router_config has no list of available_models: LiteLLM does not start."
        place: Place = ("model_list", index, "litellm_params", "adaptive_router_config")
        yield file.error("auto_router", what, place, "Write `available_models: [NAME]` in it.")
        return
    first = {mapping(row[2]).get("model_name"): row for row in reversed(config.entries)}
    for where, at, entry in (first[name] for name in names if name in first):
        given = mapping(entry.get("model_info")).get("adaptive_router_preferences")
        if wrong := unfit("preferences", Consequence.NO_START, given):
            what = f"adaptive_router_preferences of {called(entry, at)} are not {wrong.wanted}"
            place = ("model_list", at, "model_info", "adaptive_router_preferences")
            fix = "Write {quality_tier: 2}, or delete the line."
            code = "auto_router" if isinstance(given, dict) else "router_preferences"
            yield where.error(code, f"{what}: {wrong.consequence}.", place, fix)


WITH_PROVIDER = "Write it as PROVIDER/ID, all lower-case."


def _environment(
    config: CheckedConfig, file: CheckedFile, index: int, entry: dict[str, Any]
) -> Iterator[Finding]:
    """`supported_environments` that leaves an entry out everywhere, not only elsewhere."""
    wanted = mapping(entry.get("model_info")).get("supported_environments")
    if wanted is None or variable_of(wanted) is not None:
        return
    here = config.environ.get("LITELLM_ENVIRONMENT")
    known = ", ".join(ENVIRONMENTS)
    problem = None
    if not isinstance(wanted, list):
        problem = "is not a list"
    elif strange := [one for one in wanted if one not in ENVIRONMENTS]:
        problem = f"names {strange[0]!r}, which LiteLLM does not know"
    elif here is None:
        problem = "is given, and LITELLM_ENVIRONMENT is not set"
    elif here not in ENVIRONMENTS:
        problem = f"is given, and LITELLM_ENVIRONMENT is {here!r}, which LiteLLM does not know"
    if problem:
        what = (
            f"supported_environments of {called(entry, index)} {problem}: LiteLLM drops the entry."
        )
        path = ("model_list", index, "model_info", "supported_environments")
        yield file.error("environments", what, path, f"Use a list of {known}.")


def _wildcards(config: CheckedConfig) -> Iterator[Finding]:
    """Entries LiteLLM expands out of its own table: one finding for them all."""
    if config.section("litellm_settings").get("check_provider_endpoint") is True:
        return  # it asks the providers
    found = [
        (file, index, entry["model_name"])
        for file, index, entry in config.entries
        if _is_expanded(mapping(entry))
    ]
    if found:
        file, index, name = found[0]
        who = f"`{name}` and {len(found) - 1} more offer" if found[1:] else f"`{name}` offers"
        what = f"{who} whatever LiteLLM's own table holds, withdrawn models included."
        fix = "Name what you want in policy.yaml instead: rollcall init"
        yield file.warning("wildcard", what, ("model_list", index, "model_name"), fix)


def _is_expanded(entry: Mapping[Any, Any]) -> bool:
    """Whether /v1/models shows names for an entry's wildcard: only a provider's, or for `*` that of
    the model. Another pattern is a route to one model.
    """
    name, model = entry.get("model_name"), mapping(entry.get("litellm_params")).get("model")
    if not isinstance(name, str) or "*" not in name:
        return False
    return "/" in name or (name == "*" and isinstance(model, str) and "/*" in model)


def _credentials(config: CheckedConfig) -> Iterator[Finding]:
    """Entries that name a credential."""
    listed = config.merged.get("credential_list")
    names = {mapping(row).get("credential_name") for row in rows_of(listed)}
    from_database = config.section("general_settings").get("store_model_in_db")
    nowhere: dict[tuple[str, str], list[tuple[CheckedFile, int, Any]]] = {}
    for file, index, entry in config.entries:
        params = mapping(mapping(entry).get("litellm_params"))
        name = params.get("litellm_credential_name")
        if not isinstance(name, str) or variable_of(name) is not None:
            continue
        if name not in names and not from_database:
            ends = _without_credential(config, params)
            nowhere.setdefault((name, ends), []).append((file, index, entry))
        elif resolved(params.get("api_key"), config.environ):
            path: Place = ("model_list", index, "litellm_params", "litellm_credential_name")
            what = f"{called(entry, index)} has an api_key too, which wins over {name}."
            yield file.warning("credential_unused", what, path, "Keep one of the two.")
    for (name, ends), entries in nowhere.items():
        file, index, entry = entries[0]
        who = called(entry, index)
        who = f"{who} and {len(entries) - 1} more name" if entries[1:] else f"{who} names"
        what = f"{who} the credential {name}, which is nowhere: {ends}."
        fix = "Add it to credential_list, or correct the name."
        if listed is None:
            fix += " If another file includes this one, look at that: rollcall doctor -c FILE"
        make = file.error if ends == FAILS else file.warning
        path = ("model_list", index, "litellm_params", "litellm_credential_name")
        yield make("credential_nowhere", what, path, fix)


FAILS = "every call fails"


def _without_credential(config: CheckedConfig, params: Mapping[Any, Any]) -> str:
    """What the calls of an entry do whose credential is nowhere."""
    outcome, instead = key_outcome(config, {**params, "litellm_credential_name": None})
    if outcome is Outcome.AS_IF_ABSENT or params.get("api_key") is not None:
        return "it has no effect"
    return f"LiteLLM uses {instead}" if instead else FAILS


def _shared_ids(config: CheckedConfig) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for file, index, entry in config.entries:
        identity = mapping(mapping(entry).get("model_info")).get("id")
        if not isinstance(identity, str):
            continue
        name = called(entry, index)
        if identity in first:
            what = f"{first[identity]} and {name} share the model_info.id {identity}."
            path = ("model_list", index, "model_info", "id")
            yield file.warning("shared_id", what, path, "Give each entry an id of its own.")
        first.setdefault(identity, name)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "yes or no"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is the question
    except (TypeError, ValueError):
        return None
