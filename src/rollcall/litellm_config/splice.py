"""Our lines put into the text or taken out of it, in block and in flow style.

What is cut out again is exactly what was put in, wherever the shape allows it.

A comment needs the rest of its line, so a collection written on one line is broken up. The bracket
then stands one column right of the markers, by which the line break is known as ours and goes with
our lines when they are taken out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from rollcall.litellm_config.nodes import (
    Tail,
    begin,
    column,
    content_begin,
    has_between,
    member_begins,
    member_end,
    member_tails,
    tail,
)
from rollcall.litellm_config.refusals import refusal
from rollcall.litellm_config.sections import Hollow, Region, Section, marker_lines
from rollcall.litellm_config.text import (
    Edit,
    after_comments,
    indent_at,
    line_end,
    line_number,
    line_start,
)

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


def into_flow(body: str, newline: str, section: Section, node: Any, members: Any) -> Edit:
    """Our rows before a flow collection's closing bracket, on lines of their own."""
    if section.hollow and section.hollow.start == section.hollow.end:
        line = line_number(body, section.hollow.start)
        raise refusal("no_place", line, key=section.path[-1])
    margin = indent_at(body, begin(section.flow_root)) + 2
    if section.hollow:
        text = _flow_text(newline, section, members, margin, section.missing)
        return Edit(section.hollow.start, section.hollow.end, text)
    close = int(node.end_mark.index) - 1
    last = len(node.value) - 1
    content = content_begin(body, node) + 1
    comma = last >= 0 and not has_between(",", body, member_end(body, node, last), close)
    if section.missing:
        text = _flow_text(newline, section, members, margin, section.missing[1:])
        return Edit(close, close, f'{", " if comma else ""}"{section.missing[0]}": {text}')
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
    before = "".join(f'{{"{name}": ' for name in names)
    rows = newline.join(_flow_lines(section, members, margin, leading=False))
    after = f"{newline}{' ' * (margin + 1)}{closing}{'}' * len(names)}"
    return f"{before}{opening}{newline}{rows}{after}"


def _flow_lines(
    section: Section, members: Any, margin: int, *, leading: bool, trailing: bool = False
) -> tuple[str, ...]:
    """Our rows in flow style, markers included; `leading` and `trailing`: commas at the ends."""
    from rollcall.litellm_config.render import flow, flow_pair  # ruamel.yaml: only to write

    opening, closing = marker_lines(section.kind)
    if section.kind == "aliases":
        rows = [flow_pair(key, value) for key, value in members.items()]
    else:
        rows = [flow(member) for member in members]
    rows = [f"{', ' if index or leading else ''}{row}" for index, row in enumerate(rows)]
    if trailing:
        rows[-1] += ","
    return tuple(" " * margin + row for row in (opening, *rows, closing))


def _commas(body: str, node: Any, region: Region) -> tuple[bool, bool]:
    """Whether a comma outside our lines stands before, and after them."""
    start = member_end(body, node, region.first - 1) if region.first else region.start
    begins = member_begins(body, node)
    end = begins[region.last] if region.last < len(begins) else int(node.end_mark.index) - 1
    return has_between(",", body, start, region.start), has_between(",", body, region.end, end)


def cut_from_flow(body: str, node: Any, region: Region) -> list[Edit]:
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


def cut_flow_run(body: str, node: Any, first: int, last: int) -> Edit:
    begins = member_begins(body, node)
    if last + 1 < len(begins):
        return Edit(begins[first], begins[last + 1])
    if first:
        return Edit(member_end(body, node, first - 1), member_end(body, node, last))
    return Edit(begins[0], int(node.end_mark.index) - 1)


def refilled_flow(body: str, section: Section, region: Region, members: Any) -> Edit:
    """Replace our rows where they stand."""
    node = section.node
    before, after = _commas(body, node, region)
    leading = region.first > 0 and not before
    trailing = region.last < len(node.value) and not after
    margin = indent_at(body, region.start)
    rows = _flow_lines(section, members, margin, leading=leading, trailing=trailing)
    return Edit(region.start, region.end, lines=rows)


def overwritten_flow(body: str, newline: str, section: Section, members: Any) -> Edit:
    """Make our rows the whole of a flow collection."""
    node = section.node
    start, close = content_begin(body, node) + 1, int(node.end_mark.index) - 1
    margin = indent_at(body, begin(section.flow_root)) + 2
    rows = newline.join(_flow_lines(section, members, margin, leading=False))
    text = f"{newline}{rows}{newline}{' ' * (margin + 1)}" if members else ""
    return Edit(start, close, text)


_DOCUMENT_END = re.compile(r"^\.\.\.(?=\s|\Z)", re.MULTILINE)


def filled(
    body: str, newline: str, section: Section, members: Any, *, begun: bool = False
) -> list[Edit]:
    """The edits that make `members` what stands between the markers of `section`.

    Args:
        begun: the first of the section's missing keys is written by the edit before this one.
    """
    if section.region and (section.region.first < section.region.last or _is_flow(section)):
        if _is_flow(section):
            return [refilled_flow(body, section, section.region, members)]
        lines = block_lines(section, members, column(body, section.node))
        return [Edit(section.region.start, section.region.end, lines=lines)]
    edits = [*cut(body, section)[:1]] if section.region else []
    if section.node is not None and section.node.flow_style:
        return [*edits, into_flow(body, newline, section, section.node, members)]
    if section.container is not None and section.container.flow_style:
        return [*edits, into_flow(body, newline, section, section.container, members)]
    return [*edits, *_into_block(body, section, members, begun=begun)]


def _is_flow(section: Section) -> bool:
    return section.node is not None and bool(section.node.flow_style)


def block_lines(section: Section, members: Any, indent: int) -> tuple[str, ...]:
    """Our lines in block style, markers included."""
    from rollcall.litellm_config.render import block_items, block_pairs  # ruamel.yaml, as above

    opening, closing = marker_lines(section.kind)
    margin = " " * indent
    write = block_pairs if section.kind == "aliases" else block_items
    return (margin + opening, *write(members, indent), margin + closing)


def _into_block(body: str, section: Section, members: Any, *, begun: bool) -> list[Edit]:
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
        keys.append(f"{' ' * indent}{name}:")
        indent += 2
    return [
        *edits,
        Edit(
            place, place, lines=(*keys[begun:], *block_lines(section, members, indent)), depth=depth
        ),
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


def _document_end(body: str, start: int) -> int:
    found = _DOCUMENT_END.search(body, start)
    return found.start() if found else len(body)


def overwritten(body: str, newline: str, section: Section, members: Any) -> list[Edit]:
    """The edits that make `members` the whole of a collection, hand-written entries and all."""
    node, region = section.node, section.region
    start = content_begin(body, node)
    if node.flow_style:
        return [overwritten_flow(body, newline, section, members)]
    start = line_start(body, start)
    if body[start : start + column(body, node)].strip():
        raise refusal("no_place", line_number(body, start), key=section.path[-1])
    end = after_scalar(body, tail(body, node, begin(node)))
    if region:
        start, end = min(start, region.start), max(end, region.end)
    if not members:
        return [Edit(start, end), *left_empty(body, section)]
    return [Edit(start, end, lines=block_lines(section, members, column(body, node)))]
