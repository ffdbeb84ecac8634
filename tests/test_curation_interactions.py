"""Curation where several things happen at once: outages and edits, names that move, lost state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.faults import Fault
from tests.test_curation import ALIASES, CHEAP, RULES, THREE, also, dearer, leaves, row, without

if TYPE_CHECKING:
    from tests.house import House

SONNET = "anthropic/claude-sonnet-5"


@pytest.fixture
def curated(house: House) -> House:
    """A first apply has been made."""
    house.write_policy(RULES + ALIASES, *THREE)
    house.applied()
    return house


def written_by_hand(house: House, name: str, model: str) -> None:
    """The user adds an entry of their own."""
    entry = f"model_list:\n  - model_name: {name}\n    litellm_params: {{model: {model}}}\n"
    text = house.config.read_text(encoding="utf-8").replace("model_list:\n", entry, 1)
    house.config.write_text(text, encoding="utf-8")


def all_names(house: House) -> list[str]:
    """Every model_name in the file, with repeats."""
    return [entry["model_name"] for entry in house.data()["model_list"]]


# The user's own lines appear later


@pytest.mark.parametrize("away", [False, True])
def test_an_own_entry_of_a_managed_name_wins_at_once_even_in_an_outage(
    curated: House, away: bool
) -> None:
    written_by_hand(curated, "xai/grok-4.3", "openai/other")
    if away:
        curated.sim.fault("xai", Fault.SERVER_ERROR)
    ran = curated.applied()
    assert all_names(curated).count("xai/grok-4.3") == 1
    assert "xai/grok-4.3" not in curated.names()
    assert "your own entry" in ran.text
    assert "Nothing to change" in curated.applied().out


def test_an_alias_may_lead_to_the_same_model_written_by_hand(curated: House) -> None:
    written_by_hand(curated, SONNET, SONNET)
    curated.applied()
    assert curated.aliases()["claude"] == SONNET
    assert all_names(curated).count(SONNET) == 1


def test_an_own_alias_of_a_managed_alias_wins(curated: House) -> None:
    text = curated.config.read_text(encoding="utf-8")
    marker = "  model_group_alias:\n"
    assert marker in text
    mine = text.replace(marker, f"{marker}    claude: my-local-model   # mine\n", 1)
    curated.config.write_text(mine, encoding="utf-8")
    ran = curated.applied()
    assert curated.aliases() == {"claude": "my-local-model"}
    assert "your own lines give that name" in ran.err


def test_own_fallbacks_of_an_alias_win(house: House) -> None:
    policy = RULES + "aliases: {claude: {family: claude-sonnet, fallbacks: [xai/grok-4.6]}}\n"
    house.write_policy(policy, *THREE)
    house.applied()
    assert house.data()["router_settings"]["fallbacks"] == [{"claude": ["xai/grok-4.6"]}]
    text = house.config.read_text(encoding="utf-8")
    mine = text.replace("  fallbacks:\n", '  fallbacks:\n    - claude: ["my-local-model"]\n', 1)
    house.config.write_text(mine, encoding="utf-8")
    house.applied()
    assert house.data()["router_settings"]["fallbacks"] == [{"claude": ["my-local-model"]}]


def test_replace_takes_over_the_names_of_hand_written_entries_in_one_run(house: House) -> None:
    written_by_hand(house, "xai/grok-4.3", "openai/other")
    house.write_policy(RULES + ALIASES + "model_list: replace\n", *THREE)
    before = house.config.read_bytes()
    ran = house.run("apply")
    assert ran.code == 3
    assert "takes out what you wrote by hand: 2 entries and 0 aliases" in ran.err
    assert house.config.read_bytes() == before
    house.applied("--force")
    assert all_names(house).count("xai/grok-4.3") == 1
    assert "xai/grok-4.3" in house.names()
    assert "my-local-model" not in all_names(house)
    assert "Nothing to change" in house.applied().out


# Names that move

TWO_NAMES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {match: "claude-sonnet-*", from: [anthropic]}
aliases: {}
"""


def test_a_name_that_another_rule_takes_from_a_model_stays_through_its_grace(house: House) -> None:
    house.write_policy(TWO_NAMES, *THREE)
    house.applied()
    assert "claude-sonnet-5" in house.names()
    also(house, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    ran = house.applied()
    assert {"claude-sonnet-5-1", "anthropic/claude-sonnet-5"} <= set(house.names())
    assert leaves(house, "claude-sonnet-5") == "2026-12-04"
    assert leaves(house, "anthropic/claude-sonnet-5") is None
    assert "another rule has the model now" in ran.out
    assert "Nothing to change" in house.applied().out
    house.later(14)
    house.applied()
    assert "claude-sonnet-5" not in house.names()
    assert "anthropic/claude-sonnet-5" in house.names()


def test_a_changed_naming_changes_every_name_at_once_and_aliases_follow(curated: House) -> None:
    before = len(curated.names())
    naming = 'naming: "{provider}-{id:dashed}"\n'
    curated.write_policy(RULES + ALIASES + naming, *THREE)
    curated.applied()
    assert len(curated.names()) == before
    assert curated.aliases()["claude"] == "anthropic-claude-sonnet-5"
    assert "xai/grok-4.3" not in curated.names()


@pytest.mark.parametrize("state", ["kept", "lost"])
def test_rules_that_are_reordered_rename_at_once_while_we_remember(
    house: House, state: str
) -> None:
    house.write_policy(TWO_NAMES, *THREE)
    house.applied()
    first, second = (line for line in TWO_NAMES.splitlines() if line.startswith("  - "))
    swapped = TWO_NAMES.replace(first, "#").replace(second, f"{second}\n{first}")
    house.write_policy(swapped, *THREE)
    house.applied(*(["--state-dir", "fresh"] if state == "lost" else []))
    assert "anthropic/claude-sonnet-5" in house.names()
    assert ("claude-sonnet-5" in house.names()) is (state == "lost"), "a grace costs nothing"


FIXED = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: claude}
  - {match: "grok-4*", from: [xai]}
aliases: {}
"""


def test_a_fixed_name_goes_to_the_newer_model_and_says_so(house: House) -> None:
    house.write_policy(FIXED, *THREE)
    house.applied()
    also(house, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    ran = house.applied()
    entry = house.entries()["claude"]
    assert entry["litellm_params"]["model"] == "anthropic/claude-sonnet-5-1"
    assert "leaves" not in entry["model_info"]
    assert all_names(house).count("claude") == 1
    assert "newest 1 of claude-sonnet" in ran.out
    assert "Nothing to change" in house.applied().out


@pytest.mark.parametrize(
    ("edited", "said"),
    [
        (
            FIXED.replace(", name: claude", "").replace(
                "aliases: {}", "aliases: {claude: {family: claude-sonnet}}"
            ),
            "alias 'claude' is left out",
        ),
        (FIXED.replace("from: [anthropic]", "from: [openrouter]"), "claude: still anthropic/"),
    ],
)
def test_a_name_edited_while_its_provider_is_away_waits_and_stops_nothing(
    house: House, edited: str, said: str
) -> None:
    house.write_policy(FIXED, *THREE)
    house.applied()
    house.sim.fault("anthropic", Fault.SERVER_ERROR)
    without(house, "xai", "grok-4.3")
    house.write_policy(edited, *THREE)
    ran = house.applied()
    assert said in ran.err
    assert house.entries()["claude"]["litellm_params"]["model"] == "anthropic/claude-sonnet-5"
    assert leaves(house, "xai/grok-4.3") is not None, "the rest went on"
    house.sim.heal()
    house.applied()
    if "alias" in said:
        assert house.aliases() == {"claude": "anthropic/claude-sonnet-5"}
        assert "claude" not in house.names()
    else:
        model = house.entries()["claude"]["litellm_params"]["model"]
        assert model == "openrouter/anthropic/claude-sonnet-5"


def test_a_policy_that_no_longer_works_does_not_stop_the_one_that_mends_it(house: House) -> None:
    twins = "allow: [{family: claude-sonnet, from: [anthropic], name: x}]\naliases: {}\n"
    rows: list[Any] = house.sim.rows("anthropic")
    house.sim.set_rows("anthropic", [one for one in rows if one["id"] == "claude-sonnet-5"])
    house.write_policy(twins, "anthropic")
    house.applied()
    house.sim.set_rows("anthropic", rows)
    assert house.run("apply").code == 1, "two models would be called x"
    mended = "allow: [{family: claude-haiku, from: [anthropic]}]\naliases: {}\n"
    house.write_policy(mended, "anthropic")
    house.applied()
    assert "x" not in house.names()


# Holds


def held(house: House) -> House:
    """An alias held back from a model twice as dear."""
    house.write_policy(CHEAP, "openrouter")
    house.applied()
    dearer(house, 2.0)
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"
    return house


def test_accepting_by_the_aliass_name_lets_this_move_through_and_no_later_one(
    house: House,
) -> None:
    held(house).applied("--accept", "glm")
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-6"
    like = row(house, "openrouter", "z-ai/glm-6")["pricing"]
    price = {key: str(float(like[key]) * 3) for key in ("prompt", "completion")}
    also(house, "openrouter", "z-ai/glm-6", id="z-ai/glm-7", canonical_slug="glm-7-x",
         pricing=price)  # fmt: skip
    ran = house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-6"
    assert "held: glm" in ran.err


def test_accepting_a_name_that_is_nothing_says_so(house: House) -> None:
    ran = held(house).applied("--accept", "glm-66")
    assert "--accept glm-66: no model and no alias is called that" in ran.err


def test_a_held_alias_whose_target_is_withdrawn_moves_when_its_grace_is_over(
    house: House,
) -> None:
    without(held(house), "openrouter", "z-ai/glm-5.2")
    house.later(1)
    ran = house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"
    assert "openrouter no longer lists it" in ran.err
    assert "moves to openrouter/z-ai/glm-6 all the same" in ran.err
    house.sim.fault("openrouter", Fault.SERVER_ERROR)
    house.later(6)
    house.run("apply")
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2", "an outage moves nothing"
    house.sim.heal()
    ran = house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-6"
    assert "openrouter/z-ai/glm-5.2" not in house.names()
    assert "although the price rises" in ran.err


def test_a_held_alias_stays_in_an_outage_even_where_others_could_serve_it(house: House) -> None:
    policy = CHEAP.replace("from: [openrouter], ", "").replace(
        "glm: {family: glm}", "glm: {family: [glm, grok], from: [openrouter, xai]}"
    )
    rules = policy.replace("allow:\n", "allow:\n  - {family: grok, from: [xai], newest: 1}\n")
    house.write_policy(rules, "openrouter", "xai")
    house.applied()
    dearer(house, 2.0)
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"
    house.sim.fault("openrouter", Fault.SERVER_ERROR)
    house.applied()
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"


def test_openrouters_price_stands_in_also_when_openrouter_is_away(house: House) -> None:
    policy = """
allow:
  - {family: [claude-haiku, claude-opus], from: [anthropic], newest: 1}
aliases:
  claude: {family: [claude-haiku, claude-opus]}
"""
    rows: list[Any] = house.sim.rows("anthropic")
    haiku = [one for one in rows if one["id"].startswith("claude-haiku")]
    house.sim.set_rows("anthropic", haiku)
    house.write_policy(policy, "anthropic", "openrouter")
    house.applied()
    assert house.aliases()["claude"].startswith("anthropic/claude-haiku")
    house.sim.set_rows("anthropic", rows)
    house.sim.fault("openrouter", Fault.SERVER_ERROR)
    ran = house.applied()
    assert "held: claude" in ran.err
    assert "OpenRouter's price for anthropic/claude-opus-5" in ran.err
    info = house.entries()["anthropic/claude-opus-5"]["model_info"]
    assert not [key for key in info if "cost" in key], "another's price is never written"


# Time


def test_a_clock_that_once_stood_in_the_future_keeps_nothing_for_years(curated: House) -> None:
    without(curated, "xai", "grok-4.3")
    curated.later(2000)
    curated.applied()
    curated.later(1)
    curated.applied()
    assert leaves(curated, "xai/grok-4.3") == "2026-11-24"


def test_a_shorter_grace_counts_for_those_already_leaving(curated: House) -> None:
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    curated.applied()
    curated.write_policy(RULES + ALIASES + "grace: {superseded: 1d}\n", *THREE)
    curated.later(2)
    curated.applied()
    curated.later(4)
    curated.applied()
    assert "anthropic/claude-sonnet-5" not in curated.names()


def test_a_superseded_model_that_is_withdrawn_too_goes_sooner(curated: House) -> None:
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    curated.applied()
    without(curated, "anthropic", "claude-sonnet-5")
    curated.later(1)
    curated.applied()
    assert leaves(curated, "anthropic/claude-sonnet-5") == "2026-11-24"


def test_a_superseded_model_that_is_the_newest_again_stays(curated: House) -> None:
    before = curated.config.read_bytes()
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    curated.applied()
    without(curated, "anthropic", "claude-sonnet-5-1")
    curated.applied("--state-dir", "fresh")
    assert curated.aliases()["claude"] == SONNET
    assert leaves(curated, SONNET) is None
    curated.later(3)
    curated.applied()
    assert curated.config.read_bytes() == before


def test_the_reason_names_the_rule_and_the_newer_one(curated: House) -> None:
    also(curated, "xai", "grok-4.6", id="grok-4.7")
    also(curated, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-6", canonical_slug="z-ai/glm-6-x")
    plan = curated.run("plan", "--json").json()
    reasons = {change["name"]: change["reason"] for change in plan["changes"]}
    assert "superseded by z-ai/glm-6 (rule 4: newest 1)" in (reasons["openrouter/z-ai/glm-5.2"])


def test_the_free_offer_that_is_left_is_no_rename_of_the_paid_one(curated: House) -> None:
    slug = row(curated, "openrouter", "z-ai/glm-5.2")["canonical_slug"]
    free = {"prompt": "0", "completion": "0"}
    also(curated, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-5.2:free", canonical_slug=slug,
         pricing=free)  # fmt: skip
    curated.applied()
    without(curated, "openrouter", "z-ai/glm-5.2")
    ran = curated.applied()
    assert "openrouter no longer lists it" in ran.out
    entry = curated.entries()["openrouter/z-ai/glm-5.2"]
    assert entry["litellm_params"]["model"] == "openrouter/z-ai/glm-5.2"


def test_a_rename_is_still_told_at_the_next_run_and_with_a_newer_one(curated: House) -> None:
    slug = row(curated, "openrouter", "z-ai/glm-5.2")["canonical_slug"]
    also(curated, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-5.2-new", canonical_slug=slug)
    also(curated, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-6", canonical_slug="glm-6-x")
    without(curated, "openrouter", "z-ai/glm-5.2")
    curated.applied()
    before = curated.config.read_bytes()
    assert curated.aliases()["claude"] == SONNET
    assert "openrouter/z-ai/glm-6" in curated.names()
    for state in ("kept", "lost"):
        curated.later(1)
        curated.applied(*(("--state-dir", "fresh") if state == "lost" else ()))
        assert curated.config.read_bytes() == before
    entry = curated.entries()["openrouter/z-ai/glm-5.2"]
    assert entry["litellm_params"]["model"] == "openrouter/z-ai/glm-5.2-new"


# State lost, config restored


def test_a_config_from_an_old_backup_catches_up_and_comes_to_rest(curated: House) -> None:
    old = curated.config.read_bytes()
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    without(curated, "xai", "grok-4.3")
    curated.applied()
    curated.later(20)
    curated.applied()
    current = curated.config.read_bytes()
    curated.config.write_bytes(old)
    curated.applied()
    assert curated.aliases()["claude"] == "anthropic/claude-sonnet-5-1"
    assert leaves(curated, "xai/grok-4.3") == "2026-12-13"
    assert leaves(curated, SONNET) == "2026-12-24"
    curated.later(40)
    curated.applied()
    assert curated.config.read_bytes() == current


def test_every_run_with_its_own_state_folder_gives_the_same_file(house: House) -> None:
    def story(*state: str) -> list[bytes]:
        house.sim.set_rows("anthropic", rows)
        house.later(0)
        house.config.write_text("model_list: []\n", encoding="utf-8")
        files = []
        for day, newer in ((0, None), (1, "claude-sonnet-5-1"), (8, "claude-sonnet-5-2"), (30, "")):
            house.later(day)
            if newer:
                also(house, "anthropic", "claude-sonnet-5", id=newer)
            house.applied(*(("--state-dir", f"state-{day}") if state else ()))
            files.append(house.config.read_bytes())
        return files

    rows = house.sim.rows("anthropic")
    house.write_policy(RULES + ALIASES, *THREE)
    assert story() == story("lost")


# Keys and modes


def test_dropping_for_a_missing_key_spares_keys_that_litellm_gets_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write_policy(RULES + ALIASES + "missing_key: drop\n", *THREE)
    house.applied()
    monkeypatch.delenv("XAI_API_KEY")
    text = house.config.read_text(encoding="utf-8")
    elsewhere = text + "environment_variables:\n  XAI_API_KEY: abc\n"
    house.config.write_text(elsewhere, encoding="utf-8")
    house.applied()
    assert "xai/grok-4.3" in house.names()
    house.config.write_text(text, encoding="utf-8")
    house.applied()
    assert "xai/grok-4.3" not in house.names()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    ran = house.run("apply")
    assert ran.code == 3, "the alias would lead nowhere"
    assert "claude" in house.aliases()


def test_without_its_key_a_provider_keeps_leaving_entries_and_aliases(
    curated: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    curated.applied()
    before = curated.config.read_bytes()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    curated.later(60)
    curated.applied()
    assert curated.config.read_bytes() == before


MIXED = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1}
  - {family: claude-haiku, newest: 1}
  - {family: claude-sonnet, from: [openrouter], newest: 1}
  - {family: glm, newest: 1}
  - {match: "grok-4*", from: [xai]}
aliases:
  claude: {family: claude-sonnet, from: [anthropic, openrouter], fallbacks: [fb]}
  fb: {family: claude-sonnet, from: [openrouter], fallbacks: [grok]}
  grok: {family: grok, fallbacks: [glm]}
  glm: {family: glm}
"""


@pytest.mark.parametrize(
    "partial", [("--mode", "subagents"), ("--provider", "openrouter"), ("--provider", "xai")]
)
def test_a_partial_run_changes_nothing_of_a_full_one(house: House, partial: tuple[str]) -> None:
    house.write_policy(MIXED, *THREE)
    house.applied()
    before = house.config.read_bytes()
    house.later(30)
    house.applied(*partial)
    assert house.config.read_bytes() == before
    also(house, "openrouter", "anthropic/claude-sonnet-5", id="anthropic/claude-sonnet-5.1",
         canonical_slug="c-x")  # fmt: skip
    house.applied(*partial)
    moved = "openrouter" in partial or "subagents" in partial
    assert ("openrouter/anthropic/claude-sonnet-5.1" in house.names()) is moved
    assert house.aliases()["claude"] == SONNET
    assert house.aliases()["glm"] == "openrouter/z-ai/glm-5.2"


def test_mode_legacy_leaves_others_alone_and_refuses_to_break_their_aliases(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_BASE", house.sim.url("openrouter"))
    house.write_policy(MIXED.replace("  glm: {family: glm}\n", "").replace("[glm]", "[fb]"), *THREE)
    house.applied()
    fallbacks = house.data()["router_settings"]["fallbacks"]
    direct = {name: row for name, row in house.entries().items() if "openrouter/" not in name}
    house.applied("--mode", "legacy")
    assert direct.items() <= house.entries().items()
    routed = [name for name in house.names() if name.startswith("openrouter/")]
    assert all(name.startswith("openrouter/anthropic/") for name in routed)
    assert house.aliases()["claude"] == SONNET
    assert house.aliases()["claude-fallback"] == "openrouter/anthropic/claude-sonnet-5"
    assert house.data()["router_settings"]["fallbacks"] == fallbacks
    assert "Nothing to change" in house.applied("--mode", "legacy").out
    house.write_policy(MIXED, *THREE)
    house.applied()
    ran = house.run("apply", "--mode", "legacy")
    assert ran.code == 3
    assert "'glm' leads to openrouter/z-ai/glm-5.2, which mode legacy takes out" in ran.err


# Guards


def test_withdrawn_models_that_newer_ones_replaced_do_not_count(house: House) -> None:
    policy = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1}
  - {family: claude-haiku, from: [anthropic], newest: 1}
  - {family: claude-opus, from: [anthropic], newest: 1}
aliases: {}
"""
    house.write_policy(policy, "anthropic")
    house.applied()
    old = [name.partition("/")[2] for name in house.names()]
    for model_id in old:
        also(house, "anthropic", model_id, id=f"{model_id.split('-')[0]}-"
             f"{model_id.split('-')[1]}-9")  # fmt: skip
    without(house, "anthropic", *old)
    house.applied()
    assert all(leaves(house, f"anthropic/{model_id}") == "2026-11-23" for model_id in old)


def test_a_list_cut_short_is_refused_though_older_versions_take_over(house: House) -> None:
    policy = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1}
  - {family: claude-opus, from: [anthropic], newest: 1}
  - {family: claude-haiku, from: [anthropic], newest: 1}
aliases: {}
"""
    house.write_policy(policy, "anthropic")
    house.applied()
    without(house, "anthropic", *(name.partition("/")[2] for name in house.names()))
    ran = house.run("apply")
    assert ran.code == 3
    assert "max_withdrawn" in ran.err


def test_entries_in_grace_do_not_count_towards_max_models(house: House) -> None:
    house.write_policy(RULES + ALIASES + "guards: {max_models: 8}\n", *THREE)
    house.applied()
    also(house, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    house.applied()
    house.sim.fault("anthropic", Fault.SERVER_ERROR)
    house.applied()


def test_a_renamed_provider_takes_its_entries_along(house: House) -> None:
    rows = house.sim.provider_policy("xai")
    rule = 'allow: [{{match: "grok-4.*", from: [{0}]}}]\naliases: {{grok: {{family: grok}}}}\n'
    house.write_policy(rule.format("xai"), "xai")
    house.applied()
    url = rows["xai"]["base_url"]
    mine = f"providers: {{mine: {{type: xai, key_env: XAI_API_KEY, base_url: {url}}}}}\n"
    house.policy.write_text(mine + rule.format("mine"), encoding="utf-8")
    ran = house.applied()
    assert house.names()
    assert all(name.startswith("mine/") for name in house.names())
    assert house.aliases()["grok"] == "mine/grok-4.6"
    assert "xai is no longer among the policy's providers" in ran.out
