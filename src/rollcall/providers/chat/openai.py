"""OpenAI's Chat Completions, which DeepSeek, Qwen, OpenRouter, xAI and LiteLLM speak too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollcall.providers.chat.call import (
    Call,
    Completion,
    Piece,
    UnexpectedShape,
    Usage,
    WireRequest,
    mapping,
    text,
    tokens,
    without_none,
)
from rollcall.providers.chat.messages import Message
from rollcall.providers.wire import bearer

_REFUSES_MAX_TOKENS = re.compile(r"^(o\d|gpt-([5-9]|\d\d))")
_FINISH = {"content_filter": "refusal", "max_tokens": "length", "end_turn": "stop"}


@dataclass(frozen=True, slots=True)
class OpenAIProtocol:
    """Chat Completions.

    Attributes:
        completion_limit: OpenAI itself calls the limit `max_completion_tokens` and refuses
            `max_tokens` for its newer models; the others know `max_tokens`.
        developer_role: whether the role `developer` is known; else it is sent as `system`.
    """

    completion_limit: bool = False
    developer_role: bool = False

    def key_headers(self, key: str | None) -> dict[str, str]:
        """A bearer token."""
        return bearer(key)

    def request(self, call: Call) -> WireRequest:
        """`POST /chat/completions`."""
        params = call.params
        newer = self.completion_limit or _REFUSES_MAX_TOKENS.match(call.model)
        limit = "max_completion_tokens" if newer else "max_tokens"
        body = {
            "model": call.model,
            "messages": [self._message(message) for message in call.messages],
            **without_none(
                temperature=params.temperature,
                top_p=params.top_p,
                stop=list(params.stop) or None,
            ),
            **without_none(**{limit: params.max_tokens}),
            **params.extra,
        }
        if call.stream:
            body["stream"] = True
        return WireRequest("/chat/completions", body)

    def parse(self, raw: Mapping[str, Any]) -> Completion:
        """The first choice; a refusal comes in its own field, a filtered one as finish reason."""
        choices = raw.get("choices")
        if not isinstance(choices, list) or not choices:
            raise UnexpectedShape("it has no `choices`")
        choice = mapping(choices[0])
        message = choice.get("message")
        if not isinstance(message, Mapping):
            raise UnexpectedShape("its first choice has no `message`")
        refusal = text(message.get("refusal")) or None
        reason = text(choice.get("finish_reason")) or "stop"
        usage = mapping(raw.get("usage"))
        return Completion(
            content=_text_of(message.get("content")),
            model=text(raw.get("model")) or None,
            usage=Usage(tokens(usage.get("prompt_tokens")), tokens(usage.get("completion_tokens"))),
            finish_reason="refusal" if refusal else _FINISH.get(reason, reason),
            refusal=refusal or ("content filter" if reason == "content_filter" else None),
        )

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """A chunk's text; the choice's finish reason ends it."""
        if event.get("error"):
            return Piece(error=event["error"])
        choices = event.get("choices")
        if not isinstance(choices, list):
            raise UnexpectedShape("a chunk has no `choices`")
        if not choices:
            return Piece()
        choice = mapping(choices[0])
        last = choice.get("finish_reason") is not None
        return Piece(text=_text_of(mapping(choice.get("delta")).get("content")), last=last)

    def _message(self, message: Message) -> dict[str, Any]:
        role = message.role
        if role == "developer" and not self.developer_role:
            role = "system"
        content = message.content
        if content is not None and not isinstance(content, str):
            content = [dict(part) for part in content]
        return {"role": role, "content": content, **message.extra}


def _text_of(content: Any) -> str:
    """A content, which some servers give as parts."""
    if isinstance(content, list):
        return "".join(text(mapping(part).get("text")) for part in content)
    return text(content)
