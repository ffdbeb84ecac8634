"""Our rows in flow style: before a closing bracket, on lines of their own, commas first.

A comment needs the rest of its line, so a collection written on one line is broken up. The bracket
then stands one column right of the markers, by which the line break is known as ours and goes with
our lines when they are taken out.
"""

from __future__ import annotations

from typing import Any

from rollcall.config_document.edits import Edit
from rollcall.config_document.markers import marker_lines
from rollcall.config_document.nodes import (
    begin,
    content_begin,
    has_comma,
    member_begins,
    member_end,
)
from rollcall.config_document.refusals import refusal
from rollcall.config_document.render import flow, flow_pair, quoted
from rollcall.config_document.sections import Region, Section
from rollcall.config_document.text import indent_at, line_number, line_start


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


def _commas(body: str, node: Any, region: Region) -> tuple[bool, bool]:
    """Whether a comma outside our lines stands before, and after them."""
    start = member_end(body, node, region.first - 1) if region.first else region.start
    begins = member_begins(body, node)
    end = begins[region.last] if region.last < len(begins) else int(node.end_mark.index) - 1
    return has_comma(body, start, region.start), has_comma(body, region.end, end)


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
