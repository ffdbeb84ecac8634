"""LiteLLM down, slow or talking nonsense: who is answered what, and how it recovers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from rollcall.inspect.inventory import Inventory
from rollcall.service import ServeOptions
from rollcall.service.app import create_app
from tests.service.fake_litellm import KEY, NAMES, OTHER_KEY, FakeLiteLLM
from tests.service.samples import INVENTORY, SONNET, options
from tests.service.serving import client, serving

BROKEN = ["slow", "unauthorized", "no_db", "html", "truncated", "error", "redirect", "down"]
TOKEN = "a-token-of-our-own"
OWN = {"ROLLCALL_API_TOKENS": TOKEN, "LITELLM_API_KEY": KEY}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@pytest.fixture
def litellm() -> Iterator[FakeLiteLLM]:
    with FakeLiteLLM() as fake:
        yield fake


def break_down(litellm: FakeLiteLLM, mode: str) -> None:
    """Make it misbehave."""
    if mode == "down":
        litellm.stop()
    litellm.mode = mode


def mend(litellm: FakeLiteLLM, mode: str) -> None:
    """Make it answer again."""
    litellm.mode = "ok"
    litellm.release.set()
    if mode == "down":
        litellm.start()


def listed(reply: httpx.Response) -> list[str]:
    """The names in a list."""
    return [row["id"] for row in reply.json()["data"]]


def wait_until(holds: Callable[[], bool]) -> None:
    """Ask again until it holds; a busy machine may take its time."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline


@pytest.mark.parametrize("mode", BROKEN)
def test_the_last_good_list_stays_and_recovery_needs_nobody(
    litellm: FakeLiteLLM, mode: str
) -> None:
    clock = Clock()
    chosen = options(litellm.url, OWN)._replace(upstream_timeout_seconds=0.3)
    app = create_app(chosen, inventory=lambda: INVENTORY, seconds=clock)
    with serving(app) as base_url, client(base_url, x_api_key=TOKEN) as http:
        wait_until(lambda: http.get("/v1/models").headers["x-rollcall-source"] == "cache")
        break_down(litellm, mode)
        clock.pass_by(3600)
        # A LiteLLM that hangs does so for longer than this client waits for anything.
        reply = http.get("/v1/models")
        assert reply.headers["x-rollcall-source"] == "cache"
        assert reply.headers["age"] == "3600"
        assert listed(reply) == list(NAMES)
        assert http.get("/healthz").json()["status"] == "degraded"
        litellm.names = ("claude-opus-9",)
        mend(litellm, mode)

        def recovered() -> bool:
            clock.pass_by(60)
            return listed(http.get("/v1/models")) == ["claude-opus-9"]

        wait_until(recovered)
        assert http.get("/healthz").json()["status"] == "ok"


@pytest.mark.parametrize("mode", BROKEN)
@pytest.mark.parametrize("anthropic", [False, True])
def test_without_a_last_good_list_config_yaml_s_is_answered(
    litellm: FakeLiteLLM, mode: str, anthropic: bool
) -> None:
    break_down(litellm, mode)
    chosen = options(litellm.url, OWN)._replace(upstream_timeout_seconds=0.3)
    app = create_app(chosen, inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, x_api_key=TOKEN) as http:
        headers = {"anthropic-version": "2023-06-01"} if anthropic else {}
        reply = http.get("/v1/models", headers=headers)
    assert reply.status_code == 200
    assert reply.headers["x-rollcall-source"] == "config"
    assert "age" not in reply.headers
    body = reply.json()
    assert [row["id"] for row in body["data"]] == ["default", "claude-sonnet-5", "openai/gpt-5.5"]
    if anthropic:
        assert (body["first_id"], body["last_id"]) == ("default", "openai/gpt-5.5")
        assert body["data"][1]["display_name"] == "Claude Sonnet 5"
    else:
        assert body["data"][1]["owned_by"] == "anthropic"
        assert body["data"][1]["metadata"]["context"] == 1_000_000


def test_cline_s_list_survives_an_outage_and_codex_is_told(litellm: FakeLiteLLM) -> None:
    litellm.stop()
    app = create_app(options(litellm.url, OWN), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, x_api_key=TOKEN) as http:
        rows = {row["model_name"]: row for row in http.get("/model/info").json()["data"]}
        codex = http.get("/v1/models?client_version=1")
    assert rows["default"]["model_info"]["max_input_tokens"] == 1_000_000
    assert codex.status_code == 503
    assert codex.headers["retry-after"]


def test_claude_code_is_answered_within_three_seconds_by_a_hanging_proxy(
    litellm: FakeLiteLLM,
) -> None:
    litellm.mode = "slow"
    chosen = options(litellm.url, OWN)._replace(upstream_timeout_seconds=0.3)
    app = create_app(chosen, inventory=lambda: INVENTORY)
    headers = {"anthropic-version": "2023-06-01", "user-agent": "claude-code/2.1.223"}
    with serving(app) as base_url, client(base_url, x_api_key=TOKEN) as http:
        reply = http.get("/v1/models?limit=1000", headers=headers)
    assert reply.headers["x-rollcall-source"] == "config"
    default = ServeOptions(settings=chosen.settings)
    assert default.upstream_timeout_seconds <= 2, "Claude Code gives up after three"


def test_a_key_never_seen_valid_is_shown_nothing_during_an_outage(litellm: FakeLiteLLM) -> None:
    litellm.stop()
    app = create_app(options(litellm.url), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, x_api_key="sk-anything") as http:
        for path in ("/v1/models", "/models", "/model/info", "/v1/models/claude-sonnet-5"):
            reply = http.get(path)
            assert reply.status_code == 503
            assert "sonnet" not in reply.text
        anthropic = http.get("/v1/models", headers={"anthropic-version": "x"}).json()
        assert anthropic["error"]["type"] == "api_error"


def test_a_key_seen_valid_gets_no_more_than_it_saw_in_any_shape(litellm: FakeLiteLLM) -> None:
    app = create_app(options(litellm.url), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, x_api_key=OTHER_KEY) as http:
        assert len(http.get("/v1/models").json()["data"]) == 1
        litellm.stop()
        reply = http.get("/v1/models", headers={"anthropic-version": "2023-06-01"})
    assert reply.headers["x-rollcall-source"] == "cache"
    assert [row["id"] for row in reply.json()["data"]] == ["default"]


@pytest.mark.parametrize("variable", ["LITELLM_MASTER_KEY", "LITELLM_API_KEY"])
def test_the_operator_s_own_key_sees_config_yaml_during_an_outage(
    litellm: FakeLiteLLM, variable: str
) -> None:
    litellm.stop()
    app = create_app(options(litellm.url, {variable: KEY}), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, authorization=f"Bearer {KEY}") as http:
        assert http.get("/v1/models").headers["x-rollcall-source"] == "config"


def test_other_calls_say_that_litellm_does_not_answer(litellm: FakeLiteLLM) -> None:
    litellm.stop()
    app = create_app(options(litellm.url), inventory=lambda: INVENTORY)
    with serving(app) as base_url, client(base_url, x_api_key=KEY) as http:
        chat = http.post("/v1/chat/completions", json={"model": "x"})
        messages = http.post("/v1/messages", json={"model": "x"})
    assert (chat.status_code, messages.status_code) == (502, 502)
    assert chat.json()["error"]["code"] == "upstream_unavailable"
    assert messages.json()["type"] == "error"


def test_a_change_of_config_yaml_shows_without_a_restart(
    litellm: FakeLiteLLM, tmp_path: Path
) -> None:
    litellm.stop()
    config = tmp_path / "config.yaml"
    config.write_text("claude-sonnet-5", encoding="utf-8")

    def inventory() -> Inventory:
        name = config.read_text(encoding="utf-8")
        return Inventory(rows=(SONNET.model_copy(update={"name": name}),))

    app = create_app(options(litellm.url, OWN, tmp_path), inventory=inventory)
    with serving(app) as base_url, client(base_url, x_api_key=TOKEN) as http:
        assert [row["id"] for row in http.get("/v1/models").json()["data"]] == ["claude-sonnet-5"]
        config.write_text("claude-opus-12", encoding="utf-8")
        wait_until(lambda: "claude-opus-12" in http.get("/v1/models").text)


def test_an_inventory_that_cannot_be_read_stops_nothing(litellm: FakeLiteLLM) -> None:
    def inventory() -> Inventory:
        raise RuntimeError("a bug")

    app = create_app(options(litellm.url), inventory=inventory)
    with serving(app) as base_url, client(base_url, x_api_key=KEY) as http:
        assert len(http.get("/v1/models").json()["data"]) == len(NAMES)
        assert http.get("/healthz").json()["inventory"] == {"readable": False}
