"""How one alias picks its target: what fits each of its choices, and when it stays. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall import families
from rollcall.aliases.pool import Outcome, Pool, is_candidate
from rollcall.aliases.ranking import cheapest, largest_context, newest
from rollcall.policy.where import ORDER, fact_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.aliases import Candidate
    from rollcall.policy import AliasSpec, Choice
    from rollcall.policy.where import Where


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
    if option.family and not any(families.is_family(reading, name) for name in option.family):
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
