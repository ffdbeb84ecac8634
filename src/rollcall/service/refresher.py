"""`?refresh=true`: asks the providers anew, one run at a time, at most once a minute."""

from __future__ import annotations

import asyncio
import logging
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from rollcall.errors import RollcallError

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL_SECONDS = 60.0
WAIT_SECONDS = 15.0

_log = logging.getLogger("rollcall.service")


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
    """Runs `refresh` in a thread; whoever asks meanwhile waits for the same run.

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
            if self._started_at is not None and now - self._started_at < INTERVAL_SECONDS:
                return Refreshed.TOO_SOON
            self._started_at = now
            self._run = asyncio.create_task(self._guarded(self._refresh))
        run = self._run
        done, _ = await asyncio.wait({run}, timeout=WAIT_SECONDS)
        if not done:
            return Refreshed.RUNNING
        return Refreshed.DONE if run.result() else Refreshed.FAILED

    @staticmethod
    async def _guarded(refresh: Callable[[], None]) -> bool:
        try:
            await asyncio.to_thread(refresh)
        except RollcallError as error:
            _log.warning("asking the providers anew failed: %s", error.what)
            return False
        except Exception:  # noqa: BLE001 - a bug in asking must not end the service
            _log.exception("asking the providers anew failed")
            return False
        return True
