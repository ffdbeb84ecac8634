"""Server-sent events out of bytes that arrive cut anywhere. Pure."""

from __future__ import annotations

from collections.abc import Iterator

MAX_EVENT_BYTES = 8 * 1024 * 1024


class EventTooLarge(Exception):
    """An event is longer than any completion's: not what we asked for."""


class EventReader:
    """Reads the data of server-sent events, whatever the chunks.

    Lines end in LF or CRLF (no provider uses a bare CR); an event ends at a blank line, or where
    the stream ends. Comments, names and ids are passed over: every protocol repeats what matters
    in the data.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The events that are complete with this chunk."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if self._held + len(self._rest) > MAX_EVENT_BYTES:
            raise EventTooLarge
        for line in lines:
            yield from self._line(line.removesuffix(b"\r"))

    def end(self) -> Iterator[str]:
        """The event the stream ended in, if any."""
        yield from self._line(self._rest.removesuffix(b"\r"))
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[str]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._held += len(line)
        elif not line and self._data:
            data, self._data, self._held = b"\n".join(self._data), [], 0
            yield data.decode("utf-8", "replace")
