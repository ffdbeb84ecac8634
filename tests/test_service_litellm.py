"""The service in front of LiteLLM's own proxy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import anthropic
import httpx
import openai
import pytest

from rollcall.service.app import create_app
from tests.litellm_proxy import MASTER_KEY, LiteLLMProxy, running_litellm
from tests.service.samples import INVENTORY, options
from tests.service.serving import client, serving

pytestmark = pytest.mark.litellm

TOKEN = "a-token-of-our-own"
CONFIG = """\
model_list:
  - model_name: claude-sonnet-5
    litellm_params:
      {model: anthropic/claude-sonnet-5, api_key: unused, mock_response: hello from sonnet}
    model_info: {id: rollcall/anthropic/claude-sonnet-5, display_name: Claude Sonnet 5}
  - model_name: openai/gpt-5.5
    litellm_params: {model: openai/gpt-5.5, api_key: unused, mock_response: hello from gpt}
router_settings:
  model_group_alias: {default: claude-sonnet-5}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


@dataclass(frozen=True)
class Services:
    """LiteLLM and two services in front of it."""

    litellm: LiteLLMProxy
    passing_keys_on: str
    with_own_tokens: str


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("litellm")
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    with ExitStack() as stack:
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
        yield Services(proxy, *urls)


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
            assert mine["metadata"]
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


@pytest.mark.parametrize("own_tokens", [False, True])
def test_openai_s_client_lists_and_chats(services: Services, own_tokens: bool) -> None:
    base_url = services.with_own_tokens if own_tokens else services.passing_keys_on
    key = TOKEN if own_tokens else MASTER_KEY
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key=key) as api:
        assert {"default", "claude-sonnet-5"} <= {model.id for model in api.models.list()}
        whole = api.chat.completions.create(
            model="default", messages=[{"role": "user", "content": "hi"}]
        )
        stream = api.chat.completions.create(
            model="openai/gpt-5.5", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert whole.choices[0].message.content == "hello from sonnet"
    assert "".join(pieces) == "hello from gpt"
    assert len(pieces) > 2


@pytest.mark.parametrize("own_tokens", [False, True])
def test_anthropic_s_client_lists_and_chats(services: Services, own_tokens: bool) -> None:
    base_url = services.with_own_tokens if own_tokens else services.passing_keys_on
    key = TOKEN if own_tokens else MASTER_KEY
    with anthropic.Anthropic(base_url=base_url, api_key=key) as api:
        names = {model.id: model.display_name for model in api.models.list(limit=1000)}
        message = api.messages.create(
            model="default", max_tokens=10, messages=[{"role": "user", "content": "hi"}]
        )
    assert names["claude-sonnet-5"] == "Claude Sonnet 5"
    assert [block.to_dict()["text"] for block in message.content] == ["hello from sonnet"]


def test_a_token_of_ours_is_worth_nothing_at_litellm(services: Services) -> None:
    with client(services.litellm.base_url, x_api_key=TOKEN) as http:
        assert http.get("/v1/models").status_code == 400
    with client(services.with_own_tokens, x_api_key=MASTER_KEY) as http:
        assert http.get("/v1/models").status_code == 401


def test_the_page_opens(services: Services) -> None:
    with httpx.Client(trust_env=False) as http:
        assert http.get(services.passing_keys_on).status_code == 200
        assert http.get(services.with_own_tokens).status_code == 401
