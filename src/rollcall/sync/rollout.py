"""Rolls a Deployment out onto a config that was just written, and puts the old one back where its
pods do not become ready.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kubernetes import client

from rollcall.errors import LaunchError, RollcallError
from rollcall.files import sha256_of
from rollcall.store.configmap_home import TIMEOUT_SECONDS, api_client, translated
from rollcall.store.store import open_store
from rollcall.sync.apply import write_edit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.settings import Settings
    from rollcall.sync.apply import Applied

ANNOTATION = "rollcall/config-sha256"
_POLL_SECONDS = 1.0


def rolled_out(settings: Settings, applied: Applied, target: str, wait_seconds: float) -> None:
    """Roll a config that was just written out, and wait until every pod is of it.

    Raises:
        LaunchError: the new pods did not become ready, or the cluster does not let us. The config
            before is back, and rolled out again, unless the message says otherwise.
    """
    name = _deployment(target)
    namespace = (settings.address or "").removeprefix("configmap://").split("/")[0]
    digest = applied.plan.result_sha256
    try:
        _roll_out(settings.environ, namespace, name, digest, wait_seconds)
    except RollcallError as error:
        done = "The config could not be put back, or somebody else has written it meanwhile."
        if (back := _put_back(settings, applied)) is not None:
            done = "The config before it is back."
            with suppress(RollcallError):
                _roll_out(settings.environ, namespace, name, sha256_of(back), wait_seconds)
                done = "The config before it is back, and rolled out again."
        raise LaunchError(f"{error.what} {done}", error.hint) from None


def _put_back(settings: Settings, applied: Applied) -> bytes | None:
    """The config before, written again; None where what we wrote is there no more."""
    store = open_store(settings)
    backup = applied.written.backup_id if applied.written else None
    with suppress(RollcallError):
        current = store.read_config()
        if backup is not None and sha256_of(current) == applied.plan.result_sha256:
            before = store.read_backup(backup)
            write_edit(settings, store, current, before, "rollback", f"rollback to {backup}")
            return before
    return None


def _deployment(target: str) -> str:
    """The name of `deployment/NAME`; raises LaunchError where it is something else."""
    kind, _, name = target.partition("/")
    if kind.lower() not in ("deployment", "deployments", "deploy") or not name:
        raise LaunchError(
            f"--rollout {target}: only a Deployment can be rolled out.",
            "Write --rollout deployment/NAME.",
        )
    return name


def _roll_out(
    environ: Mapping[str, str], namespace: str, name: str, digest: str, wait_seconds: float
) -> None:
    """Write the config's digest into the pod template, and wait until all pods are of it.

    Raises:
        LaunchError: they did not become ready; says what the pods say. StoreError: the cluster
            does not let us.
    """
    apps = client.AppsV1Api(api_client(environ))
    what = f"deployment/{name} in {namespace}"
    body = {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: digest}}}}}
    with translated("patch", what):
        apps.patch_namespaced_deployment(name, namespace, body, _request_timeout=TIMEOUT_SECONDS)
    ends = time.monotonic() + wait_seconds
    while True:
        with translated("get", what):
            found = apps.read_namespaced_deployment(
                name, namespace, _request_timeout=TIMEOUT_SECONDS
            )
        if _is_complete(found):
            return
        if _has_failed(found) or time.monotonic() > ends:
            raise LaunchError(
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
            namespace,
            label_selector=labels,
            _preload_content=False,
            _request_timeout=TIMEOUT_SECONDS,
        )
    for pod in json.loads(reply.data).get("items") or []:
        status = pod.get("status") or {}
        for row in (*(status.get("containerStatuses") or ()), *(status.get("conditions") or ())):
            state = row.get("state") or {}
            said = state.get("waiting") or state.get("terminated")
            if said is None and row.get("reason") == "Unschedulable":
                said = row
            if said:
                reason, message = said.get("reason"), said.get("message") or "no message"
                return f"{pod['metadata']['name']}: {reason}, {message.rstrip('.')}"
    return "its pods did not become ready in time"
