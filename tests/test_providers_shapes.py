"""Every adapter on small replies of our own: requests as the provider wants them, fields as it
words them, pages followed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Kind, Model, PriceTier
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.answers import Page
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.wire import HttpRequest, Listing, WrongShape

KEY = "k-0123456789"
EACH = tuple(BUILTIN)
FIELDS = """
    id name key model type created created_at data models pricing prompt completion overrides
    min_prompt_tokens utc_start utc_end architecture input_modalities output_modalities aliases
    capabilities completion_chat supported effort top_provider context_length expiration_date
    alias_target slug supportedGenerationMethods links next nextPageToken has_more last_id
    long_context_threshold prompt_text_token_price details deprecation_replacement_model
"""


def listing(provider: str, *pages: object) -> Listing:
    row = BUILTIN[provider]
    return ADAPTERS[row.protocol].parse(row, pages)


def one(provider: str, **row: Any) -> Model:
    """The only model of a reply that lists one row."""
    root = {"gemini": "models", "ollama": "models"}.get(provider, "data")
    (model,) = listing(provider, {root: [row]}).models
    return model


def first(provider: str, key: str | None = KEY) -> HttpRequest:
    row = BUILTIN[provider]
    return ADAPTERS[row.protocol].requests(row, key)[0]


def following(provider: str, document: object, link: str = "") -> HttpRequest | None:
    """What is asked after a page."""
    adapter = ADAPTERS[BUILTIN[provider].protocol]
    return Page(document, link).following(first(provider), adapter.after)


@pytest.mark.parametrize(
    ("provider", "url", "headers", "params"),
    [
        (
            "openrouter",
            "https://openrouter.ai/api/v1/models/user",
            {"authorization": f"Bearer {KEY}"},
            {},
        ),
        ("xai", "https://api.x.ai/v1/models", {"authorization": f"Bearer {KEY}"}, {}),
        (
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/models",
            {"x-goog-api-key": KEY},
            {"pageSize": "1000"},
        ),
        (
            "perplexity",
            "https://api.perplexity.ai/v1/models",
            {"authorization": f"Bearer {KEY}"},
            {},
        ),
        ("openai", "https://api.openai.com/v1/models", {"authorization": f"Bearer {KEY}"}, {}),
        ("deepseek", "https://api.deepseek.com/models", {"authorization": f"Bearer {KEY}"}, {}),
        (
            "qwen",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/models",
            {"authorization": f"Bearer {KEY}"},
            {},
        ),
        (
            "ollama",
            "http://localhost:11434/api/tags",
            {"authorization": f"Bearer {KEY}"},
            {},
        ),
    ],
)
def test_requests(provider: str, url: str, headers: dict[str, str], params: dict[str, str]) -> None:
    request = first(provider)
    assert (request.url, dict(request.headers), dict(request.params)) == (url, headers, params)
    assert KEY not in repr(request)
    assert KEY not in request.url


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("sk-ant-api03-abc", {"x-api-key": "sk-ant-api03-abc"}),
        (
            "sk-ant-oat01-abc",
            {"authorization": "Bearer sk-ant-oat01-abc", "anthropic-beta": "oauth-2025-04-20"},
        ),
        ("gateway-token", {"x-api-key": "gateway-token", "authorization": "Bearer gateway-token"}),
        (None, {}),
    ],
)
def test_anthropic_takes_api_keys_and_tokens_differently(
    key: str | None, sent: dict[str, str]
) -> None:
    request = first("anthropic", key)
    assert request.url == "https://api.anthropic.com/v1/models"
    assert dict(request.headers) == {"anthropic-version": "2023-06-01", **sent}
    assert dict(request.params) == {"limit": "1000"}


def test_openrouter_is_asked_publicly_without_a_key() -> None:
    request = first("openrouter", None)
    assert (request.url, dict(request.headers)) == ("https://openrouter.ai/api/v1/models", {})


@pytest.mark.parametrize("provider", EACH)
def test_an_empty_list_is_a_list(provider: str) -> None:
    for root in ("data", "models"):
        try:
            assert listing(provider, {root: []}) == Listing((), (), 0)
        except ValueError:
            continue
        break
    else:
        pytest.fail("neither root is read")


@pytest.mark.parametrize("provider", EACH)
def test_unknown_fields_are_ignored_and_known_ones_may_all_be_missing(provider: str) -> None:
    root, key = {"gemini": ("models", "name"), "ollama": ("models", "model")}.get(
        provider, ("data", "id")
    )
    page = {root: [{key: "some-model", "novelty": {"deep": [1]}, "x": None}], "more": "words"}
    (model,) = listing(provider, page).models
    assert model.provider == provider
    assert model.id == "some-model"
    assert model.litellm_model == f"{BUILTIN[provider].litellm_prefix}/some-model"
    assert (model.context, model.released, model.price.known) == (None, None, False)


@pytest.mark.parametrize("provider", EACH)
def test_every_source_names_a_field_of_the_schema(provider: str) -> None:
    sources = ADAPTERS[BUILTIN[provider].protocol].sources
    assert set(sources) <= set(Model.model_fields)
    assert "id" in sources


def test_openrouter_row() -> None:
    model = one(
        "openrouter",
        id="acme/storm-2",
        canonical_slug="acme/storm-2-20260701",
        name="Acme: Storm 2",
        created=1782864000,
        context_length=1000000,
        top_provider={"context_length": 262144, "max_completion_tokens": 32768},
        architecture={
            "input_modalities": ["text", "image", "file"],
            "output_modalities": ["text"],
        },
        pricing={
            "prompt": "0.000002",
            "completion": "0.00001",
            "input_cache_read": "0.0000002",
            "discount": 0,
            "overrides": [
                {"min_prompt_tokens": 200000, "prompt": "0.000004"},
                {"utc_start": 1630, "utc_end": 30, "completion": "0.000005"},
                {"prompt": "9"},
            ],
        },
        supported_parameters=["tools", "structured_outputs", "reasoning"],
        expiration_date="2026-12-31",
    )
    assert model.litellm_model == "openrouter/acme/storm-2"
    assert (model.maker, model.canonical) == ("acme", "acme/storm-2-20260701")
    assert model.released == date(2026, 7, 1)
    assert (model.context, model.max_output) == (262144, 32768), "the smaller context counts"
    assert (model.price.input, model.price.cache_read) == (Decimal("2e-6"), Decimal("2e-7"))
    assert model.price.tiers == (
        PriceTier(above_tokens=200000, input=Decimal("4e-6")),
        PriceTier(utc_window=(1630, 30), output=Decimal("5e-6")),
    )
    assert model.capabilities == {
        "tools": True,
        "structured_output": True,
        "reasoning": True,
        "vision": True,
        "pdf_input": True,
        "audio_input": False,
        "prompt_caching": True,
    }
    assert model.ends == date(2026, 12, 31)


def test_openrouter_oddities() -> None:
    moving = one(
        "openrouter", id="~acme/storm-latest", alias_target={"slug": "acme/storm-2", "name": "x"}
    )
    assert (moving.maker, moving.points_at) == ("acme", "acme/storm-2")
    assert one("openrouter", id="acme/storm-2:batch").batch_only
    free = one("openrouter", id="acme/a:free", pricing={"prompt": "0", "completion": "0"})
    assert free.price.free
    router = one("openrouter", id="openrouter/auto", pricing={"prompt": "-1", "completion": "-1"})
    assert (router.kind, router.price.input) == (Kind.OTHER, None)
    assert one("openrouter", id="z/glm", expiration_date="2098-12-31").ends is None
    painter = one("openrouter", id="a/p", architecture={"output_modalities": ["text", "image"]})
    assert painter.kind is Kind.IMAGE


def test_openrouter_pages_stay_on_their_host() -> None:
    def leads(link: object) -> HttpRequest | None:
        return following("openrouter", {"data": [], "links": {"next": link}})

    there = leads("/api/v1/models/user?limit=500&offset=500")
    assert there is not None
    assert there.url == "https://openrouter.ai/api/v1/models/user?limit=500&offset=500"
    assert there.headers["authorization"] == f"Bearer {KEY}"
    for link in (None, "", 5, "https://evil.example/models", "//evil.example/x", "http://["):
        assert leads(link) is None


def test_xai_row_and_its_long_context_prices() -> None:
    row = {
        "id": "grok-9",
        "created": 1785974400,
        "owned_by": "xai",
        "aliases": ["grok-9-latest", "grok-9", 5],
        "context_length": 500000,
        "prompt_text_token_price": 20000,
        "cached_prompt_text_token_price": 5000,
        "prompt_image_token_price": 20000,
        "completion_text_token_price": 60000,
        "long_context_threshold": 200000,
        "prompt_text_token_price_long_context": 40000,
        "completion_text_token_price_long_context": 0,
    }
    model = one("xai", **row)
    assert model.price.input == Decimal("0.000002")
    assert model.price.output == Decimal("0.000006")
    assert model.price.cache_read == Decimal("0.0000005")
    # "At or above 200000" is "above 199999"; 0 keeps the standard price.
    assert model.price.tiers == (PriceTier(above_tokens=199999, input=Decimal("0.000004")),)
    assert model.aliases == ("grok-9-latest",)
    assert (model.released, model.context, model.max_output) == (date(2026, 8, 6), 500000, None)
    assert model.capabilities == {"vision": True, "prompt_caching": True}
    assert one("xai", **(row | {"long_context_threshold": 0})).price.tiers == ()


def test_xai_other_roots_and_kinds() -> None:
    page = {
        "models": [
            {
                "id": "grok-9",
                "input_modalities": ["text"],
                "output_modalities": ["text"],
                "capabilities": {"reasoning_effort": ["low", "high"]},
            },
            {"id": "brush-2", "image_price": 200000000, "context_length": 8000},
            {"id": "brush-3", "pricing": [{"price_per_image": 400000000}]},
            {"id": "grok-imagine-video"},
        ]
    }
    models = listing("xai", page).models
    assert [model.kind for model in models] == [Kind.CHAT, Kind.IMAGE, Kind.IMAGE, Kind.VIDEO]
    assert models[0].capabilities == {"vision": False, "reasoning": True}


def test_gemini_rows() -> None:
    chat = ["generateContent", "countTokens", "createCachedContent"]
    model = one(
        "gemini",
        name="models/gemini-9-flash",
        displayName="Gemini 9 Flash",
        inputTokenLimit=1048576,
        outputTokenLimit=65536,
        supportedGenerationMethods=chat,
        thinking=True,
    )
    assert (model.id, model.litellm_model) == ("gemini-9-flash", "gemini/gemini-9-flash")
    assert (model.context, model.max_output, model.maker) == (1048576, 65536, "google")
    assert model.capabilities == {"reasoning": True, "prompt_caching": True}
    kinds = {
        "gemini-9-pro-image": Kind.IMAGE,
        "gemini-9-flash-tts-preview": Kind.SPEECH,
        "gemini-robotics-er-9": Kind.OTHER,
        "deep-research-preview-09-2026": Kind.OTHER,
        "gemini-9-computer-use": Kind.OTHER,
        "gemini-9-flash": Kind.CHAT,
    }
    for name, kind in kinds.items():
        row = one("gemini", name=f"models/{name}", supportedGenerationMethods=chat)
        assert row.kind is kind, name
    embed = one("gemini", name="models/vector-1", supportedGenerationMethods=["embedContent"])
    assert embed.kind is Kind.EMBEDDING


def test_gemini_and_anthropic_pages() -> None:
    there = following("gemini", {"models": [], "nextPageToken": "t2"})
    assert there is not None
    assert dict(there.params) == {"pageSize": "1000", "pageToken": "t2"}
    assert following("gemini", {"models": [], "nextPageToken": ""}) is None
    page = {"data": [], "has_more": True, "last_id": "claude-z"}
    there = following("anthropic", page)
    assert there is not None
    assert dict(there.params) == {"limit": "1000", "after_id": "claude-z"}
    for last in ({"has_more": False}, {"last_id": None}, {"last_id": 7}, {"has_more": "yes"}):
        assert following("anthropic", page | last) is None
    both = listing("gemini", {"models": [{"name": "models/a"}]}, {"models": [{"name": "models/b"}]})
    assert [model.id for model in both.models] == ["a", "b"]


def test_anthropic_row() -> None:
    model = one(
        "anthropic",
        type="model",
        id="claude-storm-9",
        display_name="Claude Storm 9",
        created_at="2026-06-07T00:00:00Z",
        max_input_tokens=1000000,
        max_tokens=128000,
        capabilities={
            "image_input": {"supported": True},
            "pdf_input": {"supported": False},
            "thinking": {"supported": True, "types": {"enabled": {"supported": False}}},
            "batch": {"supported": True},
            "structured_outputs": "yes",
        },
    )
    assert (model.released, model.context, model.max_output) == (date(2026, 6, 7), 1000000, 128000)
    assert model.capabilities == {"vision": True, "pdf_input": False, "reasoning": True}


def test_perplexity_row() -> None:
    pricing = {"input": 5, "output": 25, "cache_read": 0.5, "unit": "usd_per_1m_tokens"}
    model = one("perplexity", id="acme/storm-2", created=0, owned_by="acme", pricing=pricing)
    assert model.litellm_model == "perplexity/acme/storm-2"
    assert (model.mode, model.maker, model.released) == ("responses", "acme", None)
    assert (model.price.input, model.price.cache_read) == (Decimal("5e-6"), Decimal("5e-7"))
    own = one("perplexity", id="perplexity/sonar")
    assert own.litellm_model == "perplexity/responses/perplexity/sonar"
    strange = one(
        "perplexity", id="a/b", pricing={"input": 5, "output": 2, "unit": "usd_per_token"}
    )
    assert not strange.price.known, "a unit that is not known is no price"


@pytest.mark.parametrize("field", ["shutdown_date", "deprecation_date"])
def test_openai_end_of_life_has_had_two_names(field: str) -> None:
    model = one(
        "openai", id="gpt-9", created=1776902400, owned_by="system", **{field: "2027-01-15"}
    )
    assert (model.ends, model.released, model.mode) == (date(2027, 1, 15), date(2026, 4, 23), None)
    assert one("openai", id="gpt-9", **{field: None}).ends is None


def test_deepseek_row() -> None:
    model = one(
        "deepseek",
        id="deepseek-flash",
        name="DeepSeek-V9-Flash",
        context_window=1048576,
        max_output_tokens=393216,
        input_modalities=["text", "image"],
        effort={"supported_levels": ["low", "high"]},
    )
    assert (model.context, model.max_output) == (1048576, 393216)
    assert model.display_name == "DeepSeek-V9-Flash"
    assert model.capabilities == {"reasoning": True, "vision": True, "audio_input": False}
    assert one("deepseek", id="deepseek-chat").released is None


def test_vllm_llamacpp_and_lm_studio_shapes() -> None:
    vllm = one("vllm", id="Qwen/Q9", created=1795132800, max_model_len=131072, permission=[])
    assert (vllm.context, vllm.released) == (131072, None), "its created is when it was started"
    llama = one("vllm", id="/models/q9.gguf", meta={"n_ctx_train": 40960, "n_params": 10**10})
    assert llama.context == 40960
    old = one(
        "lm_studio", id="q9", type="vlm", max_context_length=131072, loaded_context_length=8192
    )
    assert (old.context, old.capabilities) == (8192, {"vision": True})
    page = {
        "models": [
            {
                "key": "q9-embed",
                "type": "embedding",
                "max_context_length": 2048,
                "capabilities": {"vision": False, "trained_for_tool_use": True},
            }
        ]
    }
    (new,) = listing("lm_studio", page).models
    assert (new.id, new.kind) == ("q9-embed", Kind.EMBEDDING)
    assert new.capabilities == {"tools": True, "vision": False}


def test_groq_rows() -> None:
    model = one(
        "groq",
        id="acme/storm",
        active=True,
        created=1754408224,
        context_window=131072,
        max_completion_tokens=65536,
        pricing={"prompt": "0.00000015", "completion": "0.0000006"},
        supported_features=["tools", "structured_outputs"],
    )
    assert (model.context, model.max_output) == (131072, 65536)
    assert model.price.input == Decimal("1.5e-7")
    assert model.capabilities == {"tools": True, "structured_output": True, "reasoning": False}
    gone = listing("groq", {"data": [{"id": "old", "active": False}, {"id": "new"}]})
    assert [model.id for model in gone.models] == ["new"]
    assert gone.notes == ("row 1 dropped: 'old' is listed as not active",)


def test_mistral_aliases_doubles_and_dates() -> None:
    chat = {"completion_chat": True, "function_calling": True, "vision": False}
    rows = [
        {"id": "m-large-2512", "name": "m-large-2512", "capabilities": chat, "aliases": ["m-l"]},
        {"id": "m-latest", "name": "m-large-2512", "capabilities": chat, "created": 1795132800},
        {"id": "m-large-2512", "name": "m-large-2512", "capabilities": chat, "aliases": ["m-x"]},
        {
            "id": "m-old",
            "name": "m-old",
            "capabilities": {"completion_chat": False, "audio_transcription": True},
            "deprecation": "2026-12-31T12:00:00Z",
            "deprecation_replacement_model": "m-latest",
        },
    ]
    found = listing("mistral", {"object": "list", "data": rows})
    assert [model.id for model in found.models] == ["m-large-2512", "m-latest", "m-old"]
    large, latest, old = found.models
    assert (large.aliases, large.points_at) == (("m-l", "m-x"), None)
    assert (latest.points_at, latest.released) == ("m-large-2512", None)
    assert large.capabilities == {"tools": True, "vision": False}
    assert (old.kind, old.ends) == (Kind.SPEECH, date(2026, 12, 31))
    assert old.replaced_by == "m-latest"
    assert found.notes == (), "a model that is listed twice with the same facts is no news"


def test_togethers_bare_array() -> None:
    rows = [
        {
            "id": "acme/Storm",
            "type": "chat",
            "display_name": "Storm",
            "organization": "Acme",
            "context_length": 262144,
            "pricing": {"hourly": 0, "input": 1.25, "output": 3.75, "base": 0},
        },
        {"id": "acme/Brush", "type": "image"},
        {"id": "acme/Llama-Guard", "type": "chat"},
    ]
    storm, brush, guard = listing("together", rows).models
    assert (storm.price.input, storm.price.output) == (Decimal("1.25e-6"), Decimal("3.75e-6"))
    assert (storm.display_name, storm.maker, storm.released) == ("Storm", "Acme", None)
    assert (brush.kind, guard.kind) == (Kind.IMAGE, Kind.MODERATION)


def test_bare_prices_of_a_stranger_are_unknown_where_they_could_be_per_1k() -> None:
    assert not one("vllm", id="x", pricing={"input": 0.03, "output": 0.06}).price.known
    said = {"input": 1, "output": 2, "unit": "usd_per_1m_tokens"}
    assert one("vllm", id="x", pricing=said).price.input == Decimal("0.000001")


def test_ollama_rows_of_both_its_lists() -> None:
    page = {"models": [{"name": "q9:27b", "model": "q9:27b", "details": {}}]}
    (model,) = listing("ollama", page).models
    assert (model.id, model.litellm_model) == ("q9:27b", "ollama_chat/q9:27b")
    (other,) = listing("ollama", {"object": "list", "data": [{"id": "q9:27b"}]}).models
    assert other.id == "q9:27b"


def test_what_completes_no_text_on_ollama_is_no_chat_model() -> None:
    def kind(*capabilities: str) -> Kind:
        row = {"name": "mine:latest", "capabilities": list(capabilities)}
        (model,) = listing("ollama", {"models": [row]}).models
        return model.kind

    assert kind("completion", "tools", "vision") is Kind.CHAT
    assert kind("embedding") is Kind.EMBEDDING
    assert kind("image") is Kind.IMAGE
    assert kind("decision") is Kind.OTHER
    assert kind() is Kind.CHAT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS.split()) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=25,
)


@given(st.sampled_from(EACH), st.lists(JSON, max_size=5), JSON)
@settings(max_examples=400, deadline=None)
def test_no_reply_breaks_an_adapter(provider: str, rows: list[Any], page: Any) -> None:
    row = BUILTIN[provider]
    adapter = ADAPTERS[row.protocol]
    for document in (page, rows, {"data": rows}, {"models": rows}, {"data": page, "links": page}):
        try:
            found = adapter.parse(row, [document])
        except WrongShape:
            continue
        assert len(found.models) <= found.rows
        assert len({model.id for model in found.models}) == len(found.models)
        for model in found.models:
            assert model.id.isprintable()
            assert model.model_dump_json()
        Page(document).following(first(provider), adapter.after)
