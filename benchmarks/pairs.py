"""Pairs: ours and the floor, one right after the other, so that both see the same machine.

The machine is never quiet. A pair's ratio holds whatever else is going on if it goes on for both;
the median of many pairs forgets the moments when it did not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.process import Command, Run, run


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its quartiles."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Of at least one value."""
        if len(values) < 3:
            return cls(median(values), min(values), max(values))
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Runs of ours and of the floor, pair by pair."""

    ours: list[Run]
    floor: list[Run]

    @property
    def wall(self) -> Spread:
        """Ours, seconds."""
        return Spread.of([one.wall_seconds for one in self.ours])

    @property
    def floor_wall(self) -> Spread:
        """The floor, seconds."""
        return Spread.of([one.wall_seconds for one in self.floor])

    @property
    def ratio(self) -> Spread:
        """Ours to the floor, of each pair."""
        both = zip(self.ours, self.floor, strict=True)
        return Spread.of([one.wall_seconds / other.wall_seconds for one, other in both])

    @property
    def cpu_ratio(self) -> float | None:
        """CPU time of ours to the floor's: hardly moved by what else runs."""
        both = zip(self.ours, self.floor, strict=True)
        found = [one.cpu_seconds / other.cpu_seconds for one, other in both if other.cpu_seconds]
        return median(found) if found else None

    @property
    def cpu(self) -> float:
        """CPU seconds of ours."""
        return median(one.cpu_seconds for one in self.ours)

    @property
    def peak_mb(self) -> float | None:
        """The most memory ours ever held."""
        return max((one.peak_mb for one in self.ours if one.peak_mb is not None), default=None)


def measure(
    ours: Command,
    floor: Command,
    count: int,
    *,
    before: Callable[[], None] | None = None,
    warm: bool = True,
) -> Pairs:
    """Run `count` pairs, each in turn beginning with the other one.

    Args:
        before: run before each run of ours, outside the time. warm: one pair more, not counted.
    """
    pairs = Pairs([], [])
    for turn in range(-1 if warm else 0, count):
        for command in (ours, floor) if turn % 2 else (floor, ours):
            if command is ours and before is not None:
                before()
            found = run(command)
            if turn >= 0:
                (pairs.ours if command is ours else pairs.floor).append(found)
    return pairs
