"""One model or alias walked through every stage: found, read, ruled, guarded, placed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.catalog import Model
from rollcall.entries import called_by, key_of, model_of
from rollcall.explain.advice import nowhere
from rollcall.explain.alias import explain_alias, explain_own_alias
from rollcall.explain.explanation import Explanation, Stage
from rollcall.explain.model import explain_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.decision import Decision
    from rollcall.situation import Situation

__all__ = ["Explanation", "Stage", "explain"]


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
        if key is not None and name in (entry["model_name"], key.qualified):
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
