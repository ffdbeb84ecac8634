"""Each protocol's request and reply shapes, as the providers document them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import respx

from rollcall.providers.chat.endpoint import TYPES, root_of
from rollcall.providers.chat.messages import Message
from rollcall.runtime.adapter import ProviderAdapter
from rollcall.runtime.errors import (
    InvalidMessages,
    InvalidParams,
    LLMError,
    ProviderError,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderReplyInvalid,
    ProviderTimeout,
    ProviderUnavailable,
)
from rollcall.runtime.network import Network
from rollcall.runtime.resolution import ResolvedLLMConfig
from tests.runtime_support import HELLO, KEY, Slept

CHAT = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi"},
    {"role": "user", "content": [{"type": "text", "text": "Bye"}]},
]
PARAMS = {"temperature": 0.5, "max_tokens": 7, "top_p": 0.9, "stop": "END", "seed": 3}

OPENAI_REPLY: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x-2026-01-01",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Good day", "refusal": None},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13},
}
ANTHROPIC_REPLY: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x-1",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Good day"},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "cache_read_input_tokens": 100, "output_tokens": 2},
}
GEMINI_REPLY: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [{"text": "hm", "thought": True}, {"text": "Good "}, {"text": "day"}],
            },
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 11,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 30,
        "totalTokenCount": 43,
    },
    "modelVersion": "gemini-x-001",
}
PERPLEXITY_REPLY: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "perplexity/sonar",
    "output": [
        {"type": "search_results", "results": []},
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Good day", "annotations": []}],
        },
    ],
    "usage": {"input_tokens": 11, "output_tokens": 2, "total_tokens": 13},
}
REPLIES = {
    "anthropic": ("/v1/messages", ANTHROPIC_REPLY),
    "gemini": ("/models/m:generateContent", GEMINI_REPLY),
    "perplexity": ("/v1/responses", PERPLEXITY_REPLY),
}
NETWORK = Network(sleep=Slept())


def adapter(kind: str, slept: Slept | None = None, **changes: Any) -> ProviderAdapter:
    row = TYPES[kind]
    fields: dict[str, Any] = {
        "provider": kind,
        "model": "",
        "api_key": KEY,
        "api_base": root_of(row, row.base_url),
        "type": kind,
        "key_variable": "ORCH_AUTH_MAIN_API_KEY",
    }
    config = ResolvedLLMConfig(**fields | changes)
    network = Network(sleep=slept) if slept else NETWORK
    return ProviderAdapter(config, network, jitter=lambda: 1.0)


def path_of(kind: str) -> str:
    below, _ = REPLIES.get(kind, ("/chat/completions", {}))
    return adapter(kind).config.api_base + below


def reply_of(kind: str) -> dict[str, Any]:
    return REPLIES.get(kind, ("", OPENAI_REPLY))[1]


def sent(kind: str, messages: Any = CHAT, params: Any = None, model: str = "m") -> Any:
    """(headers, body) of the request that a call becomes."""
    with respx.mock:
        route = respx.post(url__regex=".*").respond(json=reply_of(kind))
        adapter(kind).run_chat(model, messages, params)
    request = route.calls.last.request
    return request, json.loads(request.content)


@pytest.mark.parametrize("kind", TYPES)
def test_a_good_reply_is_read_whoever_it_comes_from(kind: str) -> None:
    with respx.mock:
        route = respx.post(path_of(kind)).respond(json=reply_of(kind))
        response = adapter(kind).run_chat("m", HELLO, {"max_tokens": 9})

    assert route.called
    assert response.content == "Good day"
    assert response.provider == kind
    assert response.raw == reply_of(kind)
    assert response.finish_reason == "stop"
    assert response.refusal is None
    assert response.model != "m"
    inputs, outputs = (111, 2) if kind == "anthropic" else (11, 32 if kind == "gemini" else 2)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (inputs, outputs)


def test_openai_gets_its_own_shape() -> None:
    request, body = sent("openai", params=PARAMS)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "m",
        "messages": CHAT,
        "temperature": 0.5,
        "max_completion_tokens": 7,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 3,
    }


@pytest.mark.parametrize("kind", ["deepseek", "qwen", "openrouter", "xai", "litellm"])
def test_those_who_speak_openais_protocol_know_max_tokens(kind: str) -> None:
    _, body = sent(kind, params=PARAMS)
    assert body["max_tokens"] == 7
    assert "max_completion_tokens" not in body


def test_a_developer_is_a_system_where_it_is_not_known() -> None:
    messages = [{"role": "developer", "content": "be brief"}, *HELLO]
    assert sent("openai", messages)[1]["messages"][0]["role"] == "developer"
    assert sent("deepseek", messages)[1]["messages"][0]["role"] == "system"
    assert sent("anthropic", messages)[1]["system"] == "be brief"


def test_tool_messages_pass_through_openais_protocol() -> None:
    messages = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]
    assert sent("openrouter", messages)[1]["messages"] == messages


def test_anthropic_gets_its_own_shape() -> None:
    request, body = sent("anthropic", params={**PARAMS, "seed": None, "top_k": 5})
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert body == {
        "model": "m",
        "system": "be brief",
        "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": [{"type": "text", "text": "Bye"}]},
        ],
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "top_k": 5,
    }


def test_anthropic_gets_the_limit_it_requires() -> None:
    assert sent("anthropic")[1]["max_tokens"] == 4096


def test_gemini_gets_its_own_shape() -> None:
    request, body = sent(
        "gemini",
        params={**PARAMS, "safetySettings": [], "generationConfig": {"topK": 5}},
        model="models/gemini-x",
    )
    assert request.headers["x-goog-api-key"] == KEY
    assert KEY not in str(request.url)
    assert request.url.path == "/v1beta/models/gemini-x:generateContent"
    assert body == {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {"role": "model", "parts": [{"text": "Hi"}]},
            {"role": "user", "parts": [{"text": "Bye"}]},
        ],
        "generationConfig": {
            "temperature": 0.5,
            "topP": 0.9,
            "maxOutputTokens": 7,
            "stopSequences": ["END"],
            "topK": 5,
            "seed": 3,
        },
        "safetySettings": [],
    }


def test_a_model_name_cannot_leave_its_place_in_the_address() -> None:
    request, _ = sent("gemini", model="../../evil?x=1#")
    assert request.url.raw_path == b"/v1beta/models/..%2F..%2Fevil%3Fx%3D1%23:generateContent"


def test_perplexity_gets_its_own_shape() -> None:
    _, body = sent("perplexity", params={**PARAMS, "stop": None})
    assert body == {
        "model": "m",
        "instructions": "be brief",
        "input": [
            {"type": "message", "role": "user", "content": "Hello"},
            {"type": "message", "role": "assistant", "content": "Hi"},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Bye"}],
            },
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 7,
        "seed": 3,
    }


def test_perplexity_has_presets_beside_models() -> None:
    body = sent("perplexity", model="preset/low")[1]
    assert body["preset"] == "low"
    assert "model" not in body


IMAGE = "data:image/png;base64,AAAA"
SEEN = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": IMAGE}},
        ],
    }
]


def test_images_are_translated() -> None:
    anthropic = sent("anthropic", SEEN)[1]["messages"][0]["content"][1]
    assert anthropic["source"] == {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    gemini = sent("gemini", SEEN)[1]["contents"][0]["parts"][1]
    assert gemini == {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    perplexity = sent("perplexity", SEEN)[1]["input"][0]["content"][1]
    assert perplexity == {"type": "input_image", "image_url": IMAGE}
    assert sent("openai", SEEN)[1]["messages"] == SEEN


class Typed:
    """A message object as other libraries have them."""

    def __init__(self, role: str, content: str) -> None:
        self.role = role
        self.content = content


def test_messages_may_be_objects() -> None:
    expected = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "Hello"}]
    for kind in (Message, Typed):
        messages = [kind("system", "be brief"), kind("user", "Hello")]
        assert sent("deepseek", messages)[1]["messages"] == expected


BAD_MESSAGES: list[tuple[str, Any, str]] = [
    ("openai", [], "is empty"),
    ("openai", "Hello", "not a list of messages"),
    ("openai", [{"role": "system", "content": "x"}], "no user message"),
    ("openai", [{"role": "wizard", "content": "x"}], "the role 'wizard'"),
    ("openai", [{"role": "user"}], "has no content"),
    ("openai", [{"role": "user", "content": 5}], "of type int"),
    ("openai", [{"role": "user", "content": ["x"]}], "not a typed one"),
    ("anthropic", [{"role": "user", "content": ""}], "is empty"),
    ("anthropic", [{"role": "user", "content": "  "}], "blank text"),
    ("anthropic", [{"role": "assistant", "content": "x"}], "user's first"),
    ("anthropic", [*HELLO, {"role": "tool", "content": "x"}], "the role 'tool'"),
    ("gemini", [{"role": "user", "content": ""}], "is empty"),
    ("gemini", [*HELLO, {"role": "tool", "content": "x"}], "the role 'tool'"),
    (
        "gemini",
        [{"role": "user", "content": [{"type": "image_url", "image_url": "https://x/y.png"}]}],
        "does not fetch",
    ),
    ("perplexity", [{"role": "user", "content": [{"type": "audio"}]}], "type 'audio'"),
]


@pytest.mark.parametrize(("kind", "messages", "complaint"), BAD_MESSAGES)
def test_messages_a_provider_would_refuse_are_not_sent(
    kind: str, messages: Any, complaint: str
) -> None:
    with respx.mock, pytest.raises(InvalidMessages, match=complaint):
        adapter(kind).run_chat("m", messages)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("openai", {"temperature": 2.1}),
        ("openai", {"temperature": "hot"}),
        ("openai", {"top_p": -1}),
        ("openai", {"max_tokens": 0}),
        ("openai", {"max_tokens": True}),
        ("openai", {"stop": [""]}),
        ("openai", {"model": "other"}),
        ("openai", {"stream": True}),
        ("anthropic", {"temperature": 1.5}),
        ("perplexity", {"stop": "END"}),
    ],
)
def test_params_a_provider_would_refuse_are_not_sent(kind: str, params: dict[str, Any]) -> None:
    with respx.mock, pytest.raises(InvalidParams):
        adapter(kind).run_chat("m", HELLO, params)


def altered(kind: str, **changes: Any) -> dict[str, Any]:
    return {**reply_of(kind), **changes}


def choice(**changes: Any) -> list[dict[str, Any]]:
    row = {"message": {"role": "assistant", "content": None}, "finish_reason": "stop"}
    return [row | changes]


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    (
        "openai",
        altered("openai", choices=choice(message={"content": None, "refusal": "I cannot"})),
        "I cannot",
    ),
    ("openai", altered("openai", choices=choice(finish_reason="content_filter")), "content filter"),
    ("anthropic", altered("anthropic", content=[], stop_reason="refusal"), "declined"),
    ("gemini", {"promptFeedback": {"blockReason": "SAFETY"}}, "SAFETY"),
    ("gemini", altered("gemini", candidates=[{"finishReason": "RECITATION"}]), "RECITATION"),
    (
        "perplexity",
        altered(
            "perplexity",
            output=[{"type": "message", "content": [{"type": "refusal", "refusal": "No"}]}],
        ),
        "No",
    ),
]


@pytest.mark.parametrize(("kind", "reply", "why"), REFUSALS)
def test_a_refusal_is_an_answer_without_content(kind: str, reply: dict[str, Any], why: str) -> None:
    with respx.mock:
        respx.post(path_of(kind)).respond(json=reply)
        response = adapter(kind).run_chat("m", HELLO)
    assert response.content == ""
    assert response.finish_reason == "refusal"
    assert why in (response.refusal or "")


EMPTY: list[tuple[str, dict[str, Any]]] = [
    ("openai", altered("openai", choices=choice())),
    ("openai", altered("openai", choices=choice(message={"content": []}))),
    ("anthropic", altered("anthropic", content=[])),
    ("gemini", altered("gemini", candidates=[{"finishReason": "STOP"}])),
    ("perplexity", altered("perplexity", output=[])),
]


@pytest.mark.parametrize(("kind", "reply"), EMPTY)
def test_empty_content_is_an_empty_text(kind: str, reply: dict[str, Any]) -> None:
    with respx.mock:
        respx.post(path_of(kind)).respond(json={**reply, "usage": None, "usageMetadata": None})
        response = adapter(kind).run_chat("m", HELLO)
    assert response.content == ""
    assert response.refusal is None
    assert response.usage.input_tokens is None


ERRORS: list[tuple[str, int, Any, type[ProviderError], str]] = [
    ("openai", 401, {"error": {"message": f"Incorrect API key: {KEY}"}}, ProviderRefusedKey, "key"),
    ("anthropic", 401, {"type": "error", "error": {"message": "bad"}}, ProviderRefusedKey, "bad"),
    ("gemini", 400, {"error": {"message": "API key not valid."}}, ProviderRefusedKey, "not valid"),
    ("gemini", 400, [{"error": {"message": "no such field"}}], ProviderError, "no such field"),
    ("xai", 400, {"code": "x", "error": "Incorrect API key provided"}, ProviderRefusedKey, "key"),
    ("xai", 404, {"code": "x", "error": "no such model"}, ProviderError, "no such model"),
    ("perplexity", 403, {"error": {"message": "gone", "code": 403}}, ProviderRefusedKey, "gone"),
    ("deepseek", 402, "Insufficient Balance", ProviderError, "Insufficient"),
    ("openrouter", 429, {"error": {"message": "busy"}}, ProviderRateLimited, "busy"),
    ("qwen", 500, "<html><h1>Oops</h1></html>", ProviderUnavailable, "Oops"),
    ("anthropic", 529, {"error": {"message": "Overloaded"}}, ProviderUnavailable, "Overloaded"),
    ("openai", 418, {"detail": "teapot"}, ProviderError, "teapot"),
    ("openai", 400, b"\xff\xfe\x00", ProviderError, ""),
]


@pytest.mark.parametrize(("kind", "status", "body", "error", "message"), ERRORS)
def test_a_refused_call_says_who_and_why(
    kind: str, status: int, body: Any, error: type[ProviderError], message: str
) -> None:
    given = {"content": body} if isinstance(body, str | bytes) else {"json": body}
    with respx.mock:
        respx.post(path_of(kind)).mock(return_value=httpx.Response(status, **given))
        with pytest.raises(error) as caught:
            adapter(kind, max_retries=0).run_chat("m", HELLO)
    assert type(caught.value) is error
    assert caught.value.provider == kind
    assert caught.value.status == status
    assert message in caught.value.message
    assert KEY not in str(caught.value) + repr(caught.value) + caught.value.message


def test_a_key_of_another_region_is_told_in_the_library_too() -> None:
    """A DashScope key works in one region, and its refusal says nothing of that."""
    with respx.mock:
        respx.post(path_of("qwen")).respond(401, json={"error": {"message": "bad key"}})
        with pytest.raises(ProviderRefusedKey) as caught:
            adapter("qwen").run_chat("m", HELLO)
    assert "DashScope keys belong to one region: set api_base to yours." in str(caught.value.hint)


def test_a_provider_cannot_colour_the_terminal_or_fill_it() -> None:
    with respx.mock:
        words = "\x1b[31mred\r\nnext\u202eline " + "long " * 10_000
        respx.post(path_of("openai")).respond(400, json={"error": {"message": words}})
        with pytest.raises(ProviderError) as caught:
            adapter("openai").run_chat("m", HELLO)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 600


NOT_COMPLETIONS: list[tuple[str, bytes]] = [
    ("openai", b"<html>Sign in</html>"),
    ("openai", b"[]"),
    ("openai", b"{}"),
    ("openai", b'{"choices": []}'),
    ("openai", b'{"choices": [{}]}'),
    ("openai", b'{"choices": '),
    ("openai", b"[" * 100_000),
    ("anthropic", b'{"content": "text"}'),
    ("gemini", b'{"candidates": []}'),
    ("perplexity", b'{"output": null}'),
]


@pytest.mark.parametrize(("kind", "body"), NOT_COMPLETIONS)
def test_200_with_something_else_is_an_error(kind: str, body: bytes) -> None:
    with respx.mock:
        respx.post(path_of(kind)).respond(content=body)
        with pytest.raises(ProviderReplyInvalid):
            adapter(kind).run_chat("m", HELLO)


def test_200_with_an_error_in_it_is_that_error() -> None:
    with respx.mock:
        body = {"error": {"message": "Provider returned error", "code": 502}}
        respx.post(path_of("openrouter")).respond(json=body)
        with pytest.raises(ProviderUnavailable) as caught:
            adapter("openrouter").run_chat("m", HELLO)
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("raised", "error", "attempts"),
    [
        (httpx.ConnectError("refused"), ProviderUnavailable, 3),
        (httpx.RemoteProtocolError("reset"), ProviderUnavailable, 3),
        (httpx.ReadTimeout("slow"), ProviderTimeout, 1),
    ],
)
def test_silence_is_an_error_too(
    raised: httpx.HTTPError, error: type[ProviderError], attempts: int
) -> None:
    slept = Slept()
    with respx.mock:
        route = respx.post(path_of("openai")).mock(side_effect=raised)
        with pytest.raises(error) as caught:
            adapter("openai", slept).run_chat("m", HELLO)
    assert caught.value.status is None
    assert route.call_count == attempts
    assert slept.seconds == [0.5, 1.0][: attempts - 1]


def test_google_names_its_pause_in_the_body() -> None:
    slept = Slept()
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}]
    busy = httpx.Response(429, json={"error": {"code": 429, "message": "x", "details": details}})
    with respx.mock:
        good = httpx.Response(200, json=GEMINI_REPLY)
        respx.post(path_of("gemini")).mock(side_effect=[busy, good])
        assert adapter("gemini", slept).run_chat("m", HELLO).content == "Good day"
    assert slept.seconds == [3]


def test_a_spent_account_is_not_asked_again() -> None:
    slept = Slept()
    body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    with respx.mock:
        route = respx.post(path_of("openai")).respond(429, json=body)
        with pytest.raises(ProviderRateLimited):
            adapter("openai", slept).run_chat("m", HELLO)
    assert route.call_count == 1


def test_a_retry_after_may_be_a_date() -> None:
    slept = Slept()
    header = {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}
    with respx.mock:
        good = httpx.Response(200, json=OPENAI_REPLY)
        busy = [
            httpx.Response(503, headers=header),
            httpx.Response(503, headers={"retry-after": "?"}),
        ]
        respx.post(path_of("openai")).mock(side_effect=[*busy, good])
        adapter("openai", slept).run_chat("m", HELLO)
    assert slept.seconds == [0, 1.0]


def test_no_key_is_in_any_repr() -> None:
    one = adapter("openai")
    assert KEY not in repr(one) + repr(one.config) + str(one.config)


def test_every_error_is_a_known_one_with_two_lines() -> None:
    with respx.mock:
        respx.post(path_of("openai")).respond(500)
        with pytest.raises(LLMError) as caught:
            adapter("openai", max_retries=0).run_chat("m", HELLO)
    what, hint = str(caught.value).split("\n")
    assert "openai" in what
    assert hint
