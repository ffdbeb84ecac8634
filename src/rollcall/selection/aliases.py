"""Resolves the aliases of a policy: one stable name, one target at a time, and why.

An alias resolves only among what is admitted or written by hand. It stays where it is while the
provider of its present target cannot be asked, and never leads to nothing or to another alias:
LiteLLM follows one step only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rollcall.catalog import order
from rollcall.catalog.facts import said_by
from rollcall.errors import PolicyError
from rollcall.policy.schema import AliasSpec, Choice
from rollcall.selection.choosing import Candidate, Pool, choose, is_candidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from rollcall.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Resolved:
    """One alias.

    Attributes:
        target: a model_name; None = nothing fits. fallbacks: model_names, in order.
        candidates: (model_name, why it won or lost), the winner first, then in order of choice.
    """

    name: str
    target: str | None
    hidden: bool
    fallbacks: tuple[str, ...]
    reason: str
    candidates: tuple[tuple[str, str], ...]


def resolve(
    policy: Policy,
    pool: Sequence[Candidate],
    *,
    own_names: frozenset[str],
    current: Mapping[str, str],
    unanswered: frozenset[str],
    today: date,
    own_aliases: frozenset[str] = frozenset(),
    own_ids: frozenset[str] = frozenset(),
    picked: str | None = None,
) -> tuple[tuple[Resolved, ...], tuple[str, ...]]:
    """Resolve every alias of the policy, or the derived ones where it names none.

    Args:
        pool: the managed entries in output order; leaving ones are not among them.
        own_names: names the user's own lines give; a plain text may point at one.
        current: alias -> the model_name it leads to in the file.
        unanswered: providers that could not be asked.
        today: the day of the decision: tells which last day is near.
        picked: `provider/id` a person picked as `default`; what the policy says comes after it.
        own_aliases: which of `own_names` are aliases: a fallback may lead to them, no alias.
        own_ids: `model_info.id`s of the user's own entries: LiteLLM takes a name for one first.

    Returns:
        The aliases in the policy's order, and warnings. A derived alias that fits nothing, and led
        nowhere before, is left out with a note.

    Raises:
        PolicyError: an alias carries the very name that a rule gives.
    """
    derived = policy.aliases is None
    choices = Pool(policy, tuple(pool), own_names, unanswered, today, own_aliases)
    specs = derive(choices, current) if policy.aliases is None else policy.aliases
    if picked is not None:
        specs = {**specs, "default": _preferring(picked, specs.get("default"))}
    notes: list[str] = []
    chosen: list[Resolved] = []
    for name, spec in specs.items():
        if why := _taken(name, policy, pool, own_names, own_ids):
            notes.append(f"alias {name!r} is left out: {why}")
            continue
        row = _chosen(name, spec, choices, current.get(name), picked, derived=derived)
        if row.target is None:
            notes.append(f"alias {name!r} is left out: {row.reason}")
        if row.target is not None or not derived or name in current:
            chosen.append(row)
    resolved, lost = _with_fallbacks(chosen, specs, choices)
    ending = (_nothing_left(row, specs[row.name], choices, derived=derived) for row in resolved)
    return resolved, (*notes, *lost, *filter(None, ending))


def _chosen(
    name: str,
    spec: AliasSpec,
    choices: Pool,
    current: str | None,
    picked: str | None,
    *,
    derived: bool,
) -> Resolved:
    """One alias, without its fallbacks yet."""
    found = choose(choices, spec, current)
    reason = found.reason
    if name == "default" and found.target is not None:
        if picked is not None and choices.named(picked) == found.target:
            reason = "picked with `rollcall pick`"
        elif derived and not reason.startswith("stays"):
            reason = DEFAULT_REASON
    return Resolved(name, found.target, spec.hidden, (), reason, found.candidates)


def _with_fallbacks(
    chosen: Sequence[Resolved], specs: Mapping[str, AliasSpec], choices: Pool
) -> tuple[tuple[Resolved, ...], list[str]]:
    """The aliases with their fallbacks, and notes of those that are nothing in the config."""
    targets = {row.name: row.target for row in chosen if row.target is not None}
    resolved, notes = [], []
    for row in chosen:
        fallbacks, lost = _fallbacks(row, specs[row.name], targets, choices)
        resolved.append(replace(row, fallbacks=fallbacks))
        notes += lost
    return tuple(resolved), notes


def _nothing_left(row: Resolved, spec: AliasSpec, pool: Pool, *, derived: bool) -> str | None:
    """What to say of an alias that will lead nowhere once its target's last day is past."""
    notice = pool.policy.defaults.warn_before[:1]
    one = next((one for one in pool.entries if one.name == row.target), None)
    ends = one.model.ends if one is not None else None
    if one is None or ends is None or not notice or (ends - pool.today).days > notice[0]:
        return None
    later = pool.lasting(ends)
    option = derive(later, {}).get(row.name) if derived else spec
    if option is not None and choose(later, option, None).target is not None:
        return None
    if ends < pool.today:
        return (
            f"alias {row.name!r} leads to {one.name}, which ended on {ends}"
            f"{said_by(one.model.borrowed.get('ends'))}, and nothing else admitted fits"
        )
    return (
        f"alias {row.name!r} will lead nowhere after {ends}: {one.name} ends then"
        f"{said_by(one.model.borrowed.get('ends'))}, and nothing else admitted fits"
    )


def fallback_entries(resolved: Iterable[Resolved]) -> tuple[dict[str, list[str]], ...]:
    """What goes into LiteLLM's `fallbacks`, in the order of the aliases.

    Keyed by the alias: LiteLLM looks up the name the client called, and a fallback keyed by the
    target would neither apply through the alias nor stay with it when the alias moves.
    https://github.com/BerriAI/litellm/issues/10317
    """
    return tuple(
        {row.name: list(row.fallbacks)} for row in resolved if row.fallbacks and row.target
    )


def _taken(
    name: str,
    policy: Policy,
    pool: Sequence[Candidate],
    own_names: frozenset[str],
    own_ids: frozenset[str],
) -> str | None:
    """What has an alias's name already, so that it cannot be written; None = nothing.

    A name that a rule makes out of an id comes and goes with what a provider lists; one that a
    rule gives as it stands is the policy's own contradiction.
    """
    if name in own_names:
        return "your own lines give that name already"
    if name in own_ids:
        return "an entry of yours has it as its model_info.id, and LiteLLM would call that one"
    twin = next((one for one in pool if one.name == name), None)
    if twin is None:
        return None
    if twin.staying:
        return (
            f"{twin.model.qualified} has that name, and stays as it is until "
            f"{twin.model.provider} answers"
        )
    rule = policy.allow[twin.rule - 1] if twin.rule <= len(policy.allow) else None
    if rule is not None and "{" in (rule.name or policy.naming):
        return f"{twin.model.qualified} is called that, and answers by it (rule {twin.rule})"
    raise PolicyError(
        f"The alias {name!r} has the name of a managed model ({twin.model.qualified}): "
        "LiteLLM could not reach the model any more.",
        f"Rename the alias, or give rule {twin.rule} another `name`.",
    )


def _preferring(picked: str, spec: AliasSpec | None) -> AliasSpec:
    """The same alias with a person's pick before everything else."""
    first = Choice(model=picked)
    if spec is None:
        return AliasSpec(first_of=(first,))
    own = spec.model_dump(by_alias=True, exclude_unset=True, include=set(Choice.model_fields))
    rest = spec.first_of or (Choice.model_validate(own),)
    return AliasSpec(first_of=(first, *rest), hidden=spec.hidden, fallbacks=spec.fallbacks)


def _fallbacks(
    row: Resolved, spec: AliasSpec, targets: Mapping[str, str], pool: Pool
) -> tuple[tuple[str, ...], list[str]]:
    """The fallbacks of an alias as model_names, without its own target and without repeats."""
    if row.target is None:
        return (), []
    found: list[str] = []
    notes = []
    for word in spec.fallbacks:
        target = targets.get(word) or pool.named(word)
        if target is None and word in pool.own_aliases:
            target = word
        if target is None:
            notes.append(f"alias {row.name!r}: its fallback {word!r} is nothing in the config")
        elif target != row.target and target not in found:
            found.append(target)
    return tuple(found), notes


SMALL_AND_FAST = frozenset(("haiku", "mini", "flash"))
"""Words in a family's name that say: quick and cheap enough for everything."""

DEFAULT_REASON = "the newest small fast model admitted, else the first entry"

STRONG = ("claude-opus", "gpt", "gemini-pro", "grok", "deepseek-pro", "qwen-max", "kimi", "glm")
"""Flagship families that reason, in order of preference."""


def derive(pool: Pool, current: Mapping[str, str]) -> dict[str, AliasSpec]:
    """The default set for a policy and what it admits."""
    providers = pool.policy.providers
    routed = list(pool.policy.openrouters)
    direct = [name for name in providers if name not in routed]
    first_hand = {"from": direct + routed}
    sturdy: list[dict[str, Any]] = [{"family": name, **first_hand} for name in STRONG]
    specs: dict[str, Any] = {
        "default": _default(pool, current.get("default")),
        "claude": {"family": "claude-sonnet", **first_hand},
        "claude-strong": {"family": "claude-opus", **first_hand},
        "claude-fallback": {"family": "claude-sonnet", "from": routed} if routed else None,
        "reasoning": {"first_of": [*sturdy, {"cheapest": {"reasoning": True}}]},
        "cheap": {"cheapest": {"tools": True, "context": ">= 128000"}},
    }
    return {name: AliasSpec.model_validate(spec) for name, spec in specs.items() if spec}


def _default(pool: Pool, current: str | None) -> str | None:
    """The newest small fast model, else the first entry; it stays with a provider that is away."""
    usable = [one for one in pool.entries if is_candidate(one)]
    small = [
        one for one in usable if not SMALL_AND_FAST.isdisjoint(one.model.reading.family.split("-"))
    ]
    fitting = small or usable[:1]
    for one in fitting:
        if one.name == current and pool.is_stale(one):
            return one.model.qualified
    fitting = [one for one in fitting if not pool.is_stale(one)] or fitting
    # max keeps the first of equals: the rules' order breaks ties.
    newest = max(fitting, key=lambda one: order.release_number(one.model), default=None)
    return newest.model.qualified if newest else None
