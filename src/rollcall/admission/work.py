"""What one decision about models is made from, and what follows from the day alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from rollcall import families
from rollcall.policy.where import release_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.admission.shelf import Item, Shelf
    from rollcall.catalog import Model
    from rollcall.families import Reading
    from rollcall.policy import Policy, Rule

NOTICE = timedelta(days=30)
"""A model that ends within this time is admitted with a warning; a successor is preferred."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a decision is made from; see `rollcall.admission.admit`."""

    policy: Policy
    shelves: dict[str, Shelf]
    today: date
    first_seen: Callable[[str, str], date | None]
    accepted: frozenset[str]
    named_only: bool
    present: frozenset[tuple[str, str]]

    def rule(self, number: int) -> Rule:
        """The rule counted from 1."""
        return self.policy.allow[number - 1]

    def ends_soon(self, model: Model) -> bool:
        """Whether its announced end is near."""
        return model.ends is not None and model.ends <= self.today + NOTICE

    def too_young(self, item: Item, name: str) -> bool:
        """Whether `min_age` holds a model back."""
        if not self.policy.guards.min_age or item.model.key in self.present:
            return False
        if not self.accepted.isdisjoint((item.model.id, item.model.qualified, name)):
            return False
        day = self._known_since(item)
        return day is not None and (self.today - day).days < self.policy.guards.min_age

    def age_reason(self, item: Item) -> str:
        """Why a model is held, for people."""
        day = self._known_since(item)
        since = "released" if release_day(item.model, item.reading) else "first seen"
        days = (self.today - day).days if day else 0
        when = f"{days} days ago" if days >= 0 else f"on {day}"
        return f"{since} {when}, min_age is {self.policy.guards.min_age} days"

    def _known_since(self, item: Item) -> date | None:
        return release_day(item.model, item.reading) or self.first_seen(*item.model.key)

    def target_of(self, shelf: Shelf, target: str) -> Reading:
        """The reading of what a moving id points at."""
        if target in shelf.models:
            return shelf.item(target).reading
        return families.read(target)
