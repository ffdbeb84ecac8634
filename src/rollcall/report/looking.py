"""What the commands that only look show: models, explanations, status, findings, smoke tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rollcall.catalog.facts import short, whose
from rollcall.catalog.model import dollars, in_short
from rollcall.inspect.findings import Level
from rollcall.report.tables import Cell, hanging, show_records, show_table
from rollcall.report.text import (
    Style,
    as_json_fields,
    is_for_people,
    out,
    out_json,
    printable,
    say_all,
    say_two,
)
from rollcall.settings import with_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rollcall.inspect.explain_model import Explanation
    from rollcall.inspect.findings import Finding
    from rollcall.inspect.inventory import ModelRow
    from rollcall.inspect.smoke import SmokeReport, SmokeRow
    from rollcall.inspect.status import Status
    from rollcall.runtime.roles import RoleRow


MODEL_RECORD = (
    "name", "provider", "state", "context", "input_price", "output_price", "reason",
)  # fmt: skip
"""What a line of `models` holds where no columns are asked for."""


def model_columns() -> tuple[str, ...]:
    """Every field `models --columns` knows: those of its JSON, and the state."""
    from rollcall.inspect.inventory import ModelRow

    return ("state", *ModelRow.model_fields)


def show_models(
    rows: Sequence[ModelRow], *, as_json: bool = False, columns: Sequence[str] = ()
) -> None:
    """Print the rows: as JSON, at a terminal as a table, elsewhere a line each.

    Args:
        columns: fields of the JSON rows, or `state`; a model outside is called `provider/id`.
    """
    if as_json:
        out_json(rows)
    elif columns or not is_for_people(sys.stdout):
        named = [{**dict(row), "name": row.called, "state": _state(row)} for row in rows]
        show_records(named, columns or MODEL_RECORD, titles=bool(columns))
    else:
        _show_model_table(rows)


def _show_model_table(rows: Sequence[ModelRow]) -> None:
    show_table(
        ("name or id", "provider", "", "context", "in / out per 1M", "why"),
        [
            (
                row.name or row.id,
                row.provider,
                Cell(_state(row), STATE_STYLES[_state(row)]),
                in_short(row.context) if row.context is not None else "",
                _price(row),
                row.reason,
            )
            for row in rows
        ],
        right=("context",),
    )
    ready = sum(row.ready for row in rows)
    inside = sum(row.in_config for row in rows)
    out(f"{len(rows)} models, {inside} in the config, {ready} ready.")
    lists = sorted({short(row.borrowed["price"]) for row in rows if "price" in row.borrowed})
    if lists:
        out(f"{BORROWED} {' or '.join(lists)} price: the provider states none.")


def show_families(rows: Sequence[ModelRow]) -> None:
    """Print families, newest first; what is in the config is marked `*`."""
    from rollcall.inspect.inventory import by_family

    for (provider, family), members in by_family(rows).items():
        out(f"{printable(provider)}: {printable(family or '-')}")
        for row in members:
            mark = "*" if row.in_config else " "
            version = row.version or "-"
            released = str(row.released) if row.released else ""
            out(f"  {mark} {version:<8} {released:<10}  {printable(row.id)}")


STATE_STYLES = {"ready": Style.ADD, "no key": Style.ERROR, "not ready": Style.ERROR, "out": None}


def _state(row: ModelRow) -> str:
    if row.ready:
        return "ready"
    if not row.in_config:
        return "out"
    return "no key" if row.lacks_key else "not ready"


BORROWED = "*"
"""Behind a price that is not the provider's own word."""


def _price(row: ModelRow) -> str:
    prices = (row.input_price, row.output_price)
    if prices == (None, None):
        return ""
    shown = " / ".join("?" if price is None else dollars(price) for price in prices)
    return shown + (BORROWED if "price" in row.borrowed else "")


STAGE_MARKS = {"ok": ("[ok]", Style.ADD), "stop": ("[STOP]", Style.ERROR), "info": ("-", None)}


def show_explanations(explanations: Iterable[Explanation], *, as_json: bool = False) -> None:
    """Print explanations to stdout."""
    if as_json:
        out_json(tuple(explanations))
        return
    for explanation in explanations:
        out(f"{explanation.kind} {printable(explanation.name)}", style=Style.HEAD)
        for stage in explanation.stages:
            mark, style = STAGE_MARKS[stage.verdict]
            out(f" {stage.title}", lead=f"  {mark}", style=style)
            for line in stage.lines:
                out(f"      {printable(line)}")
        out()


STATUS_RECORD = ("kind", "name", "state", "at", "detail")
"""What a line of `status` holds: a run, a provider, what is held, ends, was tried; an alarm."""
OUTCOMES = {
    "applied": "written",
    "unchanged": "nothing to change",
    "refused": "refused by a guard",
    "nobody": "nobody could be asked, so nothing changed",
    "error": "an error",
}
"""What became of a run, in words."""


def show_status(status: Status, *, as_json: bool = False, columns: Sequence[str] = ()) -> None:
    """Print the status: as JSON, at a terminal as tables, elsewhere a line each; alarms to stderr.

    Args:
        columns: of STATUS_RECORD.
    """
    if as_json:
        trials = [row.model_dump(mode="json", exclude={"key"}) for row in status.trials]
        out_json(as_json_fields(status) | {"trials": trials})
        return
    if columns or not is_for_people(sys.stdout):
        show_records(_status_records(status), columns or STATUS_RECORD, titles=bool(columns))
    else:
        _show_last_run(status)
        _show_status_tables(status)
    say_all(status.alarms, mark="ALARM: ", style=Style.ERROR)


def _status_records(status: Status) -> Iterator[dict[str, Any]]:
    fields: list[tuple[object, ...]] = []
    if record := status.last_record:
        fields.append(("run", record.command, record.outcome, record.at, record.summary))
    fields += [
        ("provider", row.name, row.verdict, row.last_good, row.detail) for row in status.providers
    ]
    fields += [
        ("held", row.name, "held", None, f"{row.change}: {row.reason}") for row in status.held
    ]
    fields += [("ends", row.name, "ends", row.ends, row.follows) for row in status.last_days]
    fields += [
        ("trial", f"{row.provider}/{row.id}", row.outcome, row.asked, row.words)
        for row in status.trials
    ]
    fields += [("alarm", None, "alarm", None, alarm) for alarm in status.alarms]
    return (dict(zip(STATUS_RECORD, values, strict=True)) for values in fields)


def _show_last_run(status: Status) -> None:
    out(f"last run: {status.last_run or 'never'}")
    if record := status.last_record:
        outcome = OUTCOMES.get(record.outcome, record.outcome)
        nothing = record.outcome in ("unchanged", "nobody")
        told = "" if nothing else f", {printable(record.summary)}"
        out(f"last result: {outcome}{told} ({record.at})")
    if status.config:
        out(f"config: {printable(status.config)}")
    out(f"backups kept: {status.backups}")


def _show_status_tables(status: Status) -> None:
    if status.providers:
        out()
        show_table(
            ("provider", "verdict", "models", "last good", "stale since", ""),
            [
                (
                    row.name,
                    Cell(row.verdict, Style.ERROR if row.stale_since else None),
                    row.models,
                    row.last_good,
                    row.stale_since,
                    row.detail,
                )
                for row in status.providers
            ],
            right=("models",),
        )
    if status.held:
        out()
        show_table(
            ("held", "change", "why"),
            [
                (
                    Cell(row.name, Style.HOLD),
                    row.change,
                    f"{row.reason}; to accept: {row.accept}" if row.accept else row.reason,
                )
                for row in status.held
            ],
        )
    if status.last_days:
        out()
        show_table(
            ("ends", "name", "whose word", "successor", ""),
            [
                (row.ends, row.name, whose(row.source), row.successor, row.follows)
                for row in status.last_days
            ],
        )
    if status.trials:
        out()
        show_table(
            ("tried", "outcome", "last answered", "asked", ""),
            [
                (f"{row.provider}/{row.id}", row.outcome, row.answered, row.asked, row.words)
                for row in status.trials
            ],
        )


FINDING_MARKS = {
    Level.OK: ("ok     ", Style.ADD),
    Level.WARNING: ("warning", Style.UPDATE),
    Level.ERROR: ("ERROR  ", Style.ERROR),
}


def show_findings(findings: Sequence[Finding], *, as_json: bool = False) -> None:
    """Print every finding to stdout, the fix below it."""
    if as_json:
        out_json(findings)
        return
    for finding in findings:
        where = f"{printable(finding.where)}: " if finding.where else ""
        mark, style = FINDING_MARKS[finding.level]
        first, *more = hanging(f"{where}{printable(finding.what)}", len(mark) + 1)
        out(f" {first}", lead=mark, style=style)
        for line in more:
            out(line)
        if finding.fix:
            out(f"        fix: {printable(finding.fix)}")
    words = {Level.ERROR: "error", Level.WARNING: "warning"}
    counts = {level: sum(finding.level is level for finding in findings) for level in words}
    out(", ".join(f"{n} {words[lv]}{'' if n == 1 else 's'}" for lv, n in counts.items()) + ".")


def show_smoke(report: SmokeReport, *, as_json: bool = False) -> None:
    """Print the report: the table to stdout, what is wrong to stderr."""
    if as_json:
        out_json(report)
        return
    if report.rows:
        show_table(
            ("name", "kind", "verdict", "ms", "answered by", "detail"),
            [
                (
                    row.name,
                    row.kind,
                    Cell(_word(row), WORD_STYLES[row.ok]),
                    row.latency_ms,
                    row.answered_by or row.target or "",
                    row.detail,
                )
                for row in report.rows
            ],
            right=("ms",),
        )
    if report.detail:
        say_two(report.detail, with_places(report.hint), Style.ERROR)
    say_all(report.missing, mark="missing from /v1/models: ")
    say_all(report.extra, mark="listed, but not in config.yaml: ")
    say_all(report.notes, mark="note: ")
    dead = sum(row.ok is False for row in report.rows)
    out(
        f"{report.base_url}: {report.verdict}; {report.listed} names listed, "
        f"{len(report.missing)} missing, {len(report.rows)} called, {dead} dead."
    )


WORD_STYLES = {True: Style.ADD, False: Style.ERROR, None: None}


def _word(row: SmokeRow) -> str:
    return {True: "ok", False: "DEAD", None: "not called"}[row.ok]


def show_roles(rows: Sequence[RoleRow], *, as_json: bool = False) -> None:
    """Print what each role resolves to."""
    if as_json:
        out_json(rows)
        return
    show_table(
        ("role", "provider", "model", "key from", "fallbacks", "why"),
        [
            (
                row.role,
                row.provider,
                row.model,
                row.key_variable,
                ", ".join(row.fallbacks),
                row.problem or row.reason,
            )
            for row in rows
        ],
    )
    say_all((f"{row.role}: {row.hint}" for row in rows if row.problem), mark="to do: ")
