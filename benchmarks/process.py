"""One whole process, from its start to its end: wall time, CPU time, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, with which variables (never printed: they hold simulated keys)."""

    argv: tuple[str, ...]
    folder: Path
    environ: dict[str, str] = field(default_factory=dict, repr=False)
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took. `peak_mb` is None where the system does not say (Windows)."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float | None
    out: str = ""


class Failed(Exception):
    """A command ended with a code it should not have."""


def python(*args: str) -> tuple[str, ...]:
    """This interpreter with arguments."""
    return (sys.executable, *args)


def rollcall(*args: str) -> tuple[str, ...]:
    """The command as it is installed beside this interpreter, as a user starts it."""
    name = "rollcall.exe" if os.name == "nt" else "rollcall"
    return (str(Path(sys.executable).with_name(name)), *args)


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """What a process needs of ours; no keys, no proxies, and the rollcall of this checkout."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "TEMP", "SYSTEMROOT", "USERPROFILE")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    found["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    return {**found, **(extra or {})}


def run(command: Command, *, keep_output: bool = False) -> Run:
    """Run it once, to its end.

    Raises:
        Failed: it ended with another code than `codes`; says what it said.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env=environment(command.environ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        code, cpu_seconds, peak_mb = _wait(process)
        wall_seconds = time.perf_counter() - started
        if code not in command.codes:
            said = _text(err) or _text(out)
            raise Failed(f"{' '.join(command.argv[:6])}: exit {code}: {said[-600:]}")
        return Run(wall_seconds, cpu_seconds, peak_mb, _text(out) if keep_output else "")


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float, float | None]:
    if not hasattr(os, "wait4"):
        return process.wait(), 0.0, None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    peak_mb = usage.ru_maxrss * unit / _MEGABYTE
    return process.returncode, usage.ru_utime + usage.ru_stime, peak_mb


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")
