"""How the policy's words are written: durations, days, shares, lists of names. Pure.

Each type carries its own parser and its own JSON Schema; a wrong word is a ValueError that says
what a right one looks like.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from rollcall.settings import parse_duration

SECONDS_PER_DAY = 86_400
LONGEST_SHOWN = 40


def shown(value: object) -> str:
    """A wrong value for a message: its kind where it is long or could hold something private."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = ascii(value)
    return text if len(text) <= LONGEST_SHOWN else "a long text"


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected a duration such as 2s, 500ms, 10m or 7d, not {shown(value)}")  # noqa: TRY004 - pydantic reports ValueError
    if len(str(value)) > LONGEST_SHOWN:
        raise ValueError(f"expected a duration such as 2s, not {shown(value)}")
    return parse_duration(str(value))


def _days(value: object) -> int:
    example = "expected whole days such as 3d or 2w"
    if isinstance(value, int) and not isinstance(value, bool) and value == 0:
        return 0
    if not isinstance(value, str) or not value.strip()[-1:].isalpha():
        raise ValueError(f"{example}, not {shown(value)}")
    days = parse_duration(value) / SECONDS_PER_DAY
    if days != int(days):
        raise ValueError(f"{example}, not {shown(value)}")
    return int(days)


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


def _text_or_number(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": pattern}, {"type": "number"}],
            "examples": [example],
        }
    )


Seconds = Annotated[
    float, PlainValidator(_seconds), _text_or_number(r"^\s*[0-9.]+\s*(ms|s|m|h|d|w)?\s*$", "2s")
]
Days = Annotated[int, PlainValidator(_days), _text_or_number(r"^\s*[0-9]+\s*(d|w)\s*$", "3d")]
Share = Annotated[float, PlainValidator(_share), _text_or_number(r"^\s*[0-9.]+\s*%?\s*$", "25%")]
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
