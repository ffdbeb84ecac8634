"""Calls in Anthropic's protocol: the Messages API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rollcall.providers.bodies import items, mapping, text, tokens
from rollcall.providers.chat.answer import Piece, ToolCall, UnexpectedShape, Usage
from rollcall.providers.chat.call import Call, Params, WireRequest, without_none
from rollcall.providers.chat.errors import InvalidMessages, InvalidParams
from rollcall.providers.chat.messages import Message, function_of, image_of, translatable
from rollcall.providers.wire import anthropic_headers

DEFAULT_MAX_TOKENS = 4096
"""Anthropic requires a limit; every one of its models allows this much."""

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
}
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


class AnthropicProtocol:
    """Messages: the system prompt is a field of its own, and a limit is required."""

    key_headers = staticmethod(anthropic_headers)

    def request(self, call: Call) -> WireRequest:
        """`POST /v1/messages`."""
        system, messages = translatable(call.messages, "Anthropic")
        _check(messages)
        params = call.params
        if params.temperature is not None and params.temperature > 1:
            raise InvalidParams(
                f"temperature is {params.temperature}, and Anthropic's goes from 0 to 1.",
                "Lower it, in the role's params or in params_override.",
            )
        body = {
            "model": call.model,
            "messages": _messages(messages),
            "max_tokens": params.max_tokens or DEFAULT_MAX_TOKENS,
            **without_none(
                system=system or None,
                temperature=params.temperature,
                top_p=params.top_p,
                stop_sequences=list(params.stop) or None,
                tools=[_tool(tool) for tool in params.tools] or None,
                tool_choice=_tool_choice(params),
            ),
            **params.extra,
        }
        if call.stream:
            body["stream"] = True
        return WireRequest("/v1/messages", body)

    def parse(self, raw: Mapping[str, Any]) -> Piece:
        """The text blocks and the tool calls; other blocks (thinking) stay in `raw`."""
        if not isinstance(raw.get("content"), list):
            raise UnexpectedShape("it has no `content`")
        blocks, reason = items(raw["content"]), text(raw.get("stop_reason")) or "end_turn"
        return Piece(
            text="".join(text(one.get("text")) for one in blocks if one.get("type") == "text"),
            tool_calls=tuple(
                ToolCall(
                    id=text(one.get("id")),
                    name=text(one.get("name")),
                    arguments=json.dumps(one.get("input") or {}, ensure_ascii=False),
                )
                for one in blocks
                if one.get("type") == "tool_use"
            ),
            model=text(raw.get("model")),
            usage=_usage(raw.get("usage")),
            finish_reason=_FINISH.get(reason, reason),
            refusal=_refusal(raw),
        )

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """A delta of a text or of a tool's arguments; `message_delta` says why it ends."""
        delta = mapping(event.get("delta"))
        match event.get("type"):
            case "message_start":
                message = mapping(event.get("message"))
                return Piece(model=text(message.get("model")), usage=_usage(message.get("usage")))
            case "content_block_start":
                block = mapping(event.get("content_block"))
                if block.get("type") == "tool_use":
                    call = ToolCall(_index(event), text(block.get("id")), text(block.get("name")))
                    return Piece(tool_calls=(call,))
                return Piece(text=text(block.get("text")))
            case "content_block_delta" if delta.get("type") == "input_json_delta":
                part = ToolCall(_index(event), arguments=text(delta.get("partial_json")))
                return Piece(tool_calls=(part,))
            case "content_block_delta" if delta.get("type") == "text_delta":
                return Piece(text=text(delta.get("text")))
            case "message_delta":
                reason = text(delta.get("stop_reason"))
                return Piece(
                    finish_reason=_FINISH.get(reason, reason),
                    refusal=_refusal(delta),
                    usage=Usage(output_tokens=_usage(event.get("usage")).output_tokens),
                )
            case "message_stop":
                return Piece(finish_reason="stop")
            case _:
                return Piece()


def _refusal(said: Mapping[str, Any]) -> str:
    """Why the model declined; "" where it did not."""
    if said.get("stop_reason") != "refusal":
        return ""
    return text(mapping(said.get("stop_details")).get("explanation")) or "the model declined"


def _index(event: Mapping[str, Any]) -> int:
    return tokens(event.get("index")) or 0


def _usage(given: Any) -> Usage:
    """All input: what was read from or written to the cache is counted apart by Anthropic."""
    usage = mapping(given)
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [tokens(usage.get(name)) for name in names]
    total = None if counts[0] is None else sum(count or 0 for count in counts)
    return Usage(total, tokens(usage.get("output_tokens")))


def _check(messages: tuple[Message, ...]) -> None:
    if messages[0].role == "assistant":
        raise InvalidMessages(
            "The first message is the assistant's, and Anthropic wants the user's first.",
            "Put a user message before it.",
        )
    for index, message in enumerate(messages):
        texts = [part for part in message.parts if part.get("type") == "text"]
        blank = any(not text(part.get("text")).strip() for part in texts)
        if blank and message.role != "tool" and not message.tool_calls:
            raise InvalidMessages(
                f"Message {index} ({message.role}) has a blank text, which Anthropic refuses.",
                "Give it a text, or leave it out.",
            )


def _messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """As Anthropic has them: what tools gave is the user's, all of one turn in one message."""
    found: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        if message.role != "tool":
            found.append({"role": message.role, "content": _content(message)})
            continue
        result: dict[str, Any] = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        if message.parts:
            result["content"] = _content(message)
        if index and messages[index - 1].role == "tool":
            found[-1]["content"].append(result)
        else:
            found.append({"role": "user", "content": [result]})
    return found


def _content(message: Message) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str) and not message.tool_calls:
        return message.content
    parts = message.parts
    if message.tool_calls:
        parts = [one for one in parts if one.get("type") != "text" or text(one.get("text")).strip()]
    return [_block(part) for part in parts] + [_tool_use(call) for call in message.tool_calls]


def _block(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"type": "text", "text": text(part.get("text"))}
    media_type, data, url = image_of(part, "Anthropic")
    if url:
        return {"type": "image", "source": {"type": "url", "url": url}}
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "image", "source": source}


def _tool_use(call: Mapping[str, Any]) -> dict[str, Any]:
    call_id, name, arguments = function_of(call)
    return {"type": "tool_use", "id": call_id, "name": name, "input": dict(arguments)}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return dict(tool)
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    told = without_none(description=function.get("description"), strict=function.get("strict"))
    return {"name": function.get("name"), **told, "input_schema": schema}


def _tool_choice(params: Params) -> dict[str, Any] | None:
    choice = params.tool_choice
    if isinstance(choice, Mapping):
        function = choice.get("function")
        named = isinstance(function, Mapping)
        given = {"type": "tool", "name": mapping(function).get("name")} if named else dict(choice)
    elif choice is not None:
        given = {"type": _CHOICES.get(choice, choice)}
    elif params.parallel_tool_calls is False and params.tools:
        given = {"type": "auto"}
    else:
        return None
    if params.parallel_tool_calls is False and given["type"] != "none":
        given["disable_parallel_tool_use"] = True
    return given
