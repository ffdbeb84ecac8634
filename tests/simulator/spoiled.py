"""Good replies gone bad: pure changes of a reply's body, one per fault that needs one."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote

from tests.simulator.faults import Fault
from tests.simulator.http import Reply

BOMB_BYTES = 1 << 30
HUGE_BYTES = 40 << 20

_JSON = {"content-type": "application/json"}
_LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
BAD_IDS = (
    "evil\x1b[31mred",
    "two\nlines",
    "a: &b [*c]\n---\n",
    "nul\x00byte",
    "lone\ud800surrogate",
    "x" * 10_000,
    "",
    None,
    17,
)
NO_ROWS = (None, "text", 5, ["list"])
_BAD_NUMBERS = ("NaN", "Infinity", "-Infinity", "-1", "1e999", "9" * 5000, "true")


def spoil(fault: Fault, good: Reply) -> Reply:
    """`good`, spoiled as `fault` says; faults of the connection leave it alone."""
    if fault is Fault.HTML:
        return Reply(200, {"content-type": "text/html; charset=utf-8"}, _LOGIN_PAGE)
    if fault is Fault.NOT_JSON:
        return Reply(200, _JSON, b"/signin?redirectUrl=%2Fmodels")
    if fault is Fault.WRONG_SHAPE:
        return Reply(200, _JSON, b'{"data":{"models":"none"},"models":17}')
    if fault is Fault.ERROR_WITH_200:
        return Reply(200, _JSON, b'{"error":{"message":"try again later","code":1234}}')
    if fault is Fault.GZIP_BOMB:
        return Reply(200, {**_JSON, "content-encoding": "gzip"}, _bomb())
    if fault is Fault.HUGE_BODY:
        return Reply(200, _JSON, _huge(_whole(good)))
    if fault is Fault.UTF16:
        return Reply(200, _JSON, _whole(good).decode().encode("utf-16"))
    if fault is Fault.NAN_NUMBERS:
        return Reply(200, _JSON, _with_bad_numbers(_whole(good)))
    if fault is Fault.CONTROL_CHARACTERS:
        return Reply(200, _JSON, _with_bad_ids(_whole(good)))
    return good


def echo(key: str) -> str:
    """An error message that repeats a key in every way seen."""
    masked = f"{key[:4]}...{key[-4:]} {key[:2]}***{key[-2:]} {key[:6]}********{key[-3:]}"
    return f"Wrong key {key} (url ?key={quote(key, safe='')}) \x1b[31m Bearer {key} {masked}"


def _whole(reply: Reply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)


@cache
def _bomb() -> bytes:
    """A gzip stream of BOMB_BYTES blanks inside a JSON text, about a megabyte.

    One packed block is repeated, which is quick; the checksum at the very end is wrong, which
    whoever inflates that far learns too late.
    """
    pack = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = pack.compress(b'{"data":[') + pack.flush(zlib.Z_FULL_FLUSH)
    block = pack.compress(b" " * (1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    return head + block * (BOMB_BYTES >> 20) + pack.compress(b"]}") + pack.flush()


def _huge(body: bytes) -> Iterator[bytes]:
    blank = b" " * (1 << 20)
    yield body[:1]
    for _ in range(HUGE_BYTES >> 20):
        yield blank
    yield body[1:]


def _rows(document: object) -> list[object]:
    if isinstance(document, dict):
        document = next((part for part in document.values() if isinstance(part, list)), [])
    return document if isinstance(document, list) else []


def _with_bad_ids(body: bytes) -> bytes:
    document = json.loads(body)
    rows = _rows(document)
    model = next((row for row in rows if isinstance(row, dict)), {})
    keys = ["id"] if "id" in model else [key for key in ("name", "model") if key in model] or ["id"]
    rows.extend(model | dict.fromkeys(keys, bad) for bad in BAD_IDS)
    rows += NO_ROWS
    return json.dumps(document).encode()


def _with_bad_numbers(body: bytes) -> bytes:
    """Every number, and every price text, replaced in turn by one of the bad ones."""
    used = 0

    def changed(value: object, key: str = "") -> object:
        nonlocal used
        if isinstance(value, dict):
            return {name: changed(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [changed(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            used += 1
            return f"@@{_BAD_NUMBERS[used % len(_BAD_NUMBERS)]}@@"
        if isinstance(value, str) and key in ("prompt", "completion", "input_cache_read"):
            used += 1
            return _BAD_NUMBERS[used % len(_BAD_NUMBERS)]
        return value

    text = json.dumps(changed(json.loads(body)))
    return text.replace('"@@', "").replace('@@"', "").encode()


def compressed(reply: Reply) -> Reply:
    """The same reply, as gzip."""
    headers = {**reply.headers, "content-encoding": "gzip"}
    return Reply(reply.status, headers, gzip.compress(_whole(reply), 1))
