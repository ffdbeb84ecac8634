"""rollcall: takes the roll of LLM providers before a LiteLLM proxy starts.

The public library is :func:`get_llm_client`; importing this package costs next to nothing, what a
name needs is imported when the name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rollcall._version import __version__

if TYPE_CHECKING:
    from rollcall.runtime import LLMClient, LLMResponse, get_llm_client

__all__ = ["LLMClient", "LLMResponse", "__version__", "get_llm_client"]

_LAZY = dict.fromkeys(("LLMClient", "LLMResponse", "get_llm_client"), "rollcall.runtime")


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use (PEP 562)."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
