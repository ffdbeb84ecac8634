"""Turns the bytes of a reply into JSON, bounded: unpacked size, number of values, character set.

Not one of these bounds may depend on what the server claims: a gzip bomb is small on the wire.
"""

from __future__ import annotations

import codecs
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

MAX_BYTES: Final = 30 * 1024 * 1024
"""Of one provider's whole answer, after decompression."""

MAX_VALUES: Final = 2_000_000
"""Of one provider's whole answer. Thirty megabytes of `[],` are ten million lists, and in Python
a gigabyte; twenty thousand models in OpenRouter's detail have fewer values than this."""

_STEP: Final = 64 * 1024
PORTION: Final = 1024
"""Bytes to take at once: of a gzip stream at most a thousand times as much comes out, some
milliseconds of work, so that a deadline can step in."""
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class TooLarge(ValueError):
    """The body is over MAX_BYTES, sent or inflated."""


class Unreadable(ValueError):
    """The body is not what it should be; says what it looks like instead."""


class Inbox:
    """Collects one body chunk by chunk; inflates gzip in small steps, never past the bound.

    A gzip bomb turns a megabyte into a gigabyte within one chunk, so the bound has to hold
    inside a chunk, too.
    """

    def __init__(self, encoding: str, room: int = MAX_BYTES) -> None:
        """Start an empty one.

        Args:
            encoding: the content-encoding header.
            room: how many bytes may still come.

        Raises:
            Unreadable: an encoding we did not ask for.
        """
        word = encoding.strip().lower()
        if word not in ("", "identity", "gzip", "x-gzip"):
            raise Unreadable(f"it is encoded as {word[:40]!a}, which was not asked for")
        self._gzip = word in ("gzip", "x-gzip")
        self._inflater = zlib.decompressobj(_GZIP_WINDOW)
        self._parts: list[bytes] = []
        self._room = room

    def take(self, chunk: bytes) -> None:
        """Add a chunk as it came.

        Raises:
            TooLarge: that is over the bound. Unreadable: it is not gzip.
        """
        if not self._gzip:
            self._keep(chunk)
            return
        try:
            while chunk:
                self._keep(self._inflater.decompress(chunk, _STEP))
                chunk = self._inflater.unconsumed_tail
                if self._inflater.eof and (chunk := self._inflater.unused_data):
                    self._inflater = zlib.decompressobj(_GZIP_WINDOW)
        except zlib.error:
            raise Unreadable("it is not the gzip it says it is") from None

    def body(self) -> bytes:
        """All of it.

        Raises:
            Unreadable: the gzip stream ends in the middle.
        """
        if self._gzip and self._parts and not self._inflater.eof:
            raise Unreadable("it ends in the middle")
        return self.so_far()

    @property
    def room(self) -> int:
        """How many bytes may still come."""
        return self._room

    def so_far(self) -> bytes:
        """What came until now, whole or not."""
        return b"".join(self._parts)

    def _keep(self, part: bytes) -> None:
        self._room -= len(part)
        if self._room < 0:
            raise TooLarge(f"more than {MAX_BYTES // 1024 // 1024} MB")
        if part:
            self._parts.append(part)


def as_utf8(body: bytes) -> bytes:
    """The body in UTF-8 without a byte order mark; UTF-8 as it came stays untouched."""
    if body.startswith(codecs.BOM_UTF8):
        return body[len(codecs.BOM_UTF8) :]
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    return body.decode(encoding, "replace").encode("utf-8", "replace")


def too_many_values(bodies: Sequence[bytes]) -> bool:
    """Whether bodies, as JSON, hold more than MAX_VALUES; told from their punctuation."""
    if sum(map(len, bodies)) <= MAX_VALUES:
        return False
    return sum(body.count(mark) for body in bodies for mark in (b",", b"[", b"{")) > MAX_VALUES


def read_json(body: bytes) -> object:
    """The body as JSON; NaN and infinity become null, bytes that are no UTF-8 a mark.

    Raises:
        Unreadable: it is not JSON; says what it looks like.
    """
    text = body.decode("utf-8", "replace")
    try:
        document: object = json.loads(text, parse_constant=_nothing)
    except json.JSONDecodeError as error:
        raise Unreadable(_looks_like(text, error)) from None
    except ValueError:
        # A number of more digits than Python reads; such a number says nothing.
        document = json.loads(text, parse_constant=_nothing, parse_int=_int_or_nothing)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    return document


def _nothing(_word: str) -> None:
    return None


def _int_or_nothing(digits: str) -> int | None:
    return int(digits) if len(digits) <= 40 else None


def _looks_like(text: str, error: json.JSONDecodeError) -> str:
    start = text.lstrip()[:200].lower()
    if not start:
        return "it is empty"
    if start.startswith("<"):
        return "it is a web page, not JSON"
    cut_off = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
    if start[0] in "{[" and cut_off:
        return "it ends in the middle"
    return f"it is not JSON (at character {error.pos})"


# --- what stands in it, read for what it has ---


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str:
    """The value if it is a text, else none."""
    return value if isinstance(value, str) else ""


def items(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [mapping(item) for item in value] if isinstance(value, list) else []


def tokens(value: Any) -> int | None:
    """A token count, None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
