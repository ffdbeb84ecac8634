"""Edits of the text: which bytes go, which lines come in their place.

Every edit is made on the text as it was read; nothing outside the edits is touched. What is cut
out again is exactly what was put in, wherever the shape allows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from rollcall.config_markers import marker_lines
from rollcall.config_nodes import (
    Tail,
    begin,
    column,
    content_begin,
    has_comma,
    member_begins,
    member_end,
    member_tail,
    tail,
)
from rollcall.config_refusals import refusal
from rollcall.config_render import block_items, block_pairs, flow, flow_pair, key_text, quoted
from rollcall.config_sections import Hollow, Region, Section
from rollcall.config_text import after_comments, indent_at, line_end, line_number, line_start

_DOCUMENT_END = re.compile(r"^\.\.\.(?=\s|\Z)", re.MULTILINE)
_DASH = re.compile(r"(?:[^\S\n]|\n|#[^\n]*)*(-)")
_BLANK_TAIL = re.compile(r"(?:\r?\n)+\Z")


@dataclass(frozen=True, slots=True)
class Edit:
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


# -- putting ours in --------------------------------------------------------------------------


def filled(body: str, newline: str, section: Section, members: Any) -> list[Edit]:
    """The edits that make `members` what stands between the markers of `section`."""
    if section.region and (section.region.first < section.region.last or _is_flow(section)):
        return _refilled(body, section, section.region, members)
    edits = [*cut(body, section)[:1]] if section.region else []
    if section.node is not None and section.node.flow_style:
        return [*edits, _into_flow(body, newline, section, section.node, members)]
    if section.container is not None and section.container.flow_style:
        return [*edits, _into_flow(body, newline, section, section.container, members)]
    return [*edits, *_into_block(body, section, members)]


def _is_flow(section: Section) -> bool:
    return section.node is not None and bool(section.node.flow_style)


def block_lines(section: Section, members: Any, indent: int) -> tuple[str, ...]:
    """Our lines in block style, markers included."""
    opening, closing = marker_lines(section.kind)
    margin = " " * indent
    write = block_pairs if section.kind == "aliases" else block_items
    return (margin + opening, *write(members, indent), margin + closing)


def _into_block(body: str, section: Section, members: Any) -> list[Edit]:
    """Lines at the end of a block collection, below an empty key, or at the end of the file."""
    edits: list[Edit] = []
    if section.container is None:
        place, indent = _document_end(body, 0), 0
    elif section.hollow:
        edits, place = _hollow_filled(body, section, section.hollow)
        indent = column(body, section.container) + 2
    else:
        indent = column(body, section.container)
        place = _block_end(body, section, indent)
    depth = indent + 1 if section.node is not None else indent
    keys = []
    for name in section.missing:
        keys.append(f"{' ' * indent}{key_text(name)}:")
        indent += 2
    return [
        *edits,
        Edit(place, place, lines=(*keys, *block_lines(section, members, indent)), depth=depth),
    ]


def _hollow_filled(body: str, section: Section, hollow: Hollow) -> tuple[list[Edit], int]:
    """Take the empty value out; lines can then follow below its key."""
    start = hollow.start
    while hollow.end > hollow.start and body[start - 1] in " \t":
        start -= 1
    place = line_end(body, max(hollow.end, int(section.key.end_mark.index)))
    place = after_comments(body, place, column(body, section.container) + 1)
    return ([Edit(start, hollow.end)] if hollow.end > hollow.start else []), place


def _block_end(body: str, section: Section, indent: int) -> int:
    """Where lines can be added to a block collection: after its last line and its comments."""
    node = section.container
    end = tail(body, node, begin(node))
    place = after_scalar(body, end)
    if end.block_scalar is not None and place == len(body) and not body.endswith("\n"):
        header = body[begin(end.block_scalar) : line_end(body, begin(end.block_scalar))]
        if "-" not in header.split("#")[0]:
            raise refusal("block_scalar_end", line_number(body, begin(end.block_scalar)))
    if not indent and section.missing:
        return _document_end(body, place)
    return after_comments(body, place, indent)


def after_scalar(body: str, end: Tail) -> int:
    """Where the line after a node's last one begins; blank lines are left behind it."""
    if end.block_scalar is None or not body[: end.end].endswith("\n"):
        return line_end(body, end.end)
    start = begin(end.block_scalar)
    if "+" in body[start : line_end(body, start)].split("#")[0]:
        return end.end
    blank = _BLANK_TAIL.search(body, start, end.end)
    return line_end(body, blank.start()) if blank else end.end


def _document_end(body: str, start: int) -> int:
    found = _DOCUMENT_END.search(body, start)
    return found.start() if found else len(body)


def _into_flow(body: str, newline: str, section: Section, node: Any, members: Any) -> Edit:
    """Our rows before a flow collection's closing bracket, on lines of their own."""
    if section.hollow and section.hollow.start == section.hollow.end:
        line = line_number(body, section.hollow.start)
        raise refusal("no_place", line, key=section.path[-1])
    margin = indent_at(body, begin(node)) + 2
    if section.hollow:
        text = _flow_text(newline, section, members, margin, section.missing)
        return Edit(section.hollow.start, section.hollow.end, text)
    close = int(node.end_mark.index) - 1
    last = len(node.value) - 1
    content = content_begin(body, node) + 1
    comma = last >= 0 and not has_comma(body, member_end(body, node, last), close)
    if section.missing:
        text = _flow_text(newline, section, members, margin, section.missing[1:])
        name = quoted(section.missing[0])
        return Edit(close, close, f"{', ' if comma else ''}{name}: {text}")
    start = line_start(body, close)
    if start >= content and not body[start:close].strip():
        margin = close - start + 2
        return Edit(start, start, lines=_flow_lines(section, members, margin, leading=comma))
    rows = newline.join(_flow_lines(section, members, margin, leading=comma))
    return Edit(close, close, f"{newline}{rows}{newline}{' ' * (margin + 1)}")


def _flow_text(
    newline: str, section: Section, members: Any, margin: int, names: tuple[str, ...]
) -> str:
    """A new flow collection that holds our rows, inside the mappings `names` call for."""
    opening, closing = "{}" if section.kind == "aliases" else "[]"
    before = "".join(f"{{{quoted(name)}: " for name in names)
    rows = newline.join(_flow_lines(section, members, margin, leading=False))
    after = f"{newline}{' ' * (margin + 1)}{closing}{'}' * len(names)}"
    return f"{before}{opening}{newline}{rows}{after}"


def _flow_lines(
    section: Section, members: Any, margin: int, *, leading: bool, trailing: bool = False
) -> tuple[str, ...]:
    """Our rows in flow style, markers included; `leading` and `trailing`: commas at the ends."""
    opening, closing = marker_lines(section.kind)
    if section.kind == "aliases":
        rows = [flow_pair(key, value) for key, value in members.items()]
    else:
        rows = [flow(member) for member in members]
    rows = [f"{', ' if index or leading else ''}{row}" for index, row in enumerate(rows)]
    if trailing:
        rows[-1] += ","
    return tuple(" " * margin + row for row in (opening, *rows, closing))


def _refilled(body: str, section: Section, region: Region, members: Any) -> list[Edit]:
    """Replace our lines where they stand."""
    node = section.node
    if not node.flow_style:
        lines = block_lines(section, members, column(body, node))
        return [Edit(region.start, region.end, lines=lines)]
    before, after = _commas(body, node, region)
    leading = region.first > 0 and not before
    trailing = region.last < len(node.value) and not after
    margin = indent_at(body, region.start)
    rows = _flow_lines(section, members, margin, leading=leading, trailing=trailing)
    return [Edit(region.start, region.end, lines=rows)]


def _commas(body: str, node: Any, region: Region) -> tuple[bool, bool]:
    """Whether a comma outside our lines stands before, and after them."""
    start = member_end(body, node, region.first - 1) if region.first else region.start
    begins = member_begins(body, node)
    end = begins[region.last] if region.last < len(begins) else int(node.end_mark.index) - 1
    return has_comma(body, start, region.start), has_comma(body, region.end, end)


def overwritten(body: str, newline: str, section: Section, members: Any) -> list[Edit]:
    """The edits that make `members` the whole of a collection, hand-written entries and all."""
    node, region = section.node, section.region
    start = content_begin(body, node)
    if node.flow_style:
        close = int(node.end_mark.index) - 1
        margin = indent_at(body, begin(node)) + 2
        rows = newline.join(_flow_lines(section, members, margin, leading=False))
        text = f"{newline}{rows}{newline}{' ' * (margin + 1)}" if members else ""
        return [Edit(start + 1, close, text)]
    start = line_start(body, start)
    if body[start : start + column(body, node)].strip():
        raise refusal("no_place", line_number(body, start), key=section.path[-1])
    end = after_scalar(body, tail(body, node, begin(node)))
    if region:
        start, end = min(start, region.start), max(end, region.end)
    if not members:
        return [Edit(start, end), *_left_empty(body, section)]
    return [Edit(start, end, lines=block_lines(section, members, column(body, node)))]


# -- taking ours out --------------------------------------------------------------------------


def cut(body: str, section: Section) -> list[Edit]:
    """The edits that take our lines out; an emptied block collection is left as `[]` or `{}`."""
    region, node = section.region, section.node
    assert region is not None
    if node is not None and node.flow_style:
        return _cut_from_flow(body, node, region)
    edits = [Edit(region.start, region.end)]
    if node is None or region.last - region.first == len(node.value):
        edits += _left_empty(body, section)
    return edits


def _left_empty(body: str, section: Section) -> list[Edit]:
    """Write the empty value behind the key: a key without one would be null."""
    empty = "{}" if section.kind == "aliases" else "[]"
    found = re.compile(r"[\"']?\s*:(?:[ \t]+[&!][^\s,\[\]{}]*)*").match(
        body, int(section.key.end_mark.index)
    )
    if section.hollow and section.hollow.end > section.hollow.start:
        return []
    return [Edit(found.end(), found.end(), f" {empty}")] if found else []


def _cut_from_flow(body: str, node: Any, region: Region) -> list[Edit]:
    before, after = _commas(body, node, region)
    close = int(node.end_mark.index) - 1
    start, end = region.start, region.end
    if not body[end:close].strip() and close - end == indent_at(body, start) + 1:
        newline = 2 if body[:start].endswith("\r\n") else 1
        return [Edit(start - newline, close)]
    edits = [Edit(start, end)]
    follows = region.last < len(node.value)
    if after and (before or not region.first):
        comma = body.index(",", end)
        edits.append(Edit(comma, comma + 1))
    elif follows and region.first and not before and not after:
        edits.append(Edit(end, end, ", "))
    return edits


def cut_members(body: str, node: Any, indexes: Sequence[int]) -> list[Edit]:
    """The edits that take whole members out of a list or mapping, with their inline comments.

    Raises:
        ConfigRefused: a member shares its line with something else.
    """
    if node.flow_style:
        return [_cut_flow_run(body, node, first, last) for first, last in _runs(indexes)]
    begins = member_begins(body, node)
    edits = []
    for index in indexes:
        start = line_start(body, begins[index])
        if isinstance(node, yaml.SequenceNode):
            floor = member_end(body, node, index - 1) if index else content_begin(body, node)
            start = _dash_line(body, floor, begins[index])
        floor = begins[index]
        if body[start : start + column(body, node)].strip():
            raise refusal("no_place", line_number(body, floor), key="model_list")
        edits.append(Edit(start, after_scalar(body, member_tail(body, node, index))))
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


def _cut_flow_run(body: str, node: Any, first: int, last: int) -> Edit:
    begins = member_begins(body, node)
    if last + 1 < len(begins):
        return Edit(begins[first], begins[last + 1])
    if first:
        return Edit(member_end(body, node, first - 1), member_end(body, node, last))
    return Edit(begins[0], int(node.end_mark.index) - 1)
