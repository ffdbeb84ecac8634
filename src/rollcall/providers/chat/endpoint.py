"""Where models are called: whose protocol, at which address, with which key. Data and pure rules,
taken from the table of providers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rollcall.providers.builtin import BUILTIN, Provider
from rollcall.providers.chat.anthropic import AnthropicProtocol
from rollcall.providers.chat.call import ChatProtocol
from rollcall.providers.chat.gemini import GeminiProtocol
from rollcall.providers.chat.openai import OpenAIProtocol
from rollcall.providers.chat.responses import PerplexityProtocol
from rollcall.providers.registry import clean_base

LITELLM_BASE = "http://127.0.0.1:4000"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One provider, ready to be called. The key is in no repr.

    Attributes:
        name: what errors call it. base_url: root of its API, to which paths are added.
        key_variable: where its key comes from; None where it needs none. key_url: where a person
            gets one.
        auth_hint: added when it refuses the key, one sentence.
        timeout_seconds: for a whole reply, or between two pieces of a streamed one.
    """

    name: str
    protocol: ChatProtocol
    base_url: str
    key: str | None = field(default=None, repr=False)
    key_variable: str | None = None
    key_url: str = ""
    timeout_seconds: float = 120.0
    auth_hint: str = ""


@dataclass(frozen=True, slots=True)
class ProviderType:
    """How one type of provider is called.

    Attributes:
        provider: its row: base, key page, and how people's bases are cleaned.
        base_env: a variable that names the base instead. below: where the protocol lives under it.
    """

    provider: Provider
    protocol: ChatProtocol
    base_env: str | None = None
    below: str = ""

    @property
    def base(self) -> str:
        """The root of its API where llm_orchestrator.yaml names none."""
        return self.provider.base_url

    @property
    def key_url(self) -> str:
        """Where a person gets a key."""
        return self.provider.key_url

    @property
    def auth_hint(self) -> str:
        """What a refused key may mean here, one sentence; "" = nothing beyond the usual."""
        return self.provider.auth_hint.format(base="api_base")

    def clean_base(self, api_base: str) -> str:
        """The root that paths are added to, by the rule that the policy's base_url follows."""
        return clean_base(self.provider, api_base).removesuffix(self.below) + self.below


_OPENAI_LIKE = OpenAIProtocol()
_PROTOCOLS: dict[str, ChatProtocol] = {
    "openai": _OPENAI_LIKE,
    "openrouter": _OPENAI_LIKE,
    "xai": _OPENAI_LIKE,
    "ollama": _OPENAI_LIKE,
    "anthropic": AnthropicProtocol(),
    "gemini": GeminiProtocol(),
    "perplexity": PerplexityProtocol(),
}
_LITELLM = Provider(
    name="litellm",
    title="LiteLLM",
    protocol="openai",
    base_url=LITELLM_BASE,
    litellm_prefix="litellm_proxy",
)

TYPES: dict[str, ProviderType] = {
    name: ProviderType(
        provider=provider,
        protocol=_PROTOCOLS[provider.protocol],
        below="/v1" if provider.protocol == "ollama" else "",
    )
    for name, provider in BUILTIN.items()
} | {"litellm": ProviderType(_LITELLM, _OPENAI_LIKE, base_env="LITELLM_BASE_URL")}
"""Type of provider -> how it is called: every built-in provider, and a LiteLLM proxy."""

_OPENAI_ITSELF = OpenAIProtocol(completion_limit=True, developer_role=True)


def protocol_at(kind: ProviderType, api_base: str) -> ChatProtocol:
    """The protocol at an address: OpenAI itself has dropped `max_tokens`."""
    if api_base.startswith("https://api.openai.com/"):
        return _OPENAI_ITSELF
    return kind.protocol
