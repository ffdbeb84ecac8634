"""Edits of the text: which characters go, what comes in their place.

Every edit is made on the text as it was read; nothing outside the edits is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


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
