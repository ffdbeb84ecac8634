"""Roles that pick their model from the catalog, in the policy's own words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.errors import RollcallError
from rollcall.runtime.config import OrchestratorConfig, RoleConfig
from rollcall.runtime.errors import NothingSelected
from rollcall.runtime.resolution import Pick

if TYPE_CHECKING:
    from rollcall.runtime.selection_words import Selection
    from rollcall.runtime.shelf import Catalog


class Selector:
    """Picks models for roles with `select`.

    A pick stays for the life of the selector, whatever providers list later: the same role means
    the same model until the client is made anew, or the role's `select` is edited.
    """

    def __init__(
        self,
        config_path: Path,
        environ: Callable[[], Mapping[str, str]],
        *,
        refresh: bool = True,
    ) -> None:
        self._folder = config_path.absolute().parent
        self._environ = environ
        self._refresh = refresh
        self._lock = threading.Lock()
        self._pins: dict[str, tuple[str, Pick]] = {}

    def pick(self, config: OrchestratorConfig, role: str, row: RoleConfig) -> Pick:
        """The pick of a role; a role without `select` has none to make.

        Raises:
            NothingSelected: nothing that is known fits, or no catalog is there.
        """
        from rollcall.runtime.selection_words import Selection

        select = Selection.model_validate(row.select)
        key = repr((row.select, config.catalog))
        with self._lock:
            pinned = self._pins.get(role)
            if pinned is None or pinned[0] != key:
                pinned = (key, self._choose(config, role, select))
                self._pins[role] = pinned
        pick = pinned[1]
        return Pick(pick.provider, pick.model, row.params, pick.reason)

    def _choose(self, config: OrchestratorConfig, role: str, select: Selection) -> Pick:
        from rollcall.runtime.shelf import Shelf, missing

        wanted = providers_of(select)
        try:
            shelf = Shelf.of(config, self._folder, self._environ())
            catalog = shelf.read(config, wanted, refresh=self._refresh)
        except RollcallError as error:
            raise NothingSelected(
                f"The role {role!r} cannot select: {error.what}", error.hint
            ) from None
        pick, reason = choose(catalog, select)
        if pick is None:
            gaps = missing(sorted(wanted), config, catalog.policy)
            known = ", ".join(f"{name} of {day[:10]}" for name, day in catalog.as_of.items())
            raise NothingSelected(
                f"The role {role!r}: {'; '.join([reason, *gaps])}.",
                f"Catalogs known: {known}. Widen `select`, or the policy's `allow`."
                if known
                else "No catalog is known: run `rollcall apply`, or set the providers' keys.",
            )
        return pick


def providers_of(select: Selection) -> frozenset[str]:
    """The providers a selection names; empty where some part of it names none."""
    options = select.first_of or (select,)
    if not all(option.from_ for option in options):
        return frozenset()
    return frozenset(name for option in options for name in option.from_)


def choose(catalog: Catalog, select: Selection) -> tuple[Pick | None, str]:
    """The model a selection means among what is admitted, and why; or None, and why not. Pure."""
    from rollcall.policy.schema import AliasSpec
    from rollcall.selection.choosing import Candidate, Pool
    from rollcall.selection.choosing import choose as choose_alias

    rows = {row.model.qualified: row for row in catalog.admitted}
    entries = tuple(Candidate(name, row.model, row.reading, row.rule) for name, row in rows.items())
    pool = Pool(catalog.policy, entries, own_names=frozenset(), unanswered=frozenset())
    words = {name: getattr(select, name) for name in type(select).model_fields}
    outcome = choose_alias(pool, AliasSpec.model_construct(**words), None)
    if outcome.target is None:
        return None, outcome.reason
    model = rows[outcome.target].model
    day = catalog.as_of[model.provider][:10]
    reason = f"{outcome.reason} (catalog of {day})"
    return Pick(catalog.providers[model.provider], model.id, {}, reason), reason
