"""What LiteLLM takes in each field of an entry, and what it does with anything else.

Its own models say most of it (`litellm_fields.json`, made by tests/tools/litellm_fields.py from the
installed package). An entry with a value that does not fit is dropped, with a line in the log and
no other word; or it stays, and the first call stumbles over it, that of another entry of the same
model, too. What its models leave open stands here; each was seen on a running proxy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from rollcall.litellm_config.effective import mapping
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Consequence(StrEnum):
    """What becomes of a value that does not fit."""

    NO_START = "LiteLLM does not start"
    DROPPED = "LiteLLM drops the entry without a word"
    CALLS_FAIL = "it is listed, and every call fails"
    STREAMS_FAIL = "it is listed, and every streamed call fails"
    MODEL_FAILS = "every call fails, to any entry of the same model"
    ALL_FAIL = "every call fails"
    LIST_FAILS = "/v1/models fails for everybody"
    NOTHING_ANSWERS = "every call fails, and /v1/models fails for everybody"
    NO_EFFECT = "it has no effect"


class Misfit(NamedTuple):
    """A value that does not fit its field.

    Attributes:
        wanted: what does fit, "a whole number". in_quotes: whether quotes around it are enough.
    """

    wanted: str
    consequence: Consequence
    in_quotes: bool


WANTED: Final[Mapping[str, str]] = {
    "bool": "true or false",
    "bool | str": "true or false",
    "datetime": "a date and time",
    "dict": "a mapping",
    "dict | str": "a mapping or a text",
    "dict[float]": "a mapping of numbers",
    "float": "a number",
    "float | str": "a number of seconds",
    "int": "a whole number",
    "int | str": "a text",
    "list": "a list",
    "list[dict]": "a list of mappings",
    "list[str]": "a list of texts",
    "str": "a text",
    "str | list[str]": "a text",
    "seconds": "a number of seconds",
    "number": "a number, without quotes",
    "count": "a whole number of 0 or more, without quotes",
    "not negative": "a whole number of 0 or more",
    "strategy": "a routing strategy LiteLLM knows",
    "windows": "a list of windows, each with start, end, timezone and team_ids",
}

KEY_MANAGERS = (
    "google_kms azure_key_vault aws_secret_manager google_secret_manager hashicorp_vault cyberark"
    " aws_kms custom"
)
SEEN: Final[Mapping[str, Mapping[str, tuple[str, Consequence]]]] = {
    "litellm_params": {
        "timeout": ("seconds", Consequence.CALLS_FAIL),
        "stream_timeout": ("seconds", Consequence.STREAMS_FAIL),
        "rpm": ("not negative", Consequence.CALLS_FAIL),
        "max_parallel_requests": ("count", Consequence.CALLS_FAIL),
        "weight": ("number", Consequence.CALLS_FAIL),
        "drop_params": ("bool", Consequence.NO_EFFECT),
        "extra_headers": ("dict", Consequence.CALLS_FAIL),
        "headers": ("dict", Consequence.CALLS_FAIL),
        "extra_body": ("dict", Consequence.CALLS_FAIL),
        "fallbacks": ("list", Consequence.CALLS_FAIL),
    },
    "model_info": {
        "access_windows": ("windows", Consequence.NO_START),
        "access_groups": ("list", Consequence.NO_EFFECT),
    },
    "router_settings": {
        "timeout": ("seconds", Consequence.ALL_FAIL),
        "default_max_parallel_requests": ("count", Consequence.ALL_FAIL),
        "routing_strategy": ("strategy", Consequence.NO_START),
        "provider_budget_config": ("dict", Consequence.NO_START),
    },
    "general_settings": {
        "key_management_system": (f"one of {KEY_MANAGERS}", Consequence.NO_START),
        "role_permissions": ("list[dict]", Consequence.NO_START),
        "allowed_routes": ("list", Consequence.NOTHING_ANSWERS),
        "litellm_key_header_name": ("str", Consequence.NOTHING_ANSWERS),
    },
    "litellm_settings": {
        "request_timeout": ("float", Consequence.ALL_FAIL),
        "max_budget": ("float", Consequence.NO_START),
        "max_internal_user_budget": ("float", Consequence.NO_START),
        "default_max_internal_user_budget": ("float", Consequence.NO_START),
        "upperbound_key_generate_params": ("dict", Consequence.NO_START),
        "model_group_settings": ("dict", Consequence.NO_START),
        "priority_reservation_settings": ("dict", Consequence.NO_START),
        "responses": ("dict", Consequence.NO_START),
    },
    "custom_provider_map": {"custom_handler": ("str", Consequence.NO_START)},
    "default_team_settings": {"team_id": ("str", Consequence.NO_START)},
    "guardrails": {
        "guardrail_name": ("str", Consequence.NO_START),
        "litellm_params": ("dict", Consequence.NO_START),
    },
    "pass_through_endpoints": {"path": ("str", Consequence.NO_START)},
    "prompts": {
        "prompt_id": ("str", Consequence.NO_START),
        "litellm_params": ("dict", Consequence.NO_START),
    },
    "entry": {
        "rpm": ("count", Consequence.LIST_FAILS),
        "tpm": ("count", Consequence.LIST_FAILS),
        "itpm": ("count", Consequence.CALLS_FAIL),
        "otpm": ("count", Consequence.CALLS_FAIL),
    },
}
"""What LiteLLM's models do not declare, or declare as any text; `entry`: beside litellm_params."""


def misfit(section: str, field: str, value: Any) -> Misfit | None:
    """Whether LiteLLM cannot use a value; None where it can, or where nothing is known.

    Args:
        section: litellm_params, model_info, `entry` for what stands beside these two, a section
            of the file, or a list of it for what stands in its rows.
        value: as YAML reads it; `os.environ/NAME` is not looked up here.
    """
    if value is None or variable_of(value) is not None:
        return None
    for word, consequence in _checks(section, field):
        if not _fits(word, value):
            quoted = isinstance(value, int | float | date) and _fits(word, str(value))
            wanted = WANTED.get(word) or word.removeprefix("one of ").replace(" ", " or ")
            worse = field == "access_groups" and not isinstance(value, str)
            return Misfit(wanted, Consequence.LIST_FAILS if worse else consequence, quoted)
    return None


def misfits(section: str, fields: object) -> Iterator[tuple[str, Any, Misfit]]:
    """(field, value, misfit) of every field of a section that LiteLLM cannot use."""
    for field, value in mapping(fields).items():
        if isinstance(field, str) and (wrong := misfit(section, field, value)):
            yield field, value, wrong


def fields_by_word(section: str) -> dict[str, list[str]]:
    """What values have to be (`int`, `seconds`...) -> the fields of a section they stand in."""
    found: dict[str, list[str]] = {}
    names = {*_declared(section), *SEEN.get(section, {})}
    if section == "model_info":
        names |= set(_declared("model_group"))
    for field in sorted(names):
        for word, _ in _checks(section, field):
            found.setdefault(word, []).append(field)
    return found


@cache
def _checks(section: str, field: str) -> tuple[tuple[str, Consequence], ...]:
    """What a field's value has to be, one after the other, and what becomes of it else."""
    found = []
    if word := _declared(section).get(field):
        found.append((word, Consequence.DROPPED))
    if section == "model_info" and (word := _declared("model_group").get(field)):
        found.append((word, Consequence.MODEL_FAILS))
    if seen := SEEN.get(section, {}).get(field):
        found.append(seen)
    return tuple(found)


LOOSER: Final[Mapping[tuple[str, str], str]] = {
    ("model_info", "id"): "int | str",
    ("litellm_params", "organization"): "str | list[str]",
    ("litellm_params", "drop_params"): "anything",
}
"""Before its models see them, LiteLLM makes a text of a number, entries of a list, and null of what
is no flag.
"""
NOT_READ: Final = frozenset({"supports_fast_mode", "supported_reasoning_efforts"})
"""Fields of a model group that LiteLLM sets itself, whatever an entry says."""


@cache
def _table() -> dict[str, Any]:
    path = Path(__file__).with_name("litellm_fields.json")
    table: dict[str, Any] = json.loads(path.read_bytes())
    return table


@cache
def _declared(section: str) -> Mapping[str, str]:
    """Field -> the word of its type, as LiteLLM's own models declare it."""
    return {
        field: LOOSER.get((section, field), word)
        for word, fields in _table().get(section, {}).items()
        for field in fields
        if section != "model_group" or field not in NOT_READ
    }


def tells_provider(model: str, api_base: object) -> bool:
    """Whether LiteLLM tells the provider of a model that names none: from its own table of models,
    or from the address.
    """
    table = _table()
    if model in table["models"] or model == "*" or model.startswith("gpt-image"):
        return True
    if "ft:gpt-" in model or len(model.partition(":")[2]) == REPLICATE_ID_LENGTH:
        return True
    return isinstance(api_base, str) and any(
        _leads_to(api_base, known) for known in table["addresses"]
    )


REPLICATE_ID_LENGTH = 64


def _leads_to(address: str, known: str) -> bool:
    """Whether an address is one LiteLLM knows, or lies below it."""
    given, wanted = (
        urlsplit(one if "://" in one else f"https://{one}") for one in (address, known)
    )
    below = given.path.rstrip("/") + "/"
    return given.hostname == wanted.hostname and below.startswith(wanted.path.rstrip("/") + "/")


def table_version() -> str:
    """The release of LiteLLM whose tables these are."""
    return str(_table()["litellm"])


@cache
def known_callbacks() -> frozenset[str]:
    """What may stand in `litellm_settings.callbacks` without being the name of a module."""
    return frozenset(_table()["callbacks"])


@cache
def known_providers() -> frozenset[str]:
    """What may stand before the first slash of `litellm_params.model`."""
    return frozenset(_table()["providers"])


def _fits(word: str, value: Any) -> bool:
    if word.startswith("one of "):
        return value in word.split()[2:]
    if word == "seconds":
        return _fits("float", value) and float(value) >= 0
    if word == "not negative":
        return not _fits("int", value) or int(value) >= 0
    if word == "count":
        return isinstance(value, int | float) and value >= 0
    if word == "number":
        return isinstance(value, int | float)
    if word == "strategy":
        return value in _table()["routing_strategies"]
    if word == "windows":
        return isinstance(value, list) and all(isinstance(one, dict) for one in value)
    from pydantic import ValidationError

    try:
        _adapter(word).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(word: str) -> Any:
    """What checks a word of the table, as leniently as LiteLLM's models do."""
    from datetime import datetime

    from pydantic import TypeAdapter

    types: dict[str, Any] = {
        "anything": Any,
        "bool": bool,
        "bool | str": bool | str,
        "datetime": datetime,
        "dict": dict[str, Any],
        "dict | str": dict[str, Any] | str,
        "dict[float]": dict[str, float],
        "float": float,
        "float | str": float | str,
        "int": int,
        "int | str": int | str,
        "list": list[Any],
        "list[dict]": list[dict[str, Any]],
        "list[str]": list[str],
        "str": str,
        "str | list[str]": str | list[str],
    }
    return TypeAdapter(types[word])
