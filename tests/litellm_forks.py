"""LiteLLM's own command, started in half a second: imported once, forked for every start.

Importing it takes six seconds and more; what it does with a config, half a second. So one process
imports it and forks for each command line that comes over a socket. What runs is LiteLLM's own
entry point with its own arguments, environment, working directory and streams.

    with running_forks(folder) as forks:
        started = forks.start(["--config", "c.yaml", "--port", "1"], cwd, environ, log)
        forks.write_command(path)       # a `litellm` for programs that start one

Forks and passed file descriptors are POSIX.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.litellm_proxy import OFFLINE, litellm_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

READY = "ready"

COMMAND = """#!{python} -SE
import json, os, socket, sys
where = socket.socket(socket.AF_UNIX)
where.connect({address!r})
request = {{"args": sys.argv[1:], "cwd": os.getcwd(), "environ": dict(os.environ)}}
text = (json.dumps(request) + "\\n").encode()
socket.send_fds(where, [text], [1, 2])
lines = where.makefile("r", encoding="utf-8")
json.loads(lines.readline())
sys.exit(json.loads(lines.readline())["exit"])
"""


@dataclass
class Started:
    """One LiteLLM that was started: its process, which leads a group, and how it ended."""

    pid: int
    lines: Any
    where: socket.socket

    def exit_code(self, timeout_seconds: float) -> int | None:
        """Its exit code; None where it has not ended within that time."""
        self.where.settimeout(timeout_seconds)
        try:
            return int(json.loads(self.lines.readline())["exit"])
        except (TimeoutError, OSError):
            return None
        finally:
            self.where.settimeout(None)

    def has_ended(self) -> bool:
        """Whether it has, without waiting."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def stop(self) -> None:
        """End it and whatever it started."""
        if sys.platform == "win32":
            raise NotImplementedError
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.where.close()


@dataclass(frozen=True)
class Forks:
    """The process that forks, by the address of its socket."""

    address: str

    def start(
        self, args: Sequence[str], cwd: Path, environ: Mapping[str, str], log: Path
    ) -> Started:
        """Run `litellm ARGS`; its output goes to `log`."""
        if sys.platform == "win32":
            raise NotImplementedError
        where = socket.socket(socket.AF_UNIX)
        where.connect(self.address)
        request = {"args": list(args), "cwd": str(cwd), "environ": dict(environ)}
        with log.open("wb") as stream:
            text = (json.dumps(request) + "\n").encode()
            socket.send_fds(where, [text], [stream.fileno(), stream.fileno()])
        lines = where.makefile("r", encoding="utf-8")
        return Started(json.loads(lines.readline())["pid"], lines, where)

    def write_command(self, path: Path) -> Path:
        """Write a `litellm` that runs LiteLLM here."""
        path.write_text(
            COMMAND.format(python=sys.executable, address=self.address), encoding="utf-8"
        )
        path.chmod(0o755)
        return path


@contextmanager
def running_forks(folder: Path) -> Iterator[Forks]:
    """The process that has imported LiteLLM; ended, with all it started, when the block ends."""
    if sys.platform == "win32":
        raise NotImplementedError
    litellm_command()  # skips the test where there is none
    address = tempfile.mktemp(prefix="forks-")
    environ = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.litellm_forks", address],
        cwd=Path(__file__).parents[1],
        env={**environ, **OFFLINE, "HOME": str(folder), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == READY
        yield Forks(address)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def serve(address: str) -> None:
    """Import LiteLLM, then fork for every request until killed."""
    if sys.platform == "win32":
        raise NotImplementedError
    import uvicorn  # noqa: F401  imported once, for all

    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(READY, flush=True)  # noqa: T201  the parent waits for it
    while True:
        where, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _attend(where)
        where.close()


def _attend(where: socket.socket) -> None:
    """One request: start LiteLLM, tell its process number, then its exit code."""
    if sys.platform == "win32":
        raise NotImplementedError
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, streams, _, _ = socket.recv_fds(where, 1 << 20, 2)
    while not text.endswith(b"\n"):
        text += where.recv(1 << 20)
    child = os.fork()
    if child == 0:
        _become(json.loads(text), streams)
    where.sendall((json.dumps({"pid": child}) + "\n").encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):
        where.sendall((json.dumps({"exit": code}) + "\n").encode())
    os._exit(0)


def _become(request: dict[str, Any], streams: Sequence[int]) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    code = 99
    try:
        os.setsid()
        os.dup2(streams[0], 1)
        os.dup2(streams[1], 2)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environ"])
        sys.argv = ["litellm", *request["args"]]
        from litellm.proxy.proxy_cli import run_server

        run_server(request["args"], standalone_mode=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait_for(ready: Any, started: Started, seconds: float) -> bool:
    """Whether `ready()` comes true before the process ends or the time is up."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if ready():
            return True
        if started.has_ended():
            return False
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    serve(sys.argv[1])
