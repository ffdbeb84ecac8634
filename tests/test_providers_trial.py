"""A trial call: one tiny completion per model, and what it came to, over sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rollcall.providers.builtin import BUILTIN, find_key
from rollcall.providers.chat.endpoint import endpoint_of
from rollcall.providers.chat.errors import Outcome
from rollcall.providers.chat.trial import MAX_TOKENS, Tried, try_model
from rollcall.providers.http_client import open_client
from rollcall.providers.registry import resolve_provider
from tests.runtime_support import KEY, simulated
from tests.simulator.faults import Fault
from tests.simulator.http import Reply
from tests.simulator.simulator import Simulator

BASES = {"gemini": "/v1beta", "anthropic": "", "perplexity": "", "ollama": ""}


def tried(kind: str, url: str, model: str = "some-model", key: str = KEY, **more: Any) -> Tried:
    """A trial call at an address."""
    provider = BUILTIN[kind]._replace(base_url=url + BASES.get(kind, "/v1"))
    endpoint = endpoint_of(provider, key, timeout_seconds=more.pop("t", 30))

    async def story() -> Tried:
        async with open_client([endpoint.base_url]) as client:
            return await try_model(client, endpoint, model, **more)

    return asyncio.run(story())


def body_of(request: Any) -> Any:
    return json.loads(request.body)


MAIN = ("openai", "anthropic", "gemini", "openrouter", "xai", "perplexity", "deepseek", "qwen")


@pytest.mark.parametrize("provider", MAIN)
def test_a_model_that_answers(provider: str) -> None:
    with Simulator() as sim:
        environ = sim.environ(provider)
        row = resolve_provider(provider, base_url=sim.url(provider), environ=environ)
        endpoint = endpoint_of(row, (find_key(row, environ) or ("", None))[1])

        async def story() -> Tried:
            async with open_client([endpoint.base_url]) as client:
                return await try_model(client, endpoint, "some-model")

        trial = asyncio.run(story())
        (asked,) = sim.requests
    assert trial.outcome is Outcome.ANSWERED
    assert "some-model heard" in trial.detail
    assert not trial.needs_responses
    sent = body_of(asked[1])
    limits = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    config = sent.get("generationConfig", {})
    (limit,) = [sent[name] for name in limits if name in sent] or [config["maxOutputTokens"]]
    assert limit == MAX_TOKENS <= 16
    assert not {"temperature", "top_p", "stream"} & {*sent, *config}


def test_a_model_that_thinks_first_gets_room_for_it() -> None:
    with simulated("openai") as server:
        message = (
            "Could not finish the message because max_tokens or model output limit was reached."
        )
        server.replies += [
            Reply(status=400, body=json.dumps({"error": {"message": message}}).encode())
        ]
        assert tried("openai", server.url).outcome is Outcome.ANSWERED
        assert body_of(server.requests[1])["max_tokens"] >= 1000


@pytest.mark.parametrize(
    ("choice", "outcome"),
    [
        ({"message": {"content": ""}, "finish_reason": "length"}, Outcome.ANSWERED),
        ({"message": {"refusal": "no"}, "finish_reason": "stop"}, Outcome.DECLINED),
        ({"message": {"content": ""}, "finish_reason": "stop"}, Outcome.INVALID_REPLY),
    ],
)
def test_an_answer_cut_short_is_one_and_a_declined_or_empty_one_is_none(
    choice: Any, outcome: Outcome
) -> None:
    with simulated("openai") as server:
        server.replies += [Reply(body=json.dumps({"choices": [choice]}).encode())]
        assert tried("openai", server.url).outcome is outcome


def refused(status: int, message: str) -> Reply:
    return Reply(status=status, body=json.dumps({"error": {"message": message}}).encode())


OUTCOMES: list[tuple[Reply, Outcome]] = [
    (refused(401, f"Incorrect API key: {KEY}"), Outcome.REFUSED_KEY),
    (refused(403, "this key may not use this model"), Outcome.REFUSED_KEY),
    (refused(404, "The model `some-model` does not exist"), Outcome.NOT_FOUND),
    (refused(404, "not a chat model"), Outcome.WRONG_ENDPOINT),
    (refused(402, "Insufficient credits"), Outcome.NO_CREDIT),
    (refused(429, "slow down"), Outcome.RATE_LIMITED),
    (refused(500, "oops"), Outcome.SERVER_ERROR),
    (refused(400, "`max_tokens` is not supported with this model"), Outcome.REFUSED_PARAMS),
    (refused(400, "messages: too few"), Outcome.REFUSED_CALL),
    (Reply(body=b"<html>Sign in</html>"), Outcome.INVALID_REPLY),
    (Reply(body=b'{"error": {"code": 502, "message": "x"}}'), Outcome.SERVER_ERROR),
    (Reply(status=302, headers={"location": "http://elsewhere.test/"}), Outcome.WRONG_ENDPOINT),
]


@pytest.mark.parametrize(("reply", "outcome"), OUTCOMES)
def test_what_it_came_to_in_redacted_words(reply: Reply, outcome: Outcome) -> None:
    with simulated("openai") as server:
        server.replies += [reply]
        trial = tried("openai", server.url)
        assert len(server.requests) == 1
    assert trial.outcome is outcome
    assert trial.detail
    assert KEY not in repr(trial)
    assert "\n" not in trial.detail


def test_no_answer_in_time_and_nobody_there() -> None:
    with Simulator() as sim:
        sim.fault("openai", Fault.HANG)
        url = sim.url("openai").removesuffix("/v1")
        assert tried("openai", url, t=0.2).outcome is Outcome.TIMEOUT
    assert tried("openai", "http://127.0.0.1:9").outcome is Outcome.UNREACHABLE
    assert tried("openai", "http://127.0.0.1:9", key="clé").outcome is Outcome.UNREACHABLE


def test_a_model_that_answers_at_responses_only_says_so() -> None:
    with simulated("openai") as server:
        server.replies += [refused(404, "This model is only supported in v1/responses.")]
        trial = tried("openai", server.url)
    assert trial.outcome is Outcome.ANSWERED
    assert trial.needs_responses


def test_a_limit_of_another_name_is_no_refusal() -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    with simulated("openai") as server:
        server.replies += [refused(400, message)]
        assert tried("openai", server.url).outcome is Outcome.ANSWERED
