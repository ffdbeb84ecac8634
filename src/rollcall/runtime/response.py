"""What a call gives back, the same for every provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from rollcall.providers.chat.call import UNKNOWN_USAGE, Usage
from rollcall.runtime.network import Network


@dataclass(frozen=True, slots=True)
class LLMResponse:
    """One completion.

    Attributes:
        content: the text; "" where the model said nothing (see `finish_reason` and `refusal`).
        raw: the provider's reply as it came, parsed.
        provider: its name in llm_orchestrator.yaml. model: the model that answered, as the
            provider calls it.
        finish_reason: `stop`, `length`, `refusal`, or the provider's own word.
        refusal: why the model or its filter declined, where it did.
    """

    content: str
    raw: Mapping[str, Any] = field(repr=False)
    provider: str
    model: str
    usage: Usage = UNKNOWN_USAGE
    finish_reason: str = "stop"
    refusal: str | None = None


class AsyncLLMStream(AsyncIterator[str]):
    """The pieces of a completion's text, as they come. The call is made when one is asked for.

    A task reads them, one ahead. It ends with the stream: at the last piece, when the stream is
    closed or dropped, and with its event loop.

    Raises:
        LLMError: what `arun` raises; also in the middle, where an answer breaks off.
    """

    def __init__(self, begin: Callable[[], Awaitable[AsyncGenerator[str, None]]]) -> None:
        self._begin = begin
        self._task: asyncio.Task[None] | None = None
        self._pieces: asyncio.Queue[str | Exception | None] = asyncio.Queue(1)
        self._ended = False

    async def __anext__(self) -> str:
        if self._ended:
            raise StopAsyncIteration
        if self._task is None:
            self._task = asyncio.create_task(_read(self._begin, self._pieces))
        piece = await self._pieces.get()
        if isinstance(piece, str):
            return piece
        self._ended = True
        raise piece or StopAsyncIteration

    async def aclose(self) -> None:
        """Stop listening, and close the connection."""
        self._ended = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def __aenter__(self) -> AsyncLLMStream:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._task is not None and not self._task.done():
            loop = self._task.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._task.cancel)


async def _read(
    begin: Callable[[], Awaitable[AsyncGenerator[str, None]]],
    pieces: asyncio.Queue[str | Exception | None],
) -> None:
    """Pass the pieces on, and then what ends them: an error, or None."""
    end: Exception | None = None
    try:
        async with aclosing(await begin()) as stream:
            async for piece in stream:
                await pieces.put(piece)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever listens
        end = error
    await pieces.put(end)


class LLMStream(Iterator[str]):
    """`AsyncLLMStream` for ordinary code."""

    def __init__(self, pieces: AsyncLLMStream, network: Network) -> None:
        self._pieces = pieces
        self._network = network

    def __next__(self) -> str:
        piece = self._network.wait(_next(self._pieces))
        if piece is None:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Stop listening, and close the connection."""
        self._network.wait(self._pieces.aclose())

    def __enter__(self) -> LLMStream:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


async def _next(pieces: AsyncLLMStream) -> str | None:
    return await anext(pieces, None)
