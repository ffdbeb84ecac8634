"""The library: one call, any provider, by role.

    from rollcall import get_llm_client

    client = get_llm_client("llm_orchestrator.yaml")
    response = client.run("llm.preprocess", [{"role": "user", "content": "Hello"}])
    print(response.content)

A call goes: role -> `resolution` (provider, model, key) -> `adapter` (the provider's protocol,
retries) -> `link` (the network). Protocols are pure; `steps` lets threads and event loops share
one story.
"""

from __future__ import annotations

from rollcall.runtime.adapter import ChatAdapter, ProviderAdapter
from rollcall.runtime.client import LLMClient, get_llm_client
from rollcall.runtime.messages import Message
from rollcall.runtime.resolution import ResolvedLLMConfig
from rollcall.runtime.response import LLMResponse, Usage

__all__ = [
    "ChatAdapter",
    "LLMClient",
    "LLMResponse",
    "Message",
    "ProviderAdapter",
    "ResolvedLLMConfig",
    "Usage",
    "get_llm_client",
]
