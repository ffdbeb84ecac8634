"""The variables LiteLLM will see: the process's own over those of `.env`, and whence each came.

Key variables follow LiteLLM: the process's own environment wins over `.env`, which is looked for
from the working directory upward (or named in ``ROLLCALL_ENV_FILE``), unless ``LITELLM_MODE`` is
anything but DEV. litellm itself looks from its own installation upward and often misses it, so
`start` hands on what was read here.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from rollcall.errors import SettingsError
from rollcall.files import is_file, same_file
from rollcall.settings.given import Variables, as_path, given

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class LeftOut(NamedTuple):
    """A variable of `.env` that no process can be given.

    Attributes:
        name: as it would be called. where: `path:line`. what: one sentence; never holds a value.
    """

    name: str
    where: str
    what: str
    fix: str


class Environment(NamedTuple):
    """The variables LiteLLM will see, the `.env` some came from, and what had to be left out."""

    variables: Variables
    dotenv_path: Path | None
    left_out: tuple[LeftOut, ...]


class Unread(NamedTuple):
    """A `.env` beside config.yaml that was not read, and its variables that nobody else sets."""

    path: Path
    names: tuple[str, ...]

    @property
    def what(self) -> str:
        """One sentence for people; no value."""
        more = f" and {len(self.names) - 3} more" if len(self.names) > 3 else ""
        return (
            f"{self.path} was not read, which sets {', '.join(self.names[:3])}{more}:"
            " .env is looked for from the working directory upward."
        )

    @property
    def fix(self) -> str:
        """How to have it read, at a prompt and without one."""
        return (
            f'Name it in ROLLCALL_ENV_FILE, or start there: cd "{self.path.parent}" (cron, too;'
            " launchd, systemd, Task Scheduler: as working directory)."
        )


def unread_dotenv(config_path: Path, seen: Environment) -> Unread | None:
    """The `.env` beside a config that a run from another folder missed; None where none is."""
    path = config_path.parent / ".env"
    off = seen.variables.get("LITELLM_MODE", "DEV") != "DEV"
    named = given(seen.variables, "ROLLCALL_ENV_FILE")
    if off or named or not is_file(path):
        return None
    if seen.dotenv_path is not None and same_file(path, seen.dotenv_path):
        return None
    try:
        there = read_environment(path.parent, {}, dotenv="readable").variables
    except SettingsError:
        return None
    names = tuple(name for name in there if not seen.variables.get(name))
    return Unread(path, names) if names else None


Dotenv = Literal["whole", "readable", "none"]
"""How `.env` is read: refused where it is not UTF-8, without those lines, or not at all."""


def read_environment(
    cwd: Path, environ: Mapping[str, str], *, dotenv: Dotenv = "whole"
) -> Environment:
    """The variables LiteLLM will see when it is started in `cwd`.

    Raises:
        SettingsError: there is a `.env` and it cannot be read.
    """
    own = Variables(environ)
    path = None
    if dotenv != "none" and own.get("LITELLM_MODE", "DEV") == "DEV":
        named = given(own, "ROLLCALL_ENV_FILE")
        path = as_path(named, cwd) if named else _find_dotenv(cwd)
    if path is None:
        return Environment(own, None, ())
    text = _dotenv_text(path, whole=dotenv == "whole")
    written = {name: value for name, value in _dotenv_values(text) if value is not None}
    lines = _dotenv_lines(text)
    why = _unfit(written, own)
    left_out = tuple(_left_out(path, lines, why))
    fit = {name: value for name, value in written.items() if name not in why}
    variables = Variables(fit, own)
    variables.dotenv = path
    variables.of_dotenv = {own.key(name): lines[name] for name in fit if name not in own}
    return Environment(variables, path, left_out)


def _dotenv_text(path: Path, *, whole: bool) -> str:
    """The text of a `.env`; where not `whole`, with a stand-in for each byte that is no UTF-8."""
    from rollcall.files import AS_UTF_8, BYTE_ORDER_MARK, NotUTF8, read_regular, text_of

    try:
        content = read_regular(path)
    except OSError as error:
        what, hint = error.strerror or str(error), "Check who owns it and its permissions."
        raise SettingsError(f"{path} cannot be read: {what}.", hint) from None
    try:
        return text_of(content)
    except NotUTF8 as error:
        if whole or error.line is None:
            raise SettingsError(error.said_of(path), AS_UTF_8) from None
        return content.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "surrogateescape")


def _dotenv_values(text: str) -> Iterable[tuple[str, str | None]]:
    from dotenv import dotenv_values

    return dotenv_values(stream=StringIO(text), interpolate=True).items()


def _dotenv_lines(text: str) -> dict[str, int]:
    """Name -> the line it stands on; of several the last, which is the one that counts."""
    from dotenv.parser import parse_stream

    lines = {}
    for row in parse_stream(StringIO(text)):
        if row.key is not None:
            source, line = row.original
            blank = source[: len(source) - len(source.lstrip())]
            lines[row.key] = line + blank.count("\n")
    return lines


MOST_VARIABLE_BYTES = 30_000 if os.name == "nt" else 120 * 1024
"""Of one variable: Windows takes 32,767 characters, Linux 128 KiB of its name and value."""
MOST_BYTES = 4 * 1024 * 1024
"""Of all variables, where the system knows no smaller bound: Linux takes six megabytes at most."""


def _unfit(written: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Which variables of `.env` cannot be handed to a process beside `environ`, and why."""
    added = {name: value for name, value in written.items() if name not in environ}
    why = {name: reason for name, value in added.items() if (reason := _unfit_reason(name, value))}
    sizes = {name: _size(name, value) for name, value in added.items() if name not in why}
    too_much = sum(sizes.values()) + sum(map(_size, environ, environ.values())) - _room_bytes()
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if too_much <= 0:
            break
        too_much -= sizes[name]
        why[name] = "all variables together are more than this system hands to a process"
    return why


def _unfit_reason(name: str, value: str) -> str | None:
    if not name or "=" in name:
        return "no variable can have such a name"
    if "\0" in name + value:
        return "it holds a NUL character, as when UTF-16 was appended to the file"
    try:
        size = len(f"{name}={value}".encode())
    except UnicodeEncodeError:
        return "it is not UTF-8"
    if size > MOST_VARIABLE_BYTES:
        return f"its {size} bytes are more than this system hands to a process"
    return None


def _size(name: str, value: str) -> int:
    """The bytes a variable takes in a new process: its text, two separators and a pointer."""
    return len(f"{name}{value}".encode("utf-8", "surrogateescape")) + 10


def _room_bytes() -> int:
    """What all variables may take; a quarter is left for the command line."""
    try:
        if sys.platform == "win32":
            return MOST_BYTES
        most = os.sysconf("SC_ARG_MAX")
    except (ValueError, OSError):
        most = -1
    return (min(most, MOST_BYTES) if most > 0 else MOST_BYTES) * 3 // 4


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _left_out(path: Path, lines: Mapping[str, int], why: Mapping[str, str]) -> Iterator[LeftOut]:
    """Tell each of them. What is no ordinary name is not shown: it may be a piece of a key."""
    from rollcall.files import AS_UTF_8

    for name in filter(why.get, lines):
        bare = name.replace("\0", "")
        called = bare if _NAME.fullmatch(bare) else "A variable"
        where = f"{path}:{lines[name]}"
        yield LeftOut(bare, where, f"{called} is left out: {why[name]}.", AS_UTF_8)


def _find_dotenv(cwd: Path) -> Path | None:
    for folder in (cwd, *cwd.parents):
        candidate = folder / ".env"
        with suppress(OSError):  # a folder we may not look into holds none that litellm reads
            if is_file(candidate):
                return candidate
    return None
