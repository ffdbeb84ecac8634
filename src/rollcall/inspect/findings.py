"""One thing `rollcall doctor` noticed: how bad, what, where, and what to do. Pure values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


SHOWN_PER_CODE = 10


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, but not as one would think, or not for long."""
    ERROR = "error"
    """The proxy does not start, a name does not answer, or a key is at risk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        code: short and stable, for programs, e.g. ``alias_to_nothing``.
        what: one sentence; never holds a key.
        where: `file:line`, or the file, or None where there is no such place.
        fix: what to do; a command where there is one. "" when nothing needs doing.
    """

    level: Level
    code: str
    what: str
    where: str | None = None
    fix: str = ""


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of them is an error."""
    return any(finding.level is Level.ERROR for finding in findings)


def at_most(findings: Iterable[Finding], limit: int = SHOWN_PER_CODE) -> tuple[Finding, ...]:
    """The findings with at most `limit` of a kind; the last one says how many more there are."""
    found = tuple(findings)
    total = Counter(finding.code for finding in found)
    seen: Counter[str] = Counter()
    kept = []
    for finding in found:
        seen[finding.code] += 1
        more = total[finding.code] - limit
        if seen[finding.code] < limit or more <= 0:
            kept.append(finding)
        elif seen[finding.code] == limit:
            what = f"{finding.what} (and {more} more like it)"
            kept.append(Finding(finding.level, finding.code, what, finding.where, finding.fix))
    return tuple(kept)
