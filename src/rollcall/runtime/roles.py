"""The roles of a file as a table: what each means now, and what keeps it from working."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rollcall.runtime.client import LLMClient, process_environment
from rollcall.runtime.config import ConfigFile, FallbackConfig, OrchestratorConfig
from rollcall.runtime.errors import LLMError


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role.

    Attributes:
        provider, model: None where they are not known. api_base: the root that is called.
        key_variable: where its key comes from; None = none is needed, or nobody knows.
        reason: why this model. fallbacks: `provider/model`, or the names of roles.
        problem: what keeps it from working, "" when nothing does; hint: what to do about it.
    """

    role: str
    provider: str | None
    model: str | None
    api_base: str | None = None
    key_variable: str | None = None
    reason: str = ""
    fallbacks: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""

    @property
    def ready(self) -> bool:
        """Whether a call would be made."""
        return not self.problem


def list_roles(
    config_path: str | os.PathLike[str] = "llm_orchestrator.yaml",
    *,
    environ: Callable[[], Mapping[str, str]] = process_environment,
) -> tuple[RoleRow, ...]:
    """Every role of a file, in its order. Reads files and variables; asks nobody.

    Raises:
        ConfigError: the file cannot be used.
    """
    config = ConfigFile(Path(config_path)).current()
    with LLMClient(config_path, environ=environ, refresh=False) as client:
        return tuple(_row(client, config, role) for role in config.roles)


def _row(client: LLMClient, config: OrchestratorConfig, role: str) -> RoleRow:
    given = config.roles[role]
    fallbacks = tuple(
        f"{one.provider}/{one.model}" if isinstance(one, FallbackConfig) else one
        for one in given.fallbacks
    )
    row = RoleRow(role, given.provider, given.model, fallbacks=fallbacks)
    try:
        found = client.resolve(role)
    except LLMError as error:
        return replace(row, problem=error.what, hint=error.hint)
    return replace(
        row,
        provider=found.provider,
        model=found.model,
        api_base=found.api_base,
        key_variable=found.key_variable,
        reason=found.reason,
    )
