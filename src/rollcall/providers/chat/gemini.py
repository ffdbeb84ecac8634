"""Calls in Google's protocol: generateContent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rollcall.providers.bodies import items, mapping, text, tokens
from rollcall.providers.chat.answer import Piece, ToolCall, UnexpectedShape, Usage
from rollcall.providers.chat.call import Call, Params, WireRequest, without_none
from rollcall.providers.chat.errors import InvalidMessages
from rollcall.providers.chat.messages import Message, function_of, image_of, translatable
from rollcall.providers.wire import google_headers

_BESIDE_GENERATION_CONFIG = {
    "safetySettings",
    "toolConfig",
    "cachedContent",
    "labels",
}
"""Parameters that stand at the top of the body; every other one is generation config."""

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length", "FINISH_REASON_UNSPECIFIED": "stop"}
_OWN_FAULTS = {
    "OTHER",
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
}
"""Ends that are no answer, and no filter's; every end that is not known is a filter's."""

_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_PLAIN_SCHEMA = {
    "type", "format", "title", "description", "nullable", "enum", "items", "properties", "required",
    "minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength", "pattern", "anyOf",
    "propertyOrdering", "default", "example", "minProperties", "maxProperties",
}  # fmt: skip
"""What a function's `parameters` may say; more of JSON Schema goes into another field."""


class GeminiProtocol:
    """generateContent: roles are `user` and `model`, text is a list of parts."""

    key_headers = staticmethod(google_headers)

    def request(self, call: Call) -> WireRequest:
        """`POST /models/{model}:generateContent`, streamed as server-sent events."""
        system, messages = translatable(call.messages, "Gemini")
        params = call.params
        beside = {
            name: value for name, value in params.extra.items() if name in _BESIDE_GENERATION_CONFIG
        }
        config = {
            **without_none(
                temperature=params.temperature,
                topP=params.top_p,
                maxOutputTokens=params.max_tokens,
                stopSequences=list(params.stop) or None,
            ),
            **mapping(params.extra.get("generationConfig")),
            **{
                name: value
                for name, value in params.extra.items()
                if name not in beside and name != "generationConfig"
            },
        }
        body = {
            "contents": _contents(messages),
            **without_none(
                systemInstruction={"parts": [{"text": system}]} if system else None,
                generationConfig=config or None,
                tools=_tools(params.tools) or None,
                toolConfig=_tool_config(params),
            ),
            **beside,
        }
        verb = "streamGenerateContent?alt=sse" if call.stream else "generateContent"
        model = quote(call.model.removeprefix("models/"), safe="")
        return WireRequest(f"/models/{model}:{verb}", body)

    def parse(self, raw: Mapping[str, Any]) -> Piece:
        """The first candidate; a blocked prompt has none."""
        said = self.piece(raw)
        if not said.finish_reason and not items(raw.get("candidates")):
            raise UnexpectedShape("it has no `candidates`")
        return said

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """Each event is a whole reply with the next part of the text."""
        candidates = items(event.get("candidates"))
        candidate = candidates[0] if candidates else {}
        feedback = mapping(event.get("promptFeedback"))
        reason = text(candidate.get("finishReason")) or text(feedback.get("blockReason"))
        told = text(candidate.get("finishMessage")) or text(feedback.get("blockReasonMessage"))
        parts = items(mapping(candidate.get("content")).get("parts"))
        usage = mapping(event.get("usageMetadata"))
        fault = reason.lower() if reason in _OWN_FAULTS else "refusal"
        whole = reason in ("", *_FINISH)
        return Piece(
            text="".join(text(part.get("text")) for part in parts if not part.get("thought")),
            tool_calls=tuple(
                _tool_call(part) for part in parts if isinstance(part.get("functionCall"), Mapping)
            ),
            finish_reason=_FINISH.get(reason, fault) if reason else "",
            refusal="" if whole else f"{reason}: {told}" if told else reason,
            model=text(event.get("modelVersion")),
            usage=Usage(tokens(usage.get("promptTokenCount")), _output_tokens(usage)),
        )


def _tool_call(part: Mapping[str, Any]) -> ToolCall:
    call = mapping(part.get("functionCall"))
    signature = text(part.get("thoughtSignature"))
    return ToolCall(
        id=text(call.get("id")),
        name=text(call.get("name")),
        arguments=json.dumps(call.get("args") or {}, ensure_ascii=False),
        extra={"extra_content": {"google": {"thought_signature": signature}}} if signature else {},
    )


def _output_tokens(usage: Mapping[str, Any]) -> int | None:
    """Thoughts are charged as output, and counted apart."""
    counts = [tokens(usage.get(name)) for name in ("candidatesTokenCount", "thoughtsTokenCount")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _contents(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """As Gemini has them: what tools gave is the user's, by the name of the function."""
    found: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for index, message in enumerate(messages):
        if message.role != "tool":
            calls = [function_of(call) for call in message.tool_calls]
            names |= {call_id: name for call_id, name, _ in calls}
            role = "model" if message.role == "assistant" else "user"
            parts = [_part(part) for part in message.parts]
            parts += [_function_call(call) for call in message.tool_calls]
            found.append({"role": role, "parts": parts})
            continue
        part = _function_response(message, names)
        if index and messages[index - 1].role == "tool":
            found[-1]["parts"].append(part)
        else:
            found.append({"role": "user", "parts": [part]})
    return found


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"text": text(part.get("text"))}
    media_type, data, url = image_of(part, "Gemini")
    if url:
        raise InvalidMessages(
            "Gemini does not fetch images from an address.",
            "Send the image itself, as data:image/png;base64,...",
        )
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _function_call(call: Mapping[str, Any]) -> dict[str, Any]:
    _, name, arguments = function_of(call)
    google = mapping(mapping(call.get("extra_content")).get("google"))
    signature = text(google.get("thought_signature"))
    part: dict[str, Any] = {"functionCall": {"name": name, "args": dict(arguments)}}
    return {**part, "thoughtSignature": signature} if signature else part


def _function_response(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    name = names.get(message.tool_call_id) or text(message.extra.get("name"))
    if not name:
        raise InvalidMessages(
            f"A tool's message answers the call {message.tool_call_id!r}, which no message made.",
            "Put the assistant's message with its tool_calls before it.",
        )
    try:
        response = json.loads(message.text)
    except ValueError:
        response = message.text
    whole = response if isinstance(response, dict) else {"result": response}
    return {"functionResponse": {"name": name, "response": whole}}


def _tools(tools: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    """OpenAI's functions in one tool; tools in Gemini's own words as they are."""
    functions = [
        _declaration(mapping(tool["function"]))
        for tool in tools
        if isinstance(tool.get("function"), Mapping)
    ]
    own = [dict(tool) for tool in tools if not isinstance(tool.get("function"), Mapping)]
    return [{"functionDeclarations": functions}, *own] if functions else own


def _declaration(function: Mapping[str, Any]) -> dict[str, Any]:
    told = without_none(name=function.get("name"), description=function.get("description"))
    schema = function.get("parameters")
    if not isinstance(schema, Mapping) or not schema.get("properties"):
        return told
    field = "parameters" if _is_plain(schema) else "parametersJsonSchema"
    return {**told, field: schema}


def _is_plain(schema: Any) -> bool:
    """Whether a schema says nothing that `parameters` would refuse."""
    if not isinstance(schema, Mapping):
        return True
    properties = mapping(schema.get("properties")).values()
    branches = schema.get("anyOf")
    inner = [*properties, schema.get("items"), *(branches if isinstance(branches, list) else ())]
    known = schema.keys() <= _PLAIN_SCHEMA and not isinstance(schema.get("type"), list)
    return known and all(_is_plain(one) for one in inner)


def _tool_config(params: Params) -> dict[str, Any] | None:
    choice = params.tool_choice
    if choice is None:
        return None
    function = mapping(choice).get("function")
    if isinstance(choice, Mapping) and not isinstance(function, Mapping):
        return dict(choice)
    calling: dict[str, Any] = {"mode": "ANY"}
    if isinstance(choice, str):
        calling["mode"] = _MODES.get(choice, choice)
    else:
        calling["allowedFunctionNames"] = [mapping(function).get("name")]
    return {"functionCallingConfig": calling}
