"""How values are written in a policy: durations, days, shares, patterns, name templates.

Each type carries its own parser and its own JSON Schema; a wrong word is a ValueError that says
what a right one looks like.

Not `fnmatch`: ids hold slashes and brackets, case matters on every system, and nothing but `*` and
`?` is special.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from rollcall.errors import LONGEST_SHOWN, shown
from rollcall.secrets import variable_of
from rollcall.settings import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.catalog.model import Model


SECONDS_PER_DAY = 86_400
MOST_DAYS = 36_500
"""So that every day reckoned from them is one of the calendar."""
PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OURS = ("id", "managed_by", "leaves")
"""Fields of model_info that say whose entry it is; a rule cannot set them."""


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected a duration such as 2s, 500ms, 10m or 7d, not {shown(value)}")  # noqa: TRY004 - pydantic reports ValueError
    if len(str(value)) > LONGEST_SHOWN:
        raise ValueError(f"expected a duration such as 2s, not {shown(value)}")
    return parse_duration(str(value))


def parse_days(value: object) -> int:
    """Whole days: `3d`, `2w`; 0 needs no unit. More than a century counts as one.

    Raises:
        ValueError: it is something else; says what days look like.
    """
    example = "expected whole days such as 3d or 2w"
    if isinstance(value, int | float) and not isinstance(value, bool) and value == 0:
        return 0
    if not isinstance(value, str) or not value.strip()[-1:].isalpha():
        raise ValueError(f"{example}, not {shown(value)}")
    days = parse_duration(value) / SECONDS_PER_DAY
    if days != int(days):
        raise ValueError(f"{example}, not {shown(value)}")
    return int(min(days, MOST_DAYS))


def _share(value: object) -> float:
    """25% and 0.25 are the same; a bare number above 1 is refused: it could mean either."""
    text = str(value).strip()
    try:
        share = float(text.removesuffix("%").strip()) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    bare_limit = 1.0 if not text.endswith("%") else float("inf")
    if isinstance(value, bool) or not 0 <= share <= bare_limit or share == float("inf"):
        raise ValueError(f"expected a share such as 25%, not {shown(value)}")
    return share


def _words(value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError(f"expected text or a list of texts, not {shown(value)}")  # noqa: TRY004 - pydantic reports ValueError
    for word in given:
        if not isinstance(word, str):
            raise ValueError(f"expected text, not {shown(word)}: put it in quotes")  # noqa: TRY004 - pydantic reports ValueError
        if not word.strip():
            raise ValueError("an empty text names nothing")
    return tuple(given)


def text_or_number(pattern: str, number: dict[str, Any], example: str) -> WithJsonSchema:
    """The JSON Schema of a value that may be written as either.

    Args:
        pattern: of the text, blanks around it aside. number: what numbers fit.
    """
    text = {"type": "string", "pattern": rf"^\s*(?:{pattern})\s*$"}
    return WithJsonSchema({"anyOf": [text, number], "examples": [example]})


_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_TO_ONE = r"0*(?:\.[0-9]+|[01](?:\.0*)?|0\.[0-9]*)"
NOT_NEGATIVE = {"type": "number", "minimum": 0}
NOT_BLANK = {"type": "string", "pattern": r"\S"}

Seconds = Annotated[
    float,
    PlainValidator(_seconds),
    text_or_number(rf"(?:{_NUMBER})\s*(?:ms|s|m|h|d|w)?", NOT_NEGATIVE, "2s"),
]
Days = Annotated[
    int, PlainValidator(parse_days), text_or_number(r"[0-9]+\s*(?:d|w)", {"const": 0}, "3d")
]
Share = Annotated[
    float,
    PlainValidator(_share),
    text_or_number(
        rf"(?:{_NUMBER})\s*%|{_TO_ONE}", {"type": "number", "minimum": 0, "maximum": 1}, "25%"
    ),
]
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema({"anyOf": [NOT_BLANK, {"type": "array", "items": NOT_BLANK}]}),
]


WILD = re.compile(r"[*?]")


class Glob(NamedTuple):
    """One compiled pattern.

    Attributes:
        literal: nothing in it is special: it names one id exactly.
        prefix: what every match begins with; narrows a sorted list of ids.
        core: the longest plain text in every match; cheaper to look for than the whole pattern.
    """

    text: str
    literal: bool
    prefix: str
    core: str
    matches: Callable[[str], object]


@lru_cache(maxsize=4096)
def compile_glob(text: str) -> Glob:
    """Compile a pattern once; a match takes time linear in the id, whatever the pattern."""
    special = WILD.search(text)
    if special is None:
        return Glob(text, literal=True, prefix=text, core=text, matches=text.__eq__)
    expression = re.compile(_translate(text), re.DOTALL)
    core = max(WILD.split(text), key=len)
    prefix = text[: special.start()]
    return Glob(text, literal=False, prefix=prefix, core=core, matches=expression.fullmatch)


def _translate(text: str) -> str:
    """The pattern as a regular expression; atomic groups keep many stars from backtracking."""
    parts = [re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", text)]
    if len(parts) == 1:
        return parts[0]
    first, *middle, last = parts
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"


FIELDS = ("provider", "id", "model", "maker", "family", "version")
_FIELD = re.compile(r"\{([^{}]*)\}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._]+")


def render_name(template: str, model: Model) -> str:
    """The model_name of a model; `template` has passed `template_error`."""
    reading = model.reading
    facts = {
        "provider": model.provider,
        "id": model.id,
        "model": model.id.rpartition("/")[2],
        "maker": reading.maker or model.maker or model.provider,
        "family": reading.family,
        "version": reading.version,
    }

    def fill(found: re.Match[str]) -> str:
        field, _, form = found[1].partition(":")
        return _NOT_PLAIN.sub("-", facts[field]).strip("-") if form else facts[field]

    return _FIELD.sub(fill, template)


def name_fault(name: str) -> str | None:
    """Why a name cannot stand in config.yaml, whatever gave it; None when it can."""
    if "*" in name:
        return "a wildcard to LiteLLM"
    if variable_of(name) is not None:
        return "LiteLLM would put a variable's value in place of its name"
    return None if name.strip() else "its name would be empty"


def template_error(template: str) -> tuple[str, str] | None:
    """(What is wrong with a template, the word it is about), None when nothing is."""
    for field, _, form in (found.partition(":") for found in _FIELD.findall(template)):
        if field not in FIELDS:
            return f"{{{field}}} is not a field of a name", field
        if form not in ("", "dashed"):
            return f"{{{field}:{form}}} is not a form; there is {{{field}:dashed}}", form
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        return "a brace is not closed", ""
    if "*" in template:
        return "a name with * would be a wildcard to LiteLLM", ""
    if not template.strip():
        return "the name is empty", ""
    return None
