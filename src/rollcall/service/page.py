"""The page as values: which models a visitor asked for, grouped, and everything around. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.inspect.inventory import Inventory, ModelRow
    from rollcall.service.model_list import KnownModels

MAX_ROWS = 2_000


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

    def admits(self, row: ModelRow, known: KnownModels) -> bool:
        """Whether a model is shown."""
        return (
            shows(self.show, row, known)
            and self.provider in ("", row.provider)
            and all(word in _searched(row) for word in self.words.casefold().split())
        )


def read_filter(query: Mapping[str, str]) -> Filter:
    """The filter of a query string; words that mean nothing are left out."""
    show = query.get("show", "")
    return Filter(
        words=query.get("q", "")[:200],
        show=Show(show) if show in set(Show) else Show.CONFIG,
        provider=query.get("provider", "")[:200],
    )


def shows(show: Show, row: ModelRow, known: KnownModels) -> bool:
    """Whether a model belongs to what is shown."""
    if show is Show.CONFIG:
        return row.in_config
    if show is Show.READY:
        return row.in_config and row.ready
    if show is Show.KEY:
        return known.misses_key(row)
    return True


def _searched(row: ModelRow) -> str:
    named = (row.name, row.provider, row.id, row.display_name, row.family)
    parts = (*named, *row.aliases, *(word.replace("_", " ") for word in row.capabilities))
    return "\n".join(part for part in parts if part).casefold()


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model, and whether it is a key that it lacks."""

    row: ModelRow
    misses_key: bool


@dataclass(frozen=True, slots=True)
class Family:
    """Models of one family, as the inventory orders them."""

    name: str
    rows: tuple[ModelLine, ...]


@dataclass(frozen=True, slots=True)
class ProviderGroup:
    """One provider's models by family."""

    name: str
    families: tuple[Family, ...]

    @property
    def count(self) -> int:
        """How many models are shown."""
        return sum(len(family.rows) for family in self.families)


@dataclass(frozen=True, slots=True)
class AliasLine:
    """One alias: where it leads, and whether a call would get there."""

    name: str
    target: str
    hidden: bool
    ready: bool | None
    """None = the target is not in the config."""


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """How asking one provider went; ages are in words."""

    name: str
    verdict: str
    detail: str
    models: int
    last_good: str
    stale_since: str
    key_env: str | None
    key_url: str | None


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run."""

    at: str
    ago: str
    command: str
    outcome: str
    summary: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page shows."""

    filter: Filter
    groups: tuple[ProviderGroup, ...]
    shown: int
    cut: int
    counts: Mapping[Show, int]
    provider_names: tuple[str, ...]
    aliases: tuple[AliasLine, ...]
    providers: tuple[ProviderLine, ...]
    runs: tuple[RunLine, ...]
    problem: str | None


def make_page(
    known: KnownModels, wanted: Filter, now: datetime, problem: str | None = None
) -> Page:
    """The page of what is known at one moment."""
    inventory = known.inventory
    rows = [row for row in inventory.rows if wanted.admits(row, known)]
    shown = rows[:MAX_ROWS]
    return Page(
        filter=wanted,
        groups=_grouped(shown, known),
        shown=len(shown),
        cut=len(rows) - len(shown),
        counts={show: sum(shows(show, row, known) for row in inventory.rows) for show in Show},
        provider_names=tuple(sorted({row.provider for row in inventory.rows})),
        aliases=_alias_lines(inventory),
        providers=_provider_lines(inventory, now),
        runs=_run_lines(inventory, now),
        problem=problem,
    )


def ago(moment: str | None, now: datetime) -> str:
    """An ISO 8601 time as an age in words: `3 minutes ago`; "never" for None."""
    if moment is None:
        return "never"
    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return "at an unknown time"
    seconds = (now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()
    if seconds < 60:
        return "just now"
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _grouped(rows: Iterable[ModelRow], known: KnownModels) -> tuple[ProviderGroup, ...]:
    """By provider in order of first appearance, then by family; order inside is kept."""
    providers: dict[str, dict[str, list[ModelLine]]] = {}
    for row in rows:
        line = ModelLine(row, known.misses_key(row))
        providers.setdefault(row.provider, {}).setdefault(row.family, []).append(line)
    return tuple(
        ProviderGroup(
            name, tuple(Family(family, tuple(lines)) for family, lines in families.items())
        )
        for name, families in providers.items()
    )


def _alias_lines(inventory: Inventory) -> tuple[AliasLine, ...]:
    ready: dict[str, bool] = {}
    for row in inventory.rows:
        if row.in_config and row.name is not None:
            ready[row.name] = ready.get(row.name, False) or row.ready
    return tuple(
        AliasLine(name, target, hidden, ready.get(target))
        for name, (target, hidden) in inventory.aliases.items()
    )


def _provider_lines(inventory: Inventory, now: datetime) -> tuple[ProviderLine, ...]:
    keys: dict[str, ModelRow] = {}
    for row in inventory.rows:
        keys.setdefault(row.provider, row)
    lines = []
    for name, state in inventory.providers.items():
        first = keys.get(name)
        lines.append(
            ProviderLine(
                name=name,
                verdict=state.verdict,
                detail=state.detail,
                models=state.models,
                last_good=ago(state.last_good, now),
                stale_since=ago(state.stale_since, now) if state.stale_since else "",
                key_env=first.key_env if first else None,
                key_url=first.key_url if first else None,
            )
        )
    return tuple(lines)


def _run_lines(inventory: Inventory, now: datetime) -> tuple[RunLine, ...]:
    return tuple(
        RunLine(
            at=run.at,
            ago=ago(run.at, now),
            command=run.command,
            outcome=run.outcome,
            summary=run.summary,
            changes=tuple(run.changes),
        )
        for run in reversed(inventory.runs[-10:])
    )
