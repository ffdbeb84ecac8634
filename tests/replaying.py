"""A closed list through time without network or disk: catalogs in, config.yaml out, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Any

from rollcall.catalog.model import Answer, Model, Verdict
from rollcall.litellm_config import writing
from rollcall.litellm_config.document import ConfigDocument, parse
from rollcall.plan import decide
from rollcall.plan.changes import Change, compare
from rollcall.plan.decide import Decision
from rollcall.plan.inputs import Inputs
from rollcall.policy.file import load_policy
from rollcall.policy.schema import Policy
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.registry import resolve_provider
from rollcall.store.state import State
from rollcall.sync import remember
from tests.corpus import Capture

ROWS = {"gemini": "models"}
"""Where a provider's reply has its rows; elsewhere it is `data`."""


@cache
def _provider(name: str) -> Any:
    return resolve_provider(name, environ={})


@lru_cache(maxsize=2)
def _parsed(config: bytes) -> ConfigDocument:
    return parse(config)


def models_of(provider: str, rows: Sequence[Any]) -> tuple[Model, ...]:
    """Rows of a provider's reply, as its adapter reads them."""
    row = _provider(provider)
    page = {ROWS.get(provider, "data"): list(rows)}
    return tuple(ADAPTERS[row.protocol].parse(row, [page]).models)


@dataclass(frozen=True, slots=True)
class Day:
    """What one run decided, and what it changed."""

    on: date
    decision: Decision
    changes: list[Change]


@dataclass
class Replay:
    """One policy, one config.yaml, one memory; the providers list nothing yet.

    Attributes:
        force: past the guards, every day.
        away: providers that do not answer. partly: those that give a part of their list.
        old_policy: the one of the last run, when edited.
    """

    policy: Policy
    config: bytes = b""
    force: bool = False
    state: State = field(default_factory=State)
    listed: dict[str, tuple[Model, ...]] = field(default_factory=dict)
    before: dict[str, tuple[Model, ...]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    partly: set[str] = field(default_factory=set)
    old_policy: Policy | None = None

    def hears(self, capture: Capture) -> None:
        """A provider lists what it listed then."""
        self.listed[capture.provider] = models_of(capture.provider, capture.rows)

    def inputs(self, day: date) -> Inputs:
        """What a run of that day knows."""
        document = _parsed(self.config)
        providers = {name: _provider(name) for name in self.policy.providers}
        answers = {name: self._answer(name) for name in providers if self.listed.get(name)}
        return Inputs(
            policy=self.policy,
            providers=providers,
            answers=answers,
            document=document,
            key_envs={name: row.key_env[0] for name, row in providers.items()},
            state=self.state.model_copy(update={"policy_text": "the policy"}),
            old_policy=self.old_policy,
            policy_text="the policy" if self.config and self.old_policy is None else "edited",
            previous=self.before,
            now=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            force=self.force,
        )

    def _answer(self, provider: str) -> Answer:
        if provider in self.away:
            return Answer(provider, Verdict.TIMEOUT, detail="no answer")
        partial = "there is more" if provider in self.partly else ""
        return Answer(provider, Verdict.OK, models=self.listed[provider], partial=partial)

    def listed_ids(self) -> set[str]:
        """The ids of entries that some provider still lists."""
        rows = (model for models in self.listed.values() for model in models)
        return {f"rollcall/{model.qualified}" for model in rows}

    def run(self, day: date) -> Day:
        """Decide, write, remember."""
        inputs = self.inputs(day)
        decided = decide.decide(inputs)
        changes = compare(
            inputs.document.managed,
            decided.blocks,
            decided.model_list,
            {alias.name: alias.reason for alias in decided.resolved},
        )
        if changes and not decided.refused:
            self.config = writing.with_blocks(inputs.document, decided.blocks)
        answers = inputs.answers.values()
        self.state = remember.after_asking(self.state, answers, now=f"{day}T12:00:00Z", today=day)
        heard = {name: rows for name, rows in self.listed.items() if name not in self.away}
        self.before = {**self.before, **heard}
        if not decided.refused:
            self.old_policy = None
        return Day(day, decided, changes)

    @property
    def entries(self) -> dict[str, Any]:
        """Our entries by name."""
        managed = _parsed(self.config).managed
        return {str(entry["model_name"]): entry for entry in managed.models}

    @property
    def aliases(self) -> dict[str, Any]:
        """Our aliases."""
        return dict(_parsed(self.config).managed.aliases)


def replay_of(text: str, **settings: Any) -> Replay:
    """A replay under a policy's text."""
    return Replay(load_policy(text, "policy.yaml"), **settings)
