"""What an adapter takes and gives: requests, replies, rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from rollcall.catalog.model import Model
    from rollcall.providers.builtin import Provider


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


class Adapter(Protocol):
    """One wire protocol. Builds requests and reads replies; never logs, catches or retries.

    Attributes:
        sources: our field of a Model -> the provider's field it is read from.
        roots: where a page keeps its rows; the first that is there counts.
        after: its parameters that ask for what stands behind an id; see `answers`.
    """

    @property
    def sources(self) -> Mapping[str, str]:
        """Our field -> the provider's field."""

    @property
    def roots(self) -> Sequence[str]:
        """Where a page keeps its rows."""

    @property
    def after(self) -> Sequence[str]:
        """Parameters that ask for what stands behind an id."""

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The request for the list or its first page; others, each for when the one before is
        not found (404).
        """

    def parse(
        self, provider: Provider, pages: Sequence[object], moments: Collection[float] = (), /
    ) -> Listing:
        """The models on all pages.

        Args:
            moments: when they were asked for, by the clocks there are, in Unix seconds.

        Raises:
            WrongShape: a page is no list of models.
        """


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
