"""The catalog that `rollcall apply` keeps, as far as the library can call it. Disk, and network
where it is too old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from rollcall.catalog.model import Answer, Model, Verdict
from rollcall.errors import RollcallError
from rollcall.litellm_config.document import parse
from rollcall.litellm_config.entries import keys_of
from rollcall.policy.schema import Policy
from rollcall.providers import fetch
from rollcall.providers.builtin import Provider, find_key
from rollcall.providers.chat.endpoint import TYPES
from rollcall.runtime.config import OrchestratorConfig
from rollcall.runtime.resolution import variable_of
from rollcall.selection import admission
from rollcall.settings import Settings, resolve, stamp
from rollcall.store.state import State
from rollcall.store.store import Store
from rollcall.sync.asking import provider_of
from rollcall.sync.gather import read_policy


@dataclass(frozen=True, slots=True)
class Catalog:
    """What the policy admits of the providers the file defines.

    Attributes:
        admitted: in the policy's order. providers: the policy's name of a provider -> its name in
            llm_orchestrator.yaml. as_of: provider -> the day of its list, ISO 8601.
    """

    policy: Policy
    admitted: tuple[admission.Admitted, ...]
    providers: Mapping[str, str]
    as_of: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the catalog is: settings as the commands find them, from the file's own folder."""

    settings: Settings
    store: Store
    max_age_seconds: float

    @classmethod
    def of(cls, config: OrchestratorConfig, folder: Path, environ: Mapping[str, str]) -> Shelf:
        """The shelf that a file's `catalog:` names.

        Raises:
            SettingsError: a variable makes no sense.
        """
        given = config.catalog
        found = resolve(
            config=Path(given.config) if given.config else None,
            policy=Path(given.policy) if given.policy else None,
            state_dir=Path(given.state_dir) if given.state_dir else None,
            cwd=folder,
            environ=environ,
        )
        return cls(found, Store(found.config_path, found.state_dir), given.max_age)

    def read(self, config: OrchestratorConfig, wanted: frozenset[str], *, refresh: bool) -> Catalog:
        """The catalog of the providers that the file defines, and `wanted` (empty: all) names.

        Args:
            refresh: ask providers whose list is older than the limit, or missing. Whoever cannot
                be asked within the policy's deadline keeps the list that is there.

        Raises:
            RollcallError: there is no policy, or it is wrong.
        """
        _, policy = read_policy(self.settings)
        callable_as = _callable_as(config, policy)
        rows = {
            name: provider_of(name, row, self.settings.environ)
            for name, row in policy.providers.items()
            if name in callable_as and (not wanted or name in wanted)
        }
        state, _ = self.store.read_state()
        models: dict[str, tuple[Model, ...]] = {}
        as_of: dict[str, str] = {}
        if refresh:
            for answer in self._refresh(config, policy, state, rows, callable_as):
                models[answer.provider], as_of[answer.provider] = answer.models, answer.fetched_at
        for name in [name for name in rows if name not in models]:
            provider = rows[name]
            kept = self.store.read_replies(name)
            if kept is not None:
                target = fetch.Target(provider)
                models[name] = fetch.parse_stored(target, kept[0], fetched_at=kept[1]).models
                as_of[name] = self._confirmed(state, name, kept[1])
        since = cache(self._listed_since)
        admitted = admission.admit(
            policy,
            models,
            today=self.settings.now.date(),
            first_seen=lambda provider, model_id: state.first_seen(
                provider, model_id, since(provider)
            ),
            accepted=frozenset((*policy.accept, *state.accepted)),
            present=self._present() if policy.guards.min_age else frozenset(),
        )
        return Catalog(policy, admitted.admitted, callable_as, as_of)

    def _refresh(
        self,
        config: OrchestratorConfig,
        policy: Policy,
        state: State,
        rows: Mapping[str, Provider],
        callable_as: Mapping[str, str],
    ) -> tuple[Answer, ...]:
        """The good answers of those whose list is too old; kept where the folder allows it."""
        keys = {name: self._key(config, rows[name], callable_as[name]) for name in rows}
        targets = [
            fetch.Target(row, keys[name], row.timeout_seconds or policy.defaults.timeout)
            for name, row in rows.items()
            if (keys[name] or not row.needs_key) and self._is_old(state, name)
        ]
        answers = fetch.ask_all(
            targets,
            deadline_seconds=policy.defaults.deadline,
            fetched_at=stamp(self.settings),
            secrets=[key for key in keys.values() if key],
        )
        good = tuple(answer for answer in answers if answer.verdict is Verdict.OK)
        if good:
            self.store.write_replies(good)
        return good

    def _key(self, config: OrchestratorConfig, row: Provider, name: str) -> str | None:
        """The key LiteLLM would use, else the library's own, where it goes to the same place."""
        found = find_key(row, self.settings.environ)
        if found is not None:
            return found[1]
        provider = config.providers[name]
        kind = TYPES[provider.type or name]
        here = kind.clean_base(provider.api_base or kind.base)
        if provider.auth_profile is None or here != kind.clean_base(row.base_url):
            return None
        return self.settings.environ.get(variable_of(provider.auth_profile), "").strip() or None

    def _is_old(self, state: State, name: str) -> bool:
        kept = self.store.read_replies(name)
        if kept is None:
            return True
        try:
            moment = datetime.fromisoformat(self._confirmed(state, name, kept[1]))
        except ValueError:
            return True
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (self.settings.now - moment).total_seconds() > self.max_age_seconds

    def _listed_since(self, provider: str) -> date:
        """The day the kept list first came; today where none is kept."""
        kept = self.store.read_replies(provider)
        try:
            return date.fromisoformat(kept[1][:10]) if kept else self.settings.now.date()
        except ValueError:
            return self.settings.now.date()

    def _present(self) -> frozenset[tuple[str, str]]:
        """(provider, id) of what config.yaml has already: nothing of that is too young."""
        try:
            return keys_of(parse(self.store.read_config()).managed.models)
        except RollcallError:
            return frozenset()

    def _confirmed(self, state: State, name: str, fetched_at: str) -> str:
        """When a list was last known to be so: an unchanged one keeps its first date."""
        known = state.providers.get(name)
        return max(fetched_at, (known.last_good if known else None) or "")


def _callable_as(config: OrchestratorConfig, policy: Policy) -> dict[str, str]:
    """The policy's providers that the file defines too: by name, else by type."""
    found = {name: name for name in policy.providers if name in config.providers}
    for name, row in policy.providers.items():
        if name not in found and (row.type or name) == name:
            of_type = (one for one, given in config.providers.items() if given.type == name)
            first = next(of_type, None)
            if first is not None:
                found[name] = first
    return found


def missing(wanted: Iterable[str], config: OrchestratorConfig, policy: Policy) -> list[str]:
    """Providers that a selection names and that cannot be called, each with what to add."""
    callable_as = _callable_as(config, policy)
    found = []
    for name in wanted:
        if name not in policy.providers:
            found.append(f"{name} is not among the policy's providers")
        elif name not in callable_as:
            found.append(f"{name} is not under `providers:` of this file")
    return found
