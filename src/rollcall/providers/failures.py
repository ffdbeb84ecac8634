"""What an answer other than a good list means: the verdict and its words.

| status | verdict |
|---|---|
| 401, 403; 400 that speaks of the API key (xAI, Gemini) | auth |
| any redirect | bad_body: lists are not moved, sign-in pages are; never followed |
| 404 | http_error, with the hint that the base_url may lack its /v1 |
| 429, 5xx | http_error, worth one more try |
| any other but 200 | http_error |
| 200 with an error object and no list | auth or http_error, by what it says |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from rollcall.catalog.model import Verdict

MAX_MESSAGE: Final = 300
_ENOUGH: Final = 4000
"""Characters of an error body that are read at all."""

_ABOUT_THE_KEY: Final = re.compile(
    r"api[ _-]?key|unauthenticated|unauthorized|authentication|invalid[ _]credentials",
    re.IGNORECASE,
)


class Refusal(NamedTuple):
    """Why a provider could not be asked.

    Attributes:
        detail: one line, not yet redacted.
        retry: whether a second try may help. wait_seconds: how long it asks to wait first.
    """

    verdict: Verdict
    detail: str
    retry: bool = False
    wait_seconds: float | None = None


class Refused(Exception):
    """A provider could not be asked; `refusal` says how and why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:
    """What a reply's status means; None = 200, look at the body.

    Args:
        headers: names in lower case.
    """
    if status == 200:
        return None
    if 300 <= status < 400:
        return Refusal(Verdict.BAD_BODY, _redirect(status, headers.get("location", "")))
    said = message_of(body)
    about_key = status == 400 and _ABOUT_THE_KEY.search(said)
    if status in (401, 403) or about_key:
        return Refusal(Verdict.AUTH, _line(f"it refuses the key (HTTP {status})", said))
    if status == 404:
        hint = "is the base_url right, does it lack /v1?"
        return Refusal(Verdict.HTTP_ERROR, _line(f"HTTP 404, {hint}", said))
    retry = status == 429 or status >= 500
    wait = wait_of(headers, body) if retry else None
    asks = "" if wait is None else f", asks to wait {wait:g} s"
    return Refusal(Verdict.HTTP_ERROR, _line(f"HTTP {status}{asks}", said), retry, wait)


def error_inside(document: object) -> Refusal | None:
    """The error that a reply with status 200 holds instead of a list, if it does."""
    if not isinstance(document, dict) or not document.get("error"):
        return None
    if any(isinstance(part, list) for key, part in document.items() if key != "error"):
        return None
    said = _said(document)
    code = document["error"].get("code") if isinstance(document["error"], dict) else None
    about_key = code in (401, 403) or _ABOUT_THE_KEY.search(said)
    verdict = Verdict.AUTH if about_key else Verdict.HTTP_ERROR
    return Refusal(verdict, _line("HTTP 200, but an error inside", said))


def message_of(body: bytes) -> str:
    """What an error body says, in one of the many shapes; empty for a web page."""
    text = body[: 16 * _ENOUGH].decode("utf-8", "replace").strip()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "" if text.startswith("<") else text[:_ENOUGH]
    return _said(document)[:_ENOUGH]


def wait_of(headers: Mapping[str, str], body: bytes) -> float | None:
    """Seconds it asks us to wait: `Retry-After` (seconds or a date), or Google's RetryInfo."""
    given = headers.get("retry-after", "").strip()
    if given:
        return _seconds(given) if _seconds(given) is not None else _until(given, headers)
    try:
        details = json.loads(body)["error"]["details"]
        delays = [item["retryDelay"] for item in details if "retryDelay" in item]
        return _seconds(str(delays[0]).removesuffix("s")) if delays else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def one_line(text: str) -> str:
    """Printable, on one line, of any length."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())


def clipped(text: str) -> str:
    """At most MAX_MESSAGE characters, with a mark where more was said."""
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 3] + "..."


def _said(document: object) -> str:
    """The message in `error.message`, `error` (xAI), `detail` (Mistral) or `message`."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return document if isinstance(document, str) else ""
    error = document.get("error")
    first = error.get("message") if isinstance(error, dict) else error
    for found in (first, *(document.get(key) for key in ("detail", "message", "msg"))):
        if isinstance(found, str) and found:
            return found
        if isinstance(found, list | dict) and found:
            inner = _said(found)
            if inner:
                return inner
    return ""


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


def _until(date: str, headers: Mapping[str, str]) -> float | None:
    """Seconds to a date, by the server's own clock where it says what that is."""
    try:
        then = parsedate_to_datetime(date)
        told = headers.get("date")
        now = parsedate_to_datetime(told) if told else datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (_aware(then) - _aware(now)).total_seconds())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
