"""OpenRouter's list: everybody's models, with prices as decimal texts in USD per token.

With a key it is asked at `/models/user`, which applies the account's privacy settings and
guardrails: what that list lacks is refused at call time. Without a key, at the public `/models`.

What is OpenRouter's alone stands here, and its addresses in `adapters`. The rest is read as in
every list: `rows` (text, numbers, days), `kinds` (what a model is for), `lifecycle` (gone,
deprecated), `prices`; behind a gateway, which may state them otherwise, the unit of prices and what
`created` means are told from the `whole_list`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeGuard

from rollcall.catalog.model import Kind, Model, Price, PriceTier
from rollcall.providers.kinds import kind_of, modalities
from rollcall.providers.lifecycle import is_deprecated, is_gone
from rollcall.providers.prices import OPENROUTER_KEYS, Unit, by_tokens, price_of, quote_of
from rollcall.providers.rows import BATCH_ENDING, Row, is_id

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.providers.whole_list import WholeList


OPENROUTER_SOURCES: Final[Mapping[str, str]] = {
    "id": "id",
    "display_name": "name",
    "maker": "the author part of id",
    "released": "created (when it was added to OpenRouter)",
    "context": "the smaller of context_length and top_provider.context_length",
    "max_output": "top_provider.max_completion_tokens",
    "price": "pricing.prompt, .completion, .input_cache_read, .input_cache_write, .overrides",
    "input_modalities": "architecture.input_modalities",
    "output_modalities": "architecture.output_modalities",
    "kind": "architecture.output_modalities and the id",
    "capabilities": "supported_parameters, architecture.input_modalities, reasoning, pricing",
    "deprecated": "status and the like",
    "ends": "expiration_date",
    "points_at": "alias_target.slug",
    "canonical": "canonical_slug",
    "batch_only": "an id ending in :batch",
}

SENTINEL_YEAR: Final = 2098
"""z-ai gives 2098-12-31 for models that have no announced end."""


def openrouter_model(provider: Provider, row: Row, model_id: str, whole: WholeList) -> Model | None:
    """The model of a row of OpenRouter's list."""
    if is_gone(row):
        return None
    inputs, outputs = modalities(row)
    ends = row.day("expiration_date")
    target = row.value("alias_target", "slug")
    author, _, rest = model_id.partition("/")
    kind = kind_of(row, model_id)
    if model_id.startswith("openrouter/"):  # its own choose a model by themselves
        kind = Kind.OTHER
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        display_name=row.text("name"),
        maker=author.removeprefix("~") if rest else None,
        released=whole.released(row),
        context=_context(row),
        max_output=row.count("top_provider", "max_completion_tokens"),
        price=by_tokens(_price(row, whole.unit), kind, outputs),
        input_modalities=inputs,
        output_modalities=outputs,
        kind=kind,
        deprecated=is_deprecated(row),
        capabilities=_capabilities(row, inputs),
        ends=None if ends is None or ends >= date(SENTINEL_YEAR, 1, 1) else ends,
        points_at=target if is_id(target) else None,
        canonical=row.text("canonical_slug"),
        batch_only=model_id.endswith(BATCH_ENDING),
    )


def _context(row: Row) -> int | None:
    """What a client can count on.

    `context_length` is the most that any endpoint offers; the one a call goes to first may take
    less (`nvidia/nemotron-3.5-lightning`: 1,000,000 against 262,144).
    """
    sizes = (row.count("context_length"), row.count("top_provider", "context_length"))
    return min((size for size in sizes if size), default=None)


def _price(row: Row, unit: Unit) -> Price:
    quote = quote_of(row)
    base = price_of(quote, unit)
    exponent = unit.exponent if quote.exponent is None else quote.exponent
    overrides = row.rows("pricing", "overrides")
    if not overrides or exponent is None or base.input is base.output is None:
        return base
    tiers = []
    for part in overrides:
        if (tier := _tier(part, exponent)) is None:
            continue
        if any(
            part.has(key) and part.price(key, exponent=exponent) is None
            for key in OPENROUTER_KEYS.values()
        ):
            return Price()  # one absurd price of a row makes the others unknown, too
        tiers.append(tier)
    return base.model_copy(update={"tiers": tuple(tiers)})


def _tier(part: Row, exponent: int) -> PriceTier | None:
    """One override: prompts of strictly more tokens, or a window of the UTC day."""
    prices: dict[str, Decimal | None] = {
        ours: part.price(theirs, exponent=exponent) for ours, theirs in OPENROUTER_KEYS.items()
    }
    if above := part.count("min_prompt_tokens"):
        return PriceTier(above_tokens=above, **prices)
    start, end = part.value("utc_start"), part.value("utc_end")
    if _is_hhmm(start) and _is_hhmm(end):
        return PriceTier(utc_window=(start, end), **prices)
    return None


def _is_hhmm(value: object) -> TypeGuard[int]:
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return 0 <= value <= 2400 and value % 100 < 60


def _capabilities(row: Row, inputs: tuple[str, ...] | None) -> dict[str, bool]:
    found: dict[str, bool] = {}
    parameters = row.listed("supported_parameters")
    if parameters is not None:
        found["tools"] = "tools" in parameters
        found["structured_output"] = "structured_outputs" in parameters
        found["reasoning"] = "reasoning" in parameters or bool(row.value("reasoning"))
    if inputs is not None:
        found["vision"] = "image" in inputs
        found["pdf_input"] = "file" in inputs
        found["audio_input"] = "audio" in inputs
    if row.price("pricing", "input_cache_read") is not None:
        found["prompt_caching"] = True
    if row.price("pricing", "web_search"):
        found["web_search"] = True
    return found
