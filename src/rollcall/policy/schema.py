"""The policy as a person writes it: providers, rules, aliases, guards.

`policy.json_schema` tells it to editors; what the words mean is decided in `rollcall.selection`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field, field_validator

from rollcall.errors import did_you_mean, shown
from rollcall.policy.rules import Additions, AliasSpec, Rule, Section
from rollcall.policy.words import Days, Seconds, Share, Words
from rollcall.providers.builtin import CreatedMeans, PriceUnit, is_openrouter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from rollcall.catalog.model import Model

FACT_SOURCES = ("openrouter", "litellm")
"""Words of `defaults.facts`; anything else there is a file."""


class Defaults(Additions):
    """Timing of every run (flags win over it), whose word counts, and what every entry gets."""

    timeout: Seconds = Field(2.0, description="One provider's time to answer.")
    deadline: Seconds = Field(5.0, description="The whole time for asking everybody.")
    ttl: Seconds = Field(600.0, description="`rollcall start` does not ask again within this time.")
    stale_after: Seconds = Field(
        604_800.0, description="A provider silent for longer raises an alarm in `rollcall status`."
    )
    facts: Words = Field(
        ("openrouter", "litellm"),
        description="Who is believed where a provider states no price, ability or last day, in "
        "this order: openrouter, litellm (its own price map), or a file; []: nobody.",
    )
    write_prices: Literal["own", "borrowed"] = Field(
        "own",
        description="borrowed: where neither the provider nor LiteLLM's own map knows a price, "
        "that of `facts` is written, so that budgets count.",
    )
    warn_before: tuple[Days, ...] = Field(
        (90, 30),
        description="When to warn of a model's last day; within the last of these an alias moves "
        "to the successor, where that is admitted. []: never.",
    )

    @field_validator("facts")
    @classmethod
    def _known_sources(cls, facts: tuple[str, ...]) -> tuple[str, ...]:
        for word in facts:
            if word not in FACT_SOURCES and not set(word) & set("./\\"):
                near = did_you_mean(word, FACT_SOURCES)
                what = f"{shown(word)} is neither openrouter nor litellm nor a file's name"
                raise ValueError(f"{what}. {near}" if near else what)
        return facts

    @field_validator("warn_before", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("warn_before")
    @classmethod
    def _farthest_first(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(days, reverse=True))


class FactFiles(Section):
    """Copies of open lists that say what providers do not."""

    files: Words = Field(
        (),
        description="Files beside the policy: a copy of models.dev's api.json or of LiteLLM's "
        "price map; `rollcall facts update URL` fetches one.",
    )


class StaticModel(Section):
    """A model of a provider that has no list: what the policy says of it."""

    id: str = Field(min_length=1, max_length=256, description="The provider's own id.")
    context: int | None = Field(None, gt=0, description="Tokens it takes in.")
    max_output: int | None = Field(None, gt=0, description="Tokens it puts out.")
    input_price: float | None = Field(None, ge=0, description="USD per 1M tokens.")
    output_price: float | None = Field(None, ge=0, description="USD per 1M tokens.")
    capabilities: Words = Field((), description="What it can: tools, vision, reasoning ...")
    released: date | None = Field(None, description="The day it came out.")
    ends: date | None = Field(None, description="Its announced last day.")


class ProviderPolicy(Additions):
    """One provider to ask. A built-in name needs nothing more than `{}`."""

    type: str | None = Field(
        None,
        description="The built-in provider whose protocol it speaks; `openai` for anything "
        "OpenAI-compatible; `static` for one without a list, whose `models` stand here. Left out: "
        "the provider of that name.",
    )
    base_url: str | None = Field(
        None, description="Root of its API, for example http://127.0.0.1:8000/v1."
    )
    api_base: str | None = Field(
        None,
        description="The address its entries are called at, for example a gateway's, where it is "
        "another one than that its list comes from.",
    )
    key_env: Words | None = Field(
        None,
        description="The environment variable, or several in order, that holds its key; null = it "
        "needs none. Never the key itself.",
    )
    litellm_prefix: str | None = Field(
        None, description="What LiteLLM puts before the id, for example hosted_vllm."
    )
    timeout: Seconds | None = Field(None, description="Its own time to answer.")
    empty: Literal["ok", "refuse"] | None = Field(
        None, description="ok: an empty list is an answer; refuse: it counts as not answering."
    )
    price_unit: PriceUnit | None = Field(
        None,
        description="So many tokens cost what its list says, where the list does not say it: "
        "token, 1k or 1M. Left out: what the numbers look like.",
    )
    created: CreatedMeans | None = Field(
        None,
        description="What `created` in its list is: release, the day a model came out, or listing, "
        "when it was listed, loaded or asked for. Left out: what the rows look like.",
    )
    models: tuple[StaticModel, ...] = Field(
        (), description="Of a provider of type static: its models, as ids or with facts."
    )

    @field_validator("models", mode="before")
    @classmethod
    def _ids_are_models(cls, value: Any) -> Any:
        rows = [value] if isinstance(value, str | dict) else value
        if not isinstance(rows, list | tuple):
            return rows
        return [{"id": row} if isinstance(row, str) else row for row in rows]


class Guards(Section):
    """What keeps a surprising plan from being written."""

    max_models: int = Field(100, ge=1, description="More managed models than this: refused.")
    max_withdrawn: Share = Field(
        0.25, description="A larger share of ours withdrawn at once (and at least 3): refused."
    )
    price_rise: Share = Field(
        0.5, description="An alias moving to a target dearer by more than this is held."
    )
    min_age: Days = Field(0, description="Younger models are held until they are this old.")
    trial: Literal["off", "aliases", "all"] = Field(
        "off",
        description="Which models must have answered one small call before they are used: none, "
        "those an alias would move to, or every model before it is admitted.",
    )
    trial_every: Days = Field(30, description="An answer proves a model for so long.")

    @field_validator("trial", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        """YAML 1.1 reads a bare `off` as false."""
        return "off" if value is False else value


class Grace(Section):
    """How long an entry stays once it has to leave."""

    vanished: Days = Field(3, description="When its provider no longer lists it.")
    superseded: Days = Field(14, description="When a newer version took its place.")


class Extras(NamedTuple):
    """What the policy adds to an entry: the rule's word before the provider's, before `defaults`.

    Attributes:
        key_env, api_base: None = the provider's own.
    """

    params: dict[str, Any]
    model_info: dict[str, Any]
    key_env: str | None
    api_base: str | None


class Policy(Section):
    """The policy of rollcall: a closed list of models, and the names clients use for them."""

    version: Literal[1] = Field(1, description="Version of this format.")
    defaults: Defaults = Field(Defaults(), description="Timing of every run.")
    providers: dict[str, ProviderPolicy] = Field(description="Whom to ask, by name.")
    allow: tuple[Rule, ...] = Field(
        (), description="The rules, in output order; what none of them admits stays out."
    )
    deny: Words = Field(
        (), description="Patterns over id and provider/id that keep a model out whatever admits it."
    )
    aliases: dict[str, AliasSpec] | None = Field(
        None, description="Stable names; left out: a default set is derived. {}: none."
    )
    guards: Guards = Field(Guards(), description="What keeps a surprising plan out.")
    grace: Grace = Field(Grace(), description="How long leaving entries stay.")
    accept: Words = Field((), description="Models or names let past a hold.")
    facts: FactFiles = Field(FactFiles(), description="Copies of open lists.")
    naming: str = Field(
        "{provider}/{id}",
        description="model_name where a rule gives none, out of {provider}, {id}, {model}, "
        "{maker}, {family}, {version}; {id:dashed} writes - for / and the like.",
    )
    model_list: Literal["keep", "replace"] = Field(
        "keep", description="keep: hand-written entries stay; replace: the whole list is ours."
    )
    missing_key: Literal["keep", "drop"] = Field(
        "keep", description="Entries of a provider whose key is not set."
    )

    def rule(self, number: int) -> Rule:
        """The rule counted from 1."""
        return self.allow[number - 1]

    def extras(self, provider: str, number: int) -> Extras:
        """What an entry of `provider` that a rule admits gets besides what the list says."""
        row, rule = self.providers.get(provider), self.rule(number)
        layers: list[Additions] = [self.defaults, *([row] if row else []), rule]
        params: dict[str, Any] = {}
        model_info: dict[str, Any] = {}
        for layer in layers:
            params |= layer.params
            model_info |= layer.model_info
        api_base = rule.api_base or (row.api_base if row else None)
        return Extras(params, model_info, rule.key_env, api_base)

    def is_told(self, ends: date | None, today: date) -> bool:
        """Whether a last day is so near, or past, that a person is told: the first notice."""
        return _is_within(self.defaults.warn_before[:1], ends, today)

    def ends_soon(self, model: Model, today: date) -> bool:
        """Whether a model's last day is so near that its successor goes before it: the last
        notice.
        """
        return _is_within(self.defaults.warn_before[-1:], model.ends, today)

    def accepts(self, names: Iterable[str], besides: Collection[str]) -> bool:
        """Whether a hold is let past for one of these names: by `accept`, or by `besides`."""
        return any(name in besides or name in self.accept for name in names)

    @property
    def balanced_names(self) -> frozenset[str]:
        """The groups that LiteLLM balances because rules say so."""
        return frozenset(rule.name for rule in self.allow if rule.balance and rule.name)

    @property
    def openrouters(self) -> tuple[str, ...]:
        """The providers that are OpenRouter, by name or by type."""
        return tuple(one for one, row in self.providers.items() if is_openrouter(one, row.type))

    @property
    def fact_sources(self) -> tuple[str, ...]:
        """Who is believed where a provider says nothing: words of FACT_SOURCES, and files."""
        if not self.defaults.facts:
            return ()
        return tuple(dict.fromkeys((*self.defaults.facts, *self.facts.files)))

    @field_validator("providers", mode="before")
    @classmethod
    def _bare_names(cls, value: Any) -> Any:
        """`anthropic:` with nothing behind it is `anthropic: {}`."""
        if not isinstance(value, dict):
            return value
        return {name: {} if row is None else row for name, row in value.items()}


def _is_within(notice: tuple[int, ...], ends: date | None, today: date) -> bool:
    """Whether a last day is at most so many days away; with no notice none is."""
    return bool(notice) and ends is not None and (ends - today).days <= notice[0]
