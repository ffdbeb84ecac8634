"""A small API server with the semantics that matter: resourceVersion, 409, RBAC's 403, rollouts."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from tests.loopback import Answering, listening

CONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: u, user: {token: "%s"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


TOKEN = "a-token-of-the-tests"


class Cluster:
    """What lies in it, and what may be done."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.count = 100
        self.lock = threading.Lock()
        self.denied: set[str] = set()
        self.requests: list[str] = []
        self.token = TOKEN
        """Of who may come in."""
        self.pod_status: dict[str, Any] | None = None
        """What a pod says that cannot start; None = that it crashes."""
        self.fails_on: str | None = None
        """A text: a rollout whose ConfigMap holds it never becomes ready."""

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Keep an object under a new version."""
        self.count += 1
        metadata = {**body.get("metadata", {}), "resourceVersion": str(self.count)}
        self.objects[path] = {**body, "metadata": metadata}
        return self.objects[path]

    def config_map(self, name: str) -> dict[str, Any]:
        """One of them."""
        return self.objects[f"/api/v1/namespaces/ai/configmaps/{name}"]

    def add_deployment(self, name: str) -> str:
        """One that is rolled out; its path."""
        path = f"/apis/apps/v1/namespaces/ai/deployments/{name}"
        self.put(
            path,
            {
                "metadata": {"name": name, "generation": 1},
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": {"app": name}},
                    "template": {"metadata": {"annotations": {"own": "kept"}}},
                },
                "status": self.status(1, ready=True),
            },
        )
        return path

    @staticmethod
    def status(generation: int, *, ready: bool) -> dict[str, Any]:
        """Of a deployment of two."""
        reason = "NewReplicaSetAvailable" if ready else "ProgressDeadlineExceeded"
        return {
            "observedGeneration": generation,
            "replicas": 2 if ready else 3,
            "updatedReplicas": 2 if ready else 1,
            "availableReplicas": 2,
            "conditions": [{"type": "Progressing", "status": str(ready), "reason": reason}],
        }


class Handler(Answering):
    """The verbs that are used."""

    protocol_version = "HTTP/1.1"
    cluster: ClassVar[Cluster]

    def answer(self) -> None:
        """One request."""
        body = json.loads(self.sent() or b"{}")
        path = self.path.split("?")[0]
        verb = {"GET": "get", "PUT": "update", "POST": "create", "PATCH": "patch"}[self.command]
        kind = path.split("/namespaces/ai/")[-1].split("/")[0]
        if verb == "get" and path.endswith("/pods"):
            verb = "list"
        with self.cluster.lock:
            self.cluster.requests.append(f"{verb} {kind}")
            if self.headers.get("authorization") != f"Bearer {self.cluster.token}":
                self.say_json(401, {"message": "Unauthorized"})
            elif f"{verb} {kind}" in self.cluster.denied:
                self.say_json(403, {"message": f"cannot {verb} {kind}", "reason": "Forbidden"})
            else:
                getattr(self, verb)(path, body)

    do_GET = do_PUT = do_POST = do_PATCH = answer  # noqa: N815  as the base calls them

    def get(self, path: str, _: dict[str, Any]) -> None:
        """Read one."""
        found = self.cluster.objects.get(path)
        self.say_json(200, found) if found else self.say_json(404, {"message": "not found"})

    def list(self, path: str, _: dict[str, Any]) -> None:
        """The pods: one of them cannot start where a rollout fails."""
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting litellm"}
        state = {"waiting": waiting} if self.cluster.fails_on else {"running": {}}
        status = {"containerStatuses": [{"name": "litellm", "state": state}]}
        pod = {
            "metadata": {"name": "litellm-7d9"},
            "status": self.cluster.pod_status or status,
        }
        self.say_json(200, {"kind": "PodList", "apiVersion": "v1", "items": [pod]})

    def create(self, path: str, body: dict[str, Any]) -> None:
        """A new one."""
        path = f"{path}/{body['metadata']['name']}"
        if path in self.cluster.objects:
            self.say_json(409, {"message": "already exists"})
            return
        self.say_json(201, self.cluster.put(path, body))

    def update(self, path: str, body: dict[str, Any]) -> None:
        """Replace one of this version."""
        found = self.cluster.objects.get(path)
        if found is None:
            self.say_json(404, {"message": "not found"})
        elif found["metadata"]["resourceVersion"] != body["metadata"].get("resourceVersion"):
            self.say_json(409, {"message": "the object has been modified", "reason": "Conflict"})
        else:
            self.say_json(200, self.cluster.put(path, body))

    def patch(self, path: str, body: dict[str, Any]) -> None:
        """A deployment's annotations; a change of the template starts a rollout."""
        found = json.loads(json.dumps(self.cluster.objects[path]))
        new = body["spec"]["template"]["metadata"]["annotations"]
        found["spec"]["template"]["metadata"]["annotations"].update(new)
        found["metadata"]["generation"] += 1
        texts = json.dumps([o.get("data") for o in self.cluster.objects.values()])
        bad = self.cluster.fails_on is not None and self.cluster.fails_on in texts
        found["status"] = self.cluster.status(found["metadata"]["generation"], ready=not bad)
        self.say_json(200, self.cluster.put(path, found))


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[Cluster, Path]]:
    """A cluster, and the kubeconfig that leads to it."""
    cluster = Cluster()
    handler = type("OfOne", (Handler,), {"cluster": cluster})
    with listening(handler) as port:
        path = folder / "kubeconfig"
        path.write_text(CONFIG % (port, TOKEN), encoding="utf-8")
        yield cluster, path
