"""Ollama's own API, simulated: lines of JSON, streamed unless told otherwise."""

from __future__ import annotations

import json
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
    stops,
    text_of,
)
from tests.simulator.http import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.http import Request

_CREATED = "2026-09-21T14:13:20Z"


def error(bad: BadCall) -> Reply:
    """An error as Ollama words it."""
    return json_reply({"error": bad.message}, bad.status)


def chat(request: Request) -> Reply:
    """`POST /api/chat`."""
    data = read_object(request.body)
    return _answer(data, messages_of(data), lambda text: {"message": _message(text)})


def generate(request: Request) -> Reply:
    """`POST /api/generate`."""
    data = read_object(request.body)
    messages: list[dict[str, object]] = [
        {"role": "system", "content": data.get("system")},
        {"role": "user", "content": data.get("prompt")},
    ]
    return _answer(data, messages, lambda text: {"response": text})


def _message(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _answer(
    data: Mapping[str, object],
    messages: list[dict[str, object]],
    wrap: Callable[[str], dict[str, object]],
) -> Reply:
    question = _question(data, messages)
    spoken = speak(question)
    if not question.stream:
        return json_reply(wrap(spoken.text) | _ending(question, spoken))
    return Reply(
        headers={"content-type": "application/x-ndjson"}, body=_lines(question, spoken, wrap)
    )


def _question(data: Mapping[str, object], messages: list[dict[str, object]]) -> Question:
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise BadCall("model is required")
    options = data.get("options")
    options = options if isinstance(options, Mapping) else {}
    limit = options.get("num_predict")
    asked = [text_of(m.get("content")) for m in messages if m.get("role") == "user"]
    told = [text_of(m.get("content")) for m in messages if m.get("role") == "system"]
    return Question(
        model=model,
        user=(asked or [""])[-1],
        system="\n".join(filter(None, told)),
        input_tokens=count(*(text_of(m.get("content")) for m in messages)),
        max_tokens=None if limit in (None, -1, -2) else positive(limit, "num_predict"),
        stop=stops(options.get("stop")),
        stream=data.get("stream") is not False,
    )


def _ending(question: Question, spoken: Spoken) -> dict[str, object]:
    return {
        "model": question.model,
        "created_at": _CREATED,
        "done": True,
        "done_reason": "length" if spoken.cut else "stop",
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": question.input_tokens,
        "prompt_eval_duration": 1,
        "eval_count": len(spoken.words),
        "eval_duration": 1,
    }


def _lines(
    question: Question, spoken: Spoken, wrap: Callable[[str], dict[str, object]]
) -> Iterator[bytes]:
    head = {"model": question.model, "created_at": _CREATED}
    for word in spoken.words:
        yield json.dumps(head | wrap(word) | {"done": False}).encode() + b"\n"
    yield json.dumps(wrap("") | _ending(question, spoken)).encode() + b"\n"
