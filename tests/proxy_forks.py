"""LiteLLM's own command, started in half a second: imported once, forked for every start.

Importing it takes six seconds and more; what it does with a config, half a second. So one process
imports it and forks for each command line that comes over a socket. What runs is LiteLLM's own
entry point with its own arguments, environment, working directory and streams.

    with running_forks(folder) as forks:
        started = forks.start(["--config", "c.yaml", "--port", "1"], cwd, environ, log)
        forks.write_command(path)       # a `litellm` for programs that start one

Forks and passed file descriptors are POSIX; waiting for a process without reaping it is Linux.
"""

from __future__ import annotations

import importlib
import json
import os
import select
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
    from collections.abc import Callable, Iterator, Mapping, Sequence

READY = "ready"
AT_ONCE = {"INITIAL_RETRY_DELAY": "0.01", "MAX_RETRY_DELAY": "0.02", "DEFAULT_MAX_RETRIES": "0"}
"""LiteLLM waits seconds between the retries of a call that fails."""

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
    """One LiteLLM that was started: its process, which leads a group, and how it ended.

    Its number stays its own until `stop`: the process that started it waits so long to reap it.
    """

    pid: int
    lines: Any
    where: socket.socket
    code: int | None = None

    def exit_code(self, timeout_seconds: float) -> int | None:
        """Its exit code; None where it has not ended within that time."""
        if self.code is None and select.select([self.where], [], [], timeout_seconds)[0]:
            self.code = int(json.loads(self.lines.readline())["exit"])
        return self.code

    def stop(self) -> None:
        """End it and whatever it started."""
        if sys.platform == "win32":
            raise NotImplementedError
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.lines.close()
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
        [sys.executable, "-W", "ignore", "-m", "tests.proxy_forks", address],
        cwd=Path(__file__).parents[1],
        env={**environ, **OFFLINE, **AT_ONCE, "HOME": str(folder), "PYTHONUTF8": "1"},
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
        if process.stdout is not None:
            process.stdout.close()


def serve(address: str) -> None:
    """Import LiteLLM, then fork for every request until killed."""
    if sys.platform == "win32":
        raise NotImplementedError
    for module in ("litellm.proxy.proxy_cli", "litellm.proxy.proxy_server", "uvicorn"):
        importlib.import_module(module)
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
    if sys.platform != "linux":  # os.waitid
        raise NotImplementedError
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, streams, _, _ = socket.recv_fds(where, 1 << 20, 2)
    while not text.endswith(b"\n"):
        text += where.recv(1 << 20)
    led, leads = os.pipe()
    child = os.fork()
    if child == 0:
        _become(json.loads(text), streams, leads)
    os.close(leads)
    os.read(led, 1)  # it leads its own group now
    where.sendall((json.dumps({"pid": child}) + "\n").encode())
    ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    with suppress(OSError):
        where.sendall((json.dumps({"exit": code}) + "\n").encode())
        where.recv(1)  # until whoever asked has stopped what is left of it
    os.waitpid(child, 0)
    os._exit(0)


def _become(request: dict[str, Any], streams: Sequence[int], leads: int) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    code = 99
    try:
        os.setsid()
        os.close(leads)
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


def wait_for(ready: Callable[[], bool], started: Started, seconds: float) -> bool:
    """Whether `ready()` comes true before the process ends or the time is up."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if ready():
            return True
        if started.exit_code(0.05) is not None:
            return False
    return False


if __name__ == "__main__":
    serve(sys.argv[1])
