"""Plain text out: what providers say is data, and can never steer a terminal."""

from __future__ import annotations

import sys
import unicodedata
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


def _write(stream: object, text: str) -> None:
    """Write text on any console, also one that is not UTF-8 (cp1252)."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    safe = text.encode(encoding, "replace").decode(encoding)
    stream.write(safe)  # type: ignore[attr-defined] # sys.stdout and sys.stderr, or their captures
