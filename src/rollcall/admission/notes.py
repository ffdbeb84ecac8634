"""What a person should know of what came in, and of rules that found nothing. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.admission.selection import ids_of, listed
from rollcall.policy.globs import compile_glob

if TYPE_CHECKING:
    from rollcall.admission import Admitted
    from rollcall.admission.selection import Selector
    from rollcall.admission.work import Work

MANY_FAMILIES = 10


def retiring(rows: list[Admitted], work: Work) -> list[str]:
    """Which of the admitted end within the notice, and who follows them."""
    found = []
    for row in rows:
        ends = row.model.ends
        if ends is not None and work.ends_soon(row.model):
            successor = (
                f"; its successor is {row.model.replaced_by}" if row.model.replaced_by else ""
            )
            days = (ends - work.today).days
            when = "today" if days == 0 else f"in {days} day{'s' if days > 1 else ''}, on {ends}"
            found.append(f"{row.model.qualified} ends {when}{successor}")
    return found


def moving(rows: list[Admitted], work: Work) -> list[str]:
    """Where a provider's own moving id points at something else than our newest."""
    newest: dict[tuple[str, object, str], Admitted] = {}
    for one in rows:
        if work.rule(one.rule).newest:
            newest.setdefault((one.model.provider, one.reading.maker, one.reading.family), one)
    found = []
    for provider, row in work.shelves.items():
        for model_id, model in sorted(row.models.items()):
            if model.points_at is None:
                continue
            target = work.target_of(row, model.points_at)
            ours = newest.get((provider, target.maker, target.family))
            if ours is None or model.points_at in (ours.model.id, ours.model.canonical):
                continue
            if (target.version, target.revision) != (ours.reading.version, ours.reading.revision):
                found.append(
                    f"{provider}: {model_id} points at {model.points_at}, "
                    f"our newest of {ours.reading.family} is {ours.model.id}"
                )
    return found


def about_rule(selector: Selector) -> list[str]:
    """What a person should know about a rule: it finds nothing, or very much."""
    found = []
    held = {item.family for item in selector.chosen}
    if len(held) > MANY_FAMILIES:
        hint = "" if selector.rule.max else "; `max` or `max_age` would bound it"
        found.append(f"rule {selector.number} admits {len(held)} families{hint}")
    expected = selector.rule.from_ or tuple(selector.work.policy.providers)
    if not selector.shelves or any(name not in selector.work.shelves for name in expected):
        return found
    if not selector.named:
        found.append(f"rule {selector.number} finds nothing: {_why_empty(selector)}")
        return found
    found += [
        f"rule {selector.number}: nobody asked lists {pattern!r}"
        for pattern in selector.rule.match
        if compile_glob(pattern).literal
        and not any(shelf.matching(pattern) for shelf in selector.shelves)
    ]
    return found


def _why_empty(selector: Selector) -> str:
    items = [shelf.item(one) for shelf in selector.shelves for one in ids_of(selector.rule, shelf)]
    if not items:
        return f"nobody asked lists {listed(selector.rule)}"
    if items[0].denied is not None:
        return f"{items[0].model.qualified} is denied by {items[0].denied!r}"
    return f"{items[0].model.qualified} {items[0].special}, and needs its exact id"
