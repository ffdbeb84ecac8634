"""`python -m benchmarks [--quick] [--only NAME] [--out FILE]`: the table, in Markdown."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import asking, service, sizes, start_up
from benchmarks.cases import Bench
from benchmarks.house import build
from benchmarks.pairs import Spread
from benchmarks.process import Failed, run
from benchmarks.providers import serving
from benchmarks.result import Result, results_table, table

GROUPS: dict[str, Callable[[Bench], Iterator[Result]]] = {
    "start_up": start_up.results,
    "asking": asking.results,
    "sizes": sizes.results,
    "service": service.results,
}
WEIGHTS = ("trio", "h2", "brotli", "zstandard", "rich", "litellm")
"""Packages that change what `import httpx`, and so the floor, costs where they are installed."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pairs, no large sizes")
    parser.add_argument("--only", choices=[*GROUPS, "stages"], help="one group of cases")
    parser.add_argument("--out", type=Path, help="write the report there, too")
    options = parser.parse_args()
    load_before = os.getloadavg() if hasattr(os, "getloadavg") else None
    started = time.time()
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as name:
        pairs = (5, 3) if options.quick else (15, 5)
        bench = Bench(Path(name), *pairs, quick=options.quick)
        results = list(_measured(bench, options.only))
        stages = _stages(bench) if options.only in (None, "stages") else ""
    text = _report(results, stages, started, load_before)
    sys.stdout.write(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8", newline="\n")


def _measured(bench: Bench, only: str | None) -> Iterator[Result]:
    for name, group in GROUPS.items():
        if only in (None, name):
            try:
                for result in group(bench):
                    sys.stderr.write(f"{result.case}: {result.ours} {result.ratio}\n")
                    yield result
            except Failed as error:
                yield Result(f"{name}: failed", str(error).replace("\n", " ")[:200])


def _stages(bench: Bench) -> str:
    """Where the time of an `apply` goes, in milliseconds: medians of several runs."""
    rows = []
    with serving() as providers:
        house = build(bench.folder / "stages", providers)
        command = house.module("benchmarks.stages", "apply", "-q")
        for case, fresh in (("first `apply`", True), ("`apply`, nothing new", False)):
            found: dict[str, list[float]] = {}
            for _ in range(bench.count):
                if fresh:
                    house.restore()
                said = json.loads(run(command, keep_output=True).out)
                for part, took in {**said["parts"], "total": said["total"]}.items():
                    found.setdefault(part, []).append(took)
            rows.append((case, {part: Spread.of(took).middle for part, took in found.items()}))
    parts = list(dict.fromkeys(part for _, row in rows for part in row))
    return table(
        ("ms", *parts),
        [(case, *(f"{row.get(part, 0):.0f}" for part in parts)) for case, row in rows],
    )


def _report(
    results: list[Result], stages: str, started: float, load_before: tuple[float, ...] | None
) -> str:
    weights = [name for name in WEIGHTS if importlib.util.find_spec(name)]
    lines = [
        f"Measured {time.strftime('%Y-%m-%d %H:%M', time.gmtime(started))} UTC, "
        f"{time.time() - started:.0f} s; {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPUs, Python {platform.python_version()}; "
        f"installed besides: {', '.join(weights) or 'nothing that counts'}."
    ]
    if load_before is not None and sys.platform != "win32":
        ends = os.getloadavg()
        lines.append(
            f"Load average {load_before[0]:.1f} before, {ends[0]:.1f} after, over "
            f"{os.cpu_count()} CPUs: other work was going on wherever it is above 1."
        )
    text = "\n".join(lines) + "\n"
    if results:
        text += "\n" + results_table(results)
    if stages:
        text += "\nWhere the time goes (without the interpreter's own start):\n\n" + stages
    return text


if __name__ == "__main__":
    main()
