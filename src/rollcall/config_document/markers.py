"""Our marker lines: comments that say where the managed lines begin and end.

They are known by their first words, so that the rest of the sentence may change one day.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from rollcall.config_document.refusals import refusal
from rollcall.config_document.text import line_end, line_number, line_start
from rollcall.errors import ConfigRefused

Kind = Literal["models", "aliases", "fallbacks"]
KINDS: tuple[Kind, ...] = ("models", "aliases", "fallbacks")

_MARKER = re.compile(
    r"#[ \t]*(>>>|<<<) rollcall: managed (models|aliases|fallbacks)\b[^\n]*$", re.MULTILINE
)


class Marker(NamedTuple):
    """One marker: [start, end) is its line with the line end.

    `inline` is one that a formatter moved behind something else; then it is the comment alone.
    """

    kind: Kind
    opens: bool
    start: int
    end: int
    inline: bool = False


def marker_lines(kind: Kind) -> tuple[str, str]:
    """The two lines around the managed `kind`."""
    return (
        f"# >>> rollcall: managed {kind}, written from policy.yaml >>>",
        f"# <<< rollcall: managed {kind} <<<",
    )


def find_markers(body: str) -> list[Marker]:
    """All markers, in file order; whether they are comments is not yet known."""
    if "rollcall: managed" not in body:
        return []
    found = (_marker(body, match) for match in _MARKER.finditer(body))
    return [marker for marker in found if marker]


def _marker(body: str, found: re.Match[str]) -> Marker | None:
    """The marker of a match, unless it is only spoken of in a longer comment or word."""
    start = line_start(body, found.start())
    before = body[start : found.start()]
    kind = next(kind for kind in KINDS if kind == found[2])
    opens = found[1] == ">>>"
    if not before.strip():
        return Marker(kind, opens, start, line_end(body, found.end()))
    if before.lstrip().startswith("#") or not before[-1].isspace():
        return None
    end = found.end() - body[found.start() : found.end()].endswith("\r")
    return Marker(kind, opens, start + len(before.rstrip()), end, inline=True)


def pair(body: str, kind: Kind, markers: list[Marker]) -> tuple[Marker, Marker] | None:
    """The pair around the managed `kind`; None where there is no marker of it.

    Raises:
        ConfigRefused: half a pair, two pairs, an end before its start, or not on their own lines.
    """
    ours = [marker for marker in markers if marker.kind == kind]
    if not ours:
        return None
    if [marker.opens for marker in ours] != [True, False]:
        raise _unpaired(body, kind, ours)
    for marker in ours:
        if marker.inline:
            raise refusal("marker_inline", line_number(body, marker.start), kind=kind)
    return ours[0], ours[1]


def _unpaired(body: str, kind: Kind, ours: list[Marker]) -> ConfigRefused:
    expect_open = True
    for marker, following in zip(ours, [*ours[1:], None], strict=True):
        line = line_number(body, marker.start)
        if marker.opens != expect_open:
            return refusal("marker_unpaired", line, kind=kind, side="end")
        if marker.opens and (following is None or following.opens):
            return refusal("marker_unpaired", line, kind=kind, side="start")
        expect_open = not expect_open
    line = line_number(body, ours[2].start)
    return refusal("marker_repeated", line, kind=kind)
