"""Asks all providers at once, under one deadline. Network; the only place that catches httpx."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.catalog import Answer
    from rollcall.providers.registry import Provider


@dataclass(frozen=True, slots=True)
class Target:
    """One provider to ask, with the key to ask it with (None = none needed, or none there)."""

    provider: Provider
    key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 2.0


class Observer(Protocol):
    """Told about progress, for the live display; must not raise."""

    def asking(self, provider: str) -> None:
        """A request went out."""

    def answered(self, answer: Answer) -> None:
        """A provider is settled."""


def ask_all(
    targets: Sequence[Target],
    *,
    deadline_seconds: float,
    fetched_at: str,
    observer: Observer | None = None,
    secrets: Sequence[str] = (),
) -> tuple[Answer, ...]:
    """Ask every target at once; answers in the order of `targets`. Never raises for a provider.

    Args:
        deadline_seconds: bound on the whole call, bodies included.
        fetched_at: ISO 8601 UTC, stamped on every answer.
        secrets: strings to redact wherever a provider echoes them.
    """
    raise NotImplementedError


def parse_stored(target: Target, pages: Sequence[bytes], *, fetched_at: str) -> Answer:
    """The answer that stored bodies give: the same adapters, no network."""
    raise NotImplementedError
