"""OpenAI's two protocols, simulated: Chat Completions and Responses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tests.simulator.conversation import (
    CREATED,
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

_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
_REASONING = re.compile(r"^(o\d|gpt-5)")
"""Bare names of OpenAI's models that refuse `max_tokens`."""


def error(bad: BadCall) -> Reply:
    """An error as OpenAI, OpenRouter and Perplexity word it."""
    detail = {"message": bad.message, "type": bad.code, "param": None, "code": bad.code}
    return json_reply({"error": detail}, bad.status)


def closed(_request: Request) -> Reply:
    """Perplexity's chat endpoint, shut down in September 2026."""
    raise BadCall(
        "Sonar is now the Agent API. Use /v1/responses instead.",
        status=403,
        code="chat_completions_not_available",
    )


def complete(request: Request) -> Reply:
    """`POST /chat/completions`."""
    data = read_object(request.body)
    question = _question(data, messages_of(data), _limit(data))
    spoken, call = speak(question), wanted(question)
    if not question.stream:
        message: dict[str, object] = {"role": "assistant", "content": spoken.text, "refusal": None}
        if call:
            function = {"name": call[0], "arguments": call[1]}
            calls = [{"id": f"call_{question.id}", "type": "function", "function": function}]
            message |= {"content": None, "tool_calls": calls}
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": "tool_calls" if call else _reason(spoken),
        }
        return json_reply(
            _completion(question, "chat.completion", [choice])
            | {"usage": _chat_usage(question, spoken)}
        )
    options = data.get("stream_options")
    with_usage = isinstance(options, Mapping) and options.get("include_usage") is True
    return sse_reply(_chunks(question, spoken, with_usage=with_usage))


def respond(request: Request) -> Reply:
    """`POST /responses`."""
    data = read_object(request.body)
    limit = positive(data.get("max_output_tokens"), "max_output_tokens")
    given = data.get("input")
    if isinstance(given, str):
        messages: list[dict[str, object]] = [{"role": "user", "content": given}]
    else:
        messages = messages_of(data, "input")
    question = _question(data, messages, limit, instructions=text_of(data.get("instructions")))
    spoken = speak(question)
    if question.stream:
        return sse_reply(_events(question, spoken))
    return json_reply(_response(question, spoken))


def _question(
    data: Mapping[str, object],
    messages: list[dict[str, object]],
    limit: int | None,
    instructions: str = "",
) -> Question:
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise BadCall("you must provide a model parameter")
    for message in messages:
        if message.get("role", "tool") not in _ROLES:
            raise BadCall(f"Invalid value: {message.get('role')!r}. Supported: system, user...")
    _check_tools(messages)
    last = messages[-1]
    told = last.get("output") if last.get("type") == "function_call_output" else None
    said = {
        kind: [
            text_of(message.get("content")) for message in messages if message.get("role") in kind
        ]
        for kind in (("user",), ("system", "developer"))
    }
    return Question(
        model=model,
        user=(said[("user",)] or [""])[-1],
        system="\n".join(filter(None, (instructions, *said["system", "developer"]))),
        input_tokens=count(instructions, *(text_of(m.get("content")) for m in messages)),
        max_tokens=limit,
        stop=stops(data.get("stop")),
        stream=data.get("stream") is True,
        tools=_names(data.get("tools")),
        tool_said=text_of(told or (last.get("content") if last.get("role") == "tool" else "")),
    )


def _names(tools: object) -> tuple[str, ...]:
    """The functions among tools, which Responses has flat."""
    found = tools if isinstance(tools, list) else []
    if not all(isinstance(tool, Mapping) and "type" in tool for tool in found):
        raise BadCall("Missing required parameter: 'tools[0].type'.")
    return tuple(str(tool.get("function", tool)["name"]) for tool in found)


def _check_tools(messages: list[dict[str, object]]) -> None:
    """What a tool gave must answer a call that was made before."""
    made: set[object] = set()
    for message in messages:
        calls = message.get("tool_calls")
        made |= {call["id"] for call in (calls if isinstance(calls, list) else [])}
        if message.get("type") == "function_call":
            made.add(message.get("call_id"))
        if message.get("role") == "tool" and message.get("tool_call_id") not in made:
            raise BadCall("messages with role 'tool' must be a response to a 'tool_calls'.")
        if message.get("type") == "function_call_output" and message.get("call_id") not in made:
            raise BadCall("No tool call found for function call output.")


def _limit(data: Mapping[str, object]) -> int | None:
    if data.get("max_tokens") is not None and _REASONING.match(str(data.get("model"))):
        raise BadCall(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            code="unsupported_parameter",
        )
    for name in ("max_completion_tokens", "max_tokens"):
        if data.get(name) is not None:
            return positive(data[name], name)
    return None


def _reason(spoken: Spoken) -> str:
    return "length" if spoken.cut else "stop"


def _completion(question: Question, kind: str, choices: list[object]) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{question.id}",
        "object": kind,
        "created": CREATED,
        "model": question.model,
        "choices": choices,
    }


def _chat_usage(question: Question, spoken: Spoken) -> dict[str, int]:
    return {
        "prompt_tokens": question.input_tokens,
        "completion_tokens": len(spoken.words),
        "total_tokens": question.input_tokens + len(spoken.words),
    }


def _chunks(question: Question, spoken: Spoken, *, with_usage: bool) -> Iterator[bytes]:
    deltas: list[tuple[dict[str, object], str | None]] = []
    deltas += [({"role": "assistant", "content": ""}, None)]
    if call := wanted(question):
        head = {"index": 0, "id": f"call_{question.id}", "type": "function"}
        deltas += [
            ({"tool_calls": [head | {"function": {"name": call[0], "arguments": ""}}]}, None),
            ({"tool_calls": [{"index": 0, "function": {"arguments": call[1][:3]}}]}, None),
            ({"tool_calls": [{"index": 0, "function": {"arguments": call[1][3:]}}]}, None),
            ({}, "tool_calls"),
        ]
    else:
        deltas += [({"content": word}, None) for word in spoken.words]
        deltas += [({}, _reason(spoken))]
    for delta, reason in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        yield sse(_completion(question, "chat.completion.chunk", [choice]))
    if with_usage:
        last = _completion(question, "chat.completion.chunk", [])
        yield sse(last | {"usage": _chat_usage(question, spoken)})
    yield sse("[DONE]")


def _response(question: Question, spoken: Spoken, *, done: bool = True) -> dict[str, object]:
    status = "in_progress" if not done else "incomplete" if spoken.cut else "completed"
    return {
        "id": f"resp_{question.id}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if done and spoken.cut else None,
        "instructions": question.system or None,
        "max_output_tokens": question.max_tokens,
        "model": question.model,
        "output": [_call_item(question) or _item(question, spoken)] if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
        "usage": _response_usage(question, spoken) if done else None,
    }


def _response_usage(question: Question, spoken: Spoken) -> dict[str, object]:
    return {
        "input_tokens": question.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": len(spoken.words),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": question.input_tokens + len(spoken.words),
    }


def _call_item(question: Question) -> dict[str, object] | None:
    call = wanted(question)
    if call is None:
        return None
    return {
        "id": f"fc_{question.id}",
        "type": "function_call",
        "status": "completed",
        "call_id": f"call_{question.id}",
        "name": call[0],
        "arguments": call[1],
    }


def _item(question: Question, spoken: Spoken) -> dict[str, object]:
    return {
        "id": f"msg_{question.id}",
        "type": "message",
        "status": "incomplete" if spoken.cut else "completed",
        "role": "assistant",
        "content": [_part(spoken.text)],
    }


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _events(question: Question, spoken: Spoken) -> Iterator[bytes]:
    item = _item(question, spoken)
    opened = item | {"status": "in_progress", "content": []}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    started = _response(question, spoken, done=False)
    events: list[tuple[str, dict[str, object]]] = [
        ("created", {"response": started}),
        ("in_progress", {"response": started}),
    ]
    call = _call_item(question)
    if call:
        events += [
            ("output_item.added", {"output_index": 0, "item": call | {"arguments": ""}}),
            ("function_call_arguments.delta", {"output_index": 0, "delta": call["arguments"]}),
            ("output_item.done", {"output_index": 0, "item": call}),
        ]
    said: list[tuple[str, dict[str, object]]] = [
        ("output_item.added", {"output_index": 0, "item": opened}),
        ("content_part.added", place | {"part": _part("")}),
        *(("output_text.delta", place | {"delta": word, "logprobs": []}) for word in spoken.words),
        ("output_text.done", place | {"text": spoken.text, "logprobs": []}),
        ("content_part.done", place | {"part": _part(spoken.text)}),
        ("output_item.done", {"output_index": 0, "item": item}),
    ]
    events += [] if call else said
    ending = "incomplete" if spoken.cut else "completed"
    events.append((ending, {"response": _response(question, spoken)}))
    for number, (name, data) in enumerate(events):
        kind = f"response.{name}"
        yield sse({"type": kind, "sequence_number": number, **data}, event=kind)


def embed(request: Request) -> Reply:
    """`POST /embeddings`: a text's length and its first letter, last text first."""
    data = read_object(request.body)
    given = data.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(texts):
        raise BadCall("'$.input' is invalid.")
    rows = [
        {"object": "embedding", "index": index, "embedding": vector(text)}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": count(*texts), "total_tokens": count(*texts)}
    model = str(data.get("model"))
    return json_reply({"object": "list", "data": rows[::-1], "model": model, "usage": usage})


def vector(text: str) -> list[float]:
    """A text as two numbers."""
    return [float(len(text)), ord(text[0]) / 1000]
