"""Perplexity's Agent API, which speaks OpenAI's Responses. Its chat endpoint is gone."""

from __future__ import annotations

from collections.abc import Mapping
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
from rollcall.providers.chat.errors import InvalidParams
from rollcall.providers.chat.messages import Message, image_of, require_plain, split_system
from rollcall.providers.wire import bearer

_ENDINGS = {"response.completed", "response.incomplete"}
_PRESET = "preset/"


class PerplexityProtocol:
    """Responses: the system prompt is `instructions`, messages are the `input`.

    A model written `preset/low` names one of Perplexity's presets instead of a model.
    """

    def key_headers(self, key: str | None) -> dict[str, str]:
        """A bearer token."""
        return bearer(key)

    def request(self, call: Call) -> WireRequest:
        """`POST /v1/responses`."""
        system, messages = split_system(call.messages)
        require_plain(messages, "Perplexity")
        params = call.params
        if params.stop:
            raise InvalidParams(
                "Perplexity has no parameter `stop`.",
                "Take it out of the role's params, or override it with None.",
            )
        preset = call.model.startswith(_PRESET)
        body = {
            **({"preset": call.model[len(_PRESET) :]} if preset else {"model": call.model}),
            "input": [_item(message) for message in messages],
            **without_none(
                instructions=system or None,
                temperature=params.temperature,
                top_p=params.top_p,
                max_output_tokens=params.max_tokens,
            ),
            **params.extra,
        }
        if call.stream:
            body["stream"] = True
        return WireRequest("/v1/responses", body)

    def parse(self, raw: Mapping[str, Any]) -> Completion:
        """The text of the output's messages; searches and the like stay in `raw`."""
        output = raw.get("output")
        if not isinstance(output, list):
            raise UnexpectedShape("it has no `output`")
        items = [item for item in map(mapping, output) if item.get("type") == "message"]
        contents = [item["content"] for item in items if isinstance(item.get("content"), list)]
        parts = [mapping(part) for content in contents for part in content]
        refusal = "".join(text(part.get("refusal")) for part in parts) or None
        why = text(mapping(raw.get("incomplete_details")).get("reason"))
        cut = raw.get("status") == "incomplete"
        usage = mapping(raw.get("usage"))
        reason = ("length" if why in ("", "max_output_tokens") else why) if cut else "stop"
        return Completion(
            content="".join(
                text(part.get("text")) for part in parts if part.get("type") == "output_text"
            ),
            model=text(raw.get("model")) or None,
            usage=Usage(tokens(usage.get("input_tokens")), tokens(usage.get("output_tokens"))),
            finish_reason="refusal" if refusal else reason,
            refusal=refusal,
        )

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """A text delta; `response.completed` ends it."""
        kind = event.get("type")
        if kind in ("error", "response.failed"):
            failed = mapping(event.get("response")).get("error")
            return Piece(
                error=event.get("error") or failed or text(event.get("message")) or "error"
            )
        if kind == "response.output_text.delta":
            return Piece(text=text(event.get("delta")))
        if not isinstance(kind, str):
            raise UnexpectedShape("an event has no `type`")
        return Piece(last=kind in _ENDINGS)


def _item(message: Message) -> dict[str, Any]:
    content: str | list[dict[str, Any]]
    if isinstance(message.content, str):
        content = message.content
    else:
        kind = "output_text" if message.role == "assistant" else "input_text"
        content = [_part(part, kind) for part in message.parts]
    return {"type": "message", "role": message.role, "content": content}


def _part(part: Mapping[str, Any], kind: str) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"type": kind, "text": text(part.get("text"))}
    media_type, data, url = image_of(part, "Perplexity")
    return {"type": "input_image", "image_url": url or f"data:{media_type};base64,{data}"}
