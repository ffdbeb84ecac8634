"""Where models are called: whose protocol, at which address, with which key. Data and pure rules,
taken from the table of providers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rollcall.litellm_config.effective import ADDRESS
from rollcall.providers.builtin import BUILTIN, Provider
from rollcall.providers.chat.anthropic import AnthropicProtocol
from rollcall.providers.chat.call import ChatProtocol
from rollcall.providers.chat.embeddings import EmbeddingProtocol, GeminiEmbeddings, OpenAIEmbeddings
from rollcall.providers.chat.gemini import GeminiProtocol
from rollcall.providers.chat.openai import OpenAIProtocol
from rollcall.providers.chat.responses import PERPLEXITY
from rollcall.providers.registry import clean_base


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One provider, ready to be called. The key is in no repr.

    Attributes:
        name: what errors call it. base_url: root of its API, to which paths are added.
        key_variable: where its key comes from; None where it needs none. key_url: where a person
            gets one.
        auth_hint: added when it refuses the key, one sentence.
        timeout_seconds: for a whole reply, or between two pieces of a streamed one.
        embeddings: how it embeds texts; None where it does not.
    """

    name: str
    protocol: ChatProtocol
    base_url: str
    key: str | None = field(default=None, repr=False)
    key_variable: str | None = None
    key_url: str = ""
    timeout_seconds: float = 120.0
    embeddings: EmbeddingProtocol | None = None
    auth_hint: str = ""


@dataclass(frozen=True, slots=True)
class ProviderType:
    """How one type of provider is called.

    Attributes:
        provider: its row: base, key page, and how people's bases are cleaned.
        base_env: variables that name the base instead. below: where the protocol lives under it.
    """

    provider: Provider
    protocol: ChatProtocol
    base_env: tuple[str, ...] = ()
    below: str = ""

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
    "perplexity": PERPLEXITY,
}
_LITELLM = Provider(
    name="litellm",
    title="LiteLLM",
    protocol="openai",
    base_url=ADDRESS,
    base_url_env=("LITELLM_BASE_URL",),
    key_env=("LITELLM_API_KEY", "LITELLM_MASTER_KEY"),
    litellm_prefix="litellm_proxy",
)

TYPES: dict[str, ProviderType] = {
    name: ProviderType(
        provider=provider,
        protocol=_PROTOCOLS[provider.protocol],
        below="/v1" if provider.protocol == "ollama" else "",
    )
    for name, provider in BUILTIN.items()
} | {"litellm": ProviderType(_LITELLM, _OPENAI_LIKE, base_env=_LITELLM.base_url_env)}
"""Type of provider -> how it is called: every built-in provider, and a LiteLLM proxy."""

_OPENAI_ITSELF = OpenAIProtocol(completion_limit=True, developer_role=True)


_EMBEDDINGS: dict[str, EmbeddingProtocol] = {
    "gemini": GeminiEmbeddings(),
    "perplexity": OpenAIEmbeddings("/v1/embeddings", packed="b"),
}
_NO_EMBEDDINGS = {"anthropic", "deepseek", "groq", "cerebras"}


def endpoint_of(
    kind: ProviderType,
    base_url: str,
    key: str | None,
    *,
    name: str = "",
    key_variable: str | None = None,
    timeout_seconds: float = 120.0,
) -> Endpoint:
    """Where a type of provider is called at an address.

    Args:
        base_url: as people write it. name: what errors call it; the type's own name if left out.
    """
    row, base = kind.provider, kind.clean_base(base_url)
    embeds = row.name not in _NO_EMBEDDINGS
    return Endpoint(
        name or row.name,
        # OpenAI itself has dropped `max_tokens`.
        _OPENAI_ITSELF if base.startswith("https://api.openai.com/") else kind.protocol,
        base,
        key,
        key_variable,
        row.key_url,
        timeout_seconds,
        _EMBEDDINGS.get(row.protocol, OpenAIEmbeddings()) if embeds else None,
        row.auth_hint.format(base="api_base"),
    )


def endpoint_of_provider(
    provider: Provider, key: tuple[str, str] | None, *, timeout_seconds: float = 120.0
) -> Endpoint:
    """Where a policy's provider is called.

    Args:
        key: (variable, value), as `builtin.find_key` finds it.
    """
    # A static provider of a name of its own speaks what most do.
    known = TYPES.get(provider.protocol) or TYPES.get(provider.name) or TYPES["openai"]
    kind = replace(known, provider=provider)
    variable, value = key or (None, None)
    return endpoint_of(
        kind,
        provider.base_url,
        value,
        name=provider.name,
        key_variable=variable,
        timeout_seconds=timeout_seconds,
    )
