"""LiteLLM's own proxy before and after init, apply and adopt: every name that answered still does,
through the same key and address.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
import yaml

from rollcall.inspect.smoke import read_promised
from rollcall.launch.proxy_child import free_port
from rollcall.settings import resolve
from tests.arriving import patient
from tests.corpus import ROOT
from tests.litellm_matrix import MESSAGES, Upstream
from tests.litellm_proxy import MASTER_KEY, OFFLINE
from tests.loopback import listening
from tests.platforms import not_on_windows
from tests.proxy_forks import running_forks, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.house import House
    from tests.proxy_forks import Forks

pytestmark = [
    pytest.mark.litellm,
    not_on_windows("no fork"),
    pytest.mark.skipif(sys.platform == "darwin", reason="macOS: no waiting without reaping"),
]

LISTED = {
    "openai": ["gpt-5", "gpt-5.1", "gpt-5-mini"],
    "anthropic": ["claude-sonnet-5", "claude-sonnet-4-6", "claude-haiku-4-5"],
    "xai": ["grok-4.5", "grok-4.3"],
    "own": ["llama-3.3-70b", "qwen3-32b"],
}
KEYS = {
    "OPENAI_API_KEY": "sk-openai-of-the-house",
    "ANTHROPIC_API_KEY": "sk-ant-of-the-house",
    "XAI_API_KEY": "xai-of-the-house",
    "OPENROUTER_API_KEY": "sk-or-of-the-house",
    "ANTHROPIC_TEAM_KEY": "sk-ant-of-the-team",
    "OWN_KEY": "own-of-the-house",
    "OWN_SECOND_KEY": "own-of-another-team",
}

PLAIN = """\
# Straight to the makers; one of them with a key of the team's.
model_list:
  - model_name: gpt-5
    litellm_params: {model: openai/gpt-5, api_key: os.environ/OPENAI_API_KEY}
  - model_name: sonnet
    litellm_params:
      model: anthropic/claude-sonnet-5
      api_key: os.environ/ANTHROPIC_TEAM_KEY   # billed to the team
      rpm: 100
  - model_name: claude-haiku-4-5
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: grok-4.3
    litellm_params: {model: xai/grok-4.3, api_key: os.environ/XAI_API_KEY, timeout: 30}
litellm_settings: {drop_params: true}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"""
SERVERS = """\
model_list:
- model_name: llama
  litellm_params: {model: openai/llama-3.3-70b, api_base: OWN, api_key: os.environ/OWN_KEY}
- model_name: qwen3-32b
  litellm_params:
    model: openai/qwen3-32b
    api_base: OWN
    api_key: os.environ/OWN_KEY
  model_info: {access_groups: [lab]}
- model_name: shared
  litellm_params: {model: openai/qwen3-32b, api_base: OWN, api_key: os.environ/OWN_KEY, order: 1}
- model_name: shared
  litellm_params:
    {model: openai/qwen3-32b, api_base: OWN, api_key: os.environ/OWN_SECOND_KEY, order: 2}
- model_name: written-out
  litellm_params: {model: openai/llama-3.3-70b, api_base: OWN, api_key: sk-in-the-file}
router_settings:
  model_group_alias: {coder: qwen3-32b, quiet: {model: llama, hidden: true}}
  fallbacks: [{llama: [qwen3-32b]}]
  num_retries: 0
"""
SEVERAL_FILES = """\
include: [team/more.yaml]
model_list:
  - model_name: fast
    litellm_params: &mini
      model: openai/gpt-5-mini
      litellm_credential_name: house
  - model_name: fast-too
    litellm_params: *mini
  - model_name: claude-haiku-4-5
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: openai/*
    litellm_params: {model: openai/*, api_key: os.environ/OPENAI_API_KEY}
credential_list:
  - credential_name: house
    credential_values: {api_key: os.environ/OPENAI_API_KEY}
    credential_info: {}
router_settings:
  model_group_alias: {team: team-sonnet}
"""
MORE = """\
model_list:
  - model_name: team-sonnet
    litellm_params: {model: anthropic/claude-sonnet-4-6, api_key: os.environ/ANTHROPIC_TEAM_KEY}
"""
CASES = {
    "plain": (PLAIN, ()),
    "servers": (SERVERS, ()),
    "several files": (SEVERAL_FILES, ("openai/gpt-5",)),
}


class Call(NamedTuple):
    """What reached a provider: its path, the key, the model."""

    path: str
    key: str
    model: str


class Recorder(Upstream):
    """Every provider on one port, under a path of its own: takes any key and remembers it."""

    calls: list[Call]
    listed: Mapping[str, Sequence[str]]

    def do_GET(self) -> None:
        rows = [{"id": one, "type": "model"} for one in self.listed[self.path.split("/")[1]]]
        self.say_json(200, {"object": "list", "data": rows, "has_more": False})

    def do_POST(self) -> None:
        body = json.loads(self.sent())
        key = self.headers.get("x-api-key") or self.headers["authorization"].partition(" ")[2]
        self.calls.append(Call(self.path, key, body["model"]))
        if self.path.endswith("/messages"):
            told: dict[str, Any] = {
                "id": "x",
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "OK"}],
                "model": body["model"],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }
        else:
            message = {"role": "assistant", "content": "OK"}
            told = {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        self.say_json(200, told)


@contextmanager
def recording(listed: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[Call]]]:
    """The address of the providers, which list these models, and what reaches them."""
    calls: list[Call] = []
    handler = type("Handler", (Recorder,), {"calls": calls, "listed": listed})
    with listening(handler) as port:
        yield f"http://127.0.0.1:{port}", calls


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """LiteLLM, imported once."""
    with running_forks(tmp_path_factory.mktemp("forks")) as found:
        yield found


def answers(
    house: House, forks: Forks, calls: list[Call], more: tuple[str, ...]
) -> dict[str, Call | int]:
    """Every name of the config -> what a call of it reached, or the status where it failed."""
    port = free_port()
    args = ["--config", str(house.config), "--host", "127.0.0.1", "--port", str(port)]
    environ = {**os.environ, **OFFLINE, "LITELLM_MASTER_KEY": MASTER_KEY}
    started = forks.start(args, house.folder, environ, house.folder / "litellm.log")
    headers = {"authorization": f"Bearer {MASTER_KEY}"}
    url = f"http://127.0.0.1:{port}"
    view = read_promised(resolve(cwd=house.folder)).view
    names = [name for name in (*view.groups, *view.aliases, *more) if "*" not in name]
    found: dict[str, Call | int] = {}
    try:
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
            assert wait_for(lambda: _is_ready(client), started, 90), _log(house)
            for name in names:
                calls.clear()
                body = {"model": name, "messages": MESSAGES, "max_tokens": 16}
                status = client.post("/v1/chat/completions", json=body).status_code
                found[name] = calls[-1] if status == 200 else status
    finally:
        started.stop()
    return found


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/readiness").status_code == 200
    except httpx.HTTPError:
        return False


def _log(house: House) -> str:
    return (house.folder / "litellm.log").read_text("utf-8", "replace")[-2000:]


def set_variables(house: House, url: str) -> None:
    """The keys, and where the providers are."""
    for name, value in KEYS.items():
        house.monkeypatch.setenv(name, value)
    house.monkeypatch.setenv("LITELLM_MASTER_KEY", MASTER_KEY)
    house.monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/openai/v1")
    house.monkeypatch.setenv("ANTHROPIC_API_BASE", f"{url}/anthropic")
    house.monkeypatch.setenv("XAI_API_BASE", f"{url}/xai/v1")
    house.monkeypatch.setenv("OPENROUTER_API_BASE", f"{url}/openrouter/v1")


def arrive(house: House) -> None:
    """init, apply, adopt: what somebody with a config of their own does."""
    ran = house.run("init", "--timeout", "30s", "--deadline", "60s")
    assert ran.code == 0, ran.text
    patient(house)
    for command in (("apply",), ("adopt", "--yes")):
        ran = house.run(*command)
        assert ran.code == 0, ran.text


@pytest.mark.parametrize("case", CASES)
def test_every_name_answers_as_before(case: str, house: House, forks: Forks) -> None:
    text, more = CASES[case]
    with recording(LISTED) as (url, calls):
        set_variables(house, url)
        house.config.write_text(
            text.replace("OWN,", f"{url}/own/v1,").replace("OWN\n", f"{url}/own/v1\n"),
            encoding="utf-8",
        )
        (house.folder / "team").mkdir()
        (house.folder / "team" / "more.yaml").write_text(MORE, encoding="utf-8")
        before = answers(house, forks, calls, more)
        assert all(isinstance(one, Call) for one in before.values()), before
        arrive(house)
        after = answers(house, forks, calls, more)
    assert {name: after.get(name) for name in before} == before
    assert house.names(), "something was admitted or taken over"


@pytest.mark.skipif(
    not (ROOT / "configs").is_dir(), reason="the corpus of real configs is not here"
)
@pytest.mark.parametrize("number", ["039", "159", "163"])
def test_every_name_of_a_real_config_that_answers_goes_on_to(
    number: str, house: House, forks: Forks
) -> None:
    """Three that call the providers played here, which list the models they name. What calls others
    (Azure, Gemini) answered before no more than after.
    """
    raw = (ROOT / "configs" / f"{number}.yaml").read_bytes()
    listed: dict[str, list[str]] = {"openai": [], "anthropic": [], "xai": [], "openrouter": []}
    for entry in yaml.safe_load(raw)["model_list"]:
        provider, _, model = entry["litellm_params"]["model"].partition("/")
        listed.setdefault(provider, []).append(model)
    with recording(listed) as (url, calls):
        set_variables(house, url)
        house.config.write_bytes(raw)
        before = answers(house, forks, calls, ())
        arrive(house)
        after = answers(house, forks, calls, ())
    answered = {name: one for name, one in before.items() if isinstance(one, Call)}
    assert len(answered) >= len(before) / 2, before
    assert {name: after.get(name) for name in answered} == answered
    assert house.names(), "something was admitted or taken over"
