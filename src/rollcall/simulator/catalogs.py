"""The simulated catalogs: rows of our own in each provider's shape, as of autumn 2026."""

from __future__ import annotations

from rollcall.simulator import catalog_hosts, catalog_makers
from rollcall.simulator.catalog_openrouter import openrouter_rows
from rollcall.simulator.catalog_rows import Rows


def rows_of(provider: str) -> Rows:
    """Fresh rows of one provider, free to be changed."""
    return _MAKERS[provider]()


_MAKERS = {
    "openrouter": openrouter_rows,
    "xai": catalog_makers.xai_rows,
    "gemini": catalog_makers.gemini_rows,
    "perplexity": catalog_makers.perplexity_rows,
    "openai": catalog_makers.openai_rows,
    "anthropic": catalog_makers.anthropic_rows,
    "deepseek": catalog_makers.deepseek_rows,
    "qwen": catalog_makers.qwen_rows,
    "mistral": catalog_hosts.mistral_rows,
    "groq": catalog_hosts.groq_rows,
    "together": catalog_hosts.together_rows,
    "ollama": catalog_hosts.ollama_rows,
    "vllm": catalog_hosts.vllm_rows,
    "lm_studio": catalog_hosts.lm_studio_rows,
}

NAMES = tuple(_MAKERS)
"""The providers that are simulated; the first eight are those of the shipped policy."""

MAIN = NAMES[:8]
