"""A plan as Markdown: the body of the pull request that regenerates config.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.plan.changes import ChangeKind, counts
from rollcall.report.changes import kind_of, target_of, why_of
from rollcall.report.plan import diff_lines, provider_remark, to_be_tried
from rollcall.report.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollcall.plan.changes import Change
    from rollcall.plan.guards import HeldChange
    from rollcall.plan.plan import Plan
    from rollcall.report.changes import ChangeFacts


DIFF_LIMIT = 20_000
"""Characters of the diff; a pull request's body holds 65,536."""


def plan_markdown(plan: Plan, facts: ChangeFacts) -> str:
    """The whole body, ending in a newline."""
    return "\n".join(_lines(plan, facts)).rstrip() + "\n"


def _lines(plan: Plan, facts: ChangeFacts) -> Iterator[str]:
    yield "## Models of the LiteLLM proxy"
    yield ""
    yield _headline(plan)
    yield ""
    yield from _refusals(plan)
    yield from _models(plan, facts)
    yield from _aliases(plan, facts)
    yield from _fallbacks(plan)
    yield from _held(plan)
    yield from _notes(plan)
    yield from _providers(plan)
    yield from _diff(facts)


def _headline(plan: Plan) -> str:
    if plan.nobody:
        return "**Nobody could be asked; nothing changes.**"
    if plan.refused:
        return "**A guard refused this plan; config.yaml stays as it is.**"
    words = [f"{counts(plan.changes).capitalize()}." if plan.changed else "Nothing changes."]
    if plan.held:
        words.append(f"{len(plan.held)} held back.")
    if plan.calls_at_apply:
        words.append(f"{_text(to_be_tried(plan))}.")
    if plan.unreachable:
        names = ", ".join(_code(name) for name in plan.unreachable)
        words.append(f"Could not be asked, entries kept: {names}.")
    return " ".join(words)


def _refusals(plan: Plan) -> Iterator[str]:
    for refusal in plan.refused:
        yield f"> **Refused ({refusal.guard})**: {_text(refusal.reason)}"
        yield ">"
        yield f"> To accept: {_text(refusal.accept)}"
        yield ""


WORDS = {"add": "added", "update": "updated", "leaves": "leaves", "gone": "gone"}


def _models(plan: Plan, facts: ChangeFacts) -> Iterator[str]:
    rows = [
        (
            WORDS[kind_of(change)],
            _code(change.name),
            facts.price(change),
            _age(change, facts),
            _text(why_of(change)),
        )
        for change in plan.changes
        if change.kind not in (ChangeKind.ALIAS, ChangeKind.FALLBACK)
    ]
    head = ("", "model", "input / output per 1M tokens", "released", "why")
    yield from _section("Models", head, rows)


def _aliases(plan: Plan, facts: ChangeFacts) -> Iterator[str]:
    rows = [
        (
            _code(change.name),
            _target(change.before),
            _target(change.after),
            facts.price(change),
            _age(change, facts),
            _text(change.reason),
        )
        for change in plan.changes
        if change.kind is ChangeKind.ALIAS
    ]
    head = ("alias", "was", "becomes", "input / output per 1M tokens", "released", "why")
    yield from _section("Aliases", head, rows)


def _fallbacks(plan: Plan) -> Iterator[str]:
    rows = [
        (
            _code(change.name),
            _target(change.before),
            _target(change.after),
            _text(change.reason),
        )
        for change in plan.changes
        if change.kind is ChangeKind.FALLBACK
    ]
    yield from _section("Fallbacks", ("of", "was", "becomes", "why"), rows)


def _target(value: Any) -> str:
    return _code(target_of(value)) if value else "-"


def _age(change: Change, facts: ChangeFacts) -> str:
    birth, days = facts.birth(change), facts.age_days(change)
    if birth is None:
        return ""
    when = f"first seen {birth.day}" if birth.first_seen else str(birth.day)
    return f"{when}, {days} day{'' if days == 1 else 's'} old"


def _held(plan: Plan) -> Iterator[str]:
    rows = [
        (_code(held.name), _text(held.change), _text(held.reason), _how_to_accept(held))
        for held in plan.held
    ]
    yield from _section("Held back", ("what", "change", "why", "to accept it"), rows)


def _how_to_accept(held: HeldChange) -> str:
    if not held.accept:
        return ""
    named = held.accept.rpartition(" ")[2]
    return f"{_code(held.accept)}, or {_code(named)} under `accept:` in the policy"


def _notes(plan: Plan) -> Iterator[str]:
    if plan.warnings:
        yield "### Notes"
        yield ""
        yield from (f"- {_text(warning)}" for warning in plan.warnings)
        yield ""


def _providers(plan: Plan) -> Iterator[str]:
    rows = [
        (_code(line.name), line.verdict, str(line.models or ""), _text(provider_remark(plan, line)))
        for line in plan.providers
    ]
    yield from _section("Providers", ("provider", "verdict", "models", ""), rows)


def _diff(facts: ChangeFacts) -> Iterator[str]:
    lines = [printable(line, limit=2000) for line in diff_lines(facts.before, facts.after)]
    if not lines:
        return
    text = "\n".join(lines)
    if len(text) > DIFF_LIMIT:
        text = text[:DIFF_LIMIT].rsplit("\n", 1)[0] + "\n... (cut)"
    fence = "`" * (3 + max((len(run) for run in text.split() if set(run) == {"`"}), default=0))
    yield "<details><summary>The managed lines of config.yaml</summary>"
    yield ""
    yield f"{fence}diff"
    yield text
    yield fence
    yield ""
    yield "</details>"


def _section(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A titled table; nothing at all without rows."""
    if not rows:
        return
    yield f"### {title}"
    yield ""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _code(text: str) -> str:
    """Inline code that a hostile name cannot break out of.

    A pipe would end the cell, even in code, and no escape holds behind a backslash of the name's.
    """
    plain = printable(text).replace("`", "'").replace("|", "\u00a6")
    return f"`{plain}`" if plain else ""


_ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#~"})


def _text(text: str) -> str:
    """Prose with every Markdown character escaped: mentions and links stay plain words."""
    return printable(text).translate(_ESCAPED).replace("@", "@\u200b")
