"""Gemini's generateContent, simulated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tests.simulator.chat_openai import vector
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
    wanted,
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
    if wanted(question):
        whole = _reply(question, spoken, "", last=True)
        return (
            sse_reply(iter([sse(whole, newline="\r\n")])) if question.stream else json_reply(whole)
        )
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
    _check_responses(contents)
    tools = data.get("tools")
    declared = [
        function["name"]
        for tool in (tools if isinstance(tools, list) else [])
        for function in tool.get("functionDeclarations", [])
    ]
    said = _responses(contents[-1])
    asked = [text_of(c["parts"]) for c in contents if c.get("role", "user") == "user"]
    return Question(
        model=model,
        user=(asked or [""])[-1],
        system=system,
        input_tokens=count(system, *(text_of(c["parts"]) for c in contents)),
        max_tokens=positive(limit, "max_output_tokens"),
        stop=stops(config.get("stopSequences", config.get("stop_sequences"))),
        stream=stream,
        tools=tuple(declared),
        tool_said=" ".join(str(one["response"]) for one in said),
    )


def _responses(content: Mapping[str, object]) -> list[dict[str, object]]:
    parts = content["parts"]
    assert isinstance(parts, list)
    return [part["functionResponse"] for part in parts if "functionResponse" in part]


def _check_responses(contents: list[dict[str, object]]) -> None:
    """As many responses as calls, of the same names, right behind them."""
    calls: list[str] = []
    for content in contents:
        parts = content["parts"]
        assert isinstance(parts, list)
        given = [str(response["name"]) for response in _responses(content)]
        if given != calls:
            raise BadCall("Please ensure that function response turn comes after a function call.")
        calls = [part["functionCall"]["name"] for part in parts if "functionCall" in part]


def embed(request: Request) -> Reply:
    """`POST /models/{model}:batchEmbedContents`."""
    requests = read_object(request.body).get("requests")
    if not isinstance(requests, list) or not requests:
        raise BadCall("* BatchEmbedContentsRequest.requests: must not be empty")
    texts = [text_of(one["content"]["parts"]) for one in requests]
    return json_reply({"embeddings": [{"values": vector(text)} for text in texts]})


def _reply(question: Question, spoken: Spoken, text: str, *, last: bool) -> dict[str, object]:
    parts: list[dict[str, object]] = [{"text": text}]
    if call := wanted(question):
        function = {"name": call[0], "args": json.loads(call[1])}
        parts = [{"functionCall": function, "thoughtSignature": "c2lnbg=="}]
    candidate: dict[str, object] = {"content": {"parts": parts, "role": "model"}, "index": 0}
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
