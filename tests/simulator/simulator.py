"""The simulated providers: one loopback port, each provider under its own path."""

from __future__ import annotations

import copy
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from rollcall.providers.builtin import BUILTIN
from tests.simulator import chat, listings, refusals, refused_calls, spoiled
from tests.simulator.catalogs import MAIN, NAMES, rows_of
from tests.simulator.faults import Active, Fault
from tests.simulator.http import Reply, Request
from tests.simulator.refused_calls import CallFault
from tests.simulator.server import Server

ELSEWHERE = "elsewhere"
"""The name under which requests to the redirect's target are recorded."""

_STATUS = {
    Fault.FORBIDDEN: 403,
    Fault.NOT_FOUND: 404,
    Fault.RATE_LIMITED: 429,
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE_ONCE: 503,
}


class Simulator:
    """Simulated providers on real sockets.

        with Simulator() as sim:
            base_url, environ = sim.url("anthropic"), sim.environ()
            sim.fault("anthropic", Fault.HANG)

    Starts when it is made, stops at the end of the `with` (or at `stop`). Safe for threads.

    Attributes:
        requests: (provider, request) of everything that was asked, in order.
    """

    def __init__(self, *, largest_page: int | None = None, compress: bool = False) -> None:
        """Start it.

        Args:
            largest_page: rows per page at most, where the provider pages.
            compress: answer with gzip when the client takes it.
        """
        self.requests: list[tuple[str, Request]] = []
        self._asked = threading.Event()
        self._largest_page = largest_page
        self._compress = compress
        self._rows: dict[str, list[object]] = {name: list(rows_of(name)) for name in NAMES}
        self._faults: dict[str, Active] = {}
        self._call_faults: dict[tuple[str, str], CallFault] = {}
        self._lock = threading.Lock()
        # Bound but not listening: connecting is refused, and nobody else gets the port.
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        self._server = Server(self._answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop answering and free the ports."""
        self._server.stop()
        self._closed.close()

    def url(self, provider: str) -> str:
        """The base_url of a provider; a closed port while it is told to refuse."""
        active = self._faults.get(provider)
        refuses = active is not None and active.fault is Fault.REFUSE
        port = self._closed.getsockname()[1] if refuses else self._server.port
        return f"http://127.0.0.1:{port}/{provider}{_base_path(provider)}"

    def key(self, provider: str) -> str:
        """The one key that a provider takes."""
        return f"sim-{provider}-key-0123456789"

    def environ(self, *providers: str) -> dict[str, str]:
        """Key variables of the named providers, or of the eight main ones."""
        return {
            BUILTIN[name].key_env[-1 if name == "mistral" else 0]: self.key(name)
            for name in providers or MAIN
            if BUILTIN[name].key_env
        }

    def provider_policy(self, *providers: str) -> dict[str, dict[str, object]]:
        """What stands under `providers:` of a policy that asks the simulator."""
        return {name: {"base_url": self.url(name)} for name in providers or MAIN}

    def rows(self, provider: str) -> list[object]:
        """A copy of what a provider lists now."""
        with self._lock:
            return copy.deepcopy(self._rows[provider])

    def set_rows(self, provider: str, rows: Iterable[object]) -> None:
        """List these instead, in the provider's own shape."""
        with self._lock:
            self._rows[provider] = list(rows)

    def fault(
        self, provider: str, fault: Fault, *, seconds: float = 1.0, times: int | None = None
    ) -> None:
        """Misbehave from now on.

        Args:
            seconds: of Fault.DELAY, or Retry-After of Fault.RATE_LIMITED.
            times: only for so many requests.
        """
        if fault is Fault.UNAVAILABLE_ONCE:
            times = 1
        with self._lock:
            self._faults[provider] = Active(fault, seconds, times)

    def fault_calls(self, provider: str, fault: CallFault, model: str = "") -> None:
        """Refuse completion calls from now on: of one model, by a part of its id, or of all."""
        with self._lock:
            self._call_faults[provider, model] = fault

    def calls(self, provider: str | None = None) -> list[Request]:
        """The completion calls so far: whatever was posted."""
        return [
            request
            for name, request in self.requests
            if request.method == "POST" and provider in (None, name)
        ]

    def wait_until_asked(self, timeout_seconds: float = 30.0) -> bool:
        """Wait for the first request; False when none came in time."""
        return self._asked.wait(timeout_seconds)

    def heal(self, provider: str | None = None) -> None:
        """Behave again: one provider, or all."""
        with self._lock:
            for name in [provider] if provider else list(self._faults):
                self._faults.pop(name, None)
            for name, model in list(self._call_faults):
                if provider in (None, name):
                    del self._call_faults[name, model]

    def _take_fault(self, provider: str) -> Active | None:
        with self._lock:
            active = self._faults.get(provider)
            if active is None or active.times is None:
                return active
            if active.times <= 1:
                del self._faults[provider]
            else:
                self._faults[provider] = Active(active.fault, active.seconds, active.times - 1)
            return active

    def _answer(self, request: Request, host: str) -> tuple[Reply, Active | None]:
        _, provider, *rest = [*request.path.split("/", 2), ""]
        if provider == ELSEWHERE or not host.startswith("127.0.0.1"):
            provider = ELSEWHERE
        inner = Request(request.method, "/" + rest[0], request.query, request.headers, request.body)
        self.requests.append((provider, inner))
        self._asked.set()
        if provider not in self._rows:
            return Reply(404, {"content-type": "text/plain"}, b"Not found"), None
        active = self._take_fault(provider)
        if active is None and self._call_fault(provider, inner) is CallFault.HANG:
            active = Active(Fault.HANG, 0, None)
        if active is None:
            return self._packed(request, self._reply(provider, inner, request.path)), None
        return self._faulty(provider, inner, request.path, active), active

    def _faulty(self, provider: str, inner: Request, path: str, active: Active) -> Reply:
        fault = active.fault
        if fault in _STATUS:
            wait = active.seconds if fault is Fault.RATE_LIMITED else 0
            return refusals.error(provider, _STATUS[fault], retry_seconds=wait)
        if fault is Fault.UNAUTHORIZED:
            return refusals.bad_key(provider, "sim-revoked-key-9876543210")
        if fault is Fault.ECHO_KEY:
            return refusals.error(provider, 401, spoiled.echo(_key_in(inner) or "none"))
        if fault is Fault.REDIRECT_ELSEWHERE:
            target = f"http://localhost:{self._server.port}/{ELSEWHERE}{path}"
            return Reply(302, {"location": target})
        if fault is Fault.REDIRECT_LOGIN:
            return Reply(302, {"location": "/login?next=%2Fmodels"})
        return spoiled.spoil(fault, self._reply(provider, inner, path, fault))

    def _reply(self, provider: str, inner: Request, path: str, fault: Fault | None = None) -> Reply:
        row = BUILTIN[provider]
        base = _base_path(provider)
        below = inner.path.removeprefix(base) if inner.path.startswith(base) else None
        is_list = inner.method == "GET" and below in listings.PATHS[row.protocol]
        public = row.public_list and below == "/models"
        key = _key_in(inner)
        if row.needs_key and not (public and key is None) and key != self.key(provider):
            return refusals.bad_key(provider, key)
        if is_list:
            with self._lock:
                rows: Sequence[object] = [] if fault is Fault.EMPTY else self._rows[provider]
                asked = Request(inner.method, path, inner.query, inner.headers)
                return listings.answer(
                    provider,
                    row.protocol,
                    rows,
                    asked,
                    largest_page=self._largest_page,
                    stuck=fault is Fault.REPEATED_CURSOR,
                )
        refused = self._call_fault(provider, inner)
        if refused is not None:
            return refused_calls.answer(provider, row.protocol, inner, refused, key or "none")
        return chat.answer(row.protocol, inner) or refusals.error(provider, 404)

    def _call_fault(self, provider: str, inner: Request) -> CallFault | None:
        if inner.method != "POST":
            return None
        asked = inner.path + inner.body.decode("utf-8", "replace")
        with self._lock:
            faults = self._call_faults.items()
            return next(
                (f for (name, model), f in faults if name == provider and model in asked), None
            )

    def _packed(self, request: Request, reply: Reply) -> Reply:
        takes = "gzip" in request.headers.get("accept-encoding", "")
        whole = self._compress and takes and isinstance(reply.body, bytes)
        return spoiled.compressed(reply) if whole else reply


def _base_path(provider: str) -> str:
    return urlsplit(BUILTIN[provider].base_url).path


def _key_in(request: Request) -> str | None:
    """The key of a request, wherever the provider's clients put it."""
    headers: Mapping[str, str] = request.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    found = headers.get("x-api-key") or headers.get("x-goog-api-key")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return found or bearer or request.query.get("key") or None
