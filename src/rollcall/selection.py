"""One rule over all shelves: who passes it, who is the newest, and what stops the others. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from rollcall import families
from rollcall.families import Stage
from rollcall.globs import compile_glob
from rollcall.naming import render_name
from rollcall.where import fact_of, release_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rollcall.catalog import Model
    from rollcall.families import Reading
    from rollcall.policy import Policy, Rule
    from rollcall.shelf import Item, Shelf

NOTICE = timedelta(days=30)
"""A model that ends within this time is admitted with a warning; a successor is preferred."""

MANY_FAMILIES = 10


class Stop(StrEnum):
    """What keeps a model from passing a rule, in the order of work."""

    FROM = "from"
    UNNAMED = "unnamed"
    SPECIAL = "special"
    RETIRED = "retired"
    STAGE = "stage"
    WHERE = "where"
    MAX_AGE = "max_age"
    YOUNG = "min_age"
    NEWEST = "newest"
    MAX = "max"


@dataclass(frozen=True)
class Work:
    """What a decision is made from; see `rollcall.admission.admit`."""

    policy: Policy
    shelves: dict[str, Shelf]
    today: date
    first_seen: Callable[[str, str], date | None]
    accepted: frozenset[str]
    named_only: bool
    present: frozenset[tuple[str, str]]

    @cached_property
    def selectors(self) -> tuple[Selector, ...]:
        """One per rule, in order."""
        rules = enumerate(self.policy.allow, start=1)
        return tuple(Selector(self, rule, number) for number, rule in rules)

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
        days = (self.today - day).days if day else 0
        since = "released" if release_day(item.model, item.reading) else "first seen"
        return f"{since} {days} days ago, min_age is {self.policy.guards.min_age} days"

    def _known_since(self, item: Item) -> date | None:
        return release_day(item.model, item.reading) or self.first_seen(*item.model.key)

    def target_of(self, shelf: Shelf, target: str) -> Reading:
        """The reading of what a moving id points at."""
        if target in shelf.models:
            return shelf.item(target).reading
        return families.read(target)


class Selector:
    """One rule at work."""

    def __init__(self, work: Work, rule: Rule, number: int) -> None:
        """The rule counted `number` from 1."""
        self.work = work
        self.rule = rule
        self.number = number

    @cached_property
    def shelves(self) -> tuple[Shelf, ...]:
        """The shelves of the rule's providers that answered."""
        if not self.rule.from_:
            return () if self.work.named_only else tuple(self.work.shelves.values())
        known = self.work.shelves
        return tuple(known[name] for name in self.rule.from_ if name in known)

    @cached_property
    def named(self) -> list[Item]:
        """What the rule names by id, pattern or family, less the denied; by shelf and id."""
        found = []
        for shelf in self.shelves:
            for model_id in _ids(self.rule, shelf):
                item = shelf.item(model_id)
                if item.denied is None and _names_exactly(self.rule, item):
                    found.append(item)
        return found

    @cached_property
    def passing(self) -> list[Item]:
        """What also meets its stage and conditions."""
        return [item for item in self.named if self.stop(item) is None]

    @cached_property
    def chosen(self) -> list[Item]:
        """What the rule admits, newest first."""
        young = {item.model.key for item in self.too_young}
        if not young:
            return self._wanted
        work, naming = self.work, self.work.policy.naming
        name = self.rule.name or naming
        return self._select([item for item in self.passing if not self._young(item, work, name)])

    @cached_property
    def too_young(self) -> list[Item]:
        """What it would admit, were it older."""
        name = self.rule.name or self.work.policy.naming
        return [item for item in self._wanted if self._young(item, self.work, name)]

    @cached_property
    def _wanted(self) -> list[Item]:
        return self._select(self.passing)

    @staticmethod
    def _young(item: Item, work: Work, template: str) -> bool:
        return work.too_young(item, render_name(template, item.model, item.reading))

    def stop(self, item: Item) -> Stop | None:
        """What stops a named model before `newest` and `max`."""
        rule, model, reading = self.rule, item.model, item.reading
        if model.ends is not None and model.ends < self.work.today:
            return Stop.RETIRED
        exact = "stage" not in rule.model_fields_set and model.id in rule.match
        if not exact and rule.stage != "any" and reading.stage != rule.stage:
            return Stop.STAGE
        if rule.where is not None and rule.where.failing(model, reading, rule.assume) is not None:
            return Stop.WHERE
        if rule.max_age is not None:
            day = release_day(model, reading)
            if day is None or (self.work.today - day).days > rule.max_age:
                return Stop.MAX_AGE
        return None

    def _select(self, items: list[Item]) -> list[Item]:
        if self.rule.newest is not None:
            items = [item for shelf in self.shelves for item in self._newest(items, shelf.provider)]
        return self._in_order(items)[: self.rule.max]

    def _newest(self, items: Iterable[Item], provider: str) -> list[Item]:
        """One provider's `newest` versions of each family, one id each."""
        mine = [item for item in items if item.model.provider == provider]
        return [item for rows in self._by_family(mine) for item in self._first(_by_version(rows))]

    def _first(self, versions: list[list[Item]]) -> list[Item]:
        """One id of each of the newest versions; one that ends soon yields to its successor."""
        pool = {item.model.id: item for rows in versions for item in rows}
        picked: dict[str, Item] = {}
        for rows in versions[: self.rule.newest]:
            lasting = [item for item in rows if not self.work.ends_soon(item.model)]
            item = (lasting or rows)[0]
            successor = pool.get(item.model.replaced_by or "")
            if not lasting and successor is not None:
                item = successor
            picked[item.model.id] = item
        return list(picked.values())

    def _in_order(self, items: list[Item]) -> list[Item]:
        """Newest first: within a family by version, the providers of one version in the rule's
        order; families by their newest member's day.
        """
        rank = {shelf.provider: at for at, shelf in enumerate(self.shelves)}
        groups = []
        for rows in self._by_family(items):
            days = [day.toordinal() for item in rows if (day := _day(item)) is not None]
            maker, family = rows[0].family
            groups.append((-max(days, default=0), family, maker or "", rows))
        groups.sort(key=lambda group: group[:3])
        return [
            item
            for group in groups
            for rows in _by_version(group[3])
            for item in sorted(rows, key=lambda item: rank[item.model.provider])
        ]

    def _by_family(self, items: list[Item]) -> list[list[Item]]:
        """The families; those a rule lists together are one."""
        if self.rule.family:
            return [items] if items else []
        found: dict[tuple[str | None, str], list[Item]] = {}
        for item in items:
            found.setdefault(item.family, []).append(item)
        return list(found.values())

    @staticmethod
    def names(rule: Rule, shelf: Shelf, item: Item) -> bool:
        """Whether a rule names a model of its providers, whatever else it asks."""
        if rule.from_ and shelf.provider not in rule.from_:
            return False
        return item.model.id in _ids(rule, shelf) and _names_exactly(rule, item)

    def verdict(self, item: Item) -> tuple[Stop | None, str]:
        """What stops a model here and why, in words; (None, why) when the rule admits it."""
        rule, model, reading = self.rule, item.model, item.reading
        shelf = next((row for row in self.shelves if row.provider == model.provider), None)
        if shelf is None:
            return Stop.FROM, f"asks only {', '.join(rule.from_) or 'rules that name a provider'}"
        if model.id not in _ids(rule, shelf):
            return Stop.UNNAMED, f"names {_listed(rule)}, not this one"
        if not _names_exactly(rule, item):
            return Stop.SPECIAL, f"{item.special}: only a rule that names its exact id admits it"
        match self.stop(item):
            case None:
                return self._verdict_of_selection(item)
            case Stop.RETIRED:
                return Stop.RETIRED, f"it ended on {model.ends}"
            case Stop.STAGE:
                return Stop.STAGE, f"takes {rule.stage} models, this one is {reading.stage}"
            case Stop.MAX_AGE:
                day = release_day(model, reading)
                why = f"released {day}" if day else "its release day is unknown"
                return Stop.MAX_AGE, f"{why}, max_age is {rule.max_age} days"
            case stop:
                return stop, self._where_reason(item)

    def _where_reason(self, item: Item) -> str:
        where = self.rule.where
        name = where.failing(item.model, item.reading, self.rule.assume) if where else None
        if name is None:
            return "does not meet its conditions"
        wanted = getattr(where, name)
        fact = fact_of(name, item.model, item.reading)
        known = "unknown, which never passes" if fact is None else f"{_plain(fact)}"
        return f"wants {name} {_plain(wanted)}; this one's is {known}"

    def _verdict_of_selection(self, item: Item) -> tuple[Stop | None, str]:
        keys = [one.model.key for one in self.chosen]
        if item.model.key in keys:
            return None, self.reason(item.reading).partition(": ")[2]
        if any(one.model.key == item.model.key for one in self.too_young):
            return Stop.YOUNG, self.work.age_reason(item)
        if self.rule.newest is not None:
            newest = self._newest(self.passing, item.model.provider)
            if item not in newest:
                ahead = [one.model.id for one in newest if one.family == item.family]
                ahead = ahead or [one.model.id for one in newest]
                return (
                    Stop.NEWEST,
                    f"newest {self.rule.newest}: {', '.join(ahead)} stands before it",
                )
        return Stop.MAX, f"max {self.rule.max}: others are newer"

    def reason(self, reading: Reading) -> str:
        """Why a model is in, for people: `rule 3: newest 1 of claude-sonnet`."""
        rule = self.rule
        what = f"of {reading.family}" if reading.family else f"of {_listed(rule)}"
        if rule.newest is not None:
            return f"rule {self.number}: newest {rule.newest} {what}"
        return f"rule {self.number}: {_listed(rule)}"

    def warnings(self) -> list[str]:
        """What a person should know about this rule."""
        found = []
        held = {item.family for item in self.chosen}
        if len(held) > MANY_FAMILIES:
            hint = "" if self.rule.max else "; `max` or `max_age` would bound it"
            found.append(f"rule {self.number} admits {len(held)} families{hint}")
        expected = self.rule.from_ or tuple(self.work.policy.providers)
        if not self.shelves or any(name not in self.work.shelves for name in expected):
            return found
        if not self.named:
            found.append(
                f"rule {self.number} finds nothing: nobody asked lists {_listed(self.rule)}"
            )
            return found
        found += [
            f"rule {self.number}: nobody asked lists {pattern!r}"
            for pattern in self.rule.match
            if compile_glob(pattern).literal
            and not any(shelf.matching(pattern) for shelf in self.shelves)
        ]
        return found


def _ids(rule: Rule, shelf: Shelf) -> Iterable[str]:
    """The ids on a shelf that a rule names; with both family and match, those that fit both."""
    by_family = [model_id for name in rule.family for model_id in shelf.of_family(name)]
    if not rule.match:
        return dict.fromkeys(by_family)
    by_match = dict.fromkeys(one for pattern in rule.match for one in shelf.matching(pattern))
    if not rule.family:
        return by_match
    both = set(by_family)
    return [model_id for model_id in by_match if model_id in both]


def _names_exactly(rule: Rule, item: Item) -> bool:
    """Whether a special model is named: by its exact id, a variant also by its spelled suffix."""
    if not item.special or item.model.id in rule.match:
        return True
    suffix = f":{item.reading.variant}"
    return item.is_variant and any(pattern.endswith(suffix) for pattern in rule.match)


def _listed(rule: Rule) -> str:
    return ", ".join((*rule.family, *rule.match))


def _by_version(items: list[Item]) -> list[list[Item]]:
    """One family's versions, newest first, the preferred id of each first."""
    if len(items) == 1:
        return [items]
    by_key = {item.model.key: item for item in items}
    versions = families.versions(item.model for item in items)
    return [[by_key[model.key] for model in rows] for rows in versions]


def _day(item: Item) -> date | None:
    return release_day(item.model, item.reading)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple) and not hasattr(value, "operator"):
        return ", ".join(map(str, value))
    if isinstance(value, Stage):
        return value.value
    return f"{value}"
