"""An alias: where it leads, each candidate in order and why it lost, and what holds it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.changes import per_million
from rollcall.decision import current_aliases
from rollcall.explain.explanation import Explanation, Stage
from rollcall.guards import models_by_name, price_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.aliases import Resolved
    from rollcall.decision import Decision
    from rollcall.plan import HeldChange
    from rollcall.situation import Situation


def explain_alias(alias: Resolved, situation: Situation, decision: Decision) -> Explanation:
    """All stages of an alias of the policy, or a derived one."""
    now = current_aliases(situation).get(alias.name)
    held = next((row for row in decision.held if row.name == alias.name), None)
    lines = [f"leads to {now} now" if now else "not in the config now"]
    lines.append(f"decided: {alias.target or 'nowhere'} ({alias.reason})")
    if alias.hidden:
        lines.append("hidden: works, but is not listed")
    if alias.fallbacks:
        lines.append(f"fallbacks: {', '.join(alias.fallbacks)}")
    stages = (
        Stage("alias", "ok" if alias.target else "stop", tuple(lines)),
        Stage("candidates, in order", "info", tuple(_candidates(alias, held)) or ("none",)),
        Stage(
            "guards",
            "stop" if held else "ok",
            tuple(_guards(alias, now, held, situation, decision)),
        ),
    )
    return Explanation(alias.name, "alias", stages)


def explain_own_alias(name: str, situation: Situation) -> Explanation:
    """An alias the user wrote."""
    target = situation.document.own_aliases[name]
    leads = target.get("model") if isinstance(target, dict) else target
    lines = (f"leads to {leads}", "hand-written: rollcall never touches it")
    return Explanation(name, "alias", (Stage("config.yaml", "info", lines),))


def _candidates(alias: Resolved, held: HeldChange | None) -> Iterator[str]:
    if held is not None:
        yield f"{alias.target}: where it is; the next one is held"
    for name, why in alias.candidates:
        if held is None or name != alias.target:
            yield f"{name}: {why}"


def _guards(
    alias: Resolved,
    now: str | None,
    held: HeldChange | None,
    situation: Situation,
    decision: Decision,
) -> Iterator[str]:
    if held is not None:
        yield f"held: {held.change}: {held.reason}"
        yield f"to accept: {held.accept}"
    elif now is None:
        yield "nothing to compare with: it led nowhere before"
    elif now == alias.target:
        yield "it stays where it is"
    else:
        yield "nothing holds the move"
    models = models_by_name(situation, decision.roster)
    for name in dict.fromkeys((now, alias.target)):
        model = models.get(name or "")
        if model is not None:
            cost = price_of(situation, model)
            label = f" ({cost.source})" if cost and cost.source else ""
            amount = f"${per_million(cost.blended / 4)}/M" if cost else "unknown"
            yield f"price of {name}: {amount}{label}"
    yield f"a rise of more than {situation.policy.guards.price_rise:.0%} is held"
