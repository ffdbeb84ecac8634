"""What other lists add to what the providers really listed in August 2026, field by field."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollcall.catalog.facts import OpenRouterRows, OtherLists, RecordedFacts
from rollcall.providers.open_lists import FILE_NAME, PriceMap
from tests.corpus import needs_catalogs
from tests.policy_making import real_catalog

if TYPE_CHECKING:
    from rollcall.catalog.model import Model

pytestmark = needs_catalogs


def openrouter() -> OpenRouterRows:
    return OpenRouterRows(real_catalog("openrouter", "2026-08-16"))


def litellm() -> RecordedFacts:
    """The map of the installed litellm; its rows grow with every release."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        pytest.skip("litellm is not installed")
    data = json.loads((Path(spec.origin).parent / FILE_NAME).read_bytes())
    return RecordedFacts("litellm", PriceMap(data).facts_of, charges=True)


def known(models: list[Model], field: str) -> int:
    """How many models have a value in a field."""
    if field == "price":
        return sum(model.price.blended is not None for model in models)
    if field in ("ends", "replaced_by", "context"):
        return sum(getattr(model, field) is not None for model in models)
    return sum(field in model.capabilities for model in models)


@pytest.mark.parametrize(
    ("provider", "field", "own", "with_openrouter"),
    [
        ("anthropic", "price", 0, 10),
        ("anthropic", "tools", 0, 10),
        ("openai", "price", 0, 74),
        ("openai", "tools", 0, 74),
        ("openai", "context", 0, 74),
        ("openai", "ends", 57, 57),
        ("gemini", "price", 0, 20),
        ("gemini", "tools", 0, 22),
        ("gemini", "vision", 0, 22),
    ],
)
def test_openrouters_rows(provider: str, field: str, own: int, with_openrouter: int) -> None:
    models = list(real_catalog(provider, "2026-08-17"))
    lists = OtherLists((openrouter(),))
    assert known(models, field) == own
    assert known([lists.complete(model) for model in models], field) == with_openrouter


@pytest.mark.parametrize(
    ("provider", "field", "at_least"),
    [
        ("anthropic", "price", 10),
        ("anthropic", "ends", 1),
        ("openai", "price", 110),
        ("openai", "tools", 95),
        ("openai", "ends", 75),
        ("gemini", "price", 40),
        ("gemini", "tools", 35),
        ("gemini", "ends", 15),
    ],
)
def test_litellms_own_map_behind_them(provider: str, field: str, at_least: int) -> None:
    lists = OtherLists((openrouter(), litellm()))
    models = [lists.complete(model) for model in real_catalog(provider, "2026-08-17")]
    assert known(models, field) >= at_least


@pytest.mark.parametrize("model_id", ["grok-4.3", "grok-4.5", "grok-4.6"])
def test_borrowed_prices_are_those_the_provider_itself_states(model_id: str) -> None:
    """xAI states its prices: OpenRouter's of the same days agree with it to the cent."""
    own = next(model for model in real_catalog("xai", "2026-08-17") if model.id == model_id)
    opinion = openrouter().opinion_of(own)
    assert opinion is not None
    borrowed = opinion.facts.price
    assert (borrowed.input, borrowed.output) == (own.price.input, own.price.output)


def test_no_provider_is_contradicted_by_what_it_borrows() -> None:
    lists = OtherLists((openrouter(), litellm()))
    for provider in ("anthropic", "openai", "gemini", "xai"):
        for model in real_catalog(provider, "2026-08-17"):
            full = lists.complete(model)
            for field in ("context", "max_output", "ends", "replaced_by", "input_modalities"):
                own = getattr(model, field)
                assert own is None or getattr(full, field) == own
            assert model.capabilities.items() <= full.capabilities.items()
