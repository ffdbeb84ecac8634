"""HTTP servers of the tests, on loopback."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Answering(BaseHTTPRequestHandler):
    """What a server of the tests does with a request, in its `do_GET` and `do_POST`."""

    disable_nagle_algorithm = True  # a body is written after its head: 40 ms each time

    def sent(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def say(self, status: int, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        """Answer."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # who asked may be gone
            self.wfile.write(body)

    def say_json(self, status: int, body: object) -> None:
        """Answer with data."""
        self.say(status, json.dumps(body).encode(), [("content-type", "application/json")])

    def log_message(self, *_: object) -> None:
        """Say nothing of it on stderr."""


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port of a server that ends with the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
