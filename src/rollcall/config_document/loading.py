"""config.yaml loaded as LiteLLM loads it: one parse gives both the places and the data.

LiteLLM uses PyYAML's pure-Python safe loader. Its C twin reads the same and is some ten times
faster, but lets a few texts pass that LiteLLM refuses; those are read by the Python one.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from rollcall.config_document.refusals import refusal
from rollcall.config_document.text import line_number
from rollcall.yaml_bounds import UNREADABLE, check_depth, check_size

_GLUED_COMMENT = re.compile(r"[|>][0-9+-]*#")
_BARE_QUESTION = re.compile(r"""^(?:[^\n#"'?]|"[^"\n]*"|'[^'\n]*')*\?""", re.MULTILINE)
_MERGE_KEY = re.compile(r"<<(?!<)(?<!<<<)")
"""Two of them, as a merge key is written; our own markers have three."""
_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{\{")


class LoadedYaml:
    """One text's node tree, and the values of its nodes."""

    def __init__(self, body: str) -> None:
        self.body = body
        self._loader = _loader_class(body)(body)
        with collector_paused(), _translated(body):
            check_depth(body)
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
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if _reads_otherwise_in_c(body):
        loader = yaml.SafeLoader
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
    return re.sub(r"'[^']*'?|\"[^\"]*\"?", "...", problem)
