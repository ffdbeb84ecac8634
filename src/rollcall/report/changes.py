"""Each change of a plan as a row for people or programs: its kind, price, age and why; those that
are alike folded into one.

price   "$2.00 / $6.00", "$2.00 / $6.00 -> $3.00 / $9.00", "unknown"
age     days since the model came out, else since it was first seen; None = unknown
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.catalog.facts import NOTHING_BORROWED, OtherLists, short
from rollcall.catalog.model import in_dollars, per_million
from rollcall.catalog.order import release_date
from rollcall.litellm_config.entries import by_name, key_of, model_of
from rollcall.plan.changes import ChangeKind, changed_fields, is_price, label_of
from rollcall.plan.departures import Cause
from rollcall.plan.plan import text_after, text_before
from rollcall.report.text import Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from rollcall.catalog.model import Model, ModelKey, Price
    from rollcall.plan.changes import Change
    from rollcall.plan.plan import Plan
    from rollcall.sync.apply import Planned


UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Birth:
    """The day a model came out; `first_seen`: its provider gives none, it is the day we saw it."""

    day: date
    first_seen: bool = False


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What a report knows of the models behind a plan's names.

    Attributes:
        entries: model_name -> our entry, before or after the plan.
        born: (provider, id) -> its birth, where that is known.
        others: what other lists say, whose prices serve where a provider states none.
        before, after: our own lines of config.yaml, now and after the plan; "" = nothing changes.
    """

    entries: Mapping[str, Any] = field(default_factory=dict)
    born: Mapping[ModelKey, Birth] = field(default_factory=dict)
    today: date | None = None
    others: OtherLists = NOTHING_BORROWED
    before: str = ""
    after: str = ""

    def price(self, change: Change) -> str:
        """Input and output in USD per 1M tokens, old and new where they differ."""
        old, new = (
            self._price(self._entry(change, side)) for side in (change.before, change.after)
        )
        if old and new and old != new:
            return f"{old} -> {new}"
        return new or old

    def birth(self, change: Change) -> Birth | None:
        """Of the model that comes, else of the one that goes."""
        entry = self._entry(change, change.after) or self._entry(change, change.before)
        key = key_of(entry) if entry else None
        return self.born.get(key) if key else None

    def age_days(self, change: Change) -> int | None:
        """Whole days since its birth."""
        birth = self.birth(change)
        return None if birth is None or self.today is None else (self.today - birth.day).days

    def model(self, change: Change) -> Model | None:
        """The model that comes, else the one that goes, with the prices other lists give it."""
        entry = self._entry(change, change.after) or self._entry(change, change.before)
        model = model_of(entry) if entry else None
        return self.others.complete(model) if model else None

    def _entry(self, change: Change, side: Any) -> Any:
        if change.kind is ChangeKind.ALIAS:
            return self.entries.get(str(side.get("model") if isinstance(side, dict) else side))
        return side if isinstance(side, dict) else None

    def _price(self, entry: Any) -> str:
        model = model_of(entry) if entry else None
        if model is None:
            return ""
        known = self.others.complete(model)
        source = known.borrowed.get("price")
        return _shown(known.price) + (f" ({short(source)})" if source else "")


def facts_of(planned: Planned) -> ChangeFacts:
    """The facts behind a plan that has just been made."""
    inputs = planned.inputs
    entries = by_name((*inputs.document.managed.models, *planned.decision.blocks.models))
    born = {}
    for answer in inputs.answers.values():
        for model in answer.models:
            if released := release_date(model):
                born[model.key] = Birth(released)
            elif seen := inputs.first_seen(model.provider, model.id):
                born[model.key] = Birth(seen, first_seen=True)
    facts = ChangeFacts(entries, born, inputs.today, inputs.others)
    if not planned.plan.changed:
        return facts
    return replace(facts, before=text_before(inputs), after=text_after(planned.plan))


def _shown(price: Price) -> str:
    if price.input is None and price.output is None:
        return UNKNOWN
    return " / ".join(
        "?" if amount is None else in_dollars(amount) for amount in (price.input, price.output)
    )


SIGNS = {
    "add": ("+", Style.ADD),
    "update": ("~", Style.UPDATE),
    "leaves": ("-", Style.LEAVE),
    "gone": ("-", Style.ERROR),
    "alias": (">", Style.LEADS),
    "fallback": (">>", Style.LEADS),
    "held": ("!", Style.HOLD),
}
"""A kind of change in a person's words -> its sign and colour."""
KINDS = {
    ChangeKind.ADD: "add",
    ChangeKind.UPDATE: "update",
    ChangeKind.REMOVE: "gone",
    ChangeKind.ALIAS: "alias",
    ChangeKind.FALLBACK: "fallback",
}


class Row(NamedTuple):
    """One change, or several that are alike, for people.

    Attributes:
        kind: a key of SIGNS.
        group: its provider; "" of aliases and fallbacks.
        names: of those that are told together.
        alike: what others must share to be told together with it; "" = it stands alone.
        rise: how much the dearest moved price moved, where only prices did; as a share.
    """

    kind: str
    name: str
    price: str
    age: str
    why: str
    group: str
    names: str = ""
    alike: str = ""
    rise: float = 0.0


def kind_of(change: Change) -> str:
    """The kind of a change in a person's words; leaving is one of its own."""
    return "leaves" if change.leaves else KINDS[change.kind]


def row_of(change: Change, facts: ChangeFacts) -> Row:
    """One change."""
    days, kind = facts.age_days(change), kind_of(change)
    entry = change.after if isinstance(change.after, dict) else change.before
    key = None if kind in ("alias", "fallback") else key_of(_first(entry))
    row = Row(
        kind=kind,
        name=change.name,
        price="" if kind == "leaves" else facts.price(change),
        age="" if days is None or kind == "leaves" else f"{days} d",
        why=why_of(change),
        group=key.provider if key else "",
    )
    if kind == "leaves":
        return row._replace(
            alike=f"on {change.leaves} ({_likeness(change, 'superseded', change.told_why)})"
        )
    if kind == "gone":
        return row._replace(alike=_likeness(change, "superseded; its grace is over", change.reason))
    return _with_likeness(row, change) if kind == "update" else row


def _likeness(change: Change, superseded: str, why: str) -> str:
    """What entries that go must share to be told together: of superseded ones not by which."""
    return superseded if change.cause == Cause.SUPERSEDED else why


def _first(entry: Any) -> Any:
    """An entry; of a group its first one."""
    deployments = entry.get("deployments") if isinstance(entry, dict) else None
    return deployments[0] if deployments else entry or {}


MOST_FOLDED_RISE = 0.25
"""A price that moves by this or more is never told among others."""


def _with_likeness(row: Row, change: Change) -> Row:
    before, after = change.before, change.after
    if not isinstance(before, dict) or not isinstance(after, dict) or "deployments" in after:
        return row
    fields = list(changed_fields(before, after))
    prices = [field for field in fields if is_price(field[0])]
    if not prices:
        return row._replace(alike=", ".join(sorted(label_of(key) for key, _, _ in fields)))
    rise = max(_moved(old, new) for _, old, new in prices)
    if len(prices) < len(fields) or rise >= MOST_FOLDED_RISE:
        return row
    return row._replace(alike="price", rise=rise)


def _moved(old: Any, new: Any) -> float:
    """By how much a price moved, as a share; one that was not there, or was free, by all."""
    if not isinstance(old, int | float) or not isinstance(new, int | float) or not old:
        return 1.0
    return abs(new / old - 1)


BIG = 30
"""A plan with more changes than this is folded."""
FOLD_FROM = 4
NAMES_SHOWN = 3


def folded(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows by provider, those that are alike as one; aliases and fallbacks last."""
    groups = sorted({row.group for row in rows} - {""}, key=[row.group for row in rows].index)
    for group in (*groups, ""):
        mine = sorted(
            (row for row in rows if row.group == group), key=lambda row: list(SIGNS).index(row.kind)
        )
        alike = {row: [one for one in mine if _are_alike(one, row)] for row in mine}
        for row in mine:
            if len(alike[row]) < FOLD_FROM:
                yield row
            elif alike[row][0] is row:
                yield _together(alike[row])


def _are_alike(one: Row, other: Row) -> bool:
    return one is other or (one.alike != "" and (one.kind, one.alike) == (other.kind, other.alike))


def _together(rows: Sequence[Row]) -> Row:
    first = rows[0]
    most = NAMES_SHOWN if first.kind == "update" else len(rows)
    names = ", ".join(row.name for row in rows[:most])
    if len(rows) > most:
        names += f" and {len(rows) - most} more"
    name = f"{len(rows)} models, {first.alike}"
    if first.alike == "price":
        bound = next(one for one in (1, 5, 10, 25) if max(row.rise for row in rows) < one / 100)
        name = f"{len(rows)} price changes, all below {bound} %"
    return first._replace(name=name, price="", age="", why="", names=names)


def why_of(change: Change) -> str:
    """Why, as a person reads it beside the kind and the name."""
    if change.leaves:
        return f"on {change.leaves} ({change.told_why})"
    if change.kind not in (ChangeKind.ALIAS, ChangeKind.FALLBACK):
        return change.reason
    was = f"{target_of(change.before)} " if change.before else ""
    move = f"{was}-> {target_of(change.after)}"
    return f"{move}; {change.reason}" if change.reason else move


def target_of(value: Any) -> str:
    """What an alias or a list of fallbacks leads to, for people."""
    if isinstance(value, dict):
        return f"{value.get('model')} (hidden)" if value.get("hidden") else str(value.get("model"))
    if isinstance(value, list):
        return ", ".join(str(target) for target in value)
    return str(value) if value else "none"


RECORD = (
    "kind", "name", "provider", "target", "leaves", "input_price", "output_price", "age_days",
    "reason",
)  # fmt: skip
"""The fields of a change as a program reads it; prices are USD per 1M tokens."""


def records(plan: Plan, facts: ChangeFacts) -> Iterator[dict[str, Any]]:
    """Every change, and what is held, for a program."""
    for change in plan.changes:
        row, model = row_of(change, facts), facts.model(change)
        leads = change.kind in (ChangeKind.ALIAS, ChangeKind.FALLBACK)
        yield {
            "kind": row.kind,
            "name": change.name,
            "provider": row.group,
            "target": target_of(change.after) if leads and change.after else None,
            "leaves": change.leaves,
            "input_price": _amount(model.price.input) if model else None,
            "output_price": _amount(model.price.output) if model else None,
            "age_days": facts.age_days(change),
            "reason": change.reason,
        }
    for held in plan.held:
        yield {"kind": "held", "name": held.name, "reason": f"{held.change}: {held.reason}"}


def _amount(price: Any) -> str | None:
    return None if price is None else f"{per_million(price).normalize():f}"
