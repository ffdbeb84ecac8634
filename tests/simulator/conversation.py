"""What every simulated completion has in common: a question read, an answer made of words.

A word stands for a token, so `max_tokens: 3` gives three words, and a stream has a piece per word.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tests.simulator.http import Reply

CREATED = 1_790_000_000
"""The moment every simulated reply was made: the same call gives the same bytes."""

SSE_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


class BadCall(Exception):
    """The call is not what the provider takes; it answers with an error of its own shape."""

    def __init__(
        self, message: str, status: int = 400, code: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Question:
    """A completion call, whatever the protocol. `input_tokens` are the words of all messages."""

    model: str
    user: str
    system: str = ""
    input_tokens: int = 0
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    tools: tuple[str, ...] = ()
    tool_said: str = ""
    """What a tool gave, where that is the last message."""

    @property
    def id(self) -> str:
        """A stable id of this question, streamed or not."""
        return hashlib.sha256(repr(replace(self, stream=False)).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the model says: words with the blanks before them, and why it ended."""

    words: tuple[str, ...]
    cut: bool
    """Whether `max_tokens` ended it."""
    stopped_by: str | None
    """The stop sequence that ended it."""

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.words)


def wanted(question: Question) -> tuple[str, str] | None:
    """(name, arguments) of the tool that "call NAME {...}" asks for, where there is such a tool."""
    found = re.fullmatch(r"call (\w+) (\{.*\})", question.user)
    if question.tool_said or not found or found[1] not in question.tools:
        return None
    return found[1], found[2]


def speak(question: Question) -> Spoken:
    """The answer: model id, what it was told by the system, and the last user message."""
    told = f" (told: {question.system})" if question.system else ""
    text = f"{question.model}{told} heard: {question.tool_said or question.user}"
    stopped_by = min((stop for stop in question.stop if stop in text), key=text.index, default=None)
    if stopped_by is not None:
        text = text[: text.index(stopped_by)]
    words = re.findall(r"\s*\S+|\s+$", text)
    limit = question.max_tokens
    if limit is None or limit >= len(words):
        return Spoken(tuple(words), cut=False, stopped_by=stopped_by)
    return Spoken(tuple(words[:limit]), cut=True, stopped_by=None)


def text_of(content: object) -> str:
    """The text of a message's content: a string, or parts that have a `text`."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return ""


def count(*texts: str) -> int:
    """Tokens of texts, a word each."""
    return sum(len(text.split()) for text in texts)


def positive(value: object, name: str) -> int | None:
    """A token limit, None where there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadCall(f"{name}: must be a whole number of at least 1")
    return value


def stops(value: object) -> tuple[str, ...]:
    """Stop sequences: a string, a list, or nothing."""
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def read_object(body: bytes) -> dict[str, object]:
    """The JSON object of a call's body."""
    try:
        data = json.loads(body)
    except ValueError:
        raise BadCall("We could not parse the JSON body of your request.") from None
    if not isinstance(data, dict):
        raise BadCall("The body must be a JSON object.")
    return data


def messages_of(data: Mapping[str, object], field: str = "messages") -> list[dict[str, object]]:
    """The list of messages of a call, at least one."""
    messages = data.get(field)
    if not isinstance(messages, list) or not messages:
        raise BadCall(f"{field}: at least one message is required")
    if not all(isinstance(message, dict) for message in messages):
        raise BadCall(f"{field}: each message must be an object")
    return messages


def json_reply(data: object, status: int = 200) -> Reply:
    """A JSON body."""
    return Reply(status=status, body=json.dumps(data).encode())


def sse_reply(frames: Iterator[bytes]) -> Reply:
    """A stream of server-sent events."""
    return Reply(headers=SSE_HEADERS, body=frames)


def sse(data: object, *, event: str | None = None, newline: str = "\n") -> bytes:
    """One server-sent event."""
    head = f"event: {event}{newline}" if event else ""
    text = data if isinstance(data, str) else json.dumps(data)
    return f"{head}data: {text}{newline}{newline}".encode()
