"""What a rule or an alias asks of a model: `where: {tools: true, context: ">= 100000"}`. Pure.

A fact the provider does not state never passes, unless the rule assumes it.
"""

from __future__ import annotations

import operator
import re
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from rollcall.catalog import names
from rollcall.catalog.model import per_million
from rollcall.catalog.order import release_date
from rollcall.errors import shown
from rollcall.policy.words import NOT_NEGATIVE, Words, text_or_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.catalog.model import Model


CONDITION = re.compile(r"\s*(<=|>=|==|=|<|>)?\s*([0-9]+(?:\.[0-9]+)?)\s*([kKmM])?\s*")
SCALE = {"": 1, "k": 1_000, "m": 1_000_000}
COMPARE = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}
COUNTS = ("context", "max_output")
FLAGS = ("tools", "vision", "reasoning", "structured_output")
ASSUMABLE = (*COUNTS, *FLAGS)


class Condition(NamedTuple):
    """A comparison with one number: `<= 1.00`."""

    operator: str
    value: Decimal

    def holds(self, fact: int | Decimal) -> bool:
        """Whether the fact compares as asked."""
        return bool(COMPARE[self.operator](fact, self.value))

    def __str__(self) -> str:
        return f"{self.operator} {self.value:f}"


def parse_condition(value: object, *, bare: str) -> Condition:
    """Read `">= 128000"`, `"<= 1.00"`, `"128k"` or a bare number, which means `bare` that number.

    Raises:
        ValueError: not a comparison; says what one looks like.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    found = CONDITION.fullmatch(str(value)) if number or isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f'expected a comparison such as "{bare} 100", in quotes, not {shown(value)}'
        )
    compared, digits, unit = found.groups()
    scaled = Decimal(digits) * SCALE[(unit or "").lower()]
    return Condition({None: bare, "=": "=="}.get(compared, compared), scaled)


def _parse_day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"expected a day such as 2026-01-31, not {shown(value)}") from None


_COMPARISON = r"(<=|>=|==|=|<|>)?\s*[0-9]+(\.[0-9]+)?\s*[kKmM]?"

AtLeast = Annotated[
    Condition,
    PlainValidator(partial(parse_condition, bare=">=")),
    PlainSerializer(str, return_type=str),
    text_or_number(_COMPARISON, NOT_NEGATIVE, ">= 128000"),
]
AtMost = Annotated[
    Condition,
    PlainValidator(partial(parse_condition, bare="<=")),
    PlainSerializer(str, return_type=str),
    text_or_number(_COMPARISON, NOT_NEGATIVE, "<= 1.00"),
]
Day = Annotated[
    date,
    PlainValidator(_parse_day),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date",
            "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        }
    ),
]


class Unmet(NamedTuple):
    """A condition that a model does not meet.

    Attributes:
        name: of the field. fact: what counts there; None = unknown, which never passes.
        source: whose word that is; "" = its provider's own.
    """

    name: str
    wanted: Any
    fact: Any
    source: str


class Where(BaseModel):
    """Conditions a model must meet, all of them. A fact the provider does not state never passes.

    Prices are USD per 1M tokens at the base tier: what a short prompt costs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tools: bool | None = Field(None, description="It can call tools.")
    vision: bool | None = Field(None, description="It can see images.")
    reasoning: bool | None = Field(None, description="It can reason before it answers.")
    structured_output: bool | None = Field(None, description="It can answer to a JSON schema.")
    context: AtLeast | None = Field(
        None, description='Tokens it takes in: ">= 128000"; a bare number means at least.'
    )
    max_output: AtLeast | None = Field(
        None, description='Tokens it can write: ">= 16k"; a bare number means at least.'
    )
    input_price: AtMost | None = Field(
        None,
        description='USD per 1M input tokens, base tier: "<= 1.00"; a bare number means at most.',
    )
    output_price: AtMost | None = Field(
        None,
        description='USD per 1M output tokens, base tier: "<= 4.00"; a bare number means at most.',
    )
    free: bool | None = Field(
        None,
        description="true: the provider says it costs nothing; false: it says it costs something. "
        "In `cheapest`, true lets models of price 0 take part.",
    )
    modalities: Words = Field(
        (), description="What it takes in, all of these: text, image, file, audio, video."
    )
    output_modalities: Words = Field((), description="What it gives out, all of these.")
    released_after: Day | None = Field(None, description="It came out later than this day.")
    vendor: Words = Field((), description="Its maker is one of these: deepseek, qwen, x-ai...")

    def failing(
        self,
        model: Model,
        assume: Mapping[str, Any] | None = None,
        *,
        lenient: bool = False,
    ) -> Unmet | None:
        """The first condition the model does not meet, None when it meets them all.

        Args:
            assume: facts that hold where the provider does not state them: a person's word goes
                before a borrowed one.
            lenient: let what is unknown pass; for entries of a provider that could not be asked.
        """
        assumed = assume or {}
        for name in ORDER:
            wanted = getattr(self, name) if name in self.model_fields_set else None
            if wanted is None or wanted == ():
                continue
            fact, source = fact_of(name, model), _whose_word(name, model)
            if name in assumed and (fact is None or source):
                fact, source = assumed[name], ""
            if not (lenient if fact is None else _meets(wanted, fact)):
                return Unmet(name, wanted, fact, source)
        return None


ORDER = tuple(Where.model_fields)
"""Conditions are tried in this order: the one that is named as failing is always the same."""


def fact_of(name: str, model: Model) -> Any:
    """What is known about a model under a field's name; None = unknown."""
    if name in FLAGS:
        return model.capabilities.get(name)
    match name:
        case "context" | "max_output":
            return getattr(model, name)
        case "input_price":
            return None if model.price.input is None else per_million(model.price.input)
        case "output_price":
            return None if model.price.output is None else per_million(model.price.output)
        case "free":
            return model.price.free if model.price.known else None
        case "modalities":
            return model.input_modalities
        case "output_modalities":
            return model.output_modalities
        case "released_after":
            return release_date(model)
        case _:
            return model.reading.maker


_BORROWED_AS = {
    "input_price": "price",
    "output_price": "price",
    "free": "price",
    "modalities": "input_modalities",
}
"""A condition's field -> what the model calls it, where they differ."""


def _whose_word(name: str, model: Model) -> str:
    """Whose word the fact under a field's name is; "" = the provider's own, or unknown."""
    return model.borrowed.get(_BORROWED_AS.get(name, name), "")


def _meets(wanted: Any, fact: Any) -> bool:
    match wanted:
        case bool():
            return bool(fact) is wanted
        case Condition():
            return wanted.holds(fact)
        case date():
            return bool(fact > wanted)
        case _ if isinstance(fact, str):
            return fact in {names.canonical_maker(word) for word in wanted}
        case _:
            return set(wanted) <= set(fact)
