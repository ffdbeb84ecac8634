"""Simulated providers in a process of their own, at today's sizes.

`python -m benchmarks.providers` is the tests' simulator with rows as long as the real ones: a real
row of OpenRouter is 2.4 KB, most of it a description. With `--catalogs FOLDER` it lists recorded
replies instead. Prints one line of JSON, {"urls", "environ"}, and answers until its input ends.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.process import ROOT, environment

MAIN = ("anthropic", "openai", "gemini", "xai", "perplexity", "deepseek", "qwen", "openrouter")
ROWS = 550
ROW_BYTES = 2400
RECORDED = {"qwen": "dashscope"}
"""Our name of a provider -> its folder in a corpus, where they differ."""


@dataclass(frozen=True, slots=True)
class Providers:
    """Where they listen, and the keys they take."""

    urls: dict[str, str]
    environ: dict[str, str] = field(repr=False)

    def policy(self) -> dict[str, dict[str, str]]:
        """What stands under `providers:` of a policy that asks them."""
        return {name: {"base_url": self.urls[name]} for name in MAIN}


@contextmanager
def serving(*options: str) -> Iterator[Providers]:
    """The providers, until the end of the `with`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.providers", *options],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        yield Providers(said["urls"], said["environ"])
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def main() -> None:
    """Serve until standard input ends."""
    from tests.simulator.catalogs import NAMES
    from tests.simulator.faults import Fault
    from tests.simulator.simulator import Simulator

    parser = argparse.ArgumentParser(prog="python -m benchmarks.providers", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of OpenRouter")
    parser.add_argument("--row-bytes", type=int, default=ROW_BYTES, help="of an OpenRouter row")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--hang", action="append", default=[], help="a provider never answers")
    parser.add_argument("--catalogs", type=Path, help="a folder of recorded replies")
    options = parser.parse_args()
    with Simulator() as sim:
        sim.set_rows("openrouter", _padded(options.rows, options.row_bytes))
        if options.catalogs:
            for name, rows in _recorded(options.catalogs):
                sim.set_rows(name, rows)
        for name in NAMES:
            if name in options.hang:
                sim.fault(name, Fault.HANG)
            elif options.latency:
                sim.fault(name, Fault.DELAY, seconds=options.latency)
        urls = {name: sim.url(name) for name in NAMES}
        sys.stdout.write(json.dumps({"urls": urls, "environ": sim.environ(*MAIN)}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def _padded(rows: int, row_bytes: int) -> Iterator[dict[str, object]]:
    from tests.simulator.catalogs import many_rows

    for row in many_rows(rows):
        short = row_bytes - len(json.dumps(row))
        yield {**row, "description": "A model. " * (short // 9)} if short > 0 else row


def _recorded(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    """The newest recorded list of each provider."""
    for name in MAIN:
        for path in sorted((folder / RECORDED.get(name, name)).glob("20*.json"), reverse=True):
            if "HTTP" in path.name:
                continue
            said = json.loads(path.read_bytes())
            rows = said.get("data") or said.get("models") if isinstance(said, dict) else said
            if isinstance(rows, list) and rows:
                yield name, rows
                break


if __name__ == "__main__":
    main()
