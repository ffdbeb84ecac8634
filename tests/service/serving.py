"""Runs an application on a loopback socket, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """uvicorn that says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The base URL of the running application."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=2
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert server.serving.wait(30)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def address(http: httpx.Client, path: str) -> httpx.URL:
    """A path under the client's base URL exactly as it is written, doubled slashes included."""
    return http.base_url.copy_with(raw_path=path.encode("ascii"))


def client(base_url: str, **headers: str) -> httpx.Client:
    """An HTTP client that ignores the environment; `x_api_key` becomes `x-api-key`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Client(base_url=base_url, headers=named, timeout=20, trust_env=False)
