"""The aliases a policy has that names none: default, claude, claude-strong and the like. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.catalog import Kind
from rollcall.policy import AliasSpec
from rollcall.where import release_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.aliases import Candidate
    from rollcall.policy import Policy

SMALL_AND_FAST = frozenset(("haiku", "mini", "flash"))
"""Words in a family's name that say: quick and cheap enough for everything."""

STRONG = ("claude-opus", "gpt", "gemini-pro", "grok", "deepseek-pro", "qwen-max", "kimi", "glm")
"""Flagship families that reason, in order of preference."""


def derive(policy: Policy, pool: Sequence[Candidate]) -> dict[str, AliasSpec]:
    """The default set for this policy and what it admits."""
    routed = [name for name, row in policy.providers.items() if (row.type or name) == "openrouter"]
    direct = [name for name in policy.providers if name not in routed]
    first_hand = {"from": direct + routed}
    sturdy: list[dict[str, Any]] = [{"family": name, **first_hand} for name in STRONG]
    specs: dict[str, Any] = {
        "default": _default(pool),
        "claude": {"family": "claude-sonnet", **first_hand},
        "claude-strong": {"family": "claude-opus", **first_hand},
        "claude-fallback": {"family": "claude-sonnet", "from": routed} if routed else None,
        "reasoning": {"first_of": [*sturdy, {"cheapest": {"reasoning": True}}]},
        "cheap": {"cheapest": {"tools": True, "context": ">= 128000"}},
    }
    return {name: AliasSpec.model_validate(spec) for name, spec in specs.items() if spec}


def _default(pool: Sequence[Candidate]) -> str | None:
    """The newest small fast model, else the first entry."""
    usable = [one for one in pool if one.model.kind is Kind.CHAT and not one.model.batch_only]
    small = [one for one in usable if not SMALL_AND_FAST.isdisjoint(one.reading.family.split("-"))]
    if small:
        return max(enumerate(small), key=lambda row: (_day(row[1]), -row[0]))[1].model.qualified
    return usable[0].model.qualified if usable else None


def _day(one: Candidate) -> int:
    day = release_day(one.model, one.reading)
    return day.toordinal() if day else 0
