"""What the commands that only look show: models, explanations, status, findings, smoke tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.catalog.facts import short, whose
from rollcall.inspect.findings import Level
from rollcall.report.tables import show_table
from rollcall.report.text import out, printable, say, say_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.inspect.explain_model import Explanation
    from rollcall.inspect.findings import Finding
    from rollcall.inspect.inventory import ModelRow
    from rollcall.inspect.smoke import SmokeReport, SmokeRow
    from rollcall.inspect.status import Status
    from rollcall.runtime.roles import RoleRow


def show_models(rows: Sequence[ModelRow], *, as_json: bool = False) -> None:
    """Print the rows, as a table or as a JSON list."""
    if as_json:
        import json

        out(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
        return
    show_table(
        ("name or id", "provider", "family", "version", "context", "in $/M", "out $/M", "", "why"),
        [
            (
                row.name or row.id,
                row.provider,
                row.family,
                row.version,
                row.context or "",
                _dollars(row, row.input_price),
                _dollars(row, row.output_price),
                _state(row),
                row.reason,
            )
            for row in rows
        ],
        right=("context", "in $/M", "out $/M"),
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


def _state(row: ModelRow) -> str:
    if row.ready:
        return "ready"
    return "no key" if row.in_config else "out"


BORROWED = "*"
"""Behind a price that is not the provider's own word."""


def _dollars(row: ModelRow, price: float | None) -> str:
    if price is None:
        return ""
    return f"{price:.4g}{BORROWED if 'price' in row.borrowed else ''}"


STAGE_MARKS = {"ok": "[ok]", "stop": "[STOP]", "info": "-"}


def show_explanations(explanations: Iterable[Explanation], *, as_json: bool = False) -> None:
    """Print explanations to stdout."""
    if as_json:
        import json
        from dataclasses import asdict

        out(json.dumps([asdict(row) for row in explanations], indent=2))
        return
    for explanation in explanations:
        out(f"{explanation.kind} {printable(explanation.name)}")
        for stage in explanation.stages:
            out(f"  {STAGE_MARKS[stage.verdict]} {stage.title}")
            for line in stage.lines:
                out(f"      {printable(line)}")
        out()


def show_status(status: Status, *, as_json: bool = False) -> None:
    """Print the status to stdout, alarms to stderr."""
    if as_json:
        import json
        from dataclasses import asdict

        record = status.last_record
        data = asdict(status)
        data["last_record"] = record.model_dump(mode="json") if record else None
        data["last_days"] = [row.model_dump(mode="json") for row in status.last_days]
        data["trials"] = [row.model_dump(mode="json", exclude={"key"}) for row in status.trials]
        out(json.dumps(data, indent=2))
        return
    out(f"last run: {status.last_run or 'never'}")
    if status.last_record is not None:
        record = status.last_record
        out(f"last result: {record.outcome}, {printable(record.summary)} ({record.at})")
    if status.store:
        out(f"config: {printable(status.store)}")
    out(f"backups kept: {status.backups}")
    if status.providers:
        show_table(
            ("provider", "verdict", "models", "last good", "stale since", ""),
            [
                (row.name, row.verdict, row.models, row.last_good, row.stale_since, row.detail)
                for row in status.providers
            ],
            right=("models",),
        )
    if status.last_days:
        show_table(
            ("ends", "name", "whose word", "successor", ""),
            [
                (row.ends, row.name, whose(row.source), row.successor, row.follows)
                for row in status.last_days
            ],
        )
    if status.trials:
        show_table(
            ("tried", "outcome", "last answered", "asked", ""),
            [
                (f"{row.provider}/{row.id}", row.outcome, row.answered, row.asked, row.words)
                for row in status.trials
            ],
        )
    say_all(status.alarms, mark="ALARM: ")


FINDING_MARKS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.ERROR: "ERROR  "}


def show_findings(findings: Sequence[Finding], *, as_json: bool = False) -> None:
    """Print every finding to stdout, the fix below it."""
    if as_json:
        import json
        from dataclasses import asdict

        out(json.dumps([asdict(finding) for finding in findings], indent=2))
        return
    for finding in findings:
        where = f"{printable(finding.where)}: " if finding.where else ""
        out(f"{FINDING_MARKS[finding.level]} {where}{printable(finding.what)}")
        if finding.fix:
            out(f"        fix: {printable(finding.fix)}")
    words = {Level.ERROR: "error", Level.WARNING: "warning"}
    counts = {level: sum(finding.level is level for finding in findings) for level in words}
    out(", ".join(f"{n} {words[lv]}{'' if n == 1 else 's'}" for lv, n in counts.items()) + ".")


def show_smoke(report: SmokeReport, *, as_json: bool = False) -> None:
    """Print the report: the table to stdout, what is wrong to stderr."""
    if as_json:
        import json
        from dataclasses import asdict

        out(json.dumps(asdict(report), indent=2))
        return
    if report.rows:
        show_table(
            ("name", "kind", "verdict", "ms", "answered by", "detail"),
            [
                (row.name, row.kind, _word(row), row.latency_ms, _answered(row), row.detail)
                for row in report.rows
            ],
            right=("ms",),
        )
    if report.detail:
        say(f"rollcall: {printable(report.detail)}")
    if report.hint:
        say(f"          {printable(report.hint)}")
    say_all(report.missing, mark="missing from /v1/models: ")
    say_all(report.extra, mark="listed, but not in config.yaml: ")
    say_all(report.notes, mark="note: ")
    dead = sum(row.ok is False for row in report.rows)
    out(
        f"{report.base_url}: {report.verdict}; {report.listed} names listed, "
        f"{len(report.missing)} missing, {len(report.rows)} called, {dead} dead."
    )


def _word(row: SmokeRow) -> str:
    return {True: "ok", False: "DEAD", None: "not called"}[row.ok]


def _answered(row: SmokeRow) -> str:
    if row.answered_by:
        return row.answered_by
    return row.target or ""


def show_roles(rows: Sequence[RoleRow], *, as_json: bool = False) -> None:
    """Print what each role resolves to."""
    if as_json:
        import json
        from dataclasses import asdict

        out(json.dumps([asdict(row) for row in rows], indent=2))
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
