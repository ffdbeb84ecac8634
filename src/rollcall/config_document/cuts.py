"""What is taken out of the text: our lines, or whole entries of the user's.

What is cut out again is exactly what was put in, wherever the shape allows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from rollcall.config_document.edits import Edit
from rollcall.config_document.flow import cut_flow_run, cut_from_flow
from rollcall.config_document.nodes import (
    Tail,
    begin,
    column,
    content_begin,
    member_begins,
    member_tails,
)
from rollcall.config_document.refusals import refusal
from rollcall.config_document.sections import Section
from rollcall.config_document.text import line_end, line_number, line_start

_DASH = re.compile(r"(?:[^\S\n]|\n|#[^\n]*)*(-)")
_BLANK_TAIL = re.compile(r"(?:\r?\n)+\Z")
_AFTER_KEY = re.compile(r"[\"']?\s*:(?:[ \t]+[&!][^\s,\[\]{}]*)*")


def cut(body: str, section: Section) -> list[Edit]:
    """The edits that take our lines out; an emptied block collection is left as `[]` or `{}`."""
    region, node = section.region, section.node
    assert region is not None
    if node is not None and node.flow_style:
        return cut_from_flow(body, node, region)
    edits = [Edit(region.start, region.end)]
    if node is None or region.last - region.first == len(node.value):
        edits += left_empty(body, section)
    return edits


def left_empty(body: str, section: Section) -> list[Edit]:
    """Write the empty value behind the key: a key without one would be null."""
    empty = "{}" if section.kind == "aliases" else "[]"
    found = _AFTER_KEY.match(body, int(section.key.end_mark.index))
    if section.hollow and section.hollow.end > section.hollow.start:
        return []
    return [Edit(found.end(), found.end(), f" {empty}")] if found else []


def after_scalar(body: str, end: Tail) -> int:
    """Where the line after a node's last one begins; blank lines are left behind it."""
    if end.block_scalar is None or not body[: end.end].endswith("\n"):
        return line_end(body, end.end)
    start = begin(end.block_scalar)
    if "+" in body[start : line_end(body, start)].split("#")[0]:
        return end.end
    blank = _BLANK_TAIL.search(body, start, end.end)
    return line_end(body, blank.start()) if blank else end.end


def cut_members(body: str, node: Any, indexes: Sequence[int]) -> list[Edit]:
    """The edits that take whole members out of a list or mapping, with their inline comments.

    Raises:
        ConfigRefused: a member shares its line with something else.
    """
    if node.flow_style:
        return [cut_flow_run(body, node, first, last) for first, last in _runs(indexes)]
    begins = member_begins(body, node)
    tails = member_tails(body, node, indexes)
    before = member_tails(body, node, [index - 1 for index in indexes if index])
    floors = [end.end for end in before]
    if 0 in indexes:
        floors.insert(indexes.index(0), content_begin(body, node))
    edits = []
    for index, floor, end in zip(indexes, floors, tails, strict=True):
        start = line_start(body, begins[index])
        if isinstance(node, yaml.SequenceNode):
            start = _dash_line(body, floor, begins[index])
        if body[start : start + column(body, node)].strip():
            raise refusal("no_place", line_number(body, begins[index]), key="model_list")
        edits.append(Edit(start, after_scalar(body, end)))
    return edits


def _dash_line(body: str, start: int, end: int) -> int:
    """Where the line of an item's dash begins; `end` is where its content does."""
    found = _DASH.match(body, min(end, start))
    return line_start(body, found.start(1) if found else end)


def _runs(indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring indexes as (first, last), both inclusive."""
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
