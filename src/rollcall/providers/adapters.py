"""Which adapter speaks which protocol."""

from __future__ import annotations

from typing import Final

from rollcall.providers.anthropic import Anthropic
from rollcall.providers.builtin import Protocol_
from rollcall.providers.gemini import Gemini
from rollcall.providers.ollama import Ollama
from rollcall.providers.openai import SOURCES, OpenAI
from rollcall.providers.openrouter import OpenRouter
from rollcall.providers.perplexity import Perplexity
from rollcall.providers.wire import Adapter
from rollcall.providers.xai import XAI


class Static(OpenAI):
    """No list at all: the policy's own rows, in the shape that OpenAI's list has."""

    sources = dict.fromkeys(SOURCES, "the policy's `models`")


ADAPTERS: Final[dict[Protocol_, Adapter]] = {
    "openai": OpenAI(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "openrouter": OpenRouter(),
    "xai": XAI(),
    "perplexity": Perplexity(),
    "ollama": Ollama(),
    "static": Static(),
}
