"""Reads the open lists that say what providers do not: LiteLLM's own price map, and models.dev's.

LiteLLM's map lies in the litellm package as `model_prices_and_context_window_backup.json`; it is
what a proxy charges by until it has fetched a newer one. models.dev's is
https://models.dev/api.json: provider -> `models` -> id -> `cost` (USD per 1M tokens), `limit`,
`modalities`, `tool_call`, `reasoning`, `attachment`. It states no last days.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from rollcall.catalog.facts import Facts
from rollcall.catalog.model import PER_MILLION, Price, PriceTier
from rollcall.litellm_config.entries import (
    FLAGS,
    amount_of,
    count_of,
    day_of,
    price_of,
    section_of,
    text_of,
)


class UnknownFormat(ValueError):
    """A file that is neither a copy of models.dev's list nor of LiteLLM's price map."""


def read_facts(content: bytes) -> PriceMap | ModelsDev:
    """A list's text as something to look things up in.

    Raises:
        UnknownFormat: it is none of the lists we can read.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise UnknownFormat("it is not JSON") from None
    rows = [row for row in data.values() if isinstance(row, dict)] if isinstance(data, dict) else []
    if any("litellm_provider" in row for row in rows):
        return PriceMap(data)
    if any(isinstance(row.get("models"), dict) for row in rows):
        return ModelsDev(data)
    raise UnknownFormat("it is neither models.dev's api.json nor LiteLLM's price map")


# --- LiteLLM's price map ---

FILE_NAME = "model_prices_and_context_window_backup.json"
"""Its name inside the litellm package."""

_MANY_PROVIDERS = ("vertex_ai", "fireworks_ai")
"""Providers whose rows go by several names that begin like this."""

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_REVISED = re.compile(r"-\d+$")


class PriceMap:
    """One map. Rows are found as LiteLLM finds them (`get_potential_model_names` in its utils.py):
    by `provider/id`, by the bare id, then by the id without its date, whatever the case, and only
    if the row is of the same provider.
    """

    charges = True
    """Whether it is what a LiteLLM proxy charges by."""

    def __init__(self, rows: Mapping[str, Any]) -> None:
        """`rows` is the file's data."""
        self._rows = rows

    def facts_of(self, litellm_model: str) -> Facts | None:
        """What the map says of what LiteLLM calls `anthropic/claude-sonnet-5`; None = nothing.

        The row of the bare name stands in for a dated one for everything but its last day.
        """
        provider, _, model_id = litellm_model.partition("/")
        if not model_id:  # `gpt-5`: LiteLLM tells the provider by its map
            row = self._first("", (litellm_model,))
            return None if row is None else _facts_of_row(row, str(row.get("litellm_provider")))
        row = self._first(provider, (litellm_model, model_id))
        if row is not None:
            return _facts_of_row(row, provider)
        shorter = _shorter(provider, model_id)
        row = self._first(provider, (f"{provider}/{shorter}", shorter))
        if row is None:
            return None
        return _facts_of_row(row, provider).model_copy(update={"ends": None, "replaced_by": None})

    def _first(self, provider: str, keys: tuple[str, ...]) -> Mapping[str, Any] | None:
        for key in keys:
            row = self._rows.get(key)
            if row is None:
                row = self._rows.get(self._by_lower.get(key.lower(), ""))
            if isinstance(row, dict) and _is_of(row, provider):
                return row
        return None

    @cached_property
    def _by_lower(self) -> dict[str, str]:
        return {key.lower(): key for key in self._rows}


def _is_of(row: Mapping[str, Any], provider: str) -> bool:
    owner = row.get("litellm_provider")
    if owner in (None, provider) or not provider:
        return True
    return provider in _MANY_PROVIDERS and str(owner).startswith(provider)


def _shorter(provider: str, model_id: str) -> str:
    """The id as LiteLLM looks for it in the end: without a date, Gemini's without a revision."""
    return (_REVISED if provider in ("gemini", "vertex_ai") else _DATED).sub("", model_id)


def _facts_of_row(row: Mapping[str, Any], provider: str) -> Facts:
    successor = text_of(row.get("successor_model"))
    modalities = row.get("supported_modalities")
    price = price_of(row)
    return Facts(
        price=price,
        priced=price.input is not None or price.output is not None,
        context=count_of(row.get("max_input_tokens")),
        max_output=count_of(row.get("max_output_tokens")),
        capabilities={
            word: row[flag] for word, flag in FLAGS.items() if isinstance(row.get(flag), bool)
        },
        input_modalities=_words(modalities),
        ends=day_of(row.get("deprecation_date")),
        replaced_by=successor.removeprefix(f"{provider}/") if successor else None,
    )


def _words(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    return tuple(value)


# --- models.dev ---

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
_PRICES: Final = ("input", "output", "cache_read", "cache_write")
_WORDS: Final = {"pdf": "file"}
"""What goes in, in its words -> in ours, where they differ."""
_LONG_PROMPTS: Final = "context_over_200k"


class ModelsDev:
    """One copy of the list."""

    charges = False

    def __init__(self, providers: Mapping[str, Any]) -> None:
        """`providers` is the file's data."""
        self._providers = providers

    def facts_of(self, litellm_model: str) -> Facts | None:
        """What it says of a model."""
        prefix, _, model_id = litellm_model.partition("/")
        provider = self._providers.get(NAMES.get(prefix, prefix))
        models = provider.get("models") if isinstance(provider, dict) else None
        row = models.get(model_id) if isinstance(models, dict) else None
        return _facts(row) if isinstance(row, dict) else None


def _facts(row: Mapping[str, Any]) -> Facts:
    limit, cost = section_of(row, "limit"), section_of(row, "cost")
    inputs = section_of(row, "modalities").get("input")
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


def _price(cost: Mapping[str, Any]) -> Price:
    base = {part: _amount(cost.get(part)) for part in _PRICES}
    long = section_of(cost, _LONG_PROMPTS)
    dearer = {part: _amount(long.get(part)) for part in _PRICES}
    tiers = (PriceTier(above_tokens=200_000, **dearer),) if any(dearer.values()) else ()
    return Price(**base, tiers=tiers)


def _amount(value: object) -> Decimal | None:
    amount = amount_of(value)
    return None if amount is None else amount / PER_MILLION
