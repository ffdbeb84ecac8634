"""Turns pydantic's errors over a file a person wrote into line, field and plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.errors import did_you_mean, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import ValidationError

    from rollcall.yaml_reading import Document, Place


class Problem(NamedTuple):
    """One thing that is wrong in a file.

    Attributes:
        place: where, from the top of the file. what: without a full stop. hint: what to do.
        at_name: it is the name that is wrong, not its value.
    """

    place: Place
    what: str
    hint: str = ""
    at_name: bool = False


def in_order(problems: Sequence[Problem], document: Document) -> list[tuple[int, Problem]]:
    """Each problem with its line, the highest in the file first."""
    placed = [(document.line(one.place, at_name=one.at_name), one) for one in problems]
    return sorted(placed, key=lambda row: row[0])


def problems_in(
    error: ValidationError,
    data: Any,
    schema: Mapping[str, Any],
    *,
    inside: Place = (),
    required_hint: str = "",
) -> list[Problem]:
    """What is wrong with a document, in the file's words rather than pydantic's.

    Args:
        data: what was validated. schema: its JSON Schema.
        inside: where in the file `data` stands.
        required_hint: what to do about a field that is missing, where a plain one would not help.
    """
    rows = error.errors(include_url=False)
    unknown = [row["loc"] for row in rows if row["type"] == "extra_forbidden"]
    return [
        _problem(row, data, schema, inside, required_hint)
        for row in rows
        if not (row["type"] == "missing" and _is_misspelled(row["loc"], unknown))
    ]


def _is_misspelled(missing: tuple[Any, ...], unknown: Iterable[tuple[Any, ...]]) -> bool:
    """Whether a missing field is there under a name that is told already, as an unknown one."""
    beside = [str(loc[-1]) for loc in unknown if loc[:-1] == missing[:-1]]
    return any(nearest(name, [str(missing[-1])]) for name in beside)


def _problem(
    row: Any,
    data: Any,
    schema: Mapping[str, Any],
    inside: Place,
    required_hint: str,
) -> Problem:
    local = _place_in(data, row["loc"])
    place, kind, given = (*inside, *local), row["type"], row["input"]
    match kind:
        case "extra_forbidden":
            hint = _nearest_field(local, schema)
            return Problem(place, "unknown field", hint, at_name=True)
        case "missing":
            hint = required_hint or f"It is missing: add `{place[-1]}:` here."
            return Problem(place, "is required", hint)
        case "literal_error":
            wanted = row["ctx"]["expected"].replace("'", "")
            hint = did_you_mean(str(given), re.split(r", | or ", wanted))
            return Problem(place, f"{shown(given)} is not one of: {wanted}", hint)
        case "value_error":
            return Problem(place, str(row["ctx"]["error"]))
    expected = _EXPECTED.get(kind)
    if expected is None:
        return Problem(place, row["msg"][:1].lower() + row["msg"][1:])
    return Problem(place, f"expected {expected}, not {shown(given)}", _hint(kind, given))


def _hint(kind: str, given: Any) -> str:
    if kind == "string_type" and isinstance(given, int | float):
        return f'Put it in quotes: "{given}".'
    if _EXPECTED[kind] == _MAPPING:
        return "It holds fields of its own: write them below it, as `name: value`."
    return ""


_MAPPING = "`name: value` lines"
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "tuple_type": "a list",
    "list_type": "a list",
}


def _place_in(data: Any, location: tuple[Any, ...]) -> Place:
    """The way to a field, without what pydantic adds to it (members of a union, `[key]`)."""
    place: list[str | int] = []
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if isinstance(data, dict) and (step in data or last):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        place.append(step)
    return tuple(place)


def _nearest_field(place: Place, schema: Mapping[str, Any]) -> str:
    """The valid field nearest to a wrong one, else all of them."""
    fields = _fields_at(place[:-1], schema)
    if not fields:
        return "Take it out."
    return did_you_mean(str(place[-1]), fields) or f"Fields here: {', '.join(fields)}."


def _fields_at(place: Place, schema: Mapping[str, Any]) -> list[str]:
    """The fields that may stand at a place, by walking the JSON Schema."""
    node: Mapping[str, Any] = schema
    for part in place:
        node = _resolved(node, schema)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            inner = node.get("properties", {}).get(part)
            node = inner if inner is not None else node.get("additionalProperties") or {}
    return list(_resolved(node, schema).get("properties", {}))


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object or array behind references and alternatives."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node or "oneOf" in node:
            ways = node.get("anyOf") or node["oneOf"]
            rich = [way for way in ways if way.get("type") not in ("null", "string")]
            node = rich[0] if rich else {}
        else:
            return node
