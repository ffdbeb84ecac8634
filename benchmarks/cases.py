"""What a case gets, and how often it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmarks.

    Attributes:
        folder: a temporary one. count: pairs per case. slow: pairs of the cases that take seconds.
        quick: leave out the largest sizes.
    """

    folder: Path
    count: int
    slow: int
    quick: bool
