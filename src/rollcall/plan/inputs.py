"""What a run knows before it decides: files, answers and earlier runs, as one plain value. Pure.

`sync.gather` reads and asks; from here on nothing touches the disk or the network, so the same
inputs always give the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rollcall.catalog.facts import OtherLists, RecordedFacts
from rollcall.catalog.model import Answer, Model, ModelKey, Verdict
from rollcall.litellm_config.effective import alias_map, alias_target, entries
from rollcall.litellm_config.entries import (
    entry_of,
    key_of,
    keys_of,
    leaves_on,
    model_of,
    name_of,
    section_of,
)
from rollcall.settings import Mode, stamp_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from rollcall.litellm_config.document import ConfigDocument, Entry
    from rollcall.plan.trial import Callee
    from rollcall.policy.schema import Policy
    from rollcall.providers.builtin import Provider
    from rollcall.selection.admission import Admission
    from rollcall.store.state import State, TrialRecord


ITS_ENTRY = "its entry"
"""Whose word a value is that only the entry in config.yaml states."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything a plan is made from.

    Attributes:
        policy_sha256: of the bytes the policy was read from, with a person's pick behind them.
        old_policy: the policy of the last apply, when we remember it, it was another one, and it
            still works.
        picked: the `provider/id` a person picked as `default`.
        document: config.yaml. config_version: its ETag or generation in a store; "" of a file.
        included: the files it includes, name -> data. included_by: the
            file that includes it, where it has no router_settings of its own.
        providers: the policy's providers, resolved, in the policy's order.
        key_envs: provider -> the variable its key is written as; None = it needs none.
        with_key: providers whose key we have. keyed_elsewhere: provider -> where LiteLLM itself
            gets the key that we do not have.
        answers: what became of asking them, in the policy's order; those not asked say why.
        previous: provider -> its models at the last good answer before this one, where a decision
            may need them: to tell a rename from a removal, and as prices to compare with.
        recorded: `litellm` and the files of the policy's `facts` -> what they say of models.
        state: what earlier runs left. now: the clock of every decision, UTC.
        force: past the guards. accepted: names that a person let past a hold, besides those of the
            policy. accepting: those of them that this run was told.
        unset: index in `document.own_models` -> the variables that entry needs and nobody sets.
        facts_to_keep: what of `recorded` the next run shall find; None = it does already.
        trials: what models said when they were last called with the keys and at the addresses of
            now. tried: those of them called in this run. hold_untried: nobody will call any more
            in this run, so what has not answered is not used; else it is yet to be tried.
        notes: what was odd while reading, for people.
    """

    policy: Policy
    policy_text: str = ""
    policy_sha256: str = ""
    old_policy: Policy | None = None
    picked: str | None = None
    document: ConfigDocument
    config_version: str = ""
    included: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    included_by: str = ""
    providers: Mapping[str, Provider]
    key_envs: Mapping[str, str | None]
    with_key: frozenset[str] = frozenset()
    keyed_elsewhere: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer]
    previous: Mapping[str, Sequence[Model]] = field(default_factory=dict)
    recorded: Mapping[str, RecordedFacts] = field(default_factory=dict)
    state: State
    now: datetime
    mode: Mode = Mode.ORCHESTRATOR
    force: bool = False
    accepted: frozenset[str] = frozenset()
    accepting: frozenset[str] = frozenset()
    unset: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    facts_to_keep: bytes | None = None
    trials: Mapping[Callee, TrialRecord] = field(default_factory=dict)
    tried: frozenset[Callee] = frozenset()
    hold_untried: bool = False
    notes: tuple[str, ...] = ()

    @property
    def today(self) -> date:
        """The day of the decision, UTC."""
        return self.now.date()

    def accepts(self, *names: str) -> bool:
        """Whether a hold is let past for one of these names: by the policy or by a person."""
        return self.policy.accepts(names, self.accepted)

    def entry_of(self, model: Model, name: str, rule: int) -> Entry:
        """The managed entry of a model that a rule admits, under the model_name `name`."""
        extras = self.policy.extras(model.provider, rule)
        known = self._as_written(self.others.complete(model))
        return entry_of(
            known,
            borrowed_price=self.writes_price(known),
            name=name,
            key_env=extras.key_env or self.key_envs.get(model.provider),
            api_base=extras.api_base or self.providers[model.provider].api_base,
            params=extras.params,
            model_info=extras.model_info,
        )

    @property
    def stamp(self) -> str:
        """The moment of the decision, ISO 8601 UTC, whole seconds."""
        return stamp_of(self.now)

    @property
    def same_policy(self) -> bool:
        """We remember the last apply, and its policy was this one."""
        return self.state.policy_text == self.policy_text

    @property
    def nobody_answered(self) -> bool:
        """No provider could be asked: then nothing may change."""
        return all(answer.verdict is not Verdict.OK for answer in self.answers.values())

    def verdict(self, provider: str) -> Verdict:
        """What became of asking `provider`."""
        answer = self.answers.get(provider)
        return answer.verdict if answer else Verdict.NOT_ASKED

    def gave_part(self, provider: str) -> bool:
        """Whether `provider` answered, but not with its whole list."""
        answer = self.answers.get(provider)
        return answer is not None and bool(answer.partial)

    @cached_property
    def catalogs(self) -> dict[str, Sequence[Model]]:
        """The models of the providers that answered well, in the policy's order."""
        return {
            name: (*self.answers[name].models, *self.unseen.get(name, {}).values())
            for name in self.providers
            if self.verdict(name) is Verdict.OK
        }

    @cached_property
    def unseen(self) -> dict[str, dict[str, Model]]:
        """Provider -> id -> the models of our entries that a partial list lacks, as they were known
        last: they may stand in the part that could not be read, so they count as listed.
        """
        found: dict[str, dict[str, Model]] = {}
        for entry in self.document.managed.models:
            key, model = key_of(entry), model_of(entry)
            if key is None or model is None or not self.gave_part(key.provider):
                continue
            listed = {row.id for row in self.answers[key.provider].models}
            if key.id not in listed and leaves_on(entry) is None:
                before = {row.id: row for row in self.previous.get(key.provider, ())}
                found.setdefault(key.provider, {})[key.id] = before.get(key.id, model)
        return found

    def admit(self, policy: Policy) -> Admission:
        """What a policy's rules say over what the answering providers list.

        Raises:
            PolicyError: two models would carry one model_name.
        """
        from rollcall.selection import admission, rule  # not needed before the answers are in

        return admission.admit(
            rule.RuleContext(
                policy,
                self.catalogs,
                self.today,
                first_seen=self.first_seen,
                accepted=self.accepted,
                named_only=self.mode is Mode.SUBAGENTS,
                present=self.present,
                unproven=self._unproven if policy.guards.trial == "all" else None,
                others=self.others,
            )
        )

    def _unproven(self, model: Model, rule: int, name: str) -> str | None:
        """Why a model that a rule admits waits until it has answered; None = it does not."""
        from rollcall.plan import trial

        call = trial.trial_of(self, self.entry_of(model, name, rule), model)
        return trial.held_because(self, call, name)

    @cached_property
    def others(self) -> OtherLists:
        """What other lists say where a provider says nothing, in the policy's order."""
        return OtherLists.of(
            self.policy.fact_sources,
            self.openrouter_models,
            self.recorded,
            says_all=self.policy.openrouters,
        )

    def writes_price(self, model: Model) -> bool:
        """Whether a borrowed price goes into the entry: the policy says so, and LiteLLM's own map,
        whose updates would otherwise not count, does not know one. Where no map is found, what
        stands in the entry goes on.
        """
        if self.policy.defaults.write_prices != "borrowed" or "price" not in model.borrowed:
            return False
        charged = self.others.is_charged(model)
        written = self._written.get(model.key)
        return charged is False or (charged is None and bool(written and written.borrowed))

    @cached_property
    def _written(self) -> dict[ModelKey, Model]:
        """(provider, id) -> the model as its managed entry in the file states it."""
        models = (model_of(entry) for entry in self.document.managed.models)
        return {model.key: model for model in models if model is not None}

    @cached_property
    def _lists_away(self) -> bool:
        """Whether a list the policy believes is not there now: another machine may have it."""
        there = {"openrouter"} if self.openrouter_models or not self.policy.openrouters else set()
        return not there.union(self.recorded).issuperset(self.policy.fact_sources)

    def _as_written(self, model: Model) -> Model:
        """The model with what its entry borrowed from a list that is away now."""
        written = self._written.get(model.key) if self._lists_away else None
        if written is None:
            return model
        kept: dict[str, Any] = {}
        if model.ends is None and written.ends is not None:
            kept = {"ends": written.ends, "borrowed": {**model.borrowed, "ends": ITS_ENTRY}}
        if model.price.blended is None and "price" in written.borrowed:
            borrowed = {**model.borrowed, **kept.get("borrowed", {}), **written.borrowed}
            kept |= {"price": written.price, "borrowed": borrowed}
        return model.model_copy(update=kept) if kept else model

    @cached_property
    def openrouter_models(self) -> Sequence[Model]:
        """What OpenRouter lists, now or when it was asked last: prices to compare with."""
        return [
            model
            for name in self.policy.openrouters
            if name in self.answers
            for model in self.answers[name].models or self.previous.get(name, ())
        ]

    @cached_property
    def listed(self) -> dict[ModelKey, Model]:
        """(provider, id) -> the model, of all that is listed now."""
        models = (model for answer in self.answers.values() for model in answer.models)
        return {model.key: model for model in models}

    @cached_property
    def present(self) -> frozenset[ModelKey]:
        """(provider, id) of the managed entries in the file."""
        return keys_of(self.document.managed.models)

    @property
    def own_entries(self) -> Sequence[Mapping[str, Any]]:
        """The user's own entries that stay: none where the policy says `model_list: replace`."""
        return () if self.policy.model_list == "replace" else self.document.own_entries

    @cached_property
    def own_aliases(self) -> frozenset[str]:
        """The user's own aliases that stay; `3.5: x` is none: clients ask for text, not numbers."""
        if self.policy.model_list == "replace":
            return frozenset()
        return frozenset(name for name in self.document.own_aliases if isinstance(name, str))

    @cached_property
    def own_names(self) -> frozenset[str]:
        """Every name the user's own lines already give: entries and aliases, includes counted."""
        names = {name_of(entry) for entry in self.own_entries}
        return frozenset(names) | self.own_aliases | self.included_names

    @cached_property
    def own_ids(self) -> frozenset[str]:
        """The `model_info.id`s the user's own entries give, includes counted."""
        included = [row for data in self.included.values() for row in entries(data)]
        rows = (*self.own_entries, *included)
        ids = (section_of(row, "model_info").get("id") for row in rows)
        return frozenset(one for one in ids if isinstance(one, str))

    @property
    def included_names(self) -> frozenset[str]:
        """The names that included files give: their entries' and their aliases'."""
        names: set[str] = set()
        for data in self.included.values():
            names |= {name_of(entry) for entry in entries(data)}
            names |= {str(name) for name in alias_map(data)}
        return frozenset(names)

    @property
    def router_replaced_by(self) -> str:
        """The included file whose router_settings LiteLLM takes instead of config.yaml's; "" where
        there is none. Of several it takes the last one's.
        """
        having = [name for name, data in self.included.items() if "router_settings" in data]
        return having[-1] if having else ""

    @property
    def router_elsewhere(self) -> str:
        """Why our aliases and fallbacks would be dead in config.yaml, or would kill another
        file's; "" where they would not.
        """
        if name := self.router_replaced_by:
            return (
                f"{name}, which config.yaml includes, has router_settings, and LiteLLM takes "
                "them instead of config.yaml's: move them into config.yaml"
            )
        if self.included_by:
            return (
                f"{self.included_by} includes this file, and router_settings here would replace "
                f"its own: let rollcall write {self.included_by} instead"
            )
        return ""

    @cached_property
    def current_aliases(self) -> dict[str, str]:
        """Our aliases as they stand in config.yaml: name -> target model_name."""
        return {
            name: alias_target(value) or "" for name, value in self.document.managed.aliases.items()
        }

    def first_seen(self, provider: str, model_id: str) -> date | None:
        """The day we first saw an id; None = it is old enough for every `min_age`."""
        return self.state.first_seen(provider, model_id, self.today)
