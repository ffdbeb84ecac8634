"""What an adapter takes and gives, and the headers that carry a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from rollcall.catalog.model import Model


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One GET to make; the headers hold the key and stay out of every repr."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict)


class Listing(NamedTuple):
    """What a reply says: the models it lists, and what was odd about it, one line each.

    Attributes:
        rows: how many rows the reply held, the dropped ones included.
    """

    models: tuple[Model, ...]
    notes: tuple[str, ...]
    rows: int


class WrongShape(ValueError):
    """The reply is JSON, but not a list of models; says what it is instead."""


AFTER: Final = ("after", "after_id")
"""Parameters that ask for what stands behind an id; who knows only one ignores the other."""


def bearer(key: str | None) -> dict[str, str]:
    """The usual authorization header; none without a key."""
    return {"authorization": f"Bearer {key}"} if key else {}


ANTHROPIC_VERSION: Final = "2023-06-01"
OAUTH_BETA: Final = "oauth-2025-04-20"


def anthropic_headers(key: str | None) -> dict[str, str]:
    """Anthropic's authorization, and the version of its API, which is required."""
    headers = {"anthropic-version": ANTHROPIC_VERSION}
    if key and not key.startswith("sk-ant-oat"):
        headers["x-api-key"] = key
    if key and not key.startswith("sk-ant-api"):
        # An OAuth token, or ANTHROPIC_AUTH_TOKEN's for a gateway: those want it here.
        headers |= bearer(key)
    if key and key.startswith("sk-ant-oat"):
        headers["anthropic-beta"] = OAUTH_BETA
    return headers


def google_headers(key: str | None) -> dict[str, str]:
    """Google's: a key in an address ends up in logs."""
    return {"x-goog-api-key": key} if key else {}
