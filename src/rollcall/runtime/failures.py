"""What a bad reply, or none, means: the error it becomes, and whether to try again. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from rollcall.runtime.errors import (
    ProviderError,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderReplyInvalid,
    ProviderTimeout,
    ProviderUnavailable,
)
from rollcall.runtime.protocols.wire import mapping, text
from rollcall.runtime.resolution import ResolvedLLMConfig
from rollcall.runtime.steps import NoReply, Reply
from rollcall.secrets import Redactor

MAX_MESSAGE = 500
_SPENT = {"insufficient_quota", "billing_hard_limit_reached", "credits_exhausted"}
_RETRY_STATUS = {408, 409, 425, 429}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, and whether the same call may do better later.

    Attributes:
        wait_seconds: how long the provider asks to wait, None where it does not say.
    """

    error: ProviderError
    retryable: bool = False
    wait_seconds: float | None = None


def read_failure(outcome: Reply | NoReply, config: ResolvedLLMConfig, now: datetime) -> Failure:
    """What a reply that is no completion means; `now` is for a Retry-After that is a date."""
    if isinstance(outcome, NoReply):
        return _silence(outcome, config)
    if 300 <= outcome.status < 400:
        return Failure(_redirect(outcome, config))
    data = _data(outcome.body)
    message = _message(outcome.body, data, config)
    error = _error_of(outcome.status, message, config)
    retryable = (outcome.status >= 500 or outcome.status in _RETRY_STATUS) and not _spent(data)
    return Failure(error, retryable, _wait(outcome, data, now))


def read_words(
    words: Mapping[str, Any] | str, config: ResolvedLLMConfig, status: int | None
) -> ProviderError:
    """The error for what a provider says in a reply of status 200, or inside a stream."""
    detail = mapping(words)
    code = detail.get("code")
    if status is None and isinstance(code, int) and 400 <= code < 600:
        status = code
    kinds = {"overloaded_error": 529, "rate_limit_error": 429, "api_error": 500}
    status = status or kinds.get(text(detail.get("type")))
    message = _clean(text(detail.get("message")) or text(words) or str(dict(detail)), config)
    return _error_of(status, message, config)


def invalid_reply(what: str, config: ResolvedLLMConfig, body: bytes = b"") -> ProviderReplyInvalid:
    """The error for an answer that is none; `what` completes 'The reply of X ...'."""
    message = _message(body, _data(body), config) if body else ""
    return ProviderReplyInvalid(
        f"The reply of {config.provider} {what}.",
        f"Check that its api_base is the root of the API (now {config.api_base}).",
        provider=config.provider,
        status=200,
        message=message,
    )


def _silence(outcome: NoReply, config: ResolvedLLMConfig) -> Failure:
    name, detail = config.provider, _clean(outcome.detail, config)
    if outcome.why == "timeout":
        seconds = f"{config.timeout_seconds:g} s"
        return Failure(
            ProviderTimeout(
                f"{name} did not answer within {seconds}.",
                "Raise its `timeout`, or lower max_tokens.",
                provider=name,
                message=detail,
            )
        )
    if outcome.why == "too_large":
        return Failure(invalid_reply(f"is too large: {detail}", config))
    verb = "broke off" if outcome.why == "broken" else "could not be reached"
    return Failure(
        ProviderUnavailable(
            f"{name} {verb} at {config.api_base}: {detail}.",
            "Check the network and its api_base.",
            provider=name,
            message=detail,
        ),
        retryable=True,
    )


def _redirect(reply: Reply, config: ResolvedLLMConfig) -> ProviderError:
    host = urlsplit(reply.headers.get("location", "")).hostname or "another place"
    return ProviderReplyInvalid(
        f"{config.provider} redirects to {_clean(host, config)}; the key was not sent there.",
        f"Set its api_base to the API itself (now {config.api_base}).",
        provider=config.provider,
        status=reply.status,
    )


def _error_of(status: int | None, message: str, config: ResolvedLLMConfig) -> ProviderError:
    kind, hint = _kind(status, message, config)
    code = f" ({status})" if status else ""
    return kind(
        f"{config.provider} refused the call{code}: {message or 'no reason given'}",
        hint,
        provider=config.provider,
        status=status,
        message=message,
    )


def _kind(
    status: int | None, message: str, config: ResolvedLLMConfig
) -> tuple[type[ProviderError], str]:
    about_key = status == 400 and re.search(r"api.?key", message, re.IGNORECASE)
    if status in (401, 403) or about_key:
        variable = config.key_variable
        if not variable:
            return ProviderRefusedKey, "Give the provider an auth_profile: it wants a key."
        where = f"; a key comes from {url}" if (url := config.dialect.key_url) else ""
        may = " and what it may do" if status == 403 else ""
        return ProviderRefusedKey, f"Check the key in {variable}{may}{where}."
    if status == 404:
        return ProviderError, "Check the model's name and the provider's api_base."
    if status == 429:
        return ProviderRateLimited, "Wait, or give the role `fallbacks`."
    if status is not None and status >= 500:
        return ProviderUnavailable, "Try again later, or give the role `fallbacks`."
    return ProviderError, "Correct the call or the role's params."


def _data(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _message(body: bytes, data: Any, config: ResolvedLLMConfig) -> str:
    """The message of an error body, whichever of the providers' shapes it has."""
    if isinstance(data, list) and data:
        data = data[0]
    found = mapping(data)
    error = found.get("error")
    words = (
        text(mapping(error).get("message"))
        or text(error)
        or text(found.get("detail"))
        or text(found.get("message"))
    )
    if not words and data is None:
        words = re.sub(r"<[^>]*>", " ", body[: 4 * MAX_MESSAGE].decode("utf-8", "replace"))
    return _clean(words, config)


def _clean(words: str, config: ResolvedLLMConfig) -> str:
    """One printable line, without the key, cut."""
    line = Redactor((config.api_key,) if config.api_key else ()).redact(words)
    line = "".join(char if char.isprintable() else " " for char in line)
    line = " ".join(line.split())
    return line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + "…"


def _spent(data: Any) -> bool:
    """Whether a 429 means that there is nothing left to spend, which no waiting cures."""
    error = mapping(mapping(data).get("error"))
    return any(error.get(name) in _SPENT for name in ("code", "type"))


def _wait(reply: Reply, data: Any, now: datetime) -> float | None:
    """Seconds of Retry-After (seconds or a date), or of Google's RetryInfo."""
    header = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return float(header)
    if header:
        try:
            moment = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    details = mapping(mapping(data).get("error")).get("details")
    for detail in details if isinstance(details, list) else []:
        delay = re.fullmatch(r"(\d+(?:\.\d+)?)s", text(mapping(detail).get("retryDelay")))
        if delay:
            return float(delay[1])
    return None
