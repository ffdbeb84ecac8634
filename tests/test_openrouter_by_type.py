"""What is OpenRouter is told by what it speaks, whatever the policy calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rollcall.providers.builtin import is_openrouter
from tests.policy_making import admit, ids, load, model

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [router], newest: 1}
  - {match: "grok-4.6", from: [xai]}
"""


@pytest.fixture
def renamed(house: House) -> House:
    """OpenRouter under a name of the user's own, beside xAI and Anthropic."""
    rows = house.sim.provider_policy("openrouter", "xai", "anthropic")
    rows["router"] = {"type": "openrouter", "key_env": "OPENROUTER_API_KEY", **rows["openrouter"]}
    del rows["openrouter"]
    write(house, rows, RULES)
    return house


def write(house: House, providers: Any, rules: str) -> None:
    head: dict[str, Any] = {
        "defaults": {"timeout": "30s", "deadline": "60s"},
        "providers": providers,
    }
    house.policy.write_text(yaml.safe_dump(head) + rules, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("openrouter", None, True),
        ("router", "openrouter", True),
        ("openrouter", "openai", False),
        ("openai", None, False),
        ("nobody", None, False),
    ],
)
def test_by_name_or_type(name: str, type_: str | None, *, expected: bool) -> None:
    assert is_openrouter(name, type_) is expected


def test_mode_subagents_asks_it(renamed: House) -> None:
    ran = renamed.applied("--mode", "subagents")
    assert renamed.names() == ["router/anthropic/claude-sonnet-5"]
    assert "xai" in ran.text


def test_its_suffixes_are_variants() -> None:
    rows = [model("router/z-ai/glm-5:brandnew"), model("router/z-ai/glm-5")]
    text = "providers: {router: {type: openrouter}}\nallow: [{match: 'z-ai/*'}]"
    assert ids(admit(text, rows)) == ["router/z-ai/glm-5"]


def test_the_derived_claude_fallback_goes_through_it(renamed: House) -> None:
    renamed.applied()
    assert renamed.aliases()["claude-fallback"] == "router/anthropic/claude-sonnet-5"


def test_its_prices_are_compared_with(renamed: House) -> None:
    rows: list[Any] = renamed.sim.rows("openrouter")
    for row in rows:
        if row["id"] == "anthropic/claude-sonnet-5":
            price = float(row["pricing"]["prompt"]) * 1e6
    write(
        renamed,
        yaml.safe_load(renamed.policy.read_text(encoding="utf-8"))["providers"],
        "allow: [{family: claude-sonnet, from: [anthropic], newest: 1}]\naliases: {}\n",
    )
    planned = renamed.run("plan").text
    assert f"${price:.2f}" in planned, planned
    renamed.applied()
    assert (
        "OpenRouter's price for anthropic/claude-sonnet-5"
        in renamed.run("explain", "anthropic/claude-sonnet-5").out
    )


def test_its_rows_show_what_a_missing_key_keeps_away(
    renamed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    rows = yaml.safe_load(renamed.policy.read_text(encoding="utf-8"))["providers"]
    rows["direct"] = {"type": "anthropic", "key_env": "NO_SUCH_KEY"}
    del rows["anthropic"]
    write(renamed, rows, RULES)
    renamed.applied()
    shown = [row for row in renamed.run("models", "--json").json() if row["provider"] == "direct"]
    assert shown
    assert all("shown as router lists it" in row["reason"] for row in shown)


def test_a_policy_knows_which_of_its_providers_are_it() -> None:
    text = "providers: {openrouter: {}, eu: {type: openrouter}, openai: {}}\nallow: []"
    assert load(text).openrouters == ("openrouter", "eu")
