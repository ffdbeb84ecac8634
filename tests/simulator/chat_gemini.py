"""Gemini's generateContent, simulated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tests.simulator.conversation import (
    BadCall,
    Question,
    Spoken,
    count,
    json_reply,
    messages_of,
    positive,
    read_object,
    speak,
    sse,
    sse_reply,
    stops,
    text_of,
)
from tests.simulator.http import Reply

if TYPE_CHECKING:
    from tests.simulator.http import Request

_PATH = re.compile(r"/models/(?P<model>.+):(?P<verb>generateContent|streamGenerateContent)$")
_STATUS = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}


def error(bad: BadCall) -> Reply:
    """An error as Google words it."""
    status = _STATUS.get(bad.status, "UNKNOWN")
    return json_reply(
        {"error": {"code": bad.status, "message": bad.message, "status": status}}, bad.status
    )


def generate(request: Request) -> Reply:
    """`POST /models/{model}:generateContent` and `:streamGenerateContent`, as SSE or an array."""
    found = _PATH.search(request.path)
    if found is None:
        raise BadCall("models/ is missing in the path", status=404)
    question = _question(
        found["model"], read_object(request.body), stream=found["verb"].startswith("stream")
    )
    spoken = speak(question)
    if not question.stream:
        return json_reply(_reply(question, spoken, spoken.text, last=True))
    parts = _parts(question, spoken)
    if request.query.get("alt") == "sse":
        return sse_reply(sse(part, newline="\r\n") for part in parts)
    return Reply(body=json.dumps(list(parts)).encode())


def _question(model: str, data: dict[str, object], *, stream: bool) -> Question:
    contents = messages_of(data, "contents")
    for content in contents:
        if content.get("role", "user") not in ("user", "model"):
            raise BadCall("Please use a valid role: user, model.")
        if not isinstance(content.get("parts"), list) or not content["parts"]:
            raise BadCall("* GenerateContentRequest.contents: contents.parts must not be empty.")
    given = data.get("systemInstruction") or data.get("system_instruction")
    system = text_of(given.get("parts")) if isinstance(given, Mapping) else ""
    config = data.get("generationConfig") or data.get("generation_config") or {}
    if not isinstance(config, Mapping):
        raise BadCall("Invalid value at 'generation_config'")
    limit = config.get("maxOutputTokens", config.get("max_output_tokens"))
    asked = [text_of(c["parts"]) for c in contents if c.get("role", "user") == "user"]
    return Question(
        model=model,
        user=(asked or [""])[-1],
        system=system,
        input_tokens=count(system, *(text_of(c["parts"]) for c in contents)),
        max_tokens=positive(limit, "max_output_tokens"),
        stop=stops(config.get("stopSequences", config.get("stop_sequences"))),
        stream=stream,
    )


def _reply(question: Question, spoken: Spoken, text: str, *, last: bool) -> dict[str, object]:
    candidate: dict[str, object] = {
        "content": {"parts": [{"text": text}], "role": "model"},
        "index": 0,
    }
    if last:
        candidate["finishReason"] = "MAX_TOKENS" if spoken.cut else "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": question.input_tokens,
            "candidatesTokenCount": len(spoken.words),
            "totalTokenCount": question.input_tokens + len(spoken.words),
        },
        "modelVersion": question.model,
        "responseId": question.id,
    }


def _parts(question: Question, spoken: Spoken) -> Iterator[dict[str, object]]:
    for word in spoken.words:
        yield _reply(question, spoken, word, last=False)
    yield _reply(question, spoken, "", last=True)
