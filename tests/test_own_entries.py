"""Entries, aliases and fallbacks a person keeps by hand: looked at, told of, never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {match: "grok-4.*", from: [xai], newest: 1}
aliases:
  claude: {family: claude-sonnet}
grace: {superseded: 14d}
"""
DEAD = """\
model_list:
  - model_name: old
    litellm_params: {model: anthropic/claude-2.1}
  - model_name: mine
    litellm_params: {model: anthropic/claude-sonnet-5}
"""


@pytest.fixture
def furnished(house: House) -> House:
    house.write_policy(RULES, "anthropic", "xai")
    return house


class TestDead:
    def test_an_entry_whose_model_is_gone_is_said_with_its_line(self, furnished: House) -> None:
        furnished.config.write_text(DEAD, encoding="utf-8")
        warnings = furnished.run("plan", "--json").json()["warnings"]
        assert "your entry old (line 2): anthropic no longer lists claude-2.1" in warnings
        assert not any("your entry mine" in line for line in warnings)

    def test_entries_of_one_dead_model_share_one_note(self, furnished: House) -> None:
        furnished.config.write_text(
            DEAD + "  - model_name: older\n    litellm_params: {model: anthropic/claude-2.1}\n",
            encoding="utf-8",
        )
        warnings = furnished.run("plan", "--json").json()["warnings"]
        assert [line for line in warnings if "claude-2.1" in line] == [
            "your entries old (line 2), older (line 6): anthropic no longer lists claude-2.1"
        ]

    def test_doctor_and_explain_say_it_with_the_line(self, furnished: House) -> None:
        """doctor as far as an earlier run heard of it: it asks nobody."""
        furnished.config.write_text(DEAD, encoding="utf-8")
        assert "no longer lists" not in furnished.run("doctor").out
        furnished.applied()
        rows = furnished.run("doctor", "--json").json()
        [row] = [row for row in rows if row["code"] == "dead_entry"]
        assert (row["level"], row["where"]) == ("error", "config.yaml:2")
        assert row["what"].startswith("old: anthropic no longer lists claude-2.1")
        told = furnished.run("explain", "old").out
        assert "hand-written, on line 2" in told
        assert "anthropic no longer lists claude-2.1" in told
        assert "no longer lists" not in furnished.run("explain", "mine").out

    def test_a_model_that_names_no_provider_is_its_makers(self, furnished: House) -> None:
        """LiteLLM tells whose it is by the name."""
        furnished.config.write_text(DEAD.replace("anthropic/", ""), encoding="utf-8")
        warnings = furnished.run("plan", "--json").json()["warnings"]
        assert "your entry old (line 2): anthropic no longer lists claude-2.1" in warnings
        assert not any("your entry mine" in line for line in warnings)

    def test_models_and_explain_say_it_too(self, furnished: House) -> None:
        furnished.config.write_text(DEAD, encoding="utf-8")
        furnished.applied()
        rows = {row["name"]: row for row in furnished.run("models", "--json").json()}
        assert rows["old"]["ready"] is False
        assert "no longer lists claude-2.1" in rows["old"]["reason"]
        assert rows["mine"]["ready"] is True
        assert rows["mine"]["family"] == "claude-sonnet"

    @pytest.mark.parametrize(
        "entry",
        [
            "{model: anthropic/claude-2.1, api_base: https://gate.internal}",
            "{model: azure/gpt-4}",
            "{model: anthropic/text-embedding-1}",
            '{model: "anthropic/*"}',
        ],
    )
    def test_what_the_list_cannot_tell_is_not_called_dead(
        self, furnished: House, entry: str
    ) -> None:
        furnished.config.write_text(
            f"model_list:\n- {{model_name: a, litellm_params: {entry}}}\n", encoding="utf-8"
        )
        warnings = furnished.run("plan", "--json").json()["warnings"]
        assert not any("your entr" in line for line in warnings)


@pytest.mark.parametrize(
    ("params", "missing"),
    [
        (
            "{model: azure/gpt-4, api_key: os.environ/AZ_KEY, api_base: os.environ/AZ_BASE}",
            "AZ_KEY",
        ),
        ("{model: bedrock/claude, aws_access_key_id: os.environ/AWS_ID}", "AWS_ID"),
        ("{model: groq/llama-3.3-70b}", "GROQ_API_KEY"),
        ("{model: anthropic/claude-sonnet-5, api_key: os.environ/TEAM_KEY}", None),
        ("{model: ollama_chat/llama3}", None),
    ],
)
def test_ready_takes_an_entrys_own_variables_into_account(
    furnished: House, params: str, missing: str | None
) -> None:
    """LiteLLM takes the provider's usual key where the named one is unset."""
    furnished.config.write_text(
        f"model_list:\n- {{model_name: a, litellm_params: {params}}}\n", encoding="utf-8"
    )
    furnished.applied()
    (row,) = [one for one in furnished.run("models", "--json").json() if one["name"] == "a"]
    assert row["ready"] is (missing is None)
    assert missing is None or missing in row["reason"]


OWN_LINES = {
    "alias coder": "router_settings:\n  model_group_alias: {coder: claude-sonnet-4-6}\n",
    "alias shy": (
        "router_settings:\n  model_group_alias: {shy: {model: claude-sonnet-4-6, hidden: true}}\n"
    ),
    "fallbacks of a": "router_settings:\n  fallbacks: [{a: [claude-sonnet-4-6]}]\n",
    "context_window_fallbacks of a": (
        "litellm_settings:\n  context_window_fallbacks: [{a: [claude-sonnet-4-6]}]\n"
    ),
    "content_policy_fallbacks of a": (
        "litellm_settings:\n  content_policy_fallbacks: [{a: [claude-sonnet-4-6]}]\n"
    ),
    "default_fallbacks": "litellm_settings:\n  default_fallbacks: [claude-sonnet-4-6]\n",
    "public_model_groups": "litellm_settings:\n  public_model_groups: [claude-sonnet-4-6]\n",
    "background_health_check_model_groups": (
        "general_settings:\n  background_health_check_model_groups: [claude-sonnet-4-6]\n"
    ),
    "SIMPLE": (
        "model_list:\n- model_name: auto\n  litellm_params:\n    model: auto_router/complexity\n"
        "    complexity_router_config: {tiers: {SIMPLE: claude-sonnet-4-6}}\n"
    ),
}


def without_the_newest(house: House) -> None:
    rows: Any = house.sim.rows("anthropic")
    rows = [row for row in rows if row["id"] != "claude-sonnet-5"]
    house.sim.set_rows("anthropic", rows)


@pytest.mark.parametrize("what", OWN_LINES)
def test_a_target_that_leaves_is_said_from_the_first_day_and_stays_while_it_is_named(
    furnished: House, what: str
) -> None:
    everything = furnished.sim.rows("anthropic")
    without_the_newest(furnished)
    furnished.config.write_text(OWN_LINES[what], encoding="utf-8")
    furnished.applied()
    assert "claude-sonnet-4-6" in furnished.names()
    furnished.sim.set_rows("anthropic", everything)
    furnished.later(1)
    ran = furnished.applied()
    assert f"your {what} (line " in ran.text
    assert "leads to claude-sonnet-4-6, which leaves on 2026-12-05" in ran.text
    assert "point it at the alias claude" in ran.text
    furnished.later(60)
    ran = furnished.applied()
    assert "which has left" in ran.text
    assert "claude-sonnet-4-6" in furnished.names(), "somebody's calls would be 400"
    before = furnished.config.read_bytes()
    furnished.applied()
    assert furnished.config.read_bytes() == before

    furnished.config.write_bytes(before.replace(b"claude-sonnet-4-6]", b"claude]"))
    text = furnished.config.read_text(encoding="utf-8")
    own = OWN_LINES[what].replace("claude-sonnet-4-6", "claude")
    furnished.config.write_text(text.replace(OWN_LINES[what], own), encoding="utf-8")
    if "coder" in text or "shy" in text or "SIMPLE" in text:
        return
    furnished.applied()
    assert "claude-sonnet-4-6" not in furnished.names()


def test_a_policy_that_takes_a_named_target_away_says_so(furnished: House) -> None:
    furnished.config.write_text(OWN_LINES["alias coder"].replace("4-6", "5"), encoding="utf-8")
    furnished.applied()
    furnished.write_policy(RULES + 'deny: ["claude-*"]\n', "anthropic", "xai")
    warnings = furnished.run("plan", "--json").json()["warnings"]
    assert any("your alias coder" in line and "denied" in line for line in warnings)


def test_a_family_alias_considers_what_is_written_by_hand(furnished: House) -> None:
    """Read by the model it calls."""
    without_the_newest(furnished)
    furnished.config.write_text(
        "model_list:\n- model_name: next\n  litellm_params: {model: azure/claude-sonnet-9}\n"
        "- model_name: newest\n  litellm_params: {model: anthropic/claude-sonnet-4-6}\n",
        encoding="utf-8",
    )
    furnished.write_policy(
        'allow: [{match: "grok-4.*", from: [xai], newest: 1}]\n'
        "aliases: {claude: {family: claude-sonnet}}\n",
        "anthropic",
        "xai",
    )
    furnished.applied()
    assert furnished.aliases()["claude"] == "newest"


@pytest.mark.parametrize("where", ["config.yaml", "more.yaml"])
def test_an_alias_named_like_an_id_of_ones_own_is_left_out(furnished: House, where: str) -> None:
    """LiteLLM takes a name for a model_info.id first: such an alias would never be followed."""
    row = "- {model_name: m, litellm_params: {model: openai/x}, model_info: {id: claude}}\n"
    furnished.config.write_text("include: [more.yaml]\nmodel_list: []\n", encoding="utf-8")
    (furnished.folder / "more.yaml").write_text("model_list: []\n", encoding="utf-8")
    path = furnished.folder / where
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("model_list: []\n", f"model_list:\n{row}"), encoding="utf-8")
    ran = furnished.applied()
    assert "alias 'claude' is left out: an entry of yours has it as its model_info.id" in ran.text
    assert "claude" not in furnished.aliases()
    assert furnished.names()


def test_an_alias_whose_name_a_new_model_takes_stops_no_run(furnished: House) -> None:
    rules = RULES.replace("aliases:\n", "aliases:\n  claude-sonnet-5: {family: grok}\n")
    furnished.write_policy(rules, "anthropic", "xai")
    ran = furnished.applied()
    assert "alias 'claude-sonnet-5' is left out: anthropic/claude-sonnet-5 is called" in ran.text
    assert set(furnished.aliases()) == {"claude"}
    assert "claude-sonnet-5" in furnished.names()
