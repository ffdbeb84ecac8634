"""A plan as Markdown: the body of the pull request that regenerates config.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall.changes import per_million
from rollcall.entries import price_of
from rollcall.plan import ChangeKind, counts
from rollcall.report.plan import diff_lines, target_of
from rollcall.report.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollcall.plan import Change, Plan

DIFF_LIMIT = 20_000
"""Characters of the diff; a pull request's body holds 65,536."""


def plan_markdown(plan: Plan, before: str, after: str) -> str:
    """The whole body, ending in a newline."""
    return "\n".join(_lines(plan, before, after)).rstrip() + "\n"


def _lines(plan: Plan, before: str, after: str) -> Iterator[str]:
    yield "## Models of the LiteLLM proxy"
    yield ""
    yield _headline(plan)
    yield ""
    models = [change for change in plan.changes if change.kind in _MODEL_KINDS]
    if models:
        rows = [_model_row(change) for change in models]
        yield from _table(("", "model", "input / output per 1M", "why"), rows)
    aliases = [change for change in plan.changes if change.kind is ChangeKind.ALIAS]
    if aliases:
        rows = [
            (_code(c.name), _code(target_of(c.before)), _code(target_of(c.after)), _text(c.reason))
            for c in aliases
        ]
        yield from _table(("alias", "was", "becomes", "why"), rows)
    yield from _remarks(plan)
    yield from _table(
        ("provider", "verdict", "models", ""),
        [
            (_code(line.name), line.verdict, str(line.models or ""), _text(_detail(line)))
            for line in plan.providers
        ],
    )
    yield from _diff(before, after)


_MODEL_KINDS = (ChangeKind.ADD, ChangeKind.UPDATE, ChangeKind.REMOVE)


def _headline(plan: Plan) -> str:
    if plan.nobody:
        return "**Nobody could be asked; nothing changes.**"
    if plan.refused:
        return "**A guard refused this plan; config.yaml stays as it is.**"
    return f"{counts(plan.changes).capitalize()}."


def _model_row(change: Change) -> tuple[str, str, str, str]:
    sign = {ChangeKind.ADD: "added", ChangeKind.REMOVE: "removed"}.get(change.kind, "updated")
    old, new = _prices(change.before), _prices(change.after)
    price = new or old
    if old and new and old != new:
        price = f"{old} -> {new}"
    return sign, _code(change.name), price, _text(change.reason)


def _prices(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    price = price_of(entry.get("model_info") or {})
    if price.input is None and price.output is None:
        return "unknown"
    return " / ".join(
        "?" if amount is None else f"${per_million(amount)}"
        for amount in (price.input, price.output)
    )


def _remarks(plan: Plan) -> Iterator[str]:
    for refusal in plan.refused:
        yield f"> **Refused ({refusal.guard})**: {_text(refusal.reason)}"
        yield f"> To accept: {_text(refusal.accept)}"
        yield ""
    if plan.held:
        yield "### Held back"
        yield ""
        for held in plan.held:
            yield f"- {_code(held.name)}: {_code(held.change)}: {_text(held.reason)}"
            if held.accept:
                yield f"  To accept: {_code(held.accept)}, or add it to `accept` in the policy."
        yield ""
    if plan.warnings:
        yield "### Notes"
        yield ""
        yield from (f"- {_text(warning)}" for warning in plan.warnings)
        yield ""


def _detail(line: Any) -> str:
    stale = f" entries kept, stale since {line.stale_since}" if line.stale_since else ""
    return f"{line.detail}{stale}".strip()


def _diff(before: str, after: str) -> Iterator[str]:
    lines = [printable(line, limit=2000) for line in diff_lines(before, after)]
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


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _code(text: str) -> str:
    """Inline code that a hostile name cannot break out of."""
    plain = printable(text).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain else ""


_ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#~"})


def _text(text: str) -> str:
    """Prose with every Markdown character escaped: mentions and links stay plain words."""
    return printable(text).translate(_ESCAPED).replace("@", "@\u200b")
