"""The service in front of LiteLLM's own proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest

from rollcall.service.app import create_app
from tests.litellm_proxy import MASTER_KEY, LiteLLMProxy, running_litellm
from tests.service.fake_litellm import FakeLiteLLM
from tests.service.replayed import CLIENTS, ReplayedClient
from tests.service.samples import INVENTORY, options
from tests.service.serving import client, serving
from tests.simulator.simulator import Simulator

pytestmark = pytest.mark.litellm

TOKEN = "a-token-of-our-own"
CONFIG = """\
model_list:
  - model_name: claude-sonnet-5
    litellm_params:
      {{model: anthropic/claude-sonnet-5, api_key: {anthropic_key}, api_base: {anthropic}}}
    model_info: {{id: rollcall/anthropic/claude-sonnet-5, display_name: Claude Sonnet 5}}
  - model_name: openai/gpt-5.5
    litellm_params: {{model: openai/gpt-5.5, api_key: {openai_key}, api_base: {openai}}}
  - model_name: claude-subscription
    litellm_params: {{model: anthropic/claude-opus-5, api_base: {subscription}}}
  - model_name: embedding
    litellm_params: {{model: openai/text-embedding-3-small, api_key: x, mock_response: [0.5, 1]}}
router_settings:
  model_group_alias: {{default: claude-sonnet-5}}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  disable_model_info_refresh: true
  forward_client_headers_to_llm_api: true
"""
MORE = ("claude-subscription", "embedding")
"""Names in CONFIG that rollcall knows nothing of."""
DOCS = Path(__file__).parents[1] / "docs" / "SERVICE.md"


MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


@dataclass(frozen=True)
class Services:
    """LiteLLM, with simulated providers behind it, and two services in front."""

    litellm: LiteLLMProxy
    anthropic: FakeLiteLLM
    passing_keys_on: str
    with_own_tokens: str


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("litellm")
    config = folder / "config.yaml"
    with ExitStack() as stack:
        sim = stack.enter_context(Simulator())
        theirs = stack.enter_context(FakeLiteLLM())
        theirs.scripted["/v1/messages"] = (200, "application/json", json.dumps(MESSAGE).encode())
        config.write_text(
            CONFIG.format(
                anthropic=sim.url("anthropic").removesuffix("/v1"),
                anthropic_key=sim.key("anthropic"),
                subscription=theirs.url,
                openai=sim.url("openai"),
                openai_key=sim.key("openai"),
            ),
            encoding="utf-8",
        )
        proxy = stack.enter_context(running_litellm(config))
        own = {"ROLLCALL_API_TOKENS": TOKEN, "LITELLM_API_KEY": MASTER_KEY}
        urls = [
            stack.enter_context(
                serving(
                    create_app(
                        options(proxy.base_url, environ, folder), inventory=lambda: INVENTORY
                    )
                )
            )
            for environ in ({}, own)
        ]
        yield Services(proxy, theirs, *urls)


def test_every_shape_is_litellm_s_own_with_more_in_it(services: Services) -> None:
    shapes: list[tuple[str, dict[str, str], str]] = [
        ("/v1/models", {}, "data"),
        ("/v1/models?limit=1000", {"anthropic-version": "2023-06-01"}, "data"),
        (
            "/v1/models",
            {"anthropic-version": "2023-06-01", "user-agent": "claude-code/2.1.223"},
            "data",
        ),
        ("/v1/models?client_version=0.159.3", {}, "models"),
        ("/model/info", {}, "data"),
    ]
    for path, headers, key in shapes:
        with client(services.litellm.base_url, x_api_key=MASTER_KEY) as http:
            theirs = http.get(path, headers=headers).json()
        with client(services.passing_keys_on, x_api_key=MASTER_KEY) as http:
            ours = http.get(path, headers=headers).json()
        assert len(ours[key]) == len(theirs[key]) >= 3
        for mine, their in zip(ours[key], theirs[key], strict=True):
            assert "ready" in mine
            assert mine["metadata"] or any(name in str(their) for name in MORE)
            kept = {field: value for field, value in their.items() if field != "display_name"}
            if key == "data" and "model_info" in their:
                kept.pop("model_info")
                for field, value in their["model_info"].items():
                    assert value is None or mine["model_info"][field] == value
            assert kept.items() <= mine.items()


def test_claude_code_sees_ids_its_picker_accepts_and_names_for_people(services: Services) -> None:
    headers = {"anthropic-version": "2023-06-01", "user-agent": "claude-code/2.1.223"}
    with client(services.passing_keys_on, authorization=f"Bearer {MASTER_KEY}") as http:
        rows = http.get("/v1/models?limit=1000", headers=headers).json()["data"]
    assert all("claude" in row["id"] for row in rows)
    names = {row["source_model"]: row["display_name"] for row in rows}
    assert names["default"] == "default (Claude Sonnet 5)"
    assert names["claude-sonnet-5"] == "Claude Sonnet 5"


@pytest.mark.parametrize("key", ["", "sk-wrong"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/messages", "/v1/chat/completions"])
def test_a_wrong_or_missing_key_is_401(services: Services, key: str, path: str) -> None:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    call = {"model": "default", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    with client(services.passing_keys_on) as http:
        if path == "/v1/models":
            reply = http.get(path, headers=headers)
        else:
            reply = http.post(path, headers=headers, json=call)
    assert reply.status_code == 401
    assert "error" in reply.json()


def test_names_litellm_s_own_route_cannot_find_are_found(services: Services) -> None:
    with client(services.passing_keys_on, x_api_key=MASTER_KEY) as http:
        for name in ("openai/gpt-5.5", "default", "claude-sonnet-5"):
            assert http.get(f"/v1/models/{name}").json()["id"] == name
        assert http.get("/v1/models/unheard-of").status_code == 404


def door(services: Services, *, own_tokens: bool) -> tuple[str, str]:
    """A service and a key for it."""
    if own_tokens:
        return services.with_own_tokens, TOKEN
    return services.passing_keys_on, MASTER_KEY


@pytest.mark.parametrize("own_tokens", [False, True])
def test_openai_s_client_on_every_path(services: Services, own_tokens: bool) -> None:
    base_url, key = door(services, own_tokens=own_tokens)
    hi: Any = [{"role": "user", "content": "hi"}]
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key=key) as api:
        assert {"default", "claude-sonnet-5"} <= {model.id for model in api.models.list()}
        assert api.models.retrieve("openai/gpt-5.5").id == "openai/gpt-5.5"
        whole = api.chat.completions.create(model="default", messages=hi)
        stream = api.chat.completions.create(model="openai/gpt-5.5", messages=hi, stream=True)
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
        response = api.responses.create(model="openai/gpt-5.5", input="hi")
        events = [
            event.type
            for event in api.responses.create(model="openai/gpt-5.5", input="hi", stream=True)
        ]
        text = api.completions.create(model="openai/gpt-5.5", prompt="hi").choices[0].text
        vector = api.embeddings.create(model="embedding", input="hi", encoding_format="float")
    assert whole.choices[0].message.content == "claude-sonnet-5 heard: hi"
    assert "".join(pieces) == response.output_text == text == "gpt-5.5 heard: hi"
    assert len(pieces) > 2
    assert events[-1] == "response.completed"
    assert vector.data[0].embedding == [0.5, 1]


@pytest.mark.parametrize("own_tokens", [False, True])
def test_anthropic_s_client_on_every_path(services: Services, own_tokens: bool) -> None:
    base_url, key = door(services, own_tokens=own_tokens)
    hi: Any = [{"role": "user", "content": "hi"}]
    with anthropic.Anthropic(base_url=base_url, api_key=key) as api:
        names = {model.id: model.display_name for model in api.models.list(limit=1000)}
        one = api.models.retrieve("claude-sonnet-5")
        message = api.messages.create(model="default", max_tokens=10, messages=hi)
        with api.messages.stream(model="default", max_tokens=10, messages=hi) as stream:
            streamed = "".join(stream.text_stream)
        other = api.messages.create(model="openai/gpt-5.5", max_tokens=10, messages=hi)
    assert names["claude-sonnet-5"] == one.display_name == "Claude Sonnet 5"
    assert [block.to_dict()["text"] for block in message.content] == ["claude-sonnet-5 heard: hi"]
    assert streamed == "claude-sonnet-5 heard: hi"
    assert [block.to_dict()["text"] for block in other.content] == ["gpt-5.5 heard: hi"]


@pytest.mark.parametrize("own_tokens", [False, True])
@pytest.mark.parametrize("replayed", CLIENTS, ids=lambda one: one.name)
def test_each_client_s_own_requests_are_answered(
    services: Services, replayed: ReplayedClient, own_tokens: bool
) -> None:
    """What its picker shows is what docs/SERVICE.md says, and its call comes back whole."""
    base_url, key = door(services, own_tokens=own_tokens)
    shown = "no list: names are written in its settings"
    with client(base_url) as http:
        headers = replayed.headers_with(key)
        if replayed.list_path is not None:
            reply = http.get(replayed.list_path, headers=headers)
            assert reply.status_code == 200
            names = [name for name in replayed.reads(reply.json()) if not name.startswith(MORE)]
            shown = ", ".join(names)
        call = http.post(replayed.call_path, headers=headers, json=dict(replayed.call))
    assert call.status_code == 200
    assert replayed.whole in call.text
    row = f"| {replayed.name} | `GET {replayed.list_path}` | {shown} |"
    row = row.replace("`GET None`", "nothing")
    assert row in DOCS.read_text(encoding="utf-8"), row


def test_a_subscription_s_own_sign_in_reaches_anthropic_by_way_of_litellm(
    services: Services,
) -> None:
    replayed = next(one for one in CLIENTS if "subscription" in one.name)
    for own_tokens in (False, True):
        base_url, key = door(services, own_tokens=own_tokens)
        services.anthropic.seen.clear()
        with client(base_url) as http:
            headers = replayed.headers_with(key)
            http.post(replayed.call_path, headers=headers, json=dict(replayed.call))
        seen = services.anthropic.seen[-1].headers
        assert seen["authorization"] == "Bearer sk-ant-oat01-of-the-person"
        assert not [value for value in seen.values() if MASTER_KEY in value or TOKEN in value]


def test_a_token_of_ours_is_worth_nothing_at_litellm(services: Services) -> None:
    with client(services.litellm.base_url, x_api_key=TOKEN) as http:
        assert http.get("/v1/models").status_code == 400
    with client(services.with_own_tokens, x_api_key=MASTER_KEY) as http:
        assert http.get("/v1/models").status_code == 401


def test_the_page_opens(services: Services) -> None:
    with httpx.Client(trust_env=False) as http:
        assert http.get(services.passing_keys_on).status_code == 200
        assert http.get(services.with_own_tokens).status_code == 401
