"""Runs the application under uvicorn until it is told to stop, with one log line per request."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import uvicorn

from rollcall.errors import Exit
from rollcall.inspect.inventory import read_inventory
from rollcall.launch.port import port_taken
from rollcall.service.app import create_app
from rollcall.settings import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rollcall.inspect.inventory import Inventory
    from rollcall.service import ServeOptions

_log = logging.getLogger("rollcall.service")
_access_log = logging.getLogger("rollcall.access")


_ENDING = frozenset({"SIGINT", "SIGTERM", "SIGBREAK"})
"""Ctrl-C, `kill`, and Windows' Ctrl-Break."""


class Server(uvicorn.Server):
    """uvicorn, except that the signal that ended it is kept instead of raised again."""

    ended_by: int | None = None

    def handle_exit(self, sig: int, frame: object) -> None:
        """Note the signal, then end as uvicorn does."""
        self.ended_by = self.ended_by or sig
        super().handle_exit(sig, frame)  # type: ignore[arg-type] # uvicorn names FrameType | None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGINT and SIGTERM while serving; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handled = [one for one in signal.Signals if one.name in _ENDING]
        before = {sig: signal.signal(sig, self.handle_exit) for sig in handled}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


def run(options: ServeOptions, *, refresh: Callable[[], None] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; running answers may end first.

    Raises:
        SettingsError: the upstream's address makes no sense.
    """
    log_to_stderr()

    def inventory() -> Inventory:
        settings = options.settings
        return read_inventory(replace(settings, now=clock(settings.environ)))

    app = create_app(
        options, inventory=inventory, refresh=refresh, now=lambda: clock(options.settings.environ)
    )
    _say_hello(options)
    config = uvicorn.Config(
        AccessLog(app),
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="error",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(options.shutdown_seconds),
        lifespan="on",
    )
    server = Server(config)
    try:
        server.run()
    except SystemExit:
        # uvicorn leaves this way when it cannot listen; why, it says in the system's words, which
        # on Windows are a number.
        if taken := port_taken([f"--port={options.port}"], {}):
            by = f" by {taken.owner}" if taken.owner else ""
            _log.error("Port %d: address already in use%s. Name another --port.", taken.port, by)
        return Exit.ERROR
    if server.ended_by is None:
        return Exit.OK if server.started else Exit.ERROR
    return Exit.TERMINATED if server.ended_by == signal.SIGTERM else Exit.INTERRUPTED


def _say_hello(options: ServeOptions) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host
    _log.info("serving http://%s:%d in front of %s", host, options.port, options.upstream_url)
    if options.tokens and options.upstream_key is None:
        _log.warning("LITELLM_API_KEY is not set: LiteLLM is asked without a key.")
    master = options.settings.environ.get("LITELLM_MASTER_KEY", "").strip()
    if options.tokens and master and options.upstream_key == master:
        _log.warning(
            "LITELLM_API_KEY is LiteLLM's master key: every token of ROLLCALL_API_TOKENS "
            "can then do under /v1 what an administrator can. Give it a virtual key."
        )
    if not options.loopback and not options.tokens:
        _log.warning("The page is closed: it opens to other machines with ROLLCALL_API_TOKENS.")


class AccessLog:
    """Writes a JSON line on stderr when an answer has ended: never a key, never a query.

    `ms` is until the answer's end, `first_ms` until its status; `status` is null when the caller
    left before there was one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = time.perf_counter()
        line: dict[str, Any] = {
            "time": None,
            "client": scope["client"][0] if scope.get("client") else None,
            "method": scope["method"],
            "path": scope["path"][:500],
            "status": None,
            "source": None,
            "bytes": 0,
            "first_ms": None,
        }

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message.get("headers", ()))
                line["status"] = message["status"]
                line["source"] = headers.get(b"x-rollcall-source", b"").decode() or None
                line["first_ms"] = _milliseconds_since(started)
            elif message["type"] == "http.response.body":
                line["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            return await self._app(scope, receive, noting)
        finally:
            line["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
            _access_log.info("%s", json.dumps({**line, "ms": _milliseconds_since(started)}))


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def log_to_stderr() -> None:
    """Send the access log and the service's own messages to stderr."""
    for logger in (_access_log, _log):
        logger.handlers = [logging.StreamHandler(sys.stderr)]
        logger.setLevel(logging.INFO)
        logger.propagate = False
