"""Gateways as providers, from reply to config.yaml: partial lists, LiteLLM's proxy, no list."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.gateway import Asked, Gateway, Reply
from tests.house import House

HEAD = """
version: 1
defaults: {{timeout: 30s, deadline: 60s}}
providers:
  gate: {{type: {kind}, base_url: "{base}", key_env: GATE_KEY{more}}}
"""


def policy(
    house: House, gateway: Gateway, rules: str, kind: str = "openai", more: str = ""
) -> None:
    """A policy that asks the gateway only."""
    house.monkeypatch.setenv("GATE_KEY", "gate-key-0123456789")
    head = HEAD.format(kind=kind, base=f"{gateway.root}/v1", more=more)
    house.policy.write_text(head + rules, encoding="utf-8")


ALL = 'allow: [{match: "*", from: [gate]}]\naliases: {}\n'
NEWEST = "allow: [{family: storm, from: [gate], newest: 1}]\naliases: {best: {family: storm}}\n"


class Pages:
    """A list in two pages; the second one can be kept from us."""

    def __init__(self, first: list[str], second: list[str]) -> None:
        self.first, self.second = first, second
        self.broken = False

    def __call__(self, asked: Asked) -> Reply:
        if "page" not in asked.query:
            rows = [{"id": one} for one in self.first]
            link = '</v1/models?page=2>; rel="next"'
            return Reply({"data": rows}, headers={"link": link})
        if self.broken:
            return Reply({"error": "no such page"}, status=400)
        return Reply({"data": [{"id": one} for one in self.second]})


def test_a_partial_list_withdraws_nothing_adds_what_it_holds_and_says_so(house: House) -> None:
    pages = Pages(["acme-1"], ["acme-2", "acme-3", "acme-4", "acme-5"])
    with Gateway(pages) as gateway:
        policy(house, gateway, ALL)
        house.applied()
        before = house.entries()
        assert len(before) == 5
        pages.broken, pages.first = True, ["acme-1", "acme-9"]
        planned = house.run("plan", "--json").json()
        assert [change["kind"] for change in planned["changes"]] == ["add"]
        assert planned["refused"] == []
        (line,) = planned["providers"]
        assert (line["verdict"], line["models"]) == ("ok", 2)
        assert "only a part of its list: page 2: HTTP 400" in line["detail"]
        ran = house.applied()
        assert "only a part of its list" in ran.text
        assert house.entries() == before | {"gate/acme-9": house.entries()["gate/acme-9"]}
        assert "nothing to change" in house.applied().text.lower()
        house.later(30)
        assert house.names() == list(house.entries())
        assert len(house.entries()) == 6, "no grace ran out"
        offline = house.applied("--offline")
        assert len(house.entries()) == 6, offline.text
        pages.broken = False
        pages.second = pages.second[:3]
        house.applied()
        leaving = [name for name, row in house.entries().items() if "leaves" in row["model_info"]]
        assert leaving == ["gate/acme-5"], "once the list is whole again it counts"


def test_what_a_partial_list_lacks_keeps_its_place_and_its_alias(house: House) -> None:
    pages = Pages(["storm-1"], ["storm-2"])
    with Gateway(pages) as gateway:
        policy(house, gateway, NEWEST)
        house.applied()
        assert (house.names(), house.aliases()["best"]) == (["gate/storm-2"], "gate/storm-2")
        pages.broken = True
        text = house.config.read_bytes()
        assert "nothing to change" in house.applied().text.lower()
        assert house.config.read_bytes() == text, "storm-1 is not newest only because 2 is unseen"
        pages.first = ["storm-1", "storm-3"]
        house.applied()
        assert house.aliases()["best"] == "gate/storm-3"
        deny = NEWEST + 'deny: ["storm-2"]\n'
        policy(house, gateway, deny)
        house.applied()
        assert "gate/storm-2" not in house.names(), "what the policy denies goes all the same"


LITELLM = {"object": "model", "created": 1677610602, "owned_by": "openai"}


def test_a_litellm_proxy_lists_models_of_many_makers(house: House) -> None:
    rows = [
        {"id": "claude-sonnet-5", "mode": "chat", "max_input_tokens": 1_000_000, **LITELLM},
        {"id": "claude-sonnet-4-6", "mode": "chat", "max_input_tokens": 1_000_000, **LITELLM},
        {"id": "text-vectors-9", "mode": "embedding", **LITELLM},
        {"id": "painter-9", "mode": "image_generation", **LITELLM},
        {"id": "gpt-5.5", "mode": "responses", **LITELLM},
    ]
    with Gateway(lambda _: Reply({"data": rows})) as gateway:
        rules = 'allow: [{family: claude-sonnet, newest: 1}, {match: "*"}]\n'
        policy(house, gateway, rules)
        ran = house.applied()
    assert house.names() == [
        "gate/claude-sonnet-5",
        "gate/claude-sonnet-4-6",
        "gate/gpt-5.5",
    ], ran.text
    info = house.entries()["gate/claude-sonnet-5"]["model_info"]
    assert info["max_input_tokens"] == 1_000_000
    assert "mode" not in info


def test_the_time_of_asking_neither_holds_a_model_nor_lets_an_old_one_in(house: House) -> None:
    """llama.cpp gives now as `created`: its models are as old as our first sight of them."""

    def now(_: Asked) -> Reply:
        row = {"id": "storm-2", "created": int(time.time()), "owned_by": "acme"}
        return Reply({"data": [row]})

    with Gateway(now) as gateway:
        policy(house, gateway, ALL + "guards: {min_age: 3d}\n")
        house.applied()
        assert house.names() == ["gate/storm-2"]
        policy(house, gateway, 'allow: [{match: "*", max_age: 30d}]\n')
        assert "gate/storm-2" not in [
            row["name"]
            for row in house.run("plan", "--json").json()["blocks"]["models"]
            if "name" in row
        ]


@pytest.mark.parametrize(("more", "cost"), [("", None), (", price_unit: 1M", 3e-8)])
def test_the_policys_price_unit(house: House, more: str, cost: float | None) -> None:
    row = {"id": "storm-2", "pricing": {"prompt": 0.03, "completion": 0.06}}
    with Gateway(lambda _: Reply({"data": [row]})) as gateway:
        policy(house, gateway, ALL, more=more)
        ran = house.applied()
    info = house.entries()["gate/storm-2"]["model_info"]
    assert info.get("input_cost_per_token") == cost
    assert ("their unit is not clear" in ran.text) is (cost is None)


def test_a_provider_without_a_list(house: House) -> None:
    house.policy.write_text(
        """
version: 1
providers:
  azure:
    type: static
    base_url: https://acme.openai.azure.example
    key_env: AZURE_API_KEY
    models:
      - gpt-5.5
      - {id: gpt-5.6, context: 400000, input_price: 1.25, output_price: 10, capabilities: [tools]}
      - text-embedding-3-small
  bedrock: {type: static, models: ["anthropic.claude-sonnet-5-v1:0"]}
allow:
  - {family: gpt, from: [azure], newest: 1}
  - {family: claude-sonnet}
  - {match: "*", from: [azure], where: {tools: true}}
aliases: {best: {family: gpt}, claude: {family: claude-sonnet}}
""",
        encoding="utf-8",
    )
    house.monkeypatch.setenv("AZURE_API_KEY", "azure-key-0123456789")
    house.sim.requests.clear()
    ran = house.applied()
    assert house.names() == ["azure/gpt-5.6", "bedrock/anthropic.claude-sonnet-5-v1:0"], ran.text
    entry: Any = house.entries()["azure/gpt-5.6"]
    assert entry["litellm_params"] == {
        "model": "azure/gpt-5.6",
        "api_key": "os.environ/AZURE_API_KEY",
        "api_base": "https://acme.openai.azure.example",
    }
    assert entry["model_info"]["input_cost_per_token"] == 1.25e-6
    assert house.aliases() == {
        "best": "azure/gpt-5.6",
        "claude": "bedrock/anthropic.claude-sonnet-5-v1:0",
    }
    assert "accepted at" not in house.run("doctor").text, "nobody was asked with its key"
    assert "[the policy's `models`]" in house.run("explain", "azure/gpt-5.6").text
    text = house.config.read_bytes()
    assert "nothing to change" in house.applied("--offline").text.lower()
    house.monkeypatch.delenv("AZURE_API_KEY")
    house.applied()
    assert house.config.read_bytes() == text, "without its key it gains and loses nothing"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{type: static}", "type static needs models"),
        ("{type: openai, base_url: 'http://h/v1', models: [a]}", "only type static has models"),
        ("{type: static, models: [{id: a, capabilities: [tool]}]}", "unknown capability 'tool'"),
        ("{type: static, models: [{id: ' a'}]}", "is not an id"),
        ("{type: openai, base_url: 'http://h/v1', price_unit: 1m}", "price_unit"),
        ("{type: openai, base_url: 'http://h/v1', created: now}", "created"),
        ("{type: sttaic, models: [a]}", "Did you mean 'static'?"),
    ],
)
def test_mistakes_in_a_providers_words(house: House, row: str, says: str) -> None:
    house.policy.write_text(
        f'version: 1\nproviders:\n  gate: {row}\nallow: [{{match: "*"}}]\n', encoding="utf-8"
    )
    ran = house.run("plan")
    assert ran.code == 1
    assert says in ran.text
    assert "policy.yaml:3" in ran.text
