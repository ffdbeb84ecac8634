"""Roles that pick their model: a `select:` in the policy's own words, over the catalog that
`rollcall apply` keeps. Disk, and network where it is too old; imported only for such roles.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from rollcall.catalog.facts import OtherLists
from rollcall.catalog.model import Answer, Model, ModelKey, Verdict
from rollcall.errors import NoPolicy, RollcallError
from rollcall.litellm_config.document import parse
from rollcall.litellm_config.entries import keys_of
from rollcall.policy.rules import Selection
from rollcall.policy.schema import Policy
from rollcall.providers import fetch
from rollcall.providers.builtin import Provider, find_key
from rollcall.providers.chat.endpoint import TYPES, root_of
from rollcall.providers.own_proxy import leads_to_the_proxy
from rollcall.runtime.config import OrchestratorConfig
from rollcall.runtime.errors import LLMError, NothingSelected
from rollcall.runtime.resolution import Pick, access_to, variable_of
from rollcall.selection import admission
from rollcall.selection.choosing import Candidate, Pool
from rollcall.selection.choosing import choose as choose_alias
from rollcall.selection.rule import RuleContext
from rollcall.settings import hint_of, parse_moment, resolve, stamp
from rollcall.store.memory import FACTS
from rollcall.store.state import State
from rollcall.store.store import open_store
from rollcall.sync.asking import provider_of, target_of
from rollcall.sync.facts import OPENROUTER, FactLists
from rollcall.sync.gather import read_policy, stored_answer, stored_models
from rollcall.sync.trial import refused_at

WITHOUT_POLICY = (
    "Name yours in this file, `catalog: {policy: PATH}`, or write one beside it: rollcall init"
)


NO_CATALOG = {
    True: "No catalog is known: run `rollcall apply`, or set the providers' keys.",
    False: "No catalog is known: `rollcall apply` keeps one, and a call asks the providers.",
}
"""What to do, by whether the providers were asked."""


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

    def pick(self, config: OrchestratorConfig, role: str) -> Pick:
        """The pick of a role that selects.

        Raises:
            NothingSelected: nothing that is known fits, or no catalog is there.
        """
        given = config.roles[role].select
        key = repr((given, config.catalog))
        with self._lock:
            pinned = self._pins.get(role)
            if pinned is None or pinned[0] != key:
                pinned = (key, self._choose(config, role, Selection.model_validate(given)))
                self._pins[role] = pinned
        return pinned[1]

    def _choose(self, config: OrchestratorConfig, role: str, select: Selection) -> Pick:
        wanted = providers_of(select)
        try:
            reader = CatalogReader(config, self._folder, self._environ())
            catalog = reader.read(wanted, refresh=self._refresh)
        except RollcallError as error:
            hint = WITHOUT_POLICY if isinstance(error, NoPolicy) else hint_of(error)
            raise NothingSelected(f"The role {role!r} cannot select: {error.what}", hint) from None
        pick, reason = choose(catalog, select)
        if pick is None:
            gaps = missing(sorted(wanted), config, catalog.policy)
            known = ", ".join(f"{name} of {day[:10]}" for name, day in catalog.as_of.items())
            raise NothingSelected(
                f"The role {role!r}: {'; '.join([reason, *gaps])}.",
                f"Catalogs known: {known}. Widen `select`, or the policy's `allow`."
                if known
                else NO_CATALOG[self._refresh],
            )
        return pick


def providers_of(select: Selection) -> frozenset[str]:
    """The providers a selection names; empty where some part of it names none."""
    options = select.first_of or (select,)
    if not all(option.from_ for option in options):
        return frozenset()
    return frozenset(name for option in options for name in option.from_)


def choose(catalog: Catalog, select: Selection) -> tuple[Pick | None, str]:
    """The model a selection means among what is admitted, and why; or None, and why not. Pure.

    One that refused its last trial is passed over, and taken where there is no other, as by an
    alias.
    """
    rows = {row.model.qualified: row for row in catalog.admitted}
    entries = tuple(Candidate(name, row.model, row.rule) for name, row in rows.items())
    pool = Pool(catalog.policy, entries, catalog.today)
    outcome, refusal = choose_alias(pool, select, None), ""
    if outcome.target is None:
        return None, outcome.reason
    if why := catalog.refused.get(outcome.target):
        refusal = f"; the last trial of {outcome.target} came to: {why}"
        answering = tuple(one for one in entries if one.name not in catalog.refused)
        other = choose_alias(pool._replace(entries=answering), select, None)
        outcome = other if other.target is not None else outcome
    model = rows[outcome.target or ""].model
    day = catalog.as_of[model.provider][:10]
    reason = f"{outcome.reason} (catalog of {day}){refusal}"
    return Pick(catalog.providers[model.provider], model.id, reason), reason


# --- the catalog ---


@dataclass(frozen=True, slots=True)
class Catalog:
    """What the policy admits of the providers the file defines.

    Attributes:
        admitted: in the policy's order. providers: the policy's name of a provider -> its name in
            llm_orchestrator.yaml. as_of: provider -> the day of its list, ISO 8601.
        refused: `provider/id` -> what its last trial came to, of those admitted that refused it.
    """

    policy: Policy
    admitted: tuple[admission.Admitted, ...]
    providers: Mapping[str, str]
    as_of: Mapping[str, str]
    today: date
    refused: Mapping[str, str]


class CatalogReader:
    """Where the catalog is that a file's `catalog:` names: settings as the commands find them, from
    the file's own folder.

    Raises:
        SettingsError: a variable makes no sense.
    """

    def __init__(
        self, config: OrchestratorConfig, folder: Path, environ: Mapping[str, str]
    ) -> None:
        self.config = config
        self.environ = environ
        given = config.catalog
        self.settings = resolve(
            config=given.config or None,
            policy=Path(given.policy) if given.policy else None,
            state_dir=Path(given.state_dir) if given.state_dir else None,
            cwd=folder,
            environ=environ,
        )
        self.store = open_store(self.settings)

    def read(self, wanted: frozenset[str], *, refresh: bool) -> Catalog:
        """The catalog of the providers that the file defines, and `wanted` (empty: all) names.

        Args:
            refresh: ask providers whose list is older than the limit, or missing. Whoever cannot
                be asked within the policy's deadline keeps the list that is there.

        Raises:
            RollcallError: there is no policy, or it is wrong.
        """
        _, policy = read_policy(self.settings)
        callable_as = _callable_as(self.config, policy)
        rows = {
            name: provider_of(name, row, self.settings.environ)
            for name, row in policy.providers.items()
            if name in callable_as and (not wanted or name in wanted)
        }
        state, _ = self.store.memory.read_state()
        models: dict[str, tuple[Model, ...]] = {}
        as_of: dict[str, str] = {}
        if refresh:
            for answer in self._refresh(policy, state, rows, callable_as):
                models[answer.provider], as_of[answer.provider] = answer.models, answer.fetched_at
        for name in [name for name in rows if name not in models]:
            known = stored_answer(self.store, rows[name])
            if known is not None:
                models[name] = known.models
                as_of[name] = self._confirmed(state, name, known.fetched_at)
        refusals = self._refusals(policy, state, rows, callable_as)
        accepted = frozenset(state.accepted)

        def refusal(model: Model, _rule: int, name: str) -> str | None:
            waived = policy.accepts((model.id, model.qualified, name), accepted)
            return None if waived else refusals.get(model.qualified)

        since = cache(self._listed_since)
        context = RuleContext(
            policy,
            models,
            self.settings.now.date(),
            first_seen=lambda provider, model_id: state.first_seen(
                provider, model_id, since(provider)
            ),
            accepted=accepted,
            present=self._present() if policy.guards.min_age or refusals else frozenset(),
            unproven=refusal if policy.guards.trial == "all" else None,
            others=self._others(policy, models),
        )
        admitted = admission.admit(context).admitted
        refused = {
            row.model.qualified: why
            for row in admitted
            if (why := refusal(row.model, row.rule, row.name))
        }
        today = self.settings.now.date()
        return Catalog(policy, admitted, callable_as, as_of, today, refused)

    def _refusals(
        self,
        policy: Policy,
        state: State,
        rows: Mapping[str, Provider],
        callable_as: Mapping[str, str],
    ) -> dict[str, str]:
        """`provider/id` -> what its last trial came to, of what refused the key and the address
        that a call has here; who cannot be called at all is told by the call.
        """
        found: dict[str, str] = {}
        for name, row in rows.items():
            called = callable_as[name]
            try:
                access = access_to(called, self.config.providers[called], self.environ)
            except LLMError:
                continue
            refused = refused_at(state, policy, row, access.root, access.key or "")
            found |= {f"{name}/{model_id}": why for model_id, why in refused.items()}
        return found

    def _others(self, policy: Policy, models: Mapping[str, Sequence[Model]]) -> OtherLists:
        """What other lists say of these models where their providers say nothing; OpenRouter's is
        one, also where nothing is selected from it.
        """
        lists = FactLists(policy, self.settings, self.store.memory.read(FACTS))
        named = {model.litellm_model for rows in models.values() for model in rows}
        sold: list[Model] = []
        for name in policy.openrouters if OPENROUTER in policy.fact_sources else ():
            row = provider_of(name, policy.providers[name], self.settings.environ)
            sold += models.get(name) or stored_models(self.store, row)
        return OtherLists.of(
            policy.fact_sources, sold, lists.say_of(named).sources, says_all=policy.openrouters
        )

    def _refresh(
        self,
        policy: Policy,
        state: State,
        rows: Mapping[str, Provider],
        callable_as: Mapping[str, str],
    ) -> tuple[Answer, ...]:
        """The good answers of those whose list is too old; kept where the folder allows it."""
        environ = self.settings.environ
        keys = {name: self._key(rows[name], callable_as[name]) for name in rows}
        targets = [
            target
            for name, row in rows.items()
            if not (target := target_of(row, keys[name], policy, self.settings)).lacks_key
            and self._is_old(state, name)
            and not leads_to_the_proxy(row, find_key(row, environ), environ)
        ]
        answers = fetch.ask_all(
            targets,
            deadline_seconds=policy.defaults.deadline,
            fetched_at=stamp(self.settings),
            secrets=[key for key in keys.values() if key],
        )
        good = tuple(answer for answer in answers if answer.verdict is Verdict.OK)
        if good:
            self.store.memory.write_replies(good)
        return good

    def _key(self, row: Provider, name: str) -> str | None:
        """The key LiteLLM would use, else the library's own, where it goes to the same place."""
        found = find_key(row, self.settings.environ)
        if found is not None:
            return found[1]
        provider = self.config.providers[name]
        kind = TYPES[provider.type or name]
        here = root_of(kind, provider.api_base or kind.base_url)
        if provider.auth_profile is None or here != root_of(kind, row.base_url):
            return None
        return self.settings.environ.get(variable_of(provider.auth_profile), "").strip() or None

    def _is_old(self, state: State, name: str) -> bool:
        kept = self.store.memory.read_replies(name)
        moment = kept and parse_moment(self._confirmed(state, name, kept.fetched_at))
        if moment is None:
            return True
        return (self.settings.now - moment).total_seconds() > self.config.catalog.max_age

    def _listed_since(self, provider: str) -> date:
        """The day the kept list first came; today where none is kept."""
        kept = self.store.memory.read_replies(provider)
        moment = parse_moment(kept.fetched_at) if kept else None
        return (moment or self.settings.now).date()

    def _present(self) -> frozenset[ModelKey]:
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
