"""Price and age of what a plan changes, for people. Pure.

price   "$2.00 / $6.00", "$2.00 / $6.00 -> $3.00 / $9.00", "unknown"
age     days since the model came out, else since it was first seen; None = unknown
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollcall.changes import per_million
from rollcall.entries import key_of, model_of
from rollcall.guards import PRICED_BY_OTHERS
from rollcall.plan import ChangeKind
from rollcall.prices import stand_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from rollcall.catalog import Model, Price
    from rollcall.plan import Change
    from rollcall.sync import Planned

UNKNOWN = "unknown"
STAND_IN = " (OpenRouter's)"
"""Behind the price of another seller of the same model, where the provider lists none."""


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
        stand_ins: OpenRouter's models, whose prices serve where a provider lists none.
    """

    entries: Mapping[str, Any] = field(default_factory=dict)
    born: Mapping[tuple[str, str], Birth] = field(default_factory=dict)
    today: date | None = None
    stand_ins: Sequence[Model] = ()

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
        return self.born.get((key.provider, key.id)) if key else None

    def age_days(self, change: Change) -> int | None:
        """Whole days since its birth."""
        birth = self.birth(change)
        return None if birth is None or self.today is None else (self.today - birth.day).days

    def _entry(self, change: Change, side: Any) -> Any:
        if change.kind is ChangeKind.ALIAS:
            return self.entries.get(str(side.get("model") if isinstance(side, dict) else side))
        return side if isinstance(side, dict) else None

    def _price(self, entry: Any) -> str:
        model = model_of(entry) if entry else None
        if model is None:
            return ""
        own = _shown(model.price)
        if own != UNKNOWN:
            return own
        other = stand_in(model, self.stand_ins)
        return f"{_shown(other.price)}{STAND_IN}" if other else UNKNOWN


def facts_of(planned: Planned) -> ChangeFacts:
    """The facts behind a plan that has just been made."""
    situation = planned.situation
    entries = {str(entry["model_name"]): entry for entry in situation.document.managed.models}
    entries |= {str(entry["model_name"]): entry for entry in planned.decision.blocks.models}
    born = {}
    for answer in situation.answers.values():
        for model in answer.models:
            if model.released is not None:
                born[model.key] = Birth(model.released)
            elif seen := situation.first_seen(model.provider, model.id):
                born[model.key] = Birth(seen, first_seen=True)
    offers = situation.answers.get(PRICED_BY_OTHERS)
    return ChangeFacts(entries, born, situation.today, offers.models if offers else ())


def _shown(price: Price) -> str:
    if price.input is None and price.output is None:
        return UNKNOWN
    return " / ".join(
        "?" if amount is None else f"${per_million(amount)}"
        for amount in (price.input, price.output)
    )
