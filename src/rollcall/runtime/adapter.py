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
from dataclasses import dataclass, field, replace
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
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 8.0
"""Waits double from the first to the longest, each times 0.5 to 1, as `jitter` has it."""


class ChatAdapter(Protocol):
    """What every provider looks like to a caller."""

    def run_chat(
        self, model: str, messages: Iterable[Any], params: Mapping[str, Any] | None = None
    ) -> LLMResponse:
        """One completion."""


@dataclass(frozen=True, slots=True)
class ProviderAdapter:
    """A provider's protocol, its address and its key, and the connections to it.

    Attributes:
        learned: what its models turned out to need, shared by the adapters of a client.
        jitter: gives 0 to 1, so that not all who wait try again at the same time.
    """

    config: ResolvedLLMConfig
    network: Network = field(default_factory=Network, repr=False)
    learned: Learned = field(default_factory=Learned, repr=False)
    jitter: Callable[[], float] = random.random

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

        call = replace(call, stream=True)
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
                delay = error.wait_seconds
                if delay is None:
                    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * float(2**number))
                    delay = longest * (0.5 + self.jitter() / 2)
                if not error.retryable or number == self.config.max_retries:
                    raise
                if delay > MAX_WAIT_SECONDS:
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
