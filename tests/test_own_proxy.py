"""A shell that sends clients through the proxy: the proxy is never taken for a provider."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml

from rollcall.runtime.client import LLMClient
from rollcall.settings import resolve
from rollcall.store.store import open_store
from tests.service.fake_litellm import KEY as UPSTREAM_KEY
from tests.service.fake_litellm import FakeLiteLLM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {match: "gpt-5*", from: [openai], newest: 1}
aliases:
  claude: {family: claude-sonnet}
"""
KEY = "sk-the-proxy-own-key-0123456789"


@pytest.fixture
def proxy() -> Iterator[FakeLiteLLM]:
    with FakeLiteLLM() as upstream:
        yield upstream


@pytest.fixture
def applied(house: House) -> House:
    """Written once from a clean shell, with built-in providers at simulated addresses."""
    house.policy.write_text(
        "version: 1\ndefaults: {timeout: 30s, deadline: 60s}\n"
        "providers: {anthropic: {}, openai: {}}\n" + RULES,
        encoding="utf-8",
    )
    house.monkeypatch.setenv("ANTHROPIC_BASE_URL", house.sim.url("anthropic"))
    house.monkeypatch.setenv("OPENAI_API_BASE", house.sim.url("openai"))
    house.applied()
    return house


CASES = {
    "the address LITELLM_BASE_URL names": {
        "LITELLM_BASE_URL": "{url}",
        "ANTHROPIC_BASE_URL": "{url}",
    },
    "the same, written otherwise": {
        "LITELLM_BASE_URL": "http://localhost:{port}/",
        "ANTHROPIC_BASE_URL": "http://0.0.0.0:{port}/v1",
    },
    "the same without a scheme": {
        "LITELLM_BASE_URL": "127.0.0.1:{port}",
        "ANTHROPIC_BASE_URL": "http://[::]:{port}/v1",
    },
    "the port start hands on": {"PORT": "{port}", "ANTHROPIC_BASE_URL": "{url}"},
    "an address here that answers as LiteLLM": {
        "ANTHROPIC_BASE_URL": "{url}",
        "ANTHROPIC_API_KEY": UPSTREAM_KEY,
    },
    "the proxy's key": {
        "LITELLM_API_KEY": KEY,
        "ANTHROPIC_API_KEY": "",
        "ANTHROPIC_AUTH_TOKEN": KEY,
    },
    "the master key": {"LITELLM_MASTER_KEY": KEY, "ANTHROPIC_API_KEY": KEY},
    "OpenAI's, for Codex": {"LITELLM_BASE_URL": "{url}", "OPENAI_BASE_URL": "{url}/v1"},
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_asked_there_and_its_entries_stay(
    applied: House, proxy: FakeLiteLLM, case: str
) -> None:
    before = applied.config.read_bytes()
    for name, value in CASES[case].items():
        filled = value.replace("{url}", proxy.url).replace("{port}", str(proxy.port))
        applied.monkeypatch.setenv(name, filled)
    applied.later(1)
    plan = applied.run("plan", "--json").json()
    assert plan["changes"] == []
    (line,) = [row for row in plan["providers"] if row["verdict"] == "not_asked"]
    assert "clients of the proxy" in line["detail"]
    assert KEY not in str(plan)
    applied.applied()
    assert applied.config.read_bytes() == before


@pytest.mark.parametrize("case", CASES)
def test_the_library_keeps_no_list_of_the_proxys(
    applied: House, proxy: FakeLiteLLM, case: str
) -> None:
    """Whoever selects from a provider asks for its list anew where the kept one is too old."""
    wanted = {"first_of": [{"family": "claude-sonnet", "from": ["anthropic"]}]}
    wanted["first_of"].append({"family": "gpt", "from": ["openai"]})
    config = {
        "providers": {"anthropic": {}, "openai": {}},
        "roles": {"chat": {"select": wanted}},
        "catalog": {"max_age": "1s"},
    }
    path = applied.folder / "llm_orchestrator.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    store = open_store(resolve(cwd=applied.folder, environ=os.environ))
    before = {name: store.memory.read_replies(name) for name in ("anthropic", "openai")}
    for name, value in CASES[case].items():
        filled = value.replace("{url}", proxy.url).replace("{port}", str(proxy.port))
        applied.monkeypatch.setenv(name, filled)
    applied.later(1)
    with LLMClient(path) as client:
        applied.sim.requests.clear()
        assert client.resolve("chat").model == "claude-sonnet-5"
    theirs = "openai" if "OpenAI" in case else "anthropic"
    assert theirs not in {provider for provider, *_ in applied.sim.requests}
    assert {name: store.memory.read_replies(name) for name in before} == before


def test_a_first_policy_does_not_go_by_the_proxys_list(house: House, proxy: FakeLiteLLM) -> None:
    house.config.write_text(
        "model_list:\n- model_name: claude-opus-5\n  litellm_params:\n"
        "    {model: anthropic/claude-opus-5, api_key: os.environ/ANTHROPIC_API_KEY}\n",
        encoding="utf-8",
    )
    house.monkeypatch.setenv("ANTHROPIC_API_KEY", UPSTREAM_KEY)
    house.monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    nobody = house.run("init")
    text = house.policy.read_text(encoding="utf-8")
    house.monkeypatch.setenv("ANTHROPIC_BASE_URL", proxy.url)
    asked = house.run("init", "--overwrite")
    assert (asked.text, house.policy.read_text(encoding="utf-8")) == (nobody.text, text)


def test_the_proxys_key_reaches_no_provider(applied: House) -> None:
    applied.monkeypatch.setenv("LITELLM_MASTER_KEY", KEY)
    applied.monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    applied.sim.requests.clear()
    applied.run("plan")
    assert {provider for provider, *_ in applied.sim.requests} == {"openai"}


def test_doctor_explains_it(applied: House, proxy: FakeLiteLLM) -> None:
    applied.monkeypatch.setenv("LITELLM_BASE_URL", proxy.url)
    applied.monkeypatch.setenv("ANTHROPIC_BASE_URL", proxy.url)
    out = applied.run("doctor").out
    assert "ANTHROPIC_BASE_URL is the proxy's own address" in out
    assert "LiteLLM would call itself" in out


def test_another_gateway_with_a_key_of_its_own_is_a_provider(house: House) -> None:
    """Named in the policy, LITELLM_API_KEY is that gateway's."""
    house.policy.write_text(
        "version: 1\nproviders:\n  gate:\n    type: openai\n    key_env: LITELLM_API_KEY\n"
        f"    base_url: {house.sim.url('openai')}\nallow: [{{match: gpt-5}}]\n",
        encoding="utf-8",
    )
    house.monkeypatch.setenv("LITELLM_API_KEY", "sim-openai-key-0123456789")
    (line,) = house.run("plan", "--json").json()["providers"]
    assert line["verdict"] == "ok"


def test_openais_own_list_is_not_the_proxys(house: House) -> None:
    """One of its models carries the day that LiteLLM gives to all."""
    rows = [
        {"id": "gpt-3.5-turbo", "object": "model", "created": 1677610602, "owned_by": "openai"},
        {"id": "gpt-5.5", "object": "model", "created": 1776902400, "owned_by": "openai"},
    ]
    house.sim.set_rows("openai", rows)
    house.policy.write_text(
        "version: 1\nproviders: {openai: {}}\nallow: [{family: gpt, newest: 1}]\n",
        encoding="utf-8",
    )
    house.monkeypatch.setenv("OPENAI_BASE_URL", house.sim.url("openai"))
    (line,) = house.run("plan", "--json").json()["providers"]
    assert line["verdict"] == "ok"
