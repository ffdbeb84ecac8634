"""How each shell writes what it is to run: variables set and removed, quoted words, remarks.

What is quoted stays one word that runs nothing, whatever it holds.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal, get_args

from rollcall.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Shell = Literal["sh", "powershell", "fish", "cmd"]
SHELLS: tuple[Shell, ...] = get_args(Shell)

_LINE_ENDS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_NOT_FOR_CMD = re.compile(r'["%!\r\n\0]')
"""What ends or changes cmd's quoted words, and cannot be written at its prompt at all."""


def shell_named(word: str) -> Shell:
    """The shell of a word.

    Raises:
        SettingsError: it is none; the hint lists them.
    """
    for shell in SHELLS:
        if word == shell:
            return shell
    raise SettingsError(f"Unknown shell {word!r}.", f"Use one of: {', '.join(SHELLS)}.")


def this_shell(environ: Mapping[str, str]) -> Shell:
    """The shell that most likely reads what we print.

    PowerShell tells its children by PSModulePath; on Windows every process has that, cmd's too.
    """
    if os.name == "nt" or "PSModulePath" in environ:
        return "powershell"
    return "fish" if "fish" in (_parent(), PurePath(environ.get("SHELL", "")).name) else "sh"


def _parent() -> str:
    """The name of the process that started us, where the system tells it in a file."""
    try:
        return Path(f"/proc/{os.getppid()}/comm").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def quoted(value: str, shell: Shell) -> str:
    """A value as one word of a command.

    Raises:
        SettingsError: cmd cannot be given such a value.
    """
    if shell == "powershell":
        return _in_powershell(value)
    if shell == "fish":
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if shell == "cmd":
        return f'"{_for_cmd(value)}"'
    return "'" + value.replace("'", "'\"'\"'") + "'"


def command_line(words: Sequence[str], shell: Shell) -> str:
    """A command as a person types it into a shell: quoted is what needs it.

    Raises:
        SettingsError: cmd cannot be given such a word.
    """
    return " ".join(word if _BARE.fullmatch(word) else quoted(word, shell) for word in words)


PYTHON = "python" if os.name == "nt" else "python3"
"""How a person calls Python, in every shell."""
_BARE = re.compile(r"[A-Za-z0-9_./:\\+=-]+" if os.name == "nt" else r"[A-Za-z0-9_./:+=-]+")


_SET: dict[Shell, str] = {
    "sh": "export {name}={word}",
    "powershell": "$env:{name} = {word}",
    "fish": "set -gx {name} {word}",
    "cmd": 'set "{name}={word}"',
}
_VALUE_OF: dict[Shell, str] = {
    "sh": '"${}"',
    "powershell": "$env:{}",
    "fish": '"${}"',
    "cmd": "%{}%",
}
_REMOVE: dict[Shell, str] = {
    "sh": "unset {}",
    "powershell": "Remove-Item Env:{} -ErrorAction Ignore",
    "fish": "set -e {}",
    "cmd": 'set "{}="',
}


def assignment(name: str, value: str, shell: Shell) -> str:
    """Sets a variable for the commands that follow.

    Raises:
        SettingsError: cmd cannot be given such a value.
    """
    word = _for_cmd(value) if shell == "cmd" else quoted(value, shell)
    return _SET[shell].format(name=name, word=word)


def reference(name: str, variable: str, shell: Shell) -> str:
    """Sets a variable to what another one holds."""
    return _SET[shell].format(name=name, word=_VALUE_OF[shell].format(variable))


def removal(name: str, shell: Shell) -> str:
    """Removes a variable, if it is there."""
    return _REMOVE[shell].format(name)


def remark(text: str, shell: Shell) -> str:
    """A comment, on one line whatever it holds."""
    line = _LINE_ENDS.sub(" ", text)
    return f"rem {re.sub('[%^]', ' ', line)}" if shell == "cmd" else f"# {line}"


def _in_powershell(value: str) -> str:
    """ASCII alone: Windows PowerShell reads a program's output in the console's code page."""
    pieces = [
        f"[char]{ord(piece)}" if len(piece) == 1 and not _is_plain(piece) else f"'{piece}'"
        for piece in re.split(r"([^ -~])", _utf_16(value).replace("'", "''"))
        if piece
    ]
    plain = len(pieces) < 2 and not "".join(pieces).startswith("[")
    return (pieces or ["''"])[0] if plain else f"({' + '.join([chr(39) * 2, *pieces])})"


def _is_plain(character: str) -> bool:
    return " " <= character <= "~"


def _utf_16(value: str) -> str:
    """With two halves for what is beyond the 16 bits of a `char`."""
    units = value.encode("utf-16-le", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(chr(low + 256 * high) for low, high in pairs)


def _for_cmd(value: str) -> str:
    if found := _NOT_FOR_CMD.search(value):
        raise SettingsError(
            f"cmd has no way to write {found[0]!r}, which is in one of these values.",
            "Use another shell: --shell powershell.",
        )
    return value
