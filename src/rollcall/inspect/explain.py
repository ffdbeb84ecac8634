"""One model or alias walked through every stage: found, read, ruled, guarded, placed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.catalog.model import Model
from rollcall.inspect.explain_model import Explanation, Stage, explain_model, nowhere
from rollcall.litellm_config.entries import called_by, key_of, model_of
from rollcall.plan.decide import current_aliases
from rollcall.plan.guards import models_by_name, price_of
from rollcall.plan.plan import per_million

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.plan.decide import Decision
    from rollcall.plan.plan import HeldChange
    from rollcall.plan.situation import Situation
    from rollcall.selection.aliases import Resolved


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


def explain(
    name: str, situation: Situation, decision: Decision, sources: dict[str, dict[str, str]]
) -> tuple[Explanation, ...]:
    """Every model or alias `name` may mean: alias, model_name, `provider/id` or bare id.

    Args:
        sources: provider -> our field -> the field of its reply it comes from.

    Raises:
        NotFound: nothing is called that; the hint names the nearest, and what would admit it.
    """
    found = [
        *(explain_alias(row, situation, decision) for row in decision.resolved if row.name == name),
        *_own(name, situation),
        *(
            explain_model(model, situation, decision, sources.get(model.provider, {}))
            for model in _models_named(name, situation)
        ),
    ]
    if not found:
        raise nowhere(name, situation, decision)
    return tuple(found)


def _own(name: str, situation: Situation) -> Iterator[Explanation]:
    """The user's own lines of that name."""
    for entry in situation.document.own_entries:
        if str(entry.get("model_name")) == name:
            lines = ["hand-written: rollcall never touches it"]
            if called := called_by(entry):
                lines.append(f"it calls {called}")
            leading = [alias for alias, target in _targets(situation) if target == name]
            if leading:
                lines.append(f"aliases on it: {', '.join(leading)}")
            yield Explanation(name, "entry", (Stage("config.yaml", "info", tuple(lines)),))
    if name in situation.document.own_aliases:
        yield explain_own_alias(name, situation)
    if name in situation.included_names:
        line = "in a file that config.yaml includes: rollcall never touches it"
        yield Explanation(name, "entry", (Stage("config.yaml", "info", (line,)),))


def _targets(situation: Situation) -> Iterator[tuple[str, str]]:
    document = situation.document
    for alias, target in {**document.own_aliases, **document.managed.aliases}.items():
        if isinstance(alias, str):
            yield alias, str(target.get("model") if isinstance(target, dict) else target)


def _models_named(name: str, situation: Situation) -> list[Model]:
    """By model_name, else by `provider/id` or LiteLLM's string, else by any id, else by memory."""
    listed = [model for answer in situation.answers.values() for model in answer.models]
    by_key = {model.key: model for model in listed}
    for entry in situation.document.managed.models:
        key = key_of(entry)
        if key is not None and name in (entry.get("model_name"), key.qualified):
            known = by_key.get((key.provider, key.id)) or model_of(entry)
            return [known] if known else []
    exact = [model for model in listed if name in (model.qualified, model.litellm_model)]
    if exact:
        return exact[:1]
    by_id = [m for m in listed if m.id == name or name in m.aliases or m.canonical == name]
    return by_id or list(_remembered(name, situation))


def _remembered(name: str, situation: Situation) -> Iterator[Model]:
    """What a provider listed once, as far as we remember: no more than its id."""
    for provider, history in situation.state.providers.items():
        for model_id in history.last_seen:
            if name in (model_id, f"{provider}/{model_id}"):
                yield Model(provider=provider, id=model_id, litellm_model="")
