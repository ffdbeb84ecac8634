"""The rules and aliases of a policy as a person writes them; what they mean is decided in
`rollcall.selection`.

Rules are counted from 1, in messages as in reasons: `allow[1]` and `rule 1` are the first.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rollcall.errors import shown
from rollcall.policy.conditions import ASSUMABLE, FLAGS, Where
from rollcall.policy.words import Days, Words

Stage = Literal["stable", "preview", "any"]


class Section(BaseModel):
    """A part of the policy: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Additions(Section):
    """What the policy adds to the entries of a rule, of a provider, or (`defaults`) to all."""

    params: dict[str, Any] = Field({}, description="Extra litellm_params, for example timeout.")
    model_info: dict[str, Any] = Field({}, description="Extra model_info: access_groups, mode...")


class Rule(Additions):
    """One rule of the closed list. Order of work: deny, match or family, stage and where, `newest`,
    `max`. The first rule that admits a model owns its place, name and params.
    """

    family: Words = Field(
        (),
        description="A family, for example claude-sonnet, or vendor/family; several names are read "
        "as one family that was renamed on the way.",
    )
    match: Words = Field(
        (),
        description="The provider's own ids, or patterns: * is any run of characters (slashes too),"
        " ? is one. Batch-only, moving and non-chat models need their exact id.",
    )
    from_: Words = Field(
        (), alias="from", description="Which providers; left out: every provider of the policy."
    )
    newest: int | None = Field(
        None,
        ge=1,
        description="So many distinct versions per provider and family, one id each; left out: "
        "every model the rule matches.",
    )
    max: int | None = Field(None, ge=1, description="At most so many models from this rule.")
    max_age: Days | None = Field(
        None, description="Only models released within this time; an unknown date does not pass."
    )
    stage: Stage = Field("stable", description="stable, preview, or any (experimental too).")
    where: Where | None = Field(None, description="Conditions a model must meet, all of them.")
    assume: dict[str, bool | int] = Field(
        {}, description="Facts that hold where the provider does not state them: {tools: true}."
    )
    name: str | None = Field(
        None,
        description='model_name of what it admits, instead of `naming`: "{id}", "{provider}/{id}".',
    )
    key_env: str | None = Field(
        None,
        description="The variable the key of its entries comes from, where it is not the "
        "provider's: another account or team.",
    )
    balance: bool = Field(
        default=False,
        description="Its `name` is one group with the other rules that share it and say so too: "
        "LiteLLM balances between their models, or orders them by `params: {order: 1}`.",
    )
    api_base: str | None = Field(
        None, description="The address its entries are called at, where it is not the provider's."
    )

    @model_validator(mode="after")
    def _names_something(self) -> Rule:
        if not self.family and not self.match:
            raise ValueError('names neither `family` nor `match`; to admit everything: match: "*"')
        return self

    @field_validator("assume")
    @classmethod
    def _assumable(cls, assume: dict[str, bool | int]) -> dict[str, bool | int]:
        for word, fact in assume.items():
            if word not in ASSUMABLE:
                raise ValueError(
                    f"{shown(word)} cannot be assumed; only {', '.join(ASSUMABLE)} can"
                )
            if isinstance(fact, bool) is not (word in FLAGS):
                kind = "true or false" if word in FLAGS else "a number of tokens"
                raise ValueError(f"{word}: expected {kind}, not {shown(fact)}")
        return assume


class Choice(Section):
    """One way to pick a model among what is admitted. A plain text is `provider/id`, or the
    model_name of a hand-written entry.
    """

    model: str | None = Field(
        None, description="provider/id, or the model_name of a hand-written entry."
    )
    family: Words = Field((), description="The newest of this family.")
    from_: Words = Field(
        (), alias="from", description="Only these providers, in this order of preference."
    )
    where: Where | None = Field(None, description="Only models that meet these conditions.")
    cheapest: Where | None = Field(
        None, description="The cheapest that meets these conditions: 3 x input + output price."
    )
    largest_context: Where | None = Field(
        None, description="The one that takes in most tokens, among those that meet these."
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_text(cls, value: Any) -> Any:
        return {"model": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _picks_one_way(self) -> Choice:
        named = ("model", "family", "first_of", "cheapest", "largest_context")
        ways = {name for name in named if getattr(self, name, None) not in (None, ())}
        if not ways:
            raise ValueError(
                "says nothing to pick: give family, first_of, cheapest, largest_context or model"
            )
        if len(ways - {"family"}) > 1 or ways in ({"family", "model"}, {"family", "first_of"}):
            raise ValueError(f"picks in two ways, {' and '.join(sorted(ways))}; give one of them")
        return self


class Selection(Choice):
    """One way to pick a model, or several in order: what an alias, and a role of the library, may
    select.
    """

    first_of: tuple[Choice, ...] = Field(
        (), description="The first of these choices that finds a model."
    )


class AliasSpec(Selection):
    """An alias: one stable name, one target at a time."""

    hidden: bool = Field(default=False, description="Works, but is not listed in /v1/models.")
    fallbacks: Words = Field(
        (), description="Aliases or models LiteLLM tries next when a call through this one fails."
    )
