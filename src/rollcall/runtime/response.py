"""What a call gives back, the same for every provider: a response, a stream, embeddings."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from rollcall.providers.chat.answer import UNKNOWN_USAGE, Piece, ToolCall, Usage
from rollcall.runtime.errors import AnswerRefused
from rollcall.runtime.network import Network


@dataclass(frozen=True, slots=True)
class LLMResponse:
    """One completion.

    Attributes:
        content: the text; "" where the model said nothing (see the reasons below).
        raw: the provider's reply as it came, parsed; of a stream, nothing.
        provider: its name in llm_orchestrator.yaml. model: the model that answered, as the
            provider calls it.
        finish_reason: why it ended: `stop`, `length`, `tool_calls`, `refusal`, or the provider's
            own word. refusal: why the model or its filter declined, where it did.
        tool_calls: the tools it wants called, as OpenAI writes them: `id`, `type`, and `function`
            with `name` and `arguments` (JSON).
        dropped_params: sampling parameters the model does not take, which were left out.
    """

    content: str
    raw: Mapping[str, Any] = field(repr=False)
    provider: str
    model: str
    usage: Usage = UNKNOWN_USAGE
    finish_reason: str = "stop"
    refusal: str | None = None
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    dropped_params: tuple[str, ...] = ()

    @property
    def message(self) -> dict[str, Any]:
        """It as a message, to be put behind those it answers."""
        calls = {"tool_calls": self.tool_calls} if self.tool_calls else {}
        return {"role": "assistant", "content": self.content or None, **calls}


@dataclass(frozen=True, slots=True)
class EmbeddingResponse:
    """Texts as lists of numbers.

    Attributes:
        embeddings: one for each text, in the order of the texts.
        raw, provider, model, usage: as in LLMResponse.
    """

    embeddings: list[list[float]] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)
    provider: str
    model: str
    usage: Usage = UNKNOWN_USAGE


Begun = tuple[AsyncGenerator[Piece, None], Callable[[Sequence[Piece]], LLMResponse]]
"""A streamed answer that has begun: its pieces, and what makes the whole of them."""


def response_of(
    pieces: Sequence[Piece],
    provider: str,
    model: str,
    raw: Mapping[str, Any] | None = None,
    dropped_params: tuple[str, ...] = (),
) -> LLMResponse:
    """The pieces of an answer as what the caller gets; `model` is what was asked for."""
    usage, reason = UNKNOWN_USAGE, ""
    tools: dict[int | tuple[int], ToolCall] = {}
    for piece in pieces:
        model = piece.model or model
        if reason in ("", "stop"):  # an answer that was cut ends with a plain end, too
            reason = piece.finish_reason or reason
        usage = usage.updated(piece.usage)
        for part in piece.tool_calls:
            place = (len(tools),) if part.index is None else part.index
            tools[place] = tools[place].joined(part) if place in tools else part
    refusal = "".join(piece.refusal for piece in pieces) or None
    if reason in ("", "stop"):
        reason = "refusal" if refusal else "tool_calls" if tools else "stop"
    return LLMResponse(
        content="".join(piece.text for piece in pieces),
        raw=raw or {},
        provider=provider,
        model=model,
        usage=usage,
        finish_reason=reason,
        refusal=refusal,
        tool_calls=_as_openai_has_them(tools.values()),
        dropped_params=dropped_params,
    )


def _as_openai_has_them(calls: Iterable[ToolCall]) -> list[dict[str, Any]]:
    own = uuid4().hex[:12]
    return [
        {
            "id": call.id or f"call_{own}_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments or "{}"},
            **call.extra,
        }
        for index, call in enumerate(calls)
    ]


class AsyncLLMStream(AsyncIterator[str]):
    """The pieces of a completion's text, as they come. The call is made when one is asked for.

    A task reads them, one ahead. It ends with the stream: at the last piece, when the stream is
    closed or dropped, and with its event loop.

    Attributes:
        response: the whole of it, once it has ended; None before.

    Raises:
        AnswerRefused: at its end, where the model or its filter declined: the pieces are no whole
            answer. LLMError: what `arun` raises; also in the middle, where an answer breaks off.
    """

    def __init__(self, begin: Callable[[], Awaitable[Begun]]) -> None:
        self._begin = begin
        self._task: asyncio.Task[None] | None = None
        self._pieces: asyncio.Queue[str | Exception | LLMResponse] = asyncio.Queue(1)
        self.response: LLMResponse | None = None
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
        if isinstance(piece, Exception):
            raise piece
        self.response = piece
        if piece.refusal:
            raise AnswerRefused(
                f"The answer of {piece.provider} ({piece.model}) is not whole: {piece.refusal}.",
                provider=piece.provider,
                refusal=piece.refusal,
                finish_reason=piece.finish_reason,
            )
        raise StopAsyncIteration

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
    begin: Callable[[], Awaitable[Begun]],
    pieces: asyncio.Queue[str | Exception | LLMResponse],
) -> None:
    """Pass the pieces of text on, and then what ends them: an error, or the whole."""
    said: list[Piece] = []
    try:
        stream, whole = await begin()
        async with aclosing(stream):
            async for piece in stream:
                said.append(piece)
                if piece.text:
                    await pieces.put(piece.text)
        await pieces.put(whole(said))
    except Exception as error:  # noqa: BLE001 - it belongs to whoever listens
        await pieces.put(error)


class LLMStream(Iterator[str]):
    """`AsyncLLMStream` for ordinary code."""

    def __init__(self, pieces: AsyncLLMStream, network: Network) -> None:
        self._pieces = pieces
        self._network = network

    @property
    def response(self) -> LLMResponse | None:
        """The whole of it, once it has ended; None before."""
        return self._pieces.response

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
