"""One call to a model, whoever serves it: its parameters, the request it becomes in the provider's
protocol, and what the reply says. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from rollcall.providers.chat.errors import InvalidParams
from rollcall.providers.chat.messages import Message

RESERVED = {
    "stream": "Use client.stream or client.astream.",
    "model": "The role names the model.",
    "messages": "Pass messages as the second argument.",
    "input": "Pass messages as the second argument.",
    "contents": "Pass messages as the second argument.",
}


@dataclass(frozen=True, slots=True)
class Params:
    """What the caller asks for; None = the provider's own default.

    Attributes:
        extra: anything else, in the provider's own words, put into the body unchanged.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def read_params(*layers: Mapping[str, Any] | None) -> Params:
    """Parameters of several layers, later ones winning; None takes a parameter away again.

    Raises:
        InvalidParams: a value out of range or of the wrong type, or a name that is not one.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer or {})
    given = {name: value for name, value in merged.items() if value is not None}
    for name, hint in RESERVED.items():
        if name in given:
            raise InvalidParams(f"{name!r} is not a parameter of a call.", hint)
    return Params(
        temperature=_number(given.pop("temperature", None), "temperature", 2),
        max_tokens=_positive(given.pop("max_tokens", None)),
        top_p=_number(given.pop("top_p", None), "top_p", 1),
        stop=_stops(given.pop("stop", None)),
        extra=given,
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One call, provider-neutral."""

    model: str
    messages: Sequence[Message]
    params: Params = field(default_factory=Params)
    stream: bool = False


@dataclass(frozen=True, slots=True)
class WireRequest:
    """What goes out, without the key: a POST of JSON to the provider's base + path."""

    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status, headers (names in lower case), and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class NoReply:
    """There was no reply, or it broke off. `detail` is one line, not yet redacted."""

    why: Literal["timeout", "unreachable", "broken", "too_large"]
    detail: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None = it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None


UNKNOWN_USAGE = Usage()


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


class ChatProtocol(Protocol):
    """How one kind of provider is spoken to. All of it is pure; the key goes into `key_headers`
    and nowhere else.

    `request` raises InvalidCall for what the provider would refuse; `parse` and `piece` raise
    UnexpectedShape.
    """

    def key_headers(self, key: str | None) -> dict[str, str]:
        """The headers that carry the key."""

    def request(self, call: Call) -> WireRequest:
        """The request of a call."""

    def parse(self, raw: Mapping[str, Any]) -> Completion:
        """What a whole reply says."""

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """What one event of a streamed reply says."""


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


def _number(value: Any, name: str, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InvalidParams(f"{name} is {value!r}.", f"It must be a number from 0 to {most}.")
    return value


def _positive(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidParams(f"max_tokens is {value!r}.", "It must be a whole number from 1 up.")
    return value


def _stops(value: Any) -> tuple[str, ...]:
    stops = (value,) if isinstance(value, str) else value
    if stops is None:
        return ()
    if not isinstance(stops, list | tuple) or not all(isinstance(s, str) and s for s in stops):
        raise InvalidParams(f"stop is {value!r}.", "It must be a text, or a list of texts.")
    return tuple(stops)
