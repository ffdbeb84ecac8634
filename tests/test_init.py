"""init: a first policy that keeps current what the config has, and says what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import parse
from rollcall.plan.proposal import Proposal, propose
from rollcall.policy.file import load_policy
from rollcall.policy.starter import proposed_text, shipped_policy
from rollcall.providers.answers import stored_answer
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.registry import resolve_provider
from tests.corpus import FOLDERS, ROOT, needs_catalogs
from tests.gateway import Gateway, Reply
from tests.policy_making import model

if TYPE_CHECKING:
    from rollcall.catalog.model import Model
    from tests.gateway import Gateway, Reply
from tests.house import House

CONFIGS = sorted((ROOT / "configs").glob("*.y*ml")) if (ROOT / "configs").is_dir() else []


def proposal_text(found: Proposal) -> str:
    """The policy of a proposal."""
    return proposed_text(found.providers, found.rules, found.silent)


def rules(config: str, *listed: Model) -> Any:
    """The proposal for a config, and its rules, over the models its providers list."""
    catalogs: dict[str, list[Model]] | None = None
    for row in listed:
        catalogs = catalogs or {}
        catalogs.setdefault(row.provider, []).append(row)
    found = propose(parse(config.encode()), {}, catalogs)
    written = load_policy(proposal_text(found), "policy.yaml") if found.rules else None
    assert written is None or len(written.allow) == len(found.rules) - sum(
        rule["from"][0] in found.silent for rule, _ in found.rules
    )
    return found, [rule for rule, _ in found.rules]


def entries(*lines: str) -> str:
    """A config whose entries are these `name = model` or flow mappings."""
    rows = []
    for line in lines:
        name, _, rest = line.partition(" = ")
        called, _, more = rest.partition(" ")
        rows.append(f"- {{model_name: {name}, litellm_params: {{model: {called}{more}}}}}\n")
    return "model_list:\n" + "".join(rows)


def test_entries_of_one_family_are_one_rule_that_keeps_as_many() -> None:
    found, rows = rules(
        entries(
            "claude-sonnet-4-5-20250929 = anthropic/claude-sonnet-4-5-20250929",
            "claude-sonnet-4-20250514 = anthropic/claude-sonnet-4-20250514",
            "gpt-5 = openai/gpt-5",
        )
    )
    assert rows == [
        {"family": "claude-sonnet", "from": ["anthropic"], "newest": 2, "name": "{id}"},
        {"family": "gpt", "from": ["openai"], "newest": 1, "name": "{id}"},
    ]
    assert (found.covered, found.total) == (3, 3)


def test_a_name_without_a_version_stays_and_a_promised_version_stays_itself() -> None:
    _, rows = rules(
        entries("sonnet = anthropic/claude-sonnet-4-5", "gpt-5-fast-lane = openai/gpt-5-mini")
    )
    assert rows[0] == {
        "family": "claude-sonnet", "from": ["anthropic"], "newest": 1, "name": "sonnet",
    }  # fmt: skip
    assert rows[1] == {"match": "gpt-5-mini", "from": ["openai"], "name": "gpt-5-fast-lane"}


def test_what_an_entry_says_is_taken_along() -> None:
    _, rows = rules(
        "model_list:\n"
        "- model_name: sonnet\n"
        "  litellm_params:\n"
        "    model: openrouter/anthropic/claude-sonnet-4.5\n"
        "    api_key: os.environ/TEAM_KEY\n"
        "    rpm: 100\n"
        "  model_info: {access_groups: [a]}\n"
        "- model_name: kimi\n"
        "  litellm_params: {model: openrouter/moonshotai/kimi-k2.5}\n"
    )
    assert rows[0]["params"] == {"rpm": 100}
    assert rows[0]["model_info"] == {"access_groups": ["a"]}
    assert rows[0]["family"] == "claude-sonnet"
    assert rows[1]["family"] == "kimi"


def test_a_key_of_ones_own_is_kept_by_the_provider_or_the_rule() -> None:
    one, _ = rules(entries("a = openai/gpt-5 , api_key: os.environ/TEAM_KEY"))
    assert one.providers == {"openai": {"key_env": "TEAM_KEY"}}
    two, rows = rules(
        entries(
            "a = openai/gpt-5 , api_key: os.environ/TEAM_KEY",
            "b = openai/gpt-5-mini , api_key: os.environ/OPENAI_API_KEY",
        )
    )
    assert two.providers == {"openai": {}}
    assert [row.get("key_env") for row in rows] == ["TEAM_KEY", None]


def test_where_every_entry_has_its_own_key_one_that_is_set_asks() -> None:
    """Nobody sets the usual variable there: without it, the provider could never be asked."""
    config = entries(
        "ann-gpt = openai/gpt-5, api_key: os.environ/ANN_KEY",
        "bob-gpt = openai/gpt-5, api_key: os.environ/BOB_KEY",
    )

    def keys(environ: dict[str, str], text: str = config) -> tuple[object, list[object]]:
        found = propose(parse(text.encode()), environ, None)
        fields = found.providers["openai"]
        return fields.get("key_env"), [rule.get("key_env") for rule, _ in found.rules]

    assert keys({"BOB_KEY": "k"}) == ("BOB_KEY", ["ANN_KEY", None])
    assert keys({}) == ("ANN_KEY", [None, "BOB_KEY"])
    assert keys({"BOB_KEY": "k", "OPENAI_API_KEY": "k"}) == (None, ["ANN_KEY", "BOB_KEY"])
    usual = "- {model_name: gpt, litellm_params: {model: openai/gpt-5}}\n"
    assert keys({"BOB_KEY": "k"}, config + usual)[0] is None


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("a = azure/gpt-4o", "Azure"),
        ("a = bedrock/anthropic.claude-3", "Bedrock"),
        ("a = us.anthropic.claude-3-5-sonnet-20241022-v2:0", "Bedrock"),
        ("a = vertex_ai/gemini-2.5-pro", "Vertex"),
        ("a = openai/*", "wildcard"),
        ("a = os.environ/MODEL", "variable"),
        ("a = openai/gpt-5 , api_base: os.environ/BASE", "its address comes from a variable, BASE"),
        ("a = openai/gpt-5 , api_key: sk-0123456789abcdef", "written out"),
        ("a = nowhere/gpt-5", "knows no list of nowhere"),
    ],
)
def test_what_no_list_names_is_left_alone_with_the_reason(entry: str, why: str) -> None:
    found, rows = rules(entries(entry, "b = openai/gpt-5"))
    assert len(rows) == 1
    (row,) = found.left_alone
    assert (row.name, row.line) == ("a", 2)
    assert why in row.why


def test_deployments_of_one_name_are_left_alone() -> None:
    found, rows = rules(entries("a = openai/gpt-5", "a = anthropic/claude-sonnet-5"))
    assert rows == []
    assert [row.why for row in found.left_alone] == ["one of 2 deployments of that name"] * 2


def test_an_own_server_is_offered_as_a_provider_with_its_address() -> None:
    config = entries(
        "a = openai/llama-3.3-70b , api_base: http://10.0.0.5:8000/v1, api_key: os.environ/LAB",
        "b = ollama/qwen3:8b , api_base: http://10.0.0.6:11434",
    )
    found, _ = rules(config)
    assert found.providers["10-0-0-5-8000"] == {
        "type": "openai", "base_url": "http://10.0.0.5:8000/v1", "key_env": "LAB",
        "litellm_prefix": "openai",
    }  # fmt: skip
    assert found.providers["10-0-0-6-11434"]["type"] == "ollama"
    silent, _ = rules(config + entries("c = openai/gpt-5")[12:], model("openai/gpt-5"))
    assert silent.silent == {"10-0-0-5-8000", "10-0-0-6-11434"}
    assert "  # - {" in proposal_text(silent)


@pytest.mark.parametrize("entry", ["ollama/llama3.3", "ollama_chat/llama3.3", "lm_studio/qwen3"])
def test_a_local_server_that_needs_no_key_gets_no_key_to_need(entry: str) -> None:
    found, _ = rules(entries(f"a = {entry}"))
    (fields,) = found.providers.values()
    assert not fields.get("key_env")


def test_a_dead_entry_is_named_and_its_family_goes_on() -> None:
    found, rows = rules(
        entries(
            "sonnet = anthropic/claude-3-5-sonnet-20240620", "gone = anthropic/claude-instant-1"
        ),
        model("anthropic/claude-sonnet-5"),
    )
    assert [(row.name, row.line) for row in found.dead] == [("sonnet", 2), ("gone", 3)]
    assert rows == [
        {"family": "claude-sonnet", "from": ["anthropic"], "newest": 1, "name": "sonnet"}
    ]
    assert [row.name for row in found.left_alone] == ["gone"]


def test_a_snapshot_beside_its_bare_name_is_kept_by_its_very_id() -> None:
    _, rows = rules(
        entries("a = openai/gpt-4o-2024-08-06"),
        *(model(f"openai/{name}") for name in ("gpt-4o", "gpt-4o-2024-08-06")),
    )
    assert rows == [{"match": "gpt-4o-2024-08-06", "from": ["openai"], "name": "a"}]


def test_the_policy_teaches_and_editors_know_it(house: House) -> None:
    house.config.write_text(entries("sonnet = anthropic/claude-sonnet-5"), encoding="utf-8")
    ran = house.run("init", "--offline")
    assert ran.code == 0, ran.text
    text = house.policy.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=")
    for word in ("guards: {trial: aliases}", "# grace:", "# naming:", "aliases:"):
        assert word in text


def test_where_both_exist_claude_falls_back(house: House) -> None:
    house.config.unlink()
    assert house.run("init").code == 0
    aliases = yaml.safe_load(house.policy.read_text(encoding="utf-8"))["aliases"]
    assert aliases["claude"]["fallbacks"] == ["claude-fallback"]


@pytest.mark.parametrize("name", [row.name for row in BUILTIN.values() if not row.key_optional])
def test_one_key_of_any_provider_is_enough_to_start(house: House, name: str) -> None:
    house.config.unlink()
    for variable in house.sim.environ():
        house.monkeypatch.delenv(variable)
    house.monkeypatch.setenv(BUILTIN[name].key_env[0], house.sim.key(name))
    assert house.run("init").code == 0
    policy = yaml.safe_load(house.policy.read_text(encoding="utf-8"))
    assert list(policy["providers"]) == [name]
    policy["providers"] = house.sim.provider_policy(name)
    house.policy.write_text(yaml.safe_dump(policy), encoding="utf-8")
    house.applied()
    rules = [rule["from"] for rule in policy["allow"]]
    assert rules, "proposed"
    assert len(house.entries()) >= len(rules), "each of them finds a model"


def test_full_writes_the_policy_that_ships(house: House) -> None:
    assert house.run("init", "--full").code == 0
    assert house.policy.read_text(encoding="utf-8") == shipped_policy()


def test_init_then_plan_adds_only_what_is_newer(house: House) -> None:
    """The person's entries stand; nothing else of theirs is touched."""
    house.config.write_text(
        entries("sonnet = anthropic/claude-sonnet-5", "grok = xai/grok-4.5"), encoding="utf-8"
    )
    monkey = house.monkeypatch
    for name, url in (("ANTHROPIC_BASE_URL", "anthropic"), ("XAI_API_BASE", "xai")):
        monkey.setenv(name, house.sim.url(url))
    before = house.config.read_bytes()
    assert house.run("init").code == 0
    plan = house.run("plan", "--json").json()
    assert [change for change in plan["changes"] if change["kind"] != "add"] == []
    assert house.config.read_bytes() == before


@needs_catalogs
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_real_config_is_read_and_nothing_of_it_is_lost(path: Any) -> None:
    """Each entry is kept by a rule or named as left alone; rules take along all it says."""
    try:
        document = parse(path.read_bytes())
    except ConfigRefused:
        pytest.skip("no LiteLLM config")
    found = propose(document, {}, real_catalogs())
    if found.rules:
        load_policy(proposal_text(found), "policy.yaml")
    named = [name for _, names in found.rules for name in names]
    named += [row.name for row in found.left_alone]
    assert sorted(named) == sorted(str(row.get("model_name")) for row in document.own_entries)
    assert found.covered + len(found.left_alone) == found.total


def real_catalogs() -> dict[str, Any]:
    """What the providers really listed in August 2026."""
    found = {}
    for folder, name in FOLDERS.items():
        path = next(iter(sorted((ROOT / "catalogs" / folder).glob("2026-08-1*.json"))[-1:]), None)
        if path is not None:
            provider = resolve_provider(name, environ={})
            found[name] = stored_answer(provider, [path.read_bytes()]).models
    return {name: models for name, models in found.items() if models}


@pytest.mark.parametrize("offline", [(), ("--offline",)])
def test_a_config_of_which_nothing_can_be_kept_gains_nothing(
    house: House, offline: tuple[str, ...]
) -> None:
    """The starter's rules stand there as comments: what they admit the person did not have."""
    house.config.write_text(
        entries("a = azure/gpt-4o", "b = anthropic/claude-instant-1"), encoding="utf-8"
    )
    house.monkeypatch.setenv("ANTHROPIC_BASE_URL", house.sim.url("anthropic"))
    ran = house.run("init", *offline)
    assert ran.code == 0, ran.text
    assert "Your config.yaml has 2 entries" in ran.out
    plan = house.run("plan", "--json")
    assert plan.code == 0, plan.text
    assert [row["name"] for row in plan.json()["changes"] if row["name"] != "b"] == []
    assert offline or "# - {family:" in house.policy.read_text(encoding="utf-8")


def test_a_list_that_is_not_whole_withdraws_nothing(house: House) -> None:
    house.config.write_text(
        "model_list:\n- model_name: gpt-9\n  litellm_params:\n"
        "    {model: openai/gpt-9, api_key: os.environ/OPENAI_API_KEY}\n",
        encoding="utf-8",
    )
    with Gateway(lambda _: Reply({"data": [{"id": "o3"}], "has_more": True})) as gateway:
        house.monkeypatch.setenv("OPENAI_BASE_URL", gateway.root)
        ran = house.run("init")
        assert gateway.asked
    assert "1 entry: 1 kept by rules" in ran.out
    assert "no longer lists" not in ran.text
