"""config.yaml as text: byte order mark, line ends, lines by offset.

YAML counts more characters as line breaks than an editor shows, so lines are found by LF only.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rollcall.config_document.refusals import refusal

BOM = b"\xef\xbb\xbf"


class ConfigText(NamedTuple):
    """The file decoded. `body` is without the byte order mark, line ends as they were."""

    body: str
    has_bom: bool
    newline: str

    def encode(self, body: str) -> bytes:
        """`body` as bytes of this file."""
        return (BOM if self.has_bom else b"") + body.encode()


def decode(raw: bytes) -> ConfigText:
    """Decode the file's bytes.

    Raises:
        ConfigRefused: not UTF-8, or lines that end in a lone carriage return.
    """
    has_bom = raw.startswith(BOM)
    try:
        body = raw[len(BOM) :].decode() if has_bom else raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refusal("not_utf8", line) from None
    first = body.find("\n")
    if first < 0 and "\r" in body:
        raise refusal("old_line_ends", 1)
    return ConfigText(body, has_bom, "\r\n" if first > 0 and body[first - 1] == "\r" else "\n")


def line_number(body: str, offset: int) -> int:
    """The 1-based line of a character."""
    return body.count("\n", 0, offset) + 1


def line_start(body: str, offset: int) -> int:
    """Where the line of `offset` begins."""
    return body.rfind("\n", 0, offset) + 1


def line_end(body: str, offset: int) -> int:
    """Where the line after that of `offset` begins, or the end of the text."""
    end = body.find("\n", offset)
    return len(body) if end < 0 else end + 1


def indent_at(body: str, offset: int) -> int:
    """The number of spaces the line of `offset` begins with."""
    start = line_start(body, offset)
    position = start
    while position < len(body) and body[position] == " ":
        position += 1
    return position - start


_COMMENT = re.compile(r"([ ]*)#[^\n]*(?:\n|\Z)")
_BLANK = re.compile(r"[ \t\r]*(?:\n|\Z)")


def after_comments(body: str, offset: int, column: int) -> int:
    """Where the comment lines from `offset` (a line's beginning) that belong to a collection end.

    Those are the ones indented at least as deep as the collection at `column`, and never at the
    margin: a comment there is usually the next section's heading.
    """
    end = position = offset
    while position < len(body):
        comment = _COMMENT.match(body, position)
        if comment:
            if len(comment[1]) < max(column, 1):
                break
            end = position = comment.end()
            continue
        blank = _BLANK.match(body, position)
        if not blank or blank.end() == position:
            break
        position = blank.end()
    return end
