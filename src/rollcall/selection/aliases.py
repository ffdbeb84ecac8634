"""Resolves the aliases of a policy: one stable name, one target at a time, and why.

An alias resolves only among what is admitted or written by hand. It stays where it is while the
provider of its present target cannot be asked, and never leads to nothing or to another alias:
LiteLLM follows one step only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.catalog import order
from rollcall.catalog.facts import said_by
from rollcall.policy.rules import AliasSpec, Choice
from rollcall.selection.choosing import Pool, choose, is_candidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Resolved(NamedTuple):
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
    pool: Pool, current: Mapping[str, str], picked: str | None = None
) -> tuple[tuple[Resolved, ...], tuple[str, ...]]:
    """Resolve every alias of the policy, or the derived ones where it names none.

    Args:
        pool: what an alias may lead to. current: alias -> the model_name it leads to in the file.
        picked: `provider/id` a person picked as `default`; what the policy says comes after it.

    Returns:
        The aliases in the policy's order, and warnings. A derived alias that fits nothing, and led
        nowhere before, is left out with a note.
    """
    derived = pool.policy.aliases is None
    specs = derive(pool, current) if pool.policy.aliases is None else pool.policy.aliases
    if picked is not None:
        specs = {**specs, "default": _preferring(picked, specs.get("default"))}
    notes: list[str] = []
    chosen: list[Resolved] = []
    for name, spec in specs.items():
        if why := _taken(name, pool):
            notes.append(f"alias {name!r} is left out: {why}")
            continue
        row = _chosen(name, spec, pool, current.get(name), picked, derived=derived)
        if row.target is None:
            notes.append(f"alias {name!r} is left out: {row.reason}")
        if row.target is not None or not derived or name in current:
            chosen.append(row)
    targets = {row.name: row.target for row in chosen if row.target is not None}
    resolved = []
    for row in chosen:
        fallbacks, lost = _fallbacks(row, specs[row.name], targets, pool)
        resolved.append(row._replace(fallbacks=fallbacks))
        notes += lost
    ending = (_nothing_left(row, specs[row.name], pool, derived=derived) for row in resolved)
    return tuple(resolved), (*notes, *filter(None, ending))


def _chosen(
    name: str,
    spec: AliasSpec,
    pool: Pool,
    current: str | None,
    picked: str | None,
    *,
    derived: bool,
) -> Resolved:
    """One alias, without its fallbacks yet."""
    found = choose(pool, spec, current)
    reason = found.reason
    if name == "default" and found.target is not None:
        if picked is not None and pool.named(picked) == found.target:
            reason = "picked with `rollcall pick`"
        elif derived and not found.stays:
            reason = DEFAULT_REASON
    return Resolved(name, found.target, spec.hidden, (), reason, found.candidates)


def _nothing_left(row: Resolved, spec: AliasSpec, pool: Pool, *, derived: bool) -> str | None:
    """What to say of an alias that will lead nowhere once its target's last day is past."""
    one = next((one for one in pool.entries if one.name == row.target), None)
    ends = one.model.ends if one is not None else None
    if one is None or ends is None or not pool.policy.is_told(ends, pool.today):
        return None
    later = pool.lasting(ends)
    option = derive(later, {}).get(row.name) if derived else spec
    if option is not None and choose(later, option, None).target is not None:
        return None
    said = said_by(one.model.borrowed.get("ends"))
    what = f"will lead nowhere after {ends}: {one.name} ends then"
    if ends < pool.today:
        what = f"leads to {one.name}, which ended on {ends}"
    return f"alias {row.name!r} {what}{said}, and nothing else admitted fits"


def fallback_entries(resolved: Iterable[Resolved]) -> tuple[dict[str, list[str]], ...]:
    """What goes into LiteLLM's `fallbacks`, in the order of the aliases.

    Keyed by the alias: LiteLLM looks up the name the client called, and a fallback keyed by the
    target would neither apply through the alias nor stay with it when the alias moves.
    https://github.com/BerriAI/litellm/issues/10317
    """
    return tuple(
        {row.name: list(row.fallbacks)} for row in resolved if row.fallbacks and row.target
    )


def _taken(name: str, pool: Pool) -> str | None:
    """What has an alias's name already, so that it cannot be written; None = nothing.

    A name that a rule gives as it stands is told where the policy is read; here are those that come
    and go with what a provider lists, and aliases that the policy does not name.
    """
    if name in pool.own_names:
        return "your own lines give that name already"
    if name in pool.own_ids:
        return "an entry of yours has it as its model_info.id, and LiteLLM would call that one"
    twin = next((one for one in pool.entries if one.name == name), None)
    if twin is None:
        return None
    who = twin.model.qualified
    if twin.staying:
        return f"{who} has that name, and stays as it is until {twin.model.provider} answers"
    rule = f" (rule {twin.rule})" if twin.rule <= len(pool.policy.allow) else ""
    return f"{who} is called that, and answers by it{rule}"


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
