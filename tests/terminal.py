"""rollcall in a process of its own: in pipes, at a terminal, without any console."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = (sys.executable, "-m", "rollcall")


@dataclass(frozen=True, slots=True)
class Done:
    """What a process ended with and wrote."""

    code: int
    out: bytes
    err: bytes


def in_pipes(*args: str, environ: Mapping[str, str] | None = None) -> Done:
    """Type `rollcall ARGS` with stdout and stderr in two pipes."""
    done = subprocess.run(
        [*COMMAND, *args],
        capture_output=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**_plain_environ(), **(environ or {})},
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _plain_environ() -> dict[str, str]:
    """The environment without what a test's house says of terminals: this is a real one."""
    said = ("ROLLCALL_FORCE_TTY", "NO_COLOR")
    return {name: value for name, value in os.environ.items() if name not in said}


def in_shell(line: str) -> Done:
    """Run a line of sh in which `$ROLLCALL` is the command."""
    quoted = " ".join(f"'{word}'" for word in COMMAND)
    done = subprocess.run(
        ["sh", "-c", line.replace("$ROLLCALL", quoted)],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def at_terminal(
    *args: str,
    typed: bytes = b"",
    environ: Mapping[str, str] | None = None,
    piped_stdout: bool = False,
) -> Done:
    """Type `rollcall ARGS` at a terminal, whose screen is `out` (`err`, where stdout is a pipe).

    Args:
        typed: what the person types, in one go.
    """
    if sys.platform == "win32":
        raise NotImplementedError
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *args],
        stdin=theirs,
        stdout=subprocess.PIPE if piped_stdout else theirs,
        stderr=theirs,
        env={"TERM": "xterm-256color", **_plain_environ(), **(environ or {})},
    )
    os.close(theirs)
    if typed:
        os.write(ours, typed)
    screen = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    out = process.stdout.read() if process.stdout else b""
    if process.stdout:
        process.stdout.close()
    code = process.wait(60)
    return Done(code, out, screen) if piped_stdout else Done(code, screen, b"")


PROMPT = "READY> "


def typed_into(shell: list[str], lines: list[str]) -> str:
    """Type lines to a shell at a terminal, each when it prompts for one; its screen."""
    if sys.platform == "win32":
        raise NotImplementedError
    import pty

    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "dumb", "PS1": PROMPT}
    process = subprocess.Popen(
        shell, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True
    )
    os.close(theirs)
    screen = b""
    for number, line in enumerate([*lines, "exit"], 1):
        while screen.count(PROMPT.encode()) < number and (more := _read(ours)):
            screen += more
        os.write(ours, f"{line}\n".encode())
    screen += b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    process.wait(60)
    return screen.decode(errors="replace")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's end of file, once the last process has closed its side
        return b""
