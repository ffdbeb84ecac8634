"""The parameters of a call: four that every provider has, the rest passed on as they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollcall.runtime.errors import InvalidParams

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
