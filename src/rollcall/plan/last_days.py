"""Tells which models of the config end, when, by whose word, and what becomes of those who use them.

A last day is the provider's own announcement, else one of the lists the policy believes. The user's
hand-written entries are told of too: nobody else looks after them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel

from rollcall.catalog.facts import whose
from rollcall.catalog.model import Model
from rollcall.litellm_config.entries import (
    called_by,
    day_of,
    leaves_on,
    model_of,
    name_of,
    section_of,
)
from rollcall.plan.changes import STRICT
from rollcall.selection.admission import decisive, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from rollcall.plan.inputs import Inputs
    from rollcall.plan.model_list import Placement
    from rollcall.selection.admission import Admission
    from rollcall.selection.aliases import Resolved


class LastDay(BaseModel):
    """One entry whose model ends.

    Attributes:
        name: its model_name. model: `provider/id`.
        source: whose word the day is: the provider's name, or another list.
        successor: the provider's own id of what follows; None = nobody says.
        follows: what the policy makes of the successor, in a few words; "" where there is none.
        aliases: those that lead to it after this run.
        hand_written: the user's own entry, which rollcall does not change.
    """

    model_config = STRICT

    name: str
    model: str
    ends: date
    source: str
    successor: str | None = None
    follows: str = ""
    aliases: tuple[str, ...] = ()
    hand_written: bool = False

    def days_left(self, today: date) -> int:
        """Whole days until it; negative once it is past."""
        return (self.ends - today).days

    def told(self, today: date) -> str:
        """One line: `gpt-4 ends on 2026-10-23 (openai), successor gpt-5.6-sol: admitted as ...`."""
        days = self.days_left(today)
        left = f"in {days} day{'s' if days > 1 else ''}" if days > 0 else "today"
        when = f"ended on {self.ends}" if days < 0 else f"ends on {self.ends}, {left}"
        who = f"{self.name}, written by hand," if self.hand_written else self.name
        after = f", successor {self.successor}: {self.follows}" if self.successor else ""
        led = f"; aliases on it: {', '.join(self.aliases)}" if self.aliases else ""
        return f"{who} {when} ({whose(self.source)}){after}{led}"


def last_days(
    inputs: Inputs,
    admitted: Admission,
    placements: Iterable[Placement],
    resolved: Iterable[Resolved],
) -> tuple[LastDay, ...]:
    """Every entry in the config after this run whose model's last day is known, the nearest first.

    An entry in grace is left out: it says itself when it goes.
    """
    leading: dict[str, list[str]] = {}
    for alias in resolved:
        leading.setdefault(alias.target or "", []).append(alias.name)
    found = []
    for one in placements:
        model = one.admitted.model if one.admitted else _listed_or_stated(inputs, one)
        if model is not None and leaves_on(one.entry) is None:
            found.append((one.name, model, False))
    for entry in inputs.own_entries:
        model = _hand_written(inputs, entry)
        if model is not None:
            found.append((name_of(entry), model, True))
    rows = [
        LastDay(
            name=name,
            model=model.qualified,
            ends=model.ends,
            source=model.borrowed.get("ends", model.provider),
            successor=model.replaced_by,
            follows=_follows(inputs, admitted, model),
            aliases=tuple(leading.get(name, ())),
            hand_written=own,
        )
        for name, model, own in found
        if model.ends is not None
    ]
    return tuple(sorted(rows, key=lambda row: (row.ends, row.name)))


def ending(inputs: Inputs, rows: Iterable[LastDay]) -> list[LastDay]:
    """Those that end within the notice the policy asks for, or have ended."""
    notice = inputs.policy.defaults.warn_before
    return [row for row in rows if notice and row.days_left(inputs.today) <= notice[0]]


def _listed_or_stated(inputs: Inputs, one: Placement) -> Model | None:
    """The model of an entry that stays as it is: as it is listed now, else as the entry says."""
    model = inputs.listed.get((one.key.provider, one.key.id)) or model_of(one.entry)
    return None if model is None else inputs.others.complete(model)


def _hand_written(inputs: Inputs, entry: Mapping[str, Any]) -> Model | None:
    """The model that one of the user's entries calls, with what is known of its last day."""
    called = called_by(entry)
    if called is None:
        return None
    model = inputs.model_called(called)
    if model is None:
        prefix, _, rest = called.partition("/")
        provider = inputs.provider_called(prefix) or prefix
        model = Model(provider=provider, id=rest or called, litellm_model=called)
    said = day_of(section_of(entry, "model_info").get("deprecation_date"))
    known = inputs.others.complete(model)
    return known if said is None else known.model_copy(update={"ends": said, "borrowed": {}})


def _follows(inputs: Inputs, admitted: Admission, model: Model) -> str:
    """What the policy makes of a model's successor."""
    if model.replaced_by is None:
        return ""
    key = (model.provider, model.replaced_by)
    name = next((row.name for row in admitted.admitted if row.model.key == key), None)
    if name is not None:
        return f"admitted as {name}"
    if model.provider not in inputs.policy.providers:
        return "not admitted by any rule"
    if key in inputs.listed and model.provider in inputs.catalogs:
        step = decisive(admitted.trail(*key))
        return f"not admitted by any rule ({step.why})"
    rule = rule_of(inputs.policy, _like(model, model.replaced_by))
    return "not admitted by any rule" if rule is None else f"would be admitted by rule {rule + 1}"


def _like(model: Model, model_id: str) -> Model:
    """A model nobody lists yet, of the same provider and maker."""
    return Model(provider=model.provider, id=model_id, litellm_model=model_id, maker=model.maker)
