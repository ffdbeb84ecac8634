"""A model, stage by stage, and what would admit it.

Every stage is told whether or not it went well, so that what is missing shows too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from rollcall.catalog import order
from rollcall.catalog.facts import whose
from rollcall.catalog.model import CAPABILITIES, Model, Price, Verdict, in_dollars
from rollcall.catalog.reading import read
from rollcall.errors import NotFound, nearest
from rollcall.litellm_config.effective import alias_target
from rollcall.litellm_config.entries import key_of, leaves_on, name_of
from rollcall.plan.guards import price_of
from rollcall.plan.trial import last_trial, told
from rollcall.selection.admission import decisive
from rollcall.selection.rule import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from rollcall.catalog.facts import OtherLists
    from rollcall.catalog.model import Model
    from rollcall.litellm_config.document import Entry
    from rollcall.plan.decide import Decision
    from rollcall.plan.inputs import Inputs
    from rollcall.selection.admission import Step


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way: `verdict` is ok, stop or info; `lines` tell it."""

    title: str
    verdict: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `rollcall explain NAME` says about one thing: `kind` is model, alias or entry."""

    name: str
    kind: str
    stages: tuple[Stage, ...] = field(default=())


NEAREST = 5
ADVICE = {
    Stop.STAGE: "a wider `stage` in rule {rule}",
    Stop.WHERE: "a looser `where` in rule {rule}, or `assume` where the fact is unknown",
    Stop.MAX_AGE: "a longer `max_age` in rule {rule}",
    Stop.NEWEST: "a larger `newest` in rule {rule}",
    Stop.MAX: "a larger `max` in rule {rule}",
}
"""What to change in the rule that stops a model it names."""


def what_admits(model: Model, inputs: Inputs, steps: Sequence[Step]) -> Iterator[str]:
    """What a person can do to have a model in, given its trail."""
    verdict = inputs.verdict(model.provider)
    denied = [step for step in steps if step.stop is Stop.DENIED]
    if verdict is not Verdict.OK:
        if model.provider not in inputs.policy.providers:
            yield f"add {model.provider} under `providers`"
        else:
            yield f"{model.provider} has to answer first ({verdict})"
    elif len(steps) == 1 and not denied and not steps[0].passed:
        yield f"{model.provider} has to list it again"
    if model.ends is not None and model.ends < inputs.today:
        yield "nothing does: its provider has retired it"
        return
    for step in denied:
        yield f"take the pattern out of `deny` ({step.why})"
    if any(step.stop is Stop.HELD for step in steps):
        yield f"wait, or rollcall apply --accept {model.qualified}"
        return
    decided = decisive(steps)
    if decided.stop in ADVICE:
        yield ADVICE[decided.stop].format(rule=decided.rule)
    yield f'a rule of its own: {{match: "{model.id}", from: [{model.provider}]}}'


def outside(model: Model, inputs: Inputs, decision: Decision) -> tuple[str, str]:
    """Why a model of an asked provider is not in the config, and what would bring it in ("" = no
    change of the policy would), for a list: the reason that mattered, which `explain` tells among
    all the others.
    """
    row = decision.admitted.by_key.get(model.key)
    if row is None:
        steps = decision.admitted.trail(model.provider, model.id)
        step = decisive(steps)
        if step.passed:
            return f"rule {step.rule} admits it, but its name cannot be written to config.yaml", ""
        reason = step.why if step.rule is None else f"rule {step.rule}: {step.why}"
        return reason, next(what_admits(model, inputs, steps))
    if row.name in inputs.own_names:
        return f"rule {row.rule} admits it, but {row.name} is an entry or alias of your own", ""
    if all(one.key.qualified != model.qualified for one in decision.model_list.placements):
        return f"rule {row.rule} admits it, but {row.name} still belongs to another model", ""
    return f"rule {row.rule} admits it; not written yet: run rollcall apply", ""


def nowhere(name: str, inputs: Inputs, decision: Decision) -> NotFound:
    """Nothing is called that: the nearest names, and what would admit it."""
    near = _nearest_names(name, _all_names(inputs, decision))
    meant = name if _is_family(name, inputs) or not near else near[0]
    said = f"Nearest: {', '.join(near)}. " if near else ""
    away = [provider for provider in inputs.providers if inputs.verdict(provider) is not Verdict.OK]
    asked = f" Not asked or not answering: {', '.join(away)}." if away else ""
    return NotFound(
        f"{name!r} is nowhere: no alias, no entry, and no provider that answered lists it.",
        f"{said}{_rule_for(meant, inputs)} admits it once a provider lists it.{asked}",
    )


def _is_family(name: str, inputs: Inputs) -> bool:
    """Whether somebody lists the family a name reads as; else it may be misspelled."""
    family = read(name).family
    return any(model.reading.family == family for model in inputs.listed.values())


def _rule_for(name: str, inputs: Inputs) -> str:
    provider, _, model_id = name.partition("/")
    known = provider in inputs.providers and model_id
    source = f", from: [{provider}]" if known else ""
    reading = read(model_id if known else name)
    if reading.family and reading.version:
        return f"A rule such as {{family: {reading.family}{source}, newest: 1}}"
    return f'A rule such as {{match: "{model_id if known else name}"{source}}}'


def _nearest_names(name: str, names: list[str]) -> list[str]:
    """The names most like a misspelled one, then those that hold it."""
    near = nearest(name, names, most=NEAREST)
    bare = name.lower().rpartition("/")[2]
    near += [one for one in names if bare and bare in one.lower() and one not in near]
    return near[:NEAREST]


def _all_names(inputs: Inputs, decision: Decision) -> list[str]:
    names = [alias.name for alias in decision.resolved]
    names += [name_of(entry) for entry in inputs.document.managed.models]
    names += sorted(inputs.own_names)
    names += [name for row in inputs.listed.values() for name in (row.id, row.qualified)]
    return list(dict.fromkeys(names))


def explain_model(
    model: Model, inputs: Inputs, decision: Decision, sources: Mapping[str, str]
) -> Explanation:
    """All stages of one model; `sources`: our field -> the provider's."""
    listed = model.key in inputs.listed
    stages = (
        _found(model, inputs, listed=listed),
        *(_fields(model, inputs.others, sources) if listed else _fields_of_entry(model)),
        _reading(model),
        _rules(model, inputs, decision),
        _guards(model, inputs, decision),
        _place(model, inputs, decision),
    )
    return Explanation(model.qualified, "model", stages)


def _found(model: Model, inputs: Inputs, *, listed: bool) -> Stage:
    answer = inputs.answers.get(model.provider)
    history = inputs.state.providers.get(model.provider)
    lines = []
    if answer is None:
        lines.append(f"{model.provider} is not among the policy's providers")
    elif answer.models or answer.verdict == "ok":
        asked = (answer.offline and history and history.last_good) or answer.fetched_at
        when = f", asked {asked}" if asked else ""
        word = "lists it" if listed else "does not list it"
        lines.append(f"{model.provider} ({answer.verdict}{when}) {word}")
    else:
        lines.append(f"{model.provider} ({answer.verdict}): {answer.detail}")
    if history is not None:
        first = history.first_seen.get(model.id)
        if model.id in history.first_seen:
            lines.append(f"first seen: {first or 'in our first look at this provider'}")
        if model.id in history.last_seen:
            lines.append(f"last seen: {history.last_seen[model.id]}")
    return Stage("found", "ok" if listed else "stop", tuple(lines))


def _fields(model: Model, others: OtherLists, sources: Mapping[str, str]) -> Iterator[Stage]:
    lines = [
        f"{label}: {value}" + (f"   [{sources[name]}]" if name in sources else "")
        for name, label, value in _field_values(model)
    ]
    yield Stage("what the provider says", "info", tuple(lines))
    told = [*_borrowed(others.complete(model)), *_other_words(others.disagreeing(model))]
    if told:
        yield Stage("what other lists say", "info", tuple(told))


def _borrowed(known: Model) -> Iterator[str]:
    """What counts although the provider does not say it, and whose word it is."""
    for name, label, value in _field_values(known):
        if name in known.borrowed and value != NOT_SAID:
            yield f"{label}: {value}   [{whose(known.borrowed[name])}]"
    for word in CAPABILITIES:
        if word in known.borrowed:
            said = word if known.capabilities[word] else f"no {word}"
            yield f"capabilities: {said}   [{whose(known.borrowed[word])}]"


def _other_words(found: Mapping[str, list[tuple[str, object]]]) -> Iterator[str]:
    """Where another list contradicts the provider, whose word counts."""
    for name, words in found.items():
        for source, value in words:
            said = f"{name.replace('_', ' ')}: {_said(value)}"
            yield f"{said}   [{whose(source)}; the provider's word counts]"


def _said(value: object) -> str:
    if value is None or value == ():
        return NOT_SAID
    if isinstance(value, Price):
        return f"{_price(value.input)} in, {_price(value.output)} out"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _fields_of_entry(model: Model) -> Iterator[Stage]:
    if model.litellm_model:
        said = (row for row in _field_values(model) if row[2] != NOT_SAID)
        lines = (f"{label}: {value}" for _, label, value in said)
        yield Stage("what its entry says", "info", tuple(lines))


NOT_SAID = "not said"


def _field_values(model: Model) -> Iterator[tuple[str, str, str]]:
    """(our field, its name for people, its value) of everything known."""
    yield "litellm_model", "called as", model.litellm_model
    yield "display_name", "display name", _said(model.display_name)
    yield "maker", "maker", _said(model.maker)
    yield "released", "released", _said(order.release_date(model))
    yield "kind", "kind", model.kind.value
    yield "mode", "mode", _said(model.mode)
    yield "context", "context", _said(model.context)
    yield "max_output", "max output", _said(model.max_output)
    yield from _prices(model)
    yield "input_modalities", "takes in", _said(model.input_modalities)
    yield "output_modalities", "gives out", _said(model.output_modalities)
    yield "capabilities", "capabilities", _capabilities(model)
    yield "ends", "announced end", _said(model.ends)
    yield "replaced_by", "successor", _said(model.replaced_by)
    yield "aliases", "other ids", _said(model.aliases)
    yield "points_at", "points at", _said(model.points_at)
    yield "canonical", "permanent name", _said(model.canonical)
    if model.batch_only:
        yield "batch_only", "batch only", "yes"


def _prices(model: Model) -> Iterator[tuple[str, str, str]]:
    price = model.price
    yield "price", "input price", _price(price.input)
    yield "price", "output price", _price(price.output)
    for label, amount in (("cache read", price.cache_read), ("cache write", price.cache_write)):
        if amount is not None:
            yield "price", f"{label} price", _price(amount)
    for tier in price.tiers:
        when = f"above {tier.above_tokens} tokens" if tier.above_tokens else f"at {tier.utc_window}"
        yield "price", f"price {when}", f"{_price(tier.input)} / {_price(tier.output)}"


def _capabilities(model: Model) -> str:
    said = [
        word if model.capabilities[word] else f"no {word}"
        for word in CAPABILITIES
        if word in model.capabilities
    ]
    return ", ".join(said) or NOT_SAID


def _price(amount: Decimal | None) -> str:
    return NOT_SAID if amount is None else f"{in_dollars(amount)} per 1M tokens"


def _reading(model: Model) -> Stage:
    reading = model.reading
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


def _rules(model: Model, inputs: Inputs, decision: Decision) -> Stage:
    steps = decision.admitted.trail(model.provider, model.id)
    admitted = decision.admitted.by_key.get(model.key)
    lines = list(_told(steps))
    if admitted is not None:
        lines.append(f"admitted as {admitted.name} ({admitted.reason})")
    else:
        lines += [f"to admit it: {line}" for line in what_admits(model, inputs, steps)]
    return Stage("the policy", "ok" if admitted else "stop", tuple(lines))


def _told(steps: tuple[Step, ...]) -> Iterator[str]:
    """Each rule in turn; neighbours that say the same share a line."""
    for (passed, why), same in groupby(steps, key=lambda step: (step.passed, step.why)):
        rules = [step.rule for step in same]
        where = "before the rules" if rules[0] is None else f"rule {rules[0]}"
        if len(rules) > 1:
            where = f"rules {rules[0]} to {rules[-1]}"
        yield f"[{'pass' if passed else 'stop'}] {where}: {why}"


def _guards(model: Model, inputs: Inputs, decision: Decision) -> Stage:
    called = model.qualified
    held = [row for row in decision.held if row.name == called or row.accept.endswith(f" {called}")]
    lines = [f"held: {row.name}: {row.change}: {row.reason}" for row in held]
    lines += [f"to accept: {row.accept}" for row in held]
    if inputs.accepts(model.id, model.qualified):
        lines.append("accepted: no hold stops it")
    cost = price_of(inputs, model)
    if cost is None:
        lines.append("no price to compare by: a move to it is held only where it was free before")
    else:
        label = f", {cost.source}" if cost.source else ""
        amount = in_dollars(cost.blended / 4)
        lines.append(f"compared by {amount}/M (3 parts input, 1 part output{label})")
    age = inputs.policy.guards.min_age
    if age and not held:
        lines.append(f"min_age {age} days does not stop it")
    lines = list(dict.fromkeys(lines))
    tried = last_trial(inputs, model)
    if inputs.policy.guards.trial != "off":
        lines.append(f"trial: {told(tried) if tried else 'not called yet'}")
    return Stage("guards", "stop" if held else "ok", tuple(lines))


def _place(model: Model, inputs: Inputs, decision: Decision) -> Stage:
    entries = [row for row in inputs.document.managed.models if key_of(row) == model.key]
    lines = [line for row in entries for line in _entry_lines(row, inputs, decision)]
    if not entries:
        lines.append("not in the config now")
    ends = (row for row in decision.last_days if row.model == model.qualified)
    lines += [row.told(inputs.today) for row in ends]
    placed = decision.model_list.placements
    placements = [one for one in placed if one.key.qualified == model.qualified]
    names = ", ".join(placement.name for placement in placements)
    lines.append(
        f"after the next apply: in the config as {names}" if names else "not after the next apply"
    )
    return Stage("config.yaml", "ok" if placements else "stop", tuple(lines))


def _entry_lines(entry: Entry, inputs: Inputs, decision: Decision) -> Iterator[str]:
    name = name_of(entry)
    yield f"in the config as {name}"
    day = leaves_on(entry)
    if day is not None:
        yield f"leaves on {day}"
    yield from aliases_on(name, inputs)
    if name in decision.model_list.reasons:
        yield f"because: {decision.model_list.reasons[name]}"


def aliases_on(name: str, inputs: Inputs) -> Iterator[str]:
    """The aliases of config.yaml that lead to an entry, ours and the user's, in a line."""
    aliases = {**inputs.document.own_aliases, **inputs.document.managed.aliases}
    leading = [str(alias) for alias, row in aliases.items() if alias_target(row) == name]
    if leading:
        yield f"aliases on it: {', '.join(leading)}"
