"""One rule at work: which models pass it, which is the newest, and what stops the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from rollcall.catalog import order, reading
from rollcall.catalog.facts import said_by
from rollcall.policy.words import render_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rollcall.catalog.model import Model
    from rollcall.catalog.reading import Reading
    from rollcall.policy.conditions import Unmet
    from rollcall.policy.schema import Policy, Rule
    from rollcall.selection.provider_catalog import ListedModel, ProviderCatalog


class Stop(StrEnum):
    """What keeps a model from passing a rule, in the order of work."""

    FROM = "from"
    UNNAMED = "unnamed"
    SPECIAL = "special"
    RETIRED = "retired"
    STAGE = "stage"
    WHERE = "where"
    MAX_AGE = "max_age"
    HELD = "held"
    NEWEST = "newest"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What every rule decides from; see `rollcall.selection.admission.admit`."""

    policy: Policy
    catalogs: dict[str, ProviderCatalog]
    today: date
    first_seen: Callable[[str, str], date | None]
    accepted: frozenset[str]
    named_only: bool
    present: frozenset[tuple[str, str]]
    unproven: Callable[[Model, Rule, str], str | None] | None = None

    def rule(self, number: int) -> Rule:
        """The rule counted from 1."""
        return self.policy.allow[number - 1]

    def ends_soon(self, model: Model) -> bool:
        """Whether its announced end is near."""
        return ends_soon(self.policy, model, self.today)

    def waits(self, item: ListedModel, rule: Rule) -> str | None:
        """Why a guard holds a model back, for people; None where none does."""
        if item.model.key in self.present:
            return None
        name = render_name(rule.name or self.policy.naming, item.model)
        if self._too_young(item, name):
            return self._age_reason(item)
        return self.unproven(item.model, rule, name) if self.unproven else None

    def _too_young(self, item: ListedModel, name: str) -> bool:
        """Whether `min_age` holds a model back."""
        if not self.policy.guards.min_age:
            return False
        if not self.accepted.isdisjoint((item.model.id, item.model.qualified, name)):
            return False
        day = self._known_since(item)
        return day is not None and (self.today - day).days < self.policy.guards.min_age

    def _age_reason(self, item: ListedModel) -> str:
        day = self._known_since(item)
        since = "released" if order.release_date(item.model) else "first seen"
        days = (self.today - day).days if day else 0
        when = f"{days} days ago" if days >= 0 else f"on {day}"
        return f"{since} {when}, min_age is {self.policy.guards.min_age} days"

    def _known_since(self, item: ListedModel) -> date | None:
        return order.release_date(item.model) or self.first_seen(*item.model.key)

    def target_of(self, catalog: ProviderCatalog, target: str) -> Reading:
        """The reading of what a moving id points at."""
        if target in catalog.models:
            return catalog.item(target).model.reading
        return reading.read(target)


def ends_soon(policy: Policy, model: Model, today: date) -> bool:
    """Whether a model's last day is so near that its successor goes before it."""
    notice = policy.defaults.move_before
    return notice is not None and model.ends is not None and model.ends <= today + notice


class AppliedRule:
    """One rule at work."""

    def __init__(self, context: RuleContext, rule: Rule, number: int) -> None:
        """The rule counted `number` from 1."""
        self.context = context
        self.rule = rule
        self.number = number
        self._leading: dict[tuple[object, ...], list[ListedModel]] = {}

    @cached_property
    def catalogs(self) -> tuple[ProviderCatalog, ...]:
        """The catalogs of the rule's providers that answered."""
        if not self.rule.from_:
            return () if self.context.named_only else tuple(self.context.catalogs.values())
        known = self.context.catalogs
        return tuple(known[name] for name in self.rule.from_ if name in known)

    @cached_property
    def named(self) -> list[ListedModel]:
        """What the rule names by id, pattern or family, less the denied; by catalog and id."""
        found = []
        for catalog in self.catalogs:
            for model_id in named_ids(self.rule, catalog):
                item = catalog.item(model_id)
                if item.denied is None and names_exactly(self.rule, item):
                    found.append(item)
        return found

    @cached_property
    def passing(self) -> list[ListedModel]:
        """What also meets its stage and conditions."""
        return [item for item in self.named if self.stop(item) is None]

    @cached_property
    def chosen(self) -> list[ListedModel]:
        """What the rule admits, newest first."""
        if not self.held:
            return self._wanted
        return self._select([item for item in self.passing if not self._waits(item)])

    @cached_property
    def held(self) -> list[ListedModel]:
        """What it would admit, were it older, or had it answered."""
        return [item for item in self._wanted if self._waits(item)]

    @cached_property
    def _wanted(self) -> list[ListedModel]:
        return self._select(self.passing)

    def _waits(self, item: ListedModel) -> str | None:
        return self.context.waits(item, self.rule)

    def stop(self, item: ListedModel) -> Stop | None:
        """What stops a named model before `newest` and `max`."""
        rule, model = self.rule, item.model
        retired = model.ends is not None and model.ends < self.context.today
        if retired and "ends" not in model.borrowed:  # what its provider lists, it still serves
            return Stop.RETIRED
        exact = "stage" not in rule.model_fields_set and model.id in rule.match
        if not exact and rule.stage != "any" and model.reading.stage != rule.stage:
            return Stop.STAGE
        if self.unmet(item) is not None:
            return Stop.WHERE
        if rule.max_age is not None:
            day = order.release_date(model)
            if day is None or (self.context.today - day).days > rule.max_age:
                return Stop.MAX_AGE
        return None

    def unmet(self, item: ListedModel) -> Unmet | None:
        """The first of the rule's conditions that a model does not meet."""
        where = self.rule.where
        return where.failing(item.model, self.rule.assume) if where else None

    def _select(self, items: list[ListedModel]) -> list[ListedModel]:
        if self.rule.newest is not None:
            items = [
                item for catalog in self.catalogs for item in self._newest(items, catalog.provider)
            ]
        return self._in_order(items)[: self.rule.max]

    def would_take(self, item: ListedModel) -> bool:
        """Whether a model that is not listed would be among the chosen, were it to pass."""
        if self.rule.max is not None:
            return item in self._select([*self.passing, item])
        return self.rule.newest is None or item in self._first(
            _by_version([*self._relatives.get(self._group(item), ()), item])
        )

    def ahead(self, item: ListedModel) -> list[ListedModel]:
        """The `newest` of the family a passing model belongs to, at its provider."""
        group = self._group(item)
        if group not in self._leading:
            self._leading[group] = self._first(_by_version(self._relatives.get(group, [])))
        return self._leading[group]

    @cached_property
    def _relatives(self) -> dict[tuple[object, ...], list[ListedModel]]:
        found: dict[tuple[object, ...], list[ListedModel]] = {}
        for item in self.passing:
            found.setdefault(self._group(item), []).append(item)
        return found

    def _group(self, item: ListedModel) -> tuple[object, ...]:
        """What `newest` counts in: provider and family; those a rule lists together are one."""
        return (item.model.provider, None if self.rule.family else item.family)

    def _newest(self, items: Iterable[ListedModel], provider: str) -> list[ListedModel]:
        """One provider's `newest` versions of each family, one id each."""
        mine = [item for item in items if item.model.provider == provider]
        return [item for rows in self._by_family(mine) for item in self._first(_by_version(rows))]

    def _first(self, versions: list[list[ListedModel]]) -> list[ListedModel]:
        """One id of each of the newest versions; one that ends soon yields to its successor."""
        pool = {item.model.id: item for rows in versions for item in rows}
        picked: dict[str, ListedModel] = {}
        for rows in versions[: self.rule.newest]:
            lasting = [item for item in rows if not self.context.ends_soon(item.model)]
            item = (lasting or rows)[0]
            successor = pool.get(item.model.replaced_by or "")
            if not lasting and successor is not None:
                item = successor
            picked[item.model.id] = item
        return list(picked.values())

    def _in_order(self, items: list[ListedModel]) -> list[ListedModel]:
        """Newest first: within a family by version, the providers of one version in the rule's
        order; families by their newest member's day.
        """
        rank = {catalog.provider: at for at, catalog in enumerate(self.catalogs)}
        groups = []
        for rows in self._by_family(items):
            newest = max(order.release_number(item.model) for item in rows)
            maker, family = rows[0].family
            groups.append((-newest, family, maker or "", rows))
        groups.sort(key=lambda group: group[:3])
        return [
            item
            for group in groups
            for rows in _by_version(group[3])
            for item in sorted(rows, key=lambda item: rank[item.model.provider])
        ]

    def _by_family(self, items: list[ListedModel]) -> list[list[ListedModel]]:
        """The families; those a rule lists together are one."""
        if self.rule.family:
            return [items] if items else []
        found: dict[tuple[str | None, str], list[ListedModel]] = {}
        for item in items:
            found.setdefault(item.family, []).append(item)
        return list(found.values())

    @staticmethod
    def names(rule: Rule, catalog: ProviderCatalog, item: ListedModel) -> bool:
        """Whether a rule names a model of its providers, whatever else it asks."""
        if rule.from_ and catalog.provider not in rule.from_:
            return False
        return item.model.id in named_ids(rule, catalog) and names_exactly(rule, item)

    def reason(self, model: Model) -> str:
        """Why a model is in, for people: `rule 3: newest 1 of claude-sonnet`."""
        what = listed(self.rule)
        if self.rule.newest is not None:
            what = f"newest {self.rule.newest} of {model.reading.family or what}"
        return f"rule {self.number}: {what}"


def named_ids(rule: Rule, catalog: ProviderCatalog) -> Iterable[str]:
    """The ids of a catalog that a rule names; with both family and match, those that fit both."""
    by_family = [model_id for name in rule.family for model_id in catalog.of_family(name)]
    if not rule.match:
        return dict.fromkeys(by_family)
    by_match = dict.fromkeys(one for pattern in rule.match for one in catalog.matching(pattern))
    if not rule.family:
        return by_match
    both = set(by_family)
    return [model_id for model_id in by_match if model_id in both]


def names_exactly(rule: Rule, item: ListedModel) -> bool:
    """Whether a special model is named: by its exact id; one that is nothing but a variant also by
    its spelled suffix.
    """
    if not item.special or item.model.id in rule.match:
        return True
    suffix = f":{item.model.reading.variant}"
    return item.only_a_variant and any(pattern.endswith(suffix) for pattern in rule.match)


def listed(rule: Rule) -> str:
    return ", ".join((*rule.family, *rule.match))


def _by_version(items: list[ListedModel]) -> list[list[ListedModel]]:
    """One family's versions, newest first, the preferred id of each first."""
    if len(items) == 1:
        return [items]
    by_key = {item.model.key: item for item in items}
    versions = order.versions(item.model for item in items)
    return [[by_key[model.key] for model in rows] for rows in versions]


Verdict = tuple[Stop | None, str]
"""What stops a model, and why; (None, why) when the rule admits it."""


def verdict(applied: AppliedRule, item: ListedModel) -> Verdict:
    """What a rule says of a model that is not denied."""
    rule, model = applied.rule, item.model
    catalog = next((row for row in applied.catalogs if row.provider == model.provider), None)
    if catalog is None:
        return Stop.FROM, f"asks only {', '.join(rule.from_) or 'rules that name a provider'}"
    if model.id not in named_ids(rule, catalog):
        return Stop.UNNAMED, f"names {listed(rule)}, not this one"
    if not names_exactly(rule, item):
        reasons = " and ".join(item.special)
        return Stop.SPECIAL, f"{reasons}: only a rule that names its exact id admits it"
    match applied.stop(item):
        case None:
            return _of_selection(applied, item)
        case Stop.RETIRED:
            return Stop.RETIRED, f"it ended on {model.ends}"
        case Stop.STAGE:
            return Stop.STAGE, f"takes {rule.stage} models, this one is {model.reading.stage}"
        case Stop.MAX_AGE:
            day = order.release_date(model)
            why = f"released {day}" if day else "its release day is unknown"
            return Stop.MAX_AGE, f"{why}, max_age is {rule.max_age} days"
        case stop:
            return stop, _of_where(applied, item)


def _of_where(applied: AppliedRule, item: ListedModel) -> str:
    unmet = applied.unmet(item)
    if unmet is None:
        return "does not meet its conditions"
    known = "unknown, which never passes" if unmet.fact is None else plain(unmet.fact)
    asked = f"{unmet.name} {plain(unmet.wanted)}"
    return f"wants {asked}; this one's is {known}{said_by(unmet.source)}"


def _of_selection(applied: AppliedRule, item: ListedModel) -> Verdict:
    rule = applied.rule
    if item in applied.chosen:
        return None, applied.reason(item.model).partition(": ")[2]
    if item in applied.held:
        return Stop.HELD, applied.context.waits(item, rule) or ""
    if rule.newest is not None:
        ahead = applied.ahead(item)
        if item not in ahead:
            stand = "stands" if len(ahead) == 1 else "stand"
            names = ", ".join(one.model.id for one in ahead)
            return Stop.NEWEST, f"newest {rule.newest}: {names} {stand} before it"
    return Stop.MAX, f"max {rule.max}: others are newer"


def plain(value: object) -> str:
    """A fact or a condition as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if type(value) is tuple:
        return ", ".join(map(str, value))
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
