"""A plan for people: who answered, what changes and why, what is held, and our lines as a diff."""

from __future__ import annotations

import difflib
import re
import sys
from itertools import groupby
from typing import TYPE_CHECKING

from rollcall.catalog.model import Verdict
from rollcall.litellm_config.entries import key_of
from rollcall.plan.changes import counts
from rollcall.plan.plan import provider_line
from rollcall.report.changes import BIG, RECORD, SIGNS, ChangeFacts, folded, records, row_of
from rollcall.report.tables import Cell, show_records, show_table, show_words
from rollcall.report.text import Style, is_for_people, out, printable, say, say_all
from rollcall.settings import with_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.plan.inputs import Inputs
    from rollcall.plan.plan import Plan, ProviderLine
    from rollcall.report.changes import Row
    from rollcall.store.config_file import Written


def show_plan(
    plan: Plan, facts: ChangeFacts, *, quiet: bool, full: bool, columns: Sequence[str]
) -> None:
    """Print a plan: at a terminal tables and the diff, elsewhere a line per change.

    What is held, refused or worth a look goes to stderr.

    Args:
        full: a big plan, too, is shown whole. columns: these fields only, as a line per change.
    """
    if columns or not is_for_people(sys.stdout):
        show_records(records(plan, facts), columns or RECORD, titles=bool(columns))
        _say_failed(plan, keyless=plan.nobody)
        show_remarks(plan)
        say(summary(plan))
        return
    big = len(plan.changes) > BIG and not full
    if quiet and not plan.nobody:
        _say_failed(plan)
    else:
        show_providers(plan)
        out()
    if big:
        out(summary(plan), style=Style.HEAD)
        out()
    if plan.changes:
        _show_changes(plan, facts, fold=big)
        out()
    if plan.changed and not quiet and not big:
        show_diff(facts.before, facts.after)
        out()
    show_remarks(plan)
    if plan.calls_at_apply:
        out(to_be_tried(plan))
    if big:
        out("Every change by itself, and the lines as a diff: rollcall plan --full")
    out(summary(plan))


def _say_failed(plan: Plan, *, keyless: bool = False) -> None:
    """A line for each provider that could not be asked; `keyless`: also where a key is missing."""
    for line in plan.providers:
        if Verdict(line.verdict).failed or (keyless and line.verdict == Verdict.NO_KEY):
            _say_verdict(line, provider_remark(plan, line))


def say_unanswered(inputs: Inputs) -> None:
    """Print who could not be asked for what is shown, to stderr."""
    for answer in inputs.answers.values():
        if answer.verdict.failed:
            line = provider_line(inputs, answer)
            _say_verdict(line, line.detail)


def _say_verdict(line: ProviderLine, remark: str) -> None:
    style = Style.ERROR if Verdict(line.verdict).failed else None
    say(printable(remark), lead=f"{line.name}: {line.verdict}: ", style=style)


def to_be_tried(plan: Plan) -> str:
    """Which models `apply` will call first, and what that costs."""
    names = [line.name for line in plan.trials if not line.outcome]
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    calls = "1 trial call" if len(names) == 1 else f"{len(names)} trial calls"
    return f"apply makes {calls} first, of at most 16 output tokens each: {printable(shown)}"


def show_providers(plan: Plan) -> None:
    """Print who answered, and how long it took."""
    head, rows = provider_rows(plan)
    show_table(head, rows, right=("models", "ms"))


def provider_rows(plan: Plan) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """The table of who answered: its head and its rows."""
    rows: list[tuple[object, ...]] = [
        (
            line.name,
            Cell(line.verdict, Style.ERROR if Verdict(line.verdict).failed else None),
            line.models or "",
            line.elapsed_ms or "",
            provider_remark(plan, line),
        )
        for line in plan.providers
    ]
    return ("provider", "verdict", "models", "ms", ""), rows


def provider_remark(plan: Plan, line: ProviderLine) -> str:
    """What there is to say of a provider beside its verdict."""
    kept = line.stale_since and any(
        (key := key_of(entry)) and key.provider == line.name for entry in plan.blocks.models
    )
    since = f"(entries kept; stale since {line.stale_since})" if kept else ""
    return f"{line.detail} {since}".strip()


def show_applied(plan: Plan, written: Written | None, path: str, *, starting: bool = False) -> None:
    """Print what applying did, in as few lines as tell it.

    Args:
        starting: litellm is started next, so nobody has to restart it.
    """
    _say_failed(plan, keyless=True)
    if plan.changes and plan.refused:
        out("Not written:")
    rows = [row_of(change, ChangeFacts()) for change in plan.changes]
    for row in folded(rows) if len(rows) > BIG else rows:
        _show_line(row)
    show_remarks(plan)
    if plan.stands_still or not plan.changed or written is None:
        out(f"{path}: {summary(plan)}")
        if written is not None and written.changed:
            out(f"{path}: written, as config.yaml stands.")
        return
    said = counts(plan.changes, len(plan.held))
    if not written.changed:
        out(f"{path}: holds it already ({said}).")
        return
    out(f"{path}: written ({said}).")
    if not starting:
        out("A running LiteLLM does not notice: restart it.")
    say_all(written.notes)


def _show_line(row: Row) -> None:
    """`+ name  why`; of a kind that its sign does not tell, with the kind."""
    sign, style = SIGNS[row.kind]
    before = f"{row.kind} " if row.kind in ("alias", "fallback") or row.names else ""
    after = f"{row.kind} {row.why}" if row.kind in ("leaves", "gone") and row.why else row.why
    out(f" {before}{printable(row.name)}  {printable(after)}".rstrip(), lead=sign, style=style)
    if row.names:
        show_words(row.names)


def show_remarks(plan: Plan) -> None:
    """Print what is held, refused or worth a look, to stderr."""
    for refusal in plan.refused:
        lead = f"refused ({refusal.guard}): "
        say(printable(refusal.reason, limit=1000), lead=lead, style=Style.ERROR)
        say(f"  to accept: {printable(refusal.accept)}")
    for held in plan.held:
        say(
            f"{printable(held.name)}: {printable(held.change)}: "
            f"{printable(with_places(held.reason))}",
            lead="held: ",
            style=Style.HOLD,
        )
        if held.accept:
            say(f"  to accept: {printable(held.accept)}")
    say_all(map(with_places, plan.warnings), mark="note: ")


def summary(plan: Plan) -> str:
    """One line that says what the plan comes to."""
    if plan.nobody:
        return "Nobody could be asked: nothing changes."
    if plan.refused:
        return "Refused: config.yaml stays as it is."
    if not plan.changed:
        return f"Nothing to change; {len(plan.held)} held." if plan.held else "Nothing to change."
    return f"{counts(plan.changes, len(plan.held))}."


MARK = "*"
_BORROWED = re.compile(r" \([^()]*'s\)")
"""Behind a price that is another seller's, in the narrow table of a terminal."""


def _show_changes(plan: Plan, facts: ChangeFacts, *, fold: bool) -> None:
    rows = [row_of(change, facts) for change in plan.changes]
    shown: list[Row] = list(folded(rows)) if fold else rows
    whose = sorted({found for row in shown for found in _BORROWED.findall(row.price)})
    head = ("", "what", "name", "in / out per 1M", "age", "why")
    if not fold:
        show_table(head, [_cells(row) for row in shown], right=("age",))
    for group, members in groupby(shown if fold else (), key=lambda row: row.group):
        _show_group(group or "aliases and fallbacks", list(members), head)
    if whose:
        words = " or ".join(one.strip(" ()") for one in whose)
        out(f"{MARK} {words} price for the same model; its own provider lists none")


def _show_group(title: str, rows: Sequence[Row], head: Sequence[str]) -> None:
    out(title, style=Style.HEAD)
    alone = [_cells(row) for row in rows if not row.names]
    if alone:
        show_table(head, alone, right=("age",), headless=True)
    for row in rows:
        if row.names:
            sign, style = SIGNS[row.kind]
            out(f"  {printable(row.name)}:", lead=f"{sign}  {row.kind}", style=style)
            show_words(row.names)
    out()


def _cells(row: Row) -> tuple[object, ...]:
    sign, style = SIGNS[row.kind]
    price = _BORROWED.sub(MARK, row.price)
    return Cell(sign, style), Cell(row.kind, style), row.name, price, row.age, row.why


DIFF_STYLES = {"+": Style.ADD, "-": Style.ERROR, "@": Style.LEADS}


def show_diff(before: str, after: str) -> None:
    """Print what differs between two states of our lines."""
    for number, line in enumerate(diff_lines(before, after)):
        style = Style.HEAD if number < 2 else DIFF_STYLES.get(line[:1])
        out(printable(line, limit=2000), style=style)


def diff_lines(before: str, after: str) -> Iterable[str]:
    """A unified diff of our own lines only."""
    return difflib.unified_diff(
        before.splitlines(),
        after.splitlines(),
        "config.yaml (managed lines)",
        "config.yaml (planned lines)",
        lineterm="",
    )
