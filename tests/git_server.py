"""A git server on loopback, as GitHub is one: over HTTP, and only with the right token."""

from __future__ import annotations

import base64
import os
import subprocess
from typing import TYPE_CHECKING, Any, Self

from tests.loopback import Answering, listening

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

        class Handler(Answering):
            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_GET  # noqa: N815

        self._server = listening(Handler)
        self.url = ""

    def __enter__(self) -> Self:
        self.url = f"http://127.0.0.1:{self._server.__enter__()}"
        return self

    def __exit__(self, *error: Any) -> None:
        self._server.__exit__(*error)

    def answer(self, request: Answering) -> None:
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

    def _serve(self, request: Answering, path: str, query: str) -> None:
        body = request.sent()
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
        kept = [(name, value) for name, value in lines if name != "Status"]
        request.say(int(status.split()[0]), content, kept)


def login(token: str) -> str:
    """What a token looks like in the header."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _chunk(request: Answering) -> bytes:
    size = int(request.rfile.readline(), 16)
    data = request.rfile.read(size)
    request.rfile.readline()
    return data
