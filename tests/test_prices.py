"""What models are compared by: their own price, else OpenRouter's for the same model."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rollcall.catalog.facts import OpenRouterRows, OtherLists, price_label
from rollcall.catalog.model import Model, Price, PriceTier
from tests.policy_making import model, price


def cost_of(row: Model, rows: Sequence[Model] = ()) -> tuple[Decimal, str] | None:
    """What a model is compared by, and whose word that is."""
    known = OtherLists((OpenRouterRows(rows),)).complete(row)
    source = known.borrowed.get("price")
    if known.price.blended is None:
        return None
    return known.price.blended, price_label(source) if source else ""


CLAUDE = model("anthropic/claude-sonnet-5", maker="anthropic")


def test_a_models_own_price_counts_whatever_openrouter_takes() -> None:
    own = model("xai/grok-4.6", cost=("1", "2"))
    other = model("openrouter/x-ai/grok-4.6", cost=("9", "9"))
    cost = cost_of(own, [other])
    assert cost is not None
    assert cost == (Decimal(5) / 10**6, "")


def test_where_the_provider_lists_none_openrouters_stands_in_and_is_labelled() -> None:
    cost = cost_of(CLAUDE, [model("openrouter/anthropic/claude-sonnet-5", cost=("3", "15"))])
    assert cost is not None
    assert cost[0] == Decimal(24) / 10**6
    assert cost[1] == "OpenRouter's price for anthropic/claude-sonnet-5"


def test_another_version_offer_or_moving_id_is_not_the_same_model() -> None:
    others = [
        model("openrouter/anthropic/claude-sonnet-4.6", cost=("3", "15")),
        model("openrouter/anthropic/claude-sonnet-5:batch", cost=("1", "7")),
        model("openrouter/anthropic/claude-sonnet-5-fast", cost=("9", "9")),
        model("openrouter/acme/claude-sonnet-5", cost=("1", "1")),
        model("openrouter/~anthropic/claude-sonnet-latest", cost=("1", "1"), points_at="x"),
        model("openrouter/anthropic/claude-sonnet-5"),
    ]
    assert cost_of(CLAUDE, others) is None


def test_of_several_snapshots_the_same_one_counts_then_the_bare_name() -> None:
    may = model("openrouter/openai/gpt-4o-2024-05-13", cost=("5", "15"))
    november = model("openrouter/openai/gpt-4o-2024-11-20", cost=("2.5", "10"))
    bare = model("openrouter/openai/gpt-4o", cost=("3", "12"))
    for rows in ([may, november, bare], [bare, november, may]):
        same = cost_of(model("openai/gpt-4o-2024-05-13"), rows)
        other = cost_of(model("openai/gpt-4o-2024-08-06"), rows)
        assert same is not None
        assert other is not None
        assert same[1].endswith("gpt-4o-2024-05-13")
        assert other[1].endswith("openai/gpt-4o")


def test_the_dearest_tier_is_what_counts() -> None:
    tier = PriceTier(above_tokens=200_000, input=Decimal("0.000004"), output=Decimal("0.000012"))
    base = price("2", "6")
    row = model("xai/grok", price=Price(input=base.input, output=base.output, tiers=(tier,)))
    cost = cost_of(row)
    assert cost is not None
    assert cost[0] == Decimal("0.000024")
