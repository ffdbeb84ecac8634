"""Parameters that a model no longer takes: left out once for roles that select, and told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rollcall.runtime.client import LLMClient
from rollcall.runtime.errors import InvalidConfig, InvalidParams, Outcome, ProviderError
from tests.runtime_support import (
    HELLO,
    TYPES,
    Simulated,
    client_of,
    config_for,
    simulated,
    talking,
    write_config,
)
from tests.simulator.http import Reply


def error(message: str, status: int = 400, **fields: Any) -> Reply:
    return Reply(status=status, body=json.dumps({"error": {"message": message, **fields}}).encode())


@contextmanager
def role(kind: str, folder: Path, extra: str) -> Iterator[tuple[LLMClient, Simulated]]:
    """A client whose role `chat` has more fields."""
    protocol, base = TYPES[kind]
    with simulated(protocol) as server:
        text = config_for(kind, server.url + base, extra=", " + extra)
        with client_of(write_config(folder, text)) as client:
            yield client, server


DEPRECATED = "`temperature` is deprecated for this model."
UNSUPPORTED = (
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) "
    "value is supported."
)
REFUSALS: list[tuple[str, Reply, dict[str, Any], tuple[str, ...]]] = [
    ("anthropic", error(DEPRECATED), {"temperature": 0.2}, ("temperature",)),
    ("anthropic", error("`temperature` and `top_p` cannot both be specified for this model."),
     {"temperature": 0.2, "top_p": 0.9}, ("top_p",)),
    ("anthropic", error("`top_k` is deprecated for this model."), {"top_k": 5}, ("top_k",)),
    ("openai", error(UNSUPPORTED, param="temperature", code="unsupported_value"),
     {"temperature": 0.2, "max_tokens": 20}, ("temperature",)),
    ("openai", error("Unsupported parameter: 'top_p' is not supported with this model."),
     {"top_p": 0.5}, ("top_p",)),
    ("xai", Reply(status=400, body=b'{"code": "x", "error": "Model grok-4 does not support '
                  b'parameter presencePenalty."}'),
     {"presence_penalty": 1}, ("presence_penalty",)),
    ("openrouter", error("Provider returned error", metadata={
        "raw": '{"error": {"message": "`temperature` is deprecated for this model."}}'}),
     {"temperature": 0.2}, ("temperature",)),
    ("gemini", error("top_p is not supported for this model.", status=400), {"top_p": 0.5},
     ("top_p",)),
    ("gemini", error('Unknown name "frequencyPenalty"'), {"frequencyPenalty": 1},
     ("frequencyPenalty",)),
    ("perplexity", error("seed: Extra inputs are not permitted", status=422), {"seed": 1},
     ("seed",)),
]  # fmt: skip
DROP = "on_refused_params: drop"


@pytest.mark.parametrize(("kind", "reply", "params", "dropped"), REFUSALS)
def test_a_refused_sampling_parameter_is_left_out_once_and_told(
    kind: str,
    reply: Reply,
    params: dict[str, Any],
    dropped: tuple[str, ...],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with role(kind, tmp_path, DROP) as (client, server):
        server.replies += [reply]
        with caplog.at_level(logging.WARNING, "rollcall.runtime"):
            first = client.run("chat", HELLO, params)
            second = client.run("chat", HELLO, params)
        assert "".join(client.stream("chat", HELLO, params)) == "some-model heard: Hello"
        sent = [json.loads(request.body) for request in server.requests]
    assert first.content == second.content == "some-model heard: Hello"
    assert first.dropped_params == second.dropped_params == dropped
    assert len(sent) == 4
    for body in sent[1:]:
        names = {*body, *body.get("generationConfig", {})}
        assert not {*dropped, *(name.replace("top_p", "topP") for name in dropped)} & names
    assert [record for record in caplog.records if dropped[-1] in record.message] == caplog.records
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("kind", "reply", "params", "dropped"), REFUSALS)
def test_a_role_that_names_its_model_raises(
    kind: str, reply: Reply, params: dict[str, Any], dropped: tuple[str, ...], tmp_path: Path
) -> None:
    with talking(kind, tmp_path) as (client, server):
        server.replies += [reply]
        with pytest.raises(ProviderError) as caught:
            client.run("chat", HELLO, params)
        assert len(server.requests) == 1
    assert caught.value.outcome is Outcome.REFUSED_PARAMS
    assert "on_refused_params: drop" in caught.value.hint
    assert dropped[-1].lower() in caught.value.hint.lower().replace("topp", "top_p")


def test_several_parameters_one_after_the_other(tmp_path: Path) -> None:
    with role("anthropic", tmp_path, DROP) as (client, server):
        server.replies += [error(DEPRECATED), error("`top_p` is deprecated for this model.")]
        response = client.run("chat", HELLO, {"temperature": 0.1, "top_p": 0.5})
    assert response.dropped_params == ("temperature", "top_p")


def test_a_provider_that_goes_on_refusing_is_not_asked_for_ever(tmp_path: Path) -> None:
    with role("anthropic", tmp_path, DROP) as (client, server):
        server.replies += [error(DEPRECATED)] * 9
        with pytest.raises(ProviderError):
            client.run("chat", HELLO, {"temperature": 0.1})
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "message",
    [
        "temperature: Input should be less than or equal to 1",
        "max_tokens is deprecated for this model.",
        "`tools` is not supported with this model.",
    ],
)
def test_what_is_no_refused_sampling_parameter_is_raised(message: str, tmp_path: Path) -> None:
    weather = {"type": "function", "function": {"name": "weather"}}
    params = {"temperature": 0.1, "max_tokens": 5, "tools": [weather]}
    with role("openai", tmp_path, DROP) as (client, server):
        server.replies += [error(message)]
        with pytest.raises(ProviderError):
            client.run("chat", HELLO, params)
        assert len(server.requests) == 1


def test_a_limit_of_another_name_is_sent_under_it_whatever_the_role_says(tmp_path: Path) -> None:
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead."
    )
    with talking("openai", tmp_path) as (client, server):
        server.replies += [error(message, param="max_tokens", code="unsupported_parameter")]
        assert client.run("chat", HELLO, {"max_tokens": 2}).finish_reason == "length"
        assert client.run("chat", HELLO, {"max_tokens": 2}).finish_reason == "length"
        sent = [json.loads(request.body) for request in server.requests]
    assert [sorted(set(body) - {"model", "messages"}) for body in sent] == [
        ["max_tokens"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],
    ]


def test_what_one_model_does_not_take_another_gets(tmp_path: Path) -> None:
    fallback = "fallbacks: [{provider: anthropic, model: other}]"
    with role("anthropic", tmp_path, f"{DROP}, {fallback}") as (client, server):
        server.replies += [error(DEPRECATED), Reply(status=404, body=b"{}")]
        client.run("chat", HELLO, {"temperature": 0.1})
        sent = [json.loads(request.body) for request in server.requests]
    assert [(body["model"], "temperature" in body) for body in sent] == [
        ("some-model", True),
        ("some-model", False),
        ("other", True),
    ]


def test_in_an_event_loop_and_as_the_first_event_of_a_stream_too(tmp_path: Path) -> None:
    event = {"type": "error", "error": {"type": "invalid_request_error", "message": DEPRECATED}}
    stream = Reply(
        headers={"content-type": "text/event-stream"},
        body=[f"data: {json.dumps(event)}\n\n".encode()],
    )

    async def listen(client: LLMClient) -> str:
        params = {"temperature": 0.2}
        return "".join([piece async for piece in client.astream("chat", HELLO, params)])

    with role("anthropic", tmp_path, DROP) as (client, server):
        server.replies += [stream]
        assert asyncio.run(listen(client)) == "some-model heard: Hello"


def test_only_the_two_words_are_known(tmp_path: Path) -> None:
    text = config_for("openai", "http://x.test/v1", extra=", on_refused_params: keep")
    with pytest.raises(InvalidConfig, match=r"roles\.chat\.on_refused_params"):
        client_of(write_config(tmp_path, text))


def test_a_parameter_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with talking("openai", tmp_path) as (client, server):
        with pytest.raises(InvalidParams, match="JSON"):
            client.run("chat", HELLO, {"metadata": object()})
        assert server.requests == []
