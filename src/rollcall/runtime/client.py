"""The client: a role and messages in, a response out."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
)
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from rollcall.providers.chat.call import Call, read_params
from rollcall.providers.chat.embeddings import read_inputs
from rollcall.providers.chat.learned import Learned
from rollcall.providers.chat.messages import read_messages
from rollcall.runtime.adapter import ProviderAdapter
from rollcall.runtime.config import ConfigFile, OrchestratorConfig
from rollcall.runtime.errors import LLMError, ProviderError, ResolutionError
from rollcall.runtime.network import Network
from rollcall.runtime.resolution import (
    Link,
    Pick,
    ResolvedLLMConfig,
    chain_of,
    find_role,
    resolve_pick,
)
from rollcall.runtime.response import (
    AsyncLLMStream,
    Begun,
    EmbeddingResponse,
    LLMResponse,
    LLMStream,
)
from rollcall.settings import read_environment

if TYPE_CHECKING:
    from rollcall.runtime.selection import Selector

T = TypeVar("T")
_Story = Callable[[], Coroutine[Any, Any, T]]
"""A call that was checked, and is made when it is awaited."""

log = logging.getLogger("rollcall.runtime")


def process_environment() -> Mapping[str, str]:
    """The variables of this process, over those of `.env`, as everywhere in rollcall."""
    return read_environment(Path.cwd(), os.environ).variables


class LLMClient:
    """Calls models by role. Safe for threads; make one and keep it: it holds the connections.

    Args:
        config_path: llm_orchestrator.yaml. environ: where keys are looked for, at each call.
        network: the connections, and the waiting between attempts.
        refresh: ask providers anew where the catalog of a role's `select` is too old.

    Raises:
        ConfigError: the file cannot be used.
    """

    def __init__(
        self,
        config_path: str | os.PathLike[str],
        *,
        environ: Callable[[], Mapping[str, str]] = process_environment,
        network: Network | None = None,
        refresh: bool = True,
    ) -> None:
        self._file = ConfigFile(Path(config_path))
        self._environ = environ
        self._refresh = refresh
        self._selector: Selector | None = None
        self._lock = threading.Lock()
        self._network = network or Network()
        self._learned = Learned()

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
        return self._network.wait(self._completing(role, messages, params_override)())

    async def arun(
        self,
        role: str,
        messages: Iterable[Any],
        params_override: Mapping[str, Any] | None = None,
    ) -> LLMResponse:
        """`run` for an asyncio event loop."""
        return await self._completing(role, messages, params_override)()

    def stream(
        self,
        role: str,
        messages: Iterable[Any],
        params_override: Mapping[str, Any] | None = None,
    ) -> LLMStream:
        """The pieces of a completion's text, as they come.

        Fallbacks are tried until a stream has begun; after that its errors are raised.
        """
        return LLMStream(self.astream(role, messages, params_override), self._network)

    def astream(
        self,
        role: str,
        messages: Iterable[Any],
        params_override: Mapping[str, Any] | None = None,
    ) -> AsyncLLMStream:
        """`stream` for an asyncio event loop."""
        return AsyncLLMStream(self._opening(role, messages, params_override))

    def embed(
        self,
        role: str,
        inputs: str | Iterable[str],
        params_override: Mapping[str, Any] | None = None,
    ) -> EmbeddingResponse:
        """Texts as lists of numbers, by the role's model, or by its fallbacks in order.

        Args:
            inputs: one text, or several. params_override: over the role's params (`dimensions`).

        Raises:
            InvalidCall: the provider has no embeddings. Else what `run` raises.
        """
        return self._network.wait(self._embedding(role, inputs, params_override)())

    async def aembed(
        self,
        role: str,
        inputs: str | Iterable[str],
        params_override: Mapping[str, Any] | None = None,
    ) -> EmbeddingResponse:
        """`embed` for an asyncio event loop."""
        return await self._embedding(role, inputs, params_override)()

    def resolve(self, role: str) -> ResolvedLLMConfig:
        """What a role means now, and why: provider, model, address (its repr has no key).

        Raises:
            ResolutionError: it leads to no model or no key.
        """
        config = self._file.current()
        find_role(config, role)
        return self._found(config, Link(role))

    def close(self) -> None:
        """Close the connections of `run` and `stream`."""
        self._network.close()

    async def aclose(self) -> None:
        """Close the connections of `arun` and `astream` in this event loop, and the others."""
        await self._network.aclose()
        await asyncio.to_thread(self._network.close)

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
    ) -> _Story[LLMResponse]:
        call = _calls(messages, override)
        return self._trying(role, lambda adapter: adapter.complete(call(adapter)))

    def _opening(
        self, role: str, messages: Iterable[Any], override: Mapping[str, Any] | None
    ) -> _Story[Begun]:
        call = _calls(messages, override)
        return self._trying(role, lambda adapter: adapter.open_stream(call(adapter)))

    def _embedding(
        self, role: str, inputs: str | Iterable[str], override: Mapping[str, Any] | None
    ) -> _Story[EmbeddingResponse]:
        texts = read_inputs(inputs)

        def use(adapter: ProviderAdapter) -> Awaitable[EmbeddingResponse]:
            given = {**adapter.config.params, **(override or {})}
            params = {name: value for name, value in given.items() if value is not None}
            return adapter.embed(adapter.config.model, texts, params)

        return self._trying(role, use)

    def _trying(self, role: str, use: Callable[[ProviderAdapter], Awaitable[T]]) -> _Story[T]:
        """Check a role and its fallbacks now; try them in order when it is awaited.

        Raises:
            ResolutionError: now, where the file leads nowhere; then, where the role itself has no
            model or no key. ProviderError: all failed; the first one's error.
        """
        config = self._file.current()
        return partial(self._first_that_answers, config, chain_of(config, role), use)

    async def _first_that_answers(
        self,
        config: OrchestratorConfig,
        chain: list[Link],
        use: Callable[[ProviderAdapter], Awaitable[T]],
    ) -> T:
        failed: list[LLMError] = []
        for link in chain:
            try:
                if link.fallback is None and config.roles[link.role].selects:
                    # It may read catalogs, and ask for them.
                    target = await asyncio.to_thread(self._found, config, link)
                else:
                    target = self._found(config, link)
                adapter = ProviderAdapter(target, self._network, self._learned)
                return await use(adapter)
            except (ProviderError, ResolutionError) as error:
                if not failed and isinstance(error, ResolutionError):
                    raise
                failed.append(error)
                log.warning("Role %s: %s", chain[0].role, error.what)
        first = failed[0]
        assert isinstance(first, ProviderError)
        first.fallbacks = tuple(error.what for error in failed[1:])
        raise first

    def _found(self, config: OrchestratorConfig, link: Link) -> ResolvedLLMConfig:
        """What a link of a chain means now."""
        row = config.roles[link.role]
        if link.fallback is not None:
            reason = f"fallback of {link.role}"
            pick = Pick(link.fallback.provider, link.fallback.model, reason)
        elif row.provider is not None and row.model is not None:
            pick = Pick(row.provider, row.model)
        else:
            pick = self._picking().pick(config, link.role)
        return resolve_pick(config, link, pick, self._environ())

    def _picking(self) -> Selector:
        """What picks models; only roles with `select` pay for its import."""
        from rollcall.runtime.selection import Selector

        with self._lock:
            if self._selector is None:
                self._selector = Selector(self._file.path, self._environ, refresh=self._refresh)
            return self._selector


def _calls(
    messages: Iterable[Any], override: Mapping[str, Any] | None
) -> Callable[[ProviderAdapter], Call]:
    """The call of checked messages, for whichever model a role leads to."""
    read = read_messages(messages)

    def call(adapter: ProviderAdapter) -> Call:
        return Call(adapter.config.model, read, read_params(adapter.config.params, override))

    return call


def get_llm_client(config_path: str | os.PathLike[str] = "llm_orchestrator.yaml") -> LLMClient:
    """A client for the roles of llm_orchestrator.yaml.

    Raises:
        ConfigError: the file cannot be used.
    """
    return LLMClient(config_path)
