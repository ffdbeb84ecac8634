"""xAI's list at `/v1/models`: prices as whole numbers of 1e-10 USD per token, and aliases.

`/v1/language-models` (root `models`) has modalities, but no context length; `/v1/models` (root
`data`) has context length, and tells image models by their price and video models by their name.
One request is enough, so `/v1/models` is asked; a reply in either shape is read, also the bare
one of before 2026-05 (id, created, owner).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind, Model, Price, PriceTier
from rollcall.providers.kinds import kind_of, modalities
from rollcall.providers.lifecycle import is_deprecated, is_gone
from rollcall.providers.prices import by_tokens

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.providers.rows import Row
    from rollcall.providers.whole_list import WholeList


XAI_SOURCES: Final[Mapping[str, str]] = {
    "id": "id",
    "maker": "owned_by",
    "released": "created",
    "context": "context_length",
    "price": "prompt_text_token_price, completion_text_token_price, "
    "cached_prompt_text_token_price, and their _long_context at long_context_threshold",
    "input_modalities": "input_modalities",
    "output_modalities": "output_modalities",
    "kind": "output_modalities, image_price or pricing, else the id",
    "capabilities": "input_modalities, capabilities.reasoning_effort, prompt_image_token_price",
    "deprecated": "status and the like",
    "aliases": "aliases",
}

UNIT_EXPONENT: Final = -10
"""USD cents per 100 million tokens are 1e-10 USD per token: 20000 is $2.00 per 1M."""

_PRICES: Final = {
    "input": "prompt_text_token_price",
    "output": "completion_text_token_price",
    "cache_read": "cached_prompt_text_token_price",
}


def xai_model(provider: Provider, row: Row, model_id: str, whole: WholeList) -> Model | None:
    """The model of a row of xAI's list."""
    if is_gone(row):
        return None
    inputs, outputs = modalities(row)
    kind = _kind(row, model_id)
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        maker=row.text("owned_by"),
        released=whole.released(row),
        context=row.count("context_length"),
        price=by_tokens(_price(row), kind, outputs),
        input_modalities=inputs,
        output_modalities=outputs,
        kind=kind,
        deprecated=is_deprecated(row),
        capabilities=_capabilities(row, inputs),
        aliases=tuple(alias for alias in row.ids("aliases") if alias != model_id),
    )


def _price(row: Row) -> Price:
    base = {ours: row.price(theirs, exponent=UNIT_EXPONENT) for ours, theirs in _PRICES.items()}
    threshold = row.count("long_context_threshold")
    if threshold is None:
        return Price(**base)
    # A long price of 0 means the standard one. The long prices hold at the threshold already,
    # a tier's only above it.
    long = {
        ours: row.price(f"{theirs}_long_context", exponent=UNIT_EXPONENT) or None
        for ours, theirs in _PRICES.items()
    }
    tiers = (PriceTier(above_tokens=threshold - 1, **long),) if any(long.values()) else ()
    return Price(**base, tiers=tiers)


def _kind(row: Row, model_id: str) -> Kind:
    priced_by_image = any(part.has("price_per_image") for part in row.rows("pricing"))
    said = kind_of(row, model_id)
    if said is Kind.CHAT and (row.count("image_price") or priced_by_image):
        return Kind.IMAGE
    return said


def _capabilities(row: Row, inputs: tuple[str, ...] | None) -> dict[str, bool]:
    found: dict[str, bool] = {}
    if inputs is not None:
        found["vision"] = "image" in inputs
    elif row.count("prompt_image_token_price"):
        found["vision"] = True
    efforts = row.words("capabilities", "reasoning_effort")
    if efforts is not None:
        found["reasoning"] = bool(efforts)
    if row.count("cached_prompt_text_token_price"):
        found["prompt_caching"] = True
    return found
