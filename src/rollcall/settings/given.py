"""What people give us, and where it stands: variables, paths, addresses of configs.

A value that makes no sense is told with the option or variable it came from, and its line in
`.env`; so is a path that turns out wrong later.
"""

from __future__ import annotations

import os
import re
from collections import UserDict
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rollcall.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        shown = MARK if hidden else repr(_as_typed(self.value))
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


_ADDRESS = r"(?s)([A-Za-z][A-Za-z0-9+.-]+):(?:[/\\]+(.*))?"
_SHAPES = {
    "s3": "s3://BUCKET/KEY",
    "gs": "gs://BUCKET/KEY",
    "az": "az://CONTAINER/KEY",
    "configmap": "configmap://NAMESPACE/NAME",
}
"""The stores that hold a config, and how an address in each is written."""


def is_address(text: str) -> bool:
    """Whether it is meant as an address (`s3://bucket/key`) and not as a path; no drive of Windows'
    has two letters. A Path has lost one of the slashes, or both.
    """
    found = re.fullmatch(_ADDRESS, text) if ":" in text else None
    return found is not None and (found[2] is not None or found[1].lower() in _SHAPES)


def _as_typed(text: str) -> str:
    """An address with the slashes as before a Path took one or turned them; other text as it is."""
    lost = is_address(text) and "://" not in text
    return re.sub(r":[/\\]*", "://", text, count=1).replace("\\", "/") if lost else text


def address_of(named: Given) -> str | None:
    """The address of a config in a store; None of a path.

    Raises:
        SettingsError: it names a store and no config in it, or what is no store of ours.
    """
    if not is_address(named.value) or not (found := re.fullmatch(_ADDRESS, named.value)):
        return None
    kind = found[1].lower()
    if kind not in _SHAPES:
        hint = f"Name a file, or write {', '.join(_SHAPES.values())}."
        raise named.error("there is no store of that kind", hint)
    first, _, rest = (found[2] or "").replace("\\", "/").partition("/")
    if not first or not rest or not named.value.isprintable():
        raise named.error("it names no config", f"Write {_SHAPES[kind]}.")
    return f"{kind}://{first}/{rest}"


def refuse_address(named: Given) -> None:
    """Refuse an address where only a file can be named.

    Raises:
        SettingsError: it is one.
    """
    if is_address(named.value):
        raise named.error("it is an address, no file", "Name a file; --config takes an address.")


def as_path(named: Given, cwd: Path) -> Path:
    """A path somebody named, as seen from `cwd`.

    Raises:
        SettingsError: it is an address, or holds what no path does, as `.env` in double quotes has
            it; no such home.
    """
    refuse_address(named)
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
