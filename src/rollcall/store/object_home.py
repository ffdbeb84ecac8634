"""A config in an object store (S3, Google Cloud Storage, Azure), through obstore."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store

from rollcall.errors import LostRace, StoreError
from rollcall.files import MOST_BYTES
from rollcall.secrets import Redactor, secrets_of
from rollcall.settings import Given, web_parts
from rollcall.settings import given as variable
from rollcall.store.shelf import Held

_NAMES = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_ENDPOINTS = {
    "s3": "AWS_ENDPOINT_URL_S3", "gs": "STORAGE_EMULATOR_HOST", "az": "AZURE_STORAGE_ENDPOINT",
}  # fmt: skip
_FAULTS = (
    (
        r"169\.254\.|metadata\.google|Account must be specified",  # it asked the machine itself
        "no credentials are set, and this machine has none of its own.",
        "Set {credentials} (profiles and logins of a command line are not read).",
    ),
    (
        r"LOCATION|AuthorizationHeaderMalformed|IllegalLocationConstraint|PermanentRedirect",
        "the bucket is in another region.",
        "Set AWS_REGION to the bucket's; an endpoint, if one is set, must be of it, too.",
    ),
    (
        r"code: 40[13]|InvalidAccessKey|SignatureDoesNotMatch|(Expired|Invalid)Token"
        r"|AuthenticationFailed|privileges",
        "the store does not let us in.",
        "Check {credentials}: have they expired, what may they do?",
    ),
    (
        r"code: 404|NoSuchBucket|ContainerNotFound|InvalidBucketName",
        "there is no such bucket.",
        "Create it, or correct the address.",
    ),
    (
        r"code: (429|503)|SlowDown|ServerBusy",
        "the store asks for fewer calls, and did so again at the third try.",
        "Run again in a minute.",
    ),
    (
        r"code: 413|EntityTooLarge|RequestBodyTooLarge",
        "it is too large for this store.",
        "Admit fewer models, or raise the store's limit.",
    ),
    (
        r"error sending request|timed out|token request",
        "the store cannot be reached.",
        "Check the network and {endpoint}, and run again.",
    ),
)
"""What the client's texts mean: a pattern of it, what it comes to, what to do. First come."""


@dataclass(frozen=True)
class ObjectHome:
    """One object, and the prefix `.rollcall/KEY/` beside it."""

    address: str
    kind: str
    key: str
    store: Any
    redactor: Redactor

    @classmethod
    def at(cls, address: str, environ: Mapping[str, str]) -> ObjectHome:
        """The object of an address, reached by the usual variables of its store.

        Raises:
            StoreError: the object's name or these variables make no sense to the client.
        """
        kind, _, rest = address.partition("://")
        bucket, _, key = rest.partition("/")
        if not {"", ".", ".."}.isdisjoint(key.split("/")):  # the client would take another's name
            raise StoreError(
                f"{address} cannot be reached: a part of the object's name is empty, `.` or `..`.",
                "Give the object another name, or correct the address.",
            )
        redactor = Redactor(secrets_of(environ))
        try:
            store = _client(kind, bucket, environ)
        except (exceptions.BaseError, ValueError, TypeError) as error:
            why, hint = _meaning(error, kind, redactor)
            raise StoreError(f"{address} cannot be reached: {why}", hint) from None
        return cls(address, kind, key, store, redactor)

    @property
    def shelf(self) -> ObjectShelf:
        """What is remembered of this config."""
        folder, name = posixpath.split(self.key)
        return ObjectShelf(self, posixpath.join(folder, ".rollcall", name))

    def read(self) -> Held | None:
        """The config; None where there is none yet."""
        return self.get(self.key)

    def write(self, content: bytes, version: str | None) -> str:
        """Replace the config, as long as this version of it stands."""
        return self.put(self.key, content, version)

    def earlier(self, version: str) -> bytes | None:
        """The object under an earlier version, where the bucket keeps versions."""
        with self.translated("read", self.key):
            try:
                found = obstore.get(self.store, self.key, options={"version": version})
                return bytes(found.bytes())
            except (FileNotFoundError, exceptions.NotFoundError, exceptions.GenericError):
                return None

    def included(self, entry: str, declared_in: str) -> tuple[str, bytes] | None:
        """An included object: relative to the one that names it, `/` is the bucket's root."""
        beside = posixpath.dirname(declared_in or self.key)
        name = posixpath.normpath(
            entry.lstrip("/") if entry.startswith("/") else posixpath.join(beside, entry)
        )
        try:
            held = self.get(name)
        except StoreError:
            return None
        return (name, held.content) if held else None

    def require_conditions(self) -> None:
        """Try it: the second of two writes where nothing may be, and one over a wrong version."""
        shelf = self.shelf
        name = f"probe-{token_hex(8)}"
        shelf.put(name, b"1", None)
        try:
            for version in (None, _version({"e_tag": f'"{"0" * 32}"', "version": "1"})):
                try:
                    shelf.put(name, b"2", version)
                except LostRace:
                    continue
                raise StoreError(
                    f"{self.address}: this store writes whatever the condition, so of two writers"
                    " at once one is lost without a word. Nothing was written.",
                    "Use one that knows If-Match and If-None-Match, or --unsafe-store if there is"
                    " only ever one writer.",
                )
        finally:
            with suppress(StoreError):
                shelf.remove(name)

    def get(self, path: str) -> Held | None:
        """An object and its version."""
        with self.translated("read", path):
            try:
                found = obstore.get(self.store, path)
            except (FileNotFoundError, exceptions.NotFoundError) as error:
                if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
                    raise
                return None
            if found.meta["size"] > MOST_BYTES:
                raise StoreError(f"{self._called(path)} is far too large.", "Name another object.")
            return Held(bytes(found.bytes()), _version(found.meta))

    def put(self, path: str, content: bytes, version: str | None) -> str:
        """Write an object as long as this version of it stands, None = as long as there is none."""
        mode: Any = "create" if version is None else _mode(version)
        with self.translated("written", path):
            try:
                made = obstore.put(self.store, path, content, mode=mode, use_multipart=False)
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
                raise LostRace(self._called(path)) from None
            except (FileNotFoundError, exceptions.NotFoundError):  # it was removed meanwhile
                if version is None:
                    raise
                raise LostRace(self._called(path), "is there no more") from None
            return _version(made)

    @contextmanager
    def translated(self, doing: str, path: str) -> Iterator[None]:
        """obstore's exceptions as two lines without a key in them."""
        try:
            yield
        except (exceptions.BaseError, OSError, ValueError) as error:  # ValueError: no name of it
            why, hint = _meaning(error, self.kind, self.redactor)
            raise StoreError(f"{self._called(path)} could not be {doing}: {why}", hint) from None

    def _called(self, path: str) -> str:
        return f"{self.address.removesuffix(self.key)}{path}"


@dataclass(frozen=True)
class ObjectShelf:
    """The objects under a prefix."""

    home: ObjectHome
    prefix: str

    def names(self) -> list[str]:
        """Of all of them, without the prefix."""
        with self.home.translated("read", self.prefix):
            rows = [row for chunk in obstore.list(self.home.store, self.prefix) for row in chunk]
            return sorted(row["path"].removeprefix(f"{self.prefix}/") for row in rows)

    def get(self, name: str) -> Held | None:
        """One of them."""
        return self.home.get(f"{self.prefix}/{name}")

    def put(self, name: str, content: bytes, version: str | None) -> str:
        """Write one, on its version."""
        return self.home.put(f"{self.prefix}/{name}", content, version)

    def remove(self, name: str) -> None:
        """Take one away."""
        path = f"{self.prefix}/{name}"
        with self.home.translated("removed", path), suppress(FileNotFoundError):
            obstore.delete(self.home.store, path)


def _version(meta: Mapping[str, Any]) -> str:
    """An ETag, a generation, or both, as one word."""
    return f"{meta.get('e_tag') or ''} {meta.get('version') or ''}"


def _mode(version: str) -> dict[str, str]:
    tag, _, number = version.partition(" ")
    return {key: value for key, value in (("e_tag", tag), ("version", number)) if value}


def _client(kind: str, bucket: str, environ: Mapping[str, str]) -> Any:
    """A client with the process's variables and those of `.env`, and some patience."""
    given = {
        name: value
        for name, value in environ.items()
        if name.startswith(_PREFIXES[kind]) and name in _UNDERSTOOD
    }
    for name in given:
        if "ENDPOINT" in name or name.endswith("_URL"):
            _require_url(variable(environ, name))
    insecure = any(value.startswith("http://") for value in given.values())
    emulator = variable(environ, "STORAGE_EMULATOR_HOST") if kind == "gs" else None
    if emulator:
        host = emulator.value
        url = host if "://" in host else f"http://{host}"
        _require_url(emulator, url)
        given["GOOGLE_SERVICE_ACCOUNT_KEY"] = json.dumps(
            {
                "gcs_base_url": url.removesuffix("/"),
                "disable_oauth": True,
                "client_email": "",
                "private_key": "",
                "private_key_id": "",
            }
        )
        insecure = url.startswith("http://")
    options: dict[str, Any] = {
        "client_options": {
            "connect_timeout": timedelta(seconds=3),
            "timeout": timedelta(seconds=20),
            "allow_http": insecure,
        },
        "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
        "config": given,
    }
    make: dict[str, Callable[..., Any]] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    return make[kind](bucket, **options)


def _require_url(named: Given | None, url: str | None = None) -> None:
    """Refuse an address that is none: the client ends the whole process over one.

    Args:
        url: what it is taken for; left out: what was given.

    Raises:
        StoreError: it is none.
    """
    if named is None:
        return
    url = url or named.value
    if web_parts(url) is None or not url.isascii():
        fault = named.error("it is no address", "Begin it with http:// or https://.")
        raise StoreError(fault.what, fault.hint)


_UNDERSTOOD = frozenset(
    f"AWS_{name}"
    for name in (
        "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION",
        "ENDPOINT_URL", "ENDPOINT_URL_S3", "ROLE_ARN", "ROLE_SESSION_NAME",
        "WEB_IDENTITY_TOKEN_FILE", "CONTAINER_CREDENTIALS_RELATIVE_URI",
        "CONTAINER_CREDENTIALS_FULL_URI", "CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "VIRTUAL_HOSTED_STYLE_REQUEST", "SKIP_SIGNATURE", "SERVER_SIDE_ENCRYPTION",
        "SSE_KMS_KEY_ID", "REQUEST_PAYER",
    )
) | frozenset(
    f"GOOGLE_{name}"
    for name in (
        "SERVICE_ACCOUNT", "SERVICE_ACCOUNT_PATH", "SERVICE_ACCOUNT_KEY", "BASE_URL",
        "APPLICATION_CREDENTIALS", "BEARER_TOKEN", "SKIP_SIGNATURE",
    )
) | frozenset(
    f"AZURE_{name}"
    for name in (
        "STORAGE_ACCOUNT_NAME", "STORAGE_ACCOUNT_KEY", "STORAGE_ACCESS_KEY", "STORAGE_SAS_KEY",
        "STORAGE_SAS_TOKEN", "STORAGE_TOKEN", "STORAGE_USE_EMULATOR", "STORAGE_ENDPOINT",
        "ENDPOINT", "CLIENT_ID", "CLIENT_SECRET", "TENANT_ID", "AUTHORITY_HOST",
        "FEDERATED_TOKEN_FILE", "MSI_ENDPOINT", "IDENTITY_ENDPOINT", "USE_AZURE_CLI",
    )
)  # fmt: skip
"""What is handed on: the client refuses a name it does not know."""


def _meaning(error: BaseException, kind: str, redactor: Redactor) -> tuple[str, str]:
    """What a client's error comes to, and what to do about it."""
    text = str(error).partition("Debug source:")[0].strip()
    words = {"credentials": _CREDENTIALS[kind], "endpoint": _ENDPOINTS[kind]}
    for pattern, what, hint in _FAULTS:
        if re.search(pattern, text):
            return what, hint.format(**words)
    status = re.search(r"status code: (\d+ [A-Z][A-Za-z ]*)", text)
    code = re.search(r"<Code>(\w+)", text)
    if status:
        text = f"{_NAMES[kind]} answers {status[1]}{f' ({code[1]})' if code else ''}"
    line = redactor.redact(text.split("\n")[0][:200] or type(error).__name__).rstrip(".")
    return f"{line}.", f"Check the address, {words['credentials']} and {words['endpoint']}."
