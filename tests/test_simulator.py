"""The simulated providers: they behave like the real ones, start fast and leave nothing."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest

from rollcall.cli.demo import REPLIES
from rollcall.providers.builtin import BUILTIN, find_key
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider
from tests.simulator.catalogs import MAIN, NAMES, ROWS, many_rows
from tests.simulator.faults import Fault
from tests.simulator.simulator import Simulator

LIST = {"anthropic": "/v1/models", "perplexity": "/v1/models", "ollama": "/api/tags"}


def get(sim: Simulator, name: str, key: str | None = None, query: str = "") -> Any:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    url = sim.url(name) + LIST.get(name, "/models") + query
    with urlopen(Call(url, headers=headers), timeout=30) as reply:
        return json.load(reply)


def refusal(sim: Simulator, name: str, key: str | None) -> tuple[int, str]:
    with pytest.raises(HTTPError) as caught:
        get(sim, name, key)
    with caught.value as error:
        return error.code, error.read().decode()


def test_every_built_in_provider_is_simulated_and_nobody_else() -> None:
    replies = {path.stem for folder in (REPLIES, ROWS) for path in folder.glob("*.json")}
    assert replies == set(NAMES) == set(BUILTIN)


@pytest.mark.parametrize("name", NAMES)
def test_every_provider_lists_its_rows(sim: Simulator, name: str) -> None:
    body = get(sim, name, sim.key(name))
    rows = body if isinstance(body, list) else body.get("data", body.get("models"))
    assert rows == sim.rows(name)
    assert isinstance(body, list) == (name == "together")


def test_the_main_catalogs_are_small_and_varied(sim: Simulator) -> None:
    for name in MAIN:
        assert 4 <= len(sim.rows(name)) <= 40
    ids = [str(row["id"]) for row in sim.rows("openrouter") if isinstance(row, dict)]
    for ending in (":free", ":batch", "-latest", "-preview", "-0731"):
        assert [one for one in ids if one.endswith(ending)], ending
    makers = {one.partition("/")[0] for one in ids}
    others = [str(row["id"]) for row in sim.rows("perplexity") if isinstance(row, dict)]
    assert {"anthropic", "openai", "google"} <= makers & {one.partition("/")[0] for one in others}


def test_wrong_keys_are_refused_in_each_dialect(sim: Simulator) -> None:
    assert refusal(sim, "xai", "wrong-key")[0] == 400
    assert "wr***ey" in refusal(sim, "xai", "wrong-key")[1]
    assert refusal(sim, "xai", None)[0] == 401
    assert refusal(sim, "gemini", "wrong-key")[0] == 400
    assert refusal(sim, "gemini", None)[0] == 403
    assert refusal(sim, "deepseek", "x") == (401, "Authentication Fails (governor)")
    assert json.loads(refusal(sim, "anthropic", "x")[1])["type"] == "error"
    assert json.loads(refusal(sim, "mistral", "x")[1]) == {"detail": "Invalid API key provided."}


def test_openrouter_shows_its_public_list_to_anybody(sim: Simulator) -> None:
    assert len(get(sim, "openrouter")["data"]) == len(sim.rows("openrouter"))


def test_pages(sim: Simulator) -> None:
    first = get(sim, "anthropic", sim.key("anthropic"), "?limit=2")
    assert (len(first["data"]), first["has_more"]) == (2, True)
    rest = get(sim, "anthropic", sim.key("anthropic"), f"?limit=1000&after_id={first['last_id']}")
    assert (len(rest["data"]), rest["has_more"]) == (len(sim.rows("anthropic")) - 2, False)
    gemini = get(sim, "gemini", sim.key("gemini"), "?pageSize=5")
    assert (len(gemini["models"]), gemini["nextPageToken"]) == (5, "page-5")
    routed = get(sim, "openrouter", query="?limit=3")
    assert routed["links"]["next"].endswith("limit=3&offset=3")
    assert routed["total_count"] == len(sim.rows("openrouter"))


def test_rows_can_be_changed_and_are_copies(sim: Simulator) -> None:
    rows = sim.rows("xai")
    rows.clear()
    assert sim.rows("xai")
    sim.set_rows("xai", [{"id": "grok-99"}])
    assert get(sim, "xai", sim.key("xai"))["data"] == [{"id": "grok-99"}]


def test_faults_come_and_go(sim: Simulator) -> None:
    sim.fault("xai", Fault.SERVER_ERROR, times=2)
    for _ in range(2):
        assert refusal(sim, "xai", sim.key("xai"))[0] == 500
    assert get(sim, "xai", sim.key("xai"))["data"]
    sim.fault("xai", Fault.FORBIDDEN)
    sim.fault("gemini", Fault.FORBIDDEN)
    sim.heal("xai")
    assert get(sim, "xai", sim.key("xai"))["data"]
    assert refusal(sim, "gemini", sim.key("gemini"))[0] == 403
    sim.heal()
    assert get(sim, "gemini", sim.key("gemini"))["models"]


def test_requests_are_recorded(sim: Simulator) -> None:
    get(sim, "gemini", sim.key("gemini"), "?pageSize=5")
    ((name, request),) = sim.requests
    assert (name, request.method, request.path) == ("gemini", "GET", "/v1beta/models")
    assert request.query == {"pageSize": "5"}
    assert request.headers["authorization"] == f"Bearer {sim.key('gemini')}"


def test_calls_need_the_key_and_are_answered(sim: Simulator) -> None:
    body = json.dumps({"model": "grok-4.6", "messages": [{"role": "user", "content": "hi"}]})
    url = sim.url("xai") + "/chat/completions"

    def call(key: str) -> Any:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        with urlopen(Call(url, body.encode(), headers), timeout=30) as reply:
            return json.load(reply)

    assert call(sim.key("xai"))["choices"][0]["message"]["content"]
    with pytest.raises(HTTPError) as caught:
        call("wrong-key-0123")
    with caught.value as error:
        assert error.code == 400


def test_what_a_policy_and_an_environment_need(sim: Simulator) -> None:
    assert set(sim.provider_policy()) == set(MAIN)
    environ = sim.environ()
    for name, row in sim.provider_policy().items():
        provider = resolve_provider(name, base_url=str(row["base_url"]), environ=environ)
        assert provider.base_url == provider.api_base == row["base_url"]
        assert find_key(provider, environ) == (BUILTIN[name].key_env[0], sim.key(name))


def test_it_stops_cleanly_whatever_hangs() -> None:
    before = set(threading.enumerate())
    with Simulator() as sim:
        sim.fault("xai", Fault.HANG)
        sim.fault("gemini", Fault.SLOW_DRIP)
        targets = [
            Target(resolve_provider(name, base_url=sim.url(name), environ={}), sim.key(name), 0.2)
            for name in ("xai", "gemini", "openai")
        ]
        ask_all(targets, deadline_seconds=0.2, fetched_at="")
    assert set(threading.enumerate()) == before


def test_many_rows_have_ids_of_their_own() -> None:
    rows = many_rows(550)
    assert len(rows) == len({str(row["id"]) for row in rows}) == 550
