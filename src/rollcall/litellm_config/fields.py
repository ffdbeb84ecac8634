"""What LiteLLM takes in each field of an entry, and what it does with anything else.

Its own models say most of it (`litellm_fields.json`, made by tests/tools/litellm_fields.py from the
installed package). An entry with a value that does not fit is dropped, with a line in the log and
no other word; or it stays, and the first call stumbles over it, that of another entry of the same
model, too. What its models leave open stands here; each was seen on a running proxy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from rollcall.litellm_config.effective import mapping
from rollcall.secrets import variable_of


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
    PASSED_OVER = "LiteLLM passes over it"


class Misfit(NamedTuple):
    """A value that does not fit its field.

    Attributes:
        wanted: what does fit, "a whole number". in_quotes: whether quotes around it are enough.
    """

    wanted: str
    consequence: Consequence
    in_quotes: bool


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
        "max_agentic_loops": ("positive", Consequence.NO_START),
        "tag_regex": ("patterns", Consequence.DROPPED),
    },
    "model_info": {
        "access_windows": ("windows", Consequence.NO_START),
        "access_groups": ("list", Consequence.NO_EFFECT),
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
        section: litellm_params, model_info, or `entry` for what stands beside these two.
        value: as YAML reads it; `os.environ/NAME` is not looked up here.
    """
    for word, consequence in _checks(section, field):
        worse = field == "access_groups" and not isinstance(value, str)
        if wrong := unfit(word, Consequence.LIST_FAILS if worse else consequence, value):
            return wrong
    return None


def unfit(word: str, consequence: Consequence, value: Any) -> Misfit | None:
    """The misfit of a value that has to be what `word` says; None where it is, or null, or where a
    variable gives it.
    """
    wanted, fits = _one_of(word.split()[2:]) if word.startswith("one of ") else KINDS[word]
    if value is None or variable_of(value) is not None or fits(value):
        return None
    quoted = isinstance(value, int | float | date) and fits(str(value))
    return Misfit(wanted, consequence, quoted)


def _one_of(words: Sequence[str]) -> tuple[str, Callable[[Any], bool]]:
    """The kind of a word that lists what may stand there: `one of sse http`."""
    return " or ".join(words), lambda value: value in words


def misfits(section: str, fields: object) -> Iterator[tuple[str, Any, Misfit]]:
    """(field, value, misfit) of every field of a section that LiteLLM cannot use."""
    for field, value in mapping(fields).items():
        if isinstance(field, str) and (wrong := misfit(section, field, value)):
            yield field, value, wrong


def fields_by_word(section: str) -> dict[str, list[str]]:
    """What values have to be (`int`, `seconds`...) -> the fields of a section they stand in."""
    found: dict[str, list[str]] = {}
    names = {*declared(section), *SEEN.get(section, {})}
    if section == "model_info":
        names |= set(declared("model_group"))
    for field in sorted(names):
        for word, _ in _checks(section, field):
            found.setdefault(word, []).append(field)
    return found


@cache
def _checks(section: str, field: str) -> tuple[tuple[str, Consequence], ...]:
    """What a field's value has to be, one after the other, and what becomes of it else."""
    found = []
    if word := declared(section).get(field):
        found.append((word, Consequence.DROPPED))
    if section == "model_info" and (word := declared("model_group").get(field)):
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
def declared(section: str) -> Mapping[str, str]:
    """Field -> the word of its type, as LiteLLM's own models declare it."""
    return {
        field: LOOSER.get((section, field), word)
        for word, fields in _table().get(section, {}).items()
        for field in fields
        if section != "model_group" or field not in NOT_READ
    }


def tells_provider(model: str, api_base: object) -> bool:
    """Whether LiteLLM tells the provider of a model that names none: from its own table of models,
    from its rules for those that are not there yet, or from the address.
    """
    table = _table()
    if model in table["models"] or model == "*" or model.startswith(("gpt-image", "amazon_nova")):
        return True
    if any(re.search(pattern, model, re.IGNORECASE) for pattern in table["routing"]):
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
def known_guardrails() -> frozenset[str]:
    """What `guardrails.#.litellm_params.guardrail` may be without being the name of a module."""
    return frozenset(_table()["guardrails"])


@cache
def guardrail_modes() -> tuple[str, ...]:
    """When a guardrail may run."""
    return tuple(_table()["guardrail_modes"])


@cache
def known_providers() -> frozenset[str]:
    """What may stand before the first slash of `litellm_params.model`."""
    return frozenset(_table()["providers"])


def _typed(kind: Any, *, or_empty: bool = False) -> Callable[[Any], bool]:
    """What tells whether a value is of a type, as leniently as LiteLLM's models take it.

    Args:
        or_empty: LiteLLM passes over a value with nothing in it, of whatever type.
    """

    @cache
    def adapter() -> Any:
        from pydantic import TypeAdapter

        return TypeAdapter(kind)

    def fits(value: Any) -> bool:
        from pydantic import ValidationError

        if or_empty and not value:
            return True
        try:
            adapter().validate_python(value)
        except ValidationError:
            return False
        return True

    return fits


def _is_pattern(text: str) -> bool:
    try:
        return bool(re.compile(text))
    except re.error:
        return False


_INT, _FLOAT, _TEXTS = _typed(int), _typed(float), _typed(list[str])
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
STRENGTHS = (
    "code_generation",
    "code_understanding",
    "technical_design",
    "analytical_reasoning",
    "writing",
    "factual_lookup",
    "general",
)


def _are_preferences(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("quality_tier") not in (1, 2, 3):
        return False
    strengths = value.get("strengths", [])
    return isinstance(strengths, list) and all(one in STRENGTHS for one in strengths)


KINDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "anything": ("anything", lambda _: True),
    "bool": ("true or false", _typed(bool)),
    "bool | str": ("true or false", _typed(bool | str)),
    "count": (
        "a whole number of 0 or more, without quotes",
        lambda value: isinstance(value, int | float) and value >= 0,
    ),
    "datetime": ("a date and time", _typed(datetime)),
    "dict": ("a mapping", _typed(dict[str, Any])),
    "dict | str": ("a mapping or a text", _typed(dict[str, Any] | str)),
    "dict[float]": ("a mapping of numbers", _typed(dict[str, float])),
    "float": ("a number", _FLOAT),
    "float | str": ("a number of seconds", _typed(float | str)),
    "int": ("a whole number", _INT),
    "int | str": ("a text", _typed(int | str)),
    "items": ("a list", _typed(list, or_empty=True)),
    "list": ("a list", _typed(list)),
    "list | str": ("a list", _typed(list[Any] | str)),
    "list[dict]": ("a list of mappings", _typed(list[dict[str, Any]])),
    "list[str]": ("a list of texts", _TEXTS),
    "map": ("a mapping", _typed(dict, or_empty=True)),
    "mapping": ("a mapping", _typed(dict)),
    "not negative": (
        "a whole number of 0 or more",
        lambda value: not _INT(value) or int(value) >= 0,
    ),
    "number": ("a number, without quotes", lambda value: isinstance(value, int | float)),
    "pattern": (
        "a regular expression",
        lambda value: isinstance(value, str) and _is_pattern(value),
    ),
    "patterns": (
        "a list of regular expressions",
        lambda value: not _TEXTS(value) or all(map(_is_pattern, value)),
    ),
    "positive": (
        "a whole number of 1 or more",
        lambda value: _INT(value) and int(value) >= 1,
    ),
    "preferences": ("a quality_tier of 1 to 3, and strengths LiteLLM knows", _are_preferences),
    "redis url": (
        "an address that begins with redis://, rediss:// or unix://",
        lambda value: str(value).startswith(("redis://", "rediss://", "unix://")),
    ),
    "rows": ("a list of mappings", _typed(list[dict[Any, Any]], or_empty=True)),
    "seconds": ("a number of seconds", lambda value: _FLOAT(value) and float(value) >= 0),
    "sections": ("a mapping of mappings", _typed(dict[Any, dict[Any, Any]], or_empty=True)),
    "str": ("a text", _typed(str)),
    "str | list[str]": ("a text", _typed(str | list[str])),
    "strategy": (
        "a routing strategy LiteLLM knows",
        lambda value: value in _table()["routing_strategies"],
    ),
    "time of day": (
        'a time of day in quotes, such as "12:00"',
        lambda value: isinstance(value, str) and bool(_TIME.fullmatch(value)),
    ),
    "windows": (
        "a list of windows, each with start, end, timezone and team_ids",
        _typed(list[dict[Any, Any]]),
    ),
}
"""A word of the tables -> what a value has to be, for people, and what tells whether it is."""
