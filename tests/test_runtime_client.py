"""The client: roles and their fallbacks, what it sends, and connections that misbehave."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pydantic
import pytest

from rollcall.providers.chat import calling
from rollcall.runtime.errors import (
    InvalidMessages,
    NothingSelected,
    ProviderError,
    ProviderReplyInvalid,
    ProviderUnavailable,
    RoleNotDefined,
)
from tests.runtime_support import (
    HELLO,
    Slept,
    client_of,
    config_for,
    simulated,
    talking,
    write_config,
)
from tests.simulator.http import Reply


class ChatMessage(pydantic.BaseModel):
    """A typed message of an application."""

    role: str
    content: str
    name: str | None = None


def body_of(request: Any) -> Any:
    return json.loads(request.body)


def test_the_roles_params_and_the_calls_over_them(tmp_path: Path) -> None:
    extra = ", params: {temperature: 0.5, max_tokens: 9, seed: 1}"
    with simulated("openai") as server:
        path = write_config(tmp_path, config_for("openai", server.url + "/v1", extra=extra))
        with client_of(path) as client:
            client.run("chat", HELLO, {"temperature": 0, "seed": None, "top_p": 1})
    body = body_of(server.requests[0])
    assert body == {
        "model": "some-model",
        "messages": HELLO,
        "temperature": 0,
        "max_tokens": 9,
        "top_p": 1,
    }


def test_typed_messages_of_an_application(tmp_path: Path) -> None:
    with talking("openai", tmp_path) as (client, server):
        client.run("chat", [ChatMessage(role="user", content="Hello")])
    assert body_of(server.requests[0])["messages"] == HELLO


def test_messages_may_be_any_iterable_and_unicode_arrives(tmp_path: Path) -> None:
    with talking("openai", tmp_path) as (client, _):
        response = client.run("chat", iter([{"role": "user", "content": "Grüße ☕"}]))
    assert response.content == "some-model heard: Grüße ☕"


def test_half_a_surrogate_is_not_a_crash(tmp_path: Path) -> None:
    with talking("openai", tmp_path) as (client, _):
        assert client.run("chat", [{"role": "user", "content": "a\ud800b"}]).content


def test_a_stream_checks_before_it_is_listened_to(tmp_path: Path) -> None:
    with talking("openai", tmp_path) as (client, server):
        with pytest.raises(RoleNotDefined):
            client.stream("nobody", HELLO)
        with pytest.raises(InvalidMessages):
            client.astream("chat", [])
    assert server.requests == []


def test_a_client_can_be_used_again_after_it_was_closed(tmp_path: Path) -> None:
    with talking("openai", tmp_path) as (client, _):
        client.run("chat", HELLO)
        client.close()
        assert client.run("chat", HELLO).content


FALLBACKS = """
providers:
  openai: {{auth_profile: main, api_base: "{openai}/v1", max_retries: 0}}
  anthropic: {{auth_profile: main, api_base: "{anthropic}", max_retries: 0}}
roles:
  chat: {{provider: openai, model: first, params: {{max_tokens: 3}}, fallbacks: [spare]}}
  spare: {{provider: anthropic, model: second, params: {{max_tokens: 2}}}}
"""


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_any_error_of_the_provider_leads_to_the_fallback(status: int, tmp_path: Path) -> None:
    with simulated("openai") as first, simulated("anthropic") as second:
        first.replies += [Reply(status=status, body=b'{"error": {"message": "no"}}')]
        path = write_config(tmp_path, FALLBACKS.format(openai=first.url, anthropic=second.url))
        with client_of(path) as client:
            response = client.run("chat", HELLO)
    assert (response.provider, response.content) == ("anthropic", "second heard:")


def test_what_is_wrong_with_the_call_is_not_tried_elsewhere(tmp_path: Path) -> None:
    with simulated("openai") as first, simulated("anthropic") as second:
        path = write_config(tmp_path, FALLBACKS.format(openai=first.url, anthropic=second.url))
        with client_of(path) as client, pytest.raises(InvalidMessages):
            client.run("chat", [{"role": "wizard", "content": "x"}])
    assert second.requests == []


def test_fallbacks_in_an_event_loop(tmp_path: Path) -> None:
    async def story(path: Path) -> tuple[str, str]:
        async with client_of(path) as client:
            response = await client.arun("chat", HELLO)
            pieces = [piece async for piece in client.astream("chat", HELLO)]
        return response.content, "".join(pieces)

    with simulated("openai") as first, simulated("anthropic") as second:
        first.replies += [Reply(status=500), Reply(status=500)]
        path = write_config(tmp_path, FALLBACKS.format(openai=first.url, anthropic=second.url))
        assert asyncio.run(story(path)) == ("second heard:", "second heard:")


def test_a_role_that_selects_needs_a_catalog(tmp_path: Path) -> None:
    path = write_config(
        tmp_path,
        "providers: {openai: {auth_profile: main}}\nroles: {chat: {select: {family: gpt}}}",
    )
    with client_of(path) as client, pytest.raises(NothingSelected):
        client.run("chat", HELLO)


SHORT = {"content-type": "application/json", "content-length": "9999"}
HALF = [b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n']


def test_a_reply_cut_short_is_tried_again(tmp_path: Path) -> None:
    slept = Slept()
    with talking("openai", tmp_path, slept=slept) as (client, server):
        server.replies += [Reply(headers=SHORT, body=b"{")]
        assert client.run("chat", HELLO).content
    assert len(slept.seconds) == 1


def test_a_stream_whose_connection_breaks(tmp_path: Path) -> None:
    got: list[str] = []

    async def listen() -> None:
        async for piece in client.astream("chat", HELLO):
            got.append(piece)

    with talking("openai", tmp_path) as (client, server):
        server.replies += [Reply(headers=SHORT, body=HALF), Reply(headers=SHORT, body=HALF)]
        pieces = client.stream("chat", HELLO)
        assert next(pieces) == "Hel"
        with pytest.raises(ProviderUnavailable, match="broke off"):
            next(pieces)
        with pytest.raises(ProviderUnavailable, match="broke off"):
            asyncio.run(listen())
    assert got == ["Hel"]


def test_a_reply_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "MAX_REPLY_BYTES", 1000)
    huge = Reply(body=b" " * 2000)
    with talking("openai", tmp_path) as (client, server):
        server.replies += [huge, huge]
        with pytest.raises(ProviderReplyInvalid, match="too large"):
            client.run("chat", HELLO)
        with pytest.raises(ProviderReplyInvalid, match="too large"):
            asyncio.run(client.arun("chat", HELLO))


def test_a_proxy_variable_that_makes_no_sense_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://proxy.test")
    path = write_config(tmp_path, config_for("openai", "https://provider.test/v1"))
    with client_of(path) as client:
        with pytest.raises(ProviderError, match="proxy"):
            client.run("chat", HELLO)
        with pytest.raises(ProviderError, match="proxy"):
            asyncio.run(client.arun("chat", HELLO))


def test_loopback_goes_through_no_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with talking("openai", tmp_path) as (client, _):
        assert client.run("chat", HELLO).content
        assert asyncio.run(client.arun("chat", HELLO)).content
