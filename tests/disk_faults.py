"""Runs the store, killed (in child processes) or lied to by the system at its N-th step.

A step is one call that touches the disk. They are found, not guessed: N goes up until a run ends
without reaching it. Used by test_faults_disk.py, in a process of its own (it forks, and may sit in
a mount namespace): `python -m tests.disk_faults SCENARIO FOLDER FAULT...` prints JSON, a Result per
fault.
"""

from __future__ import annotations

import errno
import gc
import io
import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rollcall.errors import StoreError
from tests.disk_scenarios import SCENARIOS, Scenario, problems_after

if sys.platform != "win32":
    import fcntl

CREATING = frozenset({"open for writing", "write", "mkdir", "fsync", "replace", "setxattr"})
CHANGING = frozenset({"open for writing", "mkdir", "replace", "unlink", "chmod", "chown"})
STEPS = CREATING | CHANGING | {"ftruncate", "flock"}
READING = frozenset({"open", "scandir", "listdir", "fstat", "listxattr"})


@dataclass(frozen=True)
class Fault:
    """What goes wrong, at which calls, and whether it stays that way."""

    calls: frozenset[str]
    number: int | None = None
    """errno; None kills."""
    stays: bool = False
    half: bool = False
    """Kill after the call, or with half of a write done, instead of before it."""


FAULTS = {
    "kill": Fault(STEPS),
    "kill-half": Fault(STEPS, half=True),
    "disk-full": Fault(CREATING, errno.ENOSPC, stays=True),
    "disk-full-once": Fault(CREATING, errno.ENOSPC),
    "io-error": Fault(STEPS | READING, errno.EIO, stays=True),
    "io-error-once": Fault(STEPS | READING, errno.EIO),
    "stat-error-once": Fault(frozenset({"stat", "lstat"}), errno.EIO),
    "denied": Fault(CHANGING, errno.EACCES, stays=True),
    "denied-once": Fault(CHANGING, errno.EACCES),
    "read-only": Fault(CHANGING, errno.EROFS, stays=True),
    "quota-once": Fault(CREATING, errno.EDQUOT),
}


@dataclass
class Result:
    """What became of all runs: how many steps, how they ended, and what was wrong afterwards."""

    steps: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Injector:
    """Stands between the store and the system in a child; the N-th matching call goes wrong."""

    def __init__(self, fault: Fault, at: int) -> None:
        self.fault, self.at, self.call = fault, at, ""
        self.calls: Counter[str] = Counter()
        self.originals: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Wrap the system calls of this process."""
        if sys.platform == "win32":
            raise NotImplementedError
        for name in ("write", "fsync", "replace", "unlink", "mkdir", "chmod", "chown"):
            self._wrap(os, name)
        for name in ("ftruncate", "scandir", "listdir", "stat", "lstat", "fstat"):
            self._wrap(os, name)
        for name in ("setxattr", "listxattr"):
            if hasattr(os, name):
                self._wrap(os, name)
        self._wrap(os, "open")
        self._wrap(io, "open")
        if sys.platform != "win32":
            self._wrap(fcntl, "flock")
        self._put(time, "sleep", lambda seconds: None)  # what fails here fails however long

    def remove(self) -> None:
        """Unwrap them."""
        for module, name, original in self.originals:
            setattr(module, name, original)

    def _put(self, module: Any, name: str, replacement: Any) -> None:
        self.originals.append((module, name, getattr(module, name)))
        setattr(module, name, replacement)

    def _wrap(self, module: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(module, name)

        def wrapped(*arguments: Any, **options: Any) -> Any:
            writing = name == "open" and _is_writing(*arguments[1:2], **options)
            if self._strikes("open for writing" if writing else name):
                self._strike(original, name, arguments)
            return original(*arguments, **options)

        self._put(module, name, wrapped)

    def _strikes(self, call: str) -> bool:
        if call not in self.fault.calls:
            return False
        self.calls[call] += 1
        seen = self.calls.total()
        if seen == self.at:
            self.call = call
        return seen == self.at or (self.fault.stays and seen > self.at)

    def _strike(self, original: Callable[..., Any], name: str, arguments: Any) -> None:
        if sys.platform == "win32":
            raise NotImplementedError
        if self.fault.number is not None:
            raise OSError(self.fault.number, os.strerror(self.fault.number))
        if self.fault.half and name == "write":
            original(arguments[0], arguments[1][: len(arguments[1]) // 2])
        elif self.fault.half:
            with suppress(OSError):
                original(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)


def _is_writing(mode: int | str = "r", **_: Any) -> bool:
    """Whether a file is opened for writing, by the flags of `os.open` or the mode of `open`."""
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(mode & (os.O_RDWR | os.O_WRONLY))


def every_step(scenario: Scenario, fault: Fault, root: Path) -> Result:
    """Run the scenario once per step, with the fault at that step, and look at what is left."""
    result = Result()
    while True:
        folder = root / f"{result.steps + 1:04}"
        scenario.build(folder)
        injector = Injector(fault, result.steps + 1)
        if fault.number is None:
            ending, report = _in_child(partial(_faulty, scenario, folder, injector))
        else:
            report = _faulty(scenario, folder, injector)
            ending = report["ending"]
        if ending == "done" and not report["call"]:
            result.calls.update(report["calls"])
            return result
        result.steps += 1
        result.endings[ending] += 1
        if ending == "refused":
            result.messages[report["message"].replace(str(folder), "")] += 1
        if ending == "crashed":
            result.problems.append(f"step {result.steps}: {report['message']}")
        can_unlink = report.get("call") != "unlink" and not (
            fault.stays and "unlink" in fault.calls
        )
        result.problems += [
            f"step {result.steps} ({report.get('call')}), {ending}: {problem}"
            for problem in problems_after(
                scenario, folder, ending, sweeps=ending != "killed" and can_unlink
            )
        ]


def random_kills(scenario: Scenario, root: Path, kills: int, seed: int = 20261120) -> Result:
    """Kill runs at moments that have nothing to do with steps."""
    result, dice = Result(), random.Random(seed)
    for number in range(kills):
        folder = root / f"{number:04}"
        scenario.build(folder)
        delay_seconds = dice.random() * 0.012
        ending, _ = _in_child(partial(_plain, scenario, folder), kill_after=delay_seconds)
        result.endings[ending] += 1
        result.problems += [
            f"kill {number}, {ending}: {problem}"
            for problem in problems_after(scenario, folder, ending, sweeps=False)
        ]
    return result


def _faulty(scenario: Scenario, folder: Path, injector: Injector) -> dict[str, Any]:
    injector.install()
    try:
        scenario.run(folder)
    except StoreError as error:
        return {"ending": "refused", "message": str(error), "call": injector.call}
    except BaseException:  # noqa: BLE001 (whatever it is, the parent shall see it)
        return {"ending": "crashed", "message": traceback.format_exc(), "call": injector.call}
    finally:
        injector.remove()
    return {"ending": "done", "call": injector.call, "calls": injector.calls}


def _plain(scenario: Scenario, folder: Path) -> dict[str, Any]:
    scenario.run(folder)
    return {"ending": "done", "call": ""}


def _in_child(
    work: Callable[[], dict[str, Any]], kill_after: float | None = None
) -> tuple[str, dict[str, Any]]:
    """Fork, work, and report through a pipe; a killed child leaves the report empty."""
    if sys.platform == "win32":
        raise NotImplementedError
    reading, writing = os.pipe()
    write, close, leave = os.write, os.close, os._exit
    pid = os.fork()
    if pid == 0:
        try:
            write(writing, json.dumps(work()).encode())
        finally:
            leave(0)
    close(writing)
    if kill_after is not None:
        select.select([reading], [], [], kill_after)
        os.kill(pid, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        report: dict[str, Any] = json.loads(pipe.read() or b"{}")
    os.waitpid(pid, 0)
    return report.get("ending", "killed"), report


def main() -> None:
    """Run one scenario under some faults, one after the other."""
    os.fsync = lambda fd: None  # a killed process loses nothing it wrote: this saves time
    gc.freeze()
    scenario, root = SCENARIOS[sys.argv[1]], Path(sys.argv[2])
    results = {}
    for fault in sys.argv[3:]:
        folder = root / fault
        if fault.startswith("random-"):
            result = random_kills(scenario, folder, int(fault.removeprefix("random-")))
        else:
            result = every_step(scenario, FAULTS[fault], folder)
        results[fault] = vars(result)
    print(json.dumps(results))  # noqa: T201 (the result, read by the test)


if __name__ == "__main__":
    main()
