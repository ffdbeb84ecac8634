"""A decision and the evidence for it, as the plan a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.catalog.model import Answer, Verdict
from rollcall.litellm_config.document import Blocks, managed_text
from rollcall.plan.masking import masked, text_of, texts_of
from rollcall.plan.plan import Plan, PlanBlocks, ProviderLine, compare
from rollcall.settings import stamp
from rollcall.store import freshness
from rollcall.sync.gather import advice

if TYPE_CHECKING:
    from rollcall.plan.decide import Decision
    from rollcall.policy.schema import Additions
    from rollcall.sync.gather import Evidence


NOTES_SHOWN = 5
"""Oddities of one provider's reply that a plan tells one by one."""


def plan_of(evidence: Evidence, decision: Decision, result: bytes) -> Plan:
    settings, document, blocks = evidence.settings, evidence.document, decision.blocks
    verdicts = [answer.verdict for answer in evidence.answers.values()]
    nobody = Verdict.OK not in verdicts
    if nobody:
        result, blocks = document.raw, document.managed
    before, after = masked(document.managed, blocks, _texts_of_policy(evidence))
    return Plan(
        changed=result != document.raw,
        refused=[] if nobody else list(decision.refused),
        config_sha256=freshness.sha256(document.raw),
        policy_sha256=freshness.policy_digest(settings),
        result_sha256=freshness.sha256(result),
        replace=evidence.policy.model_list == "replace",
        blocks=PlanBlocks(
            models=list(after.models), aliases=after.aliases, fallbacks=list(after.fallbacks)
        ),
        changes=compare(
            before,
            after,
            model_reasons=decision.model_reasons,
            alias_reasons=decision.alias_reasons,
        ),
        held=[] if nobody else list(decision.held),
        providers=[_line(evidence, answer) for answer in evidence.answers.values()],
        warnings=[*evidence.notes, *([] if nobody else _warnings(evidence, decision))],
        nobody=nobody,
        unreachable=[name for name, answer in evidence.answers.items() if answer.verdict.failed],
        accepted=sorted(decision.accepting),
    )


def text_before(evidence: Evidence) -> str:
    """Our lines as they stand, for a diff, without what somebody typed into them."""
    managed = evidence.document.managed
    return text_of(masked(managed, managed, _texts_of_policy(evidence))[0])


def text_after(plan: Plan) -> str:
    """Our lines as the plan has them."""
    blocks = plan.blocks
    return text_of(Blocks(tuple(blocks.models), blocks.aliases, tuple(blocks.fallbacks)))


def _texts_of_policy(evidence: Evidence) -> set[str]:
    policy = evidence.policy
    layers: tuple[Additions, ...] = (policy.defaults, *policy.providers.values(), *policy.allow)
    return {text for layer in layers for text in texts_of((layer.params, layer.model_info))}


def _line(evidence: Evidence, answer: Answer) -> ProviderLine:
    known = evidence.state.providers.get(answer.provider)
    stale = (known.stale_since if known else None) or stamp(evidence.settings)
    told = (answer.detail, advice(evidence.roll, answer))
    return ProviderLine(
        name=answer.provider,
        verdict=answer.verdict.value,
        models=len(answer.models),
        elapsed_ms=answer.elapsed_ms,
        detail="; ".join(part.rstrip(".") for part in told if part),
        stale_since=stale if answer.verdict.failed else None,
    )


def _warnings(evidence: Evidence, decision: Decision) -> list[str]:
    warnings = list(decision.warnings)
    for answer in evidence.answers.values():
        shown = answer.notes[:NOTES_SHOWN]
        warnings += [f"{answer.provider}: {note}" for note in shown]
        if len(answer.notes) > len(shown):
            warnings.append(f"{answer.provider}: {len(answer.notes) - len(shown)} more such rows")
    warnings += _edited_by_hand(evidence)
    if not decision.refused:
        warnings += _taken_out(evidence)
    return warnings


def _taken_out(evidence: Evidence) -> list[str]:
    """What `model_list: replace` costs the user, once --force let it; counted, never quoted."""
    document = evidence.document
    entries, aliases = len(document.own_models), len(document.own_aliases)
    if evidence.policy.model_list != "replace" or not (entries or aliases):
        return []
    return [
        "model_list: replace takes out what you wrote by hand "
        f"(entries: {entries}, aliases: {aliases}); `rollcall rollback` brings it back"
    ]


def _edited_by_hand(evidence: Evidence) -> list[str]:
    last, raw = evidence.state.written_blocks_sha256, evidence.document.raw
    if last is None or not raw:
        return []
    if freshness.sha256(managed_text(raw).encode()) == last:
        return []
    return [
        "lines between our markers were edited since the last run; the policy decides what "
        "stands there, so they are written anew where they differ"
    ]
