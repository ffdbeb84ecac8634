"""A list LiteLLM gave, as it is kept and as it is answered. Values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollcall.service.access import Header
    from rollcall.service.rendering import Rendered


class Source(StrEnum):
    """Where an answer comes from: the header `x-rollcall-source`."""

    LITELLM = "litellm"
    CACHE = "cache"
    CONFIG = "config"


@dataclass(slots=True)
class Kept:
    """One list LiteLLM gave."""

    body: dict[str, Any]
    size: int
    at: float
    used_at: float
    view_headers: tuple[Header, ...]
    rendered: dict[bool | None, Rendered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A list to send. `age_seconds` is None for the list of config.yaml."""

    rendered: Rendered
    source: Source
    age_seconds: float | None


@dataclass(slots=True)
class Health:
    """How asking LiteLLM has gone lately."""

    answers: bool | None = None
    last_good: float | None = None
    reason: str = ""
