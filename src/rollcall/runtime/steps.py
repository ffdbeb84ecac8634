"""What a call does, step by step, without doing it: one story for threads and for event loops.

A story is a generator that yields steps and is sent their results. `drive` performs them with a
`Link`, `drive_async` with an `AsyncLink`; nothing else differs between the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """POST a body; the result is a Reply or a NoReply.

    Attributes:
        timeout_seconds: bound on a whole reply, or on each wait of a streamed one.
        stream: leave a good reply's body open.
    """

    url: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    timeout_seconds: float = 120.0
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before trying again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Something that may take a while and is not this call: reading or refreshing a catalog.

    What it can fail with is its result, not raised.
    """

    do: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class NoReply:
    """There was no reply, or it broke off. `detail` is one line, not yet redacted."""

    why: Literal["timeout", "unreachable", "broken", "too_large"]
    detail: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. `chunks` is set instead of `body` where it is streamed."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    chunks: Any = None
    """Iterator, or async iterator, of bytes; a NoReply as last item says that it broke off."""


Step = Send | Pause | Work
Steps = Generator[Step, Any, T]


class Link(Protocol):
    """Performs steps in a thread."""

    def send(self, send: Send) -> Reply | NoReply:
        """Send a request."""

    def pause(self, seconds: float) -> None:
        """Wait."""


class AsyncLink(Protocol):
    """Performs steps in an event loop."""

    async def send(self, send: Send) -> Reply | NoReply:
        """Send a request."""

    async def pause(self, seconds: float) -> None:
        """Wait."""


SyncChunks = Iterator[bytes | NoReply]
AsyncChunks = AsyncIterator[bytes | NoReply]


def drive(steps: Steps[T], link: Link) -> T:
    """Perform a story to its end and give its result."""
    result: Any = None
    try:
        while True:
            match steps.send(result):
                case Send() as send:
                    result = link.send(send)
                case Pause(seconds):
                    result = None
                    link.pause(seconds)
                case Work(do):
                    result = do()
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        steps.close()


async def drive_async(steps: Steps[T], link: AsyncLink) -> T:
    """Perform a story to its end in an event loop and give its result."""
    result: Any = None
    try:
        while True:
            match steps.send(result):
                case Send() as send:
                    result = await link.send(send)
                case Pause(seconds):
                    result = None
                    await link.pause(seconds)
                case Work(do):
                    result = await asyncio.to_thread(do)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        steps.close()
