"""Which protocol each provider speaks, and from where: data, taken from the providers' registry."""

from __future__ import annotations

from dataclasses import dataclass

from rollcall.providers.builtin import BUILTIN, Provider
from rollcall.providers.registry import clean_base
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
        provider: its row: base, key page, and how people's bases are cleaned.
        base_env: a variable that names the base instead. below: where the protocol lives under it.
    """

    provider: Provider
    protocol: WireProtocol
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

    def clean_base(self, api_base: str) -> str:
        """The root that paths are added to, by the rule that the policy's base_url follows."""
        return clean_base(self.provider, api_base).removesuffix(self.below) + self.below


_OPENAI_LIKE = OpenAIProtocol()
_PROTOCOLS: dict[str, WireProtocol] = {
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

DIALECTS: dict[str, Dialect] = {
    name: Dialect(
        provider=provider,
        protocol=_PROTOCOLS[provider.protocol],
        below="/v1" if provider.protocol == "ollama" else "",
    )
    for name, provider in BUILTIN.items()
} | {"litellm": Dialect(_LITELLM, _OPENAI_LIKE, base_env="LITELLM_BASE_URL")}
"""Type of provider -> how it is called: every built-in provider, and a LiteLLM proxy."""

_OPENAI_ITSELF = OpenAIProtocol(completion_limit=True, developer_role=True)


def protocol_of(dialect: Dialect, api_base: str) -> WireProtocol:
    """The protocol at an address: OpenAI itself has dropped `max_tokens`."""
    if api_base.startswith("https://api.openai.com/"):
        return _OPENAI_ITSELF
    return dialect.protocol
