"""What rows of gateways say of themselves: kinds, states, dates, makers, limits.

Shapes as people's gateways have them: LiteLLM's proxy, Fireworks, Azure, Together, HuggingFace's
router, Vercel, DeepInfra, Moonshot, Cohere, llama.cpp.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rollcall.catalog.model import Kind, Model, Price
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.registry import resolve_provider
from rollcall.providers.wire import Listing

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
STALE = 1776902400  # 2026-04-23
JSON_TOOLS = ("structured_output", "tools")
LITELLM = {"object": "model", "created": 1677610602, "owned_by": "openai"}


def listed(
    *rows: dict[str, Any], kind: str = "openai", now: datetime = NOW, **policy: Any
) -> Listing:
    """What a gateway's rows are read as."""
    provider = resolve_provider(
        "gate", type=kind, base_url="http://gate.example/v1", key_env="K", environ={}, **policy
    )
    adapter = ADAPTERS[provider.protocol]
    return adapter.parse(provider, [{adapter.roots[0]: list(rows)}], (now.timestamp(),))


def one(**row: Any) -> Model:
    (model,) = listed({"id": "acme-1", **row}).models
    return model


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"mode": "chat"}, Kind.CHAT),
        ({"mode": "responses"}, Kind.CHAT),
        ({"mode": "embedding"}, Kind.EMBEDDING),
        ({"mode": "image_generation"}, Kind.IMAGE),
        ({"mode": "audio_transcription"}, Kind.SPEECH),
        ({"mode": "rerank"}, Kind.RERANK),
        ({"mode": "moderation"}, Kind.MODERATION),
        ({"mode": "video_generation"}, Kind.VIDEO),
        ({"mode": "completion"}, Kind.OTHER),
        ({"type": "embedding"}, Kind.EMBEDDING),
        ({"type": "language"}, Kind.CHAT),
        ({"type": "base"}, Kind.CHAT),
        ({"kind": "HF_BASE_MODEL", "supports_chat": True}, Kind.CHAT),
        ({"kind": "FLUMINA_BASE_MODEL", "supports_chat": False}, Kind.IMAGE),
        ({"kind": "FLUMINA_BASE_MODEL"}, Kind.IMAGE),
        ({"kind": "EMBEDDING_MODEL"}, Kind.EMBEDDING),
        ({"supports_chat": False}, Kind.OTHER),
        ({"capabilities": {"chat_completion": False, "embeddings": True}}, Kind.EMBEDDING),
        ({"capabilities": {"chat_completion": "false", "inference": "true"}}, Kind.OTHER),
        ({"capabilities": {"inference": False}}, Kind.OTHER),
        ({"capabilities": {"chat_completion": True, "inference": True}}, Kind.CHAT),
        ({"capabilities": {"type": "embeddings"}}, Kind.EMBEDDING),
        ({"capabilities": ["embedding"]}, Kind.EMBEDDING),
        ({"capabilities": ["image_generation"]}, Kind.IMAGE),
        ({"capabilities": ["completion", "embedding"]}, Kind.CHAT),
        ({"capabilities": ["vision", "audio"]}, Kind.CHAT),
        ({"capabilities": ["reasoning"]}, Kind.CHAT),
        ({"supported_output_modalities": ["embeddings"]}, Kind.EMBEDDING),
        ({"task": "text-to-image"}, Kind.IMAGE),
        ({"pipeline_tag": "sentence-similarity"}, Kind.EMBEDDING),
        ({"endpoints": ["embed"]}, Kind.EMBEDDING),
        ({"endpoints": ["rerank"]}, Kind.RERANK),
        ({"endpoints": ["chat", "embed"]}, Kind.CHAT),
        ({"supported_endpoints": ["/v1/images/generations"]}, Kind.OTHER),
        ({"supported_endpoints": ["/v1/chat/completions"]}, Kind.CHAT),
        ({"supported_endpoint_types": ["openai", "openai-response"]}, Kind.CHAT),
        ({"supported_endpoint_types": ["anthropic"]}, Kind.CHAT),
        ({"supported_endpoint_types": ["image-generation"]}, Kind.IMAGE),
        ({"supported_endpoint_types": ["image-generation", "openai"]}, Kind.CHAT),
        ({"supported_endpoint_types": ["openai-video"]}, Kind.VIDEO),
        ({"supported_endpoint_types": ["jina-rerank"]}, Kind.RERANK),
        ({"supported_endpoint_types": ["embeddings"]}, Kind.EMBEDDING),
        ({"supported_endpoint_types": []}, Kind.CHAT),
        ({"supported_endpoint_types": None}, Kind.CHAT),
        ({"capabilities": ["speech_generation"]}, Kind.SPEECH),
        ({"capabilities": ["transcription"]}, Kind.SPEECH),
        ({"capabilities": ["chat", "transcription"]}, Kind.CHAT),
        ({"api": "embedding"}, Kind.EMBEDDING),
        ({"api": "chat"}, Kind.CHAT),
        ({"domain": "Embedding"}, Kind.EMBEDDING),
        ({"domain": "VLM"}, Kind.CHAT),
        ({"type": "document"}, Kind.OTHER),
        ({"type": ["text-to-embedding"]}, Kind.EMBEDDING),
        ({"type": ["text-to-text", "text-to-image"]}, Kind.CHAT),
        ({"type": []}, Kind.CHAT),
        ({"is_chat_model": False, "task_type": "encoder"}, Kind.OTHER),
        ({"modalities": {"output_modalities": ["image"]}}, Kind.IMAGE),
        ({"architecture": {"output_modalities": ["decisions"]}}, Kind.OTHER),
        ({"architecture": {"output_modalities": ["embeddings"]}}, Kind.EMBEDDING),
        ({"architecture": {"output_modalities": ["text"]}}, Kind.CHAT),
        ({"architecture": {"modality": "text+image->image"}}, Kind.IMAGE),
        ({"architecture": {"modality": "text+image->text"}}, Kind.CHAT),
        ({"output_modalities": "scent"}, Kind.OTHER),
        ({"architecture": {"tokenizer": "Router"}}, Kind.OTHER),
        ({"pricing": {"prompt": "-1", "completion": "-1"}}, Kind.OTHER),
        ({"id": "acme-embed-1", "mode": "chat"}, Kind.EMBEDDING),
        ({"id": "acme-embed-1", "supports_chat": False}, Kind.EMBEDDING),
        ({}, Kind.CHAT),
    ],
)
def test_the_rows_own_word_for_its_kind_wins(row: dict[str, Any], kind: Kind) -> None:
    assert one(**row).kind is kind


@pytest.mark.parametrize("protocol", ["openai", "xai", "perplexity", "openrouter"])
@pytest.mark.parametrize(
    "row",
    [
        {"architecture": {"output_modalities": ["decisions"]}},
        {"architecture": {"tokenizer": "Router"}},
        {"pricing": {"prompt": -1, "completion": -1}},
        {"mode": "embedding"},
    ],
)
def test_in_every_protocol_of_this_shape(protocol: str, row: dict[str, Any]) -> None:
    (model,) = listed({"id": "acme/storm-1", **row}, kind=protocol).models
    assert model.kind is not Kind.CHAT


@pytest.mark.parametrize(
    "row",
    [
        {"status": "deprecated"},
        {"lifecycle_status": "deprecated"},
        {"lifecycle": {"status": "Deprecated"}},
        {"deprecated": True},
        {"is_deprecated": True},
        {"metadata": {"deprecated": True}},
        {"status": "Retiring"},
        {"deprecated_at": "2026-05-01"},
    ],
)
def test_deprecated_is_said(row: dict[str, Any]) -> None:
    assert one(**row).deprecated
    assert not one(status="succeeded", deprecated=False, deprecated_at=None).deprecated


@pytest.mark.parametrize(
    "row",
    [
        {"active": False},
        {"status": "retired"},
        {"state": "DISABLED"},
        {"available": False},
        {"is_ready": False},
        {"available_on_current_plan": False},
        {"model_spec": {"offline": True}},
        {"policy": {"state": "disabled"}},
        {"status": {"value": "failed"}},
    ],
)
def test_what_cannot_be_called_is_left_out_with_a_note(row: dict[str, Any]) -> None:
    on = {"is_ready": True, "model_spec": {"offline": False}, "policy": {"state": "enabled"}}
    found = listed({"id": "a", **row}, {"id": "b", "status": "active", "state": "loaded", **on})
    assert [model.id for model in found.models] == ["b"]
    assert found.notes == ("row 1 dropped: 'a' is listed as not active",)


@pytest.mark.parametrize(
    "row",
    [
        {"deprecation": {"inference": 1798675200, "fine_tune": 1}},
        {"deprecation": "2026-12-31T00:00:00Z"},
        {"deprecation": {"date": "2026-12-31"}},
        {"deprecationDate": {"year": 2026, "month": 12, "day": 31}},
        {"expiration_date": "2026-12-31"},
        {"retirement_date": "2026-12-31"},
        {"shutdown_date": 1798675200000},
        {"deactivated_at": "2026-12-31T00:00:00Z"},
        {"model_spec": {"deprecation": {"date": "2026-12-31T00:00:00.000Z"}}},
    ],
)
def test_the_announced_end_in_its_spellings(row: dict[str, Any]) -> None:
    assert one(**row).ends == date(2026, 12, 31)


# --- created ---


def days(*created: Any, **more: Any) -> list[date | None]:
    rows = [{"id": f"acme-{n}", "created": value} for n, value in enumerate(created)]
    return [model.released for model in listed(*rows, **more).models]


def test_created_is_a_release_date_unless_it_is_plainly_none() -> None:
    day = date(2026, 4, 23)
    assert days(STALE, STALE - 86_400 * 40) == [day, day - timedelta(40)]
    assert days(STALE) == [day]
    assert days(STALE * 1000) == [day], "milliseconds"
    assert days(STALE, STALE) == [day, day], "two models of one day"
    assert days(0, None, "soon") == [None] * 3


def test_the_time_of_asking_is_no_release_date() -> None:
    now = int(NOW.timestamp())
    assert days(now) == [None]
    assert days(now - 2, now - 1) == [None] * 2, "also where the clocks differ"
    assert days(now, STALE) == [NOW.date(), date(2026, 4, 23)], "one came out today"


def test_one_moment_for_all_is_no_release_date() -> None:
    assert days(*[STALE] * 4) == [None] * 4
    assert days(1677610602, 1677610602) == [None] * 2, "LiteLLM's constant"
    assert days(1677610602) == [None]


def test_serving_software_does_not_know_release_dates() -> None:
    for owner in ("llamacpp", "vllm", "library", "organization_owner"):
        assert one(created=STALE, owned_by=owner).released is None
    assert one(created=STALE, owned_by="acme").released == date(2026, 4, 23)


def test_a_stated_release_counts_before_created_which_may_be_a_placeholder() -> None:
    """As Vercel and LLMAPI have it: `created` is when the gateway took it up."""
    day = date(2026, 4, 23)
    assert one(created=STALE + 90 * 86400, released=STALE).released == day
    assert one(released_at="2026-04-23").released == day
    assert one(created=STALE, released=True).released == day
    assert days(1626777600, 1626777602, 1700000000, STALE) == [None, None, None, day]
    assert days(1700000000, STALE, created="release")[0] is not None, "the policy's word"


@pytest.mark.parametrize(
    "row",
    [
        {"context_window": 9000, "max_output": 800},
        {"context_window": {"context_length": 9000, "max_output_tokens": 800}},
        {"contextWindow": 9000, "maxOutputTokens": 800},
        {"maxInputTokens": 9000, "maxOutputTokens": 800},
        {"max_model_len": 9000, "metadata": {"limits": {"max_output_tokens": 800}}},
        {"model_spec": {"availableContextTokens": 9000, "maxCompletionTokens": 800}},
        {"token_limits": {"context_window": 9000, "max_output_token_length": 800}},
        {"info": {"contextLength": 9000, "maxTokens": 800}},
        {"limit": {"context": 9000, "output": 800}},
        {"metadata": {"context_window": 9000, "max_output_tokens": 800}},
        {"capabilities": {"limits": {"max_prompt_tokens": 9000, "max_output_tokens": 800}}},
        {"context_length": "9000", "max_output_tokens": "800"},
        {
            "max_context_length": 32768,
            "loaded_instances": [
                {"id": "a", "config": {"context_length": 16384}},
                {"id": "b", "config": {"context_length": 9000}},
            ],
            "max_tokens": 800,
        },
    ],
)
def test_limits_in_their_places(row: dict[str, Any]) -> None:
    """As Avian, Poe, Neuralwatt, Venice, Volcengine, AIMLAPI and LM Studio have them."""
    model = one(**row)
    assert (model.context, model.max_output) == (9000, 800)


@pytest.mark.parametrize(
    ("row", "can"),
    [
        ({"capabilities": ["streaming", "tool-calling"]}, {"tools": True}),
        ({"capabilities": ["streaming"]}, {"tools": False}),
        (
            {
                "capabilities": {
                    "tool_calling": True,
                    "structured_output": True,
                    "pdf_upload": False,
                }
            },
            {"tools": True, "structured_output": True, "pdf_input": False},
        ),
        (
            {"metadata": {"capabilities": {"tools": True, "vision": False, "reasoning": True}}},
            {"tools": True, "vision": False, "reasoning": True},
        ),
        (
            {"model_spec": {"capabilities": {"supportsResponseSchema": True}}},
            {"structured_output": True},
        ),
        ({"features": {"tool_use": True}}, {"tools": True}),
        ({"features": {"tools": {"function_calling": True}}}, {"tools": True}),
        ({"features": ["json_schema", "Function Calling"]}, dict.fromkeys(JSON_TOOLS, True)),
        ({"supports_images_input": True}, {"vision": True}),
        ({"toolCalling": True, "vision": False}, {"tools": True, "vision": False}),
        ({"labels": ["reasoning", "tool-calling"]}, {"tools": True, "reasoning": True}),
        ({"reasoning": True}, {"reasoning": True}),
        (
            {"supported_features": ["tools"], "reasoning": {"budget": {"max": 31999}}},
            {"tools": True, "reasoning": True, "structured_output": False},
        ),
        (
            {
                "providers": [
                    {"providerId": "x", "tools": True},
                    {"providerId": "y", "tools": False},
                ]
            },
            {"tools": False},
        ),
    ],
)
def test_what_a_model_can_in_its_spellings(row: dict[str, Any], can: dict[str, bool]) -> None:
    """As GitHub, NanoGPT, Neuralwatt, Venice, Featherless, Volcengine, Poe and LLMAPI say it."""
    assert one(**row).capabilities == can


@pytest.mark.parametrize(
    ("row", "mode"),
    [
        ({"supported_endpoints": ["/responses"]}, "responses"),
        ({"supported_endpoint_types": ["openai-response"]}, "responses"),
        ({"supported_endpoint_types": ["openai", "openai-response"]}, None),
        ({"supported_endpoints": ["/v1/responses", "/v1/chat/completions"]}, None),
        ({"supported_endpoints": []}, None),
        ({}, None),
    ],
)
def test_a_model_that_only_answers_at_responses_is_called_there(
    row: dict[str, Any], mode: str | None
) -> None:
    assert one(**row).mode == mode


def test_the_policy_says_what_created_is() -> None:
    now = int(NOW.timestamp())
    assert days(now, created="release") == [NOW.date()]
    assert days(*[STALE] * 4, created="release") == [date(2026, 4, 23)] * 4
    assert days(STALE, STALE + 90_000, created="listing") == [None] * 2


# --- makers ---


def makers(*rows: dict[str, Any]) -> list[str | None]:
    return [model.reading.maker for model in listed(*rows).models]


def test_behind_a_gateway_a_well_known_head_tells_the_maker() -> None:
    proxy = [{"id": one, **LITELLM} for one in ("claude-sonnet-5", "gpt-5.5", "gemini-3-pro")]
    assert makers(*proxy) == ["anthropic", "openai", "google"]
    own = [{"id": one, "owned_by": "acme-gateway"} for one in ("claude-sonnet-5", "storm-2")]
    assert makers(*own) == ["anthropic", "acme-gateway"]
    mixed = [
        {"id": "claude-sonnet-5", "owned_by": "custom"},
        {"id": "gpt-5.5", "owned_by": "openai"},
    ]
    assert makers(*mixed) == ["anthropic", "openai"]


def test_an_author_or_a_maker_that_is_said_stays() -> None:
    assert makers({"id": "acme/claude-sonnet-99", **LITELLM}) == ["acme"]
    said = [{"id": "llama-9", "owned_by": "nvidia"}, {"id": "gpt-5.5", "owned_by": "openai"}]
    assert makers(*said)[0] == "nvidia"
    assert makers({"id": "ft:gpt-5.5:acme", "owned_by": "acme-inc"}) == ["acme-inc"]


# --- fields that people's gateways have ---


def test_litellms_proxy() -> None:
    model = one(
        **{**LITELLM, "id": "claude-sonnet-5"},
        mode="chat",
        max_input_tokens=1_000_000,
        max_output_tokens=128_000,
        supports_function_calling=True,
        supports_vision=True,
        supports_prompt_caching=True,
        input_cost_per_token=3e-6,
        output_cost_per_token=1.5e-5,
    )
    assert (model.context, model.max_output, model.released) == (1_000_000, 128_000, None)
    assert model.capabilities == {"tools": True, "vision": True, "prompt_caching": True}
    assert (f"{model.price.input:f}", f"{model.price.output:f}") == ("0.000003", "0.000015")


def test_huggingfaces_router() -> None:
    hosts = [
        {
            "provider": "a",
            "status": "live",
            "context_length": 131072,
            "pricing": {"input": 0.6, "output": 2.2},
            "supports_tools": True,
        },
        {
            "provider": "b",
            "status": "live",
            "context_length": 65536,
            "pricing": {"input": 0.5, "output": 2},
            "supports_tools": True,
        },
        {"provider": "c", "status": "error", "context_length": 8, "supports_tools": False},
    ]
    model = one(id="zai-org/GLM-5", providers=hosts)
    assert (model.context, model.capabilities["tools"]) == (65536, True)
    assert f"{model.price.input:f} {model.price.output:f}" == "0.0000006 0.0000022", "the dearest"
    nested: dict[str, Any] = {"id": "x"}
    for _ in range(300):
        nested = {"id": "x", "providers": [nested]}
    assert one(**nested).price == Price()


def test_vercels_gateway() -> None:
    model = one(
        id="anthropic/claude-sonnet-5",
        type="language",
        context_window=1_000_000,
        max_tokens=64_000,
        tags=["reasoning", "tool-use", "vision", "file-input"],
        pricing={"input": "0.000003", "output": "0.000015", "input_cache_read": "0.0000003"},
    )
    assert (model.context, model.max_output) == (1_000_000, 64_000)
    assert model.capabilities == {
        "tools": True,
        "vision": True,
        "reasoning": True,
        "pdf_input": True,
    }
    assert f"{model.price.input:f} {model.price.cache_read:f}" == "0.000003 0.0000003"


def test_deepinfra() -> None:
    model = one(
        id="zai-org/GLM-5",
        metadata={
            "context_length": 202_752,
            "max_tokens": 202_752,
            "pricing": {"input_tokens": 0.6, "output_tokens": 2.2, "cache_read_tokens": 0.11},
            "tags": ["reasoning"],
        },
    )
    assert (model.context, model.max_output) == (202_752, None), "the context is no output limit"
    assert model.capabilities == {"reasoning": True}
    assert f"{model.price.output:f}" == "0.0000022"


def test_moonshot_and_cohere() -> None:
    kimi = one(
        id="kimi-k3", context_length=262_144, supports_image_in=True, supports_reasoning=True
    )
    assert (kimi.context, kimi.capabilities) == (262_144, {"vision": True, "reasoning": True})
    page = {
        "models": [
            {
                "name": "command-a-03-2025",
                "endpoints": ["chat", "generate"],
                "context_length": 256_000,
                "features": ["tools", "vision"],
                "is_deprecated": False,
            },
            {"name": "embed-v4.0", "endpoints": ["embed"], "context_length": 128_000},
        ]
    }
    provider = resolve_provider(
        "cohere", type="openai", base_url="https://api.cohere.com/v1", key_env="K", environ={}
    )
    command, embed = ADAPTERS["openai"].parse(provider, [page]).models
    assert (command.id, command.kind, command.context) == ("command-a-03-2025", Kind.CHAT, 256_000)
    assert command.capabilities == {"tools": True, "vision": True}
    assert (embed.id, embed.kind) == ("embed-v4.0", Kind.EMBEDDING)


def test_a_list_without_ids_may_call_them_so() -> None:
    found = listed({"model_id": "acme-1", "model_name": "Acme One"}, {"model_id": "acme-2"})
    assert [model.id for model in found.models] == ["acme-1", "acme-2"]


def test_a_name_is_no_id_where_rows_have_ids() -> None:
    found = listed({"id": "acme-1", "name": "Acme One"}, {"name": "Acme Two"})
    assert [model.id for model in found.models] == ["acme-1"]


def test_perplexitys_claude_is_called_with_a_limit() -> None:
    claude, sonar = listed(
        {"id": "anthropic/claude-opus-5"}, {"id": "perplexity/sonar"}, kind="perplexity"
    ).models
    assert claude.params["max_tokens"] >= 4096
    assert sonar.params == {}


def test_a_gateway_of_anthropics_shape_lists_models_of_many_makers() -> None:
    """LiteLLM's proxy answers so to a client that sends `anthropic-version`."""
    rows = [
        {"type": "model", "id": "claude-sonnet-5"},
        {"type": "model", "id": "gpt-5.5"},
        {"type": "model", "id": "vectors-9", "mode": "embedding"},
    ]
    claude, gpt, vectors = listed(*rows, kind="anthropic").models
    assert [model.reading.maker for model in (claude, gpt)] == ["anthropic", "openai"]
    assert vectors.kind is Kind.EMBEDDING


def test_a_gateway_of_anthropics_shape_may_not_know_when_a_model_came_out() -> None:
    """new-api gives every model one day in 2021, LiteLLM's proxy one in 2023."""

    def released(*stamps: str) -> list[date | None]:
        rows = [{"id": f"gpt-{n}", "created_at": stamp} for n, stamp in enumerate(stamps)]
        return [model.released for model in listed(*rows, kind="anthropic").models]

    assert released("2021-07-20T10:40:00Z", "2026-04-23T00:00:00Z") == [None, date(2026, 4, 23)]
    assert released("2023-02-28T18:56:42Z", "2023-02-28T18:56:42Z") == [None, None]
    assert released(*["2026-04-23T10:00:00Z"] * 4) == [None] * 4
    assert released("2026-04-23T10:00:00Z", "odd") == [date(2026, 4, 23), None]


def test_a_gateway_of_geminis_shape_lists_models_of_many_makers() -> None:
    rows = [{"name": "claude-sonnet-5"}, {"name": "models/gemini-3.7-flash"}, {"name": "gpt-5.5"}]
    models = listed(*rows, kind="gemini").models
    assert [model.reading.maker for model in models] == ["anthropic", "google", "openai"]
    own = ADAPTERS["gemini"].parse(BUILTIN["gemini"], [{"models": [{"name": "models/aqa-2"}]}])
    assert own.models[0].maker == "google"


@pytest.mark.parametrize("kind", ["openai", "openrouter", "xai", "perplexity"])
def test_the_policys_word_for_created_counts_in_every_protocol(kind: str) -> None:
    row = {"id": "acme/storm-2", "created": STALE}
    (model,) = listed(row, kind=kind, created="listing").models
    assert model.released is None
    (model,) = listed(row, kind=kind, created="release").models
    assert model.released == date(2026, 4, 23)


def test_a_gateway_of_openrouters_shape_is_judged_too() -> None:
    rows = [{"id": f"acme/storm-{n}", "created": STALE} for n in range(4)]
    assert [model.released for model in listed(*rows, kind="openrouter").models] == [None] * 4
