"""LiteLLM's own proxy reads what rollcall wrote: every entry is there, every alias answers.

LiteLLM drops an entry it cannot use and starts all the same, so names are compared one by one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from tests.house import House
from tests.litellm_proxy import free_port, running_litellm
from tests.simulator.catalogs import MAIN
from tests.simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.litellm_proxy import LiteLLMProxy

pytestmark = pytest.mark.litellm

TOP = Path(__file__).resolve().parents[1]
EXTRA = """
  - {match: [o3, gpt-5-pro], from: [openai]}
  - {match: "*", from: [deepseek, qwen, perplexity], stage: any, max: 30}
"""


@pytest.fixture(scope="module")
def simulated() -> Iterator[Simulator]:
    """Simulated providers for the whole module: the proxy keeps calling them."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def written(simulated: Simulator, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The shipped policy and config, applied against the simulated providers."""
    with pytest.MonkeyPatch.context() as patch:
        house = House(tmp_path_factory.mktemp("real"), simulated, patch)
        house.config.write_bytes((TOP / "config.yaml").read_bytes())
        house.policy.write_text(_shipped_policy(simulated), encoding="utf-8")
        house.applied()
    return house


def _shipped_policy(simulated: Simulator) -> str:
    """policy.yaml as shipped, its providers simulated, and a few rules more."""
    text = (TOP / "policy.yaml").read_text(encoding="utf-8")
    for name in MAIN:
        base_url = simulated.url(name)
        text, count = re.subn(
            rf"^  {name}: {{}}", f"  {name}: {{base_url: {base_url}}}", text, flags=re.MULTILINE
        )
        assert count == 1, name
    return text.replace("\n# Kept out whatever", EXTRA + "\n# Kept out whatever", 1)


@pytest.fixture(scope="module")
def proxy(written: House, simulated: Simulator) -> Iterator[LiteLLMProxy]:
    """The proxy on what was written."""
    with running_litellm(written.config, simulated.environ()) as running:
        yield running


@pytest.fixture(scope="module")
def client(proxy: LiteLLMProxy) -> Iterator[httpx.Client]:
    """A caller with the master key."""
    headers = {"authorization": f"Bearer {proxy.master_key}"}
    with httpx.Client(base_url=proxy.base_url, headers=headers, timeout=60) as caller:
        yield caller


def test_litellm_lists_every_entry_and_every_alias_by_name(
    written: House, client: httpx.Client
) -> None:
    listed = [row["id"] for row in client.get("/v1/models").json()["data"]]
    expected = set(written.names()) | set(written.aliases())
    assert len(written.names()) >= 30
    assert set(listed) == expected


def test_litellm_took_every_deployment_with_its_limits_and_prices(
    written: House, client: httpx.Client
) -> None:
    rows: list[dict[str, Any]] = client.get("/model/info").json()["data"]
    by_id = {row["model_info"]["id"]: row for row in rows}
    for entry in written.entries().values():
        info = entry["model_info"]
        seen = by_id[info["id"]]["model_info"]
        for key, value in info.items():
            if key == "leaves":
                continue
            assert seen[key] == value, (entry["model_name"], key)


def test_every_alias_answers_through_its_provider(written: House, client: httpx.Client) -> None:
    assert {"default", "claude", "claude-strong", "reasoning", "cheap"} <= set(written.aliases())
    for alias in written.aliases():
        assert _ask(client, alias), alias


def test_every_model_answers_in_its_own_protocol(written: House, client: httpx.Client) -> None:
    failed = {}
    for name in written.names():
        try:
            assert _ask(client, name)
        except AssertionError as error:
            failed[name] = str(error)[:300]
    assert not failed


def _ask(client: httpx.Client, name: str) -> str:
    message = {"role": "user", "content": "Are you there?"}
    reply = client.post(
        "/v1/chat/completions", json={"model": name, "messages": [message], "max_tokens": 64}
    )
    assert reply.status_code == 200, reply.text
    text = reply.json()["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def test_an_aliass_fallback_takes_over_when_its_provider_is_down(
    written: House, simulated: Simulator, client: httpx.Client
) -> None:
    from tests.simulator.faults import Fault

    assert yaml.safe_load(written.config.read_text(encoding="utf-8"))["router_settings"][
        "fallbacks"
    ]
    simulated.fault("anthropic", Fault.SERVER_ERROR)
    try:
        assert _ask(client, "claude")
    finally:
        simulated.heal("anthropic")


def test_the_library_calls_the_aliases_through_the_proxy(
    written: House, proxy: LiteLLMProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollcall.runtime.client import get_llm_client

    path = written.folder / "llm_orchestrator.yaml"
    path.write_text(
        "project: test\nenv: test\nproviders:\n"
        f"  litellm: {{auth_profile: proxy, api_base: {proxy.base_url}}}\n"
        "roles:\n  llm.chat: {provider: litellm, model: claude}\n"
        "  llm.cheap: {provider: litellm, model: cheap}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("ORCH_AUTH_PROXY_API_KEY", proxy.master_key)
    messages = [{"role": "user", "content": "Are you there?"}]
    with get_llm_client(str(path)) as client:
        response = client.run("llm.chat", messages)
        assert "Are you there?" in response.content
        assert response.provider == "litellm"
        assert "Are you there?" in "".join(client.stream("llm.cheap", messages))


def test_smoke_finds_every_alias_alive(
    written: House, proxy: LiteLLMProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(written.folder)
    monkeypatch.setenv("LITELLM_API_KEY", proxy.master_key)
    ran = written.run("smoke", proxy.base_url, "--json")
    assert ran.code == 0, ran.text
    report = ran.json()
    assert report["verdict"] == "ok"
    assert {row["name"] for row in report["rows"]} == set(written.aliases())
    assert not report["missing"]


def test_smoke_tells_a_wrong_key_from_no_server(
    written: House, proxy: LiteLLMProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(written.folder)
    monkeypatch.setenv("LITELLM_API_KEY", "sk-somebody-elses-key-123")
    wrong = written.run("smoke", proxy.base_url)
    nobody = written.run("smoke", f"http://127.0.0.1:{free_port()}")
    assert (wrong.code, nobody.code) == (1, 1)
    assert "key" in wrong.err
    assert "start" in nobody.err
    assert "sk-somebody" not in wrong.text


def test_litellm_books_a_borrowed_price_where_its_own_map_has_none(
    simulated: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROLLCALL_PRICE_MAP")  # the map of the litellm that is started below
    house = House(tmp_path, simulated, monkeypatch)
    before: tuple[list[Any], list[Any]] = simulated.rows("anthropic"), simulated.rows("openrouter")
    row = dict(next(one for one in before[1] if one["id"] == "anthropic/claude-sonnet-5"))
    row |= {"id": "anthropic/claude-unheard-9", "canonical_slug": None}
    row["pricing"] = {"prompt": "0.00004", "completion": "0.0002"}
    names = ("claude-unheard-9", "claude-sonnet-5")
    simulated.set_rows("anthropic", [{"type": "model", "id": name} for name in names])
    simulated.set_rows("openrouter", [*before[1], row])
    try:
        house.write_policy(
            "defaults: {write_prices: borrowed, timeout: 30s, deadline: 60s}\n"
            'allow: [{match: "claude-*", from: [anthropic], name: "{id}"}]\naliases: {}\n',
            "anthropic",
            "openrouter",
        )
        house.applied()
        written = {name: house.entries()[name]["model_info"] for name in names}
        assert written["claude-unheard-9"]["price_source"] == f"openrouter/{row['id']}"
        assert "input_cost_per_token" not in written["claude-sonnet-5"], "its updates shall count"
        with running_litellm(house.config, simulated.environ()) as proxy:
            booked = {name: _booked(proxy, name) for name in names}
    finally:
        simulated.set_rows("anthropic", before[0])
        simulated.set_rows("openrouter", before[1])
    cost, usage = booked["claude-unheard-9"]
    expected = 0.00004 * usage["prompt_tokens"] + 0.0002 * usage["completion_tokens"]
    assert cost == pytest.approx(expected)
    assert cost > 0
    known, _ = booked["claude-sonnet-5"]
    assert 0 < known < cost / 10, "LiteLLM charges by its own map"


def _booked(proxy: LiteLLMProxy, name: str) -> tuple[float, dict[str, int]]:
    """What LiteLLM says a call cost, and the tokens it counted."""
    reply = httpx.post(
        f"{proxy.base_url}/v1/chat/completions",
        json={"model": name, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64},
        headers={"authorization": f"Bearer {proxy.master_key}"},
        timeout=60,
    )
    assert reply.status_code == 200, reply.text
    usage: dict[str, int] = reply.json()["usage"]
    return float(reply.headers["x-litellm-response-cost"]), usage
