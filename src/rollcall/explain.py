"""One model or alias walked through every stage: found, read, ruled, placed. Pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rollcall import families
from rollcall.catalog import CAPABILITIES, Model
from rollcall.changes import per_million
from rollcall.decision import current_aliases
from rollcall.entries import key_of, leaves_on, model_of
from rollcall.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from rollcall.aliases import Resolved
    from rollcall.config_document import Entry
    from rollcall.decision import Decision
    from rollcall.situation import Situation

NEAREST = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way: `verdict` is ok, stop or info; `lines` tell it."""

    title: str
    verdict: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `rollcall explain NAME` says about one model or alias."""

    name: str
    kind: str
    stages: tuple[Stage, ...] = field(default=())


def explain(
    name: str, situation: Situation, decision: Decision, sources: dict[str, dict[str, str]]
) -> tuple[Explanation, ...]:
    """Every model or alias `name` may mean: alias, model_name, `provider/id` or bare id.

    Args:
        sources: provider -> our field -> the field of its reply it comes from.

    Raises:
        NotFound: nothing is called that; the hint names the nearest, and what would admit it.
    """
    own = Stage("config.yaml", "info", ("hand-written: rollcall never touches it",))
    found = [
        *(
            _explain_alias(alias, situation, decision)
            for alias in decision.resolved
            if alias.name == name
        ),
        *(
            _explain_model(model, situation, decision, sources)
            for model in _models_named(name, situation)
        ),
        *(
            Explanation(name, "entry", (own,))
            for entry in situation.document.own_models
            if entry.get("model_name") == name
        ),
    ]
    if not found:
        raise _nowhere(name, situation, decision)
    return tuple(found)


def _models_named(name: str, situation: Situation) -> list[Model]:
    listed = [model for answer in situation.answers.values() for model in answer.models]
    by_key = {model.key: model for model in listed}
    for entry in situation.document.managed.models:
        key = key_of(entry)
        if key is not None and entry["model_name"] == name:
            known = by_key.get((key.provider, key.id)) or model_of(entry)
            return [known] if known else []
    exact = [model for model in listed if name in (model.qualified, model.litellm_model)]
    if exact:
        return exact[:1]
    return [m for m in listed if m.id == name or name in m.aliases or m.canonical == name]


def _explain_model(
    model: Model, situation: Situation, decision: Decision, sources: dict[str, dict[str, str]]
) -> Explanation:
    return Explanation(
        model.qualified,
        "model",
        (
            _found(model, situation),
            _fields(model, sources.get(model.provider, {})),
            _reading(model),
            _rules(model, decision),
            _place(model, situation, decision),
        ),
    )


def _found(model: Model, situation: Situation) -> Stage:
    answer = situation.answers.get(model.provider)
    listed = answer is not None and any(row.id == model.id for row in answer.models)
    history = situation.state.providers.get(model.provider)
    lines = []
    if answer is None:
        lines.append(f"{model.provider} is not among the policy's providers")
    else:
        when = f", as of {answer.fetched_at}" if answer.fetched_at else ""
        word = "lists it" if listed else "does not list it"
        lines.append(f"{model.provider} ({answer.verdict}{when}) {word}")
    if history is not None:
        first = history.first_seen.get(model.id)
        if model.id in history.first_seen:
            lines.append(f"first seen: {first or 'in our first look at this provider'}")
        if model.id in history.last_seen:
            lines.append(f"last seen: {history.last_seen[model.id]}")
    return Stage("found", "ok" if listed else "stop", tuple(lines))


def _fields(model: Model, sources: dict[str, str]) -> Stage:
    return Stage(
        "what the provider says",
        "info",
        tuple(
            f"{label}: {value}" + (f"   [{sources[name]}]" if name in sources else "")
            for name, label, value in _field_values(model)
        ),
    )


def _field_values(model: Model) -> Iterator[tuple[str, str, str]]:
    def known(value: object) -> str:
        return "not said" if value is None or value == () else str(value)

    yield "display_name", "display name", known(model.display_name)
    yield "maker", "maker", known(model.maker)
    yield "released", "released", known(model.released)
    yield "kind", "kind", model.kind.value
    yield "mode", "mode", known(model.mode)
    yield "context", "context", known(model.context)
    yield "max_output", "max output", known(model.max_output)
    yield "price", "input price", _price(model.price.input)
    yield "price", "output price", _price(model.price.output)
    for tier in model.price.tiers:
        when = f"above {tier.above_tokens} tokens" if tier.above_tokens else f"at {tier.utc_window}"
        yield "price", f"price {when}", f"{_price(tier.input)} / {_price(tier.output)}"
    yield "input_modalities", "takes in", known(model.input_modalities)
    said = [word for word in CAPABILITIES if model.capabilities.get(word)]
    yield "capabilities", "capabilities", ", ".join(said) or "not said"
    yield "ends", "announced end", known(model.ends)
    yield "aliases", "other ids", ", ".join(model.aliases) or "none"
    if model.points_at:
        yield "points_at", "points at", model.points_at
    if model.canonical:
        yield "canonical", "permanent name", model.canonical


def _price(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${per_million(amount)} per 1M tokens"


def _reading(model: Model) -> Stage:
    reading = families.read_model(model)
    lines = [
        f"maker {reading.maker or 'unknown'}, family {reading.family or 'none'}",
        f"version {reading.version or 'none'}"
        + (f", revision {reading.revision}" if reading.revision else "")
        + (f", date stamp {reading.stamp_text}" if reading.stamp_text else ""),
        f"stage {reading.stage}" + (f", variant :{reading.variant}" if reading.variant else ""),
    ]
    if reading.moving:
        lines.append("a moving id: its target changes, so it is never a candidate")
    return Stage("how the id is read", "info", tuple(lines))


def _rules(model: Model, decision: Decision) -> Stage:
    steps = decision.admitted.trail(model.provider, model.id)
    admitted = next((row for row in decision.admitted.admitted if row.model.key == model.key), None)
    lines = []
    for step in steps:
        where = "deny" if step.rule is None else f"rule {step.rule}"
        lines.append(f"[{'pass' if step.passed else 'stop'}] {where}: {step.why}")
    if admitted is not None:
        lines.append(f"admitted as {admitted.name} ({admitted.reason})")
    return Stage("the policy", "ok" if admitted else "stop", tuple(lines))


def _place(model: Model, situation: Situation, decision: Decision) -> Stage:
    entry = next(
        (
            row
            for row in situation.document.managed.models
            if (key := key_of(row)) and (key.provider, key.id) == model.key
        ),
        None,
    )
    lines = list(_entry_lines(entry, situation, decision))
    held = [change for change in decision.held if model.qualified in (change.name, change.accept)]
    lines += [f"held: {change.reason}; to accept: {change.accept}" for change in held]
    seated = any(seat.key.qualified == model.qualified for seat in decision.roster.seats)
    lines.append(f"after the next apply: {'in the config' if seated else 'not in the config'}")
    return Stage("config.yaml", "ok" if entry or seated else "stop", tuple(lines))


def _entry_lines(entry: Entry | None, situation: Situation, decision: Decision) -> Iterator[str]:
    if entry is None:
        yield "not in the config now"
        return
    name = str(entry["model_name"])
    yield f"in the config as {name}"
    day = leaves_on(entry)
    if day is not None:
        yield f"leaves on {day}"
    leading = [alias for alias, target in current_aliases(situation).items() if target == name]
    if leading:
        yield f"aliases on it: {', '.join(leading)}"
    if name in decision.model_reasons:
        yield f"because: {decision.model_reasons[name]}"


def _explain_alias(alias: Resolved, situation: Situation, decision: Decision) -> Explanation:
    now = current_aliases(situation).get(alias.name)
    lines = [f"leads to {now} now" if now else "not in the config now"]
    lines.append(f"decided: {alias.target or 'nowhere'} ({alias.reason})")
    if alias.hidden:
        lines.append("hidden: works, but is not listed")
    if alias.fallbacks:
        lines.append(f"fallbacks: {', '.join(alias.fallbacks)}")
    held = next((change for change in decision.held if change.name == alias.name), None)
    if held is not None:
        lines.append(f"held: {held.change}: {held.reason}; to accept: {held.accept}")
    candidates = tuple(f"{name}: {why}" for name, why in alias.candidates)
    return Explanation(
        alias.name,
        "alias",
        (
            Stage("alias", "ok" if alias.target else "stop", tuple(lines)),
            Stage("candidates, in order", "info", candidates or ("none",)),
        ),
    )


def _nowhere(name: str, situation: Situation, decision: Decision) -> NotFound:
    names = _all_names(situation, decision)
    bare = name.rpartition("/")[2]
    near = difflib.get_close_matches(name, names, n=NEAREST, cutoff=0.5)
    near += [other for other in names if bare and bare in other and other not in near][:NEAREST]
    nearest = f"Nearest: {', '.join(near[:NEAREST])}. " if near else ""
    reading = families.read(name)
    family = reading.family or "FAMILY"
    return NotFound(
        f"{name!r} is nowhere: no alias, no entry, and no provider that answered lists it.",
        f"{nearest}A rule such as {{family: {family}, newest: 1}} admits it once a provider "
        "lists it.",
    )


def _all_names(situation: Situation, decision: Decision) -> list[str]:
    names: Iterable[str] = (
        *(alias.name for alias in decision.resolved),
        *(str(entry["model_name"]) for entry in situation.document.managed.models),
        *(model.qualified for answer in situation.answers.values() for model in answer.models),
        *(model.id for answer in situation.answers.values() for model in answer.models),
    )
    return list(dict.fromkeys(names))
