"""A real API server with etcd and two controllers, on loopback; the tests play the kubelet."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.stores import free_port

BINARIES = os.environ.get("ROLLCALL_KUBERNETES_BIN", "")
"""The folder of kube-apiserver and kube-controller-manager; `make test-kubernetes` sets it."""
ADMIN = "a-token-of-the-tests"
PATIENCE_SECONDS = 90
CONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: "%s"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


class Refused(OSError):
    """The API server's answer is no success."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status


class Cluster:
    """What a test asks of it, as its administrator.

    Attributes:
        bad: a text; pods that start while the ConfigMap holds it do not get ready.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.bad: str | None = None
        self.context = ssl._create_unverified_context()

    def ask(self, method: str, path: str, body: Any = None, kind: str = "json") -> Any:
        """One request; its reply as data. Raises Refused."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            None if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {ADMIN}", "content-type": f"application/{kind}"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read().decode()) from None

    def found(self, path: str) -> Any:
        """An object; None where there is none."""
        try:
            return self.ask("GET", path)
        except Refused as error:
            if error.status != 404:
                raise
            return None

    def kubeconfig(self, token: str = ADMIN) -> Path:
        """A kubeconfig for somebody with this token."""
        path = self.folder / f"kubeconfig-{abs(hash(token))}"
        path.write_text(CONFIG % (self.url, token), encoding="utf-8")
        return path

    def play_kubelet(self) -> None:
        """Run every pod that waits, or let it crash."""
        text = json.dumps(
            (self.found("/api/v1/namespaces/ai/configmaps/litellm") or {}).get("data")
        )
        crashes = self.bad is not None and self.bad in text
        for pod in self.ask("GET", "/api/v1/namespaces/ai/pods")["items"]:
            if (pod.get("status") or {}).get("containerStatuses"):
                continue
            waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting litellm"}
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            state = {"waiting": waiting} if crashes else {"running": {"startedAt": now}}
            container = {
                "name": "litellm", "image": "x", "imageID": "", "restartCount": 0,
                "ready": not crashes, "state": state,
            }  # fmt: skip
            ready = {"type": "Ready", "status": str(not crashes), "lastTransitionTime": now}
            status = {
                "phase": "Running", "conditions": [ready], "containerStatuses": [container],
            }  # fmt: skip
            path = f"/api/v1/namespaces/ai/pods/{pod['metadata']['name']}/status"
            with contextlib.suppress(Refused):  # it is gone already
                self.ask("PATCH", path, {"status": status}, "merge-patch+json")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Cluster]:
    """The cluster, with a namespace `ai`."""
    etcd, peer, port, manager = (free_port() for _ in range(4))
    store, peers = (f"http://127.0.0.1:{number}" for number in (etcd, peer))
    key = folder / "accounts.key"
    key.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (folder / "tokens.csv").write_text(f"{ADMIN},admin,admin,system:masters\n", encoding="utf-8")
    cluster = Cluster(f"https://127.0.0.1:{port}", folder)
    with contextlib.ExitStack() as stack:
        start = _starter(stack, folder)
        start(
            shutil.which("etcd") or "etcd", f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={store}", f"--advertise-client-urls={store}",
            f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}", "--unsafe-no-fsync",
        )  # fmt: skip
        start(
            Path(BINARIES) / "kube-apiserver", f"--etcd-servers={store}",
            "--bind-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={folder / 'certs'}",
            "--insecure-port=0", f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none",
            "--disable-admission-plugins=ServiceAccount",
        )  # fmt: skip
        eventually(lambda: cluster.ask("GET", "/api/v1/namespaces/default") is not None)
        name = {"metadata": {"name": "ai"}}
        cluster.ask("POST", "/api/v1/namespaces", name)
        start(
            Path(BINARIES) / "kube-controller-manager", f"--kubeconfig={cluster.kubeconfig()}",
            "--controllers=deployment,replicaset", "--leader-elect=false", "--port=0",
            f"--secure-port={manager}", "--bind-address=127.0.0.1",
            f"--cert-dir={folder / 'certs2'}",
        )  # fmt: skip
        yield cluster


def _starter(stack: contextlib.ExitStack, folder: Path) -> Callable[..., None]:
    def start(program: str | Path, *args: str) -> None:
        log = stack.enter_context((folder / f"{Path(program).name}.log").open("wb"))
        process = subprocess.Popen([program, *args], stdout=log, stderr=log, cwd=folder)
        stack.callback(process.wait)
        stack.callback(process.kill)

    return start


@contextlib.contextmanager
def kubelet(cluster: Cluster) -> Iterator[None]:
    """Pods start while the block runs."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.2):
            with contextlib.suppress(OSError):
                cluster.play_kubelet()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def eventually(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(OSError):
            if true():
                return
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.2)
