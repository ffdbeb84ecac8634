"""pick: a person's choice of `default`, remembered beside the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-haiku, from: [anthropic], newest: 1}
  - {match: [grok-4.5, grok-4.6], from: [xai]}
"""


@pytest.fixture(params=["derived", "named"])
def furnished(house: House, request: pytest.FixtureRequest) -> House:
    """Two models; `default` derived, or named in the policy."""
    aliases = "aliases: {default: {family: claude-haiku}}\n" if request.param == "named" else ""
    house.write_policy(RULES + aliases, "anthropic", "xai")
    house.applied()
    assert house.aliases()["default"] == "anthropic/claude-haiku-4-5-20251001"
    return house


def test_a_pick_moves_default_and_clearing_it_moves_it_back(furnished: House) -> None:
    assert furnished.run("pick", "xai/grok-4.6").code == 0
    furnished.applied()
    assert furnished.aliases()["default"] == "xai/grok-4.6"
    assert furnished.run("pick", "--clear").code == 0
    furnished.applied()
    assert furnished.aliases()["default"] == "anthropic/claude-haiku-4-5-20251001"


def test_a_pick_that_is_gone_falls_back_to_the_policys_default(furnished: House) -> None:
    furnished.run("pick", "grok-4.6")
    furnished.applied()
    rows: list[Any] = furnished.sim.rows("xai")
    furnished.sim.set_rows("xai", [row for row in rows if row["id"] != "grok-4.6"])
    furnished.applied()
    assert furnished.aliases()["default"] == "anthropic/claude-haiku-4-5-20251001"


def test_a_saved_plan_is_refused_after_a_new_pick(furnished: House) -> None:
    furnished.run("plan", "--out", "plan.json")
    furnished.run("pick", "xai/grok-4.6")
    ran = furnished.run("apply", "plan.json")
    assert ran.code == 1
    assert "changed since" in ran.err


def test_a_name_that_is_not_there_lists_what_is(furnished: House) -> None:
    ran = furnished.run("pick", "gpt-99")
    assert ran.code == 1
    assert "xai/grok-4.6" in ran.err


def test_a_pick_file_that_is_garbled_is_two_lines(furnished: House) -> None:
    (furnished.folder / "policy.picked.yaml").write_text("default: [", encoding="utf-8")
    ran = furnished.run("apply")
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 2
