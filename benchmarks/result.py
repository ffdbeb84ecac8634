"""One line of the table: what was measured, beside its floor and its goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.pairs import Pairs

HEAD = ("case", "rollcall", "floor", "ratio (quartiles)", "CPU ratio", "peak MB", "goal", "")


@dataclass(frozen=True, slots=True)
class Result:
    """Cells of one line; `met` is None where there is no goal."""

    case: str
    ours: str
    floor: str = ""
    ratio: str = ""
    cpu_ratio: str = ""
    peak_mb: str = ""
    goal: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows them."""
        word = "" if self.met is None else "met" if self.met else "**missed**"
        return (
            self.case,
            self.ours,
            self.floor,
            self.ratio,
            self.cpu_ratio,
            self.peak_mb,
            self.goal,
            word,
        )


def against(case: str, pairs: Pairs, floor: str, *, at_most: float | None = None) -> Result:
    """A whole process against a floor.

    Args:
        floor: what the floor is. at_most: the goal, as a ratio.
    """
    ratio, cpu = pairs.ratio, pairs.cpu_ratio
    return Result(
        case,
        seconds(pairs.wall.middle),
        f"{seconds(pairs.floor_wall.middle)} {floor}",
        f"{ratio.middle:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
        "" if cpu is None else f"{cpu:.2f}",
        memory(pairs.peak_mb),
        "" if at_most is None else f"at most {at_most:g}",
        None if at_most is None else ratio.middle <= at_most,
    )


def beyond(case: str, pairs: Pairs, wait_seconds: float, *, at_most: float) -> Result:
    """A whole process that has to wait `wait_seconds`: how much longer it takes than that."""
    excess = pairs.wall.middle - wait_seconds
    low, high = pairs.wall.low - wait_seconds, pairs.wall.high - wait_seconds
    return Result(
        case,
        f"{seconds(wait_seconds)} + {seconds(excess)} ({seconds(low)} to {seconds(high)})",
        f"{seconds(pairs.floor_wall.middle)} bare script",
        f"{pairs.ratio.middle:.2f}",
        f"{pairs.cpu_ratio:.2f}" if pairs.cpu_ratio else "",
        memory(pairs.peak_mb),
        f"{wait_seconds:g} s + {at_most:g} s",
        excess <= at_most,
    )


def seconds(value: float) -> str:
    """A time in the unit that shows it best."""
    if abs(value) < 0.001:
        return f"{value * 1e6:.0f} us"
    return f"{value * 1000:.0f} ms" if abs(value) < 1 else f"{value:.2f} s"


def memory(peak_mb: float | None) -> str:
    """Megabytes, whole."""
    return "" if peak_mb is None else f"{peak_mb:.0f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def results_table(results: Iterable[Result]) -> str:
    """The table of results."""
    return table(HEAD, [result.cells for result in results])
