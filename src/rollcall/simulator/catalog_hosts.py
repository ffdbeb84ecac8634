"""Simulated catalogs of those who host models, in the cloud or on your own machine."""

from __future__ import annotations

from rollcall.simulator.catalog_rows import Rows, plain, unix


def mistral_rows() -> Rows:
    """Mistral's: aliases as rows, a double, a deprecation."""

    def row(name: str, model: str, *aliases: str, chat: bool = True) -> dict[str, object]:
        words = {"completion_chat": chat, "function_calling": chat, "vision": chat}
        return {
            "id": name,
            "object": "model",
            "created": unix("2026-11-20"),
            "owned_by": "mistralai",
            "capabilities": {**words, "moderation": "moderation" in name, "ocr": False},
            "name": model,
            "max_context_length": 262144 if chat else 8192,
            "aliases": list(aliases),
            "deprecation": "2026-12-31T12:00:00Z" if name.endswith("2411") else None,
            "deprecation_replacement_model": "mistral-large-2512"
            if name.endswith("2411")
            else None,
            "type": "base",
        }

    return [
        row("mistral-large-2411", "mistral-large-2411"),
        row("mistral-large-2512", "mistral-large-2512", "mistral-large-latest"),
        row("mistral-large-latest", "mistral-large-2512", "mistral-large-2512"),
        row("mistral-medium-2604", "mistral-medium-2604", "mistral-medium-latest"),
        row("mistral-medium-latest", "mistral-medium-2604", "mistral-medium-2604"),
        row("devstral-2512", "devstral-2512"),
        row("devstral-2512", "devstral-2512", "devstral-latest"),
        row("mistral-embed", "mistral-embed", chat=False),
        row("mistral-moderation-2411", "mistral-moderation-2411", chat=False),
    ]


def groq_rows() -> Rows:
    """Groq's: prices as texts, one row that is not active."""

    def row(
        name: str, context: int, prices: tuple[str, str], features: list[str], out: str = "text"
    ) -> dict[str, object]:
        return {
            "id": name,
            "object": "model",
            "created": unix("2026-06-02"),
            "owned_by": name.partition("/")[0],
            "active": not name.endswith("retired"),
            "context_window": context,
            "max_completion_tokens": context // 2,
            "input_modalities": ["text"],
            "output_modalities": [out],
            "pricing": {"prompt": prices[0], "completion": prices[1]},
            "supported_features": features,
        }

    usual = ["tools", "json_mode", "structured_outputs", "reasoning"]
    return [
        row("openai/gpt-oss-120b", 131072, ("0.00000015", "0.0000006"), usual),
        row("openai/gpt-oss-20b", 131072, ("0.000000075", "0.0000003"), usual),
        row("qwen/qwen3.8-27b", 131072, ("0.00000029", "0.00000059"), usual),
        row("moonshotai/kimi-k2-retired", 262144, ("0.000001", "0.000003"), usual),
        row("canopylabs/orpheus-v1-english", 4000, ("0.000022", "0"), [], "speech"),
        row("whisper-large-v3", 448, ("0", "0"), [], "transcription"),
    ]


def together_rows() -> Rows:
    """Together's: types, prices per 1M tokens."""

    def row(name: str, kind: str, into: float, out: float) -> dict[str, object]:
        pricing = {"hourly": 0, "input": into, "output": out, "base": 0, "finetune": 0}
        return {
            "id": name,
            "object": "model",
            "created": 0,
            "type": kind,
            "display_name": name.partition("/")[2].replace("-", " "),
            "organization": name.partition("/")[0],
            "context_length": 262144,
            "pricing": pricing,
        }

    return [
        row("deepseek-ai/DeepSeek-V4-Pro", "chat", 1.25, 3.75),
        row("Qwen/Qwen3.8-27B", "chat", 0.2, 0.6),
        row("zai-org/GLM-5.2", "chat", 1.0, 3.2),
        row("black-forest-labs/FLUX.2-pro", "image", 0, 0),
        row("BAAI/bge-m3", "embedding", 0.01, 0.01),
        row("meta-llama/Llama-Guard-4-12B", "moderation", 0.2, 0.2),
    ]


def ollama_rows() -> Rows:
    """Ollama's: what is pulled."""
    names = ("qwen3.8:27b", "gpt-oss:20b", "gemma4:latest", "nomic-embed-text:latest")
    return [
        {
            "name": name,
            "model": name,
            "modified_at": "2026-10-11T08:00:00Z",
            "size": 9276198324,
            "details": {"format": "gguf", "parameter_size": "27B", "quantization_level": "Q4_K_M"},
        }
        for name in names
    ]


def vllm_rows() -> Rows:
    """vLLM's: what it was started with."""
    return [
        row | {"max_model_len": 131072, "root": row["id"], "parent": None, "permission": []}
        for row in plain("Qwen/Qwen3.8-27B", "openai/gpt-oss-120b", owner="vllm", day="2026-11-20")
    ]


def lm_studio_rows() -> Rows:
    """LM Studio's: ids only."""
    return plain(
        "qwen3.8-27b", "gemma-4-31b-it", "text-embedding-nomic-embed-text-v1.5", owner="me"
    )
