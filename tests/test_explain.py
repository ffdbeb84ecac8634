"""explain: one model or alias walked through every stage, over real lists where there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.corpus import captures, needs_catalogs
from tests.simulator.catalogs import MAIN
from tests.simulator.faults import Fault
from tests.test_curation import CHEAP, also, dearer, without
from tests.test_replay import SHIPPED

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {match: "grok-4.*", from: [xai], newest: 2}
  - {family: glm, from: [openrouter], newest: 1}
aliases:
  claude: {family: claude-sonnet, from: [anthropic, openrouter]}
  ghost: {family: claude-opus}
deny: ["*:free"]
"""


@pytest.fixture
def curated(house: House) -> House:
    """A first apply has been made."""
    house.write_policy(RULES, "anthropic", "xai", "openrouter")
    house.applied()
    return house


def stages(house: House, name: str, kind: str = "model") -> dict[str, dict[str, Any]]:
    """The stages of the one explanation there is, by title."""
    ran = house.run("explain", name, "--json")
    assert ran.code == 0, ran.text
    found = [row for row in ran.json() if row["kind"] == kind]
    assert len(found) == 1, found
    return {stage["title"]: stage for stage in found[0]["stages"]}


def said(stage: dict[str, Any]) -> str:
    """A stage's lines as one text."""
    return "\n".join(stage["lines"])


def test_an_admitted_model_with_every_field_and_its_source(curated: House) -> None:
    found = stages(curated, "claude-sonnet-5")
    assert [stage["verdict"] for stage in found.values()] == [
        "ok", "info", "info", "info", "ok", "ok", "ok",
    ]  # fmt: skip
    assert (
        "input price: $2.00 per 1M tokens   [OpenRouter's anthropic/claude-sonnet-5]"
        in (found["what other lists say"]["lines"])
    )
    assert "anthropic (ok, asked 2026-11-20T12:00:00Z) lists it" in said(found["found"])
    assert "first seen: in our first look" in said(found["found"])
    assert "last seen: 2026-11-20" in said(found["found"])
    fields = said(found["what the provider says"])
    assert "display name: Claude Sonnet 5   [display_name]" in fields
    assert "context: 1000000   [max_input_tokens]" in fields
    assert "input price: not said" in fields
    assert "family claude-sonnet" in said(found["how the id is read"])
    assert "[pass] rule 1: newest 1 of claude-sonnet" in said(found["the policy"])
    assert "[stop] rule 2: asks only xai" in said(found["the policy"])
    assert "OpenRouter's price for anthropic/claude-sonnet-5" in said(found["guards"])
    place = said(found["config.yaml"])
    assert "in the config as claude-sonnet-5" in place
    assert "aliases on it: claude" in place


@pytest.mark.parametrize(
    "name", ["anthropic/claude-sonnet-5", "claude-sonnet-5", "rollcall-is-not-a-name"]
)
def test_a_model_is_found_by_name_and_by_provider_and_id(curated: House, name: str) -> None:
    ran = curated.run("explain", name)
    assert (ran.code == 0) is name.endswith("sonnet-5")


def test_a_superseded_model_names_what_stands_before_it_and_what_admits_it(
    curated: House,
) -> None:
    found = stages(curated, "openrouter/z-ai/glm-5")
    policy = said(found["the policy"])
    assert found["the policy"]["verdict"] == "stop"
    assert "[stop] rule 3: newest 1: z-ai/glm-5.2 stands before it" in policy
    assert "to admit it: a larger `newest` in rule 3" in policy
    assert 'to admit it: a rule of its own: {match: "z-ai/glm-5", from: [openrouter]}' in policy


def test_a_leaving_model_says_when_it_leaves_and_why(curated: House) -> None:
    also(curated, "anthropic", "claude-sonnet-5", id="claude-sonnet-5-1")
    curated.applied()
    place = said(stages(curated, "claude-sonnet-5")["config.yaml"])
    assert "leaves on 2026-12-04" in place
    assert "superseded by claude-sonnet-5-1 (rule 1: newest 1)" in place


def test_a_withdrawn_model_still_in_the_config_is_told_from_its_entry(curated: House) -> None:
    without(curated, "xai", "grok-4.5")
    curated.later(1)
    curated.applied()
    found = stages(curated, "xai/grok-4.5")
    assert "xai (ok, asked 2026-11-21T12:00:00Z) does not list it" in said(found["found"])
    assert "last seen: 2026-11-20" in said(found["found"])
    assert "context: 500000" in said(found["what its entry says"])
    assert "xai no longer lists it; stays until 2026-11-24" in said(found["config.yaml"])


def test_a_model_that_is_gone_altogether_is_remembered(curated: House) -> None:
    without(curated, "xai", "grok-4.5")
    curated.applied()
    curated.later(5)
    curated.applied()
    assert "xai/grok-4.5" not in curated.names()
    found = stages(curated, "grok-4.5")
    assert "last seen: 2026-11-20" in said(found["found"])
    assert "to admit it: xai has to list it again" in said(found["the policy"])


def test_a_denied_model_names_the_pattern(curated: House) -> None:
    also(curated, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-5.2:free")
    curated.applied()
    policy = said(stages(curated, "openrouter/z-ai/glm-5.2:free")["the policy"])
    assert "[stop] before the rules: denied by '*:free'" in policy
    assert "to admit it: take the pattern out of `deny`" in policy


def test_a_retired_model_says_that_nothing_admits_it(curated: House) -> None:
    also(curated, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-7", expiration_date="2026-11-01")
    curated.applied()
    found = stages(curated, "openrouter/z-ai/glm-7")
    assert "announced end: 2026-11-01   [expiration_date]" in (
        said(found["what the provider says"])
    )
    assert "it ended on 2026-11-01" in said(found["the policy"])
    assert "nothing does: its provider has retired it" in said(found["the policy"])


def test_a_young_model_is_held_and_says_how_to_accept_it(house: House) -> None:
    house.write_policy(CHEAP + "guards: {min_age: 7d}\n", "openrouter")
    house.applied()
    also(house, "openrouter", "z-ai/glm-5.2", id="z-ai/glm-5.3", canonical_slug="x",
         created=1795132800)  # fmt: skip
    house.applied()
    found = stages(house, "openrouter/z-ai/glm-5.3")
    assert found["guards"]["verdict"] == "stop"
    assert "min_age is 7 days" in said(found["guards"])
    assert "to accept: rollcall apply --accept openrouter/z-ai/glm-5.3" in said(found["guards"])


def test_an_alias_lists_its_candidates_in_order_and_why_they_lost(curated: House) -> None:
    found = stages(curated, "claude", "alias")
    assert "leads to claude-sonnet-5 now" in said(found["alias"])
    assert found["candidates, in order"]["lines"] == [
        "claude-sonnet-5: newest claude-sonnet from anthropic"
    ]
    assert "it stays where it is" in said(found["guards"])
    assert "a rise of more than 50% is held" in said(found["guards"])


def test_an_alias_that_finds_nothing_says_so(curated: House) -> None:
    found = stages(curated, "ghost", "alias")
    assert found["alias"]["verdict"] == "stop"
    assert "nothing admitted fits claude-opus" in said(found["alias"])


def test_a_held_alias_tells_both_prices_and_how_to_accept(house: House) -> None:
    house.write_policy(CHEAP, "openrouter")
    house.applied()
    dearer(house, 2.0)
    house.applied()
    found = stages(house, "glm", "alias")
    assert found["candidates, in order"]["lines"] == [
        "openrouter/z-ai/glm-5.2: where it is; the next one is held",
        "openrouter/z-ai/glm-6: the only glm",
    ]
    assert "the price rises 100%, from $1.55/M to $3.10/M" in said(found["guards"])
    assert "to accept: rollcall apply --accept openrouter/z-ai/glm-6" in said(found["guards"])
    model = stages(house, "openrouter/z-ai/glm-6")
    assert "held: glm: " in said(model["guards"])


def test_hand_written_entries_and_aliases(curated: House) -> None:
    text = curated.config.read_text(encoding="utf-8")
    aliases = "    fast: my-local-model\n    mine: claude-sonnet-5\n"
    own = text.replace("  model_group_alias:\n", f"  model_group_alias:\n{aliases}")
    curated.config.write_text(own, encoding="utf-8")
    entry = stages(curated, "my-local-model", "entry")
    assert "rollcall never touches it" in said(entry["config.yaml"])
    assert "it calls ollama/llama3.3" in said(entry["config.yaml"])
    assert "aliases on it: fast" in said(entry["config.yaml"])
    alias = stages(curated, "fast", "alias")
    assert "leads to my-local-model" in said(alias["config.yaml"])
    managed = stages(curated, "claude-sonnet-5")
    assert "aliases on it: mine, claude" in said(managed["config.yaml"])


def test_a_name_that_is_nowhere_gets_the_nearest_and_a_rule(curated: House) -> None:
    curated.sim.fault("xai", Fault.SERVER_ERROR)
    curated.applied()
    ran = curated.run("explain", "claude-sonet-5")
    assert ran.code == 1
    assert "Nearest: claude-sonnet-5" in ran.err
    assert "{family: claude-sonnet, newest: 1}" in ran.err
    other = curated.run("explain", "xai/grok-9").err
    assert "{family: grok, from: [xai], newest: 1}" in other
    assert '{match: "no-such", from: [xai]}' in curated.run("explain", "xai/no-such").err


def test_a_provider_without_key_says_how_to_get_one(
    curated: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XAI_API_KEY")
    found = stages(curated, "xai/grok-4.6")
    assert "xai (no_key): set XAI_API_KEY" in said(found["found"])
    assert "kept as it is: xai no_key" in said(found["config.yaml"])


def test_without_a_key_openrouters_public_list_is_shown_and_admits_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write_policy(CHEAP, "openrouter", "xai")
    monkeypatch.delenv("OPENROUTER_API_KEY")
    house.applied()
    found = stages(house, "openrouter/z-ai/glm-5.2")
    assert "openrouter (no_key, asked" in said(found["found"])
    assert "lists it" in said(found["found"])
    assert found["the policy"]["verdict"] == "stop"
    assert "openrouter has to answer first (no_key)" in said(found["the policy"])
    house.applied("--offline")
    assert house.names() == []


REAL = {
    "claude-sonnet-5": "admitted as claude-sonnet-5 (rule 1: newest 2 of claude-sonnet)",
    "openrouter/z-ai/glm-5.2": "newest 1: z-ai/glm-5.3 stands before it",
    "openrouter/anthropic/claude-sonnet-5:batch": "denied by '*:batch'",
    "openai/o3-deep-research": "announced end: 2026-07-23",
    "openrouter/~anthropic/claude-sonnet-latest": "points at: anthropic/claude-sonnet-5",
    "xai/grok-4.3": "newest 2: grok-4.6, grok-4.5 stand before it",
    "text-embedding-3-large": "kind: embedding",
    "kimi": "where it is; the next one is held",
    "cheap": "wants tools; this one: not said",
    "openrouter/moonshotai/kimi-k2.6": "stays while a held alias leads to it",
    "my-local-model": "hand-written",
}
"""Name -> what its explanation must hold, with the shipped policy in August 2026."""


@needs_catalogs
def test_real_cases_with_the_shipped_policy(house: House) -> None:
    text = SHIPPED
    for name in MAIN:
        text = text.replace(f"  {name}: {{}}", f"  {name}: {{base_url: {house.sim.url(name)}}}")
        house.sim.set_rows(name, [])
    house.policy.write_text(text, encoding="utf-8")
    for stop in ("2026-06-28", "2026-07-25", "2026-08-01", "2026-09-26"):
        for capture in captures():
            if str(capture.day) <= stop:
                house.sim.set_rows(capture.provider, capture.rows)
                last = capture.day
        house.on(last)
        house.applied()
    for name, line in REAL.items():
        ran = house.run("explain", name)
        assert ran.code == 0, ran.text
        assert line in ran.out, f"{name}\n{ran.out}"


def test_it_only_reads_so_what_stops_a_write_does_not_stop_it(curated: House) -> None:
    """A managed entry that lost its markers is refused by plan; explain has no need of them."""
    ours = "litellm_params: {model: openai/x}, model_info: {managed_by: rollcall}"
    stray = f"  - {{model_name: lost, {ours}}}\n"
    text = curated.config.read_text(encoding="utf-8")
    curated.config.write_text(text.replace("model_list:\n", f"model_list:\n{stray}", 1), "utf-8")
    assert curated.run("plan").code == 1
    ran = curated.run("explain", "claude-sonnet-5")
    assert ran.code == 0, ran.text
    assert "admitted as" in ran.out


def test_a_policy_without_rules_names_nothing(house: House) -> None:
    static = "providers: {s: {type: static, models: [claude-haiku-4-5]}}"
    house.policy.write_text(f"version: 1\n{static}\nallow: []\n", encoding="utf-8")
    [row] = [row for row in house.run("models", "--json").json() if row["provider"] == "s"]
    assert (row["in_config"], row["reason"]) == (False, "no rule names it")
    stage = stages(house, "s/claude-haiku-4-5")["the policy"]
    assert said(stage) == (
        "[pass] before the rules: not denied\n"
        'to admit it: a rule of its own: {match: "claude-haiku-4-5", from: [s]}'
    )
