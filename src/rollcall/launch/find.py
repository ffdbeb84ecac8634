"""Finds the litellm command, and tells which installation and version it belongs to.

litellm is only ever started, never imported: its import takes seconds and hundreds of megabytes.
And nothing is run to look: litellm 1.82.8 came with a file that every start of its Python executed,
so even asking that Python for the version would have been too late.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.errors import LaunchError
from rollcall.settings import Given, given

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_litellm(
    explicit: str | None, environ: Mapping[str, str], *, python: str | None = None
) -> Path:
    """The litellm command to start, as an absolute path.

    Looked for where --litellm or ROLLCALL_LITELLM says (a file, or a command's name), then beside
    rollcall's own Python, then on PATH. What was said outright is never replaced by a guess.

    Args:
        explicit: the value of --litellm; None or "" when it was not given.
        python: the interpreter to look beside; rollcall's own unless a test says otherwise.

    Raises:
        LaunchError: there is none; the hint says how to get or name one.
    """
    path = environ.get("PATH", os.defpath)
    if explicit:
        return _named(Given(explicit, "--litellm"), path)
    if named := given(environ, "ROLLCALL_LITELLM"):
        return _named(named, path)
    folders = _folders_beside(sys.executable if python is None else python)
    if found := shutil.which("litellm", path=os.pathsep.join([*folders, path])):
        return Path(found).absolute()
    raise LaunchError(
        "litellm was not found beside rollcall's Python or on PATH.",
        'Install it with: pip install "litellm[proxy]" (or name it with --litellm PATH).',
    )


def _named(named: Given, path: str) -> Path:
    wanted = os.path.expanduser(named.value)  # noqa: PTH111 - a Path drops "./"
    found = None if "\0" in wanted else shutil.which(wanted, path=path)
    if found is None:
        hint = "Give the path of the litellm command, or leave it out to search PATH."
        wrong = named.error("that is no command that can be started", hint)
        raise LaunchError(wrong.what, wrong.hint)
    return Path(found).absolute()


def _folders_beside(python: str) -> list[str]:
    """Where a Python keeps its commands; outside a virtual environment Windows uses Scripts."""
    if not python:
        return []
    folder = Path(python).parent
    return [str(folder), str(folder / "Scripts")]


class KnownBad(NamedTuple):
    """A release that must not run: the day it was published, and who says so."""

    published: str
    source: str


_MARCH_2026 = KnownBad(
    "2026-03-24", "PYSEC-2026-2; https://docs.litellm.ai/blog/security-update-march-2026"
)
KNOWN_BAD: Final[Mapping[str, KnownBad]] = {
    "1.82.7": _MARCH_2026,
    "1.82.8": _MARCH_2026,
    "1.107.0": KnownBad("2026-10-21", "LiteLLM: Oct 21, 2026 LiteLLM release v1.107.0 Compromised"),
}
"""Uploaded by thieves: each sends environment variables and keys away."""

_LIBRARIES = (
    "lib/python*/site-packages",
    "lib/python*/dist-packages",
    "lib64/python*/site-packages",
    "Lib/site-packages",
    "site-packages",
)
"""Below the folder that holds `bin` or `Scripts`: POSIX, Debian, Windows, Windows per user."""

_PYTHON = rb"(?m)^(?:#!|'''exec' )[ \t]*\"?(?P<path>/[^\n\"]*?python[0-9.]*)\"?(?:\s|$)"
_DIST_INFO = r"litellm-(?P<version>[^-]+)\.dist-info"


class LiteLLMInstall(NamedTuple):
    """One installation. `library`: the folder that holds the package."""

    version: str
    library: Path

    @property
    def known_bad(self) -> KnownBad | None:
        """Who says that this release steals keys; None where nobody does."""
        return KNOWN_BAD.get(self.version)


def find_install(executable: Path) -> LiteLLMInstall | None:
    """The installation a litellm command belongs to; None where its files tell nothing."""
    found = (_installed_in(library) for library in _libraries(executable))
    return next(filter(None, found), None)


def _installed_in(library: Path) -> LiteLLMInstall | None:
    for found in sorted(library.glob("litellm-*.dist-info")):
        if name := re.fullmatch(_DIST_INFO, found.name):
            return LiteLLMInstall(name["version"], library)
    return None


def find_package(environ: Mapping[str, str]) -> LiteLLMInstall | None:
    """The litellm package that would be started, else the one our own Python would import.

    Nothing is run and nothing imported; None where there is none.
    """
    try:
        found = find_install(find_litellm(None, environ))
    except LaunchError:
        found = None
    return found or (None if environ.get("ROLLCALL_LITELLM") else _importable())


def _importable() -> LiteLLMInstall | None:
    from importlib.util import find_spec

    spec = find_spec("litellm")
    if spec is None or not spec.origin:
        return None
    return _installed_in(Path(spec.origin).parent.parent)


def _libraries(executable: Path) -> Iterator[Path]:
    """Where its package may be: by the Python its first line names, else beside it."""
    for folder in _folders(executable):
        for pattern in _LIBRARIES:
            yield from sorted(folder.parent.glob(pattern), reverse=True)


def _folders(executable: Path) -> Iterator[Path]:
    try:
        with executable.open("rb") as file:
            python = re.search(_PYTHON, file.read(1024))
        if python:
            yield executable.parent.joinpath(python["path"].decode("utf-8", "replace")).parent
        yield executable.absolute().parent
        yield executable.resolve().parent
    except OSError:
        return


def import_folders(
    install: LiteLLMInstall, cwd: Path, environ: Mapping[str, str]
) -> tuple[Path, ...]:
    """Where a litellm imports from: its own library and what its .pth files name, the folder it is
    started in, PYTHONPATH; outside a virtual environment also the libraries beside its own.
    """
    library = install.library
    found = [
        library,
        cwd,
        *map(Path, filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))),
    ]
    for listing in library.glob("*.pth"):
        lines = listing.read_text("utf-8", "replace").splitlines()
        found += [library / line.strip() for line in lines if line.strip()[:1] not in ("", "#")]
    closed = _virtual_environment(library)
    if closed is None or "include-system-site-packages = true" in closed.lower():
        homes = (*library.parents[1:3], Path("/usr"), Path("/usr/local"), Path.home() / ".local")
        found += [row for home in homes for pattern in _LIBRARIES for row in home.glob(pattern)]
    return tuple(dict.fromkeys(found))


def _virtual_environment(library: Path) -> str | None:
    """The text of the pyvenv.cfg above a library; None where there is none."""
    for folder in library.parents[:3]:
        with suppress(OSError):
            return (folder / "pyvenv.cfg").read_text("utf-8", "replace")
    return None


def bad_release(install: LiteLLMInstall, bad: KnownBad) -> tuple[str, str]:
    """What to tell of a known-bad release, and what to do about it."""
    return (
        f"litellm {install.version} ({bad.published}) is malicious: it sends environment variables"
        f" and keys away ({bad.source}).",
        "Remove it (pip uninstall litellm; in a container, another image), install another release"
        ' (pip install --upgrade "litellm[proxy]"), and replace every key this machine has held.',
    )
