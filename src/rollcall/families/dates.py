"""Date stamps in model ids: where one stands, and the day it means. Pure."""

from __future__ import annotations

import re
from datetime import date

_LAYOUTS = ("YYYY-MM-DD", "YYYYMMDD", "MM-YYYY", "YYYY-MM", "YYMMDD", "YYMM", "MMDD", "MM-DD")
"""The forms of a date in an id, a longer one before what it contains."""
_FIELDS = {
    "YYYY": "20[0-9]{2}",
    "YY": "[23][0-9]",
    "MM": "(?:0[1-9]|1[0-2])",
    "DD": "(?:0[1-9]|[12][0-9]|3[01])",
}
_DATE = re.compile(
    "(?<![a-z0-9.])(?:"
    + "|".join(
        f"({re.sub('Y+|M+|D+', lambda match: _FIELDS[match[0]], layout)})" for layout in _LAYOUTS
    )
    + ")(?![a-z0-9.])"
)


def without_date(name: str) -> tuple[str, date | None, str]:
    """The name without its first date stamp, the day it means (None without a year), the stamp."""
    for match in _DATE.finditer(name):
        layout, text = _LAYOUTS[(match.lastindex or 1) - 1], match[0]
        year, month, day = (
            "".join(c for c, field in zip(text, layout, strict=True) if field == letter)
            for letter in "YMD"
        )
        try:
            stamp = date(int(year[-2:] or 4) + 2000, int(month), int(day or 1))
        except ValueError:  # the 30th of February
            continue
        rest = f"{name[: match.start()]}--{name[match.end() :]}"
        return rest, stamp if year else None, text
    return name, None, ""
