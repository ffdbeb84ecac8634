"""Lines out, with their colours: what providers say is data, and can never steer a terminal."""

from __future__ import annotations

import os
import sys
import unicodedata
from contextlib import contextmanager, redirect_stdout
from dataclasses import fields, is_dataclass
from enum import StrEnum
from errno import EINVAL, EPIPE
from functools import cache
from typing import TYPE_CHECKING

from rollcall.errors import PolicyError, StoreError
from rollcall.settings import hint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TextIO

    from rollcall.errors import RollcallError


class Style(StrEnum):
    """What a colour says; the value is what a terminal is told."""

    ADD = "32"
    UPDATE = "33"
    LEAVE = "35"
    LEADS = "36"
    HOLD = "1;33"
    ERROR = "31"
    HEAD = "1"


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: object, *, limit: int = 400) -> str:
    """One line that cannot steer a terminal: control and invisible characters become `?`."""
    line = " ".join(str(text).split("\n"))
    if not line.isprintable():
        line = "".join(
            "?" if unicodedata.category(character) in _HIDDEN else character for character in line
        )
    return line if len(line) <= limit else line[: limit - 3] + "..."


def out(text: str = "", *, lead: str = "", style: Style | None = None) -> None:
    """A line of the result, to stdout; characters the console cannot show are replaced.

    Args:
        lead: the words in front that have the colour; without them the whole line has it.
    """
    _write(sys.stdout, _led(sys.stdout, text, lead, style) + "\n")


def out_json(data: Any) -> None:
    """The result as JSON, to stdout; our own objects as their fields."""
    import json

    out(json.dumps(data, indent=2, default=as_json_fields))


def as_json_fields(value: Any) -> dict[str, Any]:
    """A model of pydantic's, or a dataclass, as its fields by name."""
    if not is_dataclass(value):
        plain: dict[str, Any] = value.model_dump(mode="json")
        return plain
    return {one.name: getattr(value, one.name) for one in fields(value)}


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


def say(text: str = "", *, lead: str = "", style: Style | None = None) -> None:
    """A line of the conversation, to stderr; `lead` as in `out`."""
    _write(sys.stderr, _led(sys.stderr, text, lead, style) + "\n")


def say_all(lines: Iterable[str], *, mark: str = "- ", style: Style | None = None) -> None:
    """A list of remarks, to stderr."""
    for line in lines:
        say(printable(line), lead=mark, style=style)


def say_two(what: str, hint: str, style: Style | None = None) -> None:
    """What is wrong and, below it, what to do; to stderr."""
    say(printable(what, limit=2000), lead="rollcall: ", style=style)
    if hint:
        say(f"          {printable(hint, limit=2000)}")


MOST_ERRORS = 10


def say_error(error: RollcallError) -> None:
    """A known error: two clear lines, what happened and what to do; of a policy, for each."""
    others = error.others if isinstance(error, PolicyError) else ()
    for one in (error, *others[: MOST_ERRORS - 1]):
        say_two(one.what, hint_of(one), Style.ERROR)
    if len(others) >= MOST_ERRORS:
        say(f"          and {len(others) - MOST_ERRORS + 1} more problems below these")


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


FORCE_TTY = "ROLLCALL_FORCE_TTY"
"""Set: print as at a terminal (of so many columns, where it is a number), whatever stdout is."""


def is_for_people(stream: TextIO | None) -> bool:
    """Whether the form for people is wanted: at a terminal, and where the variable asks for it."""
    return bool(os.environ.get(FORCE_TTY)) or is_terminal(stream)


def painted(text: str, style: Style | None, stream: TextIO | None) -> str:
    """The text in its colour, where the stream shows colours."""
    return f"\x1b[{style}m{text}\x1b[0m" if style and text and _has_colours(stream) else text


def _led(stream: TextIO | None, text: str, lead: str, style: Style | None) -> str:
    return painted(lead, style, stream) + text if lead else painted(text, style, stream)


def _has_colours(stream: TextIO | None) -> bool:
    """Not where NO_COLOR or a dumb terminal says so, nor at an old Windows console."""
    if stream is None or not is_for_people(stream) or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    return not _is_old_console()


@cache
def _is_old_console() -> bool:
    """Whether this is a console of Windows that would show the codes instead of the colours."""
    if sys.platform != "win32":
        return False
    from rich.console import Console

    return Console().legacy_windows


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
