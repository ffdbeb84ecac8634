"""Our marker lines: comments that say where the managed lines begin and end.

They are known by their first words, so that the rest of the sentence may change one day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rollcall.config_refusals import refusal
from rollcall.config_text import line_end, line_number
from rollcall.errors import ConfigRefused

Kind = Literal["models", "aliases", "fallbacks"]
KINDS: tuple[Kind, ...] = ("models", "aliases", "fallbacks")

_MARKER = re.compile(
    r"^[ \t]*#[ \t]*(>>>|<<<) rollcall: managed (models|aliases|fallbacks)\b[^\n]*$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker line: [start, end) with its line end."""

    kind: Kind
    opens: bool
    start: int
    end: int


def marker_lines(kind: Kind) -> tuple[str, str]:
    """The two lines around the managed `kind`."""
    return (
        f"# >>> rollcall: managed {kind}, written from policy.yaml >>>",
        f"# <<< rollcall: managed {kind} <<<",
    )


def find_markers(body: str) -> list[Marker]:
    """All marker lines, in file order; whether they are comments is not yet known."""
    if "rollcall: managed" not in body:
        return []
    return [
        Marker(kind, found[1] == ">>>", found.start(), line_end(body, found.end()))
        for found in _MARKER.finditer(body)
        for kind in KINDS
        if kind == found[2]
    ]


def pair(body: str, kind: Kind, markers: list[Marker]) -> tuple[Marker, Marker] | None:
    """The pair around the managed `kind`; None where there is no marker of it.

    Raises:
        ConfigRefused: half a pair, two pairs, or an end before its start.
    """
    ours = [marker for marker in markers if marker.kind == kind]
    if not ours:
        return None
    if [marker.opens for marker in ours] == [True, False]:
        return ours[0], ours[1]
    raise _unpaired(body, kind, ours)


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
