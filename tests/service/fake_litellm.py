"""A LiteLLM of our own on loopback, that misbehaves when told to."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-upstream-key"
OTHER_KEY = "sk-virtual-key"
NAMES = ("default", "claude-sonnet-5", "openai/gpt-5.5")


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class FakeLiteLLM:
    """Answers as LiteLLM does.

    Attributes:
        mode: ok, slow, unauthorized, no_db, html, truncated, error or redirect.
        names: what it lists; OTHER_KEY sees only the first.
        scripted: (status, content type, body) for what holds this text in its path or query.
        release: slow answers and the second half of a stream wait for it.
        cancelled: set when a caller went away in the middle of a stream.
    """

    mode: str = "ok"
    names: tuple[str, ...] = NAMES
    scripted: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    _server: ThreadingHTTPServer | None = None
    port: int = 0

    def __enter__(self) -> FakeLiteLLM:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self.stop()

    @property
    def url(self) -> str:
        """Its address; the same after a stop and a start."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        fake = self

        class Handler(_Handler):
            owner = fake

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening; connections are refused from here on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def reset(self) -> None:
        """Behave again, and forget what was seen."""
        self.mode, self.names = "ok", NAMES
        self.seen.clear()
        self.scripted.clear()
        self.release.clear()
        self.cancelled.clear()
        if self._server is None:
            self.start()

    def listing(self, key: str, *, anthropic: bool) -> dict[str, Any]:
        """The list a key sees."""
        names = self.names if key == KEY else self.names[:1]
        if anthropic:
            rows: list[dict[str, Any]] = [
                {
                    "type": "model",
                    "id": name,
                    "display_name": name,
                    "created_at": "2023-02-28T18:56:42Z",
                }
                for name in names
            ]
            return {"data": rows, "has_more": False, "first_id": names[0], "last_id": names[-1]}
        rows = [
            {"id": name, "object": "model", "created": 1677610602, "owned_by": "openai"}
            for name in names
        ]
        return {"data": rows, "object": "list"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def handle_error(self, *_: object) -> None:
        """A connection cut by `stop` is no error."""

    def server_close(self) -> None:
        super().server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: FakeLiteLLM

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self._read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.seen.append(Seen(self.command, self.path, headers, body))
        with suppress(ConnectionError):
            if not self._misbehave():
                self._behave(headers, body)

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _misbehave(self) -> bool:
        mode = self.owner.mode
        if mode == "slow":
            self.owner.release.wait(30)
            return False
        replies: dict[str, tuple[int, str, bytes]] = {
            "unauthorized": (401, "application/json", b'{"error":{"message":"expired"}}'),
            "no_db": (400, "application/json", b'{"error":{"type":"no_db_connection"}}'),
            "html": (200, "text/html", b"<html>Sign in</html>"),
            "truncated": (200, "application/json", b'{"data": [{"id": "cl'),
            "error": (500, "application/json", b'{"error": "oops"}'),
            "redirect": (302, "text/plain", b""),
        }
        scripted = [reply for text, reply in self.owner.scripted.items() if text in self.path]
        if mode not in replies and not scripted:
            return False
        self._send(*(scripted[0] if scripted else replies[mode]))
        return True

    def _behave(self, headers: dict[str, str], body: bytes) -> None:
        key = headers.get("x-litellm-api-key", "").removeprefix("Bearer ")
        key = key or headers.get("authorization", "").removeprefix("Bearer ")
        key = key or headers.get("x-api-key", "")
        path = self.path.split("?")[0]
        if not key:
            self._send(500, "text/plain", b"Internal Server Error")
        elif key not in (KEY, OTHER_KEY):
            no_db = {"error": {"message": "No connected db.", "type": "no_db_connection"}}
            self._json(no_db, 400)
        elif path == "/v1/models" and "client_version" in self.path:
            self._json({"models": [{"slug": name, "display_name": name} for name in NAMES]})
        elif path == "/v1/models":
            self._json(self.owner.listing(key, anthropic="anthropic-version" in headers))
        elif path.endswith("/model/info"):
            rows = [{"model_name": name, "model_info": {"id": name}} for name in NAMES]
            self._json({"data": rows})
        elif path == "/v1/chat/completions":
            self._chat(json.loads(body))
        elif path == "/v1/messages":
            self._messages(json.loads(body))
        elif path == "/v1/echo":
            self._json({"body": body.decode("latin-1"), "path": self.path})
        else:
            self._json({"detail": "Not Found"}, 404)

    def _chat(self, call: dict[str, Any]) -> None:
        head = {"id": "c1", "created": 1, "model": call["model"]}
        if not call.get("stream"):
            message = {"role": "assistant", "content": "hello"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._json({**head, "object": "chat.completion", "choices": [choice]})
            return
        chunks = [
            {"index": 0, "delta": {"role": "assistant", "content": "hel"}},
            {"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"},
        ]
        events = [
            {**head, "object": "chat.completion.chunk", "choices": [chunk]} for chunk in chunks
        ]
        self._stream([*(f"data: {json.dumps(event)}\n\n" for event in events), "data: [DONE]\n\n"])

    def _messages(self, call: dict[str, Any]) -> None:
        message: dict[str, Any] = {
            "id": "m1",
            "type": "message",
            "role": "assistant",
            "model": call["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        if not call.get("stream"):
            text = [{"type": "text", "text": "hello"}]
            self._json({**message, "content": text, "stop_reason": "end_turn"})
            return
        block = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": "hello"}
        end = {"stop_reason": "end_turn"}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]
        self._stream([f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events])

    def _stream(self, parts: list[str]) -> None:
        """Send the first part, then wait to be released, watching whether the caller leaves."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self._chunk(parts[0])
        self.connection.settimeout(0.02)
        while not self.owner.release.is_set():
            try:
                if self.connection.recv(1) == b"":
                    self.owner.cancelled.set()
                    self.close_connection = True
                    return
            except TimeoutError:
                continue
            except OSError:
                self.owner.cancelled.set()
                return
        self.connection.settimeout(None)
        for part in parts[1:]:
            self._chunk(part)
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, part: str) -> None:
        content = part.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(content)))
        if status == 302:
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
        self.send_header("access-control-allow-origin", "*")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
