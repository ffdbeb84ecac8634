"""Backups for people: what there is to go back to, and what was restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.tables import show_table
from rollcall.report.text import out, say_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.store import Backup, Written


def show_backups(backups: Sequence[Backup], *, as_json: bool = False) -> None:
    """Print the earlier config.yaml files, newest first."""
    if as_json:
        import json
        from dataclasses import asdict

        out(json.dumps([asdict(backup) for backup in backups], indent=2))
    elif not backups:
        out("No earlier config.yaml is kept yet.")
    else:
        show_table(
            ("id", "replaced at", "bytes", "by"),
            [(row.id, row.created, row.size, row.reason) for row in backups],
            right=("bytes",),
        )


def show_restored(
    backup_id: str, written: Written | None, path: str, *, as_json: bool = False
) -> None:
    """Print what a rollback did."""
    if as_json:
        import json

        backup = written.backup_id if written else None
        data = {"restored": backup_id, "changed": written is not None, "backup_id": backup}
        out(json.dumps(data, indent=2))
    elif written is None:
        out(f"{path} already is {backup_id}: nothing to do.")
    else:
        out(f"{path}: restored {backup_id}. A running LiteLLM does not notice: restart it.")
    if written is not None:
        say_all(written.notes, mark="note: ")
