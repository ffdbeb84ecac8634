"""One name over several providers, where rules say so: LiteLLM balances or orders them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.litellm_config.entries import key_of
from tests.simulator import Fault

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: sonnet, balance: true,
     params: {order: 1}}
  - {family: claude-sonnet, from: [openrouter], newest: 1, name: sonnet, balance: true,
     params: {order: 2}}
aliases: {claude: sonnet}
"""


@pytest.fixture
def furnished(house: House) -> House:
    house.write_policy(RULES, "anthropic", "openrouter")
    return house


def deployments(house: House) -> list[tuple[str, int]]:
    """Provider and order of each entry called sonnet."""
    found = []
    for entry in house.data()["model_list"]:
        if entry["model_name"] == "sonnet":
            key = key_of(entry)
            assert key is not None
            found.append((key.provider, entry["litellm_params"]["order"]))
    return found


def test_rules_that_say_so_make_one_group(furnished: House) -> None:
    changes = furnished.run("plan", "--json").json()["changes"]
    (group,) = [change for change in changes if change["name"] == "sonnet"]
    assert len(group["after"]["deployments"]) == 2
    furnished.applied()
    assert deployments(furnished) == [("anthropic", 1), ("openrouter", 2)]
    before = furnished.config.read_bytes()
    furnished.applied()
    assert furnished.config.read_bytes() == before
    assert furnished.run("plan", "--markdown").code == 0
    assert furnished.run("models").code == 0
    assert furnished.run("explain", "sonnet").code == 0


@pytest.mark.parametrize("away", ["anthropic", "openrouter"])
def test_an_outage_of_one_keeps_both(furnished: House, away: str) -> None:
    furnished.applied()
    before = furnished.config.read_bytes()
    furnished.sim.fault(away, Fault.SERVER_ERROR)
    furnished.applied()
    assert furnished.config.read_bytes() == before


def test_a_group_that_shrinks_says_what_goes(furnished: House) -> None:
    furnished.applied()
    furnished.write_policy(
        "allow:\n  - {family: claude-sonnet, from: [anthropic], newest: 1, name: sonnet}\n",
        "anthropic",
        "openrouter",
    )
    (change,) = [
        one for one in furnished.run("plan", "--json").json()["changes"] if one["name"] == "sonnet"
    ]
    assert "no longer openrouter/anthropic/claude-sonnet-5" in change["reason"]


def test_without_the_word_it_stays_an_error(furnished: House) -> None:
    furnished.write_policy(RULES.replace(", balance: true", "", 1), "anthropic", "openrouter")
    ran = furnished.run("plan")
    assert ran.code == 1
    assert "balance: true" in ran.err


def test_a_group_needs_a_name(furnished: House) -> None:
    furnished.write_policy(RULES.replace("name: sonnet, ", "", 1), "anthropic", "openrouter")
    ran = furnished.run("plan")
    assert ran.code == 1
    assert "allow[1].balance" in ran.err
