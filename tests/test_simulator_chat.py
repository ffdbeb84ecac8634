"""The simulated completions: each provider's own protocol, replies that can be recognised."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.chat import answer
from tests.simulator.http import Reply, Request

USER = [{"role": "user", "content": "Say hello to the crew"}]
TOLD = {"role": "system", "content": "be brief"}


def call(protocol: str, path: str, body: object, **headers: str) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    path, _, query = path.partition("?")
    pairs = dict(pair.split("=") for pair in query.split("&") if pair)
    reply = answer(protocol, Request("POST", path, pairs, headers, data))
    assert reply is not None
    return reply


def body_of(reply: Reply) -> Any:
    assert isinstance(reply.body, bytes)
    return json.loads(reply.body)


def chunks_of(reply: Reply) -> list[bytes]:
    assert not isinstance(reply.body, bytes)
    return list(reply.body)


def events_of(reply: Reply) -> list[Any]:
    """The data of a server-sent stream, `[DONE]` left as it is."""
    text = b"".join(chunks_of(reply)).decode().replace("\r\n", "\n")
    lines = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/chat/completions", "/api/v1/chat/completions"]
)
@pytest.mark.parametrize("protocol", ["openai", "xai", "openrouter", "ollama"])
def test_chat_completions_answer_under_any_prefix(protocol: str, path: str) -> None:
    reply = body_of(call(protocol, path, {"model": "m-1", "messages": [TOLD, *USER]}))

    assert reply["choices"][0]["message"]["content"] == (
        "m-1 (told: be brief) heard: Say hello to the crew"
    )
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["usage"] == {"prompt_tokens": 7, "completion_tokens": 10, "total_tokens": 17}


def test_max_tokens_cut_the_answer_and_say_length() -> None:
    body = {"model": "m-1", "messages": USER, "max_tokens": 2}
    choice = body_of(call("openai", "/v1/chat/completions", body))["choices"][0]
    assert choice["message"]["content"] == "m-1 heard:"
    assert choice["finish_reason"] == "length"


def test_a_stop_sequence_ends_the_answer() -> None:
    body = {"model": "m-1", "messages": USER, "stop": ["crew", " hello"]}
    choice = body_of(call("openai", "/v1/chat/completions", body))["choices"][0]
    assert choice["message"]["content"] == "m-1 heard: Say"


def test_openai_reasoning_models_refuse_max_tokens() -> None:
    body = {"model": "gpt-5.5", "messages": USER, "max_tokens": 2}
    reply = call("openai", "/v1/chat/completions", body)
    assert reply.status == 400
    assert "max_completion_tokens" in body_of(reply)["error"]["message"]


def test_a_chat_stream_adds_up_to_the_plain_reply_and_ends_with_done() -> None:
    body: dict[str, object] = {"model": "m-1", "messages": USER}
    whole = body_of(call("openai", "/v1/chat/completions", body))
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    events = events_of(call("openai", "/v1/chat/completions", body))

    assert events[-1] == "[DONE]"
    assert events[-2]["choices"] == []
    assert events[-2]["usage"] == whole["usage"]
    deltas = [event["choices"][0]["delta"].get("content", "") for event in events[:-2]]
    assert "".join(deltas) == whole["choices"][0]["message"]["content"]


@pytest.mark.parametrize("protocol", ["openai", "perplexity"])
def test_responses_answer_text_and_lists_of_messages(protocol: str) -> None:
    told = {"model": "acme/m", "instructions": "be brief"}
    plain = body_of(call(protocol, "/v1/responses", told | {"input": "Hello"}))
    messages = [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}]
    listed = body_of(call(protocol, "/v1/responses", told | {"input": messages}))

    assert plain == listed
    assert plain["status"] == "completed"
    assert plain["output"][0]["content"][0]["text"] == "acme/m (told: be brief) heard: Hello"
    assert plain["usage"]["total_tokens"] == plain["usage"]["input_tokens"] + 6


def test_a_responses_stream_ends_with_the_plain_reply() -> None:
    body = {"model": "acme/m", "input": "Hello", "max_output_tokens": 1}
    whole = body_of(call("perplexity", "/v1/responses", body))
    events = events_of(call("perplexity", "/v1/responses", body | {"stream": True}))

    assert whole["status"] == "incomplete"
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["output"] == whole["output"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_perplexity_says_that_its_chat_endpoint_is_gone() -> None:
    reply = call("perplexity", "/chat/completions", {"model": "sonar", "messages": USER})
    assert reply.status == 403
    assert "/v1/responses" in body_of(reply)["error"]["message"]


ANTHROPIC = {"anthropic-version": "2023-06-01"}


def test_anthropic_answers_messages() -> None:
    body = {"model": "claude-x", "system": "be brief", "messages": USER, "max_tokens": 99}
    reply = body_of(call("anthropic", "/v1/messages", body, **ANTHROPIC))
    assert reply["content"] == [
        {"type": "text", "text": "claude-x (told: be brief) heard: Say hello to the crew"}
    ]
    assert reply["stop_reason"] == "end_turn"
    assert reply["usage"]["output_tokens"] == 10


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"messages": [TOLD]}, "messages.0.role"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "user", "content": ""}, *USER]}, "non-empty"),
    ],
)
def test_anthropic_refuses_what_the_real_one_refuses(
    change: dict[str, object], complaint: str
) -> None:
    body = {"model": "claude-x", "messages": USER, "max_tokens": 9} | change
    reply = call("anthropic", "/v1/messages", body, **ANTHROPIC)
    assert reply.status == 400
    assert body_of(reply)["type"] == "error"
    assert complaint in body_of(reply)["error"]["message"]


def test_anthropic_wants_its_version_header() -> None:
    body = {"model": "claude-x", "messages": USER, "max_tokens": 9}
    assert call("anthropic", "/v1/messages", body).status == 400


def test_an_anthropic_stream_adds_up_to_the_plain_reply() -> None:
    body: dict[str, object] = {"model": "claude-x", "messages": USER, "max_tokens": 3}
    whole = body_of(call("anthropic", "/v1/messages", body, **ANTHROPIC))
    events = events_of(call("anthropic", "/v1/messages", body | {"stream": True}, **ANTHROPIC))

    text = "".join(e["delta"]["text"] for e in events if e["type"] == "content_block_delta")
    assert text == whole["content"][0]["text"]
    assert events[0]["type"] == "message_start"
    assert events[-2]["delta"]["stop_reason"] == whole["stop_reason"] == "max_tokens"
    assert events[-1]["type"] == "message_stop"


GEMINI_CALL = {
    "systemInstruction": {"parts": [{"text": "be brief"}]},
    "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
}


def test_gemini_generates_content() -> None:
    reply = body_of(call("gemini", "/v1beta/models/gemini-x:generateContent", GEMINI_CALL))
    candidate = reply["candidates"][0]
    assert candidate["content"]["parts"][0]["text"] == "gemini-x (told: be brief) heard: Hello"
    assert candidate["finishReason"] == "STOP"
    assert reply["usageMetadata"]["promptTokenCount"] == 3


def test_gemini_streams_events_or_an_array() -> None:
    path = "/v1beta/models/gemini-x:streamGenerateContent"
    body = GEMINI_CALL | {"generationConfig": {"maxOutputTokens": 2}}
    events = events_of(call("gemini", f"{path}?alt=sse", body))
    assert events == body_of(call("gemini", path, body))
    assert [e["candidates"][0]["content"]["parts"][0]["text"] for e in events] == [
        "gemini-x",
        " (told:",
        "",
    ]
    assert events[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_gemini_knows_no_role_system() -> None:
    body = {"contents": [{"role": "system", "parts": [{"text": "x"}]}]}
    reply = call("gemini", "/v1beta/models/m:generateContent", body)
    assert reply.status == 400
    assert body_of(reply)["error"]["status"] == "INVALID_ARGUMENT"


def test_ollama_streams_lines_unless_told_otherwise() -> None:
    body = {"model": "llama", "messages": [TOLD, *USER], "options": {"num_predict": 3}}
    lines = [json.loads(line) for line in chunks_of(call("ollama", "/api/chat", body))]
    whole = body_of(call("ollama", "/api/chat", body | {"stream": False}))

    assert "".join(line["message"]["content"] for line in lines) == whole["message"]["content"]
    assert lines[-1]["done_reason"] == whole["done_reason"] == "length"
    assert whole["eval_count"] == 3


def test_ollama_generates_from_a_prompt() -> None:
    body = {"model": "llama", "prompt": "Hello", "stream": False}
    reply = body_of(call("ollama", "/api/generate", body))
    assert reply["response"] == "llama heard: Hello"


@pytest.mark.parametrize("protocol", ["openai", "anthropic", "gemini", "perplexity", "ollama"])
def test_other_paths_and_methods_are_not_completions(protocol: str) -> None:
    assert answer(protocol, Request("POST", "/v1/models", {}, {})) is None
    assert answer(protocol, Request("GET", "/v1/chat/completions", {}, {})) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model": "m"}', b'{"messages": "hi"}'])
def test_a_broken_call_is_a_400_never_a_crash(body: bytes) -> None:
    for protocol, path in [
        ("openai", "/v1/chat/completions"),
        ("openai", "/v1/responses"),
        ("anthropic", "/v1/messages"),
        ("gemini", "/v1beta/models/m:generateContent"),
        ("ollama", "/api/chat"),
    ]:
        assert call(protocol, path, body, **ANTHROPIC).status == 400


def test_the_same_call_gives_the_same_bytes() -> None:
    body = {"model": "m", "messages": USER}
    first, second = (call("openai", "/v1/chat/completions", body).body for _ in range(2))
    assert first == second
