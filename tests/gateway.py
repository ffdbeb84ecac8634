"""A server on loopback that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rollcall.catalog.model import Answer
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
from tests.loopback import Answering, listening

PATIENCE = 60.0
"""Seconds; nothing here waits for a time to pass."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: path, parameters, headers in lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back: JSON, or bytes as they are."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Gateway:
    """Answers every request with what `reply` makes of it."""

    def __init__(self, reply: Callable[[Asked], Reply]) -> None:
        self.asked: list[Asked] = []
        gateway = self

        class Handler(Answering):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(parts.path, dict(parse_qsl(parts.query)), headers)
                gateway.asked.append(asked)
                found = reply(asked)
                body = found.body
                sent = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.say(found.status, sent, found.headers.items())

        self._server = listening(Handler)
        self.root = ""
        """`http://127.0.0.1:PORT`."""

    def __enter__(self) -> Gateway:
        self.root = f"http://127.0.0.1:{self._server.__enter__()}"
        return self

    def __exit__(self, *error: Any) -> None:
        self._server.__exit__(*error)


def asking(gateway: Gateway, kind: str = "openai", path: str = "/v1", **more: Any) -> Answer:
    """The answer of a provider of this type at the gateway, asked with a key."""
    provider = resolve_provider(
        "gate", type=kind, base_url=gateway.root + path, key_env="GATE_KEY", environ={}, **more
    )
    target = Target(provider, "gate-key-0123456789", PATIENCE)
    (answer,) = ask_all([target], deadline_seconds=PATIENCE, fetched_at="2026-11-28T10:00:00Z")
    return answer
