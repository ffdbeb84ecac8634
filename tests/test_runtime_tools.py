"""Tools, images and embeddings in every protocol, in the shapes of the official clients."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from openai.types.chat import ChatCompletionMessageToolCall

from rollcall.runtime.errors import (
    InvalidCall,
    InvalidMessages,
    InvalidParams,
    ProviderError,
    ProviderReplyInvalid,
)
from tests.runtime_support import HELLO, TYPES, client_of, config_for, simulated, write_config
from tests.runtime_support import talking as talking_to
from tests.simulator.chat_openai import vector
from tests.simulator.http import Reply

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
ASK = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": 'call weather {"city": "Köln"}'},
]


@pytest.mark.parametrize("kind", TYPES)
def test_a_tool_is_called_and_answered_in_every_protocol(kind: str, tmp_path: Path) -> None:
    with talking_to(kind, tmp_path) as (client, _):
        first = client.run("chat", ASK, {"tools": [WEATHER]})
        (call,) = first.tool_calls
        answer = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
        second = client.run("chat", [*ASK, first.message, answer], {"tools": [WEATHER]})

    ChatCompletionMessageToolCall.model_validate(call)
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Köln"}
    assert (first.content, first.finish_reason, first.refusal) == ("", "tool_calls", None)
    assert "heard: " in second.content
    assert "sunny" in second.content
    assert second.tool_calls == []


@pytest.mark.parametrize("kind", TYPES)
def test_a_streamed_tool_call_is_the_same(kind: str, tmp_path: Path) -> None:
    with talking_to(kind, tmp_path) as (client, _):
        pieces = client.stream("chat", ASK, {"tools": [WEATHER]})
        assert list(pieces) == []
        whole = client.run("chat", ASK, {"tools": [WEATHER]})
    assert pieces.response
    assert pieces.response.finish_reason == "tool_calls"
    assert [one["function"] for one in pieces.response.tool_calls] == [
        one["function"] for one in whole.tool_calls
    ]


def test_calls_that_come_whole_stay_apart(tmp_path: Path) -> None:
    parts = [{"functionCall": {"name": "weather", "args": {"city": city}}} for city in "ABC"]
    whole = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    events = [{"candidates": [{"content": {"parts": some}}]} for some in (parts[:1], parts[1:])]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in [*events, whole | {
        "candidates": [{"finishReason": "STOP"}]}])  # fmt: skip
    with talking_to("gemini", tmp_path) as (client, server):
        server.replies += [
            Reply(body=json.dumps(whole).encode()),
            Reply(headers={"content-type": "text/event-stream"}, body=body.encode()),
        ]
        response = client.run("chat", ASK)
        pieces = client.stream("chat", ASK)
        assert list(pieces) == []
    assert pieces.response
    for found in (response.tool_calls, pieces.response.tool_calls):
        cities = [json.loads(call["function"]["arguments"])["city"] for call in found]
        assert cities == ["A", "B", "C"]
        assert len({call["id"] for call in found}) == 3


@pytest.mark.parametrize("kind", TYPES)
def test_several_tool_results_are_one_turn(kind: str, tmp_path: Path) -> None:
    calls = [
        {"id": f"c{city}", "type": "function",
         "function": {"name": "weather", "arguments": json.dumps({"city": city})}}
        for city in "AB"
    ]  # fmt: skip
    results = [{"role": "tool", "tool_call_id": f"c{city}", "content": city * 3} for city in "AB"]
    messages = [
        *ASK,
        {"role": "assistant", "content": "Let me see.", "tool_calls": calls},
        *results,
    ]
    with talking_to(kind, tmp_path) as (client, _):
        assert "BBB" in client.run("chat", messages, {"tools": [WEATHER]}).content


CHOICES: list[tuple[Any, Any, Any, Any]] = [
    ("auto", {"type": "auto"}, "AUTO", "auto"),
    ("none", {"type": "none"}, "NONE", "none"),
    ("required", {"type": "any"}, "ANY", "required"),
    (
        {"type": "function", "function": {"name": "weather"}},
        {"type": "tool", "name": "weather"},
        "ANY",
        {"type": "function", "name": "weather"},
    ),
]


@pytest.mark.parametrize(("choice", "anthropics", "geminis", "perplexitys"), CHOICES)
def test_which_tool_is_chosen_is_translated(
    choice: Any, anthropics: Any, geminis: Any, perplexitys: Any, tmp_path: Path
) -> None:
    params = {"tools": [WEATHER], "tool_choice": choice}
    sent = {
        kind: body_sent(kind, tmp_path, params)
        for kind in ("openai", "anthropic", "gemini", "perplexity")
    }
    assert sent["openai"]["tool_choice"] == choice
    assert sent["openai"]["tools"] == [WEATHER]
    assert sent["anthropic"]["tool_choice"] == anthropics
    assert sent["gemini"]["toolConfig"]["functionCallingConfig"]["mode"] == geminis
    assert sent["perplexity"]["tool_choice"] == perplexitys


def body_sent(
    kind: str, folder: Path, params: dict[str, Any] | None = None, messages: Any = HELLO
) -> Any:
    with talking_to(kind, folder) as (client, server):
        client.run("chat", messages, params)
        return json.loads(server.requests[0].body)


def test_one_tool_at_a_time(tmp_path: Path) -> None:
    params = {"tools": [WEATHER], "parallel_tool_calls": False}
    assert body_sent("openai", tmp_path, params)["parallel_tool_calls"] is False
    assert body_sent("anthropic", tmp_path, params)["tool_choice"] == {
        "type": "auto",
        "disable_parallel_tool_use": True,
    }


def test_a_providers_own_tools_pass_as_they_are(tmp_path: Path) -> None:
    own = {"type": "web_search_20250305", "name": "web_search"}
    assert body_sent("anthropic", tmp_path, {"tools": [own]})["tools"] == [own]
    with talking_to("gemini", tmp_path) as (client, server):
        client.run("chat", HELLO, {"tools": [{"googleSearch": {}}, WEATHER]})
        tools = json.loads(server.requests[0].body)["tools"]
    assert [sorted(tool) for tool in tools] == [["functionDeclarations"], ["googleSearch"]]


def test_more_of_json_schema_than_gemini_knows_goes_where_it_is_read(tmp_path: Path) -> None:
    strict = json.loads(json.dumps(WEATHER))
    strict["function"]["parameters"]["additionalProperties"] = False
    (plain,) = body_sent("gemini", tmp_path, {"tools": [WEATHER]})["tools"]
    (more,) = body_sent("gemini", tmp_path, {"tools": [strict]})["tools"]
    assert plain["functionDeclarations"][0]["parameters"] == WEATHER["function"]["parameters"]
    assert (
        more["functionDeclarations"][0]["parametersJsonSchema"] == strict["function"]["parameters"]
    )


def test_what_gemini_wants_back_with_a_call_comes_back(tmp_path: Path) -> None:
    with talking_to("gemini", tmp_path) as (client, server):
        first = client.run("chat", ASK, {"tools": [WEATHER]})
        result = {"role": "tool", "tool_call_id": first.tool_calls[0]["id"], "content": "{}"}
        client.run("chat", [*ASK, first.message, result], {"tools": [WEATHER]})
        contents = json.loads(server.requests[1].body)["contents"]
    assert contents[1]["parts"][0]["thoughtSignature"] == "c2lnbg=="
    assert contents[2]["parts"][0]["functionResponse"] == {"name": "weather", "response": {}}


@pytest.mark.parametrize("kind", ["anthropic", "gemini", "perplexity"])
def test_messages_of_tools_that_cannot_be_translated_are_not_sent(
    kind: str, tmp_path: Path
) -> None:
    calls = [{"id": "1", "function": {"name": "weather", "arguments": "[not json"}}]
    with talking_to(kind, tmp_path) as (client, server):
        with pytest.raises(InvalidMessages, match="tool call"):
            client.run("chat", [*HELLO, {"role": "assistant", "tool_calls": calls}])
        with pytest.raises(InvalidMessages, match="tool_call_id"):
            client.run("chat", [*HELLO, {"role": "tool", "content": "x"}])
        with pytest.raises(InvalidParams, match="tools"):
            client.run("chat", HELLO, {"tools": "weather"})
    assert server.requests == []


# --- compared with the official clients ---


def test_what_anthropics_own_client_sends(tmp_path: Path) -> None:
    with simulated("anthropic") as server:
        theirs = anthropic.Anthropic(base_url=server.url, api_key="x", max_retries=0)
        message = theirs.messages.create(
            model="some-model",
            max_tokens=50,
            system="be brief",
            messages=[{"role": "user", "content": 'call weather {"city": "Köln"}'}],
            tools=[
                {
                    "name": "weather",
                    "description": "The weather of a city.",
                    "input_schema": WEATHER["function"]["parameters"],
                }
            ],
        )
        theirs.close()
        expected = json.loads(server.requests[0].body)
    assert message.stop_reason == "tool_use"
    ours = body_sent("anthropic", tmp_path, {"tools": [WEATHER], "max_tokens": 50}, ASK)
    assert ours == expected


def test_what_openais_own_client_sends(tmp_path: Path) -> None:
    with simulated("openai") as server:
        theirs = openai.OpenAI(base_url=server.url + "/v1", api_key="x", max_retries=0)
        create: Any = theirs.chat.completions.create
        said = create(model="some-model", messages=ASK, tools=[WEATHER])
        expected = json.loads(server.requests[0].body)
        flat = {"type": "function", "strict": False, **WEATHER["function"]}
        theirs.responses.create(
            model="some-model",
            instructions="be brief",
            input=[{"type": "message", "role": "user", "content": ASK[1]["content"]}],
            tools=[flat],  # type: ignore[list-item]
            store=False,
        )
        theirs.close()
        responses = json.loads(server.requests[1].body)
    assert body_sent("openai", tmp_path, {"tools": [WEATHER]}, ASK) == expected
    with talking_to("openai", tmp_path) as (client, server):
        server.replies += [RESPONSES_ONLY]
        response = client.run("chat", ASK, {"tools": [WEATHER]})
        assert json.loads(server.requests[1].body) == responses
    theirs_call = said.choices[0].message.tool_calls[0]
    assert response.tool_calls[0]["function"] == theirs_call.function.model_dump()


# --- models that answer at /responses only ---

RESPONSES_ONLY = Reply(
    status=404,
    body=json.dumps(
        {
            "error": {
                "message": "This model is only supported in v1/responses and not in "
                "v1/chat/completions.",
                "type": "invalid_request_error",
                "param": "model",
                "code": None,
            }
        }
    ).encode(),
)


def test_a_model_that_answers_at_responses_only_is_called_there(tmp_path: Path) -> None:
    params = {
        "max_tokens": 40,
        "reasoning_effort": "high",
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    }
    with talking_to("openai", tmp_path, model="gpt-5-pro") as (client, server):
        server.replies += [RESPONSES_ONLY]
        assert client.run("chat", HELLO, params).content == "gpt-5-pro heard: Hello"
        assert "".join(client.stream("chat", HELLO)) == "gpt-5-pro heard: Hello"
        paths = [request.path for request in server.requests]
        body = json.loads(server.requests[1].body)
    assert paths == ["/v1/chat/completions", "/v1/responses", "/v1/responses"]
    assert body == {
        "model": "gpt-5-pro",
        "input": [{"type": "message", "role": "user", "content": "Hello"}],
        "max_output_tokens": 40,
        "store": False,
        "reasoning": {"effort": "high"},
        "text": {"format": {"type": "json_schema", "name": "x", "schema": {}}},
    }


def test_a_server_without_that_endpoint_is_told_with_its_first_words(tmp_path: Path) -> None:
    with talking_to("openai", tmp_path) as (client, server):
        nowhere = Reply(status=404, headers={"content-type": "text/plain"}, body=b"not found")
        server.replies += [RESPONSES_ONLY, nowhere]
        with pytest.raises(ProviderError, match="only supported in v1/responses") as caught:
            client.run("chat", HELLO)
        assert "/responses" in caught.value.hint
        assert client.run("chat", HELLO).content  # and the next call begins where it was
        assert server.requests[2].path == "/v1/chat/completions"


def test_in_a_stream_too(tmp_path: Path) -> None:
    with talking_to("openai", tmp_path) as (client, server):
        server.replies += [RESPONSES_ONLY]
        assert "".join(client.stream("chat", HELLO)) == "some-model heard: Hello"


# --- images ---

DATA = "data:image/png;base64,AAAA"
WEB = "https://example.com/cat.png"


def seeing(url: str) -> Any:
    part = {"type": "image_url", "image_url": {"url": url}}
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}]


@pytest.mark.parametrize(
    ("kind", "url", "where", "expected"),
    [
        ("openai", DATA, ("messages", 0, "content", 1, "image_url", "url"), DATA),
        ("anthropic", WEB, ("messages", 0, "content", 1, "source"), {"type": "url", "url": WEB}),
        (
            "anthropic", DATA, ("messages", 0, "content", 1, "source"),
            {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        ),
        (
            "gemini", DATA, ("contents", 0, "parts", 1),
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        ),
        ("perplexity", WEB, ("input", 0, "content", 1), {"type": "input_image", "image_url": WEB}),
    ],
)  # fmt: skip
def test_images_reach_the_model(
    kind: str, url: str, where: tuple[Any, ...], expected: Any, tmp_path: Path
) -> None:
    found = body_sent(kind, tmp_path, messages=seeing(url))
    for step in where:
        found = found[step]
    assert found == expected


# --- embeddings ---

HAVE = ["openai", "qwen", "openrouter", "xai", "gemini", "ollama", "litellm", "perplexity"]


@pytest.mark.parametrize("kind", HAVE)
def test_texts_become_numbers_in_their_order(kind: str, tmp_path: Path) -> None:
    with talking_to(kind, tmp_path, model="some-embedding") as (client, server):
        found = client.embed("chat", ["one", "three"])
        alone = asyncio.run(client.aembed("chat", "one"))
        requests = list(server.requests)
    assert found.embeddings == [vector("one"), vector("three")]
    assert alone.embeddings == [vector("one")]
    assert (found.provider, found.model) == (kind, "some-embedding")
    if kind != "gemini":
        assert found.usage.input_tokens == 2
    assert all("mbed" in request.path for request in requests)


def test_openais_own_client_gets_the_same(tmp_path: Path) -> None:
    with talking_to("openai", tmp_path) as (client, server):
        ours = client.embed("chat", ["one", "three"], {"dimensions": 2})
        theirs = openai.OpenAI(base_url=server.url + "/v1", api_key="x", max_retries=0)
        found = theirs.embeddings.create(
            model="some-model", input=["one", "three"], dimensions=2, encoding_format="float"
        )
        theirs.close()
        bodies = [json.loads(request.body) for request in server.requests]
    assert ours.embeddings == [row.embedding for row in sorted(found.data, key=lambda x: x.index)]
    assert bodies[0] | {"encoding_format": "float"} == bodies[1]


def test_googles_dimensions_have_another_name(tmp_path: Path) -> None:
    with talking_to("gemini", tmp_path, model="models/e") as (client, server):
        client.embed("chat", "one", {"dimensions": 8})
        request = server.requests[0]
    assert request.path == "/v1beta/models/e:batchEmbedContents"
    assert json.loads(request.body)["requests"][0] == {
        "model": "models/e",
        "content": {"parts": [{"text": "one"}]},
        "outputDimensionality": 8,
    }


@pytest.mark.parametrize(
    ("kind", "packed", "numbers"),
    [("perplexity", "AX//", [1.0, 127.0, -1.0]), ("openai", "AACAPwAAAMA=", [1.0, -2.0])],
)
def test_packed_vectors_are_unpacked(
    kind: str, packed: str, numbers: list[float], tmp_path: Path
) -> None:
    with talking_to(kind, tmp_path) as (client, server):
        row = {"index": 0, "embedding": packed}
        server.replies += [Reply(body=json.dumps({"data": [row]}).encode())]
        assert client.embed("chat", "x").embeddings == [numbers]


def test_who_has_no_embeddings_says_so_before_anything_is_sent(tmp_path: Path) -> None:
    for kind in ("anthropic", "deepseek"):
        with talking_to(kind, tmp_path) as (client, server):
            with pytest.raises(InvalidCall, match="has no embeddings"):
                client.embed("chat", "x")
            assert server.requests == []


@pytest.mark.parametrize(
    "reply",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": None}, {"index": 1, "embedding": [1.0]}]},
        {"choices": []},
        [],
    ],
)
def test_a_reply_without_a_vector_for_each_text_is_an_error(reply: Any, tmp_path: Path) -> None:
    with talking_to("openai", tmp_path) as (client, server):
        server.replies += [Reply(body=json.dumps(reply).encode())]
        with pytest.raises(ProviderReplyInvalid):
            client.embed("chat", ["one", "two"])
    with talking_to("openai", tmp_path) as (client, _), pytest.raises(InvalidMessages):
        client.embed("chat", [])


def test_embeddings_fall_back_too(tmp_path: Path) -> None:
    with simulated("openai") as first, simulated("gemini") as second:
        first.replies += [Reply(status=401, body=b'{"error": {"message": "bad key"}}')]
        extra = ", fallbacks: [{provider: gemini, model: e}]"
        text = config_for("openai", first.url + "/v1", extra=extra)
        spare = f'  gemini: {{auth_profile: main, api_base: "{second.url}"}}\nroles:'
        path = write_config(tmp_path, text.replace("roles:", spare))
        with client_of(path) as client:
            assert client.embed("chat", "one").provider == "gemini"
