"""A plan: what would change in config.yaml and why, and the JSON it is saved as.

A plan holds only rollcall's own lines. It can be saved, read by a person or another program, and
applied later; applying refuses when config.yaml or the policy changed in between.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rollcall.errors import PlanError
from rollcall.litellm_config.entries import COSTS, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.litellm_config.document import Blocks, Entry


SCHEMA = 1


class ChangeKind(StrEnum):
    """What a change does to our lines."""

    ADD = "add"
    REMOVE = "remove"
    UPDATE = "update"
    ALIAS = "alias"
    FALLBACK = "fallback"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Change(_Row):
    """One change. `before` and `after` are plain data of our own entries; None = not there."""

    kind: ChangeKind
    name: str
    before: Any = None
    after: Any = None
    reason: str = ""


class HeldChange(_Row):
    """A change a guard held back while the rest goes on; `accept` is what lets it through."""

    name: str
    change: str
    reason: str
    accept: str = ""


class Refusal(_Row):
    """A guard that refuses the whole plan. `accept`: what the user can do to let it through."""

    guard: str
    reason: str
    accept: str = ""


class ProviderLine(_Row):
    """One provider's verdict. `models`: how many it listed; `stale_since`: ISO 8601 UTC."""

    name: str
    verdict: str
    models: int = 0
    elapsed_ms: int = 0
    detail: str = ""
    stale_since: str | None = None


class PlanBlocks(_Row):
    """What shall stand between our markers; see `config_document.Blocks`."""

    models: list[dict[str, Any]] = []
    aliases: dict[str, Any] = {}
    fallbacks: list[dict[str, list[str]]] = []


class Plan(_Row):
    """The whole plan; `plan --json` and `plan --out` print exactly this.

    Attributes:
        changed: config.yaml would be written. refused: the guards that refuse it, if any.
        config_sha256, policy_sha256: of the files the plan was made from.
        result_sha256: of config.yaml after it. replace: `model_list: replace` is in force.
        nobody: no provider could be asked. unreachable: providers with a key that were not.
        accepted: names that `--accept` let through; remembered when the plan is applied.
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    changed: bool
    refused: list[Refusal] = []
    config_sha256: str
    policy_sha256: str
    result_sha256: str
    replace: bool = False
    blocks: PlanBlocks
    changes: list[Change] = []
    held: list[HeldChange] = []
    providers: list[ProviderLine] = []
    warnings: list[str] = []
    nobody: bool = False
    unreachable: list[str] = []
    accepted: list[str] = []

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    def to_json(self) -> str:
        """The saved form: stable key order, two-space indent, ASCII, final newline."""
        import json

        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2) + "\n"


def read_plan(text: str, name: str) -> Plan:
    """Read a saved plan.

    Raises:
        PlanError: not JSON, not a plan, or of another schema version.
    """
    again = "Make a new one with `rollcall plan --out FILE`."
    try:
        plan = Plan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PlanError(f"{name} is not a saved plan ({place}: {first['msg']}).", again) from None
    if plan.schema_version != SCHEMA:
        raise PlanError(
            f"{name} has plan schema {plan.schema_version}, this rollcall reads {SCHEMA}.", again
        )
    return plan


def counts(changes: list[Change]) -> str:
    """One line that says how much changes: `2 added, 1 updated, 1 alias moved`."""
    words = {
        ChangeKind.ADD: "added",
        ChangeKind.UPDATE: "updated",
        ChangeKind.REMOVE: "removed",
        ChangeKind.ALIAS: "alias changed",
        ChangeKind.FALLBACK: "fallback changed",
    }
    plural = {"alias changed": "aliases changed", "fallback changed": "fallbacks changed"}
    parts = []
    for kind, word in words.items():
        number = sum(1 for change in changes if change.kind is kind)
        if number:
            parts.append(f"{number} {plural.get(word, word) if number > 1 else word}")
    return ", ".join(parts) or "no changes"


LABELS = {
    "input_cost_per_token": "input price",
    "output_cost_per_token": "output price",
    "cache_read_input_token_cost": "cache read price",
    "cache_creation_input_token_cost": "cache write price",
    "max_input_tokens": "context",
    "max_output_tokens": "max output",
    "api_key": "key",
    "model": "model",
}


def compare(
    old: Blocks,
    new: Blocks,
    *,
    model_reasons: Mapping[str, str],
    alias_reasons: Mapping[str, str],
) -> list[Change]:
    """Every change from `old` to `new`, in the new file's order, removals last.

    Args:
        model_reasons, alias_reasons: why an entry or alias is there, moved, or is gone; by name.
    """
    changes = list(_models(old, new, model_reasons))
    changes += _aliases(old, new, alias_reasons)
    changes += _fallbacks(old, new)
    if not changes and _order(old) != _order(new):
        changes.append(
            Change(
                kind=ChangeKind.UPDATE,
                name="(order)",
                reason="the same entries in the order of the policy's rules",
            )
        )
    return changes


def _models(old: Blocks, new: Blocks, reasons: Mapping[str, str]) -> Iterator[Change]:
    before = {str(entry["model_name"]): entry for entry in old.models}
    after = {str(entry["model_name"]): entry for entry in new.models}
    for name, entry in after.items():
        if name not in before:
            reason = reasons.get(name, "")
            yield Change(kind=ChangeKind.ADD, name=name, after=entry, reason=reason)
        elif before[name] != entry:
            what = "; ".join(_differences(before[name], entry))
            why = _why(reasons.get(name, ""), before[name], entry)
            reason = "; ".join(text for text in (what, why) if text)
            yield Change(
                kind=ChangeKind.UPDATE, name=name, before=before[name], after=entry, reason=reason
            )
    for name, entry in before.items():
        if name not in after:
            reason = reasons.get(name, "")
            yield Change(kind=ChangeKind.REMOVE, name=name, before=entry, reason=reason)


def _why(reason: str, before: Entry, after: Entry) -> str:
    """The reason of an update is told only where the entry leaves, stays after all, or its name
    goes to another model.
    """
    leaving = any("leaves" in entry.get("model_info", {}) for entry in (before, after))
    return reason if leaving or key_of(before) != key_of(after) else ""


def _aliases(old: Blocks, new: Blocks, reasons: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*new.aliases, *old.aliases)):
        before, after = old.aliases.get(name), new.aliases.get(name)
        if before != after:
            yield Change(
                kind=ChangeKind.ALIAS,
                name=name,
                before=before,
                after=after,
                reason=reasons.get(name, "" if after else "no longer in the policy"),
            )


def _fallbacks(old: Blocks, new: Blocks) -> Iterator[Change]:
    before = {name: targets for row in old.fallbacks for name, targets in row.items()}
    after = {name: targets for row in new.fallbacks for name, targets in row.items()}
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            gone = "none of its fallbacks is in the config"
            yield Change(
                kind=ChangeKind.FALLBACK,
                name=name,
                before=before.get(name),
                after=after.get(name),
                reason=gone if name not in after else f"the fallbacks of alias {name}",
            )


def _order(blocks: Blocks) -> list[list[str]]:
    return [
        [str(entry["model_name"]) for entry in blocks.models],
        list(blocks.aliases),
        [name for row in blocks.fallbacks for name in row],
    ]


def _differences(before: Entry, after: Entry) -> Iterator[str]:
    """What differs between two entries of one name, in words; the day it leaves is the reason's."""
    for section in ("litellm_params", "model_info"):
        old, new = before.get(section) or {}, after.get(section) or {}
        for key in dict.fromkeys((*new, *old)):
            if key == "leaves":
                if key not in new:
                    yield "stays after all"
            elif old.get(key) != new.get(key) or (key in old) != (key in new):
                label = LABELS.get(key, key)
                yield f"{label} {_shown(key, old.get(key))} -> {_shown(key, new.get(key))}"


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "none"
    if (
        key.startswith(tuple(COSTS.values()))
        and isinstance(value, int | float)
        and not isinstance(value, bool)
    ):
        return f"${per_million(Decimal(repr(value)))}/M"
    return str(value)


def per_million(price_per_token: Decimal) -> str:
    """USD per 1M tokens of a price in USD per token, without exponent or trailing zeros."""
    amount = format((price_per_token * 1_000_000).normalize(), "f")
    whole, _, cents = amount.partition(".")
    return f"{whole}.{cents:0<2}"
