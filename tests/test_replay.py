"""A closed list through time: one state folder, one config, catalogs as they changed."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.simulator import MAIN
from tests.corpus import captures, needs_catalogs

if TYPE_CHECKING:
    from tests.house import House, Ran

TOP = Path(__file__).resolve().parents[1]


@pytest.fixture
def shipped(house: House) -> House:
    """The shipped policy; the simulated providers list nothing yet."""
    text = (TOP / "policy.yaml").read_text(encoding="utf-8")
    for name in MAIN:
        row = f"  {name}: {{base_url: {house.sim.url(name)}}}"
        text = re.sub(rf"^  {name}: {{}}", row, text, flags=re.MULTILINE)
        house.sim.set_rows(name, [])
    house.policy.write_text(text, encoding="utf-8")
    return house


def settle(house: House) -> Ran:
    """Apply, then check what must hold at every moment."""
    ran = house.applied()
    names = set(house.names())
    for alias, target in house.aliases().items():
        assert target in names, f"{alias} leads nowhere"
        assert "leaves" not in house.entries()[target]["model_info"] or "held" in ran.err
    assert "Nothing to change" in house.applied().out
    return ran


def listed(house: House) -> set[str]:
    """provider/id of everything the simulated providers list."""
    found = set()
    for name in MAIN:
        rows: list[Any] = house.sim.rows(name)
        ids = (row.get("id") or row.get("name", "").removeprefix("models/") for row in rows)
        found |= {f"rollcall/{name}/{model_id}" for model_id in ids}
    return found


def assert_nobody_overstays(house: House) -> None:
    """What no provider lists any more is on its way out."""
    here = listed(house)
    for name, entry in house.entries().items():
        info = entry["model_info"]
        if info["id"] not in here:
            assert "leaves" in info, f"{name} is gone at its provider and has no leaving day"


@needs_catalogs
def test_the_shipped_policy_through_every_capture(shipped: House) -> None:
    for day, group in groupby(captures(), key=lambda capture: capture.day):
        for capture in group:
            shipped.sim.set_rows(capture.provider, capture.rows)
        shipped.on(day)
        settle(shipped)
        assert_nobody_overstays(shipped)
    assert shipped.aliases()["claude"] == "claude-sonnet-5"
    assert shipped.aliases()["claude-strong"] == "claude-opus-5"


EVERY_FAMILY = """
allow:
  - {match: "*", from: [openrouter], newest: 1, stage: any}
guards: {max_models: 1000, max_withdrawn: 100%}
grace: {vanished: 0d, superseded: 0d}
aliases: {}
"""


@needs_catalogs
def test_the_newest_of_every_family_is_what_openrouter_itself_calls_latest(house: House) -> None:
    house.write_policy(EVERY_FAMILY, "openrouter")
    compared = 0
    for capture in captures():
        if capture.provider != "openrouter":
            continue
        house.sim.set_rows("openrouter", capture.rows)
        house.on(capture.day)
        house.applied()
        names = set(house.names())
        for row in capture.rows:
            target = (row.get("alias_target") or {}).get("slug")
            if target is None:
                continue
            compared += 1
            assert f"openrouter/{target}" in names, (capture.name, row["id"], target)
    assert compared >= 30


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
