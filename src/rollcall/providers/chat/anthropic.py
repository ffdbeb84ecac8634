"""Anthropic's Messages API."""

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
from rollcall.providers.chat.errors import InvalidMessages, InvalidParams
from rollcall.providers.chat.messages import Message, image_of, require_plain, split_system

VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 4096
"""Anthropic requires a limit; every one of its models allows this much."""

_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}


class AnthropicProtocol:
    """Messages: the system prompt is a field of its own, and a limit is required."""

    def key_headers(self, key: str | None) -> dict[str, str]:
        """The key, and the version of the API, which is required."""
        return {"anthropic-version": VERSION} | ({"x-api-key": key} if key else {})

    def request(self, call: Call) -> WireRequest:
        """`POST /v1/messages`."""
        system, messages = split_system(call.messages)
        _check(messages)
        params = call.params
        if params.temperature is not None and params.temperature > 1:
            raise InvalidParams(
                f"temperature is {params.temperature}, and Anthropic's goes from 0 to 1.",
                "Lower it, in the role's params or in params_override.",
            )
        body = {
            "model": call.model,
            "messages": [
                {"role": message.role, "content": _content(message)} for message in messages
            ],
            "max_tokens": params.max_tokens or DEFAULT_MAX_TOKENS,
            **without_none(
                system=system or None,
                temperature=params.temperature,
                top_p=params.top_p,
                stop_sequences=list(params.stop) or None,
            ),
            **params.extra,
        }
        if call.stream:
            body["stream"] = True
        return WireRequest("/v1/messages", body)

    def parse(self, raw: Mapping[str, Any]) -> Completion:
        """The text blocks; other blocks (thinking, tool use) stay in `raw`."""
        blocks = raw.get("content")
        if not isinstance(blocks, list):
            raise UnexpectedShape("it has no `content`")
        reason = text(raw.get("stop_reason")) or "stop"
        usage = mapping(raw.get("usage"))
        return Completion(
            content="".join(
                text(block.get("text")) for block in map(mapping, blocks) if _is_text(block)
            ),
            model=text(raw.get("model")) or None,
            usage=Usage(_input_tokens(usage), tokens(usage.get("output_tokens"))),
            finish_reason=_FINISH.get(reason, reason),
            refusal="the model declined" if reason == "refusal" else None,
        )

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """A text delta; `message_stop` ends it."""
        kind = event.get("type")
        if kind == "error":
            return Piece(error=event.get("error") or "error")
        if kind == "content_block_delta":
            delta = mapping(event.get("delta"))
            return Piece(text=text(delta.get("text")) if delta.get("type") == "text_delta" else "")
        if not isinstance(kind, str):
            raise UnexpectedShape("an event has no `type`")
        return Piece(last=kind == "message_stop")


def _is_text(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text"


def _input_tokens(usage: Mapping[str, Any]) -> int | None:
    """All input: what was read from or written to the cache is counted apart by Anthropic."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [tokens(usage.get(name)) for name in names]
    return None if counts[0] is None else sum(count or 0 for count in counts)


def _check(messages: tuple[Message, ...]) -> None:
    require_plain(messages, "Anthropic")
    if messages[0].role != "user":
        raise InvalidMessages(
            "The first message is the assistant's, and Anthropic wants the user's first.",
            "Put a user message before it.",
        )
    for index, message in enumerate(messages):
        blank = [part for part in message.parts if part.get("type") == "text"]
        if any(not text(part.get("text")).strip() for part in blank):
            raise InvalidMessages(
                f"Message {index} ({message.role}) has a blank text, which Anthropic refuses.",
                "Give it a text, or leave it out.",
            )


def _content(message: Message) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str):
        return message.content
    return [_block(part) for part in message.parts]


def _block(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"type": "text", "text": text(part.get("text"))}
    media_type, data, url = image_of(part, "Anthropic")
    if url:
        return {"type": "image", "source": {"type": "url", "url": url}}
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "image", "source": source}
