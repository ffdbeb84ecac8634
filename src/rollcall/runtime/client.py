"""The client: a role and messages in, a response out."""

from __future__ import annotations

import os
from collections.abc import (
    AsyncGenerator,
    Callable,
    Generator,
    Iterable,
    Mapping,
)
from pathlib import Path
from types import TracebackType
from typing import Any

from rollcall.runtime.adapter import Patience, PieceReader, ProviderAdapter
from rollcall.runtime.chain import Chain
from rollcall.runtime.config_file import ConfigFile
from rollcall.runtime.link import AsyncHttpLink, HttpLink
from rollcall.runtime.messages import read_messages
from rollcall.runtime.params import read_params
from rollcall.runtime.resolution import ResolvedLLMConfig
from rollcall.runtime.response import LLMResponse
from rollcall.runtime.selection import Selector
from rollcall.runtime.steps import Reply, Steps, drive, drive_async
from rollcall.settings import read_environment


def process_environment() -> Mapping[str, str]:
    """The variables of this process, over those of `.env`, as everywhere in rollcall."""
    return read_environment(Path.cwd(), os.environ).variables


class LLMClient:
    """Calls models by role. Safe for threads; make one and keep it: it holds the connections.

    Args:
        config_path: llm_orchestrator.yaml. environ: where keys are looked for, at each call.
        link, async_link: the network, and the waiting between attempts.
        refresh: ask providers anew where the catalog of a role's `select` is too old.

    Raises:
        ConfigError: the file cannot be used.
    """

    def __init__(
        self,
        config_path: str | os.PathLike[str],
        *,
        environ: Callable[[], Mapping[str, str]] = process_environment,
        link: HttpLink | None = None,
        async_link: AsyncHttpLink | None = None,
        patience: Patience | None = None,
        refresh: bool = True,
    ) -> None:
        self._file = ConfigFile(Path(config_path))
        self._link = link or HttpLink()
        self._async_link = async_link or AsyncHttpLink()
        selector = Selector(self._file.path, environ, refresh=refresh)
        self._chain = Chain(self._file, selector, environ, self._link, patience or Patience())

    def run(
        self,
        role: str,
        messages: Iterable[Any],
        params_override: Mapping[str, Any] | None = None,
    ) -> LLMResponse:
        """One completion by the role's model, or by its fallbacks in order.

        Args:
            messages: dicts or objects with `role` and `content`.
            params_override: over the role's params; None as a value takes one away.

        Raises:
            ResolutionError: the role leads to no model or no key. InvalidCall: the provider
            would refuse it. ProviderError: it, and every fallback, failed.
        """
        return drive(self._completing(role, messages, params_override), self._link)

    async def arun(
        self,
        role: str,
        messages: Iterable[Any],
        params_override: Mapping[str, Any] | None = None,
    ) -> LLMResponse:
        """`run` for an asyncio event loop."""
        steps = self._completing(role, messages, params_override)
        return await drive_async(steps, self._async_link)

    def stream(
        self,
        role: str,
        messages: Iterable[Any],
        params_override: Mapping[str, Any] | None = None,
    ) -> Generator[str, None, None]:
        """The pieces of a completion's text, as they come.

        Fallbacks are tried until a stream has begun; after that its errors are raised.
        """
        return self._pieces(self._opening(role, messages, params_override))

    def astream(
        self,
        role: str,
        messages: Iterable[Any],
        params_override: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[str, None]:
        """`stream` for an asyncio event loop."""
        return self._async_pieces(self._opening(role, messages, params_override))

    def resolve(self, role: str) -> ResolvedLLMConfig:
        """What a role means now, and why: provider, model, address (its repr has no key).

        Raises:
            ResolutionError: it leads to no model or no key.
        """
        return self._chain.resolve(role)

    def close(self) -> None:
        """Close the connections of `run` and `stream`."""
        self._link.close()

    async def aclose(self) -> None:
        """Close the connections of `arun` and `astream` in this event loop, and the others."""
        await self._async_link.close()
        self._link.close()

    def __enter__(self) -> LLMClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> LLMClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"LLMClient({str(self._file.path)!r})"

    def _completing(
        self, role: str, messages: Iterable[Any], override: Mapping[str, Any] | None
    ) -> Steps[LLMResponse]:
        read = read_messages(messages)

        def start(adapter: ProviderAdapter, target: ResolvedLLMConfig) -> Steps[LLMResponse]:
            return adapter.completing(target.model, read, read_params(target.params, override))

        return self._chain.trying(role, start)

    def _opening(
        self, role: str, messages: Iterable[Any], override: Mapping[str, Any] | None
    ) -> Steps[tuple[Reply, PieceReader]]:
        read = read_messages(messages)

        def start(
            adapter: ProviderAdapter, target: ResolvedLLMConfig
        ) -> Steps[tuple[Reply, PieceReader]]:
            return adapter.opening(target.model, read, read_params(target.params, override))

        return self._chain.trying(role, start)

    def _pieces(self, opening: Steps[tuple[Reply, PieceReader]]) -> Generator[str, None, None]:
        reply, reader = drive(opening, self._link)
        try:
            for chunk in reply.chunks:
                yield from reader.feed(chunk)
            yield from reader.end()
        finally:
            reply.chunks.close()

    async def _async_pieces(
        self, opening: Steps[tuple[Reply, PieceReader]]
    ) -> AsyncGenerator[str, None]:
        reply, reader = await drive_async(opening, self._async_link)
        try:
            async for chunk in reply.chunks:
                for piece in reader.feed(chunk):
                    yield piece
            for piece in reader.end():
                yield piece
        finally:
            await reply.chunks.aclose()


def get_llm_client(config_path: str | os.PathLike[str] = "llm_orchestrator.yaml") -> LLMClient:
    """A client for the roles of llm_orchestrator.yaml.

    Raises:
        ConfigError: the file cannot be used.
    """
    return LLMClient(config_path)
