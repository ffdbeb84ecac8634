"""What all protocols share: the shape of a request, of a reply, of a piece of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rollcall.runtime.messages import Message
from rollcall.runtime.params import Params
from rollcall.runtime.response import UNKNOWN_USAGE, Usage


@dataclass(frozen=True, slots=True)
class Call:
    """One call, provider-neutral. `provider` is only for error messages."""

    provider: str
    model: str
    messages: Sequence[Message]
    params: Params
    stream: bool = False


@dataclass(frozen=True, slots=True)
class WireRequest:
    """What goes out, without the key: a POST of JSON to api_base + path."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a reply says."""

    content: str
    model: str | None = None
    usage: Usage = UNKNOWN_USAGE
    finish_reason: str = "stop"
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of a stream says. `last`: the answer is complete with it."""

    text: str = ""
    last: bool = False
    error: Mapping[str, Any] | str | None = None
    """The provider broke off: its words."""


class UnexpectedShape(Exception):
    """A reply is JSON, but not of the protocol; says what is missing."""


class WireProtocol(Protocol):
    """One provider protocol. All of it is pure; the key goes into `auth_headers` and nowhere else.

    `request` raises InvalidCall for what the provider would refuse; `parse` and `piece` raise
    UnexpectedShape.
    """

    def auth_headers(self, api_key: str | None) -> dict[str, str]:
        """The headers that carry the key."""

    def request(self, call: Call) -> WireRequest:
        """The request of a call."""

    def parse(self, raw: Mapping[str, Any]) -> Completion:
        """What a whole reply says."""

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """What one event of a streamed reply says."""


def bearer(api_key: str | None) -> dict[str, str]:
    """The usual way to carry a key."""
    return {"authorization": f"Bearer {api_key}"} if api_key else {}


def without_none(**fields: Any) -> dict[str, Any]:
    """Only the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one: replies are read for what they have."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str:
    """The value if it is a text, else none."""
    return value if isinstance(value, str) else ""


def tokens(value: Any) -> int | None:
    """A token count, None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
