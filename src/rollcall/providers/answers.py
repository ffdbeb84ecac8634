"""From reply bodies to an Answer: the path that a fresh reply and a stored one both take."""

from __future__ import annotations

import codecs
import json
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.failures import Refusal, clipped, error_inside, one_line
from rollcall.providers.wire import HttpRequest, WrongShape

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.secrets import Redactor


MAX_BYTES: Final = 30 * 1024 * 1024
"""Of one provider's whole answer, after decompression."""

MAX_VALUES: Final = 2_000_000
"""Of one provider's whole answer. Thirty megabytes of `[],` are ten million lists, and in Python
a gigabyte; twenty thousand models in OpenRouter's detail have fewer values than this."""

_STEP: Final = 64 * 1024
_PORTION: Final = 1024
"""Of a gzip stream: at most a thousand times as much comes out, some milliseconds of work."""
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

    def portions(self, chunk: bytes) -> Iterable[bytes]:
        """The chunk in parts that are each taken in no time, so that a deadline can step in."""
        if not self._gzip:
            return (chunk,)
        return (chunk[at : at + _PORTION] for at in range(0, len(chunk), _PORTION))

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


class Refused(Exception):
    """A provider could not be asked; `refusal` says how and why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class Pages:
    """The pages of one provider's answer, as they come in."""

    def __init__(self, provider: Provider, redactor: Redactor) -> None:
        """Start with none."""
        self.bodies: list[bytes] = []
        self.notes: list[str] = []
        self._provider = provider
        self._redactor = redactor
        self._documents: list[object] = []

    def add(self, raw: bytes) -> None:
        """Take a page.

        Raises:
            Refused: it is no JSON, holds an error, or far too much.
        """
        body = self._redactor.clean_page(as_utf8(raw))
        if too_many_values((*self.bodies, body)):
            detail = f"its answer holds more than {MAX_VALUES:,} values"
            raise Refused(Refusal(Verdict.TOO_LARGE, detail))
        try:
            document = read_json(body)
        except Unreadable as error:
            raise Refused(Refusal(Verdict.BAD_BODY, str(error))) from None
        if refusal := error_inside(document):
            raise Refused(refusal)
        self.bodies.append(body)
        self._documents.append(document)

    def following(self, key: str | None) -> HttpRequest | None:
        """The request for the page after the last one."""
        adapter = ADAPTERS[self._provider.protocol]
        return adapter.next_request(self._provider, key, self._documents[-1])

    def answer(self) -> Answer:
        """What the pages say: OK or EMPTY.

        Raises:
            Refused: they are no list of models, or not one row can be used.
        """
        provider = self._provider
        try:
            listing = ADAPTERS[provider.protocol].parse(provider, self._documents)
        except WrongShape as error:
            raise Refused(Refusal(Verdict.BAD_BODY, str(error))) from None
        if listing.rows and not listing.models:
            detail = f"none of its {listing.rows} rows can be used: {listing.notes[0]}"
            raise Refused(Refusal(Verdict.BAD_BODY, detail))
        if not listing.rows and not provider.empty_ok:
            raise Refused(Refusal(Verdict.EMPTY, "it lists no models"))
        notes = (*listing.notes, *self.notes)
        return Answer(provider.name, Verdict.OK, listing.models, tuple(self.bodies), notes=notes)


def refused(provider: Provider, refusal: Refusal, redactor: Redactor) -> Answer:
    """The answer of a provider that could not be asked; its words redacted, then clipped."""
    detail = clipped(redactor.redact(one_line(refusal.detail)))
    if refusal.verdict is Verdict.AUTH and provider.auth_hint:
        detail = f"{detail} {provider.auth_hint}"
    return Answer(provider.name, refusal.verdict, detail=detail)


def no_key(provider: Provider) -> Answer:
    """The answer where the key that is needed is not set."""
    where = f"; get a key at {provider.key_url}" if provider.key_url else ""
    names = " or ".join(provider.key_env)
    return Answer(provider.name, Verdict.NO_KEY, detail=f"{names} is not set{where}")


def from_bodies(provider: Provider, bodies: Sequence[bytes], redactor: Redactor) -> Answer:
    """The answer that these bodies give."""
    pages = Pages(provider, redactor)
    try:
        for body in bodies:
            pages.add(body)
        return pages.answer()
    except Refused as error:
        return refused(provider, error.refusal, redactor)
