"""A LiteLLM proxy as our child: started, waited for, ended with all it started."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final

from rollcall.launch.run import exit_code, not_started, startable
from rollcall.launch.windows import end_together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


POLL_SECONDS: Final = 0.1
DRAIN_SECONDS: Final = 30.0
"""For running answers to end after SIGTERM; then it is killed."""


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ProxyChild:
    """A process in a group of its own, so that signals of a terminal reach it through us alone.

    Attributes:
        ended: set once it has ended, whoever ended it. pids: of all that were started.
    """

    pids: ClassVar[set[int]] = set()

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        silent: bool = False,
        on_stderr: bool = False,
    ) -> None:
        """Start it.

        Args:
            silent: what it prints goes nowhere. on_stderr: all of it goes to our stderr.

        Raises:
            LaunchError: it could not be started.
        """
        output = subprocess.DEVNULL if silent else 2 if on_stderr else None
        end_together()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - as the user asked
                startable(argv, environ),
                env=dict(environ),
                stdin=subprocess.DEVNULL if silent else None,
                stdout=output,
                stderr=output,
                start_new_session=os.name != "nt",
            )
        except (OSError, ValueError) as error:
            raise not_started(argv[0], error) from error
        self.pids.add(self._process.pid)
        self.ended = threading.Event()
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        self._process.wait()
        self.ended.set()

    @property
    def exit_code(self) -> int:
        """Its exit code, once it has ended."""
        return exit_code(self._process.returncode)

    def send(self, number: int) -> None:
        """Pass a signal on."""
        with suppress(OSError, ValueError):
            self._process.send_signal(number)

    def ready(self, host: str, port: int, within_seconds: float) -> bool:
        """Wait until it answers /health/readiness; False where it ends before, or is too late."""
        ends_at = time.monotonic() + within_seconds
        while not self.ended.is_set() and time.monotonic() < ends_at:
            if _is_ready(host, port):
                return not self.ended.is_set()
            self.ended.wait(POLL_SECONDS)
        return False

    def end(self, drain_seconds: float = DRAIN_SECONDS) -> None:
        """End it and all it started: running answers may end first."""
        self.send(signal.SIGTERM)
        if not self.ended.wait(drain_seconds):
            self._kill()
            self.ended.wait()
        self._kill()  # workers that outlived it

    def _kill(self) -> None:
        """Its whole group, where there are groups."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2.0)
    try:
        connection.request("GET", "/health/readiness")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
