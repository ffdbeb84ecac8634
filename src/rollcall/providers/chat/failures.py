"""What a bad reply, or none, means: the error it becomes, and whether to try again. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from rollcall.providers.chat.call import NoReply, Reply, mapping, text
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.errors import (
    ProviderError,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderReplyInvalid,
    ProviderTimeout,
    ProviderUnavailable,
)
from rollcall.providers.failures import is_about_key, message_of, one_line, wait_of
from rollcall.secrets import Redactor

MAX_MESSAGE = 500
_SPENT = {"insufficient_quota", "billing_hard_limit_reached", "credits_exhausted"}
_RETRY_STATUS = {408, 409, 425, 429}


def error_of(outcome: Reply | NoReply, endpoint: Endpoint) -> ProviderError:
    """The error for a reply that is no completion, or for none."""
    if isinstance(outcome, NoReply):
        return _silence(outcome, endpoint)
    if 300 <= outcome.status < 400:
        return _redirect(outcome, endpoint)
    error = _refused(outcome.status, message_of(outcome.body) or _page(outcome.body), endpoint)
    if not _is_spent(outcome.body):
        error.retryable = outcome.status >= 500 or outcome.status in _RETRY_STATUS
        error.wait_seconds = wait_of(outcome.headers, outcome.body, datetime.now(UTC))
    return error


def error_of_words(words: Mapping[str, Any] | str, endpoint: Endpoint) -> ProviderError:
    """The error for what a provider says in a reply of status 200, or inside a stream."""
    detail = mapping(words)
    code = detail.get("code")
    kinds = {"overloaded_error": 529, "rate_limit_error": 429, "api_error": 500}
    status = kinds.get(text(detail.get("type")))
    if isinstance(code, int) and 400 <= code < 600:
        status = code
    message = text(detail.get("message")) or text(words) or str(dict(detail))
    return _refused(status, message, endpoint)


def invalid_reply(what: str, endpoint: Endpoint, body: bytes = b"") -> ProviderReplyInvalid:
    """The error for an answer that is none; `what` completes 'The reply of X ...'."""
    return ProviderReplyInvalid(
        f"The reply of {endpoint.name} {what}.",
        f"Check that its api_base is the root of the API (now {endpoint.base_url}).",
        provider=endpoint.name,
        status=200,
        message=_clean(message_of(body) or _page(body), endpoint),
    )


def _silence(outcome: NoReply, endpoint: Endpoint) -> ProviderError:
    name, detail = endpoint.name, _clean(outcome.detail, endpoint)
    if outcome.why == "timeout":
        return ProviderTimeout(
            f"{name} did not answer within {endpoint.timeout_seconds:g} s.",
            "Raise its `timeout`, or lower max_tokens.",
            provider=name,
            message=detail,
        )
    if outcome.why == "too_large":
        return invalid_reply(f"is too large: {detail}", endpoint)
    verb = "broke off" if outcome.why == "broken" else "could not be reached"
    return ProviderUnavailable(
        f"{name} {verb} at {endpoint.base_url}: {detail}.",
        "Check the network and its api_base.",
        provider=name,
        message=detail,
        retryable=True,
    )


def _redirect(reply: Reply, endpoint: Endpoint) -> ProviderError:
    host = urlsplit(reply.headers.get("location", "")).hostname or "another place"
    return ProviderReplyInvalid(
        f"{endpoint.name} redirects to {_clean(host, endpoint)}; the key was not sent there.",
        f"Set its api_base to the API itself (now {endpoint.base_url}).",
        provider=endpoint.name,
        status=reply.status,
    )


def _refused(status: int | None, message: str, endpoint: Endpoint) -> ProviderError:
    message = _clean(message, endpoint)
    kind, hint = _kind(status, message, endpoint)
    code = f" ({status})" if status else ""
    return kind(
        f"{endpoint.name} refused the call{code}: {message or 'no reason given'}",
        hint,
        provider=endpoint.name,
        status=status,
        message=message,
    )


def _kind(status: int | None, message: str, endpoint: Endpoint) -> tuple[type[ProviderError], str]:
    if is_about_key(status, message):
        if not endpoint.key_variable:
            return ProviderRefusedKey, "Give the provider an auth_profile: it wants a key."
        where = f"; a key comes from {endpoint.key_url}" if endpoint.key_url else ""
        may = " and what it may do" if status == 403 else ""
        hint = f"Check the key in {endpoint.key_variable}{may}{where}. {endpoint.auth_hint}"
        return ProviderRefusedKey, hint.rstrip()
    if status == 404:
        return ProviderError, "Check the model's name and the provider's api_base."
    if status == 429:
        return ProviderRateLimited, "Wait, or give the role `fallbacks`."
    if status is not None and status >= 500:
        return ProviderUnavailable, "Try again later, or give the role `fallbacks`."
    return ProviderError, "Correct the call or the role's params."


def _page(body: bytes) -> str:
    """The words of a web page."""
    return re.sub(r"<[^>]*>", " ", body[: 4 * MAX_MESSAGE].decode("utf-8", "replace"))


def _clean(words: str, endpoint: Endpoint) -> str:
    """One printable line, without the key, cut."""
    line = one_line(Redactor((endpoint.key,) if endpoint.key else ()).redact(words))
    return line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + "…"


def _is_spent(body: bytes) -> bool:
    """Whether a 429 means that there is nothing left to spend, which no waiting cures."""
    try:
        error = mapping(mapping(json.loads(body)).get("error"))
    except (ValueError, RecursionError):
        return False
    return any(error.get(name) in _SPENT for name in ("code", "type"))
