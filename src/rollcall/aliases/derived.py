"""The aliases a policy has that names none: default, claude, claude-strong and the like. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.aliases.pool import is_candidate
from rollcall.policy import AliasSpec
from rollcall.policy.where import release_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.aliases import Candidate
    from rollcall.aliases.pool import Pool

SMALL_AND_FAST = frozenset(("haiku", "mini", "flash"))
"""Words in a family's name that say: quick and cheap enough for everything."""

DEFAULT_REASON = "the newest small fast model admitted, else the first entry"

STRONG = ("claude-opus", "gpt", "gemini-pro", "grok", "deepseek-pro", "qwen-max", "kimi", "glm")
"""Flagship families that reason, in order of preference."""


def derive(pool: Pool, current: Mapping[str, str]) -> dict[str, AliasSpec]:
    """The default set for a policy and what it admits."""
    providers = pool.policy.providers
    routed = [name for name, row in providers.items() if (row.type or name) == "openrouter"]
    direct = [name for name in providers if name not in routed]
    first_hand = {"from": direct + routed}
    sturdy: list[dict[str, Any]] = [{"family": name, **first_hand} for name in STRONG]
    specs: dict[str, Any] = {
        "default": _default(pool, current.get("default")),
        "claude": {"family": "claude-sonnet", **first_hand},
        "claude-strong": {"family": "claude-opus", **first_hand},
        "claude-fallback": {"family": "claude-sonnet", "from": routed} if routed else None,
        "reasoning": {"first_of": [*sturdy, {"cheapest": {"reasoning": True}}]},
        "cheap": {"cheapest": {"tools": True, "context": ">= 128000"}},
    }
    return {name: AliasSpec.model_validate(spec) for name, spec in specs.items() if spec}


def _default(pool: Pool, current: str | None) -> str | None:
    """The newest small fast model, else the first entry; it stays with a provider that is away."""
    usable = [one for one in pool.entries if is_candidate(one)]
    small = [one for one in usable if not SMALL_AND_FAST.isdisjoint(one.reading.family.split("-"))]
    fitting = small or usable[:1]
    for one in fitting:
        if one.name == current and pool.is_stale(one):
            return one.model.qualified
    fitting = [one for one in fitting if not pool.is_stale(one)] or fitting
    # max keeps the first of equals: the rules' order breaks ties.
    return max(fitting, key=_day).model.qualified if fitting else None


def _day(one: Candidate) -> int:
    day = release_day(one.model, one.reading)
    return day.toordinal() if day else 0
