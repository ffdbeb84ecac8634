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
from collections import UserDict
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from rollcall.errors import SettingsError
from rollcall.files import is_file, same_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rollcall.errors import RollcallError


class Variables(UserDict[str, str]):
    """Variables by name. On Windows a name is found whatever its case, as the system finds it.

    Of several mappings the last one counts.

    Attributes:
        dotenv: the `.env` that some came from. of_dotenv: their names -> the lines they stand on.
    """

    ignore_case: ClassVar[bool] = os.name == "nt"

    def __init__(self, *given: Mapping[str, str]) -> None:
        super().__init__()
        self.dotenv: Path | None = None
        self.of_dotenv: dict[str, int] = {}
        for one in given:
            self.update(one)

    def __getitem__(self, name: str) -> str:
        return self.data[self.key(name)]

    def __setitem__(self, name: str, value: str) -> None:
        self.data[self.key(name)] = value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.key(name) in self.data

    def __repr__(self) -> str:
        return f"Variables({len(self.data)})"

    def key(self, name: str) -> str:
        """A name as it is compared."""
        return name.upper() if self.ignore_case else name

    def from_dotenv(self, name: str) -> str | None:
        """Where in a `.env` a variable stands, as `path:line`; None of the process's own."""
        line = self.of_dotenv.get(self.key(name))
        return None if line is None else f"{self.dotenv}:{line}"


class Given(NamedTuple):
    """A value as somebody gave it: with which option or variable, and where in a `.env`, if any."""

    value: str
    name: str
    dotenv: str | None = None

    @property
    def said(self) -> str:
        """Where it stands: `--config`, `ROLLCALL_CONFIG`, `ROLLCALL_CONFIG in /srv/.env:3`."""
        return self.name if self.dotenv is None else f"{self.name} in {self.dotenv}"

    @property
    def unset(self) -> str:
        """What to do to be rid of it."""
        if self.dotenv is None:
            return f"Unset {self.name}"
        return f"Take {self.name} out of {self.dotenv}"

    @property
    def is_option(self) -> bool:
        """Whether it was typed just now, where everybody can see it."""
        return self.name.startswith("-")

    def error(self, why: str, hint: str) -> SettingsError:
        """What to raise of a value that makes no sense: where it stands, what was read there, why
        that cannot be (`it is no mode`), and what to do, also about a control character in it.
        """
        from rollcall.secrets import MARK, looks_like_key

        hidden = looks_like_key(self.value) or "@" in self.value
        shown = MARK if hidden else repr(self.value)
        if any(ord(character) < 32 or ord(character) == 127 for character in self.value):
            hint = _IN_QUOTES if self.dotenv else f"It holds a control character. {hint}"
        verb = "is" if self.is_option else "was read as"
        return SettingsError(f"{self.said} {verb} {shown}: {why}.", hint)

    def names(self, place: object) -> None:
        """Remember that a path or an address came from here, for errors about it."""
        if not self.is_option:
            _NAMED_BY[str(place)] = self.said


_IN_QUOTES = (
    "In .env, double quotes make \\n a line break and \\t a tab: write it in single quotes, or with"
    " forward slashes."
)


def given(environ: Mapping[str, str], *names: str) -> Given | None:
    """What the first of these variables that is set holds, without blanks around it; or None."""
    for name in names:
        if value := environ.get(name, "").strip():
            return Given(value, name, _dotenv_of(environ, name))
    return None


def source(environ: Mapping[str, str], name: str) -> str:
    """Where a variable stands: `OPENAI_API_KEY`, or `OPENAI_API_KEY in /srv/.env:3`."""
    return Given("", name, _dotenv_of(environ, name)).said


def _dotenv_of(environ: Mapping[str, str], name: str) -> str | None:
    return environ.from_dotenv(name) if isinstance(environ, Variables) else None


def as_path(named: Given, cwd: Path) -> Path:
    """A path somebody named, as seen from `cwd`.

    Raises:
        SettingsError: it holds what no path does, as `.env` in double quotes has it; no such home.
    """
    if any(ord(character) < 32 for character in named.value):
        raise named.error("no path holds such a character", "Write the path without it.")
    try:
        path = cwd / Path(named.value).expanduser()
    except RuntimeError:
        raise named.error("there is no such home folder", "Write the whole path.") from None
    named.names(path)
    return path


_NAMED_BY: dict[str, str] = {}
"""Path or address -> the variable that named it in this process."""
_IN_DOTENV: dict[str, str] = {}
"""Variable of this run -> where in `.env` it stands, `path:line`."""
_A_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9_]{3,}\b")


def remember_places(variables: Variables) -> None:
    """Keep for errors where in `.env` the variables of this run stand."""
    _IN_DOTENV.clear()
    for name in variables.of_dotenv:
        _IN_DOTENV[name] = f"{variables.dotenv}:{variables.of_dotenv[name]}"


def hint_of(error: RollcallError) -> str:
    """An error's hint, and which variable named the path that the error is about."""
    hint = error.hint
    about = sorted((path for path in _NAMED_BY if path in error.what), key=len)
    if about and _NAMED_BY[about[-1]] not in error.what:
        hint = f"{hint} The path comes from {_NAMED_BY[about[-1]]}.".lstrip()
    return with_places(hint, error.what)


def with_places(hint: str, what: str = "") -> str:
    """A hint with the place in `.env` of each variable it speaks of, unless that is told already.

    Args:
        what: the sentence it belongs to.
    """
    for name in dict.fromkeys(_A_VARIABLE.findall(hint)):
        where = _IN_DOTENV.get(name)
        if where and where not in what + hint:
            before, after = re.split(rf"\b{name}\b", hint, maxsplit=1)
            hint = f"{before}{name} in {where}{after}"
    return hint


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
