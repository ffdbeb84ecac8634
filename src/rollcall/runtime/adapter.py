"""One provider, ready to be called: the same interface whoever it is, with its retries."""

from __future__ import annotations

import logging
import random
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rollcall.providers.chat.answer import Piece
from rollcall.providers.chat.call import Call, read_params
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.learned import Learned
from rollcall.providers.chat.messages import read_messages
from rollcall.runtime.errors import Outcome, ProviderError
from rollcall.runtime.network import Network
from rollcall.runtime.resolution import ResolvedLLMConfig
from rollcall.runtime.response import Begun, EmbeddingResponse, LLMResponse, response_of

if TYPE_CHECKING:
    import httpx

log = logging.getLogger("rollcall.runtime")
T = TypeVar("T")
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


@dataclass(frozen=True, slots=True)
class ProviderAdapter:
    """A provider's protocol, its address and its key, and the connections to it.

    Attributes:
        learned: what its models turned out to need, shared by the adapters of a client.
    """

    config: ResolvedLLMConfig
    network: Network = field(default_factory=Network, repr=False)
    patience: Patience = field(default_factory=Patience)
    learned: Learned = field(default_factory=Learned, repr=False)

    def run_chat(
        self, model: str, messages: Iterable[Any], params: Mapping[str, Any] | None = None
    ) -> LLMResponse:
        """One completion.

        Raises:
            InvalidCall: it would be refused; nothing was sent. ProviderError: it was refused.
        """
        call = Call(model, read_messages(messages), read_params(params))
        return self.network.wait(self.complete(call))

    async def complete(self, call: Call) -> LLMResponse:
        """`run_chat`, in an event loop."""
        from rollcall.providers.chat import calling

        client = await self._client()
        raw, said = await self._trying(call, partial(calling.complete, client))
        dropped = self.learned.dropped(self.config.endpoint, call)
        return response_of((said,), self.config.provider, call.model, raw, dropped)

    async def open_stream(self, call: Call) -> Begun:
        """A streamed completion, once it has begun to speak, or has ended."""
        from rollcall.providers.chat import calling

        client = await self._client()

        async def begin(endpoint: Endpoint, fitted: Call) -> AsyncGenerator[Piece, None]:
            pieces = calling.stream(client, endpoint, fitted)
            first: list[Piece] = []
            async for piece in pieces:
                first.append(piece)
                if piece.says_something:
                    break
            return _again(first, pieces)

        pieces = await self._trying(call, begin)
        dropped = self.learned.dropped(self.config.endpoint, call)
        name = self.config.provider
        return pieces, partial(response_of, provider=name, model=call.model, dropped_params=dropped)

    async def embed(
        self, model: str, texts: Sequence[str], params: Mapping[str, Any]
    ) -> EmbeddingResponse:
        """Texts as lists of numbers."""
        from rollcall.providers.chat import calling

        client = await self._client()
        raw, found = await self._trying(
            Call(model, ()),
            lambda endpoint, _: calling.embed(client, endpoint, model, texts, params),
        )
        name = self.config.provider
        return EmbeddingResponse(found.vectors, raw, name, found.model or model, found.usage)

    async def _client(self) -> httpx.AsyncClient:
        from rollcall.providers.chat.failures import no_reply

        endpoint = self.config.endpoint
        try:
            return await self.network.client(endpoint.base_url)
        except (OSError, ValueError, ImportError) as error:
            raise no_reply("unreachable", str(error), endpoint) from None

    async def _trying(self, call: Call, attempt: Callable[[Endpoint, Call], Awaitable[T]]) -> T:
        """Attempts until one succeeds, or another is not worth it."""
        number = 0
        taught: ProviderError | None = None
        while True:
            endpoint, fitted = self.learned.fit(self.config.endpoint, call)
            try:
                return await attempt(endpoint, fitted)
            except ProviderError as error:
                drop = self.config.drop_refused_params
                lesson = self.learned.learn(endpoint, fitted, error, drop=drop)
                if lesson:
                    log.warning("%s: %s.", endpoint.name, lesson)
                    taught = error
                    continue
                if taught and error.outcome is Outcome.WRONG_ENDPOINT:
                    raise taught from None  # it was no better elsewhere: the first words count
                delay = self.patience.delay(number, error.wait_seconds)
                if not error.retryable or delay is None or number == self.config.max_retries:
                    raise
            number += 1
            await self.network.sleep(delay)


async def _again(
    first: list[Piece], rest: AsyncGenerator[Piece, None]
) -> AsyncGenerator[Piece, None]:
    async with aclosing(rest):
        for piece in first:
            yield piece
        async for piece in rest:
            yield piece
