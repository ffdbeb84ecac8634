"""Runs that ask: nothing new, from scratch over a slow line, with a provider that hangs."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.cases import Bench
from benchmarks.house import House, applied, build
from benchmarks.pairs import Pairs, measure
from benchmarks.process import ROOT
from benchmarks.providers import serving
from benchmarks.result import Result, against, beyond

LATENCY_SECONDS = 0.2
DEADLINE_SECONDS = 1.5
MOST_MEMORY_MB = 150


def results(bench: Bench) -> Iterator[Result]:
    """The lines of these cases."""
    with serving() as providers:
        house = applied(build(bench.folder / "same", providers))
        yield _memory(
            against("`apply`, nothing new", _apply(bench, house), "bare script", at_most=1.5)
        )
        models = house.rollcall("models", "--json")
        pairs = measure(models, house.floor("stored"), bench.count)
        yield against("`models --json`", pairs, "stored replies read, ids printed")
        plan = house.rollcall("plan")
        pairs = measure(plan, house.floor("bare"), bench.count)
        yield against("`plan`, nothing new, with its table", pairs, "bare script")
        yield from _litellm(bench, house)
    yield from _recorded(bench)
    yield _cold(bench)
    yield _hanging(bench)


def _apply(bench: Bench, house: House) -> Pairs:
    return measure(house.rollcall("apply", "-q"), house.floor("bare"), bench.count)


def _litellm(bench: Bench, house: House) -> Iterator[Result]:
    if importlib.util.find_spec("litellm") is None:
        return
    pairs = measure(house.rollcall("apply", "-q"), house.floor("litellm_models"), bench.slow)
    yield against("`apply`, nothing new", pairs, "LiteLLM's `get_valid_models`, 3 of the 8")


def _recorded(bench: Bench) -> Iterator[Result]:
    """The newest recorded replies of the real providers, where the corpus is there."""
    corpus = ROOT.parent / "shared" / "catalogs"
    if not corpus.is_dir():
        return
    with serving("--catalogs", str(corpus)) as providers:
        house = applied(build(bench.folder / "recorded", providers))
        case = "`apply`, nothing new, recorded replies"
        yield _memory(against(case, _apply(bench, house), "bare script", at_most=1.5))


def _memory(result: Result) -> Result:
    """The goal of memory beside the goal of time."""
    met = bool(result.met) and (not result.peak_mb or int(result.peak_mb) < MOST_MEMORY_MB)
    return replace(result, goal=f"{result.goal}; under {MOST_MEMORY_MB} MB", met=met)


def _cold(bench: Bench) -> Result:
    """The first run ever, every answer LATENCY_SECONDS away."""
    with serving("--latency", str(LATENCY_SECONDS)) as providers:
        house = build(bench.folder / "cold", providers)
        apply = house.rollcall("apply", "-q")
        pairs = measure(apply, house.floor("bare"), bench.count, before=house.restore)
    case = f"first `apply`, each answer {LATENCY_SECONDS:g} s away"
    return beyond(case, pairs, LATENCY_SECONDS, at_most=0.25)


def _hanging(bench: Bench) -> Result:
    """One provider never answers; the deadline ends it."""
    limit = f"{DEADLINE_SECONDS:g}"
    with serving("--hang", "xai") as providers:
        house = build(bench.folder / "hang", providers)
        apply = house.rollcall("apply", "-q", "--timeout", "10s", "--deadline", f"{limit}s")
        floor = house.floor("bare", limit)
        pairs = measure(apply, floor, bench.slow, before=house.restore)
    return beyond(
        f"`apply`, one of them hangs, deadline {limit} s", pairs, DEADLINE_SECONDS, at_most=0.3
    )
