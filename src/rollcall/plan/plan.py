"""A plan: what would change in config.yaml and why, and the JSON it is saved as.

A plan holds only rollcall's own lines. It can be saved, read by a person or another program, and
applied later; applying refuses when config.yaml or the policy changed in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rollcall.catalog.model import Answer, Verdict
from rollcall.errors import PlanError
from rollcall.files import sha256_of
from rollcall.litellm_config.document import Blocks
from rollcall.plan.changes import STRICT, Change, compare
from rollcall.plan.guards import HeldChange, Refusal
from rollcall.plan.last_days import LastDay, ending
from rollcall.plan.masking import masked, text_of, texts_of
from rollcall.store.state import digest_of_ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.plan.decide import Decision
    from rollcall.plan.inputs import Inputs
    from rollcall.policy.rules import Additions


SCHEMA = 1


class ProviderLine(BaseModel):
    """One provider's verdict. `models`: how many it listed; `stale_since`: ISO 8601 UTC."""

    model_config = STRICT

    name: str
    verdict: str
    models: int = 0
    elapsed_ms: int = 0
    detail: str = ""
    stale_since: str | None = None


class TrialLine(BaseModel):
    """One model that has to answer a small call before it is used.

    Attributes:
        name: `provider/id`. outcome: "" = not called yet; else `answered`, or what it came to.
        words: the provider's, redacted.
    """

    model_config = STRICT

    name: str
    outcome: str = ""
    words: str = ""


class PlanBlocks(BaseModel):
    """What shall stand between our markers; see `litellm_config.document.Blocks`."""

    model_config = STRICT

    models: list[dict[str, Any]] = []
    aliases: dict[str, Any] = {}
    fallbacks: list[dict[str, list[str]]] = []


class Plan(BaseModel):
    """The whole plan; `plan --json` and `plan --out` print exactly this.

    Attributes:
        changed: config.yaml would be written. refused: the guards that refuse it, if any.
        config_sha256, policy_sha256: of the files the plan was made from.
        config_version: ETag or generation of a config in a store; "" of a file.
        result_sha256: of config.yaml after it. replace: `model_list: replace` is in force.
        nobody: no provider could be asked. unreachable: providers with a key that were not.
        accepted: names that `--accept` let through; remembered when the plan is applied.
        trials: the models that have to answer first; those called for this plan say what it
            came to.
        last_days: entries whose model ends within the policy's `warn_before`.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_version: int = Field(default=SCHEMA, alias="schema")
    changed: bool
    refused: list[Refusal] = []
    config_sha256: str
    config_version: str = ""
    policy_sha256: str
    result_sha256: str
    replace: bool = False
    blocks: PlanBlocks
    changes: list[Change] = []
    held: list[HeldChange] = []
    providers: list[ProviderLine] = []
    warnings: list[str] = []
    nobody: bool = False
    unreachable: list[str] = []
    accepted: list[str] = []
    last_days: list[LastDay] = []
    trials: list[TrialLine] = []

    @property
    def stands_still(self) -> bool:
        """Whether nothing may change: nobody could be asked, or a guard refuses."""
        return self.nobody or bool(self.refused)

    @property
    def calls_at_apply(self) -> int:
        """How many models `apply` will call first, with at most 16 output tokens each."""
        return sum(1 for line in self.trials if not line.outcome)

    def to_json(self) -> str:
        """The saved form: stable key order, two-space indent, ASCII, final newline."""
        import json

        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2) + "\n"


def read_plan(text: str, name: str) -> Plan:
    """Read a saved plan.

    Raises:
        PlanError: not JSON, not a plan, or of another schema version.
    """
    try:
        plan = Plan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PlanError(f"{name} is not a saved plan ({place}: {first['msg']}).") from None
    if plan.schema_version != SCHEMA:
        raise PlanError(
            f"{name} has plan schema {plan.schema_version}, this rollcall reads {SCHEMA}."
        )
    return plan


def plan_of(inputs: Inputs, decision: Decision, result: bytes) -> Plan:
    """What `decision` means for config.yaml, as a person reads it.

    Args:
        result: config.yaml with the decision's blocks; what stands there stays where nobody
            answered.
    """
    document, blocks, nobody = inputs.document, decision.blocks, inputs.nobody_answered
    if nobody:
        result, blocks = document.raw, document.managed
    before, after = masked(document.managed, blocks, _texts_of_policy(inputs))
    return Plan(
        changed=result != document.raw,
        config_sha256=sha256_of(document.raw),
        config_version=inputs.config_version,
        policy_sha256=inputs.policy_sha256,
        result_sha256=sha256_of(result),
        replace=inputs.policy.model_list == "replace",
        blocks=PlanBlocks(
            models=list(after.models), aliases=after.aliases, fallbacks=list(after.fallbacks)
        ),
        changes=compare(
            before,
            after,
            decision.model_list,
            {alias.name: alias.reason for alias in decision.resolved},
        ),
        providers=[provider_line(inputs, answer) for answer in inputs.answers.values()],
        nobody=nobody,
        unreachable=[name for name, answer in inputs.answers.items() if answer.verdict.failed],
        accepted=sorted(decision.accepting),
        **({"warnings": list(inputs.notes)} if nobody else _decided(inputs, decision)),
    )


def _decided(inputs: Inputs, decision: Decision) -> dict[str, Any]:
    """What a plan says only where somebody answered."""
    return {
        "refused": list(decision.refused),
        "held": list(decision.held),
        "warnings": [*inputs.notes, *_warnings(inputs, decision)],
        "trials": list(_trials(inputs, decision)),
        "last_days": ending(inputs, decision.last_days),
    }


def _trials(inputs: Inputs, decision: Decision) -> Iterator[TrialLine]:
    for callee in sorted(inputs.tried, key=lambda one: one.key):
        if record := inputs.trials.get(callee):
            yield TrialLine(name=callee.key.qualified, outcome=record.outcome, words=record.words)
    for call in decision.trials:
        yield TrialLine(name=call.callee.key.qualified)


def text_before(inputs: Inputs) -> str:
    """Our lines as they stand, for a diff, without what somebody typed into them."""
    managed = inputs.document.managed
    return text_of(masked(managed, managed, _texts_of_policy(inputs))[0])


def text_after(plan: Plan) -> str:
    """Our lines as the plan has them."""
    blocks = plan.blocks
    return text_of(Blocks(tuple(blocks.models), blocks.aliases, tuple(blocks.fallbacks)))


def _texts_of_policy(inputs: Inputs) -> set[str]:
    policy = inputs.policy
    layers: tuple[Additions, ...] = (policy.defaults, *policy.providers.values(), *policy.allow)
    return {text for layer in layers for text in texts_of((layer.params, layer.model_info))}


def provider_line(inputs: Inputs, answer: Answer) -> ProviderLine:
    """What became of asking a provider, and what a person can do about it."""
    known = inputs.state.providers.get(answer.provider)
    stale = (known.stale_since if known else None) or inputs.stamp
    told = (answer.detail, _partly(answer), _advice(inputs, answer))
    return ProviderLine(
        name=answer.provider,
        verdict=answer.verdict.value,
        models=len(answer.models),
        elapsed_ms=answer.elapsed_ms,
        detail="; ".join(part.rstrip(".") for part in told if part),
        stale_since=stale if answer.verdict.failed else None,
    )


def _partly(answer: Answer) -> str:
    """What a partial list means; "" where it is whole."""
    lacks = "what it lacks stays as it is"
    return f"only a part of its list: {answer.partial}; {lacks}" if answer.partial else ""


def _advice(inputs: Inputs, answer: Answer) -> str:
    """What a person can do about a provider that could not be asked; "" where nothing is known."""
    provider = inputs.providers[answer.provider]
    match answer.verdict:
        case Verdict.AUTH:
            names = " or ".join(provider.key_env)
            where = f" (keys: {provider.key_url})" if provider.key_url else ""
            return f"check {names}{where}" if names else "name the variable of its key in key_env"
        case Verdict.UNREACHABLE:
            return f"check the network and the base_url of {answer.provider}"
        case Verdict.BAD_BODY:
            return f"check the base_url of {answer.provider}, and any proxy in between"
        case Verdict.EMPTY:
            return f"where that is right, say `empty: ok` of {answer.provider} in the policy"
        case Verdict.TIMEOUT:
            return "give it longer with --timeout and --deadline"
        case _:
            return ""


NOTES_SHOWN = 5
"""Oddities of one provider's reply that a plan tells one by one."""


def _warnings(inputs: Inputs, decision: Decision) -> Iterator[str]:
    yield from decision.warnings
    for answer in inputs.answers.values():
        if answer.partial:
            yield f"{answer.provider}: {_partly(answer)}"
        shown = answer.notes[:NOTES_SHOWN]
        yield from (f"{answer.provider}: {note}" for note in shown)
        if len(answer.notes) > len(shown):
            yield f"{answer.provider}: {len(answer.notes) - len(shown)} more such rows"
    if _edited_by_hand(inputs):
        yield (
            "lines between our markers were edited since the last run; the policy decides what "
            "stands there, so they are written anew where they differ"
        )
    if not decision.refused:
        yield from _taken_out(inputs)


def _edited_by_hand(inputs: Inputs) -> bool:
    last, raw = inputs.state.written_blocks_sha256, inputs.document.raw
    return last is not None and raw != b"" and digest_of_ours(raw) != last


def _taken_out(inputs: Inputs) -> Iterator[str]:
    """What `model_list: replace` costs the user, once --force let it; counted, never quoted."""
    entries, aliases = len(inputs.document.own_models), len(inputs.document.own_aliases)
    if inputs.policy.model_list == "replace" and (entries or aliases):
        yield (
            "model_list: replace takes out what you wrote by hand "
            f"(entries: {entries}, aliases: {aliases}); `rollcall rollback` brings it back"
        )
