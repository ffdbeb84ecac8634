"""Where models are called: whose protocol, at which address, with which key. Data and pure rules,
taken from the table of providers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rollcall.providers.builtin import BUILTIN, Provider
from rollcall.providers.chat.anthropic import AnthropicProtocol
from rollcall.providers.chat.call import ChatProtocol
from rollcall.providers.chat.embeddings import EmbeddingProtocol, GeminiEmbeddings, OpenAIEmbeddings
from rollcall.providers.chat.gemini import GeminiProtocol
from rollcall.providers.chat.openai import OpenAIProtocol
from rollcall.providers.chat.responses import PERPLEXITY
from rollcall.providers.registry import STATIC, clean_base
from rollcall.settings import PROXY_ADDRESS


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


_OPENAI_LIKE = OpenAIProtocol()
_OPENAI_ITSELF = OpenAIProtocol(completion_limit=True, developer_role=True)
_PROTOCOLS: dict[str, ChatProtocol] = {
    "anthropic": AnthropicProtocol(),
    "gemini": GeminiProtocol(),
    "perplexity": PERPLEXITY,
}
"""Those that are not OpenAI's."""

_EMBEDDINGS: dict[str, EmbeddingProtocol] = {
    "gemini": GeminiEmbeddings(),
    "perplexity": OpenAIEmbeddings("/v1/embeddings", packed="b"),
}

LITELLM = Provider(
    name="litellm",
    title="LiteLLM",
    base_url=PROXY_ADDRESS,
    base_url_env=("LITELLM_BASE_URL",),
    key_env=("LITELLM_API_KEY", "LITELLM_MASTER_KEY"),
    litellm_prefix="litellm_proxy",
)
TYPES: dict[str, Provider] = {**BUILTIN, LITELLM.name: LITELLM}
"""Type of provider -> its row: every built-in provider, and a LiteLLM proxy."""


def root_of(provider: Provider, api_base: str) -> str:
    """The root that paths are added to, by the rule that the policy's base_url follows."""
    below = provider.chat_below
    return clean_base(provider, api_base).removesuffix(below) + below


def endpoint_of(
    provider: Provider,
    key: str | None,
    *,
    base_url: str = "",
    name: str = "",
    key_variable: str | None = None,
    timeout_seconds: float = 120.0,
) -> Endpoint:
    """Where a provider is called.

    Args:
        base_url: as people write it. name: what errors call it. Both are the provider's own where
            they are left out.
    """
    root = root_of(provider, base_url or provider.base_url)
    # OpenAI itself has dropped `max_tokens`.
    itself = root.startswith("https://api.openai.com/")
    spoken = _spoken(provider)
    return Endpoint(
        name or provider.name,
        _OPENAI_ITSELF if itself else _PROTOCOLS.get(spoken, _OPENAI_LIKE),
        root,
        key,
        key_variable,
        provider.key_url,
        timeout_seconds,
        _EMBEDDINGS.get(spoken, OpenAIEmbeddings()) if provider.embeds else None,
        provider.auth_hint.format(base="api_base"),
    )


def _spoken(provider: Provider) -> str:
    """Its protocol; a static provider of a name of its own speaks what most do."""
    if provider.protocol != STATIC:
        return provider.protocol
    return BUILTIN.get(provider.name, LITELLM).protocol
