"""What is no answer although it looks like one: errors inside a 200, streams that break off or say
nothing, answers that end because somebody declined; over sockets, in every protocol.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rollcall.runtime.errors import (
    AnswerRefused,
    Outcome,
    ProviderError,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from tests.runtime_support import (
    HELLO,
    KEY,
    TYPES,
    Slept,
    client_of,
    simulated,
    talking,
    write_config,
)
from tests.simulator.http import Reply

SSE = {"content-type": "text/event-stream"}


def whole(data: object) -> Reply:
    """A reply of status 200."""
    return Reply(body=json.dumps(data).encode())


def streamed(*events: object, end: str = "") -> Reply:
    """A stream of these events; texts are sent as they are."""
    lines = [
        event if isinstance(event, str) else f"data: {json.dumps(event)}\n\n" for event in events
    ]
    return Reply(headers=SSE, body=[line.encode() for line in [*lines, end]])


def chunk(text: str | None = None, **choice: Any) -> dict[str, Any]:
    """A chunk of Chat Completions."""
    delta = {"content": text} if text is not None else {}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None} | choice]}


def erring(error: object) -> dict[str, Any]:
    """OpenRouter's reply where the provider behind it broke off."""
    message = {"role": "assistant", "content": "half an ans"}
    choice = {"index": 0, "message": message, "finish_reason": "error", "error": error}
    return {"id": "x", "object": "chat.completion", "choices": [choice]}


# --- chunks that say nothing ---

NOTHING: dict[str, list[object]] = {
    "openai": [
        ": OPENROUTER PROCESSING\n\n", "event: ping\n\n", "data:\n\n", "data: null\n\n",
        "retry: 3000\n\n", "id: 7\n\n", {"choices": []}, {"choices": None}, {"object": "ping"},
        {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}, {"choices": [{}]},
        {"choices": [{"index": 0, "delta": None}]}, chunk(""), {"type": "keepalive"},
        {"choices": [{"index": 1, "delta": {"content": "another"}}]},
    ],
    "anthropic": [": hi\n\n", {"type": "ping"}, {"type": "something_new"}, {}, "data: null\n\n"],
    "gemini": [": hi\n\n", {}, {"usageMetadata": {}}, {"candidates": []}, {"candidates": None}],
    "perplexity": [": hi\n\n", {"type": "response.search.done"}, {}, {"type": "response.queued"}],
}  # fmt: skip


# --- errors inside a 200 ---

INSIDE: list[tuple[str, Any, type[ProviderError], int | None]] = [
    ("openrouter", erring({"code": 502, "message": "broke"}), ProviderUnavailable, 502),
    ("openrouter", erring({"code": "429", "message": "slow"}), ProviderRateLimited, 429),
    ("openrouter", erring({"code": "server_error", "message": "x"}), ProviderUnavailable, 500),
    ("openrouter", erring(None), ProviderUnavailable, 502),
    ("openrouter", {"error": {"code": 401, "message": "No auth"}}, ProviderRefusedKey, 401),
    ("openrouter", {"error": {"code": 502, "message": "x"}, "choices": [{}]},
     ProviderUnavailable, 502),
    ("deepseek", {"choices": [{"message": {"content": "ha"},
                               "finish_reason": "insufficient_system_resource"}]},
     ProviderUnavailable, 502),
    ("openai", {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}},
     ProviderRateLimited, 429),
    ("openai", {"base_resp": {"status_code": 1004, "status_msg": "login fail"}},
     ProviderRefusedKey, 401),
    ("openai", {"object": "error", "message": "no such model", "code": 404}, ProviderError, 404),
    ("openai", {"code": 503, "message": "warming up"}, ProviderUnavailable, 503),
    ("openai", {"code": "InvalidApiKey", "message": "Invalid API-key provided."},
     ProviderRefusedKey, 401),
    ("xai", {"code": "internal", "error": "it broke"}, ProviderUnavailable, 500),
    ("anthropic", {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
     ProviderUnavailable, 529),
    ("anthropic", {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}},
     ProviderRateLimited, 429),
    ("gemini", {"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}},
     ProviderUnavailable, 503),
    ("gemini", [{"error": {"message": "x", "status": "RESOURCE_EXHAUSTED"}}],
     ProviderRateLimited, 429),
    ("perplexity", {"status": "failed", "error": {"code": "server_error", "message": "x"},
                    "output": []}, ProviderUnavailable, 500),
    ("perplexity", {"status": "failed", "error": None, "output": []}, ProviderError, None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "reply", "error", "status"), INSIDE)
def test_an_error_inside_a_200_is_that_error(
    kind: str, reply: Any, error: type[ProviderError], status: int | None, tmp_path: Path
) -> None:
    with talking(kind, tmp_path) as (client, server):
        server.replies += [whole(reply)] * 3
        with pytest.raises(error) as caught:
            client.run("chat", HELLO)
        tries = len(server.requests)
    assert caught.value.status == status
    assert tries == (3 if status and (status >= 500 or status == 429) else 1)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("kind", TYPES)
def test_it_is_tried_again_and_then_answered(kind: str, tmp_path: Path) -> None:
    slept = Slept()
    broken = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}}
    with talking(kind, tmp_path, slept=slept) as (client, server):
        server.replies += [whole(broken), whole(broken)]
        assert client.run("chat", HELLO).content == "some-model heard: Hello"
        server.replies += [whole(broken), whole(broken)]
        assert "".join(client.stream("chat", HELLO)) == "some-model heard: Hello"
    assert len(slept.seconds) == 4


SAID = "response.output_text.delta"
DELTA = {"type": "text_delta", "text": "Hel"}
LAST: list[tuple[str, list[Any], type[ProviderError], int]] = [
    (
        "openrouter",
        [
            chunk("Hel"),
            {"error": {"code": 502, "message": "x"}, **chunk("", finish_reason="error")},
        ],
        ProviderUnavailable,
        502,
    ),
    (
        "openrouter",
        [chunk("Hel"), {"error": {"code": "server_error", "message": "x"}, "choices": []}],
        ProviderUnavailable,
        500,
    ),
    (
        "openrouter",
        [chunk("Hel"), chunk(finish_reason="error", error={"code": 429, "message": "x"})],
        ProviderRateLimited,
        429,
    ),
    ("openrouter", [chunk("Hel"), chunk(finish_reason="error")], ProviderUnavailable, 502),
    (
        "openai",
        [chunk("Hel"), {"choices": [], "base_resp": {"status_code": 1001, "status_msg": "t"}}],
        ProviderUnavailable,
        504,
    ),
    (
        "openai",
        [chunk("Hel"), {"object": "error", "message": "oom", "code": 500}],
        ProviderUnavailable,
        500,
    ),
    (
        "anthropic",
        [
            {"type": "content_block_delta", "index": 0, "delta": DELTA},
            {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
        ],
        ProviderUnavailable,
        529,
    ),
    (
        "gemini",
        [
            {"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]},
            {"error": {"code": 503, "message": "x"}},
        ],
        ProviderUnavailable,
        503,
    ),
    (
        "perplexity",
        [
            {"type": SAID, "delta": "Hel"},
            {"type": "error", "code": "rate_limit_exceeded", "message": "x"},
        ],
        ProviderRateLimited,
        429,
    ),
    (
        "perplexity",
        [
            {"type": SAID, "delta": "Hel"},
            {"type": "response.failed", "response": {"error": {"code": "server_error"}}},
        ],
        ProviderUnavailable,
        500,
    ),
]


@pytest.mark.parametrize(("kind", "events", "error", "status"), LAST)
def test_as_the_last_chunk_it_is_that_error_after_the_pieces(
    kind: str, events: list[object], error: type[ProviderError], status: int, tmp_path: Path
) -> None:
    with talking(kind, tmp_path) as (client, server):
        server.replies += [streamed(*events, end="data: [DONE]\n\n")]
        pieces = client.stream("chat", HELLO)
        assert next(pieces) == "Hel"
        with pytest.raises(error) as caught:
            list(pieces)
    assert caught.value.status == status
    assert pieces.response is None


@pytest.mark.parametrize(("kind", "events", "error", "status"), LAST)
def test_before_the_first_piece_it_is_tried_again_and_leads_to_the_fallback(
    kind: str, events: list[object], error: type[ProviderError], status: int, tmp_path: Path
) -> None:
    protocol, base = TYPES[kind]
    with simulated(protocol) as first, simulated("openai") as second:
        path = write_config(
            tmp_path,
            f"""
providers:
  {kind}: {{auth_profile: main, api_base: "{first.url}{base}", max_retries: 1}}
  spare: {{type: openai, auth_profile: main, api_base: "{second.url}/v1"}}
roles:
  chat: {{provider: {kind}, model: m, fallbacks: [{{provider: spare, model: other}}]}}
""",
        )
        with client_of(path) as client:
            first.replies += [streamed(*NOTHING.get(protocol, NOTHING["openai"]), *events[1:])] * 2
            assert "".join(client.stream("chat", HELLO)) == "other heard: Hello"
            first.replies += [streamed(*events[1:])]
            assert "".join(client.stream("chat", HELLO)) == "m heard: Hello"
    assert len(second.requests) == 1


def test_the_words_of_the_provider_behind_a_router_are_told(tmp_path: Path) -> None:
    raw = json.dumps({"error": {"message": "temperature: range is 0..1"}})
    error = {"code": 400, "message": "Provider returned error", "metadata": {"raw": raw}}
    with talking("openrouter", tmp_path) as (client, server):
        server.replies += [Reply(status=400, body=json.dumps({"error": error}).encode())]
        with pytest.raises(ProviderError, match=r"returned error: temperature: range is 0\.\.1"):
            client.run("chat", HELLO)


# --- what they are passed over by ---


@pytest.mark.parametrize("kind", NOTHING)
def test_events_that_say_nothing_are_passed_over_wherever_they_stand(
    kind: str, tmp_path: Path
) -> None:
    with simulated(TYPES[kind][0]) as plain:
        base = plain.url + TYPES[kind][1]
        text = f"providers: {{{kind}: {{auth_profile: main, api_base: '{base}'}}}}\n"
        path = write_config(tmp_path, text + f"roles: {{chat: {{provider: {kind}, model: m}}}}")
        with client_of(path) as client:
            list(client.stream("chat", HELLO))
            protocol = TYPES[kind][0]
            from tests.simulator.chat import answer

            reply = answer(protocol, plain.requests[0])
            assert reply
            assert not isinstance(reply.body, bytes)
            events = [event.decode() for event in reply.body]
            mixed: list[object] = []
            for event in events:
                mixed += [*NOTHING[kind], event]
            plain.replies += [streamed(*mixed, *NOTHING[kind])]
            pieces = client.stream("chat", HELLO)
            assert "".join(pieces) == "m heard: Hello"
    assert pieces.response
    assert pieces.response.finish_reason == "stop"


def test_tokens_counted_behind_the_answer_are_kept(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    events = [chunk("Hi"), chunk(finish_reason="stop"), {"choices": [], "usage": usage}]
    with talking("openai", tmp_path) as (client, server):
        server.replies += [streamed(*events)]
        pieces = client.stream("chat", HELLO)
        assert list(pieces) == ["Hi"]
    assert pieces.response
    assert (pieces.response.usage.input_tokens, pieces.response.usage.output_tokens) == (3, 5)
    assert (pieces.response.content, pieces.response.model) == ("Hi", "some-model")


# --- a stream that is answered with something else ---


def test_json_instead_of_a_stream_is_read_as_a_reply(tmp_path: Path) -> None:
    good = {"choices": [{"message": {"content": "all of it"}, "finish_reason": "stop"}]}
    with talking("openai", tmp_path) as (client, server):
        for headers in ({"content-type": "application/json"}, SSE, {}):
            server.replies += [Reply(headers=headers, body=json.dumps(good).encode())]
            assert list(client.stream("chat", HELLO)) == ["all of it"]


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ('{"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}',
         ProviderError, "insufficient balance"),
        ('{"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}',
         ProviderRefusedKey, "Incorrect"),
        ('\n {"detail": "the queue is full"}', ProviderReplyInvalid, "queue is full"),
        ("<html>Sign in</html>", ProviderReplyInvalid, "Sign in"),
        ("upstream connect error", ProviderReplyInvalid, "upstream connect error"),
        ("", ProviderReplyInvalid, "is empty"),
        ('{"choices": []}', ProviderReplyInvalid, "choices"),
    ],
)  # fmt: skip
def test_what_it_says_is_told_and_the_fallback_tried(
    body: str, error: type[ProviderError], words: str, tmp_path: Path
) -> None:
    with simulated("openai") as first, simulated("anthropic") as second:
        text = f"""
providers:
  openai: {{auth_profile: main, api_base: "{first.url}/v1"}}
  anthropic: {{auth_profile: main, api_base: "{second.url}"}}
roles:
  chat: {{provider: openai, model: m}}
  spared: {{provider: openai, model: m, fallbacks: [{{provider: anthropic, model: other}}]}}
"""
        with client_of(write_config(tmp_path, text)) as client:
            first.replies += [Reply(body=body.encode())] * 2
            with pytest.raises(error) as caught:
                list(client.stream("chat", HELLO))
            assert words in caught.value.what + caught.value.message
            assert "".join(client.stream("spared", HELLO)) == "other heard: Hello"


# --- why an answer ended ---


def candidate(reason: str, text: str = "") -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": reason}]}


FILTERS = ("SAFETY", "IMAGE_SAFETY", "RECITATION", "BLOCKLIST", "SPII", "LANGUAGE",
           "IMAGE_PROHIBITED_CONTENT", "NO_IMAGE", "SOMETHING_NEW")  # fmt: skip
ENDS: list[tuple[str, Any, list[Any], str, str]] = [
    ("gemini", {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
     [{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}], "refusal", "PROHIBITED_CONTENT"),
    ("gemini", candidate("OTHER"), [candidate("OTHER")], "other", "OTHER"),
    ("gemini", candidate("MALFORMED_FUNCTION_CALL"), [candidate("MALFORMED_FUNCTION_CALL")],
     "malformed_function_call", "MALFORMED"),
    ("anthropic", {"content": [], "stop_reason": "refusal"},
     [{"type": "message_delta", "delta": {"stop_reason": "refusal"}}, {"type": "message_stop"}],
     "refusal", "declined"),
    ("openai", {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]},
     [chunk("Hel"), chunk(finish_reason="content_filter")], "refusal", "content filter"),
    ("openai", {"choices": [{"message": {"refusal": "I cannot"}, "finish_reason": "stop"}]},
     [{"choices": [{"delta": {"refusal": "I "}}]}, {"choices": [{"delta": {"refusal": "cannot"}}]},
      chunk(finish_reason="stop")], "refusal", "I cannot"),
    ("perplexity", {"status": "incomplete", "output": [],
                    "incomplete_details": {"reason": "content_filter"}},
     [{"type": "response.incomplete", "response": {
         "status": "incomplete", "incomplete_details": {"reason": "content_filter"}}}],
     "refusal", "content filter"),
    ("perplexity", {"status": "completed", "output": [
        {"type": "message", "content": [{"type": "refusal", "refusal": "No"}]}]},
     [{"type": "response.refusal.delta", "delta": "No"},
      {"type": "response.completed", "response": {"status": "completed"}}], "refusal", "No"),
]  # fmt: skip


ENDS += [
    ("gemini", candidate(word), [candidate("", "Hel"), candidate(word)], "refusal", word)
    for word in FILTERS
]


@pytest.mark.parametrize(("kind", "reply", "events", "reason", "refusal"), ENDS)
def test_an_answer_that_is_none_says_so(
    kind: str, reply: Any, events: list[Any], reason: str, refusal: str, tmp_path: Path
) -> None:
    async def listen(path: Any) -> None:
        async for _ in path:
            pass

    with talking(kind, tmp_path) as (client, server):
        server.replies += [whole(reply), streamed(*events), streamed(*events)]
        response = client.run("chat", HELLO)
        pieces = client.stream("chat", HELLO)
        with pytest.raises(AnswerRefused) as caught:
            list(pieces)
        assert list(pieces) == []
        with pytest.raises(AnswerRefused):
            asyncio.run(listen(client.astream("chat", HELLO)))
    assert response.finish_reason == caught.value.finish_reason == reason
    assert refusal in (response.refusal or "")
    assert refusal in caught.value.refusal
    assert refusal in str(caught.value)
    assert caught.value.outcome is Outcome.DECLINED
    assert pieces.response
    assert (pieces.response.finish_reason, bool(pieces.response.refusal)) == (reason, True)


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        ("gemini", [{"usageMetadata": {"promptTokenCount": 1}}]),
        ("gemini", [{"candidates": []}]),
        ("gemini", [candidate("", "Hel")]),
        ("openai", [chunk("Hel")]),
        ("openai", []),
        ("anthropic", [{"type": "message_start", "message": {}}]),
        ("perplexity", [{"type": "response.created"}]),
    ],
)
def test_a_stream_without_an_end_is_no_answer(
    kind: str, events: list[object], tmp_path: Path
) -> None:
    with talking(kind, tmp_path) as (client, server):
        server.replies += [streamed(": hi\n\n", *events)] * 3
        with pytest.raises(ProviderReplyInvalid, match="before the answer was complete"):
            list(client.stream("chat", HELLO))


def test_one_that_ends_before_it_says_anything_is_tried_again(tmp_path: Path) -> None:
    with talking("openai", tmp_path) as (client, server):
        server.replies += [streamed(chunk("")), streamed()]
        assert "".join(client.stream("chat", HELLO)) == "some-model heard: Hello"
        assert len(server.requests) == 3


@pytest.mark.parametrize("kind", TYPES)
def test_a_cut_stream_says_length(kind: str, tmp_path: Path) -> None:
    with talking(kind, tmp_path) as (client, _):
        pieces = client.stream("chat", HELLO, {"max_tokens": 2})
        assert "".join(pieces) == "some-model heard:"
    assert pieces.response
    assert pieces.response.finish_reason == "length"


def test_servers_own_words_for_an_end(tmp_path: Path) -> None:
    for word, ours in (("eos", "stop"), ("model_length", "length"), ("pause", "pause")):
        reply = {"choices": [{"message": {"content": "x"}, "finish_reason": word}]}
        with talking("openai", tmp_path) as (client, server):
            server.replies += [whole(reply), streamed(chunk("x"), chunk(finish_reason=word))]
            assert client.run("chat", HELLO).finish_reason == ours
            assert list(client.stream("chat", HELLO)) == ["x"]


# --- hints that fit ---


def refused(http: int, message: str, **fields: Any) -> Reply:
    return Reply(status=http, body=json.dumps({"error": {"message": message, **fields}}).encode())


LOW = "Your credit balance is too low to access the Anthropic API."
QUOTA = "You exceeded your current quota, please check your plan and billing details."
RETRY = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "60s"}]
HINTS: list[tuple[str, Reply, Outcome, str]] = [
    ("deepseek", refused(402, "Insufficient Balance"), Outcome.NO_CREDIT, "Top up"),
    ("openrouter", refused(402, "This request requires more credits", code=402), Outcome.NO_CREDIT,
     "Top up"),
    ("anthropic", refused(400, LOW, type="invalid_request_error"), Outcome.NO_CREDIT, "Top up"),
    ("openai", refused(429, QUOTA, code="insufficient_quota"), Outcome.NO_CREDIT, "Top up"),
    ("openai", refused(429, QUOTA), Outcome.NO_CREDIT, "Top up"),
    ("xai", Reply(status=403, body=b'{"code": "x", "error": "Your team has no credits yet."}'),
     Outcome.NO_CREDIT, "Top up"),
    ("openrouter", refused(403, "Key limit exceeded (total limit). Manage it using ..."),
     Outcome.NO_CREDIT, "Raise the limit of the key in ORCH_AUTH_MAIN_API_KEY"),
    ("litellm", refused(400, "Budget has been exceeded! Current cost: 11, Max budget: 10"),
     Outcome.NO_CREDIT, "Raise the limit of the key"),
    ("gemini", refused(429, QUOTA, code=429, status="RESOURCE_EXHAUSTED", details=RETRY),
     Outcome.RATE_LIMITED, "Wait"),
    ("openai", refused(429, "Rate limit reached for gpt-x"), Outcome.RATE_LIMITED, "Wait"),
    ("openrouter", refused(404, "only supported in v1/responses"), Outcome.WRONG_ENDPOINT,
     "at /responses only"),
    ("openai", refused(404, "This is not a chat model and thus not supported in the "
                       "v1/chat/completions endpoint. Did you mean to use v1/completions?"),
     Outcome.WRONG_ENDPOINT, "no model to chat with"),
    ("openai", Reply(status=404, body=b"404 page not found"), Outcome.WRONG_ENDPOINT, "api_base"),
    ("openai", Reply(status=404, body=b'{"detail": "Not Found"}'), Outcome.WRONG_ENDPOINT,
     "api_base"),
    ("openai", refused(404, "The model `x` does not exist or you do not have access to it."),
     Outcome.NOT_FOUND, "model's name"),
    ("anthropic", refused(404, "model: claude-x", type="not_found_error"), Outcome.NOT_FOUND,
     "model's name"),
    ("gemini", refused(404, "models/x is not found for API version v1beta, or is not supported "
                       "for generateContent."), Outcome.NOT_FOUND, "model's name"),
    ("openrouter", refused(400, "x/y is not a valid model ID"), Outcome.NOT_FOUND, "model's name"),
    ("deepseek", refused(400, "Model Not Exist"), Outcome.NOT_FOUND, "model's name"),
    ("groq", refused(400, "The model `x` has been decommissioned and is no longer supported."),
     Outcome.NOT_FOUND, "model's name"),
    ("openai", refused(401, "Incorrect API key provided"), Outcome.REFUSED_KEY, "Check the key"),
    ("openai", refused(403, "Project x does not have access to model y"), Outcome.REFUSED_KEY,
     "what it may do"),
    ("openrouter", refused(403, "Your input was flagged by moderation"), Outcome.REFUSED_CALL,
     "Correct the call"),
    ("openai", refused(500, "oops"), Outcome.SERVER_ERROR, "later"),
    ("openai", Reply(status=504, body=b""), Outcome.TIMEOUT, "later"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "reply", "outcome", "hint"), HINTS)
def test_what_to_do_fits_what_happened(
    kind: str, reply: Reply, outcome: Outcome, hint: str, tmp_path: Path
) -> None:
    slept = Slept()
    TYPES.setdefault("groq", ("openai", "/openai/v1"))
    with talking(kind, tmp_path, slept=slept) as (client, server):
        server.replies += [reply] * 4
        with pytest.raises(ProviderError) as caught:
            client.run("chat", HELLO)
    assert caught.value.outcome is outcome
    assert hint in caught.value.hint
    again = outcome in (Outcome.RATE_LIMITED, Outcome.SERVER_ERROR, Outcome.TIMEOUT)
    assert caught.value.retryable is again
    waits = caught.value.wait_seconds is None
    assert len(slept.seconds) == (2 if again and waits else 0)
