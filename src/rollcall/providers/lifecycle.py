"""Where a model is in its life, as its row says: gone, deprecated, or to end on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.providers.rows import Row, places

if TYPE_CHECKING:
    from datetime import date

_ENDS: Final = places(
    "shutdown_date deprecation_date deprecation deprecation.inference deprecation.date "
    "expiration_date retirement_date sunset_date end_of_life eol_date "
    "deactivated_at retired_at shutdown_at sunset_at model_spec.deprecation.date"
)
_STATES: Final = places(
    "status lifecycle_status state lifecycle lifecycle.status policy.state status.value"
)
_DEPRECATED: Final = frozenset(
    ("deprecated", "deprecating", "legacy", "retiring", "sunset", "sunsetting")
)
_GONE: Final = frozenset(
    (
        *("retired", "inactive", "disabled", "offline", "unavailable", "shutdown"),
        *("decommissioned", "withdrawn", "failed"),
    )
)
_DEPRECATED_FLAGS: Final = places("deprecated is_deprecated isDeprecated metadata.deprecated")
_DEPRECATED_SINCE: Final = places("deprecated_at")
_ACTIVE_FLAGS: Final = places(
    "active is_active enabled available is_ready available_on_current_plan"
)
_GONE_FLAGS: Final = places("offline disabled archived model_spec.offline")


def is_gone(row: Row) -> bool:
    """Whether a row says that its model cannot be called any more, or not now."""
    if not all(row.flags(_ACTIVE_FLAGS)) or any(row.flags(_GONE_FLAGS)):
        return True
    return not row.once(_states).isdisjoint(_GONE)


def is_deprecated(row: Row) -> bool:
    """Whether a row calls its model deprecated."""
    if any(row.flags(_DEPRECATED_FLAGS)) or not row.once(_states).isdisjoint(_DEPRECATED):
        return True
    return any(row.day(*place) for place in row.present(_DEPRECATED_SINCE))


def _states(row: Row) -> set[str]:
    return {(row.text(*place) or "").lower() for place in row.present(_STATES)}


def announced_end(row: Row) -> date | None:
    """The last day a row announces."""
    given = row.value("deprecationDate")  # Fireworks: {year, month, day}
    if isinstance(given, dict):
        parts = [Row(given).count(part) or 1 for part in ("year", "month", "day")]
        given = "-".join(f"{part:02}" for part in parts)
    day = Row({"day": given}).day("day") if given else None
    return day or next((found for place in row.present(_ENDS) if (found := row.day(*place))), None)
