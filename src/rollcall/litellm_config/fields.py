"""What LiteLLM takes in each field of an entry, and what it does with anything else.

Its own models say most of it (`litellm_fields.json`, made by tests/tools/litellm_fields.py from the
installed package): an entry with a value that does not fit is dropped, with a line in the log and
no other word. What they leave open, and only the call stumbles over, stands here; each was seen.
"""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rollcall.litellm_config.effective import variable_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Consequence(StrEnum):
    """What becomes of an entry with a value that does not fit."""

    DROPPED = "LiteLLM drops the entry without a word"
    CALLS_FAIL = "it is listed, and every call fails"
    NO_START = "LiteLLM does not start"


class Misfit(NamedTuple):
    """A value that does not fit its field: `wanted` says what does, "a whole number"."""

    wanted: str
    consequence: Consequence
    in_quotes: bool
    """Whether quotes around it make it fit."""


WANTED: Final[Mapping[str, str]] = {
    "bool": "true or false",
    "bool | str": "true or false",
    "datetime": "a date and time",
    "dict": "a mapping",
    "dict | str": "a mapping or a text",
    "dict[float]": "a mapping of numbers",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "list[dict]": "a list of mappings",
    "list[str]": "a list of texts",
    "str": "a text",
    "seconds": "a number of seconds",
    "number": "a number, without quotes",
    "count": "a whole number, without quotes",
}

SEEN_IN_CALLS: Final[Mapping[str, str]] = {
    "timeout": "seconds",
    "stream_timeout": "seconds",
    "max_parallel_requests": "count",
    "weight": "number",
    "extra_headers": "dict",
}
"""Fields of litellm_params that its models do not declare, or declare as any text."""


def misfit(section: str, field: str, value: Any) -> Misfit | None:
    """Whether LiteLLM cannot use a value; None where it can, or where nothing is known.

    Args:
        section: litellm_params or model_info. value: as YAML reads it; a variable's value where it
            is `os.environ/NAME`, which is not looked up here.
    """
    if value is None or variable_of(value) is not None:
        return None
    declared = _declared(section).get(field)
    seen = SEEN_IN_CALLS.get(field) if section == "litellm_params" else None
    for word, consequence in (
        (declared, Consequence.DROPPED),
        (seen, Consequence.CALLS_FAIL),
    ):
        if word is None or _fits(word, value):
            continue
        told = seen or word
        wanted = WANTED.get(told) or told.removeprefix("one of ").replace(" ", " or ")
        quoted = isinstance(value, int | float | date) and _fits(word, str(value))
        return Misfit(wanted, consequence, quoted)
    return None


@cache
def _declared(section: str) -> Mapping[str, str]:
    """Field -> the word of its type, as LiteLLM declares it."""
    table = json.loads(files(__package__).joinpath("litellm_fields.json").read_bytes())
    words = {field: word for word, fields in table[section].items() for field in fields}
    # Before its model sees them, LiteLLM makes a text of a number and entries of a list of these.
    loose = {"id": "int | str", "organization": "str | list[str]"}
    return {field: loose.get(field, word) for field, word in words.items()}


def _fits(word: str, value: Any) -> bool:
    if word.startswith("one of "):
        return value in word.split()[2:]
    if word == "seconds":
        return not isinstance(value, list | dict) and _fits("float", value) and float(value) >= 0
    if word in ("number", "count"):
        return isinstance(value, int if word == "count" else int | float)
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
