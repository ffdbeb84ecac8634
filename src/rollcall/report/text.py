"""Plain text out: what providers say is data, and can never steer a terminal."""

from __future__ import annotations

import os
import sys
import unicodedata
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from rollcall.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TextIO

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
    if error.hint:
        say(f"          {printable(error.hint, limit=2000)}")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person watches; a service may have no stream at all."""
    return stream is not None and stream.isatty()


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
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        raise StoreError(
            f"The output could not be written: {error.strerror or error}.",
            "What was done stands: `rollcall status` tells it.",
        ) from None


def _discard(stream: TextIO) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)
