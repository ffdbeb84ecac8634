"""One provider, ready to be called: the same interface whoever it is, with its retries."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rollcall.providers.chat.call import Call, NoReply, Params, Piece, read_params
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.messages import Message, read_messages
from rollcall.runtime.errors import ProviderError
from rollcall.runtime.network import Network
from rollcall.runtime.resolution import ResolvedLLMConfig
from rollcall.runtime.response import LLMResponse

if TYPE_CHECKING:
    import httpx

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
    """A provider's protocol, its address and its key, and the connections to it."""

    config: ResolvedLLMConfig
    network: Network = field(default_factory=Network, repr=False)
    patience: Patience = field(default_factory=Patience)

    def run_chat(
        self, model: str, messages: Iterable[Any], params: Mapping[str, Any] | None = None
    ) -> LLMResponse:
        """One completion.

        Raises:
            InvalidCall: it would be refused; nothing was sent. ProviderError: it was refused.
        """
        return self.network.wait(self.complete(model, read_messages(messages), read_params(params)))

    async def complete(
        self, model: str, messages: tuple[Message, ...], params: Params
    ) -> LLMResponse:
        """`run_chat`, in an event loop."""
        from rollcall.providers.chat import calling

        endpoint, call = self.config.endpoint, Call(model, messages, params)
        client = await self._client(endpoint)
        raw, said = await self._trying(lambda: calling.complete(client, endpoint, call))
        return LLMResponse(
            content=said.content,
            raw=raw,
            provider=endpoint.name,
            model=said.model or model,
            usage=said.usage,
            finish_reason=said.finish_reason,
            refusal=said.refusal,
        )

    async def open_stream(
        self, model: str, messages: tuple[Message, ...], params: Params
    ) -> AsyncGenerator[str, None]:
        """The pieces of a completion's text, once the first of them, or its end, is there."""
        from rollcall.providers.chat import calling

        endpoint, call = self.config.endpoint, Call(model, messages, params, stream=True)
        client = await self._client(endpoint)

        async def begin() -> tuple[Piece, AsyncGenerator[Piece, None]]:
            pieces = calling.stream(client, endpoint, call)
            async for piece in pieces:
                if piece.text or piece.last:
                    return piece, pieces
            return Piece(last=True), pieces

        return _texts(*await self._trying(begin))

    async def _client(self, endpoint: Endpoint) -> httpx.AsyncClient:
        from rollcall.providers.chat.failures import error_of

        try:
            return await self.network.client(endpoint.base_url)
        except (OSError, ValueError, ImportError) as error:
            raise error_of(NoReply("unreachable", str(error)), endpoint) from None

    async def _trying(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Attempts until one succeeds, or another is not worth it."""
        number = 0
        while True:
            try:
                return await attempt()
            except ProviderError as error:
                delay = self.patience.delay(number, error.wait_seconds)
                if not error.retryable or delay is None or number == self.config.max_retries:
                    raise
            number += 1
            await self.network.sleep(delay)


async def _texts(first: Piece, rest: AsyncGenerator[Piece, None]) -> AsyncGenerator[str, None]:
    try:
        if first.text:
            yield first.text
        async for piece in rest:
            if piece.text:
                yield piece.text
    finally:
        await rest.aclose()
