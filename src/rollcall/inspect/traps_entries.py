"""Checks model_list entry by entry, and what only several entries together make a trap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rollcall.inspect.checked_config import CheckedConfig
from rollcall.inspect.findings import Finding
from rollcall.litellm_config.effective import mapping, resolved

POLLED_PROVIDERS = frozenset({"openai", "openai_like", "hosted_vllm", "text-completion-openai"})
"""LiteLLM asks the api_base of such entries for their limits (MODEL_INFO_DISCOVERY_PROVIDERS)."""
COST = re.compile(r"(?:^|_)cost_per_|_token_cost(?:_|$)")


def entry_traps(config: CheckedConfig) -> Iterator[Finding]:
    """Entry by entry, then what only several of them make a trap."""
    entries = config.data.get("model_list")
    entries = entries if isinstance(entries, list) else []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            yield from _shape(config, index, entry)
            yield from _costs(config, index, entry)
            yield from _wildcard(config, index, entry)
        else:
            what = f"Entry {index + 1} of model_list is no mapping: LiteLLM does not start."
            fix = "Begin it with `- model_name: ...`, or delete the line."
            yield config.error("entry_no_mapping", what, ("model_list", index), fix)
    yield from _shared_ids(config, entries)
    yield from _polling(config, entries)


def _shape(config: CheckedConfig, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    name = entry.get("model_name")
    place = ("model_list", index)
    if name is None:
        what = f"Entry {index + 1} of model_list has no model_name: LiteLLM does not start."
        yield config.error("no_model_name", what, place, "Add `model_name: NAME`.")
    elif not isinstance(name, str):
        what = f"The model_name {name!r} is read as a {_kind(name)}: LiteLLM does not start."
        fix = "Put the name in quotes, as it is written."
        yield config.error("name_not_text", what, (*place, "model_name"), fix)
    params = entry.get("litellm_params")
    if not isinstance(params, dict) or not isinstance(params.get("model"), str):
        what = f"{called(entry, index)} has no litellm_params.model: LiteLLM does not start."
        fix = "Add `litellm_params: {model: PROVIDER/ID}`."
        yield config.error("no_litellm_model", what, (*place, "litellm_params"), fix)
    if "model_info" in entry and not isinstance(entry["model_info"], dict):
        what = f"The model_info of {called(entry, index)} is empty: LiteLLM does not start."
        fix = "Delete the line, or write `model_info: {}`."
        yield config.error("model_info_null", what, (*place, "model_info"), fix)


def _costs(config: CheckedConfig, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    for section in ("litellm_params", "model_info"):
        for key, value in mapping(entry.get(section)).items():
            if not isinstance(key, str) or not COST.search(key) or isinstance(value, dict | list):
                continue
            path = ("model_list", index, section, key)
            number = _number(value)
            if value is not None and number is None:
                what = f"{key} of {called(entry, index)} is not a number: LiteLLM drops the entry."
                yield config.error("cost_not_a_number", what, path, "Write it as 0.000001.")
            elif number is not None and (isinstance(value, bool) or not number >= 0):
                what = f"{key} of {called(entry, index)} is no price: budgets would go wrong."
                fix = "Write USD per token, or leave it out."
                yield config.warning("cost_no_price", what, path, fix)


def _wildcard(config: CheckedConfig, index: int, entry: dict[str, Any]) -> Iterator[Finding]:
    name = entry.get("model_name")
    if isinstance(name, str) and "*" in name:
        what = f"`{name}` offers whatever LiteLLM's own table holds, withdrawn models included."
        fix = "Name what you want in policy.yaml instead: rollcall init"
        yield config.warning("wildcard", what, ("model_list", index, "model_name"), fix)


def _shared_ids(config: CheckedConfig, entries: list[Any]) -> Iterator[Finding]:
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
            yield config.warning("shared_id", what, path, "Give each entry an id of its own.")
        first.setdefault(identity, index)


def _polling(config: CheckedConfig, entries: list[Any]) -> Iterator[Finding]:
    if mapping(config.merged.get("general_settings")).get("disable_model_info_refresh") is True:
        return
    polled = [
        (index, host)
        for index, entry in enumerate(entries)
        if (host := _polled_host(mapping(mapping(entry).get("litellm_params")), config.environ))
    ]
    if polled:
        hosts = ", ".join(sorted({host for _, host in polled})[:5])
        what = (
            f"LiteLLM asks {hosts} for /v1/models at its start and every 300 s, with the entry's"
            f" key, for each entry that has an api_base ({len(polled)} here)."
        )
        fix = "Where that is not wanted: general_settings.disable_model_info_refresh: true"
        path = ("model_list", polled[0][0], "litellm_params", "api_base")
        yield config.warning("polled_api_base", what, path, fix)


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
