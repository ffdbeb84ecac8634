"""Chooses what one alias leads to: which candidate fits it, and which of them stands first.

By version, by price or by context; what ends soon, and what a provider that is away serves, stands
behind the others.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog import order
from rollcall.catalog.facts import said_by
from rollcall.catalog.model import Kind, in_dollars
from rollcall.catalog.reading import is_family
from rollcall.policy.conditions import ORDER
from rollcall.selection.rule import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from rollcall.catalog.model import Model
    from rollcall.policy.conditions import Where
    from rollcall.policy.rules import Choice, Selection
    from rollcall.policy.schema import Policy


class Candidate(NamedTuple):
    """A managed entry an alias may lead to.

    Attributes:
        name: its model_name. rule: the rule that admitted it, counted from 1.
        staying: kept as it is, because its provider could not be asked.
    """

    name: str
    model: Model
    rule: int
    staying: bool = False


class Outcome(NamedTuple):
    """What a choice came to; see `rollcall.selection.aliases.Resolved`.

    Attributes:
        stays: it leads where it did, because that provider could not be asked.
    """

    target: str | None
    reason: str
    candidates: tuple[tuple[str, str], ...] = ()
    stays: bool = False


class Pool(NamedTuple):
    """The managed entries an alias may lead to, and what is known beside them.

    Attributes:
        entries: in output order; leaving ones are not among them.
        today: the day of the decision: tells which last day is near.
        own_names: names the user's own lines give; a plain text may point at one.
        own_aliases: which of these are aliases: a fallback may lead to them, no alias.
        own_ids: `model_info.id`s of the user's own entries: LiteLLM takes a name for one first.
        unanswered: providers that could not be asked.
    """

    policy: Policy
    entries: tuple[Candidate, ...]
    today: date
    own_names: frozenset[str] = frozenset()
    own_aliases: frozenset[str] = frozenset()
    own_ids: frozenset[str] = frozenset()
    unanswered: frozenset[str] = frozenset()

    def named(self, text: str) -> str | None:
        """The model_name a plain text means: `provider/id`, or a name in the config.

        Not an alias of the user's: LiteLLM follows one step only.
        """
        for one in self.entries:
            if one.model.qualified == text:
                return one.name
        names = {one.name for one in self.entries} | (self.own_names - self.own_aliases)
        return text if text in names else None

    def fresh(self) -> Pool:
        """Only entries of providers that answered."""
        entries = tuple(one for one in self.entries if not self.is_stale(one))
        return self._replace(entries=entries)

    def ends_soon(self, one: Candidate) -> bool:
        """Whether an entry's last day is near."""
        return self.policy.ends_soon(one.model, self.today)

    def lasting(self, beyond: date) -> Pool:
        """Only entries whose last day is later than that, or not announced."""
        entries = (one for one in self.entries if not one.model.ends or one.model.ends > beyond)
        return self._replace(entries=tuple(entries))

    def is_stale(self, one: Candidate) -> bool:
        """Whether an entry's provider could not be asked."""
        return one.staying or one.model.provider in self.unanswered

    def assumed(self, one: Candidate) -> Mapping[str, bool | int]:
        """What the rule that admitted an entry lets us assume of it."""
        if one.staying or not 0 < one.rule <= len(self.policy.allow):
            return {}
        return self.policy.rule(one.rule).assume


def is_candidate(one: Candidate) -> bool:
    """Whether more than its own name may lead to an entry: a chat model that stays what it is."""
    chat = one.model.kind is Kind.CHAT and not one.model.batch_only
    return chat and not one.model.reading.moving and one.model.points_at is None


def choose(pool: Pool, spec: Selection, current: str | None) -> Outcome:
    """Resolve one alias, or what a role selects; `current` is the model_name it leads to now."""
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
                outcome = _or_successor(entries, option, outcome)
                return Outcome(outcome.target, outcome.reason, (*outcome.candidates, *lost))
            lost += outcome.candidates or ((_described(option), outcome.reason),)
    return Outcome(None, _nothing(options), tuple(lost))


def _or_successor(pool: Pool, option: Choice, outcome: Outcome) -> Outcome:
    """The successor of a target that ends soon, where it is admitted and meets the conditions."""
    one = next((one for one in pool.entries if one.name == outcome.target), None)
    if one is None or not pool.ends_soon(one):
        return outcome
    key = (one.model.provider, one.model.replaced_by)
    other = next((other for other in pool.entries if other.model.key == key), None)
    if other is None or pool.ends_soon(other) or not is_candidate(other):
        return outcome
    if option.model is None and _unfit(pool, option.model_copy(update={"family": ()}), other):
        return outcome
    ends = f"{one.name} ends on {one.model.ends}{said_by(one.model.borrowed.get('ends'))}"
    rest = tuple(row for row in outcome.candidates if row[0] not in (one.name, other.name))
    reason = f"{ends}, and its successor is admitted"
    return Outcome(other.name, reason, ((other.name, reason), (one.name, ends), *rest))


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
            return Outcome(present.name, reason, ((present.name, reason),), stays=True)
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
    model = one.model
    if option.family and not any(is_family(model.reading, name) for name in option.family):
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
    unmet = asked.failing(one.model, pool.assumed(one), lenient=lenient)
    if unmet is None:
        return None
    known = "not said" if unmet.fact is None else _asked(unmet.name, unmet.fact)
    wanted = _asked(unmet.name, unmet.wanted)
    return f"wants {wanted}; this one: {known}{said_by(unmet.source)}"


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
    return f"{name} {plain(value)}"


WORTH_MOVING = Decimal("0.8")
"""`cheapest` moves only to a model at most this part of the present one's price."""


def newest(
    pool: Pool, option: Choice, fitting: list[Candidate], lost: list[tuple[str, str]]
) -> Outcome:
    """By `from` in its order and then version; without `from` by version, then rule order.

    Behind all others: variants, and what ends soon where a successor is there.
    """
    versions = _by_version(fitting)
    ordered = [one for rows in versions for one in rows]
    if option.from_:
        ordered.sort(key=lambda one: option.from_.index(one.model.provider))
    ordered.sort(
        key=lambda one: (one.model.reading.variant is not None, _yields(pool, one, versions))
    )
    best = ordered[0]
    family = best.model.reading.family or ", ".join(option.family)
    reason = f"newest {family} of {len(ordered)}" if len(ordered) > 1 else f"the only {family}"
    if option.from_:
        reason = f"newest {family} from {best.model.provider}"
    return _outcome(ordered, reason, lost, lambda one: _behind(pool, best, one, versions))


def _by_version(fitting: Sequence[Candidate]) -> list[list[Candidate]]:
    """Versions newest first; in each, providers by the rules' order, each one's best id first."""
    place = {one.model.key: index for index, one in enumerate(fitting)}
    found = []
    for ids in order.versions(one.model for one in fitting):
        leaders: dict[str, int] = {}
        for model in ids:
            leaders.setdefault(model.provider, place[model.key])
        rows = sorted(ids, key=lambda model: leaders[model.provider])
        found.append([fitting[place[model.key]] for model in rows])
    return found


def _yields(pool: Pool, one: Candidate, versions: list[list[Candidate]]) -> bool:
    """Whether an entry that ends soon has a lasting successor: named, or as new as itself."""
    if not pool.ends_soon(one):
        return False
    for rows in versions:
        if any(not pool.ends_soon(other) for other in rows):
            return True
        if one in rows:
            break
    named = (one.model.provider, one.model.replaced_by)
    return any(other.model.key == named for rows in versions for other in rows)


def _behind(pool: Pool, best: Candidate, one: Candidate, versions: list[list[Candidate]]) -> str:
    """Why the best stands before another one."""
    if _yields(pool, one, versions):
        ends = f"ends on {one.model.ends}{said_by(one.model.borrowed.get('ends'))}"
        return f"{ends}, and there is a successor"
    theirs, ours = one.model.reading, best.model.reading
    if theirs.variant is not None and ours.variant is None:
        return f"a :{theirs.variant} variant"
    if any(best in rows and one in rows for rows in versions):
        return f"the same version, behind {best.name}"
    return f"version {theirs.version or 'unsaid'}, behind {ours.version or best.name}"


def cheapest(fitting: list[Candidate], current: str | None, lost: list[tuple[str, str]]) -> Outcome:
    """The cheapest; the present one stays unless the new one is a fifth cheaper."""
    best, *others = _ranked(fitting, _cost)
    present = next((one for one in others if one.name == current), None)
    outcome = _outcome([best, *others], f"the cheapest: {_price_reason(best)}", lost, _price_reason)
    if present is None or _cost(best) <= WORTH_MOVING * _cost(present):
        return outcome
    reason = f"stays at {_price_reason(present)}: {best.name} is less than a fifth cheaper"
    rest = tuple(row for row in outcome.candidates if row[0] != present.name)
    return Outcome(present.name, reason, ((present.name, reason), *rest))


def largest_context(fitting: list[Candidate], lost: list[tuple[str, str]]) -> Outcome:
    """The one that takes in most tokens."""
    ordered = _ranked(fitting, lambda one: -(one.model.context or 0))
    return _outcome(ordered, f"the largest: {_context_reason(ordered[0])}", lost, _context_reason)


def _ranked(
    fitting: list[Candidate], number: Callable[[Candidate], Decimal | int]
) -> list[Candidate]:
    """By a number, the smallest first; ties the newest, then rule order, then name."""
    return sorted(
        fitting,
        key=lambda one: (number(one), -order.release_number(one.model), one.rule, one.name),
    )


def _cost(one: Candidate) -> Decimal:
    return one.model.price.blended or Decimal(0)


def _price_reason(one: Candidate) -> str:
    dearest = one.model.price.dearest
    if dearest is None:
        return "its price is unknown"
    into, out, tier = dearest
    at = ""
    if tier is not None:
        at = f", above {tier.above_tokens} tokens" if tier.above_tokens else ", at peak hours"
    said = said_by(one.model.borrowed.get("price"))
    return f"{in_dollars(into)} in, {in_dollars(out)} out per 1M tokens{at}{said}"


def _context_reason(one: Candidate) -> str:
    return f"{one.model.context} tokens of context"


def _outcome(
    ordered: list[Candidate],
    reason: str,
    lost: list[tuple[str, str]],
    behind: Callable[[Candidate], str],
) -> Outcome:
    rows = [(ordered[0].name, reason), *((one.name, behind(one)) for one in ordered[1:])]
    return Outcome(ordered[0].name, reason, (*rows, *lost))
