"""Which protocol each provider speaks, and from where: data, taken from the providers' registry."""

from __future__ import annotations

from dataclasses import dataclass

from rollcall.providers.builtin import BUILTIN
from rollcall.runtime.protocols.anthropic import AnthropicProtocol
from rollcall.runtime.protocols.gemini import GeminiProtocol
from rollcall.runtime.protocols.openai import OpenAIProtocol
from rollcall.runtime.protocols.perplexity import PerplexityProtocol
from rollcall.runtime.protocols.wire import WireProtocol

LITELLM_BASE = "http://127.0.0.1:4000"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one type of provider is called.

    Attributes:
        base: root of its API where llm_orchestrator.yaml names none.
        base_env: a variable that names it instead. key_url: where a person gets a key.
        own_endings: what people paste at the end of an api_base, and the paths already have.
        below: where the protocol lives under the base.
    """

    protocol: WireProtocol
    base: str
    base_env: str | None = None
    key_url: str = ""
    own_endings: tuple[str, ...] = ()
    below: str = ""

    def clean_base(self, api_base: str) -> str:
        """The root that paths are added to, whether or not people wrote the end of it too."""
        base = api_base.rstrip("/")
        for ending in (*self.own_endings, self.below):
            base = base.removesuffix(ending)
        return base + self.below


_CHAT = ("/chat/completions",)
_OPENAI_LIKE = OpenAIProtocol()
_PROTOCOLS: dict[str, tuple[WireProtocol, tuple[str, ...]]] = {
    "openai": (_OPENAI_LIKE, _CHAT),
    "openrouter": (_OPENAI_LIKE, _CHAT),
    "xai": (_OPENAI_LIKE, _CHAT),
    "ollama": (_OPENAI_LIKE, _CHAT),
    "anthropic": (AnthropicProtocol(), ("/messages", "/v1")),
    "gemini": (GeminiProtocol(), ("/models",)),
    "perplexity": (PerplexityProtocol(), ("/responses", "/v1")),
}

DIALECTS: dict[str, Dialect] = {
    name: Dialect(
        protocol=_PROTOCOLS[provider.protocol][0],
        base=provider.base_url,
        key_url=provider.key_url,
        own_endings=_PROTOCOLS[provider.protocol][1],
        below="/v1" if provider.protocol == "ollama" else "",
    )
    for name, provider in BUILTIN.items()
} | {
    "litellm": Dialect(
        protocol=_OPENAI_LIKE,
        base=LITELLM_BASE,
        base_env="LITELLM_BASE_URL",
        own_endings=_CHAT,
    )
}
"""Type of provider -> how it is called: every built-in provider, and a LiteLLM proxy."""

_OPENAI_ITSELF = OpenAIProtocol(completion_limit=True, developer_role=True)


def protocol_of(dialect: Dialect, api_base: str) -> WireProtocol:
    """The protocol at an address: OpenAI itself has dropped `max_tokens`."""
    if api_base.startswith("https://api.openai.com/"):
        return _OPENAI_ITSELF
    return dialect.protocol
