"""One model or alias walked through every stage: found, read, ruled, guarded, placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.catalog.model import Model
from rollcall.inspect.explain_model import Explanation, Stage, aliases_on, explain_model, nowhere
from rollcall.litellm_config.effective import alias_map, alias_target, entries
from rollcall.litellm_config.entries import called_by, key_of, model_of, name_of
from rollcall.plan.guards import models_by_name, price_of
from rollcall.plan.own_entries import fate_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.plan.decide import Decision
    from rollcall.plan.guards import HeldChange
    from rollcall.plan.inputs import Inputs
    from rollcall.selection.aliases import Resolved


def explain_alias(alias: Resolved, inputs: Inputs, decision: Decision) -> Explanation:
    """All stages of an alias of the policy, or a derived one."""
    now = inputs.current_aliases.get(alias.name)
    held = next((row for row in decision.held if row.name == alias.name), None)
    lines = [f"leads to {now} now" if now else "not in the config now"]
    lines += _unseen(inputs) if now else ()
    lines.append(f"decided: {alias.target or 'nowhere'} ({alias.reason})")
    if elsewhere := inputs.router_elsewhere:
        lines.append(f"not written: {elsewhere}")
    if alias.hidden:
        lines.append("hidden: works, but is not listed")
    if alias.fallbacks:
        lines.append(f"fallbacks: {', '.join(alias.fallbacks)}")
    stages = (
        Stage("alias", "ok" if alias.target and not elsewhere else "stop", tuple(lines)),
        Stage("candidates, in order", "info", tuple(_candidates(alias, held)) or ("none",)),
        Stage(
            "guards",
            "stop" if held else "ok",
            tuple(_guards(alias, now, held, inputs, decision)),
        ),
    )
    return Explanation(alias.name, "alias", stages)


def _unseen(inputs: Inputs) -> tuple[str, ...]:
    """What LiteLLM makes of config.yaml's own aliases, where an included file has some too."""
    name = inputs.router_replaced_by
    return (f"LiteLLM never sees it: it takes the router_settings of {name} instead",) * bool(name)


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
    inputs: Inputs,
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
    models = models_by_name(inputs, decision.model_list.placements)
    for name in dict.fromkeys((now, alias.target)):
        model = models.get(name or "")
        if model is not None:
            yield f"price of {name}: {price_of(inputs, model) or 'unknown'}"
    yield f"a rise of more than {inputs.policy.guards.price_rise:.0%} is held"


def explain(
    name: str, inputs: Inputs, decision: Decision, sources: dict[str, dict[str, str]]
) -> tuple[Explanation, ...]:
    """Every model or alias `name` may mean: alias, model_name, `provider/id` or bare id.

    Args:
        sources: provider -> our field -> the field of its reply it comes from.

    Raises:
        NotFound: nothing is called that; the hint names the nearest, and what would admit it.
    """
    found = [
        *(explain_alias(row, inputs, decision) for row in decision.resolved if row.name == name),
        *_own(name, inputs, decision),
        *(
            explain_model(model, inputs, decision, sources.get(model.provider, {}))
            for model in _models_named(name, inputs)
        ),
    ]
    if not found:
        raise nowhere(name, inputs, decision)
    return tuple(found)


def _own(name: str, inputs: Inputs, decision: Decision) -> Iterator[Explanation]:
    """The user's own lines of that name."""
    for one in decision.own:
        if one.name == name:
            lines = [f"hand-written, on line {one.line}: rollcall never touches it"]
            if called := called_by(one.entry):
                lines.append(f"it calls {called}")
            if fate := fate_of(one, inputs.today):
                lines.append(fate)
            lines += aliases_on(name, inputs)
            yield _by_hand(name, "entry", "config.yaml", lines, dead=one.gone)
    if name in (aliases := inputs.document.own_aliases):
        leads, unseen = f"leads to {alias_target(aliases[name])}", _unseen(inputs)
        lines = [leads, *unseen, "hand-written: rollcall never touches it"]
        yield _by_hand(name, "alias", "config.yaml", lines, dead=bool(unseen))
    for file, data in inputs.included.items():
        yield from _in_included(name, file, data, inputs)


def _in_included(
    name: str, file: str, data: Mapping[str, Any], inputs: Inputs
) -> Iterator[Explanation]:
    """What an included file says under that name."""
    note = "in a file that config.yaml includes: rollcall never touches it"
    for entry in entries(data):
        if name_of(entry) == name:
            lines = [note, *(f"it calls {one}" for one in (called_by(entry),) if one)]
            yield _by_hand(name, "entry", file, lines)
    if name in (found := alias_map(data)):
        seen = file == inputs.router_replaced_by
        lines = [note, f"leads to {alias_target(found[name])}", *(() if seen else _unseen(inputs))]
        yield _by_hand(name, "alias", file, lines, dead=not seen)


def _by_hand(
    name: str, kind: str, file: str, lines: list[str], *, dead: bool = False
) -> Explanation:
    """What somebody wrote into a file, in one stage."""
    return Explanation(name, kind, (Stage(file, "stop" if dead else "info", tuple(lines)),))


def _models_named(name: str, inputs: Inputs) -> list[Model]:
    """By model_name, else by `provider/id` or LiteLLM's string, else by any id, else by memory."""
    for entry in inputs.document.managed.models:
        key = key_of(entry)
        if key is not None and name in (name_of(entry), key.qualified):
            known = inputs.listed.get(key) or model_of(entry)
            return [known] if known else []
    listed = inputs.listed.values()
    exact = [model for model in listed if name in (model.qualified, model.litellm_model)]
    if exact:
        return exact[:1]
    by_id = [m for m in listed if m.id == name or name in m.aliases or m.canonical == name]
    return by_id or list(_remembered(name, inputs))


def _remembered(name: str, inputs: Inputs) -> Iterator[Model]:
    """What a provider listed once, as far as we remember: no more than its id."""
    for provider, history in inputs.state.providers.items():
        for model_id in history.last_seen:
            if name in (model_id, f"{provider}/{model_id}"):
                yield Model(provider=provider, id=model_id, litellm_model="")
