"""A role and its fallbacks: what is tried, in which order, and what counts as failure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from rollcall.runtime.adapter import Patience, ProviderAdapter
from rollcall.runtime.config import FallbackConfig, OrchestratorConfig
from rollcall.runtime.config_file import ConfigFile
from rollcall.runtime.errors import LLMError, ProviderError, ResolutionError
from rollcall.runtime.resolution import (
    Pick,
    ResolvedLLMConfig,
    chain_of,
    find_provider,
    find_role,
    resolve_pick,
)
from rollcall.runtime.selection import Selector
from rollcall.runtime.steps import Link, Steps, Work

T = TypeVar("T")
Start = Callable[[ProviderAdapter, ResolvedLLMConfig], Steps[T]]
Find = Callable[[], ResolvedLLMConfig | LLMError]
log = logging.getLogger("rollcall.runtime")


@dataclass(frozen=True, slots=True)
class Chain:
    """Leads from a role to the first of its models that answers."""

    _file: ConfigFile
    _selector: Selector
    _environ: Callable[[], Mapping[str, str]]
    _link: Link
    _patience: Patience

    def resolve(self, role: str) -> ResolvedLLMConfig:
        """What a role means now.

        Raises:
            ResolutionError: it leads to no model or no key.
        """
        found = self._finder(self._file.current(), role, None)()
        if isinstance(found, LLMError):
            raise found
        return found

    def trying(self, role: str, start: Start[T]) -> Steps[T]:
        """Check a role and its fallbacks now; try them in order when the story is performed.

        Raises:
            ResolutionError: now, where the file leads nowhere; in the story, where the role
            itself has no model or no key. ProviderError: all failed; the first one's error.
        """
        config = self._file.current()
        chain = chain_of(config, role)
        for name, fallback in chain:
            provider = fallback.provider if fallback else config.roles[name].provider
            if provider is not None:
                find_provider(config, provider, name)
        finders = [
            (self._finder(config, name, fallback), fallback is None and config.roles[name].selects)
            for name, fallback in chain
        ]
        return self._trying(finders, role, start)

    def _trying(self, finders: list[tuple[Find, bool]], role: str, start: Start[T]) -> Steps[T]:
        outcomes: list[LLMError] = []
        for find, takes_a_while in finders:
            try:
                target = (yield Work(find)) if takes_a_while else find()
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
