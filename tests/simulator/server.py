"""The sockets of the simulator: a small threaded HTTP/1.1 server that can also misbehave."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.simulator.faults import Active, Fault
from tests.simulator.http import Reply, Request

DRIP_SECONDS = 0.02

Answer = tuple[Reply, "Active | None"]
Answerer = Callable[[Request, str], Answer]
"""(request, host it was sent to) -> the reply, and the fault of the connection to add."""


class Server(ThreadingHTTPServer):
    """One loopback port; `answer` decides, this sends. Stops at once, whatever hangs."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Answerer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._loop = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._loop.start()

    @property
    def port(self) -> int:
        """The port that was free."""
        return int(self.server_address[1])

    def process_request(self, request: object, client_address: object) -> None:
        """Handle one connection in a thread of its own."""
        worker = threading.Thread(target=self._work, args=(request, client_address), daemon=True)
        with self._lock:
            self._workers.add(worker)
        worker.start()

    def _work(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        with self._lock:
            self._open.add(request)
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
                self._workers.discard(threading.current_thread())

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news."""

    def stop(self) -> None:
        """Close everything and wait for every thread."""
        self.stopping.set()
        self.shutdown()
        self._loop.join()
        with self._lock:
            workers = list(self._workers)
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        reply, active = self.server.answer(request, request.headers.get("host", ""))
        try:
            self._send(reply, active)
        except OSError:
            self.close_connection = True

    def _send(self, reply: Reply, active: Active | None) -> None:
        fault = active.fault if active else None
        if fault is Fault.REFUSE:
            self._reset()
        elif fault is Fault.HANG:
            self.close_connection = True
            self.server.stopping.wait()
        elif fault is Fault.SLOW_DRIP:
            self._drip(reply)
        elif fault in (Fault.RESET, Fault.TRUNCATED):
            self._send_half(reply, reset=fault is Fault.RESET)
        else:
            if active and fault is Fault.DELAY:
                self.server.stopping.wait(active.seconds)
            self._send_whole(reply)

    def _send_whole(self, reply: Reply) -> None:
        if isinstance(reply.body, bytes):
            self.wfile.write(self._head(reply, {"content-length": str(len(reply.body))}))
            self.wfile.write(reply.body)
            return
        self.wfile.write(self._head(reply, {"transfer-encoding": "chunked"}))
        for chunk in reply.body:
            if chunk and not self.server.stopping.is_set():
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _send_half(self, reply: Reply, *, reset: bool) -> None:
        body = _bytes(reply)
        self.wfile.write(self._head(reply, {"content-length": str(len(body))}))
        self.wfile.write(body[: len(body) // 2])
        if reset:
            self._reset()
        self.close_connection = True

    def _drip(self, reply: Reply) -> None:
        body = _bytes(reply)
        self.close_connection = True
        self.wfile.write(self._head(reply, {"content-length": str(len(body))}))
        for index in range(len(body)):
            if self.server.stopping.wait(DRIP_SECONDS):
                return
            self.wfile.write(body[index : index + 1])

    def _reset(self) -> None:
        """Close so that the other side gets a reset instead of an end."""
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _head(self, reply: Reply, framing: dict[str, str]) -> bytes:
        phrase = self.responses.get(reply.status, ("",))[0]
        lines = [f"HTTP/1.1 {reply.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in {**reply.headers, **framing}.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _bytes(reply: Reply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
