"""Reading policy.yaml: YAML in, Policy out, and errors that name file, line and field. Pure.

The file is parsed once. Only when something is wrong is it composed again, for the line numbers.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from pydantic import ValidationError

from rollcall.errors import PolicyError
from rollcall.policy import Policy, json_schema
from rollcall.policy.checks import Problem, problems_of
from rollcall.policy.words import shown
from rollcall.yaml_bounds import UNREADABLE, Unbounded, load

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

STARTER = "`rollcall init` writes a starter policy; `rollcall schema` lists every field."


class _WrongKey(yaml.constructor.ConstructorError):
    """A key that plain YAML readers would take, and the user did not mean."""

    def __init__(self, what: str, hint: str, key: Any) -> None:
        super().__init__(None, None, what, key.start_mark)
        self.hint = hint


class _Loader(_Base):  # type: ignore[misc]  # the C loader, where there is one
    """Safe YAML in which every key is text and stands once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.tag != "tag:yaml.org,2002:str":
                name = key.value if isinstance(key, yaml.ScalarNode) else "here"
                what = f"the name {name!a} is not text to YAML"
                raise _WrongKey(what, "Put it in quotes.", key)
            if key.value in seen:
                what = f"{key.value!a} stands twice here"
                raise _WrongKey(what, "Keep one of the two: the first would be lost.", key)
            seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def read_policy(text: str, name: str) -> Policy:
    """Read a policy file's text.

    Raises:
        PolicyError: two lines: file, line, field and what is wrong; what to write instead.
    """
    data = _parse(text, name)
    if data is None:
        raise PolicyError(f"{name} is empty.", STARTER)
    if not isinstance(data, dict):
        raise PolicyError(f"{name} is not a policy: it holds no `name: value` lines.", STARTER)
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        problems = [_problem(row) for row in error.errors(include_url=False)]
    except RecursionError:
        raise PolicyError(f"{name} refers to itself without end.", STARTER) from None
    else:
        problems = problems_of(policy)
    if problems:
        raise _error(problems, text, name)
    return policy


def _parse(text: str, name: str) -> Any:
    try:
        return load(text.removeprefix("\ufeff"), _Loader)
    except _WrongKey as error:
        line = _line(error.problem_mark)
        raise PolicyError(f"{name}:{line}: {error.problem}.", error.hint) from None
    except Unbounded as error:
        where = f"{name}:{_line(error.problem_mark)}"
        raise PolicyError(f"{where}: {error.problem}.", "Write out what is needed.") from None
    except yaml.MarkedYAMLError as error:
        line = _line(error.problem_mark or error.context_mark)
        raise PolicyError(
            f"{name}:{line}: not YAML: {error.problem or error.context}.", _yaml_hint(text, line)
        ) from None
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise PolicyError(f"{name} is not YAML: {reason}.", STARTER) from None


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 1


def _yaml_hint(text: str, line: int) -> str:
    lines = text.splitlines()
    near = "\n".join(lines[max(0, line - 2) : line])
    if re.search(r"[\s\[,-]\*", near):
        return 'Put patterns that begin with * in quotes: "*:free".'
    if re.search(r":\s*[<>]", near):
        return 'Put comparisons in quotes: context: ">= 128000".'
    if "\t" in near:
        return "Indent with spaces: YAML does not take tabs."
    return "Look at this line and the one above it: indentation, quotes, brackets."


def _problem(row: Any) -> Problem:
    """One pydantic error in our own words."""
    place, kind, given = tuple(row["loc"]), row["type"], row["input"]
    match kind:
        case "extra_forbidden":
            return Problem(place, "unknown field", _nearest_field(place), at_key=True)
        case "missing":
            return Problem(place, "is required", STARTER)
        case "literal_error":
            wanted = row["ctx"]["expected"].replace("'", "")
            return Problem(
                place, f"{shown(given)} is not one of: {wanted}", _nearest(given, wanted)
            )
        case "value_error":
            return Problem(place, str(row["ctx"]["error"]), "")
    expected = _EXPECTED.get(kind)
    if expected is None:
        return Problem(place, row["msg"][:1].lower() + row["msg"][1:], "")
    hint = "Put it in quotes." if kind == "string_type" and not _nested(given) else ""
    return Problem(place, f"expected {expected}, not {shown(given)}", hint)


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "`name: value` lines",
    "model_type": "`name: value` lines",
    "model_attributes_type": "`name: value` lines",
    "tuple_type": "a list",
    "list_type": "a list",
}


def _nested(value: Any) -> bool:
    return isinstance(value, dict | list | tuple) or value is None


def _nearest(word: Any, known: str | list[str]) -> str:
    from difflib import get_close_matches

    words = re.split(r", | or ", known) if isinstance(known, str) else known
    near = get_close_matches(str(word).lower(), words, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def _nearest_field(place: tuple[Any, ...]) -> str:
    """The valid field nearest to a wrong one, else all of them."""
    fields = _fields_at(place[:-1])
    near = _nearest(place[-1], fields)
    return near or f"Fields here: {', '.join(fields)}."


def _fields_at(place: tuple[Any, ...]) -> list[str]:
    """The fields that may stand at a place, by walking the JSON Schema."""
    schema = json_schema()
    node: dict[str, Any] = schema
    for part in place:
        node = _resolved(node, schema)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            inner = node.get("properties", {}).get(part)
            node = inner if inner is not None else node.get("additionalProperties") or {}
    return list(_resolved(node, schema).get("properties", {}))


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The object or array behind references and alternatives."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            rich = [way for way in node["anyOf"] if way.get("type") not in ("null", "string")]
            node = rich[0] if rich else {}
        else:
            return node


def _error(problems: list[Problem], text: str, name: str) -> PolicyError:
    """The first problem of the file as two lines."""
    root = yaml.compose(text.removeprefix("\ufeff"), Loader=_Base)
    placed = sorted(((_line_of(root, one), one) for one in problems), key=lambda row: row[0])
    line, first = placed[0]
    path = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in first.place
    ).removeprefix(".")
    what = f"{name}:{line}: {path}: {first.what}" if path else f"{name}:{line}: {first.what}"
    more = len(placed) - 1
    rest = f"There {'is 1 more problem' if more == 1 else f'are {more} more problems'} below it."
    hints = [first.hint or "`rollcall schema` says what each field takes.", rest if more else ""]
    return PolicyError(what if what.endswith("?") else f"{what}.", " ".join(filter(None, hints)))


def _line_of(root: Any, problem: Problem) -> int:
    """The line of a place in the file; of the nearest thing around it when it is not there."""
    node, line = root, _line(root.start_mark)
    for depth, part in enumerate(problem.place):
        last = depth == len(problem.place) - 1
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if str(pair[0].value) == str(part)), None)
            if pair is None:
                return line
            node = pair[1]
            inner = last and isinstance(node, yaml.ScalarNode) and not problem.at_key
            line = _line(node.start_mark if inner else pair[0].start_mark)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return line
            node = node.value[part]
            line = _line(node.start_mark)
        else:
            return line
    return line
