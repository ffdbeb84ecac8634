"""Reads YAML: as data with the line of every part, and within bounds.

`read_document` is for files people write for us (policy.yaml, llm_orchestrator.yaml): every name
is text and stands once, and what is wrong is said with its line. `load` is for everything else.

The bounds: the C parser calls itself for every level and ends the process at some ten thousand of
them; a few lines of aliases of aliases are a billion values to whoever walks through them.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import yaml

SAFE_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where there is one, which is ten times as fast."""

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
DEEPEST_OF_OURS: Final = 50
"""A file of ours with more levels than this says nothing we know."""

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


Place = tuple[str | int, ...]
"""The way to a part of a document: names and 0-based list positions."""


class YamlProblem(Exception):
    """A text of ours that is no YAML, or not as our files are.

    Attributes:
        problem: what is wrong, without a full stop. hint: what to do, one sentence.
        line: 1-based; None where the parser has none. place: the name it is about, if it is one.
    """

    def __init__(
        self, problem: str, hint: str, *, line: int | None = None, place: Place = ()
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.line = line
        self.place = place


class Document(NamedTuple):
    """A file of ours as data, and where its parts stand."""

    data: Any
    root: yaml.Node | None

    def line(self, place: Place, *, at_name: bool = False) -> int:
        """The 1-based line of a part; of the nearest part around it where it is not there.

        Args:
            at_name: the line of the name, where a plain value stands on another line.
        """
        node, line = self.root, _line_of(self.root)
        for depth, step in enumerate(place, start=1):
            if isinstance(node, yaml.MappingNode):
                pair = _pair_of(node, step)
                if pair is None:
                    break
                name, node = pair
                at_value = depth == len(place) and isinstance(node, yaml.ScalarNode) and not at_name
                line = _line_of(node if at_value else name)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    break
                node = node.value[step]
                line = _line_of(node)
            else:
                break
        return line


def _line_of(node: yaml.Node | None) -> int:
    return 1 if node is None else int(node.start_mark.line) + 1


def _pair_of(node: yaml.MappingNode, name: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The pair of a name; the last of several: a merge key puts its own before them."""
    pairs = (pair for pair in reversed(node.value) if str(pair[0].value) == str(name))
    return next(pairs, None)


def read_document(text: str) -> Document:
    """Read a file of ours; `data` is None where it is empty.

    Raises:
        YamlProblem: it is no YAML, nested beyond reason, or a name in it stands twice or is not
            text (`on:`, `3.5:`).
    """
    text = text.removeprefix("\ufeff")
    loader = SAFE_LOADER(text)
    try:
        check_depth(text)
        root = loader.get_single_node()
        check_size(root, text)
        if root is not None:
            _check_names(root)
        return Document(None if root is None else loader.construct_document(root), root)
    except UNREADABLE as error:
        raise _problem_of(error, text) from None
    finally:
        loader.dispose()


def _check_names(root: yaml.Node) -> None:
    """Refuse a name that plain YAML readers would take, and the user did not mean."""
    waiting: list[tuple[yaml.Node, Place]] = [(root, ())]
    seen: set[int] = set()
    while waiting:
        node, place = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if len(place) > DEEPEST_OF_OURS:
            raise YamlProblem("it is nested too deeply", _WRITE_OUT, line=_line_of(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(item, (*place, at)) for at, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            names: set[str] = set()
            for name, value in node.value:
                if name.tag != _MERGE:
                    _check_name(name, names, place)
                waiting.append((value, (*place, str(name.value))))


def _check_name(name: yaml.Node, before: set[str], place: Place) -> None:
    line = _line_of(name)
    if name.tag != "tag:yaml.org,2002:str":
        word = name.value if isinstance(name, yaml.ScalarNode) else "here"
        what = f"the name {word!a} is not text to YAML"
        raise YamlProblem(what, "Put it in quotes.", line=line, place=(*place, str(word)))
    if name.value in before:
        what = f"{name.value!a} stands twice here"
        hint = "Keep one of the two: the first would be lost."
        raise YamlProblem(what, hint, line=line, place=(*place, name.value))
    before.add(name.value)


_MERGE: Final = "tag:yaml.org,2002:merge"
_WRITE_OUT: Final = "Write out what is needed."


def _problem_of(error: Exception, text: str) -> YamlProblem:
    """One of PyYAML's exceptions in words, with its line."""
    if isinstance(error, yaml.reader.ReaderError):
        what = f"not YAML: the character U+{error.character:04X} is not allowed in it"
        return YamlProblem(what, "Take it out; it may not be visible in an editor.")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = int(mark.line) + 1 if mark is not None else None
    if isinstance(error, Unbounded):
        return YamlProblem(str(error.problem), _WRITE_OUT, line=line or 1)
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or error.context
        return YamlProblem(f"not YAML: {problem}", _hint(text, line or 1), line=line or 1)
    reason = str(error).splitlines()[0] if str(error) else "it is nested too deeply"
    return YamlProblem(f"not YAML: {reason}", _LOOK)


_LOOK: Final = "Look at this line and the one above it: indentation, quotes, brackets."


def _hint(text: str, line: int) -> str:
    lines = text.splitlines()
    near = "\n".join(lines[max(0, line - 2) : line])
    if re.search(r"[\s\[,-]\*", near):
        return 'Put patterns that begin with * in quotes: "*:free".'
    if re.search(r":\s*[<>]", near):
        return 'Put comparisons in quotes: context: ">= 128000".'
    if "\t" in near:
        return "Indent with spaces: YAML does not take tabs."
    return _LOOK


def load(text: str) -> Any:
    """The data of one YAML document, None of an empty one.

    Raises:
        yaml.YAMLError, and what else is in UNREADABLE: it cannot be read.
    """
    check_depth(text)
    reading = SAFE_LOADER(text)
    try:
        root = reading.get_single_node()
        check_size(root, text)
        return None if root is None else reading.construct_document(root)
    finally:
        reading.dispose()
