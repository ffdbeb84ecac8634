"""The calls a simulated provider answers: completions in each provider's own protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulator import chat_anthropic, chat_gemini, chat_ollama, chat_openai
from tests.simulator.conversation import BadCall

if TYPE_CHECKING:
    from tests.simulator.http import Reply, Request

Handler = tuple[str, "Callable[[Request], Reply]", "Callable[[BadCall], Reply]"]
"""How a path ends, who answers it, and how that provider words an error."""

_COMPLETIONS = ("/chat/completions", chat_openai.complete, chat_openai.error)
_RESPONSES = ("/responses", chat_openai.respond, chat_openai.error)
_EMBEDDINGS = ("/embeddings", chat_openai.embed, chat_openai.error)

_ROUTES: dict[str, tuple[Handler, ...]] = {
    "openai": (_COMPLETIONS, _RESPONSES, _EMBEDDINGS),
    "openrouter": (_COMPLETIONS, _RESPONSES, _EMBEDDINGS),
    "xai": (_COMPLETIONS, _RESPONSES, _EMBEDDINGS),
    "anthropic": (("/messages", chat_anthropic.answer, chat_anthropic.error),),
    "gemini": (
        (":generateContent", chat_gemini.generate, chat_gemini.error),
        (":streamGenerateContent", chat_gemini.generate, chat_gemini.error),
        (":batchEmbedContents", chat_gemini.embed, chat_gemini.error),
    ),
    "perplexity": (
        ("/v1/responses", chat_openai.respond, chat_openai.error),
        ("/v1/agent", chat_openai.respond, chat_openai.error),
        ("/chat/completions", chat_openai.closed, chat_openai.error),
        _EMBEDDINGS,
    ),
    "ollama": (
        ("/api/chat", chat_ollama.chat, chat_ollama.error),
        ("/api/generate", chat_ollama.generate, chat_ollama.error),
        _COMPLETIONS,
        _EMBEDDINGS,
    ),
}


def answer(protocol: str, request: Request) -> Reply | None:
    """The reply to a completion call of `protocol`, or None when the path is not one.

    The answer repeats the model's id, the system prompt and the last user message; the same call
    always gives the same bytes. A call the real provider would refuse gets its kind of error.
    """
    if request.method != "POST":
        return None
    for ending, handler, error in _ROUTES.get(protocol, ()):
        if request.path.endswith(ending):
            try:
                return handler(request)
            except BadCall as bad:
                return error(bad)
    return None
