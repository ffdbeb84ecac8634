"""Plain text and tables out: what providers say is data, and can never steer a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from contextlib import contextmanager, redirect_stdout
from errno import EINVAL, EPIPE
from typing import TYPE_CHECKING

from rollcall.errors import StoreError
from rollcall.settings import hint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from rich.table import Table

    from rollcall.errors import RollcallError


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: object, *, limit: int = 400) -> str:
    """One line that cannot steer a terminal: control and invisible characters become `?`."""
    line = " ".join(str(text).split("\n"))
    if not line.isprintable():
        line = "".join(
            "?" if unicodedata.category(character) in _HIDDEN else character for character in line
        )
    return line if len(line) <= limit else line[: limit - 3] + "..."


def out(text: str = "") -> None:
    """A line of the result, to stdout; characters the console cannot show are replaced."""
    _write(sys.stdout, text + "\n")


@contextmanager
def result_on_stderr() -> Iterator[None]:
    """Send the result to stderr too: stdout belongs to the command that is started next."""
    with redirect_stdout(sys.stderr):
        yield


def out_file(text: str) -> None:
    """A result that goes into a file: UTF-8 wherever it is sent, with line feeds alone."""
    if is_terminal(sys.stdout) or not hasattr(sys.stdout, "buffer"):
        out(text.rstrip("\n"))
        return
    flush()
    _guarded(sys.stdout, lambda: sys.stdout.buffer.write(text.encode()))


def say(text: str = "") -> None:
    """A line of the conversation, to stderr."""
    _write(sys.stderr, text + "\n")


def say_all(lines: Iterable[str], *, mark: str = "- ") -> None:
    """A list of remarks, to stderr."""
    for line in lines:
        say(mark + printable(line))


def say_error(error: RollcallError) -> None:
    """A known error: two clear lines, what happened and what to do."""
    say(f"rollcall: {printable(error.what, limit=2000)}")
    if hint := hint_of(error):
        say(f"          {printable(hint, limit=2000)}")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is there; a service may have no stream at all, and NUL says it is one."""
    if stream is None or not stream.isatty():
        return False
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        mode = ctypes.c_ulong()
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))
        return bool(ctypes.windll.kernel32.GetConsoleMode(handle, ctypes.byref(mode)))
    return True


def is_unicode(stream: TextIO | None) -> bool:
    """Whether the console shows every character; Windows's cp1252 does not."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "") in {"utf8", "utf16", "utf32"}


def flush() -> None:
    """Hand over what is still buffered, while a full disk can still be said.

    Raises:
        StoreError: the result could not be written.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            _guarded(stream, stream.flush)


def _write(stream: TextIO | None, text: str) -> None:
    """Write text on any console, also one that is not UTF-8 (cp1252), or none (a service)."""
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = text.encode(encoding, "replace").decode(encoding)
    _guarded(stream, lambda: stream.write(safe))


def _guarded(stream: TextIO, act: Callable[[], object]) -> None:
    """A reader that went away (`rollcall models | head`) stops nothing: the rest is dropped."""
    try:
        act()
    except OSError as error:
        _discard(stream)
        if reader_left(error):
            return
        raise StoreError(
            f"The output could not be written: {error.strerror or error}.",
            "What was done stands: `rollcall status` tells it.",
        ) from None


def reader_left(error: BaseException | None) -> bool:
    """Whether an error means that nobody reads any more; Windows calls it an invalid argument."""
    gone = (EPIPE, EINVAL) if sys.platform == "win32" else (EPIPE,)
    return isinstance(error, OSError) and error.errno in gone


def nobody_reads(error: BaseException | None) -> bool:
    """Whether an error came of writing to stdout past us, as `--help` does: what could not be
    written then is still to be written, and still cannot be.
    """
    stdout = sys.__stdout__
    if stdout is None or not reader_left(error):
        return False
    try:
        stdout.flush()
    except OSError as again:
        _discard(stdout)
        return reader_left(again)
    return False


def _discard(stream: TextIO) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


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
