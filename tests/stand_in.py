"""Commands that stand in for litellm and rollcall: they record how they were started."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """#!{python}
import json, os, signal, sys

record = {{"name": {name!r}, "argv": sys.argv[1:], "environ": dict(os.environ), "cwd": os.getcwd()}}
record["pid"] = os.getpid()
with open({record!r}, "a", encoding="utf-8") as stream:
    stream.write(json.dumps(record) + "\\n")

if {waits!r}:
    def ended(number, frame):
        os.write(1, f"got {{signal.Signals(number).name}}\\n".encode())
        sys.exit({exit_code!r})

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ended)
    os.write(1, b"ready\\n")
    while True:
        signal.pause()
if {says!r}:
    print({name!r}, "says hello", flush=True)
sys.exit({exit_code!r})
"""


OF_NO_ENVIRONMENT: str = getattr(sys, "_base_executable", sys.executable)
"""An interpreter outside the virtual environment, whose litellm is not that of the stand-in."""


@dataclass(frozen=True, slots=True)
class Start:
    """One recorded start."""

    name: str
    argv: list[str]
    environ: dict[str, str]
    cwd: str
    pid: int


@dataclass(frozen=True, slots=True)
class StandIns:
    """A folder of stand-in commands and what they recorded."""

    folder: Path
    record: Path

    def add(
        self,
        name: str,
        *,
        exit_code: int = 0,
        waits: bool = False,
        says: bool = True,
        python: str = "",
    ) -> Path:
        """Write one: it records its start and ends, or waits for a signal, with `exit_code`."""
        text = SCRIPT.format(
            python=python or sys.executable,
            name=name,
            record=str(self.record),
            exit_code=exit_code,
            waits=waits,
            says=says,
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.name == "nt":
            script = self.folder / f"{name}-stand-in.py"
            script.write_text(text, encoding="utf-8")
            path = self.folder / f"{name}.cmd"
            path.write_text(f'@"{sys.executable}" "%~dp0{script.name}" %*\n', encoding="ascii")
            return path
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def starts(self) -> list[Start]:
        """Every start so far, in order."""
        if not self.record.exists():
            return []
        lines = self.record.read_text(encoding="utf-8").splitlines()
        return [Start(**json.loads(line)) for line in lines]
