"""What a list's numbers cost: the stated unit in its spellings, the plain one, or unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Kind, Price
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.answers import stored_answer
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.prices import exponent_of
from rollcall.providers.registry import resolve_provider
from rollcall.providers.wire import Listing

Amount = str | float


def listed(*rows: dict[str, Any], kind: str = "openai", **policy: Any) -> Listing:
    provider = resolve_provider(
        "gate", type=kind, base_url="http://gate.example/v1", key_env="K", environ={}, **policy
    )
    adapter = ADAPTERS[provider.protocol]
    return adapter.parse(provider, [{adapter.roots[0]: list(rows)}])


def dollars(listing: Listing) -> list[tuple[str, str] | None]:
    """Input and output of each model in USD per 1M tokens, None where unknown."""
    return [
        (f"{(price.input or 0) * 10**6:f}", f"{(price.output or 0) * 10**6:f}")
        if (price := model.price).known
        else None
        for model in listing.models
    ]


def prices(*rows: tuple[Amount, Amount], keys: str = "prompt completion", **more: Any) -> Any:
    """What rows with these prices cost."""
    into, out = keys.split()
    given = [
        {"id": f"acme-{n}", "pricing": {into: row[0], out: row[1]}} for n, row in enumerate(rows)
    ]
    listing = listed(*given, **more)
    found = [row and tuple(float(part) for part in row) for row in dollars(listing)]
    return found, " ".join(listing.notes)


@pytest.mark.parametrize(
    "keys", ["prompt completion", "input output", "input_tokens output_tokens"]
)
@pytest.mark.parametrize("kind", ["openai", "openrouter"])
def test_a_list_that_would_be_absurd_per_token_is_per_million_and_says_so(
    keys: str, kind: str
) -> None:
    for rows in ([(0.28, 0.42)], [("0.95", "3.15")], [(0.28, 0.42), (0.95, 3.15), (0, 0)]):
        found, note = prices(*rows, keys=keys, kind=kind)
        assert found == [tuple(map(float, row)) for row in rows]
        assert "read as USD per 1M tokens" in note


def test_a_list_per_token_stays_per_token_without_a_word() -> None:
    rows = [("0.000003", "0.000015"), ("0.00015", "0.0006"), ("0", "0")]
    assert prices(*rows) == ([(3.0, 15.0), (150.0, 600.0), (0.0, 0.0)], "")


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        ([(0.0005, 0.0015)], "prompt completion"),  # per 1,000, or per token, or neither
        ([(0.03, 0.06)], "prompt completion"),  # per 1,000, or very cheap per 1M
        ([(0.00015, 0.0006)], "input output"),  # per 1,000, or very dear per token
        ([(0.28, 0.42), ("0.000001", "0.000002")], "prompt completion"),
        ([(20_000, 50_000)], "prompt completion"),
    ],
)
def test_a_unit_that_is_not_clear_is_unknown_and_said(rows: Any, keys: str) -> None:
    found, note = prices(*rows, keys=keys)
    assert found == [None] * len(rows)
    assert "their unit is not clear" in note
    assert "price_unit" in note


def test_one_absurd_price_makes_its_rows_others_unknown() -> None:
    good = [("0.000001", "0.000002")] * 4
    found, note = prices(*good, ("0.000001", "0.95"))
    assert found == [(1.0, 2.0)] * 4 + [None]
    assert "1 prices are absurd" in note
    stated = {"id": "a", "pricing": {"prompt": 3, "completion": 90_000, "unit": "1M"}}
    assert dollars(listed(stated)) == [None]
    negative = {"id": "a", "pricing": {"prompt": "-1", "completion": "0.000001"}}
    assert dollars(listed(negative)) == [None]
    tier = {"min_prompt_tokens": 1000, "prompt": "3"}
    row = {"id": "a/b", "pricing": {"prompt": "0.000001", "completion": "0", "overrides": [tier]}}
    assert dollars(listed(row, kind="openrouter")) == [None]


@pytest.mark.parametrize(
    ("unit", "exponent"),
    [
        ("usd_per_1m_tokens", -6),
        ("per_million_tokens", -6),
        ("USD per 1M tokens", -6),
        ("USD / 1 million tokens", -6),
        ("per 1,000,000 tokens", -6),
        ("$/MTok", -6),
        ("perMTokens", -6),
        ("1M", -6),
        (1_000_000, -6),
        ("usd_per_1k_tokens", -3),
        ("per 1,000 tokens", -3),
        ("1K", -3),
        (1000, -3),
        ("million_tokens", -6),
        ("per_1m_tokens_usd", -6),
        ("ktok", -3),
        ("thousand tokens", -3),
        ("tokens", 0),
        ("token", 0),
        ("usd_per_token", 0),
        ("per_token", 0),
        (1, 0),
        ("per_minute", None),
        ("usd_per_image", None),
        ("cents_per_1m_tokens", None),
        ("characters", None),
        (True, None),
        (None, None),
        ("", None),
        ("per", None),
        ([1000], None),
    ],
)
def test_units_in_their_spellings(unit: object, exponent: int | None) -> None:
    assert exponent_of(unit) == exponent


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        ({"pricing": {"prompt": 3, "completion": 15, "unit": "per_million_tokens"}}, (3, 15)),
        ({"pricing": {"input": 0.003, "output": 0.015, "unit": "per 1K tokens"}}, (3, 15)),
        ({"pricing": {"input": 3e-6, "output": 1.5e-5, "unit": "usd_per_token"}}, (3, 15)),
        (
            {"pricing": {"input": 0.05, "output": 0.06, "unit": "1M", "currency": "USD"}},
            (0.05, 0.06),
        ),
        ({"pricing": {"input": 3, "output": 15, "unit": "USD"}}, (3, 15)),
        ({"pricing": {"input": 3, "output": 15, "unit": "1M", "currency": "CNY"}}, None),
        ({"pricing": {"input": 3, "output": 15, "unit": "credits"}}, None),
        ({"price_unit": "1M", "input_price": 0.05, "output_price": 0.06}, (0.05, 0.06)),
        ({"input_cost_per_token": 3e-6, "output_cost_per_token": 1.5e-5}, (3, 15)),
        ({"model_info": {"input_cost_per_token": 3e-6, "output_cost_per_token": 1.5e-5}}, (3, 15)),
        ({"pricing": {"input_per_million": 0.05, "output_per_million": 0.06}}, (0.05, 0.06)),
        ({"pricing": {"prompt_price_per_1k_tokens": 0.003, "completion_per_1k": 0.015}}, (3, 15)),
        ({"pricing": {"prompt": "$0.000003", "completion": "$0.000015"}}, (3, 15)),
        ({"model_spec": {"pricing": {"input": {"usd": 0.7}, "output": {"usd": 2.8}}}}, (0.7, 2.8)),
        ({"pricing": {"inputPricePerMillion": 0.05, "outputPricePerMillion": 0.06}}, (0.05, 0.06)),
        ({"pricing": {"prompt_usd_per_1m": 0.05, "completion_usd_per_1m": 0.06}}, (0.05, 0.06)),
        (
            {"pricing": {"input": {"price": 0.003, "unit": "1k"}, "output": {"price": 0.015}}},
            (3, 15),
        ),
        ({"pricing": {"input": {"value": 3, "currency": "CNY"}, "output": {"value": 9}}}, None),
        ({"pricing": {"prompt": "free", "completion": "0.000001"}}, None),
    ],
)
def test_the_stated_unit_comes_first(row: dict[str, Any], cost: Any) -> None:
    (found,) = dollars(listed({"id": "acme-1", **row}))
    assert (found and tuple(map(float, found))) == cost


@pytest.mark.parametrize(("unit", "known"), [("per_1m_tokens", True), ("credits", False)])
def test_a_unit_beside_the_rows_holds_for_all_of_them(unit: str, known: bool) -> None:
    provider = resolve_provider(
        "gate", type="openai", base_url="http://gate.example/v1", key_env="K", environ={}
    )
    rows = [{"id": "acme-1", "pricing": {"prompt": 0.03, "completion": 0.06}}]
    listing = ADAPTERS["openai"].parse(provider, [{"data": rows, "price_unit": unit}])
    assert [row and float(row[0]) for row in dollars(listing)] == [0.03 if known else None]


@pytest.mark.parametrize(
    ("keys", "unit"),
    [
        ("input_token_price_per_m output_token_price_per_m", {}),
        ("input_per_million output_per_million", {}),
        ("prompt completion", {"unit": "per_million_tokens"}),
    ],
)
def test_a_stated_unit_is_not_believed_where_the_whole_list_would_be_absurd(
    keys: str, unit: dict[str, str]
) -> None:
    """Novita states `..._price_per_m` in USD per 10 billion tokens: 2690 are $0.269 per 1M."""
    into, out = keys.split()

    def costs(*rows: tuple[float, float]) -> Any:
        given = [
            {"id": f"acme-{n}", "pricing": {into: row[0], out: row[1], **unit}}
            for n, row in enumerate(rows)
        ]
        listing = listed(*given)
        return [row and float(row[0]) for row in dollars(listing)], listing.notes

    left_out = ("its prices are left out: in the unit they state they would be absurd",)
    assert costs((200, 500), (2690, 4000), (0, 0)) == ([None, None, 0], left_out)
    assert costs((150, 600), (3, 15), (0.28, 0.42)) == ([150, 3, 0.28], ())


@pytest.mark.parametrize(
    ("pricing", "cache"),
    [
        ({"input_cache_reads": "0.0000001", "input_cache_writes": "0.000002"}, ("0.1", "2")),
        ({"input_cache_reads": "$0", "input_cache_writes": "0"}, (None, None)),
        ({"input_cache_read": "0.0000001"}, ("0.1", None)),
    ],
)
def test_what_caching_costs(pricing: dict[str, str], cache: tuple[Any, Any]) -> None:
    """A cache at 0 of a model that is not free is none: reading from it is not free either."""
    row = {"id": "acme-1", "pricing": {"prompt": "0.000001", "completion": "0.000003", **pricing}}
    assert caches(listed(row)) == cache


@pytest.mark.parametrize(
    ("row", "cache"),
    [
        ({"input_price": 3e-6, "output_price": 1.5e-5, "cached_price": 3e-7}, ("0.3", None)),
        (
            {
                "input_token_price": 3e-6,
                "output_token_price": 1.5e-5,
                "cache_read_token_price": 3e-7,
                "cache_write_token_price": 3.75e-6,
            },
            ("0.3", "3.75"),
        ),
        (
            {
                "pricing": {
                    "input_per_million": 3,
                    "output_per_million": 15,
                    "cached_input_per_million": 0.3,
                    "cached_output_per_million": 0.2,
                }
            },
            ("0.3", None),
        ),
        (
            {
                "pricing": {
                    "input_per_million": 3,
                    "output_per_million": 15,
                    "cache_read_per_million": 0,
                    "cache_write_per_million": 3.75,
                }
            },
            (None, "3.75"),
        ),
        (
            {
                "model_spec": {
                    "pricing": {
                        "input": {"usd": 3},
                        "output": {"usd": 15},
                        "cache_input": {"usd": 0.3},
                        "cache_write": {"usd": 3.75},
                    }
                }
            },
            ("0.3", "3.75"),
        ),
    ],
)
def test_prices_in_their_places(row: dict[str, Any], cache: tuple[Any, Any]) -> None:
    """As Requesty, io.net, Neuralwatt, Avian and Venice have them."""
    found = listed({"id": "acme-1", **row})
    assert [tuple(map(float, row or ())) for row in dollars(found)] == [(3, 15)]
    assert caches(found) == cache


def test_a_list_of_prices_counts_where_it_holds_one() -> None:
    """As Zenmux has them: those of several hosts, or that depend on the length of the prompt."""

    def price(value: float, **more: Any) -> dict[str, Any]:
        return {"value": value, "unit": "perMTokens", "currency": "USD", **more}

    long = {"conditions": {"prompt_tokens": {"gte": 200, "unit": "kTokens"}}}
    rows = [
        {"id": "a", "pricings": {"prompt": [price(3)], "completion": [price(15), price(15)]}},
        {"id": "b", "pricings": {"prompt": [price(3)], "completion": [price(15), price(16)]}},
        {"id": "c", "pricings": {"prompt": [price(3, **long)], "completion": [price(15)]}},
        {"id": "d", "pricings": {"prompt": [], "completion": []}},
    ]
    found = [row and tuple(map(float, row)) for row in dollars(listed(*rows))]
    assert found == [(3, 15), None, None, None]
    bare = {"prompt": ["0.000003"], "completion": ["0.000015"], "input_cache_read": []}
    [plain] = dollars(listed({"id": "e", "pricing": bare}))
    assert plain is not None
    assert tuple(map(float, plain)) == (3, 15), "an empty list is no price that cannot be read"


def caches(listing: Listing) -> tuple[str | None, str | None]:
    """Reading and writing of the only model in USD per 1M tokens."""
    (model,) = listing.models
    read, write = (
        None if part is None else f"{float(part * 10**6):g}"
        for part in (model.price.cache_read, model.price.cache_write)
    )
    return read, write


def test_where_no_row_can_be_used_it_says_why_and_nothing_of_prices() -> None:
    gate = resolve_provider(
        "gate", type="openai", base_url="http://gate.example/v1", key_env="K", environ={}
    )
    body = b'{"data": [{"no": "id", "pricing": {"input": 1.75, "output": 14}}]}'
    detail = stored_answer(gate, [body]).detail
    assert detail == "none of its 1 rows can be used: row 1 dropped: it has no id"


def test_the_policy_says_the_unit() -> None:
    assert prices((0.03, 0.06), price_unit="1M") == ([(0.03, 0.06)], "")
    assert prices((0.03, 0.06), price_unit="1k") == ([(30.0, 60.0)], "")
    assert prices((0.003, 0.006), price_unit="token") == ([(3000.0, 6000.0)], "")
    assert prices((0.03, 0.06), price_unit="token")[0] == [None], "nothing above 0.01 a token"


def test_zero_is_not_free_where_it_is_billed_otherwise() -> None:
    together = BUILTIN["together"]
    rows = [
        {"id": "a/dedicated", "type": "chat", "pricing": {"hourly": 0, "input": 0, "output": 0}},
        {"id": "a/rented", "pricing": {"hourly": 9.5, "input": 0, "output": 0, "base": 0}},
        {"id": "a/paid", "pricing": {"hourly": 0, "input": 0.9, "output": 0.9}},
    ]
    models = ADAPTERS["openai"].parse(together, [rows]).models
    assert [model.price.known for model in models] == [False, False, True]
    assert not any(model.price.free for model in models)
    request = {"id": "a", "pricing": {"prompt": "0", "completion": "0", "request": "0.01"}}
    assert dollars(listed(request)) == [None]
    free = {"id": "a", "pricing": {"prompt": "0", "completion": "0", "request": "0"}}
    assert listed(free).models[0].price.free
    asked = ADAPTERS["openai"].requests(together, "key")[0]
    assert dict(asked.params) == {"serverless": "true"}


@pytest.mark.parametrize(
    ("model_id", "outputs", "pricing", "known"),
    [
        ("openai/whisper-1", ["transcription"], ("0.006", "0"), False),
        ("black-forest-labs/flux.2-pro", ["image"], ("0", "0"), False),
        ("google/veo-3.1", ["video"], ("0", "0"), False),
        ("cohere/rerank-v3.5", ["rerank"], ("0", "0"), False),
        ("recraft/recraft-v4", ["image"], ("0", "0"), False),
        ("google/lyria-3-pro-preview", ["text", "audio"], ("0", "0"), False),
        ("google/gemini-3-pro-image", ["image", "text"], ("0.000002", "0.000012"), True),
        ("openai/text-embedding-3-small", ["embeddings"], ("0.00000002", "0"), True),
        ("meta-llama/llama-guard-4-12b", ["text"], ("0.0000001", "0"), True),
    ],
)
def test_only_what_is_billed_by_tokens_costs_per_token(
    model_id: str, outputs: list[str], pricing: tuple[str, str], known: bool
) -> None:
    row = {
        "id": model_id,
        "architecture": {"output_modalities": outputs},
        "pricing": {"prompt": pricing[0], "completion": pricing[1]},
    }
    (model,) = listed(row, kind="openrouter").models
    assert model.kind is not Kind.CHAT
    assert (model.price != Price()) is known


NUMBER: st.SearchStrategy[Any] = st.one_of(
    st.floats(0, 1e6, allow_nan=False),
    st.decimals(0, 100, places=9, allow_nan=False).map(str),
    st.sampled_from([0, "0", -1, "-1", 0.28, "0.0000005", 1e-7, 3, 15, "NaN", None, "free", {}]),
)
KEYS = """
    prompt completion input output hourly request cache_read input_cache_read
    input_cost_per_token input_per_million
"""
UNITS = ["1M", "1k", "token", "usd_per_1m_tokens", "", "per image", 7]
PRICING = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(KEYS.split(), NUMBER) | {"unit": st.sampled_from(UNITS)}
)


@given(
    st.sampled_from(["openai", "openrouter", "perplexity", "xai"]),
    st.lists(PRICING, min_size=1, max_size=6),
    st.sampled_from([None, "token", "1k", "1M"]),
)
@settings(max_examples=300, deadline=None)
def test_no_list_gives_a_price_above_a_cent_a_token(
    kind: str, rows: list[dict[str, Any]], unit: Any
) -> None:
    given_rows = [{"id": f"acme/storm-{n}", "pricing": row, **row} for n, row in enumerate(rows)]
    for model in listed(*given_rows, kind=kind, price_unit=unit).models:
        price = model.price
        for part in (price.input, price.output, price.cache_read, price.cache_write):
            assert part is None or 0 <= part <= Decimal("0.01")
        assert price == Price() or price.input is not None or price.output is not None
