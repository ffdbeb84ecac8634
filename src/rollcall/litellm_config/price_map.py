"""Reads LiteLLM's own price map: which row LiteLLM takes for a model, and what the row says.

The map lies in the litellm package as `model_prices_and_context_window_backup.json`; it is what a
proxy charges by until it has fetched a newer one. Rows are found as LiteLLM finds them
(`get_potential_model_names` in its utils.py): by `provider/id`, by the bare id, then by the id
without its date, whatever the case, and only if the row is of the same provider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from rollcall.catalog.facts import Facts
from rollcall.litellm_config.entries import FLAGS, count_of, day_of, price_of, text_of

FILE_NAME = "model_prices_and_context_window_backup.json"
"""Its name inside the litellm package."""

_MANY_PROVIDERS = ("vertex_ai", "fireworks_ai")
"""Providers whose rows go by several names that begin like this."""

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_REVISED = re.compile(r"-\d+$")


def is_price_map(data: Any) -> bool:
    """Whether a file's data is such a map: rows that say whose they are."""
    return isinstance(data, dict) and any(
        isinstance(row, dict) and "litellm_provider" in row for row in data.values()
    )


class PriceMap:
    """One map."""

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
            return None if row is None else _facts(row, str(row.get("litellm_provider")))
        row = self._first(provider, (litellm_model, model_id))
        if row is not None:
            return _facts(row, provider)
        shorter = _shorter(provider, model_id)
        row = self._first(provider, (f"{provider}/{shorter}", shorter))
        if row is None:
            return None
        return _facts(row, provider).model_copy(update={"ends": None, "replaced_by": None})

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


def _facts(row: Mapping[str, Any], provider: str) -> Facts:
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
