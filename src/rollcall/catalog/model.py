"""The one schema of what a provider serves: Model, Price, Answer, Verdict.

Pure values. Prices are USD per single token as Decimal, limits are tokens, dates are UTC days;
None always means "the provider does not say", never zero, never no.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rollcall.catalog.reading import Reading, read


class ModelKey(NamedTuple):
    """What makes a model this one: our name of its provider, and the provider's own id."""

    provider: str
    id: str

    @property
    def qualified(self) -> str:
        """`provider/id`, the way a person names it."""
        return f"{self.provider}/{self.id}"


class Kind(StrEnum):
    """What a model is for. Everything but CHAT is admitted only when a rule names it exactly."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    IMAGE = "image"
    SPEECH = "speech"
    """Text to speech, transcription, realtime audio."""
    VIDEO = "video"
    MODERATION = "moderation"
    RERANK = "rerank"
    OTHER = "other"
    """Routers, legacy completions, anything that is not a model one chats with."""


CAPABILITIES = (
    "tools",
    "vision",
    "reasoning",
    "structured_output",
    "pdf_input",
    "audio_input",
    "prompt_caching",
    "web_search",
)
"""The words a capability may have, in the order reports show them."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


PER_MILLION = 1_000_000
"""Tokens that people state prices for; here they are USD per single token."""


def per_million(price_per_token: Decimal) -> Decimal:
    """USD per 1M tokens of a price in USD per token."""
    return price_per_token * PER_MILLION


def per_token(price_per_million: float | None) -> float | None:
    """USD per token, as LiteLLM counts, of a price in USD per 1M tokens; None stays unknown."""
    return None if price_per_million is None else float(f"{price_per_million / PER_MILLION:.12g}")


def in_dollars(price_per_token: Decimal) -> str:
    """A price in USD per token as people read it: `$0.28` per 1M tokens, without exponent."""
    return dollars(per_million(price_per_token))


def dollars(amount: Decimal | float) -> str:
    """USD as people read them: at least two decimals, all that there are, no exponent."""
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
    whole, _, cents = format(exact.normalize(), "f").partition(".")
    return f"${int(whole):,}.{cents:0<2}"


def in_short(tokens: int) -> str:
    """A number of tokens in few characters: `128k`, `1M`, `1.05M`."""
    if tokens < 1000:
        return str(tokens)
    amount, unit = (tokens / 1_000_000, "M") if tokens >= 1_000_000 else (tokens / 1000, "k")
    return f"{amount:.3g}{unit}"


class PriceTier(_Frozen):
    """Prices that replace the base ones under a condition; None keeps the base price.

    Exactly one condition is set: `above_tokens` (prompts of more than this many tokens) or
    `utc_window` (HHMM start inclusive, end exclusive; may wrap midnight).
    """

    above_tokens: int | None = None
    utc_window: tuple[int, int] | None = None
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


class Price(_Frozen):
    """USD per token. None = unknown; 0 = the provider says it is free."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    tiers: tuple[PriceTier, ...] = ()

    @property
    def known(self) -> bool:
        """Whether both the input and the output price are known."""
        return self.input is not None and self.output is not None

    @property
    def free(self) -> bool:
        """Whether the provider says that input and output cost nothing, at every tier."""
        tiers = [price for tier in self.tiers for price in (tier.input, tier.output)]
        return self.input == 0 and self.output == 0 and not any(tiers)

    @property
    def dearest(self) -> tuple[Decimal, Decimal, PriceTier | None] | None:
        """Input and output price where a call costs most, and the tier (None: the base prices).

        None where either part is unknown.
        """
        if self.input is None or self.output is None:
            return None
        rows: list[tuple[Decimal, Decimal, PriceTier | None]] = [(self.input, self.output, None)]
        for tier in self.tiers:
            into = self.input if tier.input is None else tier.input
            rows.append((into, self.output if tier.output is None else tier.output, tier))
        return max(rows, key=lambda row: 3 * row[0] + row[1])

    @property
    def blended(self) -> Decimal | None:
        """3 x input + output at the dearest tier, USD per token: the price models are compared by.

        None where either part is unknown.
        """
        dearest = self.dearest
        return None if dearest is None else 3 * dearest[0] + dearest[1]


class Model(_Frozen):
    """One model as one provider serves it.

    Attributes:
        provider: our name of the provider (a key of the policy's `providers`).
        id: the provider's own id, without a `models/` prefix; with author where it has one.
        litellm_model: what goes into `litellm_params.model`, e.g. ``openrouter/x-ai/grok-4.6``.
        maker: who made it, as the provider says (`owned_by`, the author part), None if unsaid.
        released: the day it came out; only where the provider's field really is that.
        context, max_output: tokens.
        kind: what it is for. mode: LiteLLM's `mode`, only where the provider states it or the
            adapter knows it; never guessed.
        capabilities: word of CAPABILITIES -> yes or no; absent = the provider does not say.
        deprecated: its provider calls it so, and names no day.
        params: litellm_params that every call to it needs.
        ends: the announced last day. replaced_by: the id the provider names as successor.
        aliases: other ids of the provider that reach the same model.
        points_at: for a moving id, the id it reaches now, where the provider says.
        canonical: the provider's permanent name, shared by renamed ids.
        batch_only: the id works only in batch calls.
        borrowed: field or capability -> whose word it is, where it is not the provider's own; see
            `rollcall.catalog.facts`.
    """

    provider: str
    id: str
    litellm_model: str
    display_name: str | None = None
    maker: str | None = None
    released: date | None = None
    context: int | None = None
    max_output: int | None = None
    price: Price = Price()
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    kind: Kind = Kind.CHAT
    mode: str | None = None
    capabilities: dict[str, bool] = Field(default_factory=dict)
    deprecated: bool = False
    params: dict[str, Any] = Field(default_factory=dict)
    ends: date | None = None
    replaced_by: str | None = None
    aliases: tuple[str, ...] = ()
    points_at: str | None = None
    canonical: str | None = None
    batch_only: bool = False
    borrowed: dict[str, str] = Field(default_factory=dict)

    @property
    def key(self) -> ModelKey:
        """What makes it this model."""
        return ModelKey(self.provider, self.id)

    @property
    def qualified(self) -> str:
        """`provider/id`, the way a person names it."""
        return self.key.qualified

    @property
    def reading(self) -> Reading:
        """What its id says, and the maker its provider states."""
        return read(self.id, maker=self.maker)


class Verdict(StrEnum):
    """What became of asking one provider. Only OK lets its entries change."""

    OK = "ok"
    NO_KEY = "no_key"
    """The key variable is not set: not asked (OpenRouter: asked publicly, for display only)."""
    NOT_ASKED = "not_asked"
    """Outside the mode or the --provider selection, or no stored catalog with --offline."""
    EMPTY = "empty"
    AUTH = "auth"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    HTTP_ERROR = "http_error"
    BAD_BODY = "bad_body"
    TOO_LARGE = "too_large"

    @property
    def failed(self) -> bool:
        """Whether we tried, or would have had to, and could not."""
        return self not in (Verdict.OK, Verdict.NO_KEY, Verdict.NOT_ASKED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one provider answered, or why it did not.

    Attributes:
        models: in the provider's order; empty unless OK (or NO_KEY with a public list).
        pages: the reply bodies as they came, keys redacted; what the store keeps, so that an
            offline run parses the same bytes with the same adapter.
        detail: one line for people, redacted; empty when OK.
        notes: rows that were dropped and other oddities, one line each.
        partial: why this is not the whole list, one line ("" = it is): what it holds may be added,
            but a model it lacks is not withdrawn.
        elapsed_ms: whole time of asking. fetched_at: when, ISO 8601 UTC.
        offline: read from the store, not from the network.
        key_mark: tells the key it was asked with from others (`secrets.key_mark`).
    """

    provider: str
    verdict: Verdict
    models: tuple[Model, ...] = ()
    pages: tuple[bytes, ...] = field(default=(), repr=False)
    detail: str = ""
    notes: tuple[str, ...] = ()
    partial: str = ""
    elapsed_ms: int = 0
    fetched_at: str = ""
    offline: bool = False
    key_mark: str = ""
