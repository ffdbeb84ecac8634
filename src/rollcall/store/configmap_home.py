"""A config in a Kubernetes ConfigMap, through the official client.

The ConfigMap is replaced under the resourceVersion it was read at; its other keys and all metadata
go back as they came. What rollcall remembers lies in a second ConfigMap, `NAME-rollcall`, packed.
"""

from __future__ import annotations

import base64
import gzip
import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from rollcall.errors import LostRace, StoreError
from rollcall.files import sha256_of
from rollcall.settings import given
from rollcall.store.shelf import Held

MOST_BYTES = 1_048_576
"""What the API server takes in one ConfigMap, keys and values together."""
TRIES = 8
_SLASH = ".."
"""Stands for the slash of a name, which no key may hold."""
TIMEOUT_SECONDS = (3, 20)
"""To connect, and to wait for an answer: the client's own is for ever."""


_NO_KUBECONFIG = (TypeError, ValueError, AttributeError, LookupError)
"""What the client raises over a file of another shape."""


def api_client(environ: Mapping[str, str]) -> Any:
    """The client of the cluster we are in, else of the kubeconfig's current context.

    Raises:
        StoreError: there is neither.
    """
    settings = client.Configuration()
    settings.retries = False
    named = given(environ, "KUBECONFIG")
    try:
        if environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=settings)
        else:
            path = named.value if named else None
            config.load_kube_config(config_file=path, client_configuration=settings)
    except (ConfigException, OSError, YAMLError, *_NO_KUBECONFIG) as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0].rstrip(".")
        if isinstance(error, _NO_KUBECONFIG):
            why = "it is no kubeconfig"
        if named:
            fault = named.error(f"no cluster is found there ({why})", "Name a kubeconfig.")
            raise StoreError(fault.what, fault.hint) from None
        raise StoreError(
            f"There is no cluster to talk to: {why}.",
            "Set KUBECONFIG, or run it in the cluster with a service account.",
        ) from None
    return client.ApiClient(settings)


@contextmanager
def translated(doing: str, what: str) -> Iterator[None]:
    """The client's exceptions as two lines.

    Args:
        doing: the verb RBAC knows. what: the kind and name.
    """
    try:
        yield
    except ApiException as error:
        if error.status == 409:
            raise LostRace(what) from None
        if error.status == 401:
            raise StoreError(
                f"{what}: the cluster does not know us (401).",
                "The token of the service account or the kubeconfig has expired, or is another"
                " cluster's.",
            ) from None
        if error.status == 403:
            raise StoreError(
                f"{what}: the cluster does not let us {doing} it (403).",
                f"Give the service account the verb `{doing}` on it; see docs/FLEET.md.",
            ) from None
        raise StoreError(
            f"{what}: the cluster answered {error.status} to `{doing}` ({_message(error)}).",
            "Check the namespace and the name.",
        ) from None
    except HTTPError as error:
        raise StoreError(
            f"{what}: the cluster cannot be reached ({type(error).__name__}).",
            "Check the network and KUBECONFIG.",
        ) from None
    except json.JSONDecodeError:
        raise StoreError(
            f"{what}: what answered to `{doing}` is no Kubernetes API: it is not JSON.",
            "Check the server's address in KUBECONFIG, and any proxy in between.",
        ) from None


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body)["message"])[:200].rstrip(".")
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


@dataclass(frozen=True)
class _Map:
    """One ConfigMap, as plain data."""

    api: Any
    namespace: str
    name: str

    def read(self) -> dict[str, Any] | None:
        """All of it; None where there is none."""
        with translated("get", self.called):
            try:
                reply = self.api.read_namespaced_config_map(
                    self.name,
                    self.namespace,
                    _preload_content=False,
                    _request_timeout=TIMEOUT_SECONDS,
                )
            except ApiException as error:
                if error.status == 404:
                    return None
                raise
            found: dict[str, Any] = json.loads(reply.data)
            return found

    def replace(self, body: dict[str, Any]) -> dict[str, Any]:
        """Put it back under its resourceVersion, or create it where it has none."""
        if (size := _size(body)) > MOST_BYTES:
            raise StoreError(
                f"{self.called} would hold {size:,} bytes, and a ConfigMap takes {MOST_BYTES:,}.",
                "Admit fewer models, or keep the config in an object store.",
            )
        new = "resourceVersion" not in body["metadata"]
        with translated("create" if new else "update", self.called):
            send: Callable[..., Any] = self.api.replace_namespaced_config_map
            args: tuple[Any, ...] = (self.name, self.namespace, body)
            if new:
                send, args = self.api.create_namespaced_config_map, (self.namespace, body)
            reply = send(*args, _preload_content=False, _request_timeout=TIMEOUT_SECONDS)
            made: dict[str, Any] = json.loads(reply.data)
            return made

    @property
    def called(self) -> str:
        return f"configmap://{self.namespace}/{self.name}"

    def blank(self) -> dict[str, Any]:
        """One that is not there yet."""
        labels = {"app.kubernetes.io/managed-by": "rollcall"}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
        }


@dataclass
class ConfigMapHome:
    """One key of a ConfigMap."""

    address: str
    map: _Map
    named_key: str | None
    _body: dict[str, Any] | None = field(default=None, init=False, repr=False)
    """All of it, as it was read last; None = there is none."""

    @classmethod
    def at(cls, address: str, environ: Mapping[str, str]) -> ConfigMapHome:
        """The ConfigMap of an address `configmap://NAMESPACE/NAME[/KEY]`."""
        namespace, name, *key = address.removeprefix("configmap://").split("/", 2)
        api = client.CoreV1Api(api_client(environ))
        return cls(address, _Map(api, namespace, name), key[0] if key else None)

    @property
    def shelf(self) -> ConfigMapShelf:
        """What is remembered of it."""
        return ConfigMapShelf(_Map(self.map.api, self.map.namespace, f"{self.map.name}-rollcall"))

    def read(self) -> Held | None:
        """The config and the ConfigMap's resourceVersion; None where the key is not there yet."""
        self._body = self.map.read()
        return self._held()

    def write(self, content: bytes, version: str | None) -> str:
        """Replace the config; every other key and all metadata go back as they came."""
        held = self._held()
        if (held.version if held else None) != version:
            raise LostRace(self.address)
        body = self._body or self.map.blank()
        data = {**self._texts, self._key: content.decode()}
        self._body = self.map.replace({**body, "data": data})
        return str(self._body["metadata"]["resourceVersion"])

    def earlier(self, version: str) -> bytes | None:  # noqa: ARG002  a cluster keeps none
        """Nothing: a cluster keeps no earlier ConfigMaps."""
        return None

    def included(self, entry: str, declared_in: str) -> tuple[str, bytes] | None:  # noqa: ARG002 - as Home has it
        """Another key of the same ConfigMap, which is mounted as one folder."""
        name = posixpath.basename(entry)
        text = self._texts.get(name)
        return None if text is None else (name, text.encode())

    def require_conditions(self) -> None:
        """An API server heeds resourceVersion."""

    def _held(self) -> Held | None:
        """The config as it was read last."""
        text = self._texts.get(self._key)
        if self._body is None or text is None:
            return None
        return Held(text.encode(), self._body["metadata"]["resourceVersion"])

    @property
    def _texts(self) -> dict[str, str]:
        return (self._body or {}).get("data") or {}

    @property
    def _key(self) -> str:
        """The key that was named, else the one that is called like a config, else config.yaml."""
        if self.named_key or "config.yaml" in self._texts:
            return self.named_key or "config.yaml"
        found = [key for key, text in self._texts.items() if "model_list:" in text]
        if len(found) > 1:
            raise StoreError(
                f"{self.address} holds several configs: {', '.join(found)}.",
                f"Name one: {self.address}/{found[0]}.",
            )
        return found[0] if found else "config.yaml"


@dataclass(frozen=True)
class ConfigMapShelf:
    """Small files in one ConfigMap, each under the sha256 of its content as its version."""

    map: _Map

    def names(self) -> list[str]:
        """Of all of them."""
        body = self.map.read() or {}
        return sorted(name.replace(_SLASH, "/") for name in body.get("binaryData") or {})

    def get(self, name: str) -> Held | None:
        """One of them."""
        return self._held(self.map.read() or {}, name)

    def put(self, name: str, content: bytes, version: str | None) -> str:
        """Write one, while it is what it was; the others may change meanwhile."""
        packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
        self._change(name, packed, version, checked=True)
        return sha256_of(content)

    def remove(self, name: str) -> None:
        """Take one away."""
        self._change(name, None, None, checked=False)

    def _change(self, name: str, packed: str | None, version: str | None, *, checked: bool) -> None:
        for _ in range(TRIES):
            body = self.map.read() or self.map.blank()
            held = self._held(body, name)
            if checked and (held.version if held else None) != version:
                raise LostRace(f"{self.map.called}: {name}")
            files = dict(body.get("binaryData") or {})
            files.pop(_key_of(name), None)
            if packed is not None:
                files[_key_of(name)] = packed
                _make_room(files, _key_of(name))
            try:
                self.map.replace({**body, "binaryData": files})
            except LostRace:
                continue
            return
        raise LostRace(self.map.called, "is written all the time")

    @staticmethod
    def _held(body: Mapping[str, Any], name: str) -> Held | None:
        packed = (body.get("binaryData") or {}).get(_key_of(name))
        if packed is None:
            return None
        try:
            content = gzip.decompress(base64.b64decode(packed))
        except (ValueError, OSError, EOFError):
            content = b""
        return Held(content, sha256_of(content))


def _size(body: Mapping[str, Any]) -> int:
    """As the API server counts it, or a little more: packed values are counted in base64."""
    parts = (body.get("data") or {}, body.get("binaryData") or {})
    return sum(len(key) + len(value.encode()) for part in parts for key, value in part.items())


def _make_room(files: dict[str, str], new: str) -> None:
    """Let the oldest of the earlier configs go, rather than refuse to write a new one."""
    for key in sorted(key for key in files if key.startswith(_key_of("backups/")) and key < new):
        if _size({"binaryData": files}) <= MOST_BYTES:
            return
        del files[key]


def _key_of(name: str) -> str:
    return name.replace("/", _SLASH)
