"""What stands in front of a store in tests: one that lies, one that refuses, one that counts, and
one that speaks Google's XML API to a server that knows only the JSON API's conditions.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterable, Iterator
from typing import ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.loopback import Answering, listening


class Front(Answering):
    """Passes on what it hears, to the port of `upstream`."""

    protocol_version = "HTTP/1.1"
    upstream: ClassVar[int] = 0
    drops_conditions: ClassVar[bool] = False
    refusal: ClassVar[tuple[int, str] | None] = None
    """A status and a code, answered to everything."""
    heard: ClassVar[list[str]]
    """The methods, in order."""

    def answer(self) -> None:
        """One request."""
        self.heard.append(self.command)
        body = self.sent()
        if self.refusal is not None:
            status, code = self.refusal
            self.say(status, f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode())
        else:
            self.pass_on(body)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = answer  # noqa: N815  as the base calls them

    def pass_on(self, body: bytes) -> None:
        """To the store, and its answer back."""
        kept = {
            name: value
            for name, value in self.headers.items()
            if not (self.drops_conditions and name.lower().startswith("if-"))
        }
        self.say(*self.asked(self.command, self.path, body, kept))

    def asked(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes, list[tuple[str, str]]]:
        """What the store answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read(), reply.getheaders()
        finally:
            connection.close()

    def say(self, status: int, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        """Answer; of what the store said, what is true of this connection, too."""
        self.send_response(status)
        length = str(len(body))
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("content-length", length)
        self.end_headers()
        self.wfile.write(body)


class GoogleXml(Front):
    """Google's XML API, as its documentation has it, over fake-gcs-server's JSON API.

    That server keeps the objects, counts their generations and decides each condition; here only
    the words are translated, because it takes no plain XML PUT.
    """

    def pass_on(self, body: bytes) -> None:
        """One request of the XML API."""
        url = urlsplit(self.path)
        bucket, _, name = unquote(url.path).lstrip("/").partition("/")
        objects = f"/storage/v1/b/{bucket}/o"
        if self.command == "PUT":
            wanted = self.headers.get("x-goog-if-generation-match")
            condition = f"&ifGenerationMatch={wanted}" if wanted is not None else ""
            self.insert(f"/upload{objects}?uploadType=multipart{condition}", name, body)
        elif self.command == "DELETE":
            status, text, _ = self.asked("DELETE", f"{objects}/{quote(name, safe='')}", b"", {})
            self.say(204 if status == 200 else status, b"" if status == 200 else text)
        elif not name:
            self.list(objects, parse_qs(url.query).get("prefix", [""])[0])
        else:
            host = {"host": f"127.0.0.1:{self.upstream}"}
            self.say(*self.asked(self.command, self.path, b"", host))

    def insert(self, path: str, name: str, body: bytes) -> None:
        """A PUT."""
        head = "--=of=tests\r\ncontent-type: application/{}\r\n\r\n"
        parts = [
            head.format("json").encode(), json.dumps({"name": name}).encode(), b"\r\n",
            head.format("octet-stream").encode(), body, b"\r\n--=of=tests--\r\n",
        ]  # fmt: skip
        kind = {"content-type": 'multipart/related; boundary="=of=tests"'}
        status, text, _ = self.asked("POST", path, b"".join(parts), kind)
        if status != 200:
            code = "PreconditionFailed" if status == 412 else "NoSuchBucket"
            self.say(status, f"<Error><Code>{code}</Code></Error>".encode())
            return
        made = json.loads(text)
        stamp = [("etag", f'"{made["etag"]}"'), ("x-goog-generation", made["generation"])]
        self.say(200, b"", stamp)

    def list(self, objects: str, prefix: str) -> None:
        """A GET of the bucket."""
        _, text, _ = self.asked("GET", f"{objects}?prefix={quote(prefix, safe='')}", b"", {})
        rows = "".join(
            f"<Contents><Key>{escape(row['name'])}</Key><Size>{row['size']}</Size>"
            f"<LastModified>{row['updated']}</LastModified><ETag>{row['etag']}</ETag></Contents>"
            for row in json.loads(text).get("items") or []
        )
        self.say(200, f"<ListBucketResult>{rows}</ListBucketResult>".encode())


@contextlib.contextmanager
def in_front(
    port: int, kind: type[Front] = Front, **said: object
) -> Iterator[tuple[int, list[str]]]:
    """One of these before a store's port: its own port, and the methods it hears."""
    heard: list[str] = []
    handler = type("Standing", (kind,), {"upstream": port, "heard": heard, **said})
    with listening(handler) as server:
        yield server, heard
