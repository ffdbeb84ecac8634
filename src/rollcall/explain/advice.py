"""What would admit a model that is out, and what is nearest to a name that is nowhere. Pure."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rollcall import families
from rollcall.admission.selection import Stop
from rollcall.catalog import Verdict
from rollcall.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.admission import Step
    from rollcall.catalog import Model
    from rollcall.decision import Decision
    from rollcall.situation import Situation

NEAREST = 5
ADVICE = {
    Stop.STAGE: "a wider `stage` in rule {rule}",
    Stop.WHERE: "a looser `where` in rule {rule}, or `assume` where the fact is unknown",
    Stop.MAX_AGE: "a longer `max_age` in rule {rule}",
    Stop.NEWEST: "a larger `newest` in rule {rule}",
    Stop.MAX: "a larger `max` in rule {rule}",
}
"""What to change in the rule that stops a model it names."""


def what_admits(model: Model, situation: Situation, decision: Decision) -> Iterator[str]:
    """What a person can do to have a model in."""
    verdict = situation.verdict(model.provider)
    if verdict is not Verdict.OK:
        if model.provider not in situation.policy.providers:
            yield f"add {model.provider} under `providers`"
        else:
            yield f"{model.provider} has to answer first ({verdict})"
    elif all(row.id != model.id for row in situation.answers[model.provider].models):
        yield f"{model.provider} has to list it again"
    if model.ends is not None and model.ends < situation.today:
        yield "nothing does: its provider has retired it"
        return
    steps = decision.admitted.trail(model.provider, model.id)
    denied = [step for step in steps if step.stop is None and "denied by" in step.why]
    for step in denied:
        yield f"take the pattern out of `deny` ({step.why})"
    young = next((step for step in steps if step.stop is Stop.YOUNG), None)
    if young is not None:
        yield f"wait, or rollcall apply --accept {model.qualified}"
        return
    yield from _in_rules(steps)
    yield f'a rule of its own: {{match: "{model.id}", from: [{model.provider}]}}'


def _in_rules(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        if step.stop in ADVICE:
            yield ADVICE[step.stop].format(rule=step.rule)
            return


def nowhere(name: str, situation: Situation, decision: Decision) -> NotFound:
    """Nothing is called that: the nearest names, and what would admit it."""
    near = nearest(name, _all_names(situation, decision))
    meant = name if _is_family(name, situation) or not near else near[0]
    said = f"Nearest: {', '.join(near)}. " if near else ""
    away = [
        provider
        for provider in situation.providers
        if situation.verdict(provider) is not Verdict.OK
    ]
    asked = f" Not asked or not answering: {', '.join(away)}." if away else ""
    return NotFound(
        f"{name!r} is nowhere: no alias, no entry, and no provider that answered lists it.",
        f"{said}{_rule_for(meant, situation)} admits it once a provider lists it.{asked}",
    )


def _is_family(name: str, situation: Situation) -> bool:
    """Whether somebody lists the family a name reads as; else it may be misspelled."""
    family = families.read(name).family
    answers = situation.answers.values()
    models = (model for answer in answers for model in answer.models)
    return any(families.read_model(model).family == family for model in models)


def _rule_for(name: str, situation: Situation) -> str:
    provider, _, model_id = name.partition("/")
    known = provider in situation.providers and model_id
    source = f", from: [{provider}]" if known else ""
    reading = families.read(model_id if known else name)
    if reading.family and reading.version:
        return f"A rule such as {{family: {reading.family}{source}, newest: 1}}"
    return f'A rule such as {{match: "{model_id if known else name}"{source}}}'


def nearest(name: str, names: list[str]) -> list[str]:
    """The names most like a misspelled one, the best first."""
    folded: dict[str, str] = {}
    for one in names:
        folded.setdefault(one.lower(), one)
    wanted = name.lower()
    near = difflib.get_close_matches(wanted, folded, n=NEAREST, cutoff=0.6)
    bare = wanted.rpartition("/")[2]
    near += [one for one in folded if bare and bare in one and one not in near]
    return [folded[one] for one in near[:NEAREST]]


def _all_names(situation: Situation, decision: Decision) -> list[str]:
    names = [alias.name for alias in decision.resolved]
    names += [str(entry["model_name"]) for entry in situation.document.managed.models]
    names += sorted(situation.own_names)
    for answer in situation.answers.values():
        names += [name for model in answer.models for name in (model.id, model.qualified)]
    return list(dict.fromkeys(names))
