"""Calls in OpenAI's protocol, Chat Completions, which DeepSeek, Qwen, OpenRouter, xAI, Ollama,
LiteLLM and most other servers speak too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollcall.providers.bodies import items, mapping, text, tokens
from rollcall.providers.chat.answer import Piece, ToolCall, UnexpectedShape, Usage
from rollcall.providers.chat.call import Call, WireRequest, without_none
from rollcall.providers.chat.messages import Message
from rollcall.providers.wire import bearer

_REFUSES_MAX_TOKENS = re.compile(r"^(o\d|gpt-([5-9]|\d\d))")
_FINISH = {
    "content_filter": "refusal",
    "max_tokens": "length",
    "model_length": "length",
    "end_turn": "stop",
    "eos": "stop",
    "function_call": "tool_calls",
}
_BROKE_OFF = {"error", "insufficient_system_resource", "abort"}
"""Finish reasons of answers that did not finish: OpenRouter's, DeepSeek's, vLLM's."""


@dataclass(frozen=True, slots=True)
class OpenAIProtocol:
    """Chat Completions.

    Attributes:
        completion_limit: whether the limit is called `max_completion_tokens`, as OpenAI itself
            has it, and not `max_tokens`; None = the model's name says it.
        developer_role: whether the role `developer` is known; else it is sent as `system`.
    """

    completion_limit: bool | None = None
    developer_role: bool = False

    key_headers = staticmethod(bearer)

    def request(self, call: Call) -> WireRequest:
        """`POST /chat/completions`."""
        params = call.params
        newer = self.completion_limit
        if newer is None:
            newer = bool(_REFUSES_MAX_TOKENS.match(call.model))
        body = {
            "model": call.model,
            "messages": [self._message(message) for message in call.messages],
            **without_none(
                temperature=params.temperature,
                top_p=params.top_p,
                stop=list(params.stop) or None,
                tools=[dict(tool) for tool in params.tools] or None,
                tool_choice=params.tool_choice,
                parallel_tool_calls=params.parallel_tool_calls,
            ),
            **without_none(
                **{"max_completion_tokens" if newer else "max_tokens": params.max_tokens}
            ),
            **params.extra,
        }
        if call.stream:
            body["stream"] = True
        return WireRequest("/chat/completions", body)

    def parse(self, raw: Mapping[str, Any]) -> Piece:
        """The first choice; a refusal comes in its own field, a filtered one as finish reason."""
        choices = items(raw.get("choices"))
        if not choices:
            raise UnexpectedShape("it has no `choices`")
        choice = choices[0]
        said = choice.get("message")
        error = _error_of(choice)
        if error is None and not isinstance(said, Mapping):
            raise UnexpectedShape("its first choice has no `message`")
        return _piece(raw, choice, mapping(said), text(choice.get("finish_reason")) or "stop")

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """A chunk's text; the choice's finish reason ends it."""
        choices = [
            choice for choice in items(event.get("choices")) if choice.get("index", 0) in (0, None)
        ]
        choice = choices[0] if choices else {}
        reason = text(choice.get("finish_reason"))
        return _piece(event, choice, mapping(choice.get("delta")), reason)

    def _message(self, message: Message) -> dict[str, Any]:
        role = message.role
        if role == "developer" and not self.developer_role:
            role = "system"
        content = message.content
        if content is not None and not isinstance(content, str):
            content = [dict(part) for part in content]
        return {"role": role, "content": content, **message.extra}


def _piece(
    raw: Mapping[str, Any], choice: Mapping[str, Any], said: Mapping[str, Any], reason: str
) -> Piece:
    refusal = text(said.get("refusal"))
    if reason == "content_filter" and not refusal:
        refusal = "content filter"
    usage = mapping(raw.get("usage"))
    return Piece(
        text=_text_of(said.get("content")),
        tool_calls=tuple(
            _tool_call(place, one) for place, one in enumerate(items(said.get("tool_calls")))
        ),
        finish_reason=_FINISH.get(reason, reason),
        refusal=refusal,
        model=text(raw.get("model")),
        usage=Usage(tokens(usage.get("prompt_tokens")), tokens(usage.get("completion_tokens"))),
        error=_error_of(choice),
    )


def _error_of(choice: Mapping[str, Any]) -> Mapping[str, Any] | str | None:
    """What broke an answer off, where something did."""
    reason = text(choice.get("finish_reason"))
    error = choice.get("error")
    if error:
        return error if isinstance(error, str) else mapping(error)
    if reason in _BROKE_OFF:
        return {"code": 502, "message": f"it broke the answer off ({reason})"}
    return None


def _tool_call(place: int, given: Mapping[str, Any]) -> ToolCall:
    function = mapping(given.get("function"))
    arguments = function.get("arguments")
    index = given.get("index")
    return ToolCall(
        index=index if isinstance(index, int) else place,
        id=text(given.get("id")),
        name=text(function.get("name")),
        arguments=json.dumps(arguments) if isinstance(arguments, Mapping) else text(arguments),
        extra=without_none(extra_content=given.get("extra_content")),
    )


def _text_of(content: Any) -> str:
    """A content, which some servers give as parts."""
    if isinstance(content, list):
        return "".join(text(part.get("text")) for part in items(content))
    return text(content)
