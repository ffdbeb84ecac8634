"""One JSON line per request on stderr: never a key, never a query string."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("rollcall.access")


class AccessLog:
    """Middleware that writes the line when the answer has ended.

    `ms` is until the answer's end, `first_ms` until its status; `status` is null when the caller
    left before there was one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _log.isEnabledFor(logging.INFO):
            return await self._app(scope, receive, send)
        line = _Line(scope)

        async def noting(message: Message) -> None:
            line.note(message)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            _log.info("%s", line.text())
        return None


class _Line:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._started = time.perf_counter()
        self._status: int | None = None
        self._source: str | None = None
        self._first_ms: float | None = None
        self._bytes = 0

    def note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._first_ms = self._elapsed_ms()
            for name, value in message.get("headers", ()):
                if name == b"x-rollcall-source":
                    self._source = value.decode("ascii")
        elif message["type"] == "http.response.body":
            self._bytes += len(message.get("body", b""))

    def text(self) -> str:
        client = self._scope.get("client")
        return json.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": client[0] if client else None,
                "method": self._scope["method"],
                "path": self._scope["path"][:500],
                "status": self._status,
                "source": self._source,
                "bytes": self._bytes,
                "first_ms": self._first_ms,
                "ms": self._elapsed_ms(),
            }
        )

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def log_to_stderr() -> None:
    """Send the access log and the service's own messages to stderr."""
    for name, pattern in (("rollcall.access", "%(message)s"), ("rollcall.service", "%(message)s")):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(pattern))
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
