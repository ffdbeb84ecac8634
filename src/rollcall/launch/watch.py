"""Stays as the parent of a LiteLLM proxy: looks for a new config now and then, restarts it on one.

LiteLLM does not notice a changed file, and two of them cannot share a port, so the old one drains
before the new one comes up; that the new file serves was proved beforehand, on another port. Where
it does not become ready all the same, the last good file comes back.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from rollcall.errors import Exit, LaunchError
from rollcall.launch.proxy_child import DRAIN_SECONDS, ProxyChild

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


READY_SECONDS: Final = 120.0
PASSED_ON: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
CHANGED: Final = int(Exit.PENDING)
"""How a look ends that wrote a new config: `apply --detailed-exitcode`."""


class Copy(Protocol):
    """What the proxy is started on, of a config in a store that others write to."""

    def renew(self) -> bool:
        """Copy what is there now; whether it is another than before."""
        ...

    def restore(self) -> None:
        """Bring the copy before back."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """What to watch, and how.

    Attributes:
        argv, environ: the proxy. look: plans, proves and writes; ends with CHANGED where it did.
        back: restores the config before the last write. host, port: where the proxy is ready.
        every_seconds: between two looks. copy: of a config in a store.
    """

    argv: Sequence[str]
    environ: Mapping[str, str]
    look: Sequence[str]
    back: Sequence[str]
    host: str
    port: int
    every_seconds: float
    say: Callable[[str], None]
    ready_seconds: float = READY_SECONDS
    drain_seconds: float = DRAIN_SECONDS
    copy: Copy | None = None


def watch(given: Watch) -> int:
    """Run the proxy until it ends, and return its exit code as `start` does.

    Raises:
        LaunchError: it could not be started.
    """
    return _Watcher(given).run()


class _Watcher:
    def __init__(self, given: Watch) -> None:
        self.given = given
        self.proxy: ProxyChild | None = None
        self.helper: ProxyChild | None = None
        self.ending: int | None = None
        """The signal that ends us."""

    def run(self) -> int:
        """Until the proxy ends."""
        before = {}
        for name in PASSED_ON:
            if (number := getattr(signal, name, None)) is not None:
                before[number] = signal.signal(number, self._pass_on)
        try:
            self.proxy = ProxyChild(self.given.argv, self.given.environ)
            return self._loop(self.proxy)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _loop(self, proxy: ProxyChild) -> int:
        due = time.monotonic() + self.given.every_seconds
        while not self._ended(proxy, due):
            ours = self._helped(self.given.look) == CHANGED
            changed = self._renewed() or ours
            due = time.monotonic() + self.given.every_seconds
            if changed and self.ending is None and not proxy.ended.is_set():
                proxy = self._restarted(proxy, ours=ours)
        return proxy.exit_code

    def _ended(self, proxy: ProxyChild, due: float) -> bool:
        """Wait until the proxy ends, or a look is due."""
        while (left := due - time.monotonic()) > 0:
            if proxy.ended.wait(min(left, 1.0)):
                return True
            _reap()
        return proxy.ended.is_set()

    def _helped(self, argv: Sequence[str]) -> int:
        """Run a command of ours to its end; a signal that ends us ends it too."""
        try:
            self.helper = ProxyChild(argv, self.given.environ, on_stderr=True)
        except LaunchError as error:
            self.given.say(error.what)
            return int(Exit.ERROR)
        self.helper.ended.wait()
        code = self.helper.exit_code
        self.helper = None
        return code

    def _renewed(self) -> bool:
        """Whether another config is in the store, whoever wrote it. Looked for beside us: a client
        that waits for its store keeps signals waiting, too.
        """
        copy = self.given.copy
        if copy is None or self.ending is not None:
            return False
        found: list[bool] = []
        looking = threading.Thread(target=lambda: found.append(copy.renew()), daemon=True)
        looking.start()
        while looking.is_alive() and self.ending is None:
            looking.join(1.0)
        return any(found)

    def _restarted(self, proxy: ProxyChild, *, ours: bool) -> ProxyChild:
        """The proxy on the new config, or on the last good one; a store keeps what others wrote."""
        given = self.given
        given.say(
            "a new config: the proxy drains, then starts on it (a port serves one at a time)."
        )
        proxy.end(given.drain_seconds)
        new = self._started()
        if self.ending is not None or new.ready(given.host, given.port, given.ready_seconds):
            return new
        if self.ending is None:
            given.say(
                "THE PROXY DID NOT BECOME READY on the new config: back to the last good one."
            )
            new.end(given.drain_seconds)
            if ours:
                self._helped(given.back)
                self._renewed()
            elif given.copy is not None:
                given.copy.restore()
            new = self._started()
        return new

    def _started(self) -> ProxyChild:
        self.proxy = ProxyChild(self.given.argv, self.given.environ)
        if self.ending is not None:
            self.proxy.send(self.ending)
        return self.proxy

    def _pass_on(self, number: int, _frame: object) -> None:
        if number in (signal.SIGINT, signal.SIGTERM):
            self.ending = number
            if self.helper is not None:
                self.helper.send(signal.SIGTERM)
        if self.proxy is not None:
            self.proxy.send(number)


def _reap() -> None:
    """As process 1: bury what others left behind, but none of our own children."""
    if sys.platform == "win32" or sys.platform == "darwin" or os.getpid() != 1:
        return
    with suppress(OSError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if found.si_pid in ProxyChild.pids:
                return
            os.waitpid(found.si_pid, 0)
