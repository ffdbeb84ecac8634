"""What a visitor of the page wants to see. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rollcall.catalog.model import CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.inspect.inventory import ModelRow
    from rollcall.service.known import Known


class Show(StrEnum):
    """Which models the page lists."""

    CONFIG = "config"
    READY = "ready"
    KEY = "key"
    ALL = "all"


SHOW_TITLES = {
    Show.CONFIG: "In the config",
    Show.READY: "Ready",
    Show.KEY: "Missing a key",
    Show.ALL: "All known",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a visitor wants to see; "" = anything."""

    words: str = ""
    show: Show = Show.CONFIG
    provider: str = ""
    capability: str = ""

    def admits(self, row: ModelRow, known: Known) -> bool:
        """Whether a model is shown."""
        return (
            shows(self.show, row, known)
            and self.provider in ("", row.provider)
            and (not self.capability or self.capability in row.capabilities)
            and all(word in _searched(row) for word in self.words.casefold().split())
        )


def read_filter(query: Mapping[str, str]) -> Filter:
    """The filter of a query string; words that mean nothing are left out."""
    show = query.get("show", "")
    capability = query.get("capability", "")
    return Filter(
        words=query.get("q", "")[:200],
        show=Show(show) if show in set(Show) else Show.CONFIG,
        provider=query.get("provider", "")[:200],
        capability=capability if capability in CAPABILITIES else "",
    )


def shows(show: Show, row: ModelRow, known: Known) -> bool:
    """Whether a model belongs to what is shown."""
    if show is Show.CONFIG:
        return row.in_config
    if show is Show.READY:
        return row.in_config and row.ready
    if show is Show.KEY:
        return known.misses_key(row)
    return True


def _searched(row: ModelRow) -> str:
    parts = (row.name, row.provider, row.id, row.display_name, row.family, *row.aliases)
    return "\n".join(part for part in parts if part).casefold()
