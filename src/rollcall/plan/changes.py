"""What changes between two states of our lines, and why, for people. Pure; `plan.masking` takes out
first what is private in them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from rollcall.catalog.model import in_dollars
from rollcall.litellm_config.document import Blocks
from rollcall.litellm_config.entries import COSTS, key_of, leaves_on, name_of, section_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from rollcall.litellm_config.document import Entry
    from rollcall.plan.model_list import ModelList


STRICT = ConfigDict(extra="forbid")
"""For the parts of a saved plan: fields it does not know are errors."""


class ChangeKind(StrEnum):
    """What a change does to our lines."""

    ADD = "add"
    REMOVE = "remove"
    UPDATE = "update"
    ALIAS = "alias"
    FALLBACK = "fallback"


_OF_LEAVING = ("cause", "why")


class Change(BaseModel):
    """One change.

    Attributes:
        before, after: plain data of our own entries; None = not there.
        cause, why: of an entry that leaves or is gone, the word and the reason for that alone; a
            saved plan has them of these entries only.
    """

    model_config = STRICT

    kind: ChangeKind
    name: str
    before: Any = None
    after: Any = None
    reason: str = ""
    cause: str = ""
    why: str = ""

    @property
    def told_why(self) -> str:
        """Why an entry leaves: the reason for that alone, or all of it in a plan of before."""
        return self.why or self.reason

    @model_serializer(mode="wrap")
    def _saved(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        row: dict[str, Any] = plain(self)
        return row if self.cause else {name: row[name] for name in row if name not in _OF_LEAVING}

    @property
    def leaves(self) -> date | None:
        """The day its entry goes, where this change is what says so; a kind of its own for people.

        In a saved plan it is an `update` whose `after` has `model_info.leaves`.
        """
        if self.kind is not ChangeKind.UPDATE:
            return None
        before, after = _leaving_day(self.before), _leaving_day(self.after)
        return after if after != before else None


def _leaving_day(entry: Any) -> date | None:
    """When the last deployment of an entry goes; None where one stays."""
    if not isinstance(entry, dict):
        return None
    days = [leaves_on(one) for one in entry.get("deployments", [entry])]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def counts(changes: Sequence[Change], held: int = 0) -> str:
    """One line that says how much changes: `2 added, 1 leaving, 2 aliases changed, 1 held`."""
    kinds = [None if change.leaves else change.kind for change in changes]
    numbers = [
        (kinds.count(ChangeKind.ADD), "added", "added"),
        (kinds.count(ChangeKind.UPDATE), "updated", "updated"),
        (kinds.count(None), "leaving", "leaving"),
        (kinds.count(ChangeKind.REMOVE), "gone", "gone"),
        (kinds.count(ChangeKind.ALIAS), "alias changed", "aliases changed"),
        (kinds.count(ChangeKind.FALLBACK), "fallback changed", "fallbacks changed"),
        (held, "held", "held"),
    ]
    parts = [f"{number} {one if number == 1 else many}" for number, one, many in numbers if number]
    return ", ".join(parts) or "no changes"


LABELS = {
    "input_cost_per_token": "input price",
    "output_cost_per_token": "output price",
    "cache_read_input_token_cost": "cache read price",
    "cache_creation_input_token_cost": "cache write price",
    "max_input_tokens": "context",
    "max_output_tokens": "max output",
    "deprecation_date": "last day",
    "price_source": "price by",
    "api_key": "key",
    "model": "model",
}


def compare(
    old: Blocks, new: Blocks, model_list: ModelList, alias_reasons: Mapping[str, str]
) -> list[Change]:
    """Every change from `old` to `new`, in the new file's order, removals last.

    Args:
        model_list: why each entry is there, leaves or is gone.
        alias_reasons: the same of aliases, by name.
    """
    before, after = (
        {name: targets for row in side.fallbacks for name, targets in row.items()}
        for side in (old, new)
    )
    changes = [
        *_models(old, new, model_list),
        *_leads(ChangeKind.ALIAS, old.aliases, new.aliases, alias_reasons),
        *_leads(
            ChangeKind.FALLBACK, before, after, {name: FALLBACKS.format(name) for name in after}
        ),
    ]
    if not changes and _order(old) != _order(new):
        changes.append(
            Change(
                kind=ChangeKind.UPDATE,
                name="(order)",
                reason="the same entries in the order of the policy's rules",
            )
        )
    return changes


def _models(old: Blocks, new: Blocks, model_list: ModelList) -> Iterator[Change]:
    reasons = model_list.reasons
    before, after = _shown_by_name(old.models), _shown_by_name(new.models)
    for name in dict.fromkeys((*after, *before)):
        was, now, reason = before.get(name), after.get(name), reasons.get(name, "")
        if was is None:
            yield Change(kind=ChangeKind.ADD, name=name, after=now, reason=reason)
            continue
        if now is None:
            change = Change(kind=ChangeKind.REMOVE, name=name, before=was, reason=reason)
        elif was != now:
            told = "; ".join(filter(None, (differences(was, now), _why(reason, was, now))))
            change = Change(kind=ChangeKind.UPDATE, name=name, before=was, after=now, reason=told)
        else:
            continue
        departure = model_list.departures.get(name)
        if departure and departure.reason == reason:
            change.cause, change.why = departure.cause.value, departure.why
        yield change


def _shown_by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Each name's entry; a group's entries together, as `{model_name, deployments}`."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(name_of(entry), []).append(entry)
    return {
        name: rows[0] if len(rows) == 1 else {"model_name": name, "deployments": rows}
        for name, rows in found.items()
    }


def _why(reason: str, before: Entry, after: Entry) -> str:
    """The reason of an update is told only where the entry leaves, stays after all, or its name
    goes to another model.
    """
    leaving = any(leaves_on(entry) for entry in (before, after))
    return reason if leaving or key_of(before) != key_of(after) else ""


def _leads(
    kind: ChangeKind, old: Mapping[str, Any], new: Mapping[str, Any], reasons: Mapping[str, str]
) -> Iterator[Change]:
    """What changes in where names lead."""
    for name in dict.fromkeys((*new, *old)):
        before, after = old.get(name), new.get(name)
        if before != after:
            reason = reasons.get(name, "" if after else GONE[kind])
            yield Change(kind=kind, name=name, before=before, after=after, reason=reason)


FALLBACKS = "the fallbacks of alias {}"
GONE = {
    ChangeKind.ALIAS: "no longer in the policy",
    ChangeKind.FALLBACK: "none of its fallbacks is in the config",
}


def _order(blocks: Blocks) -> list[list[str]]:
    return [
        [name_of(entry) for entry in blocks.models],
        list(blocks.aliases),
        [name for row in blocks.fallbacks for name in row],
    ]


def differences(before: Entry, after: Entry) -> str:
    """What differs between two entries of one name, in words; the day it leaves is the reason's."""
    if "deployments" in before or "deployments" in after:
        return "; ".join(_deployments(before, after))
    return "; ".join(_differences(before, after))


def _differences(before: Entry, after: Entry) -> Iterator[str]:
    fields = [row for row in changed_fields(before, after) if row[0] != "leaves"]
    if leaves_on(before) and not leaves_on(after):
        yield "stays after all"
    for key, old, new in fields:
        if old is not None and new is not None:
            yield f"{label_of(key)} {_shown(key, old)} -> {_shown(key, new)}"
    for word, there in (
        ("new", [(key, new) for key, old, new in fields if old is None]),
        ("gone", [(key, old) for key, old, new in fields if new is None]),
    ):
        if there:
            yield f"{word}: {', '.join(dict.fromkeys(_fact(key, value) for key, value in there))}"


_ABOVE: Final = re.compile(r"_above_(\w+)_tokens$")


def _fact(key: str, value: Any) -> str:
    """One field that came or went, with its value."""
    if found := _ABOVE.search(key):
        return f"prices above {found[1]} tokens"
    if value is True:
        return label_of(key)
    return f"{label_of(key)} {_shown(key, value)}"


def changed_fields(before: Entry, after: Entry) -> Iterator[tuple[str, Any, Any]]:
    """(field, its old value, its new one) of every field that differs; None = it is not there."""
    for section in ("litellm_params", "model_info"):
        old, new = section_of(before, section), section_of(after, section)
        for key in dict.fromkeys((*new, *old)):
            if old.get(key) != new.get(key) or (key in old) != (key in new):
                yield key, old.get(key), new.get(key)


def label_of(key: str) -> str:
    """A field of an entry in a person's words."""
    if key.startswith("supports_"):
        return key.removeprefix("supports_").replace("_", " ")
    return LABELS.get(key, key)


def is_price(key: str) -> bool:
    """Whether a field of an entry is a price per token."""
    return key.startswith(tuple(COSTS.values()))


def _deployments(before: Entry, after: Entry) -> Iterator[str]:
    """What differs between two states of a group, model by model."""
    old, new = (
        {key_of(row): row for row in side.get("deployments", [side])} for side in (before, after)
    )
    for key in dict.fromkeys((*new, *old)):
        called = key.qualified if key else "an entry edited by hand"
        if key not in old:
            yield f"now {called}, too"
        elif key not in new:
            yield f"no longer {called}"
        elif old[key] != new[key]:
            yield f"{called}: {differences(old[key], new[key])}"


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_price(key) and isinstance(value, int | float):
        return f"{in_dollars(Decimal(repr(value)))}/M"
    return str(value)
