"""A smoke test for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.tables import show_table
from rollcall.report.text import out, printable, say, say_all

if TYPE_CHECKING:
    from rollcall.smoke import SmokeReport, SmokeRow


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
        f"{len(report.rows)} called, {dead} dead."
    )


def _word(row: SmokeRow) -> str:
    return {True: "ok", False: "DEAD", None: "not called"}[row.ok]


def _answered(row: SmokeRow) -> str:
    if row.answered_by:
        return row.answered_by
    return row.target or ""
