"""Roles that pick their model from the catalog that `rollcall apply` keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rollcall.runtime.config import OrchestratorConfig, RoleConfig
from rollcall.runtime.errors import NothingSelected
from rollcall.runtime.resolution import Pick


class Selector:
    """Picks models for roles with `select`, once for the life of a client."""

    def __init__(self, config_path: Path, environ: Callable[[], Mapping[str, str]]) -> None:
        self._config_path = config_path
        self._environ = environ

    def pick(self, config: OrchestratorConfig, role: str, row: RoleConfig) -> Pick:
        """The pick of a role.

        Raises:
            NothingSelected: nothing that is known fits.
        """
        raise NothingSelected(f"The role {role!r}: no catalog is known.", "Run `rollcall apply`.")
