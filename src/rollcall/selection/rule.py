"""One rule at work: which models pass it, which is the newest, and what stops the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from rollcall.catalog import order
from rollcall.catalog.facts import NOTHING_BORROWED, OtherLists, said_by
from rollcall.policy.words import render_name
from rollcall.selection.provider_catalog import ProviderCatalog

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from rollcall.catalog.model import Model, ModelKey
    from rollcall.policy.conditions import Unmet
    from rollcall.policy.rules import Rule
    from rollcall.policy.schema import Policy
    from rollcall.selection.provider_catalog import ListedModel


class Stop(StrEnum):
    """What keeps a model out, in the order of work: the deny list, else what a rule asks."""

    DENIED = "denied"
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


@dataclass(frozen=True)
class RuleContext:
    """What every rule decides from.

    Attributes:
        listed: provider -> its models; a provider that could not be asked is not in it.
        first_seen: the day we first saw (provider, id); None = old enough for every `min_age`.
        accepted: ids, `provider/id`s or model_names let past `min_age`.
        named_only: only rules whose `from` names the provider (mode `subagents`).
        present: (provider, id) of entries in the file: what is in is never held.
        unproven: why a model that a rule (by its number) would admit under a name waits for a
            trial; None = it does not.
        others: what other lists say where a provider says nothing.
    """

    policy: Policy
    listed: Mapping[str, Sequence[Model]]
    today: date
    first_seen: Callable[[str, str], date | None] = lambda _provider, _id: None
    accepted: frozenset[str] = frozenset()
    named_only: bool = False
    present: frozenset[ModelKey] = frozenset()
    unproven: Callable[[Model, int, str], str | None] | None = None
    others: OtherLists = NOTHING_BORROWED

    @cached_property
    def catalogs(self) -> dict[str, ProviderCatalog]:
        """The lists laid out, in the policy's order of providers; others behind them, by name."""
        names = [name for name in self.policy.providers if name in self.listed]
        names += sorted(set(self.listed) - set(names))
        return {
            name: ProviderCatalog(name, self.listed[name], self.policy, self.others)
            for name in names
        }

    def waits(self, model: Model, number: int) -> str | None:
        """Why a guard holds a model back that a rule would admit; None where none does."""
        if model.key in self.present:
            return None
        name = render_name(self.policy.rule(number).name or self.policy.naming, model)
        young = self._too_young(model)
        if young and not self.policy.accepts((model.id, model.qualified, name), self.accepted):
            return young
        return self.unproven(model, number, name) if self.unproven else None

    def _too_young(self, model: Model) -> str | None:
        least = self.policy.guards.min_age
        if not least:
            return None
        released = order.release_date(model)
        day = released or self.first_seen(*model.key)
        if day is None or (age := (self.today - day).days) >= least:
            return None
        when = f"{age} days ago" if age >= 0 else f"on {day}"
        return f"{'released' if released else 'first seen'} {when}, min_age is {least} days"


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
    def named_ids(self) -> dict[str, Collection[str]]:
        """The ids it names of each provider of its own that answered."""
        return {catalog.provider: named_ids(self.rule, catalog) for catalog in self.catalogs}

    @cached_property
    def named(self) -> list[ListedModel]:
        """What the rule names by id, pattern or family, less the denied; by catalog and id."""
        found = []
        for catalog in self.catalogs:
            for model_id in self.named_ids[catalog.provider]:
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
    def held(self) -> list[tuple[ListedModel, str]]:
        """What it would admit, were it older, or had it answered; and why it waits."""
        return [(item, why) for item in self._wanted if (why := self._waits(item))]

    @cached_property
    def _wanted(self) -> list[ListedModel]:
        return self._select(self.passing)

    def _waits(self, item: ListedModel) -> str | None:
        return self.context.waits(item.model, self.number)

    def stop(self, item: ListedModel) -> tuple[Stop, str] | None:
        """What stops a named model before `newest` and `max`, and why."""
        rule, model, today = self.rule, item.model, self.context.today
        retired = model.ends is not None and model.ends < today
        if retired and "ends" not in model.borrowed:  # what its provider lists, it still serves
            return Stop.RETIRED, f"it ended on {model.ends}"
        exact = "stage" not in rule.model_fields_set and model.id in rule.match
        stage = model.reading.stage
        if not exact and rule.stage not in ("any", stage):
            return Stop.STAGE, f"takes {rule.stage} models, this one is {stage}"
        if unmet := self.unmet(item):
            known = "unknown, which never passes" if unmet.fact is None else plain(unmet.fact)
            asked = f"{unmet.name} {plain(unmet.wanted)}"
            return Stop.WHERE, f"wants {asked}; this one's is {known}{said_by(unmet.source)}"
        if rule.max_age is not None:
            day = order.release_date(model)
            if day is None or (today - day).days > rule.max_age:
                why = f"released {day}" if day else "its release day is unknown"
                return Stop.MAX_AGE, f"{why}, max_age is {rule.max_age} days"
        return None

    def unmet(self, item: ListedModel) -> Unmet | None:
        """The first of the rule's conditions that a model does not meet."""
        where = self.rule.where
        return where.failing(item.model, self.rule.assume) if where else None

    def _select(self, items: list[ListedModel]) -> list[ListedModel]:
        if self.rule.newest is not None:
            families = _grouped(items, self._group).values()
            items = [item for rows in families for item in self._first(_by_version(rows))]
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
    def _relatives(self) -> dict[object, list[ListedModel]]:
        return _grouped(self.passing, self._group)

    def _group(self, item: ListedModel) -> tuple[object, ...]:
        """What `newest` counts in: provider and family."""
        return item.model.provider, self._family(item)

    def _family(self, item: ListedModel) -> object:
        """The family a model counts in; those a rule lists together are one."""
        return None if self.rule.family else item.family

    def _first(self, versions: list[list[ListedModel]]) -> list[ListedModel]:
        """One id of each of the newest versions; one that ends soon yields to its successor."""
        policy, pool = self.context.policy, {row.model.id: row for rows in versions for row in rows}
        picked: dict[str, ListedModel] = {}
        for rows in versions[: self.rule.newest]:
            lasting = [
                item for item in rows if not policy.ends_soon(item.model, self.context.today)
            ]
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
        for rows in _grouped(items, self._family).values():
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

    @staticmethod
    def names(rule: Rule, catalog: ProviderCatalog, item: ListedModel) -> bool:
        """Whether a rule names a model of its providers, whatever else it asks."""
        if rule.from_ and catalog.provider not in rule.from_:
            return False
        return item.model.id in named_ids(rule, catalog) and names_exactly(rule, item)

    def reason(self, model: Model) -> str:
        """Why a model is in, for people: `rule 3: newest 1 of claude-sonnet`."""
        return f"rule {self.number}: {self.what_admits(model)}"

    def what_admits(self, model: Model) -> str:
        """What of the rule admits a model: `newest 1 of claude-sonnet`, or the words it lists."""
        if self.rule.newest is None:
            return listed(self.rule)
        return f"newest {self.rule.newest} of {model.reading.family or listed(self.rule)}"


def named_ids(rule: Rule, catalog: ProviderCatalog) -> Collection[str]:
    """The ids of a catalog that a rule names; with both family and match, those that fit both."""
    by_family = [model_id for name in rule.family for model_id in catalog.of_family(name)]
    if not rule.match:
        return dict.fromkeys(by_family)
    by_match = dict.fromkeys(one for pattern in rule.match for one in catalog.matching(pattern))
    if not rule.family:
        return by_match
    both = set(by_family)
    return {model_id: None for model_id in by_match if model_id in both}


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


def _grouped(
    items: Iterable[ListedModel], key: Callable[[ListedModel], object]
) -> dict[object, list[ListedModel]]:
    found: dict[object, list[ListedModel]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _by_version(items: list[ListedModel]) -> list[list[ListedModel]]:
    """One family's versions, newest first, the preferred id of each first."""
    if len(items) == 1:
        return [items]
    by_key = {item.model.key: item for item in items}
    versions = order.versions(item.model for item in items)
    return [[by_key[model.key] for model in rows] for rows in versions]


Ruling = tuple[Stop | None, str]
"""What stops a model, and why; (None, why) when the rule admits it."""


def verdict(applied: AppliedRule, item: ListedModel) -> Ruling:
    """What a rule says of a model that is not denied."""
    rule, model = applied.rule, item.model
    named = applied.named_ids.get(model.provider)
    if named is None:
        return Stop.FROM, f"asks only {', '.join(rule.from_) or 'rules that name a provider'}"
    if model.id not in named:
        return Stop.UNNAMED, f"names {listed(rule)}, not this one"
    if not names_exactly(rule, item):
        reasons = " and ".join(item.special)
        return Stop.SPECIAL, f"{reasons}: only a rule that names its exact id admits it"
    return applied.stop(item) or _of_selection(applied, item)


def _of_selection(applied: AppliedRule, item: ListedModel) -> Ruling:
    rule = applied.rule
    if item in applied.chosen:
        return None, applied.what_admits(item.model)
    if why := next((why for held, why in applied.held if held is item), None):
        return Stop.HELD, why
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
