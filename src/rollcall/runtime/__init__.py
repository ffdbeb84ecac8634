"""The library: one call, any provider, by role.

    from rollcall import get_llm_client

    client = get_llm_client("llm_orchestrator.yaml")
    response = client.run("llm.preprocess", [{"role": "user", "content": "Hello"}])
    print(response.content)

A call goes: role -> `resolution` (provider, model, key) -> `adapter` (retries) ->
`rollcall.providers.chat` (the provider's protocol, the network). All of it is asynchronous;
`network` has a thread with an event loop for ordinary code.
"""

from __future__ import annotations

from rollcall.providers.chat.answer import Usage
from rollcall.providers.chat.messages import Message
from rollcall.runtime.adapter import ChatAdapter, ProviderAdapter
from rollcall.runtime.client import LLMClient, get_llm_client
from rollcall.runtime.resolution import ResolvedLLMConfig
from rollcall.runtime.response import AsyncLLMStream, EmbeddingResponse, LLMResponse, LLMStream

__all__ = [
    "AsyncLLMStream",
    "ChatAdapter",
    "EmbeddingResponse",
    "LLMClient",
    "LLMResponse",
    "LLMStream",
    "Message",
    "ProviderAdapter",
    "ResolvedLLMConfig",
    "Usage",
    "get_llm_client",
]
