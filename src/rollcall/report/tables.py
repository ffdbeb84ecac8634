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
    is_terminal,
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
MOST_FITTING = 0.9
"""The share of rows that must fit where a column is narrowed; the others take a line more."""
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


def hanging(text: str, margin: int) -> list[str]:
    """A text for stdout behind `margin` columns, the lines after the first one indented as much;
    one line where no terminal says how wide it is.
    """
    if not (is_terminal(sys.stdout) or os.environ.get(FORCE_TTY, "").isdecimal()):
        return [text]
    first, *more = _wrapped(text, max(_width(sys.stdout) - margin, LEAST_WORDS)) or [""]
    return [first, *(" " * margin + line for line in more)]


class _Table:
    """Where each column stands is decided once, for all rows.

    A row is one line where it fits. Else the widest column of words is made as narrow as that
    takes, and the few rows that are longer there go on below; else the last column stands below
    the others in every row; else as many lines as it takes.

    Attributes:
        parts: the columns on each line of a row. widths: of the columns. at: column -> where on its
            line it begins.
    """

    def __init__(
        self, head: list[Cell], rows: list[list[Cell]], numbers: list[bool], stream: TextIO
    ) -> None:
        self.head = head
        self.rows = rows
        self.stream = stream
        self.width = _width(stream)
        self.numbers = numbers
        self.columns = [
            [_columns(str(cell.value)) for cell in column]
            for column in zip(head, *rows, strict=True)
        ]
        self.widths = [max(column) for column in self.columns]
        words = [_columns(word) for row in rows for word in str(row[-1].value).split()]
        self.longest_word = max([LEAST_WORDS, *words])
        self.parts = self._parts()
        self.at = {
            column: (len(INDENT) if number else 0)
            + sum(self.widths[one] + len(GAP) for one in part[:place])
            for number, part in enumerate(self.parts)
            for place, column in enumerate(part)
        }

    def _parts(self) -> list[list[int]]:
        everything = list(range(len(self.widths)))
        for tried in ([everything], [everything[:-1], everything[-1:]]):
            if all(self._fit(part) for part in tried):
                return tried
        parts: list[list[int]] = [[]]
        for column in everything:
            if parts[-1] and self._needed([*parts[-1], column]) > self._room(len(parts) - 1):
                parts.append([])
            parts[-1].append(column)
        return parts

    def _fit(self, part: list[int]) -> bool:
        """Whether columns fit on one line, the widest of them narrowed if that does it."""
        too_much = self._needed(part) - self._room(0)
        names = [column for column in part[:-1] if not self.numbers[column]]
        if too_much <= 0 or not names:
            return too_much <= 0 or len(part) == 1
        wide = max(names, key=self.widths.__getitem__)
        narrow = self.widths[wide] - too_much
        fitting = sum(length <= narrow for length in self.columns[wide])
        if fitting < MOST_FITTING * len(self.columns[wide]):
            return False
        self.widths[wide] = narrow
        return True

    def _needed(self, part: list[int]) -> int:
        """The columns a line takes; the last column may be wrapped, between words."""
        last = len(self.widths) - 1
        widths = [
            min(self.widths[one], self.longest_word) if one == last else self.widths[one]
            for one in part
        ]
        return sum(widths) + len(GAP) * (len(part) - 1)

    def _room(self, number: int) -> int:
        return self.width - (len(INDENT) if number else 0)

    def lines(self, *, headless: bool) -> Iterator[str]:
        """The head, a rule, and the rows."""
        if not headless:
            yield from self._row(self.head)
            longest = max(self.at[part[-1]] + self.widths[part[-1]] for part in self.parts)
            yield ("\u2500" if is_unicode(self.stream) else "-") * min(self.width, longest)
        for row in self.rows:
            yield from self._row(row)

    def _row(self, row: list[Cell]) -> Iterator[str]:
        for part in self.parts:
            line, used = "", 0
            for column in part:
                for text in self._texts(row, column):
                    width = _columns(text)
                    aside = self.numbers[column] and column < len(row) - 1
                    begins = self.at[column]
                    begins += max(self.widths[column] - width, 0) if aside else 0
                    if line and used > self.at[column] - len(GAP):  # there stands something
                        yield line
                        line, used = "", 0
                    line += " " * (begins - used) + painted(text, row[column].style, self.stream)
                    used = begins + width
            if line:
                yield line

    def _texts(self, row: list[Cell], column: int) -> list[str]:
        """What a cell holds, in lines: the last column is wrapped; nothing of an empty one."""
        text = str(row[column].value)
        if column < len(row) - 1:
            return [text] if text else []
        return _wrapped(text, max(self.width - self.at[column], LEAST_WORDS))


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
