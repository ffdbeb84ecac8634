"""Why one rule admits a model or stops it, in words; asked for one model at a time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.admission.selection import Stop, ids_of, listed, names_exactly
from rollcall.policy.where import fact_of, release_day

if TYPE_CHECKING:
    from rollcall.admission.selection import Selector
    from rollcall.admission.shelf import Item

Verdict = tuple[Stop | None, str]
"""What stops a model, and why; (None, why) when the rule admits it."""


def verdict(selector: Selector, item: Item) -> Verdict:
    """What a rule says of a model that is not denied."""
    rule, model = selector.rule, item.model
    shelf = next((row for row in selector.shelves if row.provider == model.provider), None)
    if shelf is None:
        return Stop.FROM, f"asks only {', '.join(rule.from_) or 'rules that name a provider'}"
    if model.id not in ids_of(rule, shelf):
        return Stop.UNNAMED, f"names {listed(rule)}, not this one"
    if not names_exactly(rule, item):
        return Stop.SPECIAL, f"{item.special}: only a rule that names its exact id admits it"
    match selector.stop(item):
        case None:
            return _of_selection(selector, item)
        case Stop.RETIRED:
            return Stop.RETIRED, f"it ended on {model.ends}"
        case Stop.STAGE:
            return Stop.STAGE, f"takes {rule.stage} models, this one is {item.reading.stage}"
        case Stop.MAX_AGE:
            day = release_day(model, item.reading)
            why = f"released {day}" if day else "its release day is unknown"
            return Stop.MAX_AGE, f"{why}, max_age is {rule.max_age} days"
        case stop:
            return stop, _of_where(selector, item)


def _of_where(selector: Selector, item: Item) -> str:
    where, assume = selector.rule.where, selector.rule.assume
    name = where.failing(item.model, item.reading, assume) if where else None
    if name is None:
        return "does not meet its conditions"
    wanted = getattr(where, name)
    fact = fact_of(name, item.model, item.reading)
    known = "unknown, which never passes" if fact is None else _plain(fact)
    return f"wants {name} {_plain(wanted)}; this one's is {known}"


def _of_selection(selector: Selector, item: Item) -> Verdict:
    rule = selector.rule
    if item in selector.chosen:
        return None, selector.reason(item.reading).partition(": ")[2]
    if item in selector.too_young:
        return Stop.YOUNG, selector.work.age_reason(item)
    if rule.newest is not None:
        ahead = selector.ahead(item)
        if item not in ahead:
            stand = "stands" if len(ahead) == 1 else "stand"
            names = ", ".join(one.model.id for one in ahead)
            return Stop.NEWEST, f"newest {rule.newest}: {names} {stand} before it"
    return Stop.MAX, f"max {rule.max}: others are newer"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if type(value) is tuple:
        return ", ".join(map(str, value))
    return str(value)
