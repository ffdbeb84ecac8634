"""Where our lines go in: in place of the old ones, at the end of a list, below a new key."""

from __future__ import annotations

import re
from typing import Any

from rollcall.config_document.cuts import after_scalar, cut, left_empty
from rollcall.config_document.edits import Edit
from rollcall.config_document.flow import into_flow, overwritten_flow, refilled_flow
from rollcall.config_document.markers import marker_lines
from rollcall.config_document.nodes import begin, column, content_begin, tail
from rollcall.config_document.refusals import refusal
from rollcall.config_document.render import block_items, block_pairs, key_text
from rollcall.config_document.sections import Hollow, Section
from rollcall.config_document.text import after_comments, line_end, line_number, line_start

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
        keys.append(f"{' ' * indent}{key_text(name)}:")
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
