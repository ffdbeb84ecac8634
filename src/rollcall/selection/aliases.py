"""Aliases: one stable name, one target at a time, and why.

An alias resolves only among what is admitted or written by hand. It stays where it is while the
provider of its present target cannot be asked, and never leads to nothing or to another alias:
LiteLLM follows one step only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.catalog import order
from rollcall.catalog.reading import is_family
from rollcall.errors import PolicyError
from rollcall.policy.conditions import ORDER, fact_of
from rollcall.policy.schema import AliasSpec, Choice
from rollcall.selection.candidates import (
    Outcome,
    Pool,
    cheapest,
    is_candidate,
    largest_context,
    newest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from rollcall.catalog.model import Model
    from rollcall.catalog.reading import Reading
    from rollcall.policy.conditions import Where
    from rollcall.policy.schema import Policy


class Candidate(NamedTuple):
    """A managed entry an alias may lead to.

    Attributes:
        name: its model_name. rule: the rule that admitted it, counted from 1.
        staying: kept as it is, because its provider could not be asked.
    """

    name: str
    model: Model
    reading: Reading
    rule: int
    staying: bool = False


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
    today: date | None = None,
    own_aliases: frozenset[str] = frozenset(),
    picked: str | None = None,
) -> tuple[tuple[Resolved, ...], tuple[str, ...]]:
    """Resolve every alias of the policy, or the derived ones where it names none.

    Args:
        pool: the managed entries in output order; leaving ones are not among them.
        own_names: names the user's own lines give; a plain text may point at one.
        current: alias -> the model_name it leads to in the file.
        unanswered: providers that could not be asked.
        today: the day of the decision: tells which announced end is near.
        picked: `provider/id` a person picked as `default`; what the policy says comes after it.
        own_aliases: which of `own_names` are aliases: a fallback may lead to them, no alias.

    Returns:
        The aliases in the policy's order, and warnings. A derived alias that fits nothing, and led
        nowhere before, is left out with a note.

    Raises:
        PolicyError: an alias carries the name of a managed model.
    """
    derived = policy.aliases is None
    shelf = Pool(policy, tuple(pool), own_names, unanswered, today, own_aliases)
    specs = derive(shelf, current) if policy.aliases is None else policy.aliases
    if picked is not None:
        specs = {**specs, "default": _preferring(picked, specs.get("default"))}
    resolved: list[Resolved] = []
    notes: list[str] = []
    for name, spec in specs.items():
        if name in own_names:
            notes.append(f"alias {name!r} is left out: your own lines give that name already")
            continue
        if (twin := _model_called(name, pool)) is not None:
            notes.append(
                f"alias {name!r} is left out: {twin.model.qualified} has that name, and stays as "
                f"it is until {twin.model.provider} answers"
            )
            continue
        found = choose(shelf, spec, current.get(name))
        reason = found.reason
        if name == "default" and found.target is not None:
            if picked is not None and shelf.named(picked) == found.target:
                reason = "picked with `rollcall pick`"
            elif derived and not reason.startswith("stays"):
                reason = DEFAULT_REASON
        row = Resolved(name, found.target, spec.hidden, (), reason, found.candidates)
        if row.target is None:
            notes.append(f"alias {name!r} is left out: {row.reason}")
            if derived and name not in current:
                continue
        resolved.append(row)
    targets = {row.name: row.target for row in resolved if row.target is not None}
    for index, row in enumerate(resolved):
        fallbacks, lost = _fallbacks(row, specs[row.name], targets, shelf)
        resolved[index] = replace(row, fallbacks=fallbacks)
        notes += lost
    return tuple(resolved), tuple(notes)


def fallback_entries(resolved: Iterable[Resolved]) -> tuple[dict[str, list[str]], ...]:
    """What goes into LiteLLM's `fallbacks`, in the order of the aliases.

    Keyed by the alias: LiteLLM looks up the name the client called, and a fallback keyed by the
    target would neither apply through the alias nor stay with it when the alias moves.
    https://github.com/BerriAI/litellm/issues/10317
    """
    return tuple(
        {row.name: list(row.fallbacks)} for row in resolved if row.fallbacks and row.target
    )


def _model_called(name: str, pool: Sequence[Candidate]) -> Candidate | None:
    """The entry that has an alias's name and stays only because its provider did not answer."""
    twin = next((one for one in pool if one.name == name), None)
    if twin is not None and not twin.staying:
        raise PolicyError(
            f"The alias {name!r} has the name of a managed model ({twin.model.qualified}): "
            "LiteLLM could not reach the model any more.",
            f"Rename the alias, or give rule {twin.rule} another `name`.",
        )
    return twin


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


def choose(pool: Pool, spec: AliasSpec, current: str | None) -> Outcome:
    """Resolve one alias; `current` is the model_name it leads to now."""
    options: Sequence[Choice] = spec.first_of or (spec,)
    stays = _stays(pool, options, current)
    if stays is not None:
        return stays
    lost: list[tuple[str, str]] = []
    for entries in (pool.fresh(), pool):
        lost = []
        for option in options:
            outcome = _pick(entries, option, current)
            if outcome.target is not None:
                return Outcome(outcome.target, outcome.reason, (*outcome.candidates, *lost))
            lost += outcome.candidates or ((_described(option), outcome.reason),)
    return Outcome(None, _nothing(options), tuple(lost))


def _stays(pool: Pool, options: Iterable[Choice], current: str | None) -> Outcome | None:
    """The present target, where its provider could not be asked and it still fits."""
    present = next((one for one in pool.entries if one.name == current), None)
    if present is None or not pool.is_stale(present):
        return None
    for option in options:
        if _is_named(option, present) or (
            option.model is None and _unfit(pool, option, present, lenient=True) is None
        ):
            reason = f"stays: {present.model.provider} could not be asked"
            return Outcome(present.name, reason, ((present.name, reason),))
    return None


def _is_named(option: Choice, one: Candidate) -> bool:
    return option.model is not None and option.model in (one.model.qualified, one.name)


def _pick(pool: Pool, option: Choice, current: str | None) -> Outcome:
    if option.model is not None:
        target = pool.named(option.model)
        reason = "named in the policy" if target else f"{option.model} is not in the config"
        return Outcome(target, reason, ((target, reason),) if target else ())
    fitting, lost = [], []
    for one in pool.entries:
        why = _unfit(pool, option, one)
        if why is None:
            fitting.append(one)
        elif why:
            lost.append((one.name, why))
    if not fitting:
        return Outcome(None, _nothing((option,)), tuple(lost))
    if option.cheapest is not None:
        return cheapest(fitting, current, lost)
    if option.largest_context is not None:
        return largest_context(fitting, lost)
    return newest(pool, option, fitting, lost)


def _unfit(pool: Pool, option: Choice, one: Candidate, *, lenient: bool = False) -> str | None:
    """Why an entry does not fit a choice: "" when it is out of question, None when it fits."""
    model, reading = one.model, one.reading
    if option.family and not any(is_family(reading, name) for name in option.family):
        return ""
    if not is_candidate(one):
        return "only its own name leads to it" if option.family else ""
    if option.from_ and model.provider not in option.from_:
        return f"from is {', '.join(option.from_)}"
    for where in (option.where, option.cheapest, option.largest_context):
        failing = where and _fails(
            where, pool, one, lenient=lenient, priced=where is option.cheapest
        )
        if failing:
            return failing
    if option.cheapest is not None and not lenient and model.price.blended is None:
        return "its price is unknown"
    if option.largest_context is not None and not lenient and model.context is None:
        return "its context is unknown"
    return None


def _fails(where: Where, pool: Pool, one: Candidate, *, lenient: bool, priced: bool) -> str | None:
    """The condition an entry does not meet, in words."""
    asked = where
    if priced:
        if one.model.price.blended == 0 and not where.free:
            return "it is free, and `free: true` is not said"
        asked = where.model_copy(update={"free": None})
    name = asked.failing(one.model, one.reading, pool.assumed(one), lenient=lenient)
    if name is None:
        return None
    fact = fact_of(name, one.model, one.reading)
    known = "not said" if fact is None else _asked(name, fact)
    return f"wants {_asked(name, getattr(asked, name))}; this one: {known}"


def _nothing(options: Iterable[Choice]) -> str:
    return f"nothing admitted fits {' or '.join(_described(option) for option in options)}"


def _described(option: Choice) -> str:
    """A choice in a few words, for messages."""
    if option.model is not None:
        return option.model
    what = " or ".join(option.family)
    for word, where in (
        ("cheapest", option.cheapest),
        ("largest context", option.largest_context),
        ("", option.where),
    ):
        if where is not None:
            conditions = _conditions(where)
            what = " ".join(part for part in (word, what, conditions) if part)
    return f"{what} from {', '.join(option.from_)}" if option.from_ else what


def _conditions(where: Where) -> str:
    """`(tools, context >= 128000)`; nothing where nothing is asked."""
    said = {name: getattr(where, name) for name in where.model_fields_set}
    words = [_asked(name, said[name]) for name in ORDER if said.get(name) not in (None, ())]
    return f"({', '.join(words)})" if words else ""


def _asked(name: str, value: object) -> str:
    if isinstance(value, bool):
        return name if value else f"no {name}"
    shown = ", ".join(map(str, value)) if type(value) is tuple else str(value)
    return f"{name} {shown}"


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
    small = [one for one in usable if not SMALL_AND_FAST.isdisjoint(one.reading.family.split("-"))]
    fitting = small or usable[:1]
    for one in fitting:
        if one.name == current and pool.is_stale(one):
            return one.model.qualified
    fitting = [one for one in fitting if not pool.is_stale(one)] or fitting
    # max keeps the first of equals: the rules' order breaks ties.
    return max(fitting, key=_day).model.qualified if fitting else None


def _day(one: Candidate) -> int:
    day = order.release_date(one.model)
    return day.toordinal() if day else 0
