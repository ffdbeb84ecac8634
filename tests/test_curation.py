"""What a closed list does over time: grace, guards, holds, renames; each in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1}
  - {family: claude-haiku, from: [anthropic], newest: 1}
  - {match: "grok-4*", from: [xai]}
  - {family: glm, from: [openrouter], newest: 1}
"""
THREE = ("anthropic", "xai", "openrouter")
ALIASES = """
aliases:
  claude: {family: claude-sonnet, from: [anthropic]}
"""


def row(house: House, provider: str, model_id: str) -> Any:
    """One row of a simulated provider's list."""
    rows: list[Any] = house.sim.rows(provider)
    return next(one for one in rows if one["id"] == model_id)


def without(house: House, provider: str, *ids: str) -> None:
    """The provider lists these no more."""
    rows: list[Any] = house.sim.rows(provider)
    house.sim.set_rows(provider, [one for one in rows if one["id"] not in ids])


def also(house: House, provider: str, like: str, **changes: Any) -> None:
    """The provider lists one more, like another but for some fields."""
    rows: list[Any] = house.sim.rows(provider)
    house.sim.set_rows(provider, [*rows, {**row(house, provider, like), **changes}])


@pytest.fixture
def curated(house: House) -> House:
    """A first apply has been made."""
    house.write_policy(RULES + ALIASES, "anthropic", "xai", "openrouter")
    house.applied()
    return house


def leaves(house: House, name: str) -> str | None:
    """The leaving day of an entry."""
    day = house.entries()[name]["model_info"].get("leaves")
    return None if day is None else str(day)


# Grace


def test_a_withdrawn_model_stays_three_days_and_then_goes(curated: House) -> None:
    without(curated, "xai", "grok-4.3")
    curated.applied()
    assert leaves(curated, "xai/grok-4.3") == "2026-11-23"
    curated.later(2)
    curated.applied()
    assert leaves(curated, "xai/grok-4.3") == "2026-11-23"
    curated.later(3)
    ran = curated.applied()
    assert "xai/grok-4.3" not in curated.names()
    assert "no longer lists it" in ran.out


def test_a_model_that_comes_back_stays(curated: House) -> None:
    before = curated.config.read_bytes()
    rows = curated.sim.rows("xai")
    without(curated, "xai", "grok-4.3")
    curated.applied()
    curated.sim.set_rows("xai", rows)
    curated.applied()
    assert curated.config.read_bytes() == before


def test_a_superseded_model_stays_two_weeks_and_the_alias_moves_at_once(curated: House) -> None:
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    curated.applied()
    assert curated.aliases()["claude"] == "anthropic/claude-sonnet-5-1"
    assert leaves(curated, "anthropic/claude-sonnet-5") == "2026-12-04"
    curated.later(14)
    curated.applied()
    assert "anthropic/claude-sonnet-5" not in curated.names()


def test_grace_needs_no_state_folder(curated: House) -> None:
    without(curated, "xai", "grok-4.3")
    curated.applied("--state-dir", "one")
    curated.later(3)
    curated.applied("--state-dir", "two")
    assert "xai/grok-4.3" not in curated.names()


@pytest.mark.parametrize(
    "policy",
    [
        RULES.replace("grok-4*", "grok-4.6") + ALIASES,
        RULES + ALIASES + 'deny: ["xai/grok-4.3"]\n',
    ],
)
def test_what_a_policy_edit_or_a_deny_takes_out_goes_at_once(curated: House, policy: str) -> None:
    curated.write_policy(policy, "anthropic", "xai", "openrouter")
    curated.applied()
    assert "xai/grok-4.3" not in curated.names()
    assert "xai/grok-4.6" in curated.names()


def test_a_provider_taken_out_of_the_policy_goes_at_once(curated: House) -> None:
    curated.write_policy(RULES.replace('  - {match: "grok-4*", from: [xai]}\n', "") + ALIASES,
                         "anthropic", "openrouter")  # fmt: skip
    curated.applied()
    assert not [name for name in curated.names() if name.startswith("xai/")]


def test_a_lower_newest_is_a_policy_edit_while_we_remember_the_old_policy(curated: House) -> None:
    curated.write_policy(RULES.replace("newest: 1", "newest: 2") + ALIASES, *THREE)
    curated.applied()
    assert "anthropic/claude-sonnet-4-6" in curated.names()
    curated.write_policy(RULES + ALIASES, *THREE)
    curated.applied()
    assert "anthropic/claude-sonnet-4-6" not in curated.names()


def test_a_retired_model_is_not_admitted_and_leaves(curated: House) -> None:
    rows: list[Any] = curated.sim.rows("openrouter")
    for one in rows:
        if one["id"] == "z-ai/glm-5.2":
            one["expiration_date"] = "2026-11-19"
    curated.sim.set_rows("openrouter", rows)
    ran = curated.applied()
    assert "openrouter/z-ai/glm-5" in curated.names()
    assert leaves(curated, "openrouter/z-ai/glm-5.2") == "2026-11-23"
    assert "retired" in ran.out


# Renames


def test_a_change_of_case_is_a_rename_and_both_names_work_meanwhile(curated: House) -> None:
    also(curated, "xai", "grok-4.3", id="Grok-4.3")
    without(curated, "xai", "grok-4.3")
    ran = curated.run("plan", "--json").json()
    assert not ran["refused"]
    reason = next(c["reason"] for c in ran["changes"] if c["name"] == "xai/grok-4.3")
    assert "renamed it to Grok-4.3" in reason
    curated.applied()
    entry = curated.entries()["xai/grok-4.3"]
    assert entry["litellm_params"]["model"] == "xai/Grok-4.3"


def test_the_same_canonical_name_is_a_rename(curated: House) -> None:
    slug = row(curated, "openrouter", "z-ai/glm-5.2")["canonical_slug"]
    also(curated, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-5.2-new", canonical_slug=slug)
    without(curated, "openrouter", "z-ai/glm-5.2")
    ran = curated.run("plan", "--json").json()
    assert any("renamed it to z-ai/glm-5.2-new" in change["reason"] for change in ran["changes"])


# Guards


def test_many_withdrawn_at_once_refuse_the_plan_until_forced(curated: House) -> None:
    before = curated.config.read_bytes()
    without(curated, "xai", "grok-4.3", "grok-4.5", "grok-4.20-0309-reasoning")
    ran = curated.run("apply")
    assert ran.code == 3
    assert "max_withdrawn" in ran.err
    assert "--force" in ran.err
    assert curated.config.read_bytes() == before
    assert curated.run("plan").code == 3
    curated.applied("--force")
    assert leaves(curated, "xai/grok-4.3") == "2026-11-23"
    curated.applied()


def test_two_withdrawn_never_refuse(curated: House) -> None:
    without(curated, "xai", "grok-4.3", "grok-4.5")
    curated.applied()


def test_withdrawals_that_the_policy_takes_out_anyway_do_not_count(curated: House) -> None:
    without(curated, "xai", "grok-4.3", "grok-4.5", "grok-4.20-0309-reasoning")
    policy = RULES + ALIASES + 'deny: ["grok-4.3", "grok-4.5"]\n'
    curated.write_policy(policy, "anthropic", "xai", "openrouter")
    curated.applied()


def test_the_guard_works_on_the_first_run_with_no_state(curated: House) -> None:
    without(curated, "xai", "grok-4.3", "grok-4.5", "grok-4.20-0309-reasoning")
    assert curated.run("apply", "--state-dir", "fresh").code == 3


def test_more_models_than_the_policy_allows_refuse_the_plan(house: House) -> None:
    house.write_policy(RULES + "guards: {max_models: 3}\n", "anthropic", "xai", "openrouter")
    ran = house.run("apply")
    assert ran.code == 3
    assert "max_models" in ran.err
    house.applied("--force")


def test_an_alias_that_would_lead_nowhere_refuses_the_plan(curated: House) -> None:
    without(curated, "anthropic", "claude-sonnet-5", "claude-sonnet-4-6")
    without(curated, "anthropic", "claude-sonnet-4-5-20250929")
    ran = curated.run("apply")
    assert ran.code == 3
    assert "claude" in ran.err
    curated.applied("--force")
    assert "claude" not in curated.aliases()


def test_an_alias_that_never_resolved_is_a_note_only(house: House) -> None:
    policy = RULES + "aliases: {ghost: {family: claude-opus}}\n"
    house.write_policy(policy, "anthropic", "xai", "openrouter")
    ran = house.applied()
    assert "ghost" in ran.err
    assert house.aliases() == {}


# Holds

CHEAP = """
allow:
  - {family: glm, from: [openrouter], newest: 1}
aliases:
  glm: {family: glm}
"""


def dearer(house: House, factor: float) -> None:
    """OpenRouter gets a newer GLM at so many times the price."""
    price = row(house, "openrouter", "z-ai/glm-5.2")["pricing"]
    new = {key: str(float(price[key]) * factor) for key in ("prompt", "completion")}
    also(house, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-6", canonical_slug="z-ai/glm-6-x",
         pricing=new)  # fmt: skip


def test_an_alias_is_held_back_from_a_much_dearer_model_and_accepted_once(house: House) -> None:
    house.write_policy(CHEAP, "openrouter")
    house.applied()
    dearer(house, 2.0)
    ran = house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"
    assert "openrouter/z-ai/glm-6" in house.names()
    assert "held" in ran.err
    assert "--accept openrouter/z-ai/glm-6" in ran.err
    house.later(30)
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"
    assert "openrouter/z-ai/glm-5.2" in house.names(), "a held alias keeps its target"
    house.applied("--accept", "openrouter/z-ai/glm-6")
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-6"
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-6"


def test_a_little_dearer_moves_by_itself(house: House) -> None:
    house.write_policy(CHEAP, "openrouter")
    house.applied()
    dearer(house, 1.2)
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-6"


def test_the_policys_accept_lets_a_held_alias_through(house: House) -> None:
    house.write_policy(CHEAP + "accept: [z-ai/glm-6]\n", "openrouter")
    house.applied()
    dearer(house, 3.0)
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-6"


def test_free_becoming_paid_is_held(house: House) -> None:
    rows: list[Any] = house.sim.rows("openrouter")
    for one in rows:
        if one["id"] == "z-ai/glm-5.2":
            one["pricing"] = {"prompt": "0", "completion": "0"}
    house.sim.set_rows("openrouter", rows)
    house.write_policy(CHEAP, "openrouter")
    house.applied()
    also(house, "openrouter", "z-ai/glm-5", id="z-ai/glm-6", canonical_slug="z-ai/glm-6-x")
    ran = house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"
    assert "free" in ran.err


def test_a_price_that_changes_for_the_same_model_is_written_and_told(house: House) -> None:
    house.write_policy(CHEAP, "openrouter")
    house.applied()
    rows: list[Any] = house.sim.rows("openrouter")
    for one in rows:
        if one["id"] == "z-ai/glm-5.2":
            one["pricing"] = {"prompt": "0.00009", "completion": "0.0001"}
    house.sim.set_rows("openrouter", rows)
    ran = house.applied()
    assert "$90.00/M" in ran.out
    info = house.entries()["openrouter/z-ai/glm-5.2"]["model_info"]
    assert info["input_cost_per_token"] == pytest.approx(0.00009)


def test_a_young_model_is_held_until_it_is_old_enough(house: House) -> None:
    house.write_policy(CHEAP + "guards: {min_age: 7d}\n", "openrouter")
    house.applied()
    also(house, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-5.3", canonical_slug="z-ai/glm-5.3-x",
         created=1795132800)  # fmt: skip
    ran = house.applied()
    assert "openrouter/z-ai/glm-5.3" not in house.names()
    assert "held" in ran.err
    house.later(8)
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.3"


def test_where_no_date_is_given_the_first_sight_counts(house: House) -> None:
    policy = 'allow:\n  - {match: "gemini-3.*-flash", from: [gemini]}\nguards: {min_age: 2d}\n'
    house.write_policy(policy, "gemini")
    house.applied()
    first = house.names()
    assert first, "on the first sight of a provider all are old enough"
    rows: list[Any] = house.sim.rows("gemini")
    new = {**next(r for r in rows if r["name"] == "models/gemini-3.7-flash")}
    house.sim.set_rows("gemini", [*rows, {**new, "name": "models/gemini-3.9-flash"}])
    house.later(1)
    house.applied()
    assert house.names() == first
    house.later(4)
    house.applied()
    assert "gemini/gemini-3.9-flash" in house.names()
