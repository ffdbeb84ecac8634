"""What an answer other than a good list means: the verdict and its words.

| status | verdict |
|---|---|
| 401, 403; 400 that speaks of the API key (xAI, Gemini) | auth |
| any redirect | bad_body: lists are not moved, sign-in pages are; never followed |
| 404 | http_error, with the address asked, and the hint that it may lack a /v1 |
| 429, 5xx | http_error, worth one more try |
| any other but 200 | http_error |
| 200 with an error and no rows (also MiniMax's `base_resp`) | auth or http_error, by what it says |
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from rollcall.catalog.model import Verdict

MAX_MESSAGE: Final = 300
_ENOUGH: Final = 4000
"""Characters of an error body that are read at all."""

_ABOUT_THE_KEY: Final = (
    r"(?i)api[ _-]?(secret[ _-]?)?key|unauthenticated|unauthorized|authentication"
    r"|invalid[ _](credentials|token)|login fail"
)

_WORDS: Final = ("detail", "message", "msg", "status_msg", "base_resp")
"""Where an error body may say what is wrong, besides `error`."""
_ALL_WELL: Final = ("0", "200", "ok", "success", "")


@dataclass(eq=False)
class Refused(Exception):
    """A provider could not be asked.

    Attributes:
        detail: one line, not yet redacted.
        retry: whether a second try may help. wait_seconds: how long it asks to wait first.
        status: of the reply, where there was one.
    """

    verdict: Verdict
    detail: str
    retry: bool = False
    wait_seconds: float | None = None
    status: int | None = None


def classify(status: int, headers: Mapping[str, str], body: bytes, url: str) -> Refused | None:
    """What a reply's status means; None = 200, look at the body.

    Args:
        headers: names in lower case.
        url: the address asked.
    """
    if status == 200:
        return None
    if 300 <= status < 400:
        redirect = _redirect(status, headers.get("location", ""))
        return Refused(Verdict.BAD_BODY, redirect, status=status)
    said = message_of(body)
    about_key = status == 400 and about_the_key(said)
    if status in (401, 403) or about_key:
        line = _line(f"it refuses the key (HTTP {status})", said)
        return Refused(Verdict.AUTH, line, status=status)
    if status == 404:
        return Refused(Verdict.HTTP_ERROR, _line(_not_there(url), said), status=status)
    retry = status == 429 or status >= 500
    wait = wait_of(headers, body) if retry else None
    asks = "" if wait is None else f", asks to wait {wait:g} s"
    return Refused(
        Verdict.HTTP_ERROR, _line(f"HTTP {status}{asks}", said), retry, wait, status=status
    )


def error_inside(document: object, rows: int | None) -> Refused | None:
    """The error that a reply with status 200 holds instead of a list, if it does.

    Args:
        rows: how many it lists; None = it holds no list.
    """
    if rows or not isinstance(document, dict):
        return None
    said = said_in(document)
    code = next(
        (code for part in error_parts(document) if (code := code_of(part)) is not None), None
    )
    failed = document.get("error") or document.get("success") is False or code is not None
    if not failed and (rows is not None or not said):
        return None
    about_key = code in (401, 403) or about_the_key(said)
    verdict = Verdict.AUTH if about_key else Verdict.HTTP_ERROR
    what = "HTTP 200, but an error inside" if failed else "HTTP 200, but no list"
    return Refused(verdict, _line(what, said or f"code {code}" if code is not None else said))


def error_parts(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The objects of a body that may hold an error's code and words."""
    for name in ("error", "base_resp"):
        if isinstance(part := document.get(name), dict):
            yield part
    yield document


def code_of(part: Mapping[str, object]) -> int | str | None:
    """An error's code; None where it says that all is well, or nothing."""
    code = next((part[name] for name in ("status_code", "code") if name in part), None)
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    return None if str(code).lower() in _ALL_WELL else code


def message_of(body: bytes) -> str:
    """What an error body says, in one of the many shapes; empty for a web page."""
    text = body[: 16 * _ENOUGH].decode("utf-8", "replace").strip()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "" if text.startswith("<") else text[:_ENOUGH]
    return said_in(document)[:_ENOUGH]


def wait_of(headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> float | None:
    """Seconds it asks us to wait: `Retry-After` (seconds or a date), or Google's RetryInfo.

    Args:
        headers: names in lower case.
        now: for a date in a reply that has no date of its own; None = such a date says nothing.
    """
    given = headers.get("retry-after", "").strip()
    if given:
        return _seconds(given) if _seconds(given) is not None else _until(given, headers, now)
    try:
        details = json.loads(body)["error"]["details"]
        delays = [item["retryDelay"] for item in details if "retryDelay" in item]
        return _seconds(str(delays[0]).removesuffix("s")) if delays else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def about_the_key(said: str) -> bool:
    """Whether a refusal speaks of the key."""
    return re.search(_ABOUT_THE_KEY, said) is not None


def one_line(text: str) -> str:
    """Printable, on one line, of any length."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())


def clipped(text: str) -> str:
    """At most MAX_MESSAGE characters, with a mark where more was said."""
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 3] + "..."


def said_in(document: object) -> str:
    """The message in `error.message`, `error` (xAI), `detail` (Mistral) or `message`."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return document if isinstance(document, str) else ""
    error = document.get("error")
    first = error.get("message") if isinstance(error, dict) else error
    for found in (first, *(document.get(key) for key in _WORDS)):
        if isinstance(found, str) and found:
            return found
        if isinstance(found, list | dict) and found:
            inner = said_in(found)
            if inner:
                return inner
    return ""


def _not_there(url: str) -> str:
    """A 404 in words: the address without what may be secret, and what its base may lack."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    where = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
    lacks = parts.path.endswith("/models") and not re.search(r"/v[0-9]", parts.path)
    return f"HTTP 404 at {where}, is the base_url right{', does it lack /v1' if lacks else ''}?"


def _line(what: str, said: str) -> str:
    return f"{what}: {one_line(said)}" if said else what


def _redirect(status: int, location: str) -> str:
    try:
        parts = urlsplit(location)
        target = f"{parts.hostname or ''}{parts.path}"
    except ValueError:
        target = ""
    where = f" to {one_line(target)[:100]}" if target else ""
    return f"it redirects{where} (HTTP {status}), which is not followed: is the base_url right?"


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _until(date: str, headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Seconds to a date by the server's own clock, else by ours."""
    try:
        then = parsedate_to_datetime(date)
        if own := headers.get("date", ""):
            now = parsedate_to_datetime(own)
    except (ValueError, OverflowError):
        return None
    return None if now is None else max(0.0, (_aware(then) - _aware(now)).total_seconds())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
