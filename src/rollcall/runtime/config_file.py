"""llm_orchestrator.yaml on disk: read once, read again when it changed."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from rollcall.runtime.config import OrchestratorConfig
from rollcall.runtime.config_reading import load_config
from rollcall.runtime.errors import ConfigError

log = logging.getLogger("rollcall.runtime")


class ConfigFile:
    """A file and what it last said.

    A change that cannot be read (an editor half way through, a typo) keeps what was valid before
    and is logged once; only the very first read raises.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: ConfigError | None = None
        self._lock = threading.Lock()
        self._stamp = self._stamp_now()
        self._config = load_config(path)

    def current(self) -> OrchestratorConfig:
        """What the file says now, or last said validly."""
        with self._lock:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
            return self._config

    def _reload(self) -> None:
        try:
            self._config, self.problem = load_config(self.path), None
        except ConfigError as error:
            self.problem = error
            log.warning("%s The last valid version stays in use.", error.what)

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
