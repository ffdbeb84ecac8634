"""Tells which models of the config end, when, by whose word, and who follows them. Pure.

A last day is the provider's own announcement, else one of the lists the policy believes. The user's
hand-written entries are told of too: nobody else looks after them.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from rollcall.catalog.facts import whose
from rollcall.catalog.model import Model, ModelKey
from rollcall.litellm_config.effective import provider_and_id
from rollcall.litellm_config.entries import (
    called_by,
    day_of,
    leaves_on,
    model_of,
    section_of,
)
from rollcall.plan.changes import STRICT
from rollcall.plan.inputs import ITS_ENTRY
from rollcall.selection.admission import decisive, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.plan.inputs import Inputs
    from rollcall.plan.model_list import Placement
    from rollcall.plan.own_entries import OwnEntry
    from rollcall.selection.admission import Admission
    from rollcall.selection.aliases import Resolved


NOT_ADMITTED = "not admitted by any rule"


class LastDay(BaseModel):
    """One entry whose model ends.

    Attributes:
        name: its model_name. model: `provider/id`.
        source: whose word the day is: the provider's name, or another list.
        successor: the provider's own id of what follows; None = nobody says.
        follows: what the policy makes of the successor, in a few words; "" where there is none.
        admitted_as: the model_name it gives the successor; "" = it does not admit it. Not saved.
        aliases: those that lead to it after this run.
        line: of the user's own entry in config.yaml, 1-based; None = one of ours.
    """

    model_config = STRICT

    name: str
    model: str
    ends: date
    source: str
    successor: str | None = None
    follows: str = ""
    admitted_as: str = Field("", exclude=True)
    aliases: tuple[str, ...] = ()
    line: int | None = None

    def days_left(self, today: date) -> int:
        """Whole days until it; negative once it is past."""
        return (self.ends - today).days

    @property
    def advice(self) -> str:
        """What a person can do, one sentence."""
        if self.admitted_as:
            return f"Have what names it use {self.admitted_as}, or an alias that moves by itself."
        if self.successor:
            return (
                f"Admit {self.successor} in policy.yaml, or have what names it use another model."
            )
        return "Have what names it use another model."

    def told(self, today: date) -> str:
        """One line: `gpt-4 ends on 2026-10-23 (openai), successor gpt-5.6-sol: admitted as ...`."""
        days = self.days_left(today)
        left = f"in {days} day{'s' if days > 1 else ''}" if days > 0 else "today"
        when = f"ended on {self.ends}" if days < 0 else f"ends on {self.ends}, {left}"
        own = self.line is not None
        who = f"your entry {self.name} (line {self.line}): {self.model}" if own else self.name
        after = f", successor {self.successor}: {self.follows}" if self.successor else ""
        led = f"; aliases on it: {', '.join(self.aliases)}" if self.aliases else ""
        return f"{who} {when} ({whose(self.source)}){after}{led}"


def last_days(
    inputs: Inputs,
    admitted: Admission,
    placements: Iterable[Placement],
    own: Iterable[OwnEntry],
    resolved: Iterable[Resolved],
) -> tuple[LastDay, ...]:
    """Every entry in the config after this run whose model's last day is known, the nearest first.

    An entry in grace is left out: it says itself when it goes.
    """
    leading: dict[str, list[str]] = {}
    for alias in resolved:
        leading.setdefault(alias.target or "", []).append(alias.name)
    found: list[tuple[str, Model, int | None]] = []
    for one in placements:
        model = one.admitted.model if one.admitted else _listed_or_stated(inputs, one)
        if model is not None and leaves_on(one.entry) is None:
            found.append((one.name, model, None))
    found += [
        (one.name, model, one.line)
        for one in (own if inputs.policy.model_list == "keep" else ())
        if (model := _own_model(inputs, one)) is not None
    ]
    rows = [
        LastDay(
            name=name,
            model=model.qualified,
            ends=model.ends,
            source=model.borrowed.get("ends", model.provider),
            successor=model.replaced_by,
            follows=_follows(inputs, admitted, model),
            admitted_as=_successor_name(admitted, model),
            aliases=tuple(leading.get(name, ())),
            line=line,
        )
        for name, model, line in found
        if model.ends is not None
    ]
    return tuple(sorted(rows, key=lambda row: (row.ends, row.name)))


def ending(inputs: Inputs, rows: Iterable[LastDay]) -> list[LastDay]:
    """Those that end within the notice the policy asks for, or have ended."""
    return [row for row in rows if inputs.policy.is_told(row.ends, inputs.today)]


def _listed_or_stated(inputs: Inputs, one: Placement) -> Model | None:
    """The model of an entry that stays as it is: as it is listed now, else as the entry says."""
    listed = inputs.listed.get(one.key)
    if listed is not None:
        return inputs.others.complete(listed)
    stated = model_of(one.entry)
    if stated is None:
        return None
    known = inputs.others.complete(stated.model_copy(update={"ends": None}))
    return _ending_on(known, stated.ends)


def _ending_on(model: Model, day: date | None) -> Model:
    """The model with the last day that its entry states; the entry's word where no list's is."""
    if day is None or day == model.ends:
        return model
    return model.model_copy(update={"ends": day, "borrowed": {"ends": ITS_ENTRY}})


def _own_model(inputs: Inputs, one: OwnEntry) -> Model | None:
    """The model that one of the user's entries calls; what the entry says of its last day counts.

    Lists that name models by what LiteLLM calls them know those of any provider.
    """
    called = called_by(one.entry)
    if called is None or one.gone:
        return None
    provider, model_id = provider_and_id(called)
    model = one.model or inputs.others.complete(
        Model(provider=provider or called, id=model_id, litellm_model=called)
    )
    said = day_of(section_of(one.entry, "model_info").get("deprecation_date"))
    return _ending_on(model, said)


def _successor_name(admitted: Admission, model: Model) -> str:
    row = admitted.by_key.get(ModelKey(model.provider, model.replaced_by or ""))
    return row.name if row else ""


def _follows(inputs: Inputs, admitted: Admission, model: Model) -> str:
    """What the policy makes of a model's successor."""
    if model.replaced_by is None:
        return ""
    if name := _successor_name(admitted, model):
        return f"admitted as {name}"
    key = ModelKey(model.provider, model.replaced_by)
    if model.provider not in inputs.policy.providers:
        return NOT_ADMITTED
    if key in inputs.listed and model.provider in inputs.catalogs:
        step = decisive(admitted.trail(*key))
        return NOT_ADMITTED + (f" ({step.why})" if step.rule is not None else "")
    unlisted = Model(
        provider=model.provider, id=model.replaced_by, litellm_model="", maker=model.maker
    )
    rule = rule_of(inputs.policy, unlisted)
    return NOT_ADMITTED if rule is None else f"would be admitted by rule {rule}"
