"""Keeps what rollcall knows in step with the files it is read from. Disk."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from rollcall.errors import RollcallError
from rollcall.inspect.inventory import Inventory
from rollcall.service.known import Known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rollcall.settings import Settings

WATCH_SECONDS = 1.0

Stamp = tuple[tuple[str, int, int], ...]

_log = logging.getLogger("rollcall.service")


class InventoryWatch:
    """The inventory as of the last change on disk.

    Args:
        read: reads the inventory; runs in a thread.
        stamp: a value that differs when the files do.
        keys_set: the variables that hold a key.
        interval_seconds: how often the files are looked at.

    Attributes:
        known: what was read last; a new object after every change.
        problem: why the last reading failed, None when it went well. The one before stays.
    """

    def __init__(
        self,
        read: Callable[[], Inventory],
        stamp: Callable[[], Stamp],
        keys_set: frozenset[str] = frozenset(),
        interval_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._read = read
        self._stamp = stamp
        self._interval = interval_seconds
        self._seen: Stamp | None = None
        self._lock = asyncio.Lock()
        self._keys_set = keys_set
        self.known = Known(Inventory(), keys_set)
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
                    self.known = Known(inventory, self._keys_set)

    async def watch(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self.look()

    def _failed(self, problem: str) -> None:
        if problem != self.problem:
            _log.warning("inventory: %s", problem)
        self.problem = problem


def files_stamp(settings: Settings) -> Stamp:
    """Size and time of every file the inventory is read from."""
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
