"""A closed list through time: one memory, one config, catalogs as they really changed."""

from __future__ import annotations

import re
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.corpus import captures, needs_catalogs
from tests.replaying import Day, Replay, replay_of
from tests.simulator.catalogs import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.house import House, Ran

TOP = Path(__file__).resolve().parents[1]
SHIPPED = (TOP / "policy.yaml").read_text(encoding="utf-8")

EVERY_FAMILY = """
providers: {openrouter: {}, anthropic: {}, openai: {}, gemini: {}, xai: {}, perplexity: {},
            deepseek: {}, qwen: {}}
allow:
  - {match: "*", newest: 1, stage: any}
guards: {max_models: 1000, max_withdrawn: 100%}
"""


def days(replay: Replay) -> Iterator[Day]:
    """Every day of the captures, after a run; what must hold on each has been checked."""
    for day, group in groupby(captures(), key=lambda capture: capture.day):
        for capture in group:
            replay.hears(capture)
        done = replay.run(day)
        yield done
        check(replay, done)


def check(replay: Replay, done: Day) -> None:
    """What must hold at every moment."""
    entries = replay.entries
    held = {change.name for change in done.decision.held}
    assert not done.decision.refused, done
    for alias, target in replay.aliases.items():
        assert target in entries, f"{done.on}: {alias} leads nowhere"
        assert "leaves" not in entries[target]["model_info"] or alias in held, (done.on, alias)
    listed = replay.listed_ids()
    for name, entry in entries.items():
        leaves = entry["model_info"].get("leaves")
        if entry["model_info"]["id"] not in listed:
            assert leaves, f"{done.on}: {name} is gone at its provider and has no leaving day"
            assert date.fromisoformat(leaves) > done.on, f"{done.on}: {name} overstays"
    for change in done.changes:
        assert change.reason, f"{done.on}: {change.name} changes for no reason"
    assert not replay.run(done.on).changes, f"{done.on}: a second run changes something"


@needs_catalogs
def test_the_shipped_policy_through_every_capture() -> None:
    replay = replay_of(SHIPPED)
    seen = {done.on: dict(replay.aliases) for done in days(replay)}
    strong = [aliases["claude-strong"] for aliases in seen.values() if "claude-strong" in aliases]
    assert list(dict.fromkeys(strong)) == [
        "claude-3-opus-20240229",
        "claude-opus-4-1-20250805",
        "claude-opus-4-5-20251101",
        "claude-opus-4-6",
        "claude-opus-4-7",
        "claude-opus-4-8",
        "claude-opus-5",
    ]
    assert replay.aliases["claude"] == "claude-sonnet-5"


TOLD = {
    "superseded": r"^superseded by \S+ \(rule 1: newest 1\)",
    "withdrawn": " no longer lists it",
    "retired": " retired it on ",
    "renamed": " renamed it to ",
}
"""What an entry leaves for -> what its reason says."""


@needs_catalogs
def test_every_family_of_every_vendor_through_every_capture() -> None:
    replay = replay_of(EVERY_FAMILY)
    counts = dict.fromkeys(TOLD, 0)
    for done in days(replay):
        leading: dict[tuple[object, ...], str] = {}
        for row in done.decision.admitted.admitted:
            key = (row.model.provider, row.model.reading.maker, row.model.reading.family)
            assert key not in leading, f"{done.on}: {row.model.qualified} and {leading[key]}"
            leading[key] = row.model.qualified
        listed = replay.listed_ids()
        for name, departure in done.decision.model_list.departures.items():
            assert re.search(TOLD[departure.cause.value], departure.reason), (done.on, departure)
            counts[departure.cause.value] += 1
            if departure.entry is not None:
                there = departure.entry["model_info"]["id"] in listed
                assert there is (departure.cause.value in ("superseded", "retired")), name
    assert min(counts.values()) > 0, counts


@needs_catalogs
def test_the_newest_of_every_family_is_what_openrouter_itself_calls_latest() -> None:
    policy = "providers: {openrouter: {}}\nallow: [{match: '*', newest: 1, stage: any}]\n"
    compared = 0
    for capture in captures():
        if capture.provider != "openrouter":
            continue
        replay = replay_of(f"{policy}aliases: {{}}\n")
        replay.hears(capture)
        names = {row.model.id for row in replay.run(capture.day).decision.admitted.admitted}
        for row in capture.rows:
            target = (row.get("alias_target") or {}).get("slug")
            if target is not None:
                compared += 1
                assert target in names, (capture.name, row["id"], target)
    assert compared >= 30


@needs_catalogs
def test_the_last_captures_over_sockets_and_disk(house: House) -> None:
    text = SHIPPED
    for name in MAIN:
        text = text.replace(f"  {name}: {{}}", f"  {name}: {{base_url: {house.sim.url(name)}}}")
        house.sim.set_rows(name, [])
    house.policy.write_text(text, encoding="utf-8")
    groups = [list(group) for _, group in groupby(captures(), key=lambda capture: capture.day)]
    replay = replay_of(SHIPPED)
    for group in groups[:-3]:
        for capture in group:
            house.sim.set_rows(capture.provider, capture.rows)
            replay.hears(capture)
    for group in groups[-3:]:
        for capture in group:
            house.sim.set_rows(capture.provider, capture.rows)
            replay.hears(capture)
        house.on(group[0].day)
        settle(house)
        replay.run(group[0].day)
    assert list(replay.entries) == house.names()
    assert replay.aliases == house.aliases()


def settle(house: House) -> Ran:
    """Apply twice; the second time there is nothing to do."""
    ran = house.applied()
    assert "Nothing to change" in house.applied().out
    return ran


def test_a_year_of_one_family_in_small(house: House) -> None:
    house.write_policy(
        "allow:\n  - {family: glm, from: [openrouter], newest: 1}\n"
        "aliases: {glm: {family: glm}}\nguards: {price_rise: 1000%}\n",
        "openrouter",
    )
    rows: list[Any] = house.sim.rows("openrouter")
    like = next(row for row in rows if row["id"] == "z-ai/glm-5")

    def glm(*versions: str) -> list[Any]:
        return [
            {**like, "id": f"z-ai/glm-{one}", "canonical_slug": f"z-ai/glm-{one}-x"}
            for one in versions
        ]

    story = [
        (0, ("4.9",), "4.9", {"4.9"}),
        (10, ("4.9", "4.10"), "4.10", {"4.9", "4.10"}),
        (20, ("4.10", "5", "5-air"), "5", {"4.9", "4.10", "5"}),
        (24, ("4.10", "5", "5-air"), "5", {"4.10", "5"}),
        (35, ("5", "5.2", "5-air"), "5.2", {"5", "5.2"}),
        (60, ("5.2", "5-air", "6-preview"), "5.2", {"5.2"}),
    ]
    for day, versions, newest, present in story:
        house.later(day)
        house.sim.set_rows("openrouter", glm(*versions))
        settle(house)
        assert house.aliases()["glm"] == f"openrouter/z-ai/glm-{newest}", day
        assert set(house.names()) == {f"openrouter/z-ai/glm-{one}" for one in present}, day
