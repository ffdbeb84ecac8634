"""What is paid before any work begins: `--version`, `--help`, imports, `start` within ttl."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from benchmarks.cases import Bench
from benchmarks.house import applied, build
from benchmarks.pairs import measure
from benchmarks.process import Command, python, rollcall
from benchmarks.providers import serving
from benchmarks.result import Result, against

TYPER = "`import typer`"
HTTPX = "`import httpx`"


def results(bench: Bench) -> Iterator[Result]:
    """The lines of these cases."""
    folder = bench.folder
    typer = Command(python("-c", "import typer"), folder)
    httpx = Command(python("-c", "import httpx"), folder)
    version = Command(rollcall("--version"), folder)
    yield against("`rollcall --version`", measure(version, typer, bench.count), TYPER, at_most=1.5)
    usage = Command(rollcall("--help"), folder)
    yield against("`rollcall --help`", measure(usage, typer, bench.count), TYPER)
    yield from _start(bench, typer)
    package = Command(python("-c", "import rollcall"), folder)
    yield against("`import rollcall`", measure(package, httpx, bench.count), HTTPX)
    library = Command(python("-c", "from rollcall import get_llm_client"), folder)
    yield against(
        "`from rollcall import get_llm_client`", measure(library, httpx, bench.count), HTTPX
    )


def _start(bench: Bench, typer: Command) -> Iterator[Result]:
    """`start` within ttl; the stand-in for litellm does nothing at all."""
    nothing = shutil.which("true")
    if nothing is None:
        return
    with serving() as providers:
        house = applied(build(bench.folder / "start", providers))
        start = house.rollcall("start", "-q", "--discover", "--litellm", nothing)
        pairs = measure(start, typer, bench.count)
    yield against("`rollcall start` within ttl", pairs, TYPER, at_most=1.5)
