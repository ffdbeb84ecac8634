"""What rollcall knows, read again when its files change; and the providers, asked anew on request.

`?refresh=true` asks them one run at a time, at most once a minute; whoever asks meanwhile waits for
the same run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from rollcall.errors import RollcallError
from rollcall.inspect.inventory import Inventory
from rollcall.service.model_list import KnownModels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rollcall.settings import Settings

LOOK_SECONDS = 1.0
STORE_LOOK_SECONDS = 30.0
"""A store says nothing by itself: what lies there is read again this often."""
REFRESH_INTERVAL_SECONDS = 60.0
REFRESH_WAIT_SECONDS = 15.0

Stamp = tuple[tuple[str, int, int], ...]

_log = logging.getLogger("rollcall.service")


class InventorySource:
    """The inventory as of the last change on disk.

    Args:
        read: reads the inventory; runs in a thread.
        stamp: a value that differs when the files do.

    Attributes:
        known: what was read last; a new object after every change.
        problem: why the last reading failed, None when it went well. The one before stays.
    """

    def __init__(self, read: Callable[[], Inventory], stamp: Callable[[], Stamp]) -> None:
        self._read = read
        self._stamp = stamp
        self._seen: Stamp | None = None
        self._lock = asyncio.Lock()
        self.known = KnownModels(Inventory())
        self.problem: str | None = None

    async def look(self) -> None:
        """Read again if the files changed since the last look."""
        async with self._lock:
            stamp = await asyncio.to_thread(self._stamp)
            if stamp == self._seen:
                return
            self._seen = stamp
            try:
                inventory = await asyncio.to_thread(self._read)
            except RollcallError as error:
                self._failed(error.what)
            except Exception:  # noqa: BLE001 - a bug in reading must not end the watch
                _log.exception("the inventory could not be read")
                self._failed("The inventory could not be read; the service's log says more.")
            else:
                self.problem = None
                if inventory != self.known.inventory:
                    self.known = KnownModels(inventory)

    async def watch(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def _failed(self, problem: str) -> None:
        if problem != self.problem:
            _log.warning("inventory: %s", problem)
        self.problem = problem


def files_stamp(settings: Settings, clock: Callable[[], float] = time.monotonic) -> Stamp:
    """Size and time of every file it is read from; of a store, that it is time to look."""
    if settings.address:
        turn = int(clock() // STORE_LOOK_SECONDS)
        policy = _file_stamp(settings.policy_path)
        return ((settings.address, turn, 0), *((policy,) if policy else ()))
    paths = [settings.config_path, settings.policy_path]
    with suppress(OSError):
        paths += sorted(path for path in settings.state_dir.rglob("*") if path.is_file())
    return tuple(stamp for path in paths if (stamp := _file_stamp(path)) is not None)


def _file_stamp(path: Path) -> tuple[str, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (str(path), status.st_mtime_ns, status.st_size)


class Refreshed(StrEnum):
    """What became of a request to ask anew: the header `x-rollcall-refresh`."""

    DONE = "done"
    RUNNING = "running"
    """Still under way when waiting for it ended."""
    TOO_SOON = "too_soon"
    FAILED = "failed"
    OFF = "off"
    """This service was started without a way to ask."""


class Refresher:
    """Runs `refresh` in a thread.

    Args:
        refresh: asks and writes; raises RollcallError when it cannot. None = off.
    """

    def __init__(
        self, refresh: Callable[[], None] | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._refresh = refresh
        self._clock = clock
        self._run: asyncio.Task[bool] | None = None
        self._started_at: float | None = None

    async def ask_anew(self) -> Refreshed:
        """Start a run, or join the one under way."""
        if self._refresh is None:
            return Refreshed.OFF
        if self._run is None or self._run.done():
            now = self._clock()
            if self._started_at is not None and now - self._started_at < REFRESH_INTERVAL_SECONDS:
                return Refreshed.TOO_SOON
            self._started_at = now
            self._run = asyncio.create_task(_went_well(self._refresh))
        run = self._run
        done, _ = await asyncio.wait({run}, timeout=REFRESH_WAIT_SECONDS)
        if not done:
            return Refreshed.RUNNING
        return Refreshed.DONE if run.result() else Refreshed.FAILED


async def _went_well(refresh: Callable[[], None]) -> bool:
    try:
        await asyncio.to_thread(refresh)
    except RollcallError as error:
        _log.warning("asking the providers anew failed: %s", error.what)
        return False
    except Exception:  # noqa: BLE001 - a bug in asking must not end the service
        _log.exception("asking the providers anew failed")
        return False
    return True
