"""Rows of the inventory by family, newest first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall import families
from rollcall.catalog import Model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.inventory import ModelRow


def by_family(rows: Iterable[ModelRow]) -> dict[tuple[str, str], list[ModelRow]]:
    """(provider, family) -> its rows, newest first; in the order of their names."""
    grouped: dict[tuple[str, str], list[ModelRow]] = {}
    for row in rows:
        grouped.setdefault((row.provider, row.family), []).append(row)
    return {name: _newest_first(grouped[name]) for name in sorted(grouped)}


def _newest_first(rows: list[ModelRow]) -> list[ModelRow]:
    models = {
        row.id: Model(
            provider=row.provider, id=row.id, litellm_model=row.litellm_model, released=row.released
        )
        for row in rows
    }
    place = {model.id: at for at, model in enumerate(families.newest_first(models.values()))}
    return sorted(rows, key=lambda row: place[row.id])
