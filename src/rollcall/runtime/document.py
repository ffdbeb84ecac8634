"""A YAML text as data, with the line each field stands on. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rollcall.runtime.errors import InvalidConfig, InvalidYAML
from rollcall.yaml_reading import UNREADABLE, check_depth, check_size

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_DEPTH = 30
Place = tuple[str | int, ...]
"""The way to a field: keys and list positions."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. `lines` maps places to 1-based lines."""

    data: dict[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int | None:
        """The line of a field, or of the nearest one around it that is there."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return None


def read_document(text: str, name: str) -> Document:
    """Read a YAML mapping; `name` is what errors call the file.

    Raises:
        InvalidYAML: not YAML, or nested beyond reason. InvalidConfig: not a mapping, or a key
            given twice (YAML would silently keep the last one).
    """
    loader = Loader(text)
    try:
        check_depth(text)
        node = loader.get_single_node()
        check_size(node, text)
        lines = {place: line for place, line, _ in _walk(node, (), name)} if node else {}
        data = loader.construct_document(node) if node else None
    except UNREADABLE as error:
        raise _invalid_yaml(error, name) from None
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise InvalidConfig(
            f"{name} is {'empty' if data is None else 'not a mapping'}.",
            "It needs `providers:` and `roles:` at its left margin.",
            line=1,
        )
    return Document(data, lines)


def _walk(node: Any, place: Place, name: str) -> Iterator[tuple[Place, int, None]]:
    if len(place) > MAX_DEPTH:
        raise InvalidYAML(f"{name} is nested more than {MAX_DEPTH} deep.", "Flatten it.")
    yield place, node.start_mark.line + 1, None
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*place, index), name)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            word = str(getattr(key, "value", ""))
            line = key.start_mark.line + 1
            if word in seen and word != "<<":
                field = ".".join(map(str, (*place, word)))
                raise InvalidConfig(
                    f"{name}, line {line}: {field} is given twice.",
                    "Keep one of them.",
                    field=field,
                    line=line,
                )
            seen.add(word)
            yield from _walk(value, (*place, word), name)
            yield (*place, word), line, None


def _invalid_yaml(error: Exception, name: str) -> InvalidYAML:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    if isinstance(error, yaml.reader.ReaderError):
        problem = f"it has the character U+{error.character:04X}, which YAML does not allow"
    line = mark.line + 1 if mark else None
    where = f"{name}, line {line}" if line else name
    return InvalidYAML(
        f"{where}: not valid YAML: {problem}.",
        "Mind the indentation (spaces, no tabs) and quote texts with `: ` or `#` in them.",
        line=line,
    )
