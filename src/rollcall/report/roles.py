"""The library's roles, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.tables import show_table
from rollcall.report.text import out, say_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.runtime.roles import RoleRow


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
