"""Everything a decision is made from, as plain values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollcall.catalog.model import Answer, Model, Verdict
from rollcall.litellm_config.entries import keys_of
from rollcall.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from rollcall.litellm_config.document import ConfigDocument
    from rollcall.policy.schema import Policy
    from rollcall.providers.builtin import Provider
    from rollcall.selection.admission import Admission
    from rollcall.store.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a run knows when it decides.

    Attributes:
        providers: the policy's providers, resolved, in the policy's order.
        answers: what became of asking them; a provider that is missing was not asked.
        document: config.yaml. included_names: model_names of the files it includes.
        key_envs: provider -> the variable its key is written as; None = it needs none.
        old_policy: the policy at the last apply, when we remember it and it was another one.
        same_policy: we remember the last apply, and its policy was this one.
        keyed_elsewhere: providers whose key LiteLLM gets from somewhere we do not read.
        previous_models: the provider's models at the last good answer before this one; asked
            only when something left, to tell a rename from a removal.
        today: the day of the decision, UTC.
        force: past the guards. accepted: names let past a hold. accepting: those of them that
            this run was told.
        picked: the `provider/id` a person picked as `default`.
    """

    policy: Policy
    providers: Mapping[str, Provider]
    answers: Mapping[str, Answer]
    document: ConfigDocument
    included_names: frozenset[str]
    key_envs: Mapping[str, str | None]
    state: State
    old_policy: Policy | None
    previous_models: Callable[[str], Sequence[Model]]
    today: date
    mode: Mode = Mode.ORCHESTRATOR
    force: bool = False
    accepted: frozenset[str] = frozenset()
    accepting: frozenset[str] = frozenset()
    same_policy: bool = False
    keyed_elsewhere: frozenset[str] = frozenset()
    picked: str | None = None

    def verdict(self, provider: str) -> Verdict:
        """What became of asking `provider`."""
        answer = self.answers.get(provider)
        return answer.verdict if answer else Verdict.NOT_ASKED

    @property
    def catalogs(self) -> dict[str, Sequence[Model]]:
        """The models of the providers that answered well, in the policy's order."""
        return {
            name: self.answers[name].models
            for name in self.providers
            if self.verdict(name) is Verdict.OK
        }

    def admit(self, policy: Policy) -> Admission:
        """What a policy's rules say over what the answering providers list.

        Raises:
            PolicyError: two models would carry one model_name.
        """
        from rollcall.selection import (
            admission,  # not before the providers are asked: they make one wait
        )

        return admission.admit(
            policy,
            self.catalogs,
            today=self.today,
            first_seen=self.first_seen,
            accepted=self.accepted,
            named_only=self.mode is Mode.SUBAGENTS,
            present=self.present,
        )

    @property
    def openrouter_models(self) -> list[Model]:
        """What OpenRouter lists, now or when it was asked last."""
        found: list[Model] = []
        for name in self.policy.openrouters:
            if name in self.answers:
                found += self.answers[name].models or self.previous_models(name)
        return found

    @property
    def present(self) -> frozenset[tuple[str, str]]:
        """(provider, id) of the managed entries in the file."""
        return keys_of(self.document.managed.models)

    @property
    def own_entries(self) -> Sequence[Mapping[str, Any]]:
        """The user's own entries that stay: none where the policy says `model_list: replace`."""
        return () if self.policy.model_list == "replace" else self.document.own_entries

    @property
    def own_aliases(self) -> frozenset[str]:
        """The user's own aliases that stay; `3.5: x` is none: clients ask for text, not numbers."""
        if self.policy.model_list == "replace":
            return frozenset()
        return frozenset(name for name in self.document.own_aliases if isinstance(name, str))

    @property
    def own_names(self) -> frozenset[str]:
        """Every name the user's own lines already give: entries and aliases, includes counted."""
        names = {str(entry.get("model_name")) for entry in self.own_entries}
        return frozenset(names) | self.own_aliases | self.included_names

    def first_seen(self, provider: str, model_id: str) -> date | None:
        """The day we first saw an id; None when it was there from the start, or is unknown."""
        return self.state.first_seen(provider, model_id, self.today)
