"""Entries of config.yaml: a model in, plain data out, and back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import CAPABILITIES, Model, ModelKey, Price, PriceTier
from rollcall.litellm_config import entries
from rollcall.litellm_config.entries import entry_of, key_of, leaves_on, model_of, with_leaving_day
from rollcall.providers.registry import resolve_provider
from tests.policy_making import model, price

OPENROUTER = resolve_provider("openrouter", environ={})


def entry(row: Model, **given: Any) -> Any:
    """The entry of a model."""
    wanted: dict[str, Any] = {
        "name": row.qualified, "key_env": "KEY", "api_base": OPENROUTER.api_base,
        "params": {}, "model_info": {},
    }  # fmt: skip
    return entry_of(row, **{**wanted, **given})


AMOUNTS = st.none() | st.decimals(min_value=0, max_value=1, places=9)
TIERS = st.lists(st.integers(1, 900), unique=True, max_size=3).flatmap(
    lambda sizes: st.tuples(
        *(
            st.builds(
                PriceTier,
                above_tokens=st.just(size * 1000),
                input=st.decimals(min_value=0, max_value=1, places=9),
                output=AMOUNTS,
            )
            for size in sorted(sizes)
        )
    )
)
MODELS = st.builds(
    Model,
    provider=st.just("openrouter"),
    id=st.text("abcz/.-:09", min_size=1),
    litellm_model=st.text("abcz/.-:09", min_size=1),
    display_name=st.none() | st.text(min_size=1),
    context=st.none() | st.integers(1, 10**7),
    max_output=st.none() | st.integers(1, 10**7),
    mode=st.sampled_from([None, "responses", "chat"]),
    price=st.builds(
        Price, input=AMOUNTS, output=AMOUNTS, cache_read=AMOUNTS, cache_write=AMOUNTS, tiers=TIERS
    ),
    capabilities=st.dictionaries(st.sampled_from(CAPABILITIES), st.just(True)),
)


@settings(deadline=None)
@given(row=MODELS)
def test_a_model_reads_back_from_its_entry(row: Model) -> None:
    back = model_of(entry(row))
    assert back is not None
    assert back.model_dump() == row.model_dump()
    assert entry(back) == entry(row)


@settings(deadline=None)
@given(row=MODELS, day=st.dates())
def test_the_leaving_day_reads_back_and_changes_nothing_else(row: Model, day: date) -> None:
    leaving = with_leaving_day(entry(row), day)
    assert leaves_on(leaving) == day
    assert leaves_on(entry(row)) is None
    assert model_of(leaving) == model_of(entry(row))
    assert key_of(leaving) == ModelKey("openrouter", row.id)


def test_what_is_unknown_is_left_out_and_never_zero() -> None:
    info = entry(model("openrouter/a/b"))["model_info"]
    assert info == {"id": "rollcall/openrouter/a/b", "managed_by": "rollcall"}
    free = entry(model("openrouter/a/b", price=price("0", "0")))["model_info"]
    assert free["input_cost_per_token"] == 0.0


def test_only_a_known_yes_is_written() -> None:
    row = model("openrouter/a/b", capabilities={"tools": True, "vision": False})
    info = entry(row)["model_info"]
    assert info["supports_function_calling"] is True
    assert "supports_vision" not in info


@pytest.mark.parametrize(
    ("tokens", "key"),
    [
        (200_000, "input_cost_per_token_above_200k_tokens"),
        (199_999, "input_cost_per_token_above_200k_tokens"),
        (128_500, "input_cost_per_token_above_128500_tokens"),
    ],
)
def test_a_tiers_threshold_in_litellms_word(tokens: int, key: str) -> None:
    tier = PriceTier(above_tokens=tokens, input=Decimal("0.000002"))
    row = model("openrouter/a/b", price=Price(input=Decimal(0), output=Decimal(0), tiers=(tier,)))
    assert entry(row)["model_info"][key] == pytest.approx(2e-06)


def test_a_rule_adds_but_never_takes_the_identity() -> None:
    row = model("openrouter/a/b", context=1000)
    made = entry(
        row,
        params={"timeout": 60},
        model_info={"max_input_tokens": 5, "id": "mine", "managed_by": "me", "team": "a"},
    )
    assert made["litellm_params"]["timeout"] == 60
    info = made["model_info"]
    assert (info["id"], info["managed_by"]) == ("rollcall/openrouter/a/b", "rollcall")
    assert (info["max_input_tokens"], info["team"]) == (5, "a")


def test_a_key_is_only_ever_a_variable() -> None:
    assert entry(model("openrouter/a/b"))["litellm_params"]["api_key"] == "os.environ/KEY"
    assert "api_key" not in entry(model("openrouter/a/b"), key_env=None)["litellm_params"]


@pytest.mark.parametrize(
    "info", [None, {}, {"id": 5}, {"id": "other/a/b"}, {"id": "rollcall/"}, {"id": "rollcall/a"}]
)
def test_an_entry_that_is_not_ours_is_nobodys(info: Any) -> None:
    stranger = {"model_name": "x", "litellm_params": {"model": "a/b"}, "model_info": info}
    assert key_of(stranger) is None
    assert model_of(stranger) is None


@pytest.mark.parametrize("value", ["soon", 5, None, True, "2026-13-01"])
def test_a_leaving_day_that_is_none_is_not_read(value: Any) -> None:
    assert leaves_on({"model_info": {"leaves": value}}) is None


@pytest.mark.parametrize("value", ["1e-6", True, -1, float("nan"), float("inf")])
def test_a_price_that_is_no_price_is_unknown(value: Any) -> None:
    assert entries.price_of({"input_cost_per_token": value}).input is None


def test_what_every_call_needs_is_written_unless_a_rule_says_otherwise() -> None:
    """Perplexity refuses Anthropic's models where a client sends no max_tokens."""
    row = model("perplexity/anthropic/claude-opus-5", params={"max_tokens": 8192})
    assert entry(row)["litellm_params"]["max_tokens"] == 8192
    assert entry(row, params={"max_tokens": 100})["litellm_params"]["max_tokens"] == 100
    assert "max_tokens" not in entry(model("perplexity/perplexity/sonar"))["litellm_params"]


def test_an_entry_that_names_a_credential_gets_no_key() -> None:
    """In LiteLLM a key wins over a credential: the person's own key would be used."""
    row = model("openrouter/a/b")
    named = entry(row, params={"litellm_credential_name": "team"})["litellm_params"]
    assert "api_key" not in named
    assert named["litellm_credential_name"] == "team"
    unnamed = entry(row, params={"litellm_credential_name": None})["litellm_params"]
    assert unnamed["api_key"] == "os.environ/KEY"
    own = {"litellm_credential_name": "team", "api_key": "os.environ/OTHER"}
    assert entry(row, params=own)["litellm_params"]["api_key"] == "os.environ/OTHER"
