"""Which litellm a command belongs to, read from the disk without running anything of it.

Nothing is run on purpose: litellm 1.82.8 came with a file that every start of its Python executed,
so even asking that Python for the version would have been too late.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MALICIOUS_VERSIONS = frozenset({"1.82.7", "1.82.8"})
"""Uploaded by a thief on 2026-03-24; they sent environment variables and keys away."""

_LIBRARIES = (
    "lib/python*/site-packages",
    "lib/python*/dist-packages",
    "lib64/python*/site-packages",
    "Lib/site-packages",
    "site-packages",
)
"""Below the folder that holds `bin` or `Scripts`: POSIX, Debian, Windows, Windows per user."""

_PYTHON = re.compile(
    rb"^(?:#!|'''exec' )[ \t]*\"?(?P<path>/[^\n\"]*?python[0-9.]*)\"?(?:\s|$)", re.MULTILINE
)
_DIST_INFO = re.compile(r"litellm-(?P<version>[^-]+)\.dist-info")


@dataclass(frozen=True, slots=True)
class LiteLLMInstall:
    """One installation. `library`: the folder that holds the package."""

    version: str
    library: Path

    @property
    def malicious(self) -> bool:
        """Whether this version is known to steal keys."""
        return self.version in MALICIOUS_VERSIONS


def find_install(executable: Path) -> LiteLLMInstall | None:
    """The installation a litellm command belongs to; None where its files tell nothing."""
    for library in _libraries(executable):
        for found in sorted(library.glob("litellm-*.dist-info")):
            if name := _DIST_INFO.fullmatch(found.name):
                return LiteLLMInstall(name["version"], library)
    return None


def _libraries(executable: Path) -> Iterator[Path]:
    """Where its package may be: by the Python its first line names, else beside it."""
    for folder in _folders(executable):
        for pattern in _LIBRARIES:
            yield from sorted(folder.parent.glob(pattern), reverse=True)


def _folders(executable: Path) -> Iterator[Path]:
    try:
        with executable.open("rb") as file:
            python = _PYTHON.search(file.read(1024))
        if python:
            yield executable.parent.joinpath(python["path"].decode("utf-8", "replace")).parent
        yield executable.absolute().parent
        yield executable.resolve().parent
    except OSError:
        return
