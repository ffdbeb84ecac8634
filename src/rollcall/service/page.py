"""The page as values: the aliases and how to call them, the models a visitor asked for, grouped and
folded so that nobody has to scroll through hundreds, and everything around them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rollcall.inspect.clients import client_lines, sample_calls
from rollcall.settings import parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from rollcall.inspect.inventory import Inventory, ModelRow
    from rollcall.inspect.shells import Shell
    from rollcall.plan.guards import HeldChange
    from rollcall.plan.last_days import LastDay
    from rollcall.service.model_list import KnownModels
    from rollcall.store.state import ProviderState

MAX_ROWS = 2_000
OPEN_ROWS = 12
"""Models that show before anybody unfolds more: on the page, and of one provider."""
KEY_VARIABLE = "LITELLM_API_KEY"
"""The variable that stands for the caller's key in the calls to copy."""


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

    def admits(self, row: ModelRow) -> bool:
        """Whether a model is shown."""
        return (
            shows(self.show, row)
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


def shows(show: Show, row: ModelRow) -> bool:
    """Whether a model belongs to what is shown."""
    if show is Show.CONFIG:
        return row.in_config
    if show is Show.READY:
        return row.in_config and row.ready
    if show is Show.KEY:
        return row.lacks_key
    return True


def _searched(row: ModelRow) -> str:
    named = (row.name, row.provider, row.id, row.display_name, row.family)
    parts = (*named, *row.aliases, *(word.replace("_", " ") for word in row.capabilities))
    return "\n".join(part for part in parts if part).casefold()


@dataclass(frozen=True, slots=True)
class Family:
    """Models of one family of one provider, as the inventory orders them.

    Attributes:
        says: the one reason that all of them are out for; "" = each has its own.
    """

    rows: tuple[ModelRow, ...]
    says: str


@dataclass(frozen=True, slots=True)
class ProviderGroup:
    """One provider's models by family.

    Attributes:
        first: those that show when it is unfolded; more: those folded once again.
        lacks_key: a row that says which key all of them lack and where to get it.
        open: whether it is unfolded from the start.
    """

    name: str
    first: tuple[Family, ...]
    more: tuple[Family, ...]
    lacks_key: ModelRow | None
    open: bool

    @property
    def count(self) -> int:
        """How many models fit."""
        return sum(len(family.rows) for family in (*self.first, *self.more))

    @property
    def folded(self) -> int:
        """How many of them are folded once again."""
        return sum(len(family.rows) for family in self.more)


@dataclass(frozen=True, slots=True)
class AliasLine:
    """One alias: where it leads, whether a call would get there, and calls to copy.

    Attributes:
        row: the model it leads to; None = it leads nowhere.
        calls: what makes the call -> its text.
    """

    name: str
    target: str
    hidden: bool
    row: ModelRow | None
    calls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Coming:
    """What is about to change, or waits for somebody's word.

    Attributes:
        held: changes that a guard holds back.
        leaving: models on their way out of the config, by day. ending: others in the config whose
            last day is known, with who follows. retired: models outside whose last day is over.
    """

    held: Sequence[HeldChange]
    leaving: Sequence[ModelRow]
    ending: Sequence[LastDay]
    retired: Sequence[ModelRow]

    @property
    def anything(self) -> bool:
        """Whether there is anything to tell."""
        return any((self.held, self.leaving, self.ending, self.retired))


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page shows.

    Attributes:
        cut: models that fit and are left out, because there are too many for one page.
        providers: name, how asking went, and a row that knows its key.
        problem: why what is shown may be out of date.
    """

    inventory: Inventory
    filter: Filter
    now: datetime
    groups: tuple[ProviderGroup, ...]
    shown: int
    cut: int
    counts: Mapping[Show, int]
    provider_names: tuple[str, ...]
    aliases: tuple[AliasLine, ...]
    coming: Coming
    providers: tuple[tuple[str, ProviderState, ModelRow | None], ...]
    problem: str | None


def make_page(
    known: KnownModels,
    wanted: Filter,
    now: datetime,
    problem: str | None = None,
    *,
    base_url: str = "http://127.0.0.1:4001",
    shell: Shell = "sh",
) -> Page:
    """The page of what is known at one moment.

    Args:
        base_url, shell: of the visitor, for the calls to copy.
    """
    inventory = known.inventory
    rows = [row for row in inventory.rows if wanted.admits(row)]
    shown = rows[:MAX_ROWS]
    keys = {row.provider: row for row in reversed(inventory.rows)}
    return Page(
        inventory=inventory,
        filter=wanted,
        now=now,
        groups=_grouped(shown),
        shown=len(shown),
        cut=len(rows) - len(shown),
        counts={show: sum(shows(show, row) for row in inventory.rows) for show in Show},
        provider_names=tuple(sorted(keys)),
        aliases=_aliases(known, base_url, shell),
        coming=_coming(inventory, now),
        providers=tuple((name, one, keys.get(name)) for name, one in inventory.providers.items()),
        problem=problem,
    )


def ago(moment: str | None, now: datetime) -> str:
    """An ISO 8601 time as an age in words: `3 minutes ago`; "never" for None."""
    if moment is None:
        return "never"
    then = parse_moment(moment)
    if then is None:
        return "at an unknown time"
    seconds = (now - then).total_seconds()
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // length)
        if count > 0:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _grouped(rows: Iterable[ModelRow]) -> tuple[ProviderGroup, ...]:
    """By provider in order of first appearance, then by family; the order inside is kept."""
    providers: dict[str, list[ModelRow]] = {}
    for row in rows:
        providers.setdefault(row.provider, []).append(row)
    groups = []
    left = OPEN_ROWS
    for name, mine in providers.items():
        lacking = all(row.lacks_key for row in mine)
        opened = len(mine) <= left or len(providers) == 1
        left -= len(mine) if opened else 0
        groups.append(
            ProviderGroup(
                name,
                first=_families(mine[:OPEN_ROWS]),
                more=_families(mine[OPEN_ROWS:]),
                lacks_key=mine[0] if lacking else None,
                open=opened,
            )
        )
    return tuple(groups)


def _families(rows: Iterable[ModelRow]) -> tuple[Family, ...]:
    families: dict[str, list[ModelRow]] = {}
    for row in rows:
        families.setdefault(row.family, []).append(row)
    return tuple(Family(tuple(mine), _shared(mine)) for mine in families.values())


def _shared(rows: Sequence[ModelRow]) -> str:
    """The one reason why several models are out; "" where they differ."""
    reasons = {"" if row.in_config else row.reason for row in rows}
    return reasons.pop() if len(rows) > 1 and len(reasons) == 1 else ""


def _aliases(known: KnownModels, base_url: str, shell: Shell) -> tuple[AliasLine, ...]:
    """Those that are listed first; the user's order inside."""
    lines = [
        AliasLine(
            name=name,
            target=target,
            hidden=hidden,
            row=known.row(name),
            calls={
                **sample_calls(base_url, KEY_VARIABLE, name),
                "Claude Code": "\n".join(
                    client_lines("claude-code", base_url, KEY_VARIABLE, shell, model=name)
                ),
            },
        )
        for name, (target, hidden) in known.inventory.aliases.items()
    ]
    return tuple(sorted(lines, key=lambda line: line.hidden))


def _coming(inventory: Inventory, now: datetime) -> Coming:
    today = now.date()
    leaving = [row for row in inventory.rows if row.leaves]
    going = {row.name for row in leaving}
    retired = [row for row in inventory.rows if row.retired_before(today)]
    return Coming(
        held=inventory.held,
        leaving=sorted(leaving, key=lambda row: row.leaves or today),
        ending=[one for one in inventory.last_days if one.name not in going],
        retired=sorted(retired, key=lambda row: row.ends or today, reverse=True),
    )
