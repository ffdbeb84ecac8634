"""The official clients list models and chat through the service."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from rollcall.service.app import create_app
from tests.service.fake_litellm import KEY, NAMES, FakeLiteLLM
from tests.service.samples import INVENTORY, options
from tests.service.serving import serving


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with FakeLiteLLM() as litellm:
        litellm.release.set()
        chosen = options(litellm.url, folder=tmp_path_factory.mktemp("s"))
        with serving(create_app(chosen, inventory=lambda: INVENTORY)) as base_url:
            yield base_url


def test_openai_lists_models(base_url: str) -> None:
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key=KEY) as client:
        models = list(client.models.list())
        assert [model.id for model in models] == list(NAMES)
        assert models[1].model_dump()["metadata"]["context"] == 1_000_000
        assert client.models.retrieve("openai/gpt-5.5").id == "openai/gpt-5.5"


def test_openai_chats(base_url: str) -> None:
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key=KEY) as client:
        whole = client.chat.completions.create(
            model="default", messages=[{"role": "user", "content": "hi"}]
        )
        stream = client.chat.completions.create(
            model="default", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert whole.choices[0].message.content == "hello"
    assert pieces == ["hel", "lo"]


def test_openai_knows_a_wrong_key(base_url: str) -> None:
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="sk-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            client.models.list()
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="default", messages=[])


def test_anthropic_lists_models(base_url: str) -> None:
    with anthropic.Anthropic(base_url=base_url, api_key=KEY) as client:
        page = client.models.list(limit=1000)
        assert [model.id for model in page.data] == list(NAMES)
        assert page.data[1].display_name == "Claude Sonnet 5"
        assert page.has_more is False
        assert client.models.retrieve("claude-sonnet-5").display_name == "Claude Sonnet 5"


def test_anthropic_chats(base_url: str) -> None:
    with anthropic.Anthropic(base_url=base_url, api_key=KEY) as client:
        whole = client.messages.create(
            model="default", max_tokens=10, messages=[{"role": "user", "content": "hi"}]
        )
        with client.messages.stream(
            model="default", max_tokens=10, messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            streamed = "".join(stream.text_stream)
    assert [block.to_dict()["text"] for block in whole.content] == ["hello"]
    assert streamed == "hello"


def test_anthropic_knows_a_wrong_key(base_url: str) -> None:
    with (
        anthropic.Anthropic(base_url=base_url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.models.list()
