"""All rules at work: which models are admitted, under which name, and why.

Order of work: deny, match or family, stage and where, `newest`, `max`. Every rule sees the whole
catalog of its providers; the first that admits a model owns its place, name and params. Rules are
counted from 1. The result does not depend on the order of catalogs or rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rollcall.errors import PolicyError
from rollcall.policy.words import name_fault, render_name
from rollcall.selection.provider_catalog import ProviderCatalog
from rollcall.selection.rule import AppliedRule, RuleContext, Stop, verdict
from rollcall.selection.warnings import moving_id_warnings, rule_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rollcall.catalog.model import Model, ModelKey
    from rollcall.policy.schema import Policy


SUPERSEDING = frozenset(Stop) - {Stop.DENIED, Stop.FROM, Stop.UNNAMED}
"""What stops a model that a rule names: not a policy edit, so its entry has a grace."""


class Admitted(NamedTuple):
    """A model that comes in.

    Attributes:
        rule: the rule that owns it, counted from 1. name: its model_name.
        reason: for people, e.g. ``rule 3: newest 1 of claude-sonnet``.
    """

    model: Model
    rule: int
    name: str
    reason: str


class Held(NamedTuple):
    """A model that would come in by a rule, were it not younger than `guards.min_age`, or had it
    answered.
    """

    model: Model
    reason: str
    rule: int


class Step(NamedTuple):
    """One step of the way of a model: a rule (None: before the rules), passed or not, and why.

    Attributes:
        stop: what the deny list or a rule stopped it by.
    """

    rule: int | None
    passed: bool
    why: str
    stop: Stop | None = None


def decisive(steps: Sequence[Step]) -> Step:
    """The step that tells why a model is in or out: the rule that admits it; else what stops it
    before the rules; else the rule that came nearest to admitting it; else that no rule names it.
    """
    if not steps[-1].passed and steps[-1].rule is None:
        return steps[-1]
    ways = [step for step in steps if step.rule is not None]
    admitting = next((step for step in ways if step.passed), None)
    naming = [step for step in ways if step.stop in SUPERSEDING]
    nearest = max(naming, key=lambda step: ORDER_OF_WORK[step.stop or Stop.FROM], default=None)
    return admitting or nearest or Step(None, passed=False, why="no rule names it")


ORDER_OF_WORK = {stop: place for place, stop in enumerate(Stop)}


class Admission(NamedTuple):
    """The outcome. by_key: what comes in, in output order; context, rules: what decided it."""

    by_key: Mapping[ModelKey, Admitted]
    held: tuple[Held, ...]
    warnings: tuple[str, ...]
    context: RuleContext
    rules: tuple[AppliedRule, ...]

    @property
    def admitted(self) -> tuple[Admitted, ...]:
        """What comes in, in output order."""
        return tuple(self.by_key.values())

    def trail(self, provider: str, model_id: str) -> tuple[Step, ...]:
        """Every step of one model's way, for `explain`: the deny list, then each rule in turn."""
        catalog = self.context.catalogs.get(provider)
        if catalog is None:
            return (Step(None, passed=False, why=f"{provider} was not asked or did not answer"),)
        if model_id not in catalog.models:
            return (Step(None, passed=False, why=f"{provider} does not list it"),)
        item = catalog.item(model_id)
        if item.denied is not None:
            denied = f"denied by {item.denied!r}"
            return (Step(None, passed=False, why=denied, stop=Stop.DENIED),)
        steps = [Step(None, passed=True, why="not denied")]
        for applied in self.rules:
            stop, why = verdict(applied, item)
            steps.append(Step(applied.number, passed=stop is None, why=why, stop=stop))
        return tuple(steps)

    def superseded(self, provider: str, model_id: str) -> str | None:
        """Why a listed model is out although some rule names it, as `superseded by X (rule 1:
        newest 1)`: something better, newer or stricter. None where no rule names it, or it is
        denied: the policy does not want its kind.
        """
        for step in self.trail(provider, model_id):
            if step.rule is not None and step.stop is Stop.NEWEST:
                applied = self.rules[step.rule - 1]
                ahead = applied.ahead(self.context.catalogs[provider].item(model_id))
                newer = ", ".join(one.model.id for one in ahead)
                return f"superseded by {newer} (rule {step.rule}: newest {applied.rule.newest})"
            if step.stop in SUPERSEDING:
                return f"superseded (rule {step.rule}: {step.why})"
        return None

    def would_take(self, model: Model) -> bool:
        """Whether a rule would admit a model if its provider still listed it, as far as `newest`
        and `max` go; False where newer ones have its place.
        """
        alone = ProviderCatalog(model.provider, (model,), self.context.policy)
        item = alone.item(model.id)
        return any(
            applied.would_take(item)
            for applied in self.rules
            if AppliedRule.names(applied.rule, alone, item)
        )


def admit(context: RuleContext) -> Admission:
    """Apply the policy's rules to what the providers that answered list.

    Raises:
        PolicyError: two models would carry one model_name.
    """
    policy = context.policy
    rules = tuple(AppliedRule(context, rule, at) for at, rule in enumerate(policy.allow, start=1))
    admitted, faults = _admitted(rules, policy)
    _refuse_twins(admitted.values(), policy)
    warnings = [
        *faults,
        *(line for applied in rules for line in rule_warnings(applied)),
        *moving_id_warnings(list(admitted.values()), context),
    ]
    return Admission(
        admitted,
        tuple(row for key, row in _held(rules).items() if key not in admitted),
        tuple(dict.fromkeys(warnings)),
        context,
        rules,
    )


def _admitted(
    rules: Iterable[AppliedRule], policy: Policy
) -> tuple[dict[ModelKey, Admitted], list[str]]:
    """What the rules admit, each model by the first that does; and what cannot carry its name."""
    admitted: dict[ModelKey, Admitted] = {}
    faults = []
    for applied in rules:
        for item in applied.chosen:
            model = item.model
            name = render_name(applied.rule.name or policy.naming, model)
            if fault := name_fault(name) or name_fault(model.id):
                faults.append(f"{model.qualified}: left out, {fault}")
            else:
                row = Admitted(model, applied.number, name, applied.reason(model))
                admitted.setdefault(model.key, row)
    return admitted, faults


def _held(rules: Iterable[AppliedRule]) -> dict[ModelKey, Held]:
    held: dict[ModelKey, Held] = {}
    for applied in rules:
        for item, why in applied.held:
            row = Held(item.model, f"rule {applied.number}: {why}", applied.number)
            held.setdefault(item.model.key, row)
    return held


def rule_of(policy: Policy, model: Model) -> int | None:
    """The first rule that names a model, counted from 1, whatever `newest`, `max`, stage and
    conditions say of it; None when no rule does or it is denied.
    """
    return next(rules_of(policy, model), None)


def rules_of(policy: Policy, model: Model) -> Iterator[int]:
    """The rules that name a model, in their order; see `rule_of`."""
    alone = ProviderCatalog(model.provider, (model,), policy)
    item = alone.item(model.id)
    if item.denied is None:
        for number, rule in enumerate(policy.allow, start=1):
            if AppliedRule.names(rule, alone, item):
                yield number


def _refuse_twins(rows: Iterable[Admitted], policy: Policy) -> None:
    """Two models of one name, unless the rules of both say that LiteLLM shall balance them."""
    seen: dict[str, Admitted] = {}
    for row in rows:
        twin = seen.setdefault(row.name, row)
        meant = all(policy.rule(one.rule).balance for one in (twin, row))
        if twin is not row and not meant:
            rules = f"rules {twin.rule} and {row.rule}"
            raise PolicyError(
                f"{twin.model.qualified} and {row.model.qualified} ("
                f"{rules if twin.rule != row.rule else f'rule {row.rule}'}) would both be named "
                f"{row.name!r}: LiteLLM would balance between them silently.",
                'Give one of them its own `name`, for example "{provider}/{id}", or deny it; '
                "where a group is meant, both rules say `balance: true`.",
            )
