"""The inventory for people and programs: every model known, and the families newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.tables import show_table
from rollcall.report.text import out, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.inventory import ModelRow


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
                _dollars(row.input_price),
                _dollars(row.output_price),
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


def show_families(rows: Sequence[ModelRow]) -> None:
    """Print families, newest first; what is in the config is marked `*`."""
    from rollcall.families.rows import by_family

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


def _dollars(price: float | None) -> str:
    return "" if price is None else f"{price:.4g}"
