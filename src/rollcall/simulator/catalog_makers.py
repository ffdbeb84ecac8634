"""Simulated catalogs of the makers' own services."""

from __future__ import annotations

from rollcall.simulator.catalog_rows import Rows, plain, unix


def xai_rows() -> Rows:
    """xAI's: prices in 1e-10 USD, aliases, an image and a video model."""

    def text(
        name: str, day: str, prices: tuple[int, int, int], context: int, *aliases: str
    ) -> dict[str, object]:
        into, cached, out = prices
        return {
            "id": name,
            "object": "model",
            "created": unix(day),
            "owned_by": "xai",
            "aliases": list(aliases),
            "context_length": context,
            "prompt_text_token_price": into,
            "cached_prompt_text_token_price": cached,
            "prompt_image_token_price": into,
            "completion_text_token_price": out,
            "long_context_threshold": 200000,
            "prompt_text_token_price_long_context": 2 * into,
            "cached_prompt_text_token_price_long_context": 2 * cached,
            "completion_text_token_price_long_context": 2 * out,
        }

    def picture(name: str, day: str, price: int | None) -> dict[str, object]:
        row: dict[str, object] = {"id": name, "object": "model", "created": unix(day)}
        row |= {"owned_by": "xai", "aliases": []}
        return row if price is None else row | {"context_length": 8000, "image_price": price}

    short = text("grok-code-mini", "2026-05-20", (2000, 500, 10000), 256000, "grok-code-fast-1")
    return [
        text("grok-4.20-0309-reasoning", "2026-03-09", (12500, 2000, 25000), 1000000, "grok-4.20"),
        text("grok-4.20-0309-non-reasoning", "2026-03-09", (12500, 2000, 25000), 1000000),
        text("grok-4.3", "2026-04-17", (12500, 2000, 25000), 1000000, "grok-4.3-latest"),
        text("grok-4.5", "2026-06-29", (20000, 3000, 60000), 500000, "grok-4.5-latest"),
        text("grok-4.6", "2026-08-06", (20000, 5000, 60000), 500000, "grok-latest"),
        short | {"long_context_threshold": 0},
        picture("grok-imagine-image-2.0", "2026-08-08", 600000000),
        picture("grok-imagine-video-1.5", "2026-05-27", None),
    ]


def gemini_rows() -> Rows:
    """Google's: chat models among many that only look like it."""
    chat = ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]

    def row(
        name: str, title: str, limits: tuple[int, int], methods: list[str], *, thinks: bool = False
    ) -> dict[str, object]:
        found: dict[str, object] = {
            "name": f"models/{name}",
            "version": "001",
            "displayName": title,
            "description": f"{title}, simulated",
            "inputTokenLimit": limits[0],
            "outputTokenLimit": limits[1],
            "supportedGenerationMethods": methods,
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
        }
        return found | {"thinking": True} if thinks else found

    big = (1048576, 65536)
    return [
        row("gemini-2.5-pro", "Gemini 2.5 Pro", big, chat, thinks=True),
        row("gemini-2.5-flash", "Gemini 2.5 Flash", big, chat, thinks=True),
        row("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", big, chat, thinks=True),
        row("gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", big, chat, thinks=True),
        row("gemini-3.5-flash", "Gemini 3.5 Flash", big, chat, thinks=True),
        row("gemini-3.5-flash-lite", "Gemini 3.5 Flash Lite", big, chat, thinks=True),
        row("gemini-3.7-flash", "Gemini 3.7 Flash", big, chat, thinks=True),
        row("gemini-flash-latest", "Gemini Flash Latest", big, chat, thinks=True),
        row("gemini-pro-latest", "Gemini Pro Latest", big, chat, thinks=True),
        row("gemma-4-31b-it", "Gemma 4 31B IT", (262144, 32768), chat[:2], thinks=True),
        row("gemini-3-pro-image", "Nano Banana Pro", (131072, 32768), chat[:2], thinks=True),
        row("gemini-3.1-flash-tts-preview", "Gemini 3.1 Flash TTS", (8192, 16384), chat[:2]),
        row("gemini-embedding-2", "Gemini Embedding 2", (8192, 1), ["embedContent"]),
        row("gemini-robotics-er-2-preview", "Gemini Robotics-ER 2", (131072, 65536), chat),
        row("veo-3.1-generate-preview", "Veo 3.1", (480, 8192), ["predictLongRunning"]),
        row(
            "gemini-3.1-flash-live-preview", "Gemini Live", (131072, 65536), ["bidiGenerateContent"]
        ),
        row("deep-research-preview-04-2026", "Deep Research", (131072, 65536), chat[:2]),
    ]


def perplexity_rows() -> Rows:
    """Perplexity's: other makers' models, prices per 1M tokens."""

    def row(name: str, into: float, out: float, read: float) -> dict[str, object]:
        pricing = {"input": into, "output": out, "cache_read": read, "unit": "usd_per_1m_tokens"}
        maker = name.partition("/")[0]
        return {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": maker,
            "pricing": pricing,
        }

    return [
        row("anthropic/claude-haiku-4-5", 1, 5, 0.1),
        row("anthropic/claude-opus-5", 5, 25, 0.5),
        row("anthropic/claude-sonnet-4-6", 3, 15, 0.3),
        row("anthropic/claude-sonnet-5", 2, 10, 0.2),
        row("google/gemini-3.1-pro-preview", 2, 12, 0.2),
        row("google/gemini-3.7-flash", 0.375, 1.875, 0.0375),
        row("openai/gpt-5.4-mini", 0.75, 4.5, 0.075),
        row("openai/gpt-5.5", 2.5, 15, 0.25),
        row("openai/gpt-5.6-sol", 5, 30, 0.5),
        row("perplexity/glm-5.2", 1.4, 4.4, 0.14),
        row("perplexity/kimi-k3", 0.6, 2.5, 0.15),
        row("perplexity/sonar", 0.25, 2.5, 0.0625),
        row("xai/grok-4.5", 2, 6, 0.3),
    ]


def openai_rows() -> Rows:
    """OpenAI's: ids and dates, nothing else."""

    def row(
        name: str, day: str, ends: str | None = None, owner: str = "system"
    ) -> dict[str, object]:
        return {
            "id": name,
            "object": "model",
            "created": unix(day),
            "owned_by": owner,
            "shutdown_date": ends,
        }

    return [
        row("text-embedding-3-large", "2024-01-22"),
        row("whisper-1", "2023-02-27", owner="openai-internal"),
        row("gpt-3.5-turbo-instruct", "2023-08-24", "2026-09-28"),
        row("gpt-4o", "2024-05-10"),
        row("gpt-4o-mini", "2024-07-16"),
        row("gpt-4o-mini-2024-07-18", "2024-07-16"),
        row("omni-moderation-latest", "2024-11-15"),
        row("o3", "2025-04-16", "2027-01-15"),
        row("gpt-5", "2025-08-05"),
        row("gpt-5-2025-08-07", "2025-08-01"),
        row("gpt-5-mini", "2025-08-05"),
        row("gpt-5-pro", "2025-10-06"),
        row("sora-2", "2025-10-04"),
        row("gpt-realtime-2", "2026-05-07"),
        row("gpt-5.4-mini", "2026-03-16"),
        row("gpt-5.4-mini-2026-03-17", "2026-03-16"),
        row("gpt-image-2", "2026-04-20"),
        row("gpt-5.5", "2026-04-22"),
        row("gpt-5.5-2026-04-23", "2026-04-22"),
        row("gpt-5.6-sol", "2026-07-08"),
        row("gpt-5.6-luna", "2026-07-08"),
        row("chat-latest", "2026-05-04"),
    ]


def anthropic_rows() -> Rows:
    """Anthropic's: a tree of capabilities, no prices."""

    def leaf(*, supported: bool) -> dict[str, object]:
        return {"supported": supported}

    def row(
        name: str, title: str, day: str, limits: tuple[int, int], *, thinks: bool = True
    ) -> dict[str, object]:
        types = {"enabled": leaf(supported=thinks), "adaptive": leaf(supported=thinks)}
        return {
            "type": "model",
            "id": name,
            "display_name": title,
            "created_at": f"{day}T00:00:00Z",
            "max_input_tokens": limits[0],
            "max_tokens": limits[1],
            "capabilities": {
                "batch": leaf(supported=True),
                "citations": leaf(supported=True),
                "image_input": leaf(supported=True),
                "pdf_input": leaf(supported=True),
                "structured_outputs": leaf(supported=thinks),
                "thinking": {**leaf(supported=thinks), "types": types},
            },
        }

    million, usual = (1000000, 128000), (200000, 64000)
    return [
        row("claude-opus-5", "Claude Opus 5", "2026-07-23", million),
        row("claude-sonnet-5", "Claude Sonnet 5", "2026-06-30", million),
        row("claude-fable-5", "Claude Fable 5", "2026-06-07", million),
        row("claude-opus-4-8", "Claude Opus 4.8", "2026-05-14", million),
        row("claude-sonnet-4-6", "Claude Sonnet 4.6", "2026-02-17", million),
        row("claude-opus-4-5-20251101", "Claude Opus 4.5", "2025-11-24", usual),
        row("claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-15", usual),
        row("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29", usual),
        row(
            "claude-3-haiku-20240307", "Claude Haiku 3", "2024-03-07", (200000, 4096), thinks=False
        ),
    ]


def deepseek_rows() -> Rows:
    """DeepSeek's: limits and modalities, no dates."""

    def row(name: str, title: str, inputs: list[str], levels: list[str]) -> dict[str, object]:
        return {
            "id": name,
            "object": "model",
            "owned_by": "deepseek",
            "name": title,
            "context_window": 1048576,
            "max_output_tokens": 393216,
            "input_modalities": inputs,
            "output_modalities": ["text"],
            "effort": {"supported_levels": levels},
        }

    return [
        row("deepseek-flash", "DeepSeek-V4.1-Flash", ["text", "image"], ["low", "high", "max"]),
        row("deepseek-v4-flash", "DeepSeek-V4-Flash", ["text"], ["low", "high"]),
        row("deepseek-v4-flash-0731", "DeepSeek-V4-Flash-0731", ["text"], ["low", "high"]),
        row("deepseek-v4-pro", "DeepSeek-V4-Pro", ["text"], ["low", "high", "max"]),
    ]


def qwen_rows() -> Rows:
    """DashScope's: bare ids, one date for all."""
    return plain(
        "qwen-max",
        "qwen-plus",
        "qwen-plus-latest",
        "qwen-plus-2025-12-01",
        "qwen-turbo",
        "qwen3-max",
        "qwen3.5-plus",
        "qwen3.8-27b",
        "qwen3.8-flash",
        "qwen3-coder-plus",
        "qwen3-vl-plus",
        "qwen-image-plus",
        "qwen3-tts-flash",
        "text-embedding-v4",
        "gte-rerank-v2",
        "wan2.6-t2v",
    )
