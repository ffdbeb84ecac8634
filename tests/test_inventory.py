"""models: every model known, in the config or not, ready or not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.test_curation import also, without

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {match: "grok-4.*", from: [xai], newest: 1}
aliases: {claude: {family: claude-sonnet}}
deny: ["grok-4.3"]
"""


@pytest.fixture
def curated(house: House) -> House:
    """A first apply has been made."""
    house.write_policy(RULES, "anthropic", "xai", "openrouter")
    house.applied()
    return house


def rows(house: House, *args: str) -> dict[str, Any]:
    """The rows by `provider/id`."""
    ran = house.run("models", "--json", *args)
    assert ran.code == 0, ran.text
    return {f"{row['provider']}/{row['id']}": row for row in ran.json()}


def test_what_is_in_the_config_and_what_is_not_each_with_its_reason(curated: House) -> None:
    found = rows(curated)
    sonnet = found["anthropic/claude-sonnet-5"]
    assert sonnet["name"] == "claude-sonnet-5"
    assert sonnet["in_config"] is sonnet["ready"] is True
    assert sonnet["aliases"] == ["claude"]
    assert sonnet["input_price"] == 2.0
    assert sonnet["borrowed"]["price"] == "openrouter/anthropic/claude-sonnet-5"
    assert sonnet["reason"] == "rule 1: newest 1 of claude-sonnet"
    older = found["anthropic/claude-sonnet-4-6"]
    assert older["in_config"] is older["ready"] is False
    assert "claude-sonnet-5 stands before it" in older["reason"]
    assert found["xai/grok-4.3"]["reason"] == "denied by 'grok-4.3'"
    assert found["xai/grok-4.6"]["input_price"] == 2.0
    assert "price" not in found["xai/grok-4.6"]["borrowed"], "xAI states its own"
    assert found["ollama/llama3.3"]["reason"] == "hand-written"


MANY = """
allow:
  - {family: claude-opus, from: [anthropic], newest: 1}
  - {match: "grok-*", from: [xai], where: {context: ">= 100000000"}}
  - {match: "grok-4.*", from: [xai], newest: 1}
  - {match: "grok-*", from: [xai], stage: preview}
  - {match: "*haiku*", from: [anthropic]}
deny: ["*fast*"]
"""


def test_a_model_is_out_for_the_reason_that_mattered(house: House) -> None:
    """Rules that do not ask its provider, or stop it earlier, are not what keeps it out."""
    house.write_policy(MANY, "anthropic", "xai", "openrouter")
    house.applied()
    found = rows(house)
    older = found["xai/grok-4.3"]
    assert older["reason"] == "rule 3: newest 1: grok-4.6 stands before it"
    assert older["needs"] == "a larger `newest` in rule 3"
    sonnet = found["anthropic/claude-sonnet-5"]
    assert sonnet["reason"] == "no rule names it"
    assert sonnet["needs"] == 'a rule of its own: {match: "claude-sonnet-5", from: [anthropic]}'
    assert found["openrouter/openai/gpt-5.5"]["reason"] == "no rule names it"
    assert found["xai/grok-4.6"]["needs"] == ""


def test_a_model_that_only_an_apply_keeps_out_says_so(house: House) -> None:
    house.write_policy("allow: [{match: 'grok-4.6', from: [xai]}]", "xai")
    house.applied()
    house.write_policy("allow: [{match: 'grok-4.*', from: [xai]}]", "xai")
    row = rows(house)["xai/grok-4.3"]
    assert row["in_config"] is False
    assert row["reason"] == "rule 1 admits it; not written yet: run rollcall apply"
    assert row["needs"] == ""


def test_a_model_whose_name_an_entry_of_the_user_has_says_so(house: House) -> None:
    rule = "allow: [{match: 'grok-4.6', from: [xai], name: my-local-model}]"
    house.write_policy(rule, "xai")
    house.applied()
    reason = rows(house)["xai/grok-4.6"]["reason"]
    assert reason == "rule 1 admits it, but my-local-model is an entry or alias of your own"


def test_a_leaving_one_says_when(curated: House) -> None:
    without(curated, "xai", "grok-4.6")
    curated.applied()
    leaving = rows(curated)["xai/grok-4.6"]
    assert leaving["reason"] == "leaves on 2026-11-23"
    assert leaving["leaves"] == "2026-11-23"
    assert leaving["leaves_because"] == "xai no longer lists it"


def test_a_retired_one_says_its_last_day(house: House) -> None:
    house.write_policy("allow: [{match: 'z-ai/*', from: [openrouter]}]", "openrouter")
    also(house, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-0", expiration_date="2026-11-01")
    house.applied()
    retired = rows(house)["openrouter/z-ai/glm-0"]
    assert retired["ends"] == "2026-11-01"
    assert retired["reason"] == "rule 1: it ended on 2026-11-01"
    assert retired["needs"] == "nothing does: its provider has retired it"


def test_a_missing_key_keeps_models_away_and_names_the_variable(
    curated: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XAI_API_KEY")
    found = rows(curated)["xai/grok-4.6"]
    assert found["in_config"] is True
    assert found["ready"] is False
    assert found["key_env"] == "XAI_API_KEY"
    assert found["key_url"].startswith("https://")
    assert "set XAI_API_KEY" in found["reason"]


def test_openrouters_rows_stand_in_for_a_provider_never_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XAI_API_KEY")
    house.write_policy(RULES, "anthropic", "xai", "openrouter")
    house.applied()
    shown = [row for row in house.run("models", "--json").json() if row["provider"] == "xai"]
    assert shown
    assert all(not row["ready"] and "shown as openrouter lists it" in row["reason"]
               for row in shown)  # fmt: skip


def test_families_stand_newest_first_with_what_is_in_the_config_marked(curated: House) -> None:
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-6-preview")
    curated.applied()
    lines = curated.run("models", "--families", "--provider", "anthropic").out.splitlines()
    start = lines.index("anthropic: claude-sonnet") + 1
    family = [(line[2], line.split()[-1]) for line in lines[start : start + 4]]
    assert family == [
        (" ", "claude-sonnet-6-preview"),
        ("*", "claude-sonnet-5"),
        (" ", "claude-sonnet-4-6"),
        (" ", "claude-sonnet-4-5-20250929"),
    ]
