"""What the simulated catalogs' rows are made with."""

from __future__ import annotations

from datetime import UTC, datetime

Rows = list[dict[str, object]]


def unix(day: str) -> int:
    """Seconds since 1970 of a UTC day."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def plain(*names: str, owner: str = "system", day: str = "2026-01-10") -> Rows:
    """Rows that say nothing but their id, their owner and a day."""
    return [
        {"id": name, "object": "model", "created": unix(day), "owned_by": owner} for name in names
    ]
