"""Reads a copy of models.dev's api.json: what that open list says of other providers' models.

https://models.dev/api.json: provider -> `models` -> id -> `cost` (USD per 1M tokens), `limit`,
`modalities`, `tool_call`, `reasoning`, `attachment`. It states no last days.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from rollcall.catalog.facts import Facts
from rollcall.catalog.model import PER_MILLION, Price, PriceTier
from rollcall.litellm_config.entries import amount_of, count_of

NAMES: Final[Mapping[str, str]] = {
    "dashscope": "alibaba",
    "fireworks_ai": "fireworks-ai",
    "gemini": "google",
    "lm_studio": "lmstudio",
    "together_ai": "togetherai",
}
"""What LiteLLM puts before an id -> what models.dev calls the provider, where they differ."""

_ABILITIES: Final = {
    "tools": "tool_call",
    "reasoning": "reasoning",
    "structured_output": "structured_output",
}
_PRICES: Final = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
}
_WORDS: Final = {"pdf": "file"}
"""What goes in, in its words -> in ours, where they differ."""
_LONG_PROMPTS: Final = "context_over_200k"


def is_models_dev(data: Any) -> bool:
    """Whether a file's data is such a list: providers that hold models."""
    return isinstance(data, dict) and any(
        isinstance(row, dict) and isinstance(row.get("models"), dict) for row in data.values()
    )


class ModelsDev:
    """One copy of the list."""

    def __init__(self, providers: Mapping[str, Any]) -> None:
        """`providers` is the file's data."""
        self._providers = providers

    def facts_of(self, litellm_model: str) -> Facts | None:
        """What it says of what LiteLLM calls `gemini/gemini-3-pro`; None = nothing."""
        prefix, _, model_id = litellm_model.partition("/")
        provider = self._providers.get(NAMES.get(prefix, prefix))
        models = provider.get("models") if isinstance(provider, dict) else None
        row = models.get(model_id) if isinstance(models, dict) else None
        return _facts(row) if isinstance(row, dict) else None


def _facts(row: Mapping[str, Any]) -> Facts:
    limit, cost = _section(row, "limit"), _section(row, "cost")
    inputs = _section(row, "modalities").get("input")
    takes = None
    if isinstance(inputs, list):
        takes = tuple(_WORDS.get(one, one) for one in inputs if isinstance(one, str))
    abilities = {
        word: row[key] for word, key in _ABILITIES.items() if isinstance(row.get(key), bool)
    }
    if takes is not None:
        abilities |= {"vision": "image" in takes, "pdf_input": "file" in takes,
                      "audio_input": "audio" in takes}  # fmt: skip
    return Facts(
        price=_price(cost),
        priced=_amount(cost.get("input")) is not None,
        context=count_of(limit.get("context")),
        max_output=count_of(limit.get("output")),
        capabilities=abilities,
        input_modalities=takes,
    )


def _section(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _price(cost: Mapping[str, Any]) -> Price:
    base = {ours: _amount(cost.get(theirs)) for ours, theirs in _PRICES.items()}
    long = _section(cost, _LONG_PROMPTS)
    dearer = {ours: _amount(long.get(theirs)) for ours, theirs in _PRICES.items()}
    tiers = (PriceTier(above_tokens=200_000, **dearer),) if any(dearer.values()) else ()
    return Price(**base, tiers=tiers)


def _amount(value: object) -> Decimal | None:
    amount = amount_of(value)
    return None if amount is None else amount / PER_MILLION
