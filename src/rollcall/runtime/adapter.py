"""One provider, ready to be called: the same interface whoever it is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from rollcall.runtime.dialects import protocol_of
from rollcall.runtime.errors import ProviderError
from rollcall.runtime.failures import invalid_reply, read_failure, read_words
from rollcall.runtime.frames import EventReader, EventTooLarge
from rollcall.runtime.messages import Message, read_messages
from rollcall.runtime.params import Params, read_params
from rollcall.runtime.protocols.wire import Call, Completion, UnexpectedShape, WireProtocol, mapping
from rollcall.runtime.resolution import ResolvedLLMConfig
from rollcall.runtime.response import LLMResponse
from rollcall.runtime.steps import Link, NoReply, Pause, Reply, Send, Steps, drive

MAX_WAIT_SECONDS = 30.0
"""A provider that asks for more is not waited for: the role's fallbacks, or the caller, are."""


class ChatAdapter(Protocol):
    """What every provider looks like to a caller."""

    def run_chat(
        self, model: str, messages: Iterable[Any], params: Mapping[str, Any] | None = None
    ) -> LLMResponse:
        """One completion."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How attempts are spaced: doubling from `first_seconds`, with jitter from 0.5 to 1 of it."""

    first_seconds: float = 0.5
    most_seconds: float = 8.0
    jitter: Callable[[], float] = random.random

    def delay(self, attempt: int, asked_seconds: float | None) -> float | None:
        """Seconds before the next attempt; None = not worth it. `attempt` counts from 0."""
        if asked_seconds is not None:
            return asked_seconds if asked_seconds <= MAX_WAIT_SECONDS else None
        backoff = min(self.most_seconds, self.first_seconds * float(2**attempt))
        return backoff * (0.5 + self.jitter() / 2)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ProviderAdapter:
    """A provider's protocol, its address and its key."""

    config: ResolvedLLMConfig
    link: Link
    patience: Patience = field(default_factory=Patience)
    now: Callable[[], datetime] = _utc_now

    @property
    def protocol(self) -> WireProtocol:
        """How it is spoken to."""
        return protocol_of(self.config.dialect, self.config.api_base)

    def run_chat(
        self, model: str, messages: Iterable[Any], params: Mapping[str, Any] | None = None
    ) -> LLMResponse:
        """One completion.

        Raises:
            InvalidCall: it would be refused; nothing was sent. ProviderError: it was refused.
        """
        steps = self.completing(model, read_messages(messages), read_params(params))
        return drive(steps, self.link)

    def completing(
        self, model: str, messages: tuple[Message, ...], params: Params
    ) -> Steps[LLMResponse]:
        """The story of a completion."""
        reply = yield from self._sending(Call(self.config.provider, model, messages, params))
        raw, said = self._read(reply.body)
        return LLMResponse(
            content=said.content,
            raw=raw,
            provider=self.config.provider,
            model=said.model or model,
            usage=said.usage,
            finish_reason=said.finish_reason,
            refusal=said.refusal,
        )

    def opening(
        self, model: str, messages: tuple[Message, ...], params: Params
    ) -> Steps[tuple[Reply, PieceReader]]:
        """The story of a streamed completion, up to where it begins to speak."""
        call = Call(self.config.provider, model, messages, params, stream=True)
        reply = yield from self._sending(call)
        return reply, PieceReader(self.protocol, self.config)

    def _sending(self, call: Call) -> Steps[Reply]:
        send = self._send(call)
        for attempt in range(self.config.max_retries + 1):
            outcome = yield send
            if isinstance(outcome, Reply) and outcome.status == 200:
                return outcome
            failure = read_failure(outcome, self.config, self.now())
            delay = self.patience.delay(attempt, failure.wait_seconds)
            if not failure.retryable or delay is None or attempt == self.config.max_retries:
                raise failure.error
            yield Pause(delay)
        raise AssertionError("max_retries is negative")

    def _send(self, call: Call) -> Send:
        request = self.protocol.request(call)
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream" if call.stream else "application/json",
            **request.headers,
            **self.protocol.auth_headers(self.config.api_key),
        }
        return Send(
            url=self.config.api_base + request.path,
            body=json.dumps(request.body, ensure_ascii=False).encode("utf-8", "replace"),
            headers=headers,
            timeout_seconds=self.config.timeout_seconds,
            stream=call.stream,
        )

    def _read(self, body: bytes) -> tuple[Mapping[str, Any], Completion]:
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError):
            raise invalid_reply("is not JSON", self.config, body) from None
        if not isinstance(raw, dict):
            raise invalid_reply("is not a JSON object", self.config)
        if raw.get("error"):
            raise read_words(raw["error"], self.config, None)
        try:
            return raw, self.protocol.parse(raw)
        except UnexpectedShape as shape:
            raise invalid_reply(f"is not a completion: {shape}", self.config) from None


class PieceReader:
    """Reads the text pieces out of a stream's bytes, and notices when it ends too early."""

    def __init__(self, protocol: WireProtocol, config: ResolvedLLMConfig) -> None:
        self._protocol = protocol
        self._config = config
        self._events = EventReader()
        self._complete = False

    def feed(self, chunk: bytes | NoReply) -> Iterator[str]:
        """The pieces that are whole with this chunk.

        Raises:
            ProviderError: the provider, or the connection, broke off.
        """
        if isinstance(chunk, NoReply):
            raise read_failure(chunk, self._config, _utc_now()).error
        try:
            for data in self._events.feed(chunk):
                yield from self._piece(data)
        except EventTooLarge:
            raise invalid_reply("has an event of many megabytes", self._config) from None

    def end(self) -> Iterator[str]:
        """What is left at the end.

        Raises:
            ProviderReplyInvalid: the stream ended before the answer did.
        """
        for data in self._events.end():
            yield from self._piece(data)
        if not self._complete:
            raise invalid_reply("ended before the answer was complete", self._config)

    def _piece(self, data: str) -> Iterator[str]:
        if data.strip() == "[DONE]":
            self._complete = True
            return
        try:
            event = json.loads(data)
            piece = self._protocol.piece(mapping(event))
        except (ValueError, RecursionError):
            raise invalid_reply("has an event that is not JSON", self._config) from None
        except UnexpectedShape as shape:
            raise invalid_reply(f"is not a streamed completion: {shape}", self._config) from None
        if piece.error is not None:
            raise self._broken_off(piece.error)
        self._complete = self._complete or piece.last
        if piece.text:
            yield piece.text

    def _broken_off(self, words: Mapping[str, Any] | str) -> ProviderError:
        return read_words(words, self._config, None)
