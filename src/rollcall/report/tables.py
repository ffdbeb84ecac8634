"""Tables for people, folded into the terminal's width, and the same rows as lines for a program.

A name is never broken: what does not fit into one line stands in two or three, each row alike, and
only the last column's words are wrapped.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.report.text import (
    FORCE_TTY,
    Style,
    is_for_people,
    is_unicode,
    out,
    painted,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO


class Cell(NamedTuple):
    """A value in a colour."""

    value: object
    style: Style | None = None


PLAIN_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""
LEAST_WIDTH = 40
LEAST_WORDS = 34
"""Columns the last column must get, to stand beside the others and not below them."""
GAP = "  "
INDENT = "      "


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
    headless: bool = False,
) -> None:
    """Print a table to stdout.

    Args:
        right: names of the columns that hold numbers. headless: the rows alone.
    """
    out(render_table(columns, rows, right=right, headless=headless))


def render_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
    headless: bool = False,
    stream: TextIO | None = None,
) -> str:
    """The table as text without a final newline, in the terminal's width.

    Args:
        stream: where it will be printed; stdout where it is not given.
    """
    stream = stream or sys.stdout
    cells = [[_cell(value) for value in row] for row in rows]
    head = [Cell("" if headless else name, Style.HEAD) for name in columns]
    numbers = [name in frozenset(right) for name in columns]
    return "\n".join(_Table(head, cells, numbers, stream).lines(headless=headless))


def show_words(text: str) -> None:
    """Print a text to stdout, indented, broken between words."""
    for line in _wrapped(printable(text, limit=20_000), _width(sys.stdout) - len(INDENT)):
        out(INDENT + line)


class _Table:
    """Where each column stands is decided once, for all rows."""

    def __init__(
        self, head: list[Cell], rows: list[list[Cell]], numbers: list[bool], stream: TextIO
    ) -> None:
        self.head = head
        self.rows = rows
        self.stream = stream
        self.width = _width(stream)
        self.numbers = numbers
        columns = list(zip(head, *rows, strict=True))
        self.widths = [max(_columns(str(cell.value)) for cell in column) for column in columns]
        self.parts = self._parts()

    def _parts(self) -> list[list[int]]:
        """The columns on each line of a row."""
        parts: list[list[int]] = [[]]
        for column, width in enumerate(self.widths):
            indent = len(INDENT) if len(parts) > 1 else 0
            used = indent + sum(self.widths[one] + len(GAP) for one in parts[-1])
            last = column == len(self.widths) - 1
            needed = min(width, LEAST_WORDS) if last else width
            if parts[-1] and used + needed > self.width:
                parts.append([])
            parts[-1].append(column)
        return parts

    def lines(self, *, headless: bool) -> Iterator[str]:
        """The head, a rule, and the rows."""
        if not headless:
            yield from self._head()
        for row in self.rows:
            yield from (line for line in self._row(row) if line)

    def _head(self) -> Iterator[str]:
        yield from (line for line in self._row(self.head) if line)
        ends = [
            self._margin(number) + self.widths[part[-1]] for number, part in enumerate(self.parts)
        ]
        yield ("\u2500" if is_unicode(self.stream) else "-") * min(self.width, max(ends))

    def _row(self, row: list[Cell]) -> Iterator[str]:
        for number, part in enumerate(self.parts):
            words = str(row[-1].value) if part[-1] == len(row) - 1 else ""
            padded = [self._padded(row[column], column) for column in part[: -1 if words else None]]
            line = GAP.join([(INDENT if number else "") + "".join(padded[:1]), *padded[1:]])
            if not words:
                yield line.rstrip()
                continue
            margin = self._margin(number)
            if padded:
                line += GAP
            for wrapped in _wrapped(words, max(self.width - margin, LEAST_WORDS)):
                yield line + painted(wrapped, row[-1].style, self.stream)
                line = " " * margin

    def _margin(self, number: int) -> int:
        """Where the last column of a row's line begins."""
        before = sum(self.widths[column] + len(GAP) for column in self.parts[number][:-1])
        return before + (len(INDENT) if number else 0)

    def _padded(self, cell: Cell, column: int) -> str:
        text = str(cell.value)
        room = " " * (self.widths[column] - _columns(text))
        shown = painted(text, cell.style, self.stream)
        return room + shown if self.numbers[column] else shown + room


def _cell(value: object) -> Cell:
    value, style = value if isinstance(value, Cell) else (value, None)
    return Cell("" if value is None else printable(value, limit=2000), style)


def _wrapped(text: str, width: int) -> list[str]:
    """A text in lines of so many columns, broken between words: a name is longer than a line."""
    wide = _columns(text) - len(text)  # of a text with wide characters, lines are a bit shorter
    return textwrap.wrap(
        text,
        width if wide <= 0 else max(width // 2, 1),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in text
    )


def _width(stream: TextIO) -> int:
    forced = os.environ.get(FORCE_TTY, "")
    if forced.isdecimal() and int(forced) > 1:
        return max(int(forced), LEAST_WIDTH)
    width = shutil.get_terminal_size((PLAIN_WIDTH, 40)).columns
    return max(width, LEAST_WIDTH if is_for_people(stream) else PLAIN_WIDTH)


def show_records(
    records: Iterable[Mapping[str, Any]], columns: Sequence[str], *, titles: bool = False
) -> None:
    """Print records to stdout: at a terminal a table, elsewhere a line each, tab-separated.

    Nothing is cut, rounded or wrapped in a line, and there is no head: `cut -f2` and `while read`
    take it as it is.
    """
    if is_for_people(sys.stdout) and titles:
        show_table(columns, [[_plain(row.get(name)) for name in columns] for row in records])
        return
    for row in records:
        out("\t".join(_plain(row.get(name)) for name in columns))


def _plain(value: Any) -> str:
    """A value as a program reads it: unknown is nothing, several are comma-separated."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return ",".join(f"{name}={_plain(one)}" for name, one in value.items())
    return printable(value, limit=100_000)
