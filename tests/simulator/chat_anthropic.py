"""Anthropic's Messages API, simulated."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    wanted,
)

if TYPE_CHECKING:
    from tests.simulator.http import Reply, Request


def error(bad: BadCall) -> Reply:
    """An error as Anthropic words it."""
    detail = {"type": bad.code, "message": bad.message}
    return json_reply({"type": "error", "error": detail, "request_id": "req_simulated"}, bad.status)


def answer(request: Request) -> Reply:
    """`POST /v1/messages`."""
    if "anthropic-version" not in request.headers:
        raise BadCall("anthropic-version: header is required")
    question = _question(read_object(request.body))
    spoken = speak(question)
    if question.stream:
        return sse_reply(_events(question, spoken))
    content: list[object] = [{"type": "text", "text": spoken.text}] if spoken.words else []
    ending = _ending(spoken)
    if call := wanted(question):
        content = [_tool_use(question) | {"input": json.loads(call[1])}]
        ending = {"stop_reason": "tool_use", "stop_sequence": None}
    return json_reply(_message(question, content=content, usage=_usage(question, spoken)) | ending)


def _question(data: dict[str, object]) -> Question:
    messages = messages_of(data)
    for index, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant"):
            raise BadCall(
                f"messages.{index}.role: Input should be 'user' or 'assistant'; use the top-level "
                "`system` parameter for the system prompt"
            )
        if not message.get("content") and index < len(messages) - 1:
            raise BadCall(f"messages.{index}: all messages must have non-empty content")
    if data.get("max_tokens") is None:
        raise BadCall("max_tokens: Field required")
    if not isinstance(data.get("model"), str):
        raise BadCall("model: Field required")
    asked = [text_of(m.get("content")) for m in messages if m["role"] == "user"]
    tools = data.get("tools")
    named = [tool["name"] for tool in (tools if isinstance(tools, list) else [])]
    system = text_of(data.get("system"))
    return Question(
        model=str(data["model"]),
        user=(asked or [""])[-1],
        system=system,
        input_tokens=count(system, *(text_of(m.get("content")) for m in messages)),
        max_tokens=positive(data["max_tokens"], "max_tokens"),
        stop=stops(data.get("stop_sequences")),
        stream=data.get("stream") is True,
        tools=tuple(named),
        tool_said=_tool_said(messages),
    )


def _tool_said(messages: list[dict[str, object]]) -> str:
    """What the last message's tools gave; each must answer a call of the message before."""
    made: set[object] = set()
    said: list[str] = []
    for message in messages:
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        said = []
        for block in [block for block in blocks if block["type"] == "tool_result"]:
            if block["tool_use_id"] not in made:
                raise BadCall("messages: unexpected `tool_use_id` found in `tool_result` blocks")
            said.append(text_of(block.get("content")))
        made = {block["id"] for block in blocks if block["type"] == "tool_use"}
    return " ".join(said)


def _tool_use(question: Question) -> dict[str, object]:
    call = wanted(question)
    assert call is not None
    return {"type": "tool_use", "id": f"toolu_{question.id}", "name": call[0]}


def _message(question: Question, *, content: list[object], usage: object) -> dict[str, object]:
    return {
        "id": f"msg_{question.id}",
        "type": "message",
        "role": "assistant",
        "model": question.model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _ending(spoken: Spoken) -> dict[str, str | None]:
    if spoken.cut:
        return {"stop_reason": "max_tokens", "stop_sequence": None}
    if spoken.stopped_by is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": spoken.stopped_by}
    return {"stop_reason": "end_turn", "stop_sequence": None}


def _usage(question: Question, spoken: Spoken | None) -> dict[str, int]:
    return {
        "input_tokens": question.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": len(spoken.words) if spoken else 1,
    }


def _events(question: Question, spoken: Spoken) -> Iterator[bytes]:
    opening = _message(question, content=[], usage=_usage(question, None))
    call, ending = wanted(question), _ending(spoken)
    deltas: list[dict[str, str]] = [{"type": "text_delta", "text": word} for word in spoken.words]
    block: dict[str, object] = {"type": "text", "text": ""}
    if call:
        block = _tool_use(question) | {"input": {}}
        parts = (call[1][:3], call[1][3:])
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        ending = {"stop_reason": "tool_use", "stop_sequence": None}
    events: list[tuple[str, dict[str, object]]] = [
        ("message_start", {"message": opening}),
        ("content_block_start", {"index": 0, "content_block": block}),
        ("ping", {}),
    ]
    events += [("content_block_delta", {"index": 0, "delta": delta}) for delta in deltas]
    events += [
        ("content_block_stop", {"index": 0}),
        (
            "message_delta",
            {"delta": ending, "usage": {"output_tokens": len(spoken.words)}},
        ),
        ("message_stop", {}),
    ]
    for name, data in events:
        yield sse({"type": name, **data}, event=name)
