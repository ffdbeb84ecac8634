"""Runs the application under uvicorn until it is told to stop. Process."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

from rollcall.errors import Exit
from rollcall.inspect.inventory import read_inventory
from rollcall.service.access_log import log_to_stderr
from rollcall.service.app import create_app
from rollcall.settings import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rollcall.inspect.inventory import Inventory
    from rollcall.service.options import ServeOptions

_log = logging.getLogger("rollcall.service")


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
        handled = (signal.SIGINT, signal.SIGTERM)
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
        app,
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(options.shutdown_seconds),
        lifespan="on",
    )
    server = Server(config)
    try:
        server.run()
    except SystemExit:
        # uvicorn leaves this way when it cannot listen; it has said why.
        return Exit.ERROR
    if server.ended_by is None:
        return Exit.OK if server.started else Exit.ERROR
    return Exit.INTERRUPTED if server.ended_by == signal.SIGINT else Exit.TERMINATED


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
