"""How cost grows: entries of config.yaml, models of a catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.cases import Bench
from benchmarks.house import House, applied, build
from benchmarks.pairs import measure
from benchmarks.process import run
from benchmarks.providers import Providers, serving
from benchmarks.result import Result, against, seconds

ENTRIES = (100, 2_000, 10_000)
MODELS = (1_000, 5_000, 20_000)
LINEAR = 1.3
"""How much dearer the last thousand may be than the first, and still count as linear."""

ENTRY = """\
  - model_name: team-{index:05d}   # asked for by team {index}
    litellm_params:
      model: openai/some-model-{index}
      api_base: 'http://10.0.0.{host}:8000/v1'
      api_key: os.environ/TEAM_KEY_{index}
    model_info: {{mode: chat, max_input_tokens: 128000, "supports_vision": yes}}
"""


def results(bench: Bench) -> Iterator[Result]:
    """The lines of these cases."""
    entries = ENTRIES[:2] if bench.quick else ENTRIES
    with serving() as providers:
        house = applied(build(bench.folder / "own", providers))
        costs = {}
        for count in entries:
            lines, costs[count] = _own(bench, house, count)
            yield from lines
        yield _linear("config.yaml, per 1,000 hand-written entries", costs)
    with serving("--rows", str(2 * entries[1]), "--row-bytes", "0") as providers:
        yield _ours(bench, providers, entries[1])
    yield from _catalogs(bench)


def _own(bench: Bench, house: House, count: int) -> tuple[list[Result], float]:
    """Plan and write with `count` hand-written entries; the replies are stored ones."""
    write_entries(house.config, count)
    text = house.config.read_text(encoding="utf-8")
    apply = house.rollcall("apply", "-q", "--offline")
    floor = house.floor("round_trip", "config.yaml")
    pairs = measure(
        apply,
        floor,
        bench.slow if count < ENTRIES[-1] else 1,
        before=lambda: _put(house.config, text),
        warm=count < ENTRIES[-1],
    )
    _put(house.config, text)
    inside = json.loads(
        run(house.module("benchmarks.in_process", "config.yaml"), keep_output=True).out
    )
    ratio = inside["ours"] / inside["ruamel"]
    goal = count == ENTRIES[1]
    return [
        against(
            f"plan and write, {count:,} entries",
            pairs,
            "ruamel.yaml round trip",
            at_most=0.2 if goal else None,
        ),
        Result(
            f"the same in process, {count:,} entries",
            seconds(inside["ours"]),
            f"{seconds(inside['ruamel'])} ruamel.yaml round trip",
            f"{ratio:.3f}",
            goal="at most 0.1" if goal else "",
            met=ratio <= 0.1 if goal else None,
        ),
    ], inside["ours"]


def _ours(bench: Bench, providers: Providers, count: int) -> Result:
    """All entries ours, some `count` of them, written for the first time."""
    rules = [{"match": "*", "from": ["openrouter"]}]
    house = build(
        bench.folder / "ours", providers, rules=rules, max_models=2 * count, only=("openrouter",)
    )
    apply = house.rollcall("apply", "-q", "--timeout", "20s", "--deadline", "30s")
    run(apply)
    (house.folder / "copy.yaml").write_bytes(house.config.read_bytes())
    managed = house.config.read_text(encoding="utf-8").count("managed_by")
    floor = house.floor("round_trip", "copy.yaml")
    pairs = measure(apply, floor, min(bench.slow, 3), before=house.restore, warm=False)
    return against(
        f"fetch, plan and write {managed:,} managed entries", pairs, "ruamel.yaml round trip"
    )


def _catalogs(bench: Bench) -> Iterator[Result]:
    """`apply` with nothing new, a policy of 50 rules, catalogs of growing size."""
    costs = {}
    for count in MODELS[:2] if bench.quick else MODELS:
        with serving("--rows", str(count), "--row-bytes", "0") as providers:
            house = build(bench.folder / f"catalog-{count}", providers, rules=fifty_rules())
            run(house.rollcall("apply", "-q", "--timeout", "20s", "--deadline", "30s"))
            apply = house.rollcall("apply", "-q", "--timeout", "20s", "--deadline", "30s")
            pairs = measure(apply, house.floor("bare"), bench.slow)
        costs[count] = pairs.cpu
        yield against(f"`apply`, nothing new, {count:,} models, 50 rules", pairs, "bare script")
    yield _linear("`apply`, CPU time per 1,000 models", costs)


def _linear(case: str, costs: dict[int, float]) -> Result:
    """The cost of the last thousand against that of the first ones."""
    sizes = sorted(costs)
    steps = [1000 * (costs[b] - costs[a]) / (b - a) for a, b in pairwise(sizes)]
    if len(steps) < 2:
        return Result(case, seconds(steps[0]), goal="linear")
    ratio = steps[-1] / steps[0]
    return Result(
        case,
        seconds(steps[-1]),
        f"{seconds(steps[0])} at the smaller sizes",
        f"{ratio:.2f}",
        goal=f"linear: at most {LINEAR:g}",
        met=ratio <= LINEAR,
    )


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_entries(path: Path, count: int) -> None:
    """A config with `count` hand-written entries, comments, quotes and flow style included."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("# mine\nmodel_list:\n")
        stream.writelines(ENTRY.format(index=index, host=index % 250) for index in range(count))
        stream.write("\ngeneral_settings:\n  master_key: os.environ/LITELLM_MASTER_KEY\n")


FAMILIES = (
    "claude-sonnet", "claude-opus", "claude-haiku", "gpt", "gpt-mini",
    "gemini-pro", "gemini-flash", "grok", "kimi", "glm",
)  # fmt: skip
MAKERS = (
    "anthropic", "anthropic", "anthropic", "openai", "openai",
    "google", "google", "x-ai", "moonshotai", "z-ai",
)  # fmt: skip
"""The maker of each of FAMILIES."""
OTHERS = (
    "deepseek", "qwen", "mistralai", "meta-llama", "minimax",
    "nvidia", "amazon", "cohere", "microsoft", "openai",
)  # fmt: skip
WORDS = ("mini", "flash", "pro", "large", "small", "coder", "think", "vision", "turbo", "fast")


def fifty_rules() -> list[dict[str, Any]]:
    """Families, patterns with conditions, single ids: what policies are made of."""
    rules: list[dict[str, Any]] = [
        {"family": name, "from": ["openrouter"], "newest": 1} for name in FAMILIES
    ]
    rules += [
        {"family": f"{maker}-1/{name}", "from": ["openrouter"], "newest": 1}
        for maker, name in zip(MAKERS, FAMILIES, strict=True)
    ]
    rules += [
        {
            "match": [f"{maker}/*", f"{maker}-1/*"],
            "from": ["openrouter"],
            "where": {"tools": True, "context": ">= 100000", "input_price": "<= 1.00"},
            "newest": 1,
            "max": 2,
        }
        for maker in OTHERS
    ]
    rules += [
        {"match": f"*{word}*", "from": ["openrouter"], "newest": 1, "max": 1} for word in WORDS
    ]
    rules += [{"match": f"{maker}/no-such-model", "from": ["openrouter"]} for maker in OTHERS]
    return rules
