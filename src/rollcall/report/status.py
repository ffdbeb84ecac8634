"""How things stand, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.tables import show_table
from rollcall.report.text import out, printable, say_all

if TYPE_CHECKING:
    from rollcall.standing import Standing


def show_status(standing: Standing, *, as_json: bool = False) -> None:
    """Print the standing to stdout, alarms to stderr."""
    if as_json:
        import json
        from dataclasses import asdict

        record = standing.last_record
        data = asdict(standing)
        data["last_record"] = record.model_dump(mode="json") if record else None
        out(json.dumps(data, indent=2))
        return
    out(f"last run: {standing.last_run or 'never'}")
    if standing.last_record is not None:
        record = standing.last_record
        out(f"last result: {record.outcome}, {printable(record.summary)} ({record.at})")
    out(f"backups kept: {standing.backups}")
    if standing.providers:
        show_table(
            ("provider", "verdict", "models", "last good", "stale since", ""),
            [
                (row.name, row.verdict, row.models, row.last_good, row.stale_since, row.detail)
                for row in standing.providers
            ],
            right=("models",),
        )
    say_all(standing.alarms, mark="ALARM: ")
