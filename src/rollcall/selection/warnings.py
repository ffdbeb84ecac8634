"""What a person should know of the rules at work: which find nothing and why, which take too much,
what ends soon, and where a provider's own moving id disagrees with our newest.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from rollcall.catalog import order
from rollcall.catalog.names import maker_of_family
from rollcall.catalog.reading import read
from rollcall.errors import did_you_mean, nearest
from rollcall.policy.words import compile_glob
from rollcall.selection.rule import Stop, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollcall.selection.admission import Admitted
    from rollcall.selection.provider_catalog import ListedModel
    from rollcall.selection.rule import AppliedRule, RuleContext

MANY_FAMILIES = 10


def rule_warnings(applied: AppliedRule) -> Iterator[str]:
    """What a person should know about a rule: it finds nothing, very much, or several as one."""
    number = applied.number
    held = {item.family for item in applied.chosen}
    if len(held) > MANY_FAMILIES:
        hint = "" if applied.rule.max else "; `max` or `max_age` would bound it"
        yield f"rule {number} admits {len(held)} families{hint}"
    yield from _several_as_one(applied)
    expected = applied.rule.from_ or tuple(applied.context.policy.providers)
    if not applied.catalogs or any(name not in applied.context.catalogs for name in expected):
        return
    if not applied.named:
        yield f"rule {number} finds nothing: {_why_empty(applied)}"
        return
    if not applied.passing:
        yield f"rule {number} admits nothing: {_why_none_pass(applied)}"
    for pattern in applied.rule.match:
        unlisted = not any(catalog.matching(pattern) for catalog in applied.catalogs)
        if compile_glob(pattern).literal and unlisted:
            yield _with_hint(
                f"rule {number}: nobody asked lists {pattern!r}", _pattern_hint(applied, pattern)
            )


def _several_as_one(applied: AppliedRule) -> Iterator[str]:
    """Where `family: [a, b]` counts as one what is not one family that was renamed.

    A renamed family goes on under its new name: at one provider the versions of both names do not
    mix, and both have one maker.
    """
    rule = applied.rule
    if len(rule.family) < 2 or rule.newest is None:
        return
    for catalog in applied.catalogs:
        items = [item for item in applied.named if item.model.provider == catalog.provider]
        by_id = {item.model.id: item.family for item in items}
        ranked = [by_id[model.id] for model in order.newest_first(item.model for item in items)]
        turns = [one for one, before in zip(ranked, [None, *ranked], strict=False) if one != before]
        makers = {maker for maker, _ in turns}
        if len(turns) > len(set(turns)) or len(makers) > 1:
            names = ", ".join(rule.family)
            yield (
                f"rule {applied.number}: {names} count as one family that was renamed, and "
                f"`newest: {rule.newest}` takes {rule.newest} of them together; for so many of "
                "each, give each a rule"
            )
            return


def _why_empty(applied: AppliedRule) -> str:
    items = [
        catalog.item(one)
        for catalog in applied.catalogs
        for one in applied.named_ids[catalog.provider]
    ]
    if not items:
        return _with_hint(
            f"nobody asked lists {_wanted(applied)}", next(filter(None, _hints(applied)), "")
        )
    if items[0].denied is not None:
        return f"{items[0].model.qualified} is denied by {items[0].denied!r}"
    return f"{items[0].model.qualified} {' and '.join(items[0].special)}, and needs its exact id"


def _wanted(applied: AppliedRule) -> str:
    """What a rule looks for, families with the maker they belong to."""
    families = [
        f"{name} by {maker}" if "/" not in name and (maker := maker_of_family(name)) else name
        for name in applied.rule.family
    ]
    return ", ".join((*families, *applied.rule.match))


def _hints(applied: AppliedRule) -> Iterator[str]:
    """What comes nearest to what a rule looks for."""
    for name in applied.rule.family:
        yield _family_hint(applied, name)
    for pattern in applied.rule.match:
        yield _pattern_hint(applied, pattern)


def _family_hint(applied: AppliedRule, name: str) -> str:
    family = name.strip().lower().rpartition("/")[2]
    others = (catalog.made_by(family) for catalog in applied.catalogs)
    if other := next(filter(None, others), None):
        maker = other.model.reading.maker or "nobody known"
        return f"{other.model.qualified} is by {maker}; `{maker}/{family}` would name it"
    near = [one for catalog in applied.catalogs for one in _around(catalog.family_names, family)]
    return did_you_mean(family, near, likeness=LIKENESS)


def _pattern_hint(applied: AppliedRule, pattern: str) -> str:
    """The nearest id, or the pattern with the nearest beginning; ids are told apart by case."""
    glob = compile_glob(pattern)
    prefix = pattern if glob.literal else glob.prefix
    rest = pattern[len(prefix) :]
    if not prefix:
        return ""
    near = [
        model_id
        for catalog in applied.catalogs
        for _, model_id in _around(catalog.ids_by_lower, (prefix.lower(), ""))
    ]
    if glob.literal:
        return did_you_mean(pattern, near, likeness=LIKENESS)
    beginnings = {one[: len(prefix)] for one in near if one.lower().startswith(prefix.lower())}
    beginnings |= {one[: match.end()] for one in near if (match := _HEAD.match(one))}
    best = nearest(prefix, sorted(beginnings), likeness=LIKENESS)
    return f"Did you mean {best[0] + rest!r}?" if best else ""


def _around(words: Sequence[_Word], word: _Word) -> Sequence[_Word]:
    """Those of sorted words that stand around a word: the ones that begin most like it."""
    at = bisect_left(words, word)
    return words[max(0, at - _AROUND) : at + _AROUND]


_Word = TypeVar("_Word", str, tuple[str, str])
_AROUND = 20
LIKENESS = 0.75
_HEAD = re.compile(r"[^-/:]+[-/:]")
"""The first word of an id, with what ends it."""


def _with_hint(text: str, hint: str) -> str:
    return f"{text}; {hint[0].lower()}{hint[1:]}" if hint else text


def _why_none_pass(applied: AppliedRule) -> str:
    """Why a rule that names models admits none of them, the commonest reason first."""
    reasons = Counter(_reason(applied, item) for item in applied.named)
    count = sum(reasons.values())
    matches = f"{count} match{'es' if count == 1 else ''}"
    if len(reasons) == 1:
        ((of_all, _),) = reasons
        return f"{matches}, {of_all}"
    parts = [f"{number} {of_some}" for (_, of_some), number in reasons.most_common()]
    return f"{matches}: {', '.join(parts)}"


def _reason(applied: AppliedRule, item: ListedModel) -> tuple[str, str]:
    """Why a named model does not pass: said of all, and of some."""
    stop, _ = applied.stop(item) or (None, "")
    if stop is Stop.RETIRED:
        return "and all have ended", "ended"
    if stop is Stop.STAGE:
        stage = item.model.reading.stage
        return f"all {stage}; `stage: any` takes them", f"{stage}"
    unmet = applied.unmet(item)
    if unmet is None:  # it is too old
        if order.release_date(item.model) is None:
            return "none has a known release day", "without a known release day"
        older = f"older than {applied.rule.max_age} days"
        return f"all {older}", older
    if unmet.fact is None:
        what = _FACTS.get(unmet.name, f"its {unmet.name}")
        return f"none states {what}", f"that do not state {what}"
    wanted = f"{unmet.name} {plain(unmet.wanted)}"
    return f"none meets {wanted}", f"that do not meet {wanted}"


_FACTS = {
    **dict.fromkeys(("input_price", "output_price", "free"), "a price"),
    "context": "a context length",
    "max_output": "an output limit",
    "tools": "whether it takes tools",
    "vision": "whether it sees images",
    "reasoning": "whether it reasons",
    "structured_output": "whether it answers to a schema",
    "released_after": "a release day",
    "vendor": "its maker",
}
"""A condition's field -> what a provider would have to state."""


def moving_id_warnings(rows: list[Admitted], context: RuleContext) -> list[str]:
    """Where a provider's own moving id points at something else than our newest."""
    newest: dict[tuple[str, object, str], Admitted] = {}
    for one in rows:
        reading = one.model.reading
        if context.policy.rule(one.rule).newest and reading.variant is None:
            newest.setdefault((one.model.provider, reading.maker, reading.family), one)
    found = []
    for provider, row in context.catalogs.items():
        for model_id, model in sorted(row.models.items()):
            if model.points_at is None:
                continue
            listed = row.models.get(model.points_at)
            target = listed.reading if listed else read(model.points_at)
            ours = newest.get((provider, target.maker, target.family))
            if ours is None or model.points_at in (ours.model.id, ours.model.canonical):
                continue
            mine = ours.model.reading
            if (target.version, target.revision) != (mine.version, mine.revision):
                found.append(
                    f"{provider}: {model_id} points at {model.points_at}, "
                    f"our newest of {mine.family} is {ours.model.id}"
                )
    return found
