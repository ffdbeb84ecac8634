"""rollcall: asks LLM providers what they serve, and writes what a policy admits into LiteLLM's
config.yaml.

The public library is :func:`get_llm_client`; importing this package costs next to nothing, what a
name needs is imported when the name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rollcall._version import __version__

if TYPE_CHECKING:
    from rollcall.errors import RollcallError
    from rollcall.providers.chat.messages import Message
    from rollcall.runtime.client import LLMClient, get_llm_client
    from rollcall.runtime.errors import (
        AnswerRefused,
        AuthProfileMissing,
        AuthVariableMissing,
        ConfigError,
        InvalidCall,
        InvalidConfig,
        InvalidYAML,
        LLMError,
        NothingSelected,
        ProviderError,
        ProviderNotDefined,
        ProviderRateLimited,
        ProviderRefusedKey,
        ProviderReplyInvalid,
        ProviderTimeout,
        ProviderUnavailable,
        RoleNotDefined,
    )
    from rollcall.runtime.response import (
        AsyncLLMStream,
        EmbeddingResponse,
        LLMResponse,
        LLMStream,
    )

__all__ = [
    "AnswerRefused",
    "AsyncLLMStream",
    "AuthProfileMissing",
    "AuthVariableMissing",
    "ConfigError",
    "EmbeddingResponse",
    "InvalidCall",
    "InvalidConfig",
    "InvalidYAML",
    "LLMClient",
    "LLMError",
    "LLMResponse",
    "LLMStream",
    "Message",
    "NothingSelected",
    "ProviderError",
    "ProviderNotDefined",
    "ProviderRateLimited",
    "ProviderRefusedKey",
    "ProviderReplyInvalid",
    "ProviderTimeout",
    "ProviderUnavailable",
    "RoleNotDefined",
    "RollcallError",
    "__version__",
    "get_llm_client",
]

_CLIENT = (
    "AsyncLLMStream",
    "EmbeddingResponse",
    "LLMClient",
    "LLMResponse",
    "LLMStream",
    "Message",
    "get_llm_client",
)
_HOMES = {"RollcallError": "rollcall.errors", **dict.fromkeys(_CLIENT, "rollcall.runtime")}


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "rollcall.runtime.errors")), name)


def __dir__() -> list[str]:
    """The public names, before they are imported, too."""
    return sorted(__all__)
