"""Reading YAML within bounds: how deep it goes, and what its aliases unfold to.

The C parser calls itself for every level and ends the process at some ten thousand of them; a few
lines of aliases of aliases are a billion values to whoever walks through them.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

UNREADABLE: Final = (
    yaml.YAMLError,
    ValueError,
    TypeError,
    OverflowError,
    AttributeError,
    LookupError,
    RecursionError,
)
"""What PyYAML raises: over `!!int ""` an IndexError, over `!!timestamp x` an AttributeError."""

DEEPEST: Final = 1000
MOST_NODES: Final = 3_000_000

_BRACKET: Final = re.compile(r"[\[\]{}]")
_COMPACT: Final = re.compile(r"^[ ]*(?:[-?][ \t]+){100}", re.MULTILINE)


class Unbounded(yaml.MarkedYAMLError):
    """The text is nested too deeply, or unfolds to too much; `problem` says which."""

    def __init__(self, problem: str, mark: yaml.Mark | None = None) -> None:
        super().__init__(problem=problem, problem_mark=mark)


def check_depth(text: str) -> None:
    """Refuse a text that goes too deep for a parser. Brackets in texts count, too.

    Raises:
        Unbounded: it does.
    """
    if text.count("[") + text.count("{") > DEEPEST:
        depth = 0
        for bracket in _BRACKET.findall(text):
            depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
            if depth > DEEPEST:
                raise Unbounded("it is nested too deeply")
    if "- - " in text and _COMPACT.search(text):
        raise Unbounded("it is nested too deeply")


def check_size(root: yaml.Node | None, text: str) -> None:
    """Refuse a tree whose aliases unfold to more than MOST_NODES, or without end.

    Raises:
        Unbounded: they do.
    """
    if root is None or "&" not in text or "*" not in text:
        return
    sizes: dict[int, int | None] = {}
    waiting = [root]
    while waiting:
        node = waiting[-1]
        inner = _members(node)
        if id(node) not in sizes:
            sizes[id(node)] = None
            waiting += [one for one in inner if id(one) not in sizes]
            continue
        waiting.pop()
        if sizes[id(node)] is not None:
            continue
        total = 1
        for one in inner:
            size = sizes[id(one)]
            if size is None:
                raise Unbounded(
                    "it is nested too deeply: an alias leads back to itself", one.start_mark
                )
            total += size
        if total > MOST_NODES:
            raise Unbounded("its aliases unfold to more than a program can hold", node.start_mark)
        sizes[id(node)] = total


def _members(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def load(text: str, loader: Any = None) -> Any:
    """The data of one YAML document, None of an empty one.

    Args:
        loader: a loader class of PyYAML's; left out, the safe one, in C where there is one.

    Raises:
        yaml.YAMLError, and what else is in UNREADABLE: it cannot be read.
    """
    check_depth(text)
    reading = (loader or getattr(yaml, "CSafeLoader", yaml.SafeLoader))(text)
    try:
        root = reading.get_single_node()
        check_size(root, text)
        return None if root is None else reading.construct_document(root)
    finally:
        reading.dispose()
