"""A plan for people: what changes and why, who answered, what is held, and our lines as a diff.

price   "$2.00 / $6.00", "$2.00 / $6.00 -> $3.00 / $9.00", "unknown"
age     days since the model came out, else since it was first seen; None = unknown
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollcall.catalog.facts import NOTHING_BORROWED, OtherLists, short
from rollcall.catalog.model import in_dollars
from rollcall.catalog.order import release_date
from rollcall.litellm_config.entries import by_name, key_of, model_of
from rollcall.plan.changes import ChangeKind, counts
from rollcall.report.text import out, printable, say, say_all, show_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from rollcall.catalog.model import Price
    from rollcall.plan.changes import Change
    from rollcall.plan.plan import Plan, ProviderLine
    from rollcall.store.config_file import Written
    from rollcall.sync.apply import Planned


UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Birth:
    """The day a model came out; `first_seen`: its provider gives none, it is the day we saw it."""

    day: date
    first_seen: bool = False


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What a report knows of the models behind a plan's names.

    Attributes:
        entries: model_name -> our entry, before or after the plan.
        born: (provider, id) -> its birth, where that is known.
        others: what other lists say, whose prices serve where a provider states none.
    """

    entries: Mapping[str, Any] = field(default_factory=dict)
    born: Mapping[tuple[str, str], Birth] = field(default_factory=dict)
    today: date | None = None
    others: OtherLists = NOTHING_BORROWED

    def price(self, change: Change) -> str:
        """Input and output in USD per 1M tokens, old and new where they differ."""
        old, new = (
            self._price(self._entry(change, side)) for side in (change.before, change.after)
        )
        if old and new and old != new:
            return f"{old} -> {new}"
        return new or old

    def birth(self, change: Change) -> Birth | None:
        """Of the model that comes, else of the one that goes."""
        entry = self._entry(change, change.after) or self._entry(change, change.before)
        key = key_of(entry) if entry else None
        return self.born.get((key.provider, key.id)) if key else None

    def age_days(self, change: Change) -> int | None:
        """Whole days since its birth."""
        birth = self.birth(change)
        return None if birth is None or self.today is None else (self.today - birth.day).days

    def _entry(self, change: Change, side: Any) -> Any:
        if change.kind is ChangeKind.ALIAS:
            return self.entries.get(str(side.get("model") if isinstance(side, dict) else side))
        return side if isinstance(side, dict) else None

    def _price(self, entry: Any) -> str:
        model = model_of(entry) if entry else None
        if model is None:
            return ""
        known = self.others.complete(model)
        source = known.borrowed.get("price")
        return _shown(known.price) + (f" ({short(source)})" if source else "")


def facts_of(planned: Planned) -> ChangeFacts:
    """The facts behind a plan that has just been made."""
    inputs = planned.inputs
    entries = by_name((*inputs.document.managed.models, *planned.decision.blocks.models))
    born = {}
    for answer in inputs.answers.values():
        for model in answer.models:
            if released := release_date(model):
                born[model.key] = Birth(released)
            elif seen := inputs.first_seen(model.provider, model.id):
                born[model.key] = Birth(seen, first_seen=True)
    return ChangeFacts(entries, born, inputs.today, inputs.others)


def _shown(price: Price) -> str:
    if price.input is None and price.output is None:
        return UNKNOWN
    return " / ".join(
        "?" if amount is None else in_dollars(amount) for amount in (price.input, price.output)
    )


SIGNS = {
    ChangeKind.ADD: "+",
    ChangeKind.REMOVE: "-",
    ChangeKind.UPDATE: "~",
    ChangeKind.ALIAS: ">",
    ChangeKind.FALLBACK: ">",
}


MARK = "*"
_BORROWED = re.compile(r" \([^()]*'s\)")
"""Behind a price that is another seller's, in the narrow table of a terminal."""


def show_plan(
    plan: Plan, before: str, after: str, facts: ChangeFacts, *, quiet: bool = False
) -> None:
    """Print a plan: providers, changes and the diff to stdout, remarks to stderr.

    Args:
        before, after: our own lines of config.yaml, now and after the plan.
    """
    if not quiet or plan.nobody:
        show_providers(plan.providers)
        out()
    if plan.changes:
        _show_changes(plan, facts)
        out()
    if plan.changed and not quiet:
        for line in diff_lines(before, after):
            out(printable(line, limit=2000))
        out()
    show_remarks(plan)
    if plan.calls_at_apply:
        out(to_be_tried(plan))
    out(summary(plan))


def to_be_tried(plan: Plan) -> str:
    """Which models `apply` will call first, and what that costs."""
    names = [line.name for line in plan.trials if not line.outcome]
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    calls = "1 trial call" if len(names) == 1 else f"{len(names)} trial calls"
    return f"apply makes {calls} first, of at most 16 output tokens each: {printable(shown)}"


def show_providers(lines: Iterable[ProviderLine]) -> None:
    """Print who answered, and how long it took."""
    head, rows = provider_rows(lines)
    show_table(head, rows, right=("models", "ms"))


def provider_rows(
    lines: Iterable[ProviderLine],
) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """The table of who answered: its head and its rows."""
    rows: list[tuple[object, ...]] = [
        (line.name, line.verdict, line.models or "", line.elapsed_ms or "", provider_remark(line))
        for line in lines
    ]
    return ("provider", "verdict", "models", "ms", ""), rows


def show_applied(plan: Plan, written: Written | None, path: str) -> None:
    """Print what applying did, in as few lines as tell it."""
    for line in plan.providers:
        if line.verdict not in ("ok", "not_asked"):
            say(f"{line.name}: {line.verdict}: {printable(provider_remark(line))}")
    if plan.changes and plan.refused:
        out("Not written:")
    for change in plan.changes:
        out(f"{SIGNS[change.kind]} {printable(change.name)}  {printable(_why(change))}".rstrip())
    show_remarks(plan)
    if plan.nobody or plan.refused or not plan.changed or written is None:
        out(f"{path}: {summary(plan)}")
        if written is not None and written.changed:
            out(f"{path}: written, as config.yaml stands.")
        return
    if not written.changed:
        out(f"{path}: holds it already ({counts(plan.changes)}).")
        return
    out(f"{path}: written ({counts(plan.changes)}).")
    out("A running LiteLLM does not notice: restart it.")
    say_all(written.notes)


def show_remarks(plan: Plan) -> None:
    """Print what is held, refused or worth a look, to stderr."""
    for refusal in plan.refused:
        say(f"refused ({refusal.guard}): {printable(refusal.reason, limit=1000)}")
        say(f"  to accept: {printable(refusal.accept)}")
    for held in plan.held:
        say(f"held: {printable(held.name)}: {printable(held.change)}: {printable(held.reason)}")
        if held.accept:
            say(f"  to accept: {printable(held.accept)}")
    say_all(plan.warnings, mark="note: ")


def summary(plan: Plan) -> str:
    """One line that says what the plan comes to."""
    if plan.nobody:
        return "Nobody could be asked: nothing changes."
    if plan.refused:
        return "Refused: config.yaml stays as it is."
    if not plan.changed:
        return "Nothing to change."
    return f"{counts(plan.changes)}."


def diff_lines(before: str, after: str) -> Iterable[str]:
    """A unified diff of our own lines only."""
    return difflib.unified_diff(
        before.splitlines(),
        after.splitlines(),
        "config.yaml (managed lines)",
        "config.yaml (planned lines)",
        lineterm="",
    )


def _show_changes(plan: Plan, facts: ChangeFacts) -> None:
    rows = [_row(change, facts) for change in plan.changes]
    whose = sorted({found for row in rows for found in _BORROWED.findall(row[3])})
    if whose:
        rows = [(*row[:3], _BORROWED.sub(MARK, row[3]), *row[4:]) for row in rows]
    show_table(("", "what", "name", "in / out per 1M", "age", "why"), rows, right=("age",))
    if whose:
        words = " or ".join(one.strip(" ()") for one in whose)
        out(f"{MARK} {words} price for the same model; its own provider lists none")


def _row(change: Change, facts: ChangeFacts) -> tuple[str, ...]:
    days = facts.age_days(change)
    age = "" if days is None else f"{days} d"
    sign, kind = SIGNS[change.kind], change.kind.value
    return sign, kind, change.name, facts.price(change), age, _why(change)


def _why(change: Change) -> str:
    if change.kind not in (ChangeKind.ALIAS, ChangeKind.FALLBACK):
        return change.reason
    move = f"{target_of(change.before)} -> {target_of(change.after)}"
    return f"{move}; {change.reason}" if change.reason else move


def target_of(value: Any) -> str:
    """What an alias or a list of fallbacks leads to, for people."""
    if isinstance(value, dict):
        return f"{value.get('model')} (hidden)" if value.get("hidden") else str(value.get("model"))
    if isinstance(value, list):
        return ", ".join(str(target) for target in value)
    return str(value) if value else "none"


def provider_remark(line: ProviderLine) -> str:
    """What there is to say of a provider beside its verdict."""
    return line.detail + _since(line) if line.detail else _since(line).strip()


def _since(line: ProviderLine) -> str:
    return f" (entries kept; stale since {line.stale_since})" if line.stale_since else ""
