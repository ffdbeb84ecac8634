"""config.yaml as text and as data: byte order mark, line ends, one parse, edits by offset.

YAML counts more characters as line breaks than an editor shows, so lines are found by LF only.

Every edit is made on the text as it was read; nothing outside the edits is touched.

LiteLLM uses PyYAML's pure-Python safe loader. Its C twin reads the same and is some ten times
faster, but lets a few texts pass that LiteLLM refuses; those are read by the Python one.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml

from rollcall.files import BYTE_ORDER_MARK, NotUTF8, text_of
from rollcall.litellm_config.refusals import refusal
from rollcall.yaml_reading import SAFE_LOADER, UNREADABLE, check_depth, check_size


class ConfigText(NamedTuple):
    """The file decoded. `body` is without the byte order mark, line ends as they were."""

    body: str
    has_bom: bool
    newline: str

    def encode(self, body: str) -> bytes:
        """`body` as bytes of this file."""
        return (BYTE_ORDER_MARK if self.has_bom else b"") + body.encode()


def decode(raw: bytes) -> ConfigText:
    """Decode the file's bytes.

    Raises:
        ConfigRefused: not UTF-8, or lines that end in a lone carriage return.
    """
    has_bom = raw.startswith(BYTE_ORDER_MARK)
    try:
        body = text_of(raw)
    except NotUTF8 as error:
        raise refusal("not_utf8", error.line, detail=str(error)) from None
    first = body.find("\n")
    if first < 0 and "\r" in body:
        raise refusal("old_line_ends", 1)
    return ConfigText(body, has_bom, "\r\n" if first > 0 and body[first - 1] == "\r" else "\n")


def line_number(body: str, offset: int) -> int:
    """The 1-based line of a character."""
    return body.count("\n", 0, offset) + 1


def line_start(body: str, offset: int) -> int:
    """Where the line of `offset` begins."""
    return body.rfind("\n", 0, offset) + 1


def line_end(body: str, offset: int) -> int:
    """Where the line after that of `offset` begins, or the end of the text."""
    end = body.find("\n", offset)
    return len(body) if end < 0 else end + 1


def indent_at(body: str, offset: int) -> int:
    """The number of spaces the line of `offset` begins with."""
    start = line_start(body, offset)
    position = start
    while position < len(body) and body[position] == " ":
        position += 1
    return position - start


_COMMENT = re.compile(r"([ ]*)#[^\n]*(?:\n|\Z)")
_BLANK = re.compile(r"[ \t\r]*(?:\n|\Z)")


def after_comments(body: str, offset: int, column: int) -> int:
    """Where the comment lines from `offset` (a line's beginning) that belong to a collection end.

    Those are the ones indented at least as deep as the collection at `column`, and never at the
    margin: a comment there is usually the next section's heading.
    """
    end = position = offset
    while position < len(body):
        comment = _COMMENT.match(body, position)
        if comment:
            if len(comment[1]) < max(column, 1):
                break
            end = position = comment.end()
            continue
        blank = _BLANK.match(body, position)
        if not blank or blank.end() == position:
            break
        position = blank.end()
    return end


class Edit(NamedTuple):
    """Replace [start, end) by `lines` (whole lines) or by `text` (in the midst of a line).

    `depth` orders insertions at one place: what continues a deeper collection comes first.
    """

    start: int
    end: int
    text: str = ""
    lines: tuple[str, ...] = ()
    depth: int = 0


def apply_edits(body: str, newline: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made; a file without a final newline keeps to that."""
    pieces: list[str] = []
    position = 0
    unterminated = bool(body) and not body.endswith("\n")
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end, -edit.depth)):
        pieces.append(body[position : edit.start])
        if edit.lines:
            so_far = next((piece for piece in reversed(pieces) if piece), "\n")
            pieces.append("" if so_far.endswith("\n") else newline)
            pieces += [line + newline for line in edit.lines]
        pieces.append(edit.text)
        position = edit.end
    pieces.append(body[position:])
    result = "".join(pieces)
    if unterminated and position == len(body):
        result = result.removesuffix(newline)
    return result


_GLUED_COMMENT = re.compile(r"[|>][0-9+-]*#")
_BARE_QUESTION = re.compile(r"""^(?:[^\n#"'?]|"[^"\n]*"|'[^'\n]*')*\?""", re.MULTILINE)
_MERGE_KEY = re.compile(r"<<(?!<)(?<!<<<)")
"""Two of them, as a merge key is written; our own markers have three."""
_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{\{")


class LoadedYaml:
    """One text's node tree, and the values of its nodes."""

    def __init__(self, body: str) -> None:
        self.body = body
        with collector_paused(), _translated(body):
            check_depth(body)
            self._loader = _loader_class(body)(body)
            self.root: yaml.Node | None = self._loader.get_single_node()
            check_size(self.root, body)

    def construct(self, node: yaml.Node) -> Any:
        """The value LiteLLM gets for `node`. Merge keys are resolved inside `node` on the way."""
        with collector_paused(), _translated(self.body):
            value = self._loader.construct_document(node)
        for mapping, pairs in getattr(self._loader, "unmerged", ()):
            mapping.value = pairs
        return value


class _MergesUndone:
    """Remembers the pairs of a mapping before a merge key is resolved inside it.

    PyYAML replaces `<<` by the merged pairs in the node itself, which then no longer says where
    its own lines are.
    """

    unmerged: list[tuple[yaml.MappingNode, list[Any]]]

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            self.unmerged.append((node, list(node.value)))
        super().flatten_mapping(node)  # type: ignore[misc]  # the class it is mixed into has it


def _loader_class(body: str) -> Any:
    loader: Any = yaml.SafeLoader if _reads_otherwise_in_c(body) else SAFE_LOADER
    if _MERGE_KEY.search(body) is None:
        return loader
    return type("MergesUndoneLoader", (_MergesUndone, loader), {"unmerged": []})


def _reads_otherwise_in_c(body: str) -> bool:
    """Whether the text holds anything the C loader lets pass and the Python one may not."""
    return (
        "\t" in body
        or "\ufeff" in body
        or _GLUED_COMMENT.search(body) is not None
        or ("?" in body and _BARE_QUESTION.search(body) is not None)
    )


@contextmanager
def collector_paused() -> Iterator[None]:
    """Half the time of loading a large file goes into collecting garbage that is not there."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _translated(body: str) -> Iterator[None]:
    """PyYAML's exceptions as refusals. Their texts are not shown whole: they quote the file."""
    try:
        yield
    except yaml.YAMLError as error:
        offset = _offset_of(error)
        line = line_number(body, offset) if offset is not None else None
        detail = _quoteless(str(getattr(error, "problem", None) or "unreadable characters"))
        if "single document" in str(getattr(error, "context", "")):
            raise refusal("several_documents", line) from None
        reason = "template" if _TEMPLATE.search(body) else "broken_yaml"
        raise refusal(reason, line, detail=detail) from None
    except UNREADABLE as error:
        reason = "template" if _TEMPLATE.search(body) else "broken_yaml"
        raise refusal(reason, detail=f"{type(error).__name__} in a value") from None


def _offset_of(error: yaml.YAMLError) -> int | None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = getattr(mark, "index", None)
    return index if index is not None else getattr(error, "position", None)


def _quoteless(problem: str) -> str:
    """A parser's message without the pieces of the file it quotes; they may be secrets."""
    if repr("\t") in problem:
        return "a tab stands where YAML takes only spaces"
    return re.sub(r"'[^']*'?|\"[^\"]*\"?", "...", problem)
