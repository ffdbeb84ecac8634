"""What comes back from a call: the reply, what it says piece by piece, and the whole answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status, headers (names in lower case), and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class NoReply:
    """There was no reply, or it broke off. `detail` is one line, not yet redacted."""

    why: Literal["timeout", "unreachable", "broken", "too_large"]
    detail: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None = it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None


UNKNOWN_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that the model asks for, or a part of one in a stream.

    Attributes:
        index: which call a part belongs to; None where it is a whole one.
        arguments: JSON, as the model wrote it.
        extra: what the provider wants back with it: `{"extra_content": {...}}`, as Google has it.
    """

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of a stream says; a whole reply is one piece.

    Attributes:
        finish_reason: set where the answer ends: stop, length, tool_calls, refusal, or the
            provider's own word. refusal: why it declined, or a part of that.
        error: the provider broke off: its words, with its code.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    refusal: str = ""
    model: str = ""
    usage: Usage = UNKNOWN_USAGE
    error: Mapping[str, Any] | str | None = None

    @property
    def says_something(self) -> bool:
        """Whether the answer has begun with it, or ended."""
        return bool(self.text or self.tool_calls or self.finish_reason or self.refusal)


class Answer:
    """A whole answer, put together from its pieces."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._tools: dict[int | tuple[int], ToolCall] = {}
        self._usage = UNKNOWN_USAGE
        self._reason = ""
        self._id = uuid4().hex[:12]
        self.model = ""

    def add(self, piece: Piece) -> None:
        """Add the next piece."""
        self._texts.append(piece.text)
        self._refusals.append(piece.refusal)
        self.model = piece.model or self.model
        if self._reason in ("", "stop"):  # an answer that was cut ends with a plain end, too
            self._reason = piece.finish_reason or self._reason
        counted = piece.usage
        self._usage = Usage(
            self._usage.input_tokens if counted.input_tokens is None else counted.input_tokens,
            self._usage.output_tokens if counted.output_tokens is None else counted.output_tokens,
        )
        for part in piece.tool_calls:
            place = (len(self._tools),) if part.index is None else part.index
            had = self._tools.get(place, ToolCall())
            self._tools[place] = ToolCall(
                part.index,
                part.id or had.id,
                part.name or had.name,
                had.arguments + part.arguments,
                {**had.extra, **part.extra},
            )

    @property
    def content(self) -> str:
        """The text."""
        return "".join(self._texts)

    @property
    def refusal(self) -> str | None:
        """Why it is not an answer, where it is none."""
        return "".join(self._refusals) or None

    @property
    def finish_reason(self) -> str:
        """Why it ended: stop, length, tool_calls, refusal, or the provider's own word."""
        if self._reason in ("", "stop"):
            return "refusal" if self.refusal else "tool_calls" if self._tools else "stop"
        return self._reason

    @property
    def usage(self) -> Usage:
        """The tokens counted."""
        return self._usage

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The tools the model wants called, in OpenAI's shape."""
        return [
            {
                "id": call.id or f"call_{self._id}_{index}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
                **call.extra,
            }
            for index, call in enumerate(self._tools.values())
        ]


class UnexpectedShape(Exception):
    """A reply is JSON, but not of the protocol; says what is missing."""
