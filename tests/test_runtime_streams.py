"""Streams: events out of bytes cut anywhere, and streams that break off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.providers.chat import calling
from rollcall.providers.chat.call import Call
from rollcall.providers.chat.endpoint import TYPES, endpoint_of
from rollcall.providers.chat.messages import read_messages
from rollcall.runtime.errors import (
    ProviderError,
    ProviderRateLimited,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from tests.runtime_support import HELLO, KEY
from tests.simulator.chat import answer
from tests.simulator.http import Request

TEXT = "Grüße an die Crew: naïve ☕ 🚀 done"
BODIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "openai": (
        "openai",
        "/v1/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": TEXT}], "stream": True},
    ),
    "anthropic": (
        "anthropic",
        "/v1/messages",
        {
            "model": "m",
            "messages": [{"role": "user", "content": TEXT}],
            "max_tokens": 99,
            "stream": True,
        },
    ),
    "gemini": (
        "gemini",
        "/models/m:streamGenerateContent",
        {"contents": [{"role": "user", "parts": [{"text": TEXT}]}]},
    ),
    "perplexity": ("perplexity", "/v1/responses", {"model": "m", "input": TEXT, "stream": True}),
}


def recorded(kind: str) -> bytes:
    """A whole stream as the simulated provider sends it, with real UTF-8 in it."""
    protocol, path, body = BODIES[kind]
    headers = {"anthropic-version": "x"}
    request = Request("POST", path, {"alt": "sse"}, headers, json.dumps(body).encode())
    reply = answer(protocol, request)
    assert reply is not None
    assert not isinstance(reply.body, bytes)
    escaped = b"".join(reply.body).decode()
    lines = escaped.split("\n")
    return "\n".join(map(_unescaped, lines)).encode()


def _unescaped(line: str) -> str:
    head, colon, data = line.partition("data: ")
    if not colon or data.strip() == "[DONE]":
        return line
    end = "\r" if data.endswith("\r") else ""
    return head + colon + json.dumps(json.loads(data), ensure_ascii=False) + end


class Chunks(httpx.AsyncByteStream):
    """A body that arrives in these chunks, and may break off behind them."""

    def __init__(self, chunks: Iterable[bytes], broken: Exception | None) -> None:
        self._chunks = chunks
        self._broken = broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        if self._broken:
            raise self._broken


def read(kind: str, chunks: Iterable[bytes], broken: Exception | None = None) -> list[str]:
    """The texts of a streamed answer that arrives in these chunks."""
    got: list[str] = []

    async def listen() -> None:
        endpoint = endpoint_of(TYPES[kind], KEY)
        reply = httpx.Response(200, stream=Chunks(chunks, broken))
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: reply)) as client:
            call = Call("m", read_messages(HELLO), stream=True)
            got.extend([piece.text async for piece in calling.stream(client, endpoint, call)])

    asyncio.run(listen())
    return [text for text in got if text]


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


STREAMS = {kind: recorded(kind) for kind in BODIES}


@pytest.mark.parametrize("kind", BODIES)
def test_every_byte_on_its_own(kind: str) -> None:
    data = STREAMS[kind]
    assert "".join(read(kind, (data[i : i + 1] for i in range(len(data))))) == f"m heard: {TEXT}"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(BODIES)), st.data())
def test_wherever_the_bytes_are_cut(kind: str, data: st.DataObject) -> None:
    stream = STREAMS[kind]
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    assert read(kind, cut(stream, places)) == read(kind, [stream])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(BODIES)), st.data())
def test_a_stream_cut_short_is_never_taken_for_whole(kind: str, data: st.DataObject) -> None:
    stream = STREAMS[kind]
    length = data.draw(st.integers(0, len(stream) // 2))
    with pytest.raises(ProviderReplyInvalid):
        read(kind, [stream[:length]])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n"), min_size=1), max_size=5))
def test_texts_are_read_back_as_they_were_written(texts: list[str]) -> None:
    for newline in ("\n", "\r\n", "\r"):
        deltas = [json.dumps({"choices": [{"delta": {"content": text}}]}) for text in texts]
        lines = (f": ping{newline}id: 1{newline}data: {delta}{newline * 2}" for delta in deltas)
        body = "".join(lines) + "data: [DONE]"
        assert read("openai", [body.encode("utf-8", "replace")]) == texts


def test_data_of_several_lines_is_one_event() -> None:
    body = b'\xef\xbb\xbfdata: {"choices":\ndata:[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'
    assert read("openai", [body]) == ["Hi"]


def test_an_endless_event_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "MAX_EVENT_BYTES", 1000)
    with pytest.raises(ProviderReplyInvalid, match="megabytes"):
        read("openai", [b"data: " + b"x" * 600, b"x" * 600])
    many = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
    assert len(read("openai", [*[many] * 50, b"data: [DONE]"])) == 50


BROKEN: list[tuple[str, str, type[ProviderError]]] = [
    ("anthropic", '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
     ProviderUnavailable),
    ("openrouter", '{"error":{"code":429,"message":"slow down"},"choices":[]}',
     ProviderRateLimited),
    ("gemini", '{"error":{"code":503,"message":"unavailable"}}', ProviderUnavailable),
    ("perplexity", '{"type":"response.failed","response":{"error":{"message":"no"}}}',
     ProviderError),
    ("perplexity", '{"type":"error","message":"no"}', ProviderError),
    ("openai", "not json", ProviderReplyInvalid),
    ("openai", '{"object":"error"}', ProviderReplyInvalid),
    ("anthropic", "{}", ProviderReplyInvalid),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data", "error"), BROKEN)
def test_a_provider_that_breaks_off_raises_its_own_words(
    kind: str, data: str, error: type[ProviderError]
) -> None:
    with pytest.raises(error) as caught:
        read(kind, [f"data: {data}\n\n".encode()])
    assert caught.value.provider == kind


def test_a_connection_that_breaks_off_raises() -> None:
    chunk = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
    with pytest.raises(ProviderUnavailable, match="broke off"):
        read("openai", [chunk], httpx.ReadError("peer closed"))


def test_a_connection_that_breaks_off_behind_a_whole_answer_does_not_matter() -> None:
    chunk = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
    assert read("openai", [chunk], httpx.ReadError("peer closed")) == ["Hi"]


def test_html_instead_of_a_stream_is_an_error() -> None:
    with pytest.raises(ProviderReplyInvalid):
        read("openai", [b"<html>Sign in</html>"])


def test_a_blocked_prompt_streams_nothing() -> None:
    assert read("gemini", [b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n']) == []
