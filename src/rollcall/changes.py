"""Old blocks against new blocks: the list of changes, each with its reason. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rollcall.entries import COSTS, key_of
from rollcall.plan import Change, ChangeKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.config_document import Blocks, Entry

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
