"""A loopback server that answers, and misbehaves, like a LiteLLM proxy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
KEY = "sk-smoke-test-key-000"


def as_json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A JSON answer."""
    sent = {"content-type": "application/json", **(headers or {})}
    return status, sent, json.dumps(body).encode()


def error(message: str, status: int) -> Answer:
    """An error in LiteLLM's shape."""
    return as_json({"error": {"message": message, "type": None, "code": str(status)}}, status)


def completion(model: str, headers: dict[str, str] | None = None) -> Answer:
    """A completion that stopped at the token limit."""
    choice = {"index": 0, "finish_reason": "length", "message": {"content": None}}
    return as_json({"model": model, "choices": [choice]}, headers=headers)


@dataclass
class FakeProxy:
    """What it lists and answers, and what it was asked; `calls` is by model name."""

    listed: list[str] = field(default_factory=list)
    calls: dict[str, Answer] = field(default_factory=dict)
    readiness: Answer = field(default_factory=lambda: as_json({"status": "healthy"}))
    without_key: Answer = (500, {"content-type": "text/plain"}, b"Internal Server Error")
    wrong_key: Answer = field(default_factory=lambda: error("No connected db.", 400))
    models: Answer | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    together: threading.Barrier | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, key: str | None, body: dict[str, Any]) -> Answer:
        """The answer to one request."""
        if path == "/health/readiness":
            return self.readiness
        if key != f"Bearer {KEY}":
            return self.without_key if key is None else self.wrong_key
        if path == "/v1/models":
            return self.models or as_json({"data": [{"id": name} for name in self.listed]})
        with self.lock:
            self.asked.append((path, body))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if self.together is not None:
            self.together.wait(timeout=30)
        with self.lock:
            self.at_once -= 1
        return self.calls.get(body["model"], completion(body["model"]))

    def body_of(self, name: str) -> tuple[str, dict[str, Any]]:
        """(path, body) of the one call to `name`."""
        [found] = [(path, body) for path, body in self.asked if body["model"] == name]
        return found


class _Server(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = True


@contextmanager
def serving(proxy: FakeProxy) -> Iterator[str]:
    """Serve it on a free loopback port; gives its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            status, headers, content = proxy.answer(
                self.path, self.headers.get("authorization"), body
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = _reply  # noqa: N815  the name http.server looks for
        do_POST = _reply  # noqa: N815  likewise

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
