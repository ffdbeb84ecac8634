"""End to end over sockets: each provider's protocol against its simulated provider."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from rollcall.runtime.errors import (
    InvalidCall,
    ProviderRateLimited,
    ProviderReplyInvalid,
    ProviderTimeout,
    ProviderUnavailable,
)
from tests.runtime_support import (
    HELLO,
    KEY,
    TYPES,
    Slept,
    client_of,
    config_for,
    simulated,
    talking,
    write_config,
)
from tests.simulator.faults import Fault
from tests.simulator.http import Reply
from tests.simulator.simulator import Simulator

TOLD = [{"role": "system", "content": "be brief"}, *HELLO]
SAID = "some-model (told: be brief) heard: Hello"


@pytest.mark.parametrize("kind", TYPES)
def test_a_completion_over_each_protocol(kind: str, tmp_path: Path) -> None:
    with talking(kind, tmp_path) as (client, server):
        response = client.run("chat", TOLD, {"temperature": 0, "max_tokens": 50, "top_p": 0.9})
        sent = server.requests[0]

    assert response.content == SAID
    assert (response.provider, response.model) == (kind, "some-model")
    assert (response.usage.input_tokens, response.usage.output_tokens) == (3, 6)
    assert response.finish_reason == "stop"
    assert any(KEY in value for value in sent.headers.values())
    assert KEY not in sent.path + sent.body.decode()


@pytest.mark.parametrize("kind", TYPES)
def test_a_stream_over_each_protocol(kind: str, tmp_path: Path) -> None:
    with talking(kind, tmp_path) as (client, _):
        pieces = list(client.stream("chat", TOLD))

    assert "".join(pieces) == SAID
    assert len(pieces) > 1


@pytest.mark.parametrize("kind", TYPES)
def test_event_loops_get_the_same(kind: str, tmp_path: Path) -> None:
    protocol, base = TYPES[kind]

    async def story(path: Path) -> tuple[str, str]:
        async with client_of(path) as client:
            response = await client.arun("chat", TOLD)
            pieces = [piece async for piece in client.astream("chat", TOLD)]
        return response.content, "".join(pieces)

    with simulated(protocol) as server:
        path = write_config(tmp_path, config_for(kind, server.url + base))
        assert asyncio.run(story(path)) == (SAID, SAID)


@pytest.mark.parametrize("kind", TYPES)
def test_a_cut_answer_says_length(kind: str, tmp_path: Path) -> None:
    with talking(kind, tmp_path) as (client, _):
        response = client.run("chat", HELLO, {"max_tokens": 2})
    assert response.content == "some-model heard:"
    assert response.finish_reason == "length"


def test_stop_sequences_are_translated(tmp_path: Path) -> None:
    for kind in ("openai", "anthropic", "gemini"):
        with talking(kind, tmp_path) as (client, _):
            assert client.run("chat", HELLO, {"stop": " heard"}).content == "some-model"


def test_openais_newer_models_get_the_limit_they_take(tmp_path: Path) -> None:
    with talking("openai", tmp_path, model="gpt-5.5") as (client, _):
        assert client.run("chat", HELLO, {"max_tokens": 1}).finish_reason == "length"


def test_several_event_loops_one_after_the_other_leave_nothing_open(tmp_path: Path) -> None:
    with simulated("openai") as server:
        client = client_of(write_config(tmp_path, config_for("openai", server.url + "/v1")))
        for _ in range(3):
            assert asyncio.run(client.arun("chat", HELLO)).content == "some-model heard: Hello"


def test_run_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    with simulated("openai") as server:
        client = client_of(write_config(tmp_path, config_for("openai", server.url + "/v1")))

        async def inside() -> str:
            return client.run("chat", HELLO).content

        assert asyncio.run(inside()) == "some-model heard: Hello"
        client.close()


def test_many_threads_share_a_client(tmp_path: Path) -> None:
    answers: list[str] = []
    with talking("openai", tmp_path) as (client, _):

        def ask(number: int) -> None:
            messages = [{"role": "user", "content": f"number {number}"}]
            answers.append(client.run("chat", messages).content)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers) == [f"some-model heard: number {number}" for number in range(8)]


def test_a_busy_provider_is_asked_again_after_the_time_it_names(tmp_path: Path) -> None:
    slept = Slept()
    busy = Reply(status=429, headers={"retry-after": "7"}, body=b'{"error": {"message": "busy"}}')
    with talking("openai", tmp_path, slept=slept) as (client, server):
        server.replies += [busy, Reply(status=500, body=b"oops")]
        assert client.run("chat", HELLO).content == "some-model heard: Hello"
    assert slept.seconds[0] == 7
    assert 0.5 <= slept.seconds[1] <= 1.0


def test_in_an_event_loop_too(tmp_path: Path) -> None:
    slept = Slept()
    busy = Reply(status=503, headers={"retry-after": "2"})

    async def story(path: Path) -> str:
        async with client_of(path, slept) as client:
            return (await client.arun("chat", HELLO)).content

    with simulated("openai") as server:
        server.replies += [busy]
        path = write_config(tmp_path, config_for("openai", server.url + "/v1"))
        assert asyncio.run(story(path)) == "some-model heard: Hello"
    assert slept.seconds == [2]


def test_a_provider_that_asks_for_minutes_is_not_waited_for(tmp_path: Path) -> None:
    slept = Slept()
    busy = Reply(status=429, headers={"retry-after": "600"}, body=b'{"error": "busy"}')
    with talking("openai", tmp_path, slept=slept) as (client, server):
        server.replies += [busy]
        with pytest.raises(ProviderRateLimited):
            client.run("chat", HELLO)
    assert slept.seconds == []


def test_a_dead_provider_leads_to_the_fallback(tmp_path: Path) -> None:
    with simulated("anthropic") as server:
        path = write_config(
            tmp_path,
            f"""
providers:
  openai: {{auth_profile: main, api_base: "http://127.0.0.1:9", max_retries: 1}}
  anthropic: {{auth_profile: main, api_base: "{server.url}"}}
roles:
  chat:
    provider: openai
    model: some-model
    params: {{max_tokens: 9}}
    fallbacks: [{{provider: anthropic, model: other-model}}]
""",
        )
        slept = Slept()
        with client_of(path, slept) as client:
            response = client.run("chat", HELLO)
            pieces = list(client.stream("chat", HELLO))
    assert response.provider == "anthropic"
    assert response.content == "".join(pieces) == "other-model heard: Hello"
    assert len(slept.seconds) == 2


def test_when_all_fail_the_first_error_tells_of_the_others(tmp_path: Path) -> None:
    path = write_config(
        tmp_path,
        """
providers:
  one: {type: openai, auth_profile: main, api_base: "http://127.0.0.1:9", max_retries: 0}
  two: {type: openai, auth_profile: main, api_base: "http://127.0.0.1:9", max_retries: 0}
  three: {type: openai, auth_profile: absent, api_base: "http://127.0.0.1:9"}
roles:
  chat: {provider: one, model: m, fallbacks: [spare, {provider: three, model: m}]}
  spare: {provider: two, model: m, fallbacks: [chat]}
""",
    )
    with client_of(path) as client, pytest.raises(ProviderUnavailable) as caught:
        client.run("chat", HELLO)
    assert caught.value.provider == "one"
    assert [line.split()[0] for line in caught.value.fallbacks] == ["two", "The"]
    assert "ORCH_AUTH_ABSENT_API_KEY" in caught.value.fallbacks[1]


def test_a_key_never_follows_a_redirect(tmp_path: Path) -> None:
    with simulated("openai") as server, simulated("openai") as elsewhere:
        server.replies += [Reply(status=307, headers={"location": elsewhere.url + "/v1/x"})]
        path = write_config(tmp_path, config_for("openai", server.url + "/v1"))
        with client_of(path) as client, pytest.raises(ProviderReplyInvalid, match="redirects"):
            client.run("chat", HELLO)
    assert elsewhere.requests == []


def test_a_reply_that_drips_past_the_timeout_is_given_up(tmp_path: Path) -> None:
    with Simulator() as sim:
        sim.fault("openai", Fault.SLOW_DRIP)
        text = config_for("openai", sim.url("openai")).replace("auth", "timeout: 0.3s, auth")
        with client_of(write_config(tmp_path, text)) as client:
            with pytest.raises(ProviderTimeout):
                client.run("chat", HELLO)
            with pytest.raises(ProviderTimeout):
                asyncio.run(client.arun("chat", HELLO))
            with pytest.raises(ProviderTimeout):
                list(client.stream("chat", HELLO))


def test_a_stream_that_ends_too_early_is_an_error_after_its_pieces(tmp_path: Path) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": None}]}
    frames = [f"data: {json.dumps(chunk)}\n\n".encode()]
    with simulated("openai") as server:
        server.replies += [Reply(headers={"content-type": "text/event-stream"}, body=frames)]
        path = write_config(tmp_path, config_for("openai", server.url + "/v1"))
        got = []
        with client_of(path) as client:
            pieces = client.stream("chat", HELLO)
            got.append(next(pieces))
            with pytest.raises(ProviderReplyInvalid, match="complete"):
                next(pieces)
    assert got == ["Hel"]


def test_a_stream_one_stops_listening_to_closes_its_connection(tmp_path: Path) -> None:
    with simulated("openai") as server:
        path = write_config(tmp_path, config_for("openai", server.url + "/v1"))
        with client_of(path) as client:
            pieces = client.stream("chat", HELLO)
            assert next(pieces)
            pieces.close()
            assert client.run("chat", HELLO).content


def test_what_the_provider_would_refuse_is_not_sent(tmp_path: Path) -> None:
    with simulated("anthropic") as server:
        path = write_config(tmp_path, config_for("anthropic", server.url))
        with client_of(path) as client:
            with pytest.raises(InvalidCall):
                client.run("chat", [{"role": "assistant", "content": "me first"}])
            with pytest.raises(InvalidCall):
                client.run("chat", HELLO, {"stream": True})
    assert server.requests == []
