"""What shells make of the words they are given: which commands take one line of text, where nothing
may be added, and how a batch file gets its words through Windows' cmd unchanged. Pure.
"""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from rollcall.errors import LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_POSIX = frozenset({"sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "zsh"})
_POWERSHELLS = frozenset({"powershell", "pwsh", "pwsh-preview"})


def takes_a_line(args: Sequence[str]) -> bool:
    """Whether a command is a shell with a line to run, wherever it stands (`tini -- sh -c ...`).

    What is appended there becomes part of that line, or a parameter that nobody reads.
    """
    for place, word in enumerate(args):
        name, rest = PureWindowsPath(word).name.lower().removesuffix(".exe"), args[place + 1 :]
        if name in _POSIX and _first_option(rest, _is_posix_line):
            return True
        if name == "cmd" and _first_option(rest, _is_cmd_line):
            return True
        if name in _POWERSHELLS and _is_powershell_line(rest, bare=name == "powershell"):
            return True
    return "-c" in args[1:]


def _first_option(rest: Sequence[str], is_line: Callable[[str], bool]) -> bool:
    """Whether one of the options before the first other word says that a line follows."""
    before = ""
    for word in rest:
        if is_line(word):
            return True
        if not word.startswith(("-", "+", "/")) and not _WITH_VALUE.fullmatch(before):
            return False
        before = word
    return False


_WITH_VALUE = re.compile(r"[-+][A-Za-z]*[oO]|--(rcfile|init-file)")
"""Options of shells that are followed by their value: `-eo pipefail`."""


def _is_posix_line(word: str) -> bool:
    """`-c`, also among others (`-lc`), and fish's long form."""
    short = word.startswith("-") and not word.startswith("--")
    return (short and "c" in word) or word.split("=")[0] == "--command"


def _is_cmd_line(word: str) -> bool:
    """`/c`, `/k` and their kin, in any case, also among others (`/s/c`)."""
    return re.match(r"(?:/[^/ckr][^/]*)*/[ckr]", word.lower()) is not None


def _is_powershell_line(rest: Sequence[str], *, bare: bool) -> bool:
    """`-Command`, `-EncodedCommand` and their short forms; not `-File`, which passes words on.

    Args:
        bare: a first word that is no option is a command, too (Windows PowerShell); the words
            after it are joined to one line.
    """
    for place, word in enumerate(rest):
        if word == "-":
            return True
        if not word.startswith(("-", "/")):
            named = place > 0 and _takes_a_value(rest[place - 1])
            if named:
                continue
            return bare
        option = word.lstrip("-/").lower()
        if option in ("ec", "cwa") or _shortens(option, "command", "commandwithargs"):
            return True
        if _shortens(option, "encodedcommand"):
            return True
        if _shortens(option, "file"):
            return False
    return False


def _shortens(option: str, *names: str) -> bool:
    return bool(option) and any(name.startswith(option) for name in names)


def _takes_a_value(word: str) -> bool:
    """Whether an option of PowerShell is followed by its value."""
    option = word.lstrip("-/").lower()
    names = (
        *("executionpolicy", "version", "workingdirectory", "configurationname", "outputformat"),
        *("inputformat", "psconsolefile", "windowstyle", "settingsfile", "custompipename"),
        *("configurationfile", "encodedarguments"),
    )
    short = ("ep", "ex", "wd", "if", "of", "o", "w", "v")
    return option in short or any(len(option) > 2 and name.startswith(option) for name in names)


_BATCH = (".bat", ".cmd")
_MISREAD = re.compile(r'["%!^\x00-\x1f]')
"""What cmd changes also in quotes, at the latest where the batch file uses `call`."""
_PLAIN = re.compile(r"[A-Za-z0-9_\-./\\:@+]+")


def is_batch(program: str) -> bool:
    """Whether Windows hands this program to cmd to run."""
    return program.lower().endswith(_BATCH)


def batch_line(argv: Sequence[str], folder: str) -> str:
    """The command line by which cmd runs a batch file with these words, and nothing else.

    cmd reads the whole line anew, whatever quotes other programs would honour. In quotes it leaves
    `&`, `|`, `<`, `>` and brackets alone.

    Args:
        folder: the working directory: a path in it can be given without the folders above it.

    Raises:
        LaunchError: a word holds what cmd changes in quotes, too.
    """
    program, *words = argv
    line = [f'"{program.replace("%", "%%cd:~,%")}"']  # the variable's part of no length
    for word in words:
        given = _below(word, folder) if _MISREAD.search(word) else word
        if found := _MISREAD.search(given):
            raise LaunchError(
                f"{program} is a batch file, and cmd, which runs it, would misread"
                f" {found[0]!r} in {given!r}.",
                "Name the program behind it with --litellm, a .exe, or write the word without.",
            )
        backslashes = given[len(given.rstrip("\\")) :]  # or the last one hides the quote
        line.append(given if _PLAIN.fullmatch(given) else f'"{given}{backslashes}"')
    return f'/d /e:on /v:off /s /c "{" ".join(line)}"'


def _below(word: str, folder: str) -> str:
    """A path as seen from the folder it is in; any other word as it is."""
    path, here = PureWindowsPath(word), PureWindowsPath(folder)
    return str(path.relative_to(here)) if here.parts and path.is_relative_to(here) else word
