"""A git server on loopback, as GitHub is one: over HTTP, and only with the right token."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class GitServer:
    """Serves the bare repositories of a folder.

    Attributes:
        read: the tokens that may fetch. write: those that may push, too.
        headers: the Authorization headers of every request.
    """

    def __init__(self, folder: Path, *, read: str, write: str) -> None:
        self.folder, self.read, self.write = folder, (read, write), write
        self.headers: list[list[str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Let git answer, where the token may."""
        sent = request.headers.get_all("Authorization") or []
        self.headers.append(sent)
        path, _, query = request.path.partition("?")
        pushes = "git-receive-pack" in request.path
        allowed = [self.write] if pushes else self.read
        if len(sent) > 1:
            request.send_error(400, "Duplicate header: Authorization")
        elif not sent:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.end_headers()
        elif sent[0].partition(" ")[2] not in map(login, allowed):
            request.send_error(403)
        else:
            self._serve(request, path, query)

    def _serve(self, request: BaseHTTPRequestHandler, path: str, query: str) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if request.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(lambda: _chunk(request), b""))
        done = subprocess.run(
            ["git", "http-backend"],
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": request.command,
                "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                "HTTP_GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
                "CONTENT_LENGTH": str(len(body)),
                "REMOTE_USER": "token",
            },
            input=body,
            capture_output=True,
            check=True,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().splitlines()]
        status = next((value for name, value in lines if name == "Status"), "200")
        request.send_response(int(status.split()[0]))
        for name, value in lines:
            if name != "Status":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def login(token: str) -> str:
    """What a token looks like in the header."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _chunk(request: BaseHTTPRequestHandler) -> bytes:
    size = int(request.rfile.readline(), 16)
    data = request.rfile.read(size)
    request.rfile.readline()
    return data
