"""A Deployment rolled out onto a new config: started, waited for, and said why where it fails."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from kubernetes import client

from rollcall.errors import LaunchError
from rollcall.store.configmap_home import api_client, translated

ANNOTATION = "rollcall/config-sha256"
_POLL_SECONDS = 1.0


class RolloutFailed(LaunchError):
    """The new pods did not become ready."""


def check_target(target: str) -> str:
    """The name of `deployment/NAME`.

    Raises:
        LaunchError: it is something else.
    """
    kind, _, name = target.partition("/")
    if kind.lower() not in ("deployment", "deployments", "deploy") or not name:
        raise LaunchError(
            f"--rollout {target}: only a Deployment can be rolled out.",
            "Write --rollout deployment/NAME.",
        )
    return name


def roll_out(
    environ: Mapping[str, str], namespace: str, name: str, digest: str, wait_seconds: float
) -> None:
    """Write the config's digest into the pod template, and wait until all pods are of it.

    Raises:
        RolloutFailed: they did not become ready; says what the pods say. StoreError: the cluster
            does not let us.
    """
    apps = client.AppsV1Api(api_client(environ))
    what = f"deployment/{name} in {namespace}"
    body = {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: digest}}}}}
    with translated("patch", what):
        apps.patch_namespaced_deployment(name, namespace, body)
    ends = time.monotonic() + wait_seconds
    while True:
        with translated("get", what):
            found = apps.read_namespaced_deployment(name, namespace)
        if _is_complete(found):
            return
        if _has_failed(found) or time.monotonic() > ends:
            raise RolloutFailed(
                f"The rollout of {what} failed: {_why(apps.api_client, namespace, found)}.",
                f"See: kubectl -n {namespace} rollout status deployment/{name}",
            )
        time.sleep(_POLL_SECONDS)


def _is_complete(found: Any) -> bool:
    status, wanted = found.status, found.spec.replicas or 0
    return bool(
        (status.observed_generation or 0) >= found.metadata.generation
        and (status.updated_replicas or 0) == wanted
        and (status.replicas or 0) == wanted
        and (status.available_replicas or 0) == wanted
    )


def _has_failed(found: Any) -> bool:
    if (found.status.observed_generation or 0) < found.metadata.generation:
        return False
    rows = found.status.conditions or []
    return any(row.reason == "ProgressDeadlineExceeded" for row in rows)


def _why(api: Any, namespace: str, found: Any) -> str:
    """What the pods say that are not running."""
    labels = ",".join(f"{key}={value}" for key, value in found.spec.selector.match_labels.items())
    with translated("list", f"the pods of {found.metadata.name}"):
        reply = client.CoreV1Api(api).list_namespaced_pod(
            namespace, label_selector=labels, _preload_content=False
        )
    for pod in json.loads(reply.data).get("items") or []:
        for row in (pod.get("status") or {}).get("containerStatuses") or []:
            state = row.get("state") or {}
            said = state.get("waiting") or state.get("terminated")
            if said:
                reason, message = said.get("reason"), said.get("message") or "no message"
                return f"{pod['metadata']['name']}: {reason}, {message}"
    return "its pods did not become ready in time"
