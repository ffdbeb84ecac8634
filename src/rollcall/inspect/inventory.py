"""Every model known, in the config or not, ready or not, and why. Pure values."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from rollcall.catalog import names, order
from rollcall.catalog.model import CAPABILITIES, Model, ModelKey, per_million
from rollcall.inspect.explain_model import outside
from rollcall.litellm_config.effective import aliases_of
from rollcall.litellm_config.entries import called_by, key_of, leaves_on, model_of, name_of
from rollcall.plan.decide import decide
from rollcall.plan.guards import HeldChange
from rollcall.plan.last_days import LastDay
from rollcall.plan.own_entries import OwnEntry, fate_of, read_own_entries
from rollcall.plan.trial import last_trial, refusal_of
from rollcall.providers.builtin import missing_key
from rollcall.store.state import ProviderState, RunRecord
from rollcall.store.store import open_store
from rollcall.sync.gather import gather, stored_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from decimal import Decimal

    from rollcall.litellm_config.document import Entry
    from rollcall.plan.decide import Decision
    from rollcall.plan.inputs import Inputs
    from rollcall.providers.fetch import Observer
    from rollcall.settings import Settings
    from rollcall.store.store import Store


class ModelRow(BaseModel):
    """One row of `rollcall models`.

    Attributes:
        name: the model_name clients use; None when it is not in the config.
        version: "" = unversioned. stage: stable, preview or experimental.
        input_price, output_price: USD per 1M tokens; None = unknown.
        capabilities: the words it is known to have. modalities: what it takes in.
        ready: a client can call it now. reason: why it is, or is not, in the config and ready.
        needs: what would bring it into the config, where that is not a key; "" = nothing does.
        leaves: the day its entry goes; leaves_because: why. ends: the announced last day;
            replaced_by: the successor, as the provider's id.
        borrowed: field or capability -> whose word it is, where it is not the provider's own:
            `openrouter/z-ai/glm-5`, `litellm 1.110.2`, a file's name.
        lacks_key: there is no key for its provider. key_env: the variable its key comes from;
            key_url: where to get one.
        aliases: names in the config that lead to it.
        answered: when it last answered a trial call, ISO 8601 UTC. refusal: what the last call came
            to, where that was no answer, with the provider's words; "" where it was one.
    """

    model_config = ConfigDict(frozen=True)

    name: str | None
    provider: str
    id: str
    litellm_model: str
    display_name: str | None = None
    family: str = ""
    version: str = ""
    stage: str = "stable"
    released: date | None = None
    context: int | None = None
    max_output: int | None = None
    input_price: float | None = None
    output_price: float | None = None
    capabilities: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    in_config: bool = False
    ready: bool = False
    reason: str = ""
    needs: str = ""
    leaves: date | None = None
    leaves_because: str = ""
    ends: date | None = None
    replaced_by: str | None = None
    borrowed: dict[str, str] = {}
    lacks_key: bool = False
    key_env: str | None = None
    key_url: str | None = None
    aliases: tuple[str, ...] = ()
    answered: str | None = None
    refusal: str = ""

    @property
    def called(self) -> str:
        """What `explain` takes: its model_name, or `provider/id` of a model that is out."""
        return self.name or f"{self.provider}/{self.id}"

    def retired_before(self, today: date) -> bool:
        """Whether its own provider has retired it, and it is not in the config."""
        past = self.ends is not None and self.ends < today
        return past and not self.in_config and "ends" not in self.borrowed


class Inventory(BaseModel):
    """What `rollcall models`, the service and its page show; read from disk, never the network.

    Attributes:
        rows: models in the config first, in file order, then the others by provider and family.
        aliases: alias -> (target model_name, hidden).
        providers: provider -> its history. runs: newest last.
        held: changes that wait for a person's word. last_days: entries whose last day is known.
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[ModelRow, ...] = ()
    aliases: dict[str, tuple[str, bool]] = {}
    providers: dict[str, ProviderState] = {}
    runs: tuple[RunRecord, ...] = ()
    held: tuple[HeldChange, ...] = ()
    last_days: tuple[LastDay, ...] = ()


def build(inputs: Inputs, decision: Decision, stored: Mapping[str, Sequence[Model]]) -> Inventory:
    """Every model known, with the decision's reasons.

    Where a provider has no key and was never asked, OpenRouter's rows of its maker stand in, for
    display only and saying so.

    Args:
        stored: what providers listed when they were asked last; counts where they list nothing now.
    """
    aliases = aliases_of(inputs.document.managed.aliases).values()
    leading: dict[str, list[str]] = {}
    for alias in aliases:
        leading.setdefault(alias.target, []).append(alias.name)
    listed = _Lister(inputs, decision, stored, leading)
    rows = [listed.managed(entry) for entry in inputs.document.managed.models]
    own = {id(one.entry): one for one in read_own_entries(inputs)}
    rows += [
        listed.hand_written(entry, own.get(id(entry)), inputs.unset.get(index, ()))
        for index, entry in enumerate(inputs.document.own_models)
        if isinstance(entry, dict)
    ]
    rows += listed.others({ModelKey(row.provider, row.id) for row in rows})
    return Inventory(
        rows=tuple(rows),
        aliases={alias.name: (alias.target, alias.hidden) for alias in aliases},
        providers=inputs.state.providers,
        runs=tuple(inputs.state.runs),
        held=decision.held,
        last_days=decision.last_days,
    )


@dataclass(frozen=True)
class _Lister:
    """Makes the rows; holds what each of them needs."""

    inputs: Inputs
    decision: Decision
    stored: Mapping[str, Sequence[Model]]
    leading: dict[str, list[str]]

    def managed(self, entry: Entry) -> ModelRow:
        """A row of one of our entries."""
        name = name_of(entry)
        model = model_of(entry)
        if model is None:
            return self.hand_written(entry)
        key = key_of(entry)
        leaves = leaves_on(entry)
        reason = f"leaves on {leaves}" if leaves else self.decision.model_list.reasons.get(name, "")
        ready = self._has_key(model.provider)
        if not ready:
            reason = self._key_reason(model.provider)
        fuller = self.inputs.listed.get(key, model) if key else model
        row = self._row(fuller, name=name, in_config=True, ready=ready, reason=reason)
        departure = self.decision.model_list.departures.get(name)
        why = departure.why if leaves and departure else ""
        return row.model_copy(update={"leaves": leaves, "leaves_because": why})

    def hand_written(
        self, entry: Entry, own: OwnEntry | None = None, unset: Sequence[str] = ()
    ) -> ModelRow:
        """A row of one of the user's entries: what it calls, and whether that can be called."""
        name = name_of(entry)
        text = called_by(entry) or ""
        fate = fate_of(own, self.inputs.today) if own else ""
        reason = "hand-written"
        if unset:
            reason = f"hand-written; set {' and '.join(unset)}"
        elif fate:
            reason = f"hand-written; {fate}"
        ready = not unset and not (own and own.gone)
        if own and own.model and not own.gone:
            row = self._row(own.model, name=name, in_config=True, ready=ready, reason=reason)
            return row.model_copy(update={"litellm_model": text})
        provider, _, model_id = (
            text.rpartition("/") if text.count("/") == 1 else text.partition("/")
        )
        return ModelRow(
            name=name,
            provider=provider,
            id=model_id or text,
            litellm_model=text,
            in_config=True,
            ready=ready,
            reason=reason,
            aliases=tuple(self.leading.get(name, ())),
        )

    def others(self, shown: set[ModelKey]) -> list[ModelRow]:
        """Rows of every other model known, by provider and family, newest first."""
        rows: list[ModelRow] = []
        for provider in self.inputs.providers:
            models = [model for model in self._models(provider) if model.key not in shown]
            grouped = order.group(models)
            for family in sorted(grouped, key=lambda key: (key[1], key[0] or "")):
                for version in grouped[family]:
                    rows += [self._outside(model, provider) for model in version]
        return rows

    def _models(self, provider: str) -> list[Model]:
        answer = self.inputs.answers[provider]
        if answer.models:
            return list(answer.models)
        stored = self.stored.get(provider, ())
        if stored or self._has_key(provider):
            return list(stored)
        maker = names.canonical_maker(self.inputs.providers[provider].litellm_prefix)
        return [
            model
            for name in self.inputs.policy.openrouters
            for model in self.inputs.answers[name].models
            if not model.points_at and ":" not in model.id and model.reading.maker == maker
        ]

    def _outside(self, model: Model, provider: str) -> ModelRow:
        needs = ""
        if not self._has_key(provider):
            reason = self._key_reason(provider)
            if model.provider != provider:
                reason += f"; shown as {model.provider} lists it"
        else:
            reason, needs = outside(model, self.inputs, self.decision)
        row = self._row(model, name=None, in_config=False, ready=False, reason=reason)
        more = {"provider": provider, "needs": needs, **self._key(provider)}
        return row.model_copy(update=more)

    def _row(
        self, model: Model, *, name: str | None, in_config: bool, ready: bool, reason: str
    ) -> ModelRow:
        reading = model.reading
        tried = last_trial(self.inputs, model)
        model = self.inputs.others.complete(model)
        return ModelRow(
            name=name,
            provider=model.provider,
            id=model.id,
            litellm_model=model.litellm_model,
            display_name=model.display_name,
            family=reading.family,
            version=reading.version,
            stage=reading.stage.value,
            released=order.release_date(model),
            context=model.context,
            max_output=model.max_output,
            input_price=_per_million(model.price.input),
            output_price=_per_million(model.price.output),
            capabilities=tuple(word for word in CAPABILITIES if model.capabilities.get(word)),
            modalities=model.input_modalities or (),
            in_config=in_config,
            ready=ready,
            reason=reason,
            ends=model.ends,
            replaced_by=model.replaced_by,
            borrowed=model.borrowed,
            aliases=tuple(self.leading.get(name or "", ())),
            answered=tried.answered if tried else None,
            refusal=refusal_of(tried) if tried else "",
            **self._key(model.provider),
        )

    def _key(self, provider: str) -> dict[str, Any]:
        row = self.inputs.providers.get(provider)
        if row is None or not row.key_env:
            return {}
        variable = self.inputs.key_envs[provider] or row.key_env[0]
        lacks_key = not self._has_key(provider)
        return {"lacks_key": lacks_key, "key_env": variable, "key_url": row.key_url or None}

    def _has_key(self, provider: str) -> bool:
        row = self.inputs.providers.get(provider)
        if row is None or not row.needs_key:
            return True
        return provider in self.inputs.with_key or provider in self.inputs.keyed_elsewhere

    def _key_reason(self, provider: str) -> str:
        elsewhere = self.inputs.keyed_elsewhere.get(provider)
        return missing_key(self.inputs.providers[provider], elsewhere)


def _per_million(price: Decimal | None) -> float | None:
    return None if price is None else float(per_million(price))


def by_family(rows: Iterable[ModelRow]) -> dict[tuple[str, str], list[ModelRow]]:
    """(provider, family) -> its rows, newest first; in the order of their names."""
    grouped: dict[tuple[str, str], list[ModelRow]] = {}
    for row in rows:
        grouped.setdefault((row.provider, row.family), []).append(row)
    return {name: _newest_first(grouped[name]) for name in sorted(grouped)}


def _newest_first(rows: list[ModelRow]) -> list[ModelRow]:
    models = {
        row.id: Model(
            provider=row.provider, id=row.id, litellm_model=row.litellm_model, released=row.released
        )
        for row in rows
    }
    place = {model.id: at for at, model in enumerate(order.newest_first(models.values()))}
    return sorted(rows, key=lambda row: place[row.id])


def read_inventory(settings: Settings) -> Inventory:
    """Everything known, from config.yaml, the policy and the stored replies; asks nobody.

    Raises:
        PolicyError, ConfigRefused, StoreError: see their docstrings.
    """
    store = open_store(settings)
    return inventory_of(gather(replace(settings, offline=True), store), store)


def inventory_of(inputs: Inputs, store: Store) -> Inventory:
    """Everything known, where the inputs are there already."""
    silent = [row for name, row in inputs.providers.items() if not inputs.answers[name].models]
    stored = {row.name: stored_models(store, row) for row in silent}
    return build(inputs, decide(inputs), stored)


def look(
    settings: Settings,
    store: Store,
    *,
    refresh: bool = False,
    watching: Callable[[], AbstractContextManager[Observer | None]] = nullcontext,
) -> Inputs:
    """What is known to a person who looks: from the stored replies, and asked anew with `refresh`
    or where no run has stored any yet: after a first `plan`, or an `apply` of a saved one. Writes
    nothing.

    Args:
        watching: what observes the asking, entered only where somebody is asked.

    Raises:
        PolicyError, ConfigRefused, StoreError: see their docstrings.
    """
    if not refresh:
        inputs = gather(replace(settings, offline=True), store)
        if any(answer.models for answer in inputs.answers.values()):
            return inputs
    with watching() as observer:
        return gather(settings, store, observer)
