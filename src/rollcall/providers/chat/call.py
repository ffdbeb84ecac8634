"""One call to a model, whoever serves it: its messages and parameters, and what a protocol makes of
it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol

from rollcall.providers.chat.answer import Piece
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
        tools: as OpenAI writes them; those of another shape are the provider's own, and stay.
        tool_choice: `auto`, `none`, `required`, or OpenAI's object that names one.
        extra: anything else, in the provider's own words, put into the body unchanged.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The parameters given, by our name or the provider's."""
        own = {one.name for one in fields(self) if getattr(self, one.name) not in (None, ())}
        return frozenset((own - {"extra"}) | self.extra.keys())

    def without(self, names: Collection[str]) -> Params:
        """The same without these of the parameters that only change how words are picked."""
        return replace(
            self,
            temperature=None if "temperature" in names else self.temperature,
            top_p=None if "top_p" in names else self.top_p,
            extra={name: value for name, value in self.extra.items() if name not in names},
        )


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
        tools=_tools(given.pop("tools", None)),
        tool_choice=given.pop("tool_choice", None),
        parallel_tool_calls=given.pop("parallel_tool_calls", None),
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

    def parse(self, raw: Mapping[str, Any]) -> Piece:
        """What a whole reply says."""

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """What one event of a streamed reply says; nothing, where it says nothing."""


def without_none(**fields: Any) -> dict[str, Any]:
    """Only the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


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


def _tools(value: Any) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
        raise InvalidParams(
            "tools is not a list of tools.",
            'A tool looks like {"type": "function", "function": {"name": ..., "parameters": {}}}.',
        )
    return tuple(value)
