"""One odd row costs only itself: any JSON in any field, in every protocol, any number of times."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Model
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.builtin import BUILTIN

ROWS: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {
            "id": "acme-1",
            "key": "acme-1",
            "object": "model",
            "type": "chat",
            "created": 1776902400,
            "owned_by": "acme",
            "context_length": 8192,
            "pricing": {"prompt": "0.000001", "completion": "0.000002", "unit": "token"},
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "capabilities": {"completion_chat": True, "function_calling": True},
            "aliases": ["acme-latest"],
            "name": "acme-1",
        },
        {"id": "acme-latest", "name": "acme-1", "capabilities": {"completion_chat": True}},
        {"id": "acme-2", "capabilities": ["tool_use"], "supported_features": ["tools"]},
    ],
    "anthropic": [
        {
            "id": "claude-storm-9",
            "type": "model",
            "display_name": "Claude Storm 9",
            "created_at": "2026-06-07T00:00:00Z",
            "max_input_tokens": 1000000,
            "max_tokens": 128000,
            "capabilities": {"thinking": {"supported": True}},
        },
        {"id": "claude-storm-8"},
    ],
    "gemini": [
        {
            "name": "models/gemini-9-flash",
            "displayName": "Gemini 9 Flash",
            "inputTokenLimit": 1048576,
            "supportedGenerationMethods": ["generateContent"],
            "thinking": True,
        },
        {"name": "models/gemini-9-pro"},
    ],
    "openrouter": [
        {
            "id": "acme/storm-2",
            "canonical_slug": "acme/storm-2-20260701",
            "created": 1782864000,
            "context_length": 1000000,
            "top_provider": {"context_length": 262144, "max_completion_tokens": 32768},
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "pricing": {
                "prompt": "0.000002",
                "completion": "0.00001",
                "overrides": [{"min_prompt_tokens": 200000, "prompt": "0.000004"}],
            },
            "supported_parameters": ["tools"],
            "alias_target": {"slug": "acme/storm-1"},
            "expiration_date": "2027-01-01",
        },
        {"id": "acme/storm-1"},
    ],
    "xai": [
        {
            "id": "grok-9",
            "aliases": ["grok-9-latest"],
            "context_length": 500000,
            "prompt_text_token_price": 20000,
            "completion_text_token_price": 60000,
            "long_context_threshold": 200000,
            "prompt_text_token_price_long_context": 40000,
            "capabilities": {"reasoning_effort": ["low"]},
            "pricing": [{"price_per_image": 5}],
        },
        {"id": "grok-8"},
    ],
    "perplexity": [
        {
            "id": "acme/storm-2",
            "owned_by": "acme",
            "pricing": {"input": 5, "output": 25, "unit": "usd_per_1m_tokens"},
        },
        {"id": "acme/storm-1"},
    ],
    "ollama": [
        {"model": "qwen3:8b", "name": "qwen3:8b", "capabilities": ["completion", "tools"]},
        {"model": "llama3:8b"},
    ],
}
"""Protocol -> good rows, with every kind of field its adapter reads."""

ROOTS = {"gemini": "models", "ollama": "models"}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


def parsed(protocol: str, rows: list[Any]) -> tuple[Model, ...]:
    """What the adapter reads from these rows."""
    provider = next(row for row in BUILTIN.values() if row.protocol == protocol)
    page = {ROOTS.get(protocol, "data"): rows}
    return ADAPTERS[provider.protocol].parse(provider, [page]).models


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to everything inside a value, itself left out."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    found = []
    for key in keys:
        found.append((*path, key))
        if isinstance(value[key], dict | list):
            found += places(value[key], (*path, key))
    return found


def spoil(rows: list[Any], at: int, path: tuple[Any, ...], *value: Any) -> None:
    """Put a value where the path leads inside a row; without one, take out what is there."""
    inside = rows[at]
    for key in path[:-1]:
        inside = inside[key]
    if value:
        inside[path[-1]] = value[0]
    else:
        del inside[path[-1]]


def assert_only_that_row_suffers(protocol: str, rows: list[Any], at: int) -> None:
    found = {model.id: model for model in parsed(protocol, rows)}
    for number, row in enumerate(ROWS[protocol]):
        if number != at:
            (good,) = parsed(protocol, [row])
            assert good.id in found, "the others are still there"
            assert found[good.id].kind is good.kind
            assert (found[good.id].context, found[good.id].price) == (good.context, good.price)


@pytest.mark.parametrize("protocol", ROWS)
def test_an_odd_value_or_none_in_each_field_costs_at_most_its_row(protocol: str) -> None:
    odd: tuple[Any, ...] = (
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        "",
        "x",
        "-1",
        [],
        [None],
        ["x", 1],
        {},
        {"x": None},
    )
    for at, row in enumerate(ROWS[protocol]):
        for path in places(row):
            for value in ((), *((one,) for one in odd)):
                rows = copy.deepcopy(ROWS[protocol])
                spoil(rows, at, path, *value)
                assert_only_that_row_suffers(protocol, rows, at)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, list[Any], int]:
    """A protocol, its good rows with one of them spoiled in some places, and which that is."""
    protocol = draw(st.sampled_from(sorted(ROWS)))
    rows: list[Any] = copy.deepcopy(ROWS[protocol])
    at = draw(st.integers(0, len(rows) - 1))
    for _ in range(draw(st.integers(1, 4))):
        if where := places(rows[at]):
            value = (draw(ANY_JSON),) if draw(st.booleans()) else ()
            spoil(rows, at, draw(st.sampled_from(where)), *value)
    return protocol, rows, at


@given(spoiled())
@settings(max_examples=400, deadline=None)
def test_any_json_in_any_fields_costs_at_most_its_row(case: tuple[str, list[Any], int]) -> None:
    assert_only_that_row_suffers(*case)
