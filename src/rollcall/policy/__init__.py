"""The policy: whom to ask, which models to admit, under which names. Pure.

This module is the schema; `rollcall schema` prints it as JSON Schema for editors. What the words
mean is decided in `rollcall.admission` (rules) and `rollcall.aliases`. Rules are counted from 1,
in messages as in reasons: `allow[1]` and `rule 1` are the first.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from rollcall.policy.rules import AliasSpec, Choice, Rule, Section
from rollcall.policy.where import Where
from rollcall.policy.words import Days, Seconds, Share, Words

__all__ = [
    "AliasSpec",
    "Choice",
    "Defaults",
    "Grace",
    "Guards",
    "Policy",
    "ProviderPolicy",
    "Rule",
    "Where",
    "default_policy",
    "json_schema",
    "load",
]


class Defaults(Section):
    """Timing of every run; flags win over it."""

    timeout: Seconds = Field(2.0, description="One provider's time to answer.")
    deadline: Seconds = Field(5.0, description="The whole time for asking everybody.")
    ttl: Seconds = Field(600.0, description="`rollcall start` does not ask again within this time.")
    stale_after: Seconds = Field(
        604_800.0, description="A provider silent for longer raises an alarm in `rollcall status`."
    )


class ProviderPolicy(Section):
    """One provider to ask. A built-in name needs nothing more than `{}`."""

    type: str | None = Field(
        None,
        description="The built-in provider whose protocol it speaks; `openai` for anything "
        "OpenAI-compatible. Left out: the provider of that name.",
    )
    base_url: str | None = Field(
        None, description="Root of its API, for example http://127.0.0.1:8000/v1."
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

    @property
    def needs_no_key(self) -> bool:
        """Whether the policy says outright that no key is needed (`key_env: null`)."""
        return "key_env" in self.model_fields_set and not self.key_env


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


class Grace(Section):
    """How long an entry stays once it has to leave."""

    vanished: Days = Field(3, description="When its provider no longer lists it.")
    superseded: Days = Field(14, description="When a newer version took its place.")


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

    @field_validator("providers", mode="before")
    @classmethod
    def _bare_names(cls, value: Any) -> Any:
        """`anthropic:` with nothing behind it is `anthropic: {}`."""
        if not isinstance(value, dict):
            return value
        return {name: {} if row is None else row for name, row in value.items()}


def load(text: str, name: str) -> Policy:
    """Read a policy file.

    Args:
        name: what messages call the file.

    Raises:
        PolicyError: `policy.yaml:12: allow[3].newst: unknown field`, and the nearest valid word.
    """
    from rollcall.policy.file import read_policy

    return read_policy(text, name)


def json_schema() -> dict[str, Any]:
    """The policy file's JSON Schema, for editors and `rollcall schema`."""
    from rollcall.policy.schema import build_schema

    return build_schema()


def default_policy() -> Policy:
    """What mode `legacy` reads instead of a file: OpenRouter, strictly what Anthropic makes."""
    sonnet, opus, haiku = (
        {"family": family, "from": ["openrouter"]}
        for family in ("claude-sonnet", "claude-opus", "claude-haiku")
    )
    return Policy.model_validate(
        {
            "providers": {"openrouter": {}},
            "allow": [{"match": "anthropic/*", "from": "openrouter"}],
            "aliases": {"claude-fallback": {"first_of": [sonnet, opus, haiku]}},
        }
    )
