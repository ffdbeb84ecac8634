"""Calls in the protocol of OpenAI's Responses, the only one some of its models answer, and that of
Perplexity, whose chat endpoint is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollcall.providers.bodies import items, mapping, text, tokens
from rollcall.providers.chat.answer import Piece, ToolCall, UnexpectedShape, Usage
from rollcall.providers.chat.call import Call, WireRequest, without_none
from rollcall.providers.chat.errors import InvalidParams
from rollcall.providers.chat.messages import Message, function_of, image_of, translatable
from rollcall.providers.wire import bearer

_PRESET = "preset/"


@dataclass(frozen=True, slots=True)
class ResponsesProtocol:
    """Responses: the system prompt is `instructions`, messages are the `input`.

    Attributes:
        name: of whose protocol it is. path: below the base.
        chat_params: whether parameters are translated that only Chat Completions has.
        presets: whether a model written `preset/low` names a preset instead of a model.
    """

    name: str = "OpenAI's Responses API"
    path: str = "/responses"
    chat_params: bool = True
    presets: bool = False

    key_headers = staticmethod(bearer)

    def request(self, call: Call) -> WireRequest:
        """`POST /responses`; nothing is to be stored, as with Chat Completions."""
        system, messages = translatable(call.messages, self.name)
        params = call.params
        if params.stop:
            raise InvalidParams(
                f"{self.name} has no parameter `stop`.",
                "Take it out of the role's params, or override it with None.",
            )
        preset = self.presets and call.model.startswith(_PRESET)
        body = {
            **({"preset": call.model[len(_PRESET) :]} if preset else {"model": call.model}),
            "input": [item for message in messages for item in _items(message, self.name)],
            **without_none(
                instructions=system or None,
                temperature=params.temperature,
                top_p=params.top_p,
                max_output_tokens=params.max_tokens,
                tools=[self._tool(tool) for tool in params.tools] or None,
                tool_choice=_tool_choice(params.tool_choice),
                parallel_tool_calls=params.parallel_tool_calls,
                store=False if self.chat_params else None,
            ),
            **(_from_chat(params.extra) if self.chat_params else params.extra),
        }
        if call.stream:
            body["stream"] = True
        return WireRequest(self.path, body)

    def parse(self, raw: Mapping[str, Any]) -> Piece:
        """The text of the output's messages and its tool calls; searches and the like stay in
        `raw`.
        """
        if raw.get("status") == "failed":
            return Piece(error=mapping(raw.get("error")) or "the response failed")
        if not isinstance(raw.get("output"), list):
            raise UnexpectedShape("it has no `output`")
        output = items(raw["output"])
        parts = [part for item in output if item.get("type") == "message" for part in _parts(item)]
        end = _end(raw)
        return Piece(
            text="".join(text(one.get("text")) for one in parts if one.get("type") == _TEXT),
            tool_calls=tuple(_tool_call(one) for one in output if one.get("type") == _CALL),
            finish_reason=end.finish_reason,
            refusal="".join(text(part.get("refusal")) for part in parts) or end.refusal,
            model=end.model,
            usage=end.usage,
        )

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """A text delta, or a whole tool call; `response.completed` ends it."""
        response, item = mapping(event.get("response")), mapping(event.get("item"))
        match event.get("type"):
            case "response.output_text.delta":
                return Piece(text=text(event.get("delta")))
            case "response.refusal.delta":
                return Piece(refusal=text(event.get("delta")))
            case "response.output_item.done" if item.get("type") == _CALL:
                return Piece(tool_calls=(_tool_call(item),))
            case "response.completed" | "response.incomplete":
                return _end(response)
            case "response.failed":
                return Piece(error=mapping(response.get("error")) or "the response failed")
            case "error":
                return Piece(error=mapping(event.get("error")) or event)
            case _:
                return Piece()

    def _tool(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        function = tool.get("function")
        if not isinstance(function, Mapping):
            return dict(tool)
        # Chat Completions takes a schema as it is; here it would have to be a strict one.
        loose = {"strict": False} if self.chat_params else {}
        return {"type": "function", **loose, **function}


PERPLEXITY = ResponsesProtocol("Perplexity", "/v1/responses", chat_params=False, presets=True)

_TEXT = "output_text"
_CALL = "function_call"


def _end(response: Mapping[str, Any]) -> Piece:
    """How a response ended, and what it cost."""
    why = text(mapping(response.get("incomplete_details")).get("reason"))
    reason = "stop"
    if response.get("status") == "incomplete":
        reason = "length" if why in ("", "max_output_tokens") else why
    usage = mapping(response.get("usage"))
    filtered = reason == "content_filter"
    return Piece(
        finish_reason="refusal" if filtered else reason,
        refusal="content filter" if filtered else "",
        model=text(response.get("model")),
        usage=Usage(tokens(usage.get("input_tokens")), tokens(usage.get("output_tokens"))),
    )


def _parts(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return items(item.get("content"))


def _tool_call(item: Mapping[str, Any]) -> ToolCall:
    return ToolCall(
        id=text(item.get("call_id")),
        name=text(item.get("name")),
        arguments=text(item.get("arguments")),
    )


def _items(message: Message, provider: str) -> list[dict[str, Any]]:
    """A message as items of the input: tool calls, and what tools gave, are items of their own."""
    if message.role == "tool":
        output = {"call_id": message.tool_call_id, "output": message.text}
        return [{"type": "function_call_output", **output}]
    found: list[dict[str, Any]] = []
    if message.parts:
        content: str | list[dict[str, Any]]
        if isinstance(message.content, str):
            content = message.content
        else:
            kind = _TEXT if message.role == "assistant" else "input_text"
            content = [_part(part, kind, provider) for part in message.parts]
        found.append({"type": "message", "role": message.role, "content": content})
    return found + [_call_item(call) for call in message.tool_calls]


def _call_item(call: Mapping[str, Any]) -> dict[str, Any]:
    call_id, name, _ = function_of(call)
    arguments = mapping(call.get("function")).get("arguments")
    return {"type": _CALL, "call_id": call_id, "name": name, "arguments": text(arguments) or "{}"}


def _part(part: Mapping[str, Any], kind: str, provider: str) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"type": kind, "text": text(part.get("text"))}
    media_type, data, url = image_of(part, provider)
    detail = mapping(part.get("image_url")).get("detail")
    address = url or f"data:{media_type};base64,{data}"
    return {"type": "input_image", "image_url": address, **without_none(detail=detail)}


def _tool_choice(choice: Any) -> Any:
    function = mapping(choice).get("function")
    if isinstance(function, Mapping):
        return {"type": "function", "name": function.get("name")}
    return choice


def _from_chat(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of Chat Completions in the words of Responses; the others as they are."""
    given = dict(extra)
    shape = given.pop("response_format", None)
    effort = given.pop("reasoning_effort", None)
    limit = given.pop("max_completion_tokens", None)
    if isinstance(shape, Mapping):
        inner = shape.get("json_schema")
        flat = {"type": shape.get("type"), **(inner if isinstance(inner, Mapping) else {})}
        given["text"] = {"format": flat, **mapping(given.get("text"))}
    if effort is not None:
        given["reasoning"] = {"effort": effort, **mapping(given.get("reasoning"))}
    if limit is not None:
        given.setdefault("max_output_tokens", limit)
    return given
