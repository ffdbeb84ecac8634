"""OpenRouter's simulated catalog: many makers, all the oddities of its shape."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

Rows = list[dict[str, object]]

_CHAT = ("max_tokens", "temperature", "stop")
_TOOLS = (*_CHAT, "tools", "tool_choice", "response_format", "structured_outputs")
_REASONS = (*_TOOLS, "reasoning", "include_reasoning")


def _row(
    name: str,
    title: str,
    day: str,
    prices: tuple[str, str, str | None],
    *,
    context: int = 262144,
    top_context: int | None = None,
    takes: str = "text",
    gives: str = "text",
    parameters: tuple[str, ...] = _REASONS,
    **extra: object,
) -> dict[str, object]:
    pricing: dict[str, object] = {"prompt": prices[0], "completion": prices[1]}
    if prices[2] is not None:
        pricing["input_cache_read"] = prices[2]
    if "overrides" in extra:
        pricing["overrides"] = extra.pop("overrides")
    created = datetime.fromisoformat(day).replace(tzinfo=UTC)
    slug = name.partition(":")[0]
    row: dict[str, object] = {
        "id": name,
        "canonical_slug": slug if slug.startswith("~") else f"{slug}-{created:%Y%m%d}",
        "hugging_face_id": None,
        "name": title,
        "created": int(created.timestamp()),
        "description": f"{title}, simulated",
        "context_length": context,
        "architecture": {
            "modality": f"{takes}->{gives}",
            "input_modalities": takes.split("+"),
            "output_modalities": gives.split("+"),
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": pricing,
        "top_provider": {
            "context_length": top_context or context,
            "max_completion_tokens": 65536,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": list(parameters),
        "expiration_date": None,
    }
    return row | extra


_MILLION = 1000000
_LONG = {"min_prompt_tokens": 200000, "prompt": "0.000004", "completion": "0.000018"}
_NIGHT = {"utc_start": 1630, "utc_end": 30, "prompt": "0.00000003", "completion": "0.00000006"}
_TARGET = {"name": "Anthropic: Claude Sonnet 5", "slug": "anthropic/claude-sonnet-5"}
_EYES = "text+image+file"

_ROWS = [
    _row(
        "anthropic/claude-opus-5",
        "Anthropic: Claude Opus 5",
        "2026-07-23",
        ("0.000005", "0.000025", "0.0000005"),
        context=_MILLION,
        takes=_EYES,
    ),
    _row(
        "anthropic/claude-sonnet-5",
        "Anthropic: Claude Sonnet 5",
        "2026-06-30",
        ("0.000002", "0.00001", "0.0000002"),
        context=_MILLION,
        takes=_EYES,
    ),
    _row(
        "~anthropic/claude-sonnet-latest",
        "Claude Sonnet Latest",
        "2026-05-02",
        ("0.000002", "0.00001", "0.0000002"),
        context=_MILLION,
        takes=_EYES,
        alias_target=_TARGET,
    ),
    _row(
        "anthropic/claude-sonnet-4.5",
        "Anthropic: Claude Sonnet 4.5",
        "2025-09-29",
        ("0.000003", "0.000015", "0.0000003"),
        context=_MILLION,
        takes=_EYES,
    ),
    _row(
        "anthropic/claude-haiku-4.5",
        "Anthropic: Claude Haiku 4.5",
        "2025-10-15",
        ("0.000001", "0.000005", "0.0000001"),
        context=200000,
        takes=_EYES,
    ),
    _row(
        "openai/gpt-5.6-sol",
        "OpenAI: GPT-5.6 Sol",
        "2026-07-09",
        ("0.000005", "0.00003", "0.0000005"),
        context=1050000,
        takes=_EYES,
    ),
    _row(
        "openai/gpt-5.5",
        "OpenAI: GPT-5.5",
        "2026-04-24",
        ("0.0000025", "0.000015", "0.00000025"),
        context=1050000,
        takes=_EYES,
    ),
    _row(
        "openai/gpt-5.4-mini",
        "OpenAI: GPT-5.4 Mini",
        "2026-03-17",
        ("0.00000075", "0.0000045", "0.000000075"),
        context=400000,
        takes=_EYES,
    ),
    _row(
        "openai/gpt-3.5-turbo-instruct",
        "OpenAI: GPT-3.5 Turbo Instruct",
        "2023-09-28",
        ("0.0000015", "0.000002", None),
        context=4095,
        parameters=_CHAT,
    ),
    _row(
        "google/gemini-3.7-flash",
        "Google: Gemini 3.7 Flash",
        "2026-08-13",
        ("0.000000375", "0.000001875", "0.0000000375"),
        context=1048576,
        takes="text+image+file+audio+video",
    ),
    _row(
        "google/gemini-3.7-flash:batch",
        "Google: Gemini 3.7 Flash (batch)",
        "2026-08-13",
        ("0.0000001875", "0.0000009375", None),
        context=1048576,
        takes="text+image+file+audio+video",
    ),
    _row(
        "google/gemini-3.1-pro-preview",
        "Google: Gemini 3.1 Pro Preview",
        "2026-02-19",
        ("0.000002", "0.000012", "0.0000002"),
        context=1048576,
        takes="text+image+file+audio+video",
        overrides=[_LONG],
    ),
    _row(
        "google/gemini-3-pro-image",
        "Google: Nano Banana Pro",
        "2025-11-20",
        ("0.000002", "0.000012", None),
        context=65536,
        takes="text+image",
        gives="image+text",
    ),
    _row(
        "x-ai/grok-4.6",
        "xAI: Grok 4.6",
        "2026-08-06",
        ("0.000002", "0.000006", "0.0000005"),
        context=500000,
        takes="text+image",
    ),
    _row(
        "x-ai/grok-4.20",
        "xAI: Grok 4.20",
        "2026-03-10",
        ("0.00000125", "0.0000025", "0.0000002"),
        context=2000000,
        takes="text+image",
    ),
    _row(
        "deepseek/deepseek-v4-pro",
        "DeepSeek: DeepSeek V4 Pro",
        "2026-04-24",
        ("0.00000043", "0.00000087", "0.00000004"),
        context=1048576,
    ),
    _row(
        "deepseek/deepseek-v4-flash-0731",
        "DeepSeek: DeepSeek V4 Flash 0731",
        "2026-07-31",
        ("0.00000006", "0.00000012", "0.000000012"),
        context=1048576,
        top_context=1024000,
        overrides=[_NIGHT],
    ),
    _row(
        "deepseek/deepseek-v4-flash",
        "DeepSeek: DeepSeek V4 Flash",
        "2026-04-24",
        ("0.00000009", "0.00000018", "0.000000018"),
        context=1048576,
    ),
    _row(
        "deepseek/deepseek-chat-v3.1",
        "DeepSeek: DeepSeek V3.1",
        "2025-08-21",
        ("0.0000002", "0.0000008", None),
        context=163840,
        expiration_date="2026-12-05",
    ),
    _row(
        "deepseek/deepseek-r1",
        "DeepSeek: R1",
        "2025-01-20",
        ("0.0000007", "0.0000025", None),
        context=163840,
    ),
    _row(
        "qwen/qwen3.8-27b",
        "Qwen: Qwen3.8 27B",
        "2026-08-14",
        ("0.0000002", "0.0000006", None),
        takes="text+image",
    ),
    _row(
        "qwen/qwen3-coder",
        "Qwen: Qwen3 Coder 480B A35B",
        "2025-07-23",
        ("0.00000022", "0.000001", None),
        parameters=_TOOLS,
    ),
    _row(
        "qwen/qwen3-coder:free",
        "Qwen: Qwen3 Coder 480B A35B (free)",
        "2025-07-23",
        ("0", "0", None),
        parameters=_TOOLS,
    ),
    _row(
        "moonshotai/kimi-k3",
        "MoonshotAI: Kimi K3",
        "2026-07-17",
        ("0.0000006", "0.0000025", "0.00000015"),
        takes="text+image",
    ),
    _row(
        "moonshotai/kimi-k2.5",
        "MoonshotAI: Kimi K2.5",
        "2026-01-27",
        ("0.00000045", "0.0000022", None),
        takes="text+image",
    ),
    _row(
        "z-ai/glm-5.2",
        "Z.ai: GLM 5.2",
        "2026-06-16",
        ("0.000001", "0.0000032", "0.0000002"),
        expiration_date="2098-12-31",
    ),
    _row("z-ai/glm-5", "Z.ai: GLM 5", "2026-02-11", ("0.0000008", "0.00000256", None)),
    _row(
        "perplexity/sonar",
        "Perplexity: Sonar",
        "2025-01-27",
        ("0.000001", "0.000001", None),
        context=127072,
        parameters=_CHAT,
    ),
    _row(
        "meta-llama/llama-guard-4-12b",
        "Meta: Llama Guard 4 12B",
        "2025-04-30",
        ("0.00000018", "0.00000018", None),
        context=163840,
        parameters=_CHAT,
    ),
    _row(
        "openai/text-embedding-3-large",
        "OpenAI: Text Embedding 3 Large",
        "2025-10-30",
        ("0.00000013", "0", None),
        context=8192,
        gives="embeddings",
        parameters=(),
    ),
    _row(
        "openrouter/auto",
        "Auto Router",
        "2023-11-08",
        ("-1", "-1", None),
        context=2000000,
        takes="text+image+file+audio+video",
        gives="text+image",
    ),
]


def openrouter_rows() -> Rows:
    """Some thirty rows: dated and undated, moving, batch, free, routers, other kinds."""
    return copy.deepcopy(_ROWS)
