"""Google's generateContent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

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
from rollcall.providers.chat.errors import InvalidMessages
from rollcall.providers.chat.messages import Message, image_of, require_plain, split_system

_BESIDE_GENERATION_CONFIG = {
    "safetySettings",
    "tools",
    "toolConfig",
    "cachedContent",
    "labels",
}
"""Parameters that stand at the top of the body; every other one is generation config."""

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}
_REFUSALS = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"}


class GeminiProtocol:
    """generateContent: roles are `user` and `model`, text is a list of parts."""

    def key_headers(self, key: str | None) -> dict[str, str]:
        """A header: keys in addresses end up in logs."""
        return {"x-goog-api-key": key} if key else {}

    def request(self, call: Call) -> WireRequest:
        """`POST /models/{model}:generateContent`, streamed as server-sent events."""
        system, messages = split_system(call.messages)
        require_plain(messages, "Gemini")
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
            "contents": [_content(message) for message in messages],
            **without_none(
                systemInstruction={"parts": [{"text": system}]} if system else None,
                generationConfig=config or None,
            ),
            **beside,
        }
        verb = "streamGenerateContent?alt=sse" if call.stream else "generateContent"
        model = quote(call.model.removeprefix("models/"), safe="")
        return WireRequest(f"/models/{model}:{verb}", body)

    def parse(self, raw: Mapping[str, Any]) -> Completion:
        """The first candidate; a blocked prompt has none."""
        candidates = raw.get("candidates")
        blocked = text(mapping(raw.get("promptFeedback")).get("blockReason"))
        usage = mapping(raw.get("usageMetadata"))
        if not isinstance(candidates, list) or not candidates:
            if not blocked:
                raise UnexpectedShape("it has no `candidates`")
            candidates = [{"finishReason": blocked}]
        candidate = mapping(candidates[0])
        reason = text(candidate.get("finishReason")) or "STOP"
        refused = bool(blocked) or reason in _REFUSALS
        return Completion(
            content=_text(candidate),
            model=text(raw.get("modelVersion")) or None,
            usage=Usage(tokens(usage.get("promptTokenCount")), _output_tokens(usage)),
            finish_reason="refusal" if refused else _FINISH.get(reason, reason.lower()),
            refusal=reason if refused else None,
        )

    def piece(self, event: Mapping[str, Any]) -> Piece:
        """Each event is a whole reply with the next part of the text."""
        if event.get("error"):
            return Piece(error=event["error"])
        candidates = event.get("candidates")
        if not isinstance(candidates, list) or not candidates:
            return Piece(last=bool(mapping(event.get("promptFeedback")).get("blockReason")))
        candidate = mapping(candidates[0])
        return Piece(text=_text(candidate), last=bool(candidate.get("finishReason")))


def _text(candidate: Mapping[str, Any]) -> str:
    """The text parts without the model's thoughts."""
    parts = mapping(candidate.get("content")).get("parts")
    if not isinstance(parts, list):
        return ""
    return "".join(text(p.get("text")) for p in map(mapping, parts) if not p.get("thought"))


def _output_tokens(usage: Mapping[str, Any]) -> int | None:
    """Thoughts are charged as output, and counted apart."""
    counts = [tokens(usage.get(name)) for name in ("candidatesTokenCount", "thoughtsTokenCount")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _content(message: Message) -> dict[str, Any]:
    role = "model" if message.role == "assistant" else "user"
    return {"role": role, "parts": [_part(part) for part in message.parts]}


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
