"""The service: how many lists it answers a second, and what it adds to a stream."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.parse import urlsplit

from benchmarks import litellm_upstream
from benchmarks.cases import Bench
from benchmarks.house import House, applied, build
from benchmarks.pairs import Spread
from benchmarks.process import Command, environment, run
from benchmarks.providers import serving
from benchmarks.result import Result, seconds

KEY = "OPENAI_API_KEY"


def results(bench: Bench) -> Iterator[Result]:
    """The lines of these cases; none where the extra `serve` is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn")):
        return
    with serving() as providers:
        house = applied(build(bench.folder / "service", providers))
        upstream = providers.urls["openai"]
        with (
            _serving(house, "rollcall", upstream) as ours,
            _serving(house, "constant", upstream) as floor,
        ):
            yield from _lists(bench, house, ours, floor)
            yield _streams(bench, house, ours, upstream)
        if litellm_upstream.installed():
            yield _through_litellm(bench, house)


@contextmanager
def _serving(house: House, what: str, upstream: str) -> Iterator[str]:
    """The base URL of a server in a process of its own."""
    command = house.module("benchmarks.serving", what, upstream)
    process = subprocess.Popen(
        command.argv,
        cwd=command.folder,
        env=environment(command.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def _load(house: House, *args: str, key: str | None = None) -> dict[str, float]:
    """What the load generator saw."""
    key = key or house.providers.environ[KEY]
    command = house.module("benchmarks.load", *args)
    keyed = Command(command.argv, command.folder, {**command.environ, "LOAD_KEY": key})
    found: dict[str, float] = json.loads(run(keyed, keep_output=True).out)
    return found


def _lists(bench: Bench, house: House, ours: str, floor: str) -> Iterator[Result]:
    count = "400" if bench.quick else "2000"
    pairs = []
    for turn in range(-1, bench.slow):
        one = _load(house, "lists", f"{ours}/models", count)
        other = _load(house, "lists", f"{floor}/models", count)
        if turn >= 0:
            pairs.append((one, other))
    for name, label in (("per_second", "answers per second"), ("p99", "p99")):
        ratio = Spread.of([one[name] / other[name] for one, other in pairs])
        mine, theirs = (median(pair[side][name] for pair in pairs) for side in (0, 1))
        shown = (
            (f"{mine:,.0f}/s", f"{theirs:,.0f}/s")
            if name == "per_second"
            else (seconds(mine), seconds(theirs))
        )
        yield Result(
            f"service: cached `/v1/models` ({one_size(pairs)}), {label}",
            shown[0],
            f"{shown[1]} FastAPI answering a constant of that size",
            f"{ratio.middle:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
        )


def one_size(pairs: list[tuple[dict[str, float], dict[str, float]]]) -> str:
    """The size of an answer, in KB."""
    return f"{pairs[0][0]['bytes'] / 1000:.0f} KB"


def _streams(bench: Bench, house: House, ours: str, upstream: str) -> Result:
    count = "20" if bench.quick else "100"
    found = _load(house, "streams", ours, upstream, count)
    added = found["ours"] - found["direct"]
    return Result(
        "service: first streamed byte",
        seconds(found["ours"]),
        f"{seconds(found['direct'])} asked directly",
        f"adds {seconds(added)} (median of {count} pairs)",
    )


def _through_litellm(bench: Bench, house: House) -> Result:
    """The same in front of LiteLLM's own proxy, against calling that directly."""
    count = "20" if bench.quick else "100"
    with (
        litellm_upstream.running(house.folder, house.providers) as upstream,
        _serving(house, "rollcall", upstream) as ours,
    ):
        found = _load(house, "streams", ours, upstream, count, key=litellm_upstream.MASTER_KEY)
    added = found["ours"] - found["direct"]
    return Result(
        "service in front of LiteLLM: first streamed byte",
        seconds(found["ours"]),
        f"{seconds(found['direct'])} LiteLLM asked directly",
        f"adds {seconds(added)} (median of {count} pairs)",
    )


def host_of(url: str) -> str:
    """host:port of an address."""
    return urlsplit(url).netloc
