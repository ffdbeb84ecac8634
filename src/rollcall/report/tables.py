"""Rich tables, made only when one is shown."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from rollcall.report.text import is_terminal, is_unicode, out, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from rich.table import Table

MIN_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
) -> None:
    """Print a table to stdout.

    Args:
        right: names of the columns that hold numbers.
    """
    out(render_table(columns, rows, right=right).rstrip("\n"))


def render_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
    stream: TextIO | None = None,
) -> str:
    """The table as text, in the terminal's width; plain where NO_COLOR or TERM=dumb asks for it.

    Args:
        stream: where it will be printed; stdout where it is not given.
    """
    import io

    from rich.console import Console

    stream = stream or sys.stdout
    terminal = is_terminal(stream)
    width = shutil.get_terminal_size((MIN_WIDTH, 40)).columns
    console = Console(
        file=io.StringIO(),
        width=max(width, 60) if terminal else max(width, MIN_WIDTH),
        force_terminal=terminal and not _wants_plain(stream),
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(_table(columns, rows, frozenset(right), drawn=is_unicode(stream)))
    file = console.file
    text: str = file.getvalue()  # type: ignore[attr-defined] # the StringIO given above
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: frozenset[str],
    *,
    drawn: bool,
) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    lines = box.SIMPLE_HEAD if drawn else box.ASCII2
    table = Table(box=lines, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def _wants_plain(stream: TextIO) -> bool:
    """NO_COLOR (rich alone would keep bold), a dumb terminal, or an old Windows console."""
    from rich.console import Console

    console = Console(file=stream)
    return console.no_color or console.is_dumb_terminal or console.legacy_windows


def _cell(value: object) -> str:
    return "" if value is None else printable(value)
