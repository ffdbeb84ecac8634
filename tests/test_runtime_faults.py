"""The library against the simulator: every protocol, every fault, whole and streamed. Whatever the
provider does, the call ends: with an answer, or with an error of two lines and no key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall.runtime.client import LLMClient
from rollcall.runtime.errors import (
    AnswerRefused,
    LLMError,
    Outcome,
    ProviderError,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderReplyInvalid,
    ProviderTimeout,
    ProviderUnavailable,
)
from rollcall.runtime.network import Network
from tests.runtime_support import HELLO, Slept, write_config
from tests.simulator import CallFault, Fault, Simulator

KINDS = ("openai", "anthropic", "gemini", "openrouter", "xai", "perplexity", "ollama", "deepseek")
STREAMS_WELL = (Fault.DELAY, Fault.UNAVAILABLE_ONCE, Fault.REPEATED_CURSOR, Fault.EMPTY)
WELL = (*STREAMS_WELL, Fault.CONTROL_CHARACTERS, Fault.NAN_NUMBERS, Fault.UTF16)
"""What keeps no completion from being read; the simulator spoils whole bodies only."""
ODD = [(fault, False) for fault in WELL] + [(fault, True) for fault in STREAMS_WELL]

ENDS: dict[Fault, type[ProviderError]] = {
    Fault.REFUSE: ProviderUnavailable,
    Fault.HANG: ProviderTimeout,
    Fault.SLOW_DRIP: ProviderTimeout,
    Fault.RESET: ProviderUnavailable,
    Fault.TRUNCATED: ProviderUnavailable,
    Fault.HTML: ProviderReplyInvalid,
    Fault.NOT_JSON: ProviderReplyInvalid,
    Fault.WRONG_SHAPE: ProviderReplyInvalid,
    Fault.ERROR_WITH_200: ProviderError,
    Fault.UNAUTHORIZED: ProviderRefusedKey,
    Fault.ECHO_KEY: ProviderRefusedKey,
    Fault.FORBIDDEN: ProviderRefusedKey,
    Fault.NOT_FOUND: ProviderError,
    Fault.RATE_LIMITED: ProviderRateLimited,
    Fault.SERVER_ERROR: ProviderUnavailable,
    Fault.REDIRECT_ELSEWHERE: ProviderReplyInvalid,
    Fault.REDIRECT_LOGIN: ProviderReplyInvalid,
    Fault.GZIP_BOMB: ProviderReplyInvalid,
}


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


def client_of(sim: Simulator, kind: str, folder: Path, timeout: str = "30s") -> LLMClient:
    """A client of one simulated provider, with its right key."""
    text = f"""
providers:
  {kind}: {{auth_profile: main, api_base: "{sim.url(kind)}", timeout: {timeout}, max_retries: 1}}
roles:
  chat: {{provider: {kind}, model: some-model}}
"""
    environ = {"ORCH_AUTH_MAIN_API_KEY": sim.key(kind)}
    path = write_config(folder, text)
    return LLMClient(path, environ=lambda: environ, network=Network(sleep=Slept()))


def asked(client: LLMClient, *, stream: bool) -> str:
    """The text of a completion."""
    if stream:
        return "".join(client.stream("chat", HELLO))
    return client.run("chat", HELLO).content


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", ENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_misbehaves_ends_in_two_lines(
    kind: str, fault: Fault, stream: bool, sim: Simulator, tmp_path: Path
) -> None:
    sim.fault(kind, fault)
    slow = fault in (Fault.HANG, Fault.SLOW_DRIP)
    timeout = "0.2s" if slow else "30s"
    with client_of(sim, kind, tmp_path, timeout) as client, pytest.raises(LLMError) as caught:
        asked(client, stream=stream)
    assert isinstance(caught.value, ENDS[fault])
    what, hint = str(caught.value).split("\n")
    assert kind in what
    assert hint
    assert sim.key(kind) not in str(caught.value)
    assert [who for who, _ in sim.requests if who != kind] == []


@pytest.mark.parametrize(("fault", "stream"), ODD)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_only_odd_is_an_answer(
    kind: str, fault: Fault, stream: bool, sim: Simulator, tmp_path: Path
) -> None:
    sim.fault(kind, fault, seconds=0.01)
    with client_of(sim, kind, tmp_path) as client:
        text = asked(client, stream=stream)
    said = "some-model heard: Hello"  # of rows that the simulator repeats, each is read
    assert text == said or (fault is Fault.CONTROL_CHARACTERS and text == said * (len(text) // 23))


def test_every_fault_of_the_simulator_is_among_them() -> None:
    assert {*ENDS, *WELL, Fault.HUGE_BODY} == set(Fault)


OUTCOMES = {
    CallFault.UNAUTHORIZED: Outcome.REFUSED_KEY,
    CallFault.ECHO_KEY: Outcome.REFUSED_KEY,
    CallFault.UNVERIFIED: Outcome.REFUSED_KEY,
    CallFault.NOT_FOUND: Outcome.NOT_FOUND,
    CallFault.WRONG_ENDPOINT: Outcome.WRONG_ENDPOINT,
    CallFault.NO_CREDIT: Outcome.NO_CREDIT,
    CallFault.RATE_LIMITED: Outcome.RATE_LIMITED,
    CallFault.UNAVAILABLE: Outcome.SERVER_ERROR,
}


@pytest.mark.parametrize("fault", OUTCOMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_listed_model_that_refuses_is_judged_alike_in_every_protocol(
    kind: str, fault: CallFault, sim: Simulator, tmp_path: Path
) -> None:
    sim.fault_calls(kind, fault)
    with client_of(sim, kind, tmp_path) as client:
        for stream in (False, True):
            with pytest.raises(ProviderError) as caught:
                asked(client, stream=stream)
            assert caught.value.outcome is OUTCOMES[fault]
            assert sim.key(kind) not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_is_visible_in_every_protocol(kind: str, sim: Simulator, tmp_path: Path) -> None:
    sim.fault_calls(kind, CallFault.REFUSAL)
    with client_of(sim, kind, tmp_path) as client:
        response = client.run("chat", HELLO)
        with pytest.raises(AnswerRefused):
            list(client.stream("chat", HELLO))
    assert response.finish_reason == "refusal"
    assert response.refusal
