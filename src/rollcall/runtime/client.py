"""The client: a role and messages in, a response out."""

from __future__ import annotations

import logging
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
from typing import Any, TypeVar

from rollcall.runtime.adapter import Patience, PieceReader, ProviderAdapter
from rollcall.runtime.config import FallbackConfig, OrchestratorConfig
from rollcall.runtime.config_file import ConfigFile
from rollcall.runtime.errors import LLMError, ProviderError, ResolutionError
from rollcall.runtime.link import AsyncHttpLink, HttpLink
from rollcall.runtime.messages import read_messages
from rollcall.runtime.params import read_params
from rollcall.runtime.resolution import (
    Pick,
    ResolvedLLMConfig,
    chain_of,
    find_provider,
    find_role,
    resolve_pick,
)
from rollcall.runtime.response import LLMResponse
from rollcall.runtime.selection import Selector
from rollcall.runtime.steps import Reply, Steps, Work, drive, drive_async
from rollcall.settings import read_environment

T = TypeVar("T")
Start = Callable[[ProviderAdapter, ResolvedLLMConfig], Steps[T]]
Find = Callable[[], ResolvedLLMConfig | LLMError]
log = logging.getLogger("rollcall.runtime")


def process_environment() -> Mapping[str, str]:
    """The variables of this process, over those of `.env`, as everywhere in rollcall."""
    return read_environment(Path.cwd(), os.environ)[0]


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
        self._environ = environ
        self._link = link or HttpLink()
        self._async_link = async_link or AsyncHttpLink()
        self._patience = patience or Patience()
        self._selector = Selector(self._file.path, environ, refresh=refresh)

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
        found = self._finder(self._file.current(), role, None)()
        if isinstance(found, LLMError):
            raise found
        return found

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

        return self._chain(role, start)

    def _opening(
        self, role: str, messages: Iterable[Any], override: Mapping[str, Any] | None
    ) -> Steps[tuple[Reply, PieceReader]]:
        read = read_messages(messages)

        def start(
            adapter: ProviderAdapter, target: ResolvedLLMConfig
        ) -> Steps[tuple[Reply, PieceReader]]:
            return adapter.opening(target.model, read, read_params(target.params, override))

        return self._chain(role, start)

    def _chain(self, role: str, start: Start[T]) -> Steps[T]:
        """Check the role and its fallbacks now; try them when the story is performed."""
        config = self._file.current()
        chain = chain_of(config, role)
        for name, fallback in chain:
            provider = fallback.provider if fallback else config.roles[name].provider
            if provider is not None:
                find_provider(config, provider, name)
        finders = [self._finder(config, name, fallback) for name, fallback in chain]
        return self._trying(finders, role, start)

    def _trying(self, links: list[Find], role: str, start: Start[T]) -> Steps[T]:
        outcomes: list[LLMError] = []
        for find in links:
            try:
                target = yield Work(find)
                if isinstance(target, LLMError):
                    raise target
                adapter = ProviderAdapter(target, self._link, self._patience)
                return (yield from start(adapter, target))
            except (ProviderError, ResolutionError) as error:
                if not outcomes and isinstance(error, ResolutionError):
                    raise
                outcomes.append(error)
                log.warning("Role %s: %s", role, error.what)
        first = outcomes[0]
        assert isinstance(first, ProviderError)
        first.fallbacks = tuple(error.what for error in outcomes[1:])
        raise first

    def _finder(
        self, config: OrchestratorConfig, role: str, fallback: FallbackConfig | None
    ) -> Find:
        """Finds one link of a role's chain; what it can fail with is its result."""

        def find() -> ResolvedLLMConfig | LLMError:
            try:
                pick = self._pick(config, role, fallback)
                return resolve_pick(config, pick, role, self._environ())
            except LLMError as error:
                return error

        return find

    def _pick(self, config: OrchestratorConfig, role: str, fallback: FallbackConfig | None) -> Pick:
        row = find_role(config, role)
        if fallback is not None:
            params = {**row.params, **fallback.params}
            return Pick(fallback.provider, fallback.model, params, f"fallback of {role}")
        if row.select is not None:
            return self._selector.pick(config, role, row)
        assert row.provider is not None
        assert row.model is not None
        return Pick(row.provider, row.model, row.params)

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
