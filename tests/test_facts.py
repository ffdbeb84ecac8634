"""What other lists say where a provider says nothing: whose word counts, and what is read when."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.catalog.facts import Facts, OpenRouterRows, OtherLists, RecordedFacts
from rollcall.catalog.model import Price
from rollcall.providers.open_lists import ModelsDev, PriceMap, UnknownFormat, read_facts
from tests.policy_making import model, price

if TYPE_CHECKING:
    from collections.abc import Mapping

SONNET = {
    "litellm_provider": "anthropic",
    "mode": "chat",
    "input_cost_per_token": 3e-06,
    "output_cost_per_token": 1.5e-05,
    "cache_read_input_token_cost": 3e-07,
    "input_cost_per_token_above_200k_tokens": 6e-06,
    "max_input_tokens": 200_000,
    "max_output_tokens": 64_000,
    "supports_function_calling": True,
    "supports_vision": True,
    "supports_web_search": False,
    "deprecation_date": "2026-11-30",
    "successor_model": "claude-sonnet-5-5",
}


def recorded(name: str, rows: Mapping[str, Facts], *, charges: bool = False) -> RecordedFacts:
    return RecordedFacts(name, rows.get, charges=charges)


class TestWhoseWordCounts:
    FIRST = Facts(price=price("3", "15"), context=200, capabilities={"tools": True, "vision": True})
    SECOND = Facts(
        price=price("9", "9"),
        context=999,
        max_output=64,
        capabilities={"tools": False, "reasoning": True},
        ends=date(2026, 11, 30),
        replaced_by="b",
    )

    def lists(self) -> OtherLists:
        rows = [{"x/a": facts} for facts in (self.FIRST, self.SECOND)]
        return OtherLists((recorded("first", rows[0]), recorded("second", rows[1])))

    def test_the_providers_own_is_never_replaced_and_the_first_that_says_it_is_believed(
        self,
    ) -> None:
        own = model("x/a", context=100, capabilities={"vision": False})
        known = self.lists().complete(own)
        assert (known.context, known.max_output, known.price) == (100, 64, self.FIRST.price)
        assert known.capabilities == {"vision": False, "tools": True, "reasoning": True}
        assert (known.ends, known.replaced_by) == (date(2026, 11, 30), "b")
        assert known.borrowed == {
            "price": "first",
            "tools": "first",
            "max_output": "second",
            "reasoning": "second",
            "ends": "second",
            "replaced_by": "second",
        }

    def test_what_disagrees_with_the_provider_is_known_too(self) -> None:
        own = model("x/a", context=100, cost=("3", "15"))
        assert self.lists().disagreeing(own) == {
            "context": [("first", 200), ("second", 999)],
            "price": [("second", self.SECOND.price)],
        }

    def test_who_is_unknown_everywhere_stays_as_it_is(self) -> None:
        own = model("x/b")
        assert self.lists().complete(own) is own

    def test_free_is_not_borrowed(self) -> None:
        rows = {"x/a": Facts(price=price("0", "0"), priced=True)}
        lists = OtherLists((recorded("map", rows),), charged_by=recorded("map", rows))
        own = model("x/a")
        assert lists.complete(own).price == Price()
        assert lists.is_charged(own) is True, "LiteLLM charges it all the same"

    def test_a_price_of_0_of_the_providers_own_stands(self) -> None:
        own = model("x/a", cost=("0", "0"))
        assert self.lists().complete(own).price.free

    def test_a_provider_that_says_everything_borrows_nothing(self) -> None:
        own = model("router/z-ai/glm-5")
        rows = {own.litellm_model: self.FIRST}
        assert OtherLists((recorded("f", rows),), frozenset({"router"})).complete(own) is own


class TestOpenRouterRows:
    def test_abilities_limits_and_last_days_come_from_the_same_model_only(self) -> None:
        rows = [
            model(
                "openrouter/anthropic/claude-sonnet-5",
                cost=("3", "15"),
                context=1_000_000,
                capabilities={"tools": True},
                ends=date(2027, 1, 1),
            ),
            model("openrouter/anthropic/claude-sonnet-4.6", context=5),
        ]
        known = OtherLists((OpenRouterRows(rows),)).complete(
            model("anthropic/claude-sonnet-5", maker="anthropic")
        )
        assert (known.context, known.ends) == (1_000_000, date(2027, 1, 1))
        assert set(known.borrowed.values()) == {"openrouter/anthropic/claude-sonnet-5"}

    @pytest.mark.parametrize(
        ("called", "priced"),
        [
            ("openai/gpt-oss-120b", True),
            ("groq/openai/gpt-oss-120b", False),
            ("hosted_vllm/openai/gpt-oss-120b", False),
            ("ollama_chat/gpt-oss:120b", False),
        ],
    )
    def test_price_and_last_day_are_the_makers_own_offers_only(
        self, called: str, *, priced: bool
    ) -> None:
        row = model(
            "openrouter/openai/gpt-oss-120b",
            cost=("1", "2"),
            ends=date(2027, 1, 1),
            capabilities={"tools": True},
        )
        provider, _, model_id = called.partition("/")
        own = model(f"{provider}/{model_id}", maker="openai")
        known = OtherLists((OpenRouterRows([row]),)).complete(own)
        assert known.capabilities == {"tools": True}
        assert (known.price.known, known.ends is not None) == (priced, priced)

    def test_a_row_with_a_price_goes_before_a_nearer_one_without(self) -> None:
        rows = [
            model("openrouter/openai/gpt-5", context=9),
            model("openrouter/openai/gpt-5-2025-08-07", cost=("1", "2")),
        ]
        known = OtherLists((OpenRouterRows(rows),)).complete(model("openai/gpt-5"))
        assert known.borrowed["price"] == "openrouter/openai/gpt-5-2025-08-07"


class TestLiteLLMsMap:
    def facts(self, rows: dict[str, Any], name: str) -> Facts | None:
        return PriceMap(rows).facts_of(name)

    def test_a_row_as_facts(self) -> None:
        facts = self.facts(
            {"claude-sonnet-4-5-20250929": SONNET}, "anthropic/claude-sonnet-4-5-20250929"
        )
        assert facts is not None
        assert (facts.price.input, facts.price.output) == (Decimal("0.000003"), Decimal("0.000015"))
        assert facts.price.tiers[0].above_tokens == 200_000
        assert (facts.context, facts.max_output, facts.priced) == (200_000, 64_000, True)
        assert facts.capabilities == {"tools": True, "vision": True, "web_search": False}
        assert (facts.ends, facts.replaced_by) == (date(2026, 11, 30), "claude-sonnet-5-5")

    @pytest.mark.parametrize(
        ("key", "owner", "asked", "found"),
        [
            ("gemini/gemini-3-pro", "gemini", "gemini/gemini-3-pro", True),
            ("gpt-5", "openai", "openai/gpt-5", True),
            ("GPT-5", "openai", "openai/gpt-5", True),
            ("gemini-3-pro", "vertex_ai-language-models", "gemini/gemini-3-pro", False),
            ("gpt-5", "azure", "openai/gpt-5", False),
            ("accounts/x", "fireworks_ai-embedding-models", "fireworks_ai/accounts/x", True),
            ("gpt-5", "openai", "gpt-5", True),
            ("x/y", None, "x/y", True),
        ],
    )
    def test_the_row_litellm_takes(
        self, key: str, owner: str | None, asked: str, *, found: bool
    ) -> None:
        rows = {key: {"litellm_provider": owner, "input_cost_per_token": 1e-6}}
        assert (self.facts(rows, asked) is not None) is found

    @pytest.mark.parametrize(
        ("key", "owner", "asked"),
        [
            ("gpt-4o", "openai", "openai/gpt-4o-2024-05-13"),
            ("gemini/gemini-2.0-flash", "gemini", "gemini/gemini-2.0-flash-001"),
        ],
    )
    def test_the_bare_names_row_gives_a_dated_one_its_price_but_not_its_last_day(
        self, key: str, owner: str, asked: str
    ) -> None:
        facts = self.facts({key: {**SONNET, "litellm_provider": owner}}, asked)
        assert facts is not None
        assert facts.priced
        assert (facts.ends, facts.replaced_by) == (None, None)

    def test_odd_rows_say_nothing(self) -> None:
        odd = {
            "litellm_provider": "openai",
            "input_cost_per_token": "much",
            "output_cost_per_token": float("nan"),
            "max_input_tokens": "4096",
            "deprecation_date": "soon",
            "successor_model": 5,
            "supports_vision": "yes",
            "supported_modalities": [1],
        }
        assert self.facts({"a": odd}, "openai/a") == Facts()
        assert self.facts({"a": "text"}, "openai/a") is None

    def test_a_successor_is_told_by_the_providers_own_id(self) -> None:
        rows = {"gemini/a": {"litellm_provider": "gemini", "successor_model": "gemini/b"}}
        facts = self.facts(rows, "gemini/a")
        assert facts is not None
        assert facts.replaced_by == "b"


MODELS_DEV = {
    "google": {
        "id": "google",
        "models": {
            "gemini-3-pro": {
                "cost": {"input": 2, "output": 12, "context_over_200k": {"input": 4, "output": 18}},
                "limit": {"context": 1_048_576, "output": 65_536},
                "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
                "tool_call": True,
                "reasoning": True,
            }
        },
    }
}


def test_models_dev_states_prices_per_million() -> None:
    facts = ModelsDev(MODELS_DEV).facts_of("gemini/gemini-3-pro")
    assert facts is not None
    assert (facts.price.input, facts.price.output) == (Decimal("0.000002"), Decimal("0.000012"))
    assert facts.price.tiers[0].input == Decimal("0.000004")
    assert (facts.context, facts.max_output) == (1_048_576, 65_536)
    assert facts.input_modalities == ("text", "image", "file")
    assert facts.capabilities == {
        "tools": True, "reasoning": True, "vision": True, "pdf_input": True, "audio_input": False,
    }  # fmt: skip
    assert ModelsDev(MODELS_DEV).facts_of("gemini/other") is None
    assert ModelsDev(MODELS_DEV).facts_of("xai/gemini-3-pro") is None


def test_a_file_is_told_by_what_is_in_it() -> None:
    assert isinstance(read_facts(json.dumps(MODELS_DEV).encode()), ModelsDev)
    assert isinstance(read_facts(json.dumps({"a": SONNET}).encode()), PriceMap)
    for content in (b"", b"[]", b"{}", b'{"a": 1}', b"<html>", b"[" * 100_000):
        with pytest.raises(UnknownFormat):
            read_facts(content)
