"""What comes back from a call: the reply, and what it says piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status, headers (names in lower case), and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None = it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None

    def updated(self, later: Usage) -> Usage:
        """With what a later piece counts."""
        return Usage(
            self.input_tokens if later.input_tokens is None else later.input_tokens,
            self.output_tokens if later.output_tokens is None else later.output_tokens,
        )


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

    def joined(self, part: ToolCall) -> ToolCall:
        """With its next part."""
        return ToolCall(
            self.index,
            part.id or self.id,
            part.name or self.name,
            self.arguments + part.arguments,
            {**self.extra, **part.extra},
        )


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


class UnexpectedShape(Exception):
    """A reply is JSON, but not of the protocol; says what is missing."""
