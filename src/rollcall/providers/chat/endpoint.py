"""Where models are called: whose protocol, at which address, with which key. Data and pure rules,
taken from the table of providers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rollcall.providers.builtin import BUILTIN
from rollcall.providers.chat.anthropic import AnthropicProtocol
from rollcall.providers.chat.call import ChatProtocol
from rollcall.providers.chat.gemini import GeminiProtocol
from rollcall.providers.chat.openai import OpenAIProtocol
from rollcall.providers.chat.responses import PerplexityProtocol

LITELLM_BASE = "http://127.0.0.1:4000"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One provider, ready to be called. The key is in no repr.

    Attributes:
        name: what errors call it. base_url: root of its API, to which paths are added.
        key_variable: where its key comes from; None where it needs none. key_url: where a person
            gets one.
        timeout_seconds: for a whole reply, or between two pieces of a streamed one.
    """

    name: str
    protocol: ChatProtocol
    base_url: str
    key: str | None = field(default=None, repr=False)
    key_variable: str | None = None
    key_url: str = ""
    timeout_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class ProviderType:
    """How one type of provider is called.

    Attributes:
        base: root of its API where nobody names another. base_env: a variable that does.
        key_url: where a person gets a key.
        own_endings: what people paste at the end of an api_base, and the paths already have.
        below: where the protocol lives under the base.
    """

    protocol: ChatProtocol
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
_PROTOCOLS: dict[str, tuple[ChatProtocol, tuple[str, ...]]] = {
    "openai": (_OPENAI_LIKE, _CHAT),
    "openrouter": (_OPENAI_LIKE, _CHAT),
    "xai": (_OPENAI_LIKE, _CHAT),
    "ollama": (_OPENAI_LIKE, _CHAT),
    "anthropic": (AnthropicProtocol(), ("/messages", "/v1")),
    "gemini": (GeminiProtocol(), ("/models",)),
    "perplexity": (PerplexityProtocol(), ("/responses", "/v1")),
}

TYPES: dict[str, ProviderType] = {
    name: ProviderType(
        protocol=_PROTOCOLS[provider.protocol][0],
        base=provider.base_url,
        key_url=provider.key_url,
        own_endings=_PROTOCOLS[provider.protocol][1],
        below="/v1" if provider.protocol == "ollama" else "",
    )
    for name, provider in BUILTIN.items()
} | {
    "litellm": ProviderType(
        protocol=_OPENAI_LIKE,
        base=LITELLM_BASE,
        base_env="LITELLM_BASE_URL",
        own_endings=_CHAT,
    )
}
"""Type of provider -> how it is called: every built-in provider, and a LiteLLM proxy."""

_OPENAI_ITSELF = OpenAIProtocol(completion_limit=True, developer_role=True)


def protocol_at(kind: ProviderType, api_base: str) -> ChatProtocol:
    """The protocol at an address: OpenAI itself has dropped `max_tokens`."""
    if api_base.startswith("https://api.openai.com/"):
        return _OPENAI_ITSELF
    return kind.protocol
