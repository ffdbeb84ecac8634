"""What a bad reply, or none, means: the error it becomes, and whether to try again. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from rollcall.providers.bodies import mapping, text
from rollcall.providers.chat.answer import Reply
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.errors import (
    Outcome,
    ProviderError,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderReplyInvalid,
    ProviderTimeout,
    ProviderUnavailable,
)
from rollcall.providers.failures import (
    about_the_key,
    code_of,
    error_parts,
    message_of,
    one_line,
    said_in,
    wait_of,
)
from rollcall.secrets import Redactor

Silence = Literal["timeout", "unreachable", "broken", "too_large"]
"""Why there is no whole reply."""

MAX_MESSAGE = 500
_RETRY_STATUS: Final = {408, 409, 425, 429}
_TIMEOUT_STATUS: Final = {408, 504, 524}

_STATUS_OF_WORD: Final = {
    401: "authentication_error invalid_api_key unauthenticated unauthorized",
    402: "billing_error insufficient_balance insufficient_credits payment_required",
    403: "permission_error permission_denied forbidden",
    404: "not_found_error not_found model_not_found",
    408: "request_timeout",
    429: "rate_limit_error rate_limit_exceeded rate_limited resource_exhausted too_many_requests "
    "insufficient_quota",
    400: "invalid_request_error invalid_argument invalid_request bad_request bad_request_error "
    "context_length_exceeded content_filter",
    500: "api_error server_error internal internal_error internal_server_error",
    502: "bad_gateway upstream_error provider_error",
    503: "unavailable service_unavailable overloaded",
    504: "timeout timeout_error deadline_exceeded gateway_timeout",
    529: "overloaded_error",
}
_WORDS: Final = {
    word: status for status, words in _STATUS_OF_WORD.items() for word in words.split()
}
"""An error's code, status or type where it is no number -> the HTTP status it stands for."""

_MINIMAX: Final = {1000: 500, 1001: 504, 1002: 429, 1004: 401, 1008: 402, 1013: 500, 1024: 500,
                   1033: 500, 1039: 429, 2013: 400, 2049: 401}  # fmt: skip
"""MiniMax's `base_resp.status_code` -> the HTTP status it stands for."""

_SPENT_WORDS: Final = {
    "insufficient_quota", "billing_hard_limit_reached", "credits_exhausted", "billing_error",
    "insufficient_balance", "insufficient_credits", "billing_not_active", "budget_exceeded",
    "payment_required", "arrearage",
}  # fmt: skip
_SPENT: Final = re.compile(
    r"credit balance|insufficient (account )?(balance|credit|fund|quota)|out of (credit|quota)"
    r"|\b(no|any|more|available|enough|purchase|add|your) credits?\b|spend(ing)? limit"
    r"|budget has been exceeded|exceeded.{0,20}budget|key limit exceeded|billing hard limit"
    r"|exceeded your current quota|overdue|in arrears|good standing|\btop[ -]?up\b|recharge",
    re.IGNORECASE,
)
"""Nothing left to spend, which no waiting cures."""
_KEY_LIMIT: Final = re.compile(r"key limit|max.?budget|budget has been exceeded", re.IGNORECASE)

_RESPONSES_ONLY: Final = re.compile(
    r"only (be )?(supported|available|used|served|accessible|works?) (in|with|via|at|on|through|by)"
    r" [^.]{0,20}responses|use [^.]{0,20}/responses|responses api",
    re.IGNORECASE,
)
_NOT_FOR_CHAT: Final = re.compile(
    r"not a chat model|not supported in [^.]{0,10}v1/chat/completions"
    r"|(does not|doesn't) support (chat|text generation)|\bv1/completions",
    re.IGNORECASE,
)
_NO_PATH: Final = re.compile(r"unexpected endpoint", re.IGNORECASE)
"""LM Studio says so with status 200."""
_NO_MODEL: Final = re.compile(
    r"\bmodel\b.{0,160}(not found|not exist|n't exist|not a valid|decommissioned|retired"
    r"|been (removed|shut)|no longer (available|supported|exists)|not available)"
    r"|(invalid|unknown|no such|not a valid) model|model[_ ]not[_ ]found|no endpoints found",
    re.IGNORECASE | re.DOTALL,
)
_MODERATED: Final = re.compile(r"moderation|flagged|content polic|safety", re.IGNORECASE)
_REFUSES: Final = re.compile(
    r"unsupported|not support|n't support|deprecated|not (be )?(allowed|permitted|enabled|accepted"
    r"|compatible|specified)|cannot|only the default|may only|unknown|unrecognized|unexpected"
    r"|extra (inputs|fields)|no longer|removed|invalid parameter",
    re.IGNORECASE,
)
_NO_PARAMS: Final = frozenset(
    ("model", "messages", "contents", "input", "stream", "system", "instructions", "store")
)


def error_of(reply: Reply, endpoint: Endpoint, sent: Collection[str] = ()) -> ProviderError:
    """The error for a reply that is no completion.

    Args:
        sent: names of the parameters that were sent.
    """
    if 300 <= reply.status < 400:
        return _redirect(reply, endpoint)
    return _refused(_said(reply), endpoint, sent)


def no_reply(why: Silence, detail: str, endpoint: Endpoint) -> ProviderError:
    """The error where there was no reply, or it broke off; `detail` is not yet redacted."""
    name, detail = endpoint.name, _clean(detail, endpoint)
    if why == "timeout":
        return ProviderTimeout(
            f"{name} did not answer within {endpoint.timeout_seconds:g} s.",
            "Raise its `timeout`, or lower max_tokens.",
            provider=name,
            message=detail,
            outcome=Outcome.TIMEOUT,
        )
    if why == "too_large":
        return invalid_reply(f"is too large: {detail}", endpoint)
    verb = "broke off" if why == "broken" else "could not be reached"
    return ProviderUnavailable(
        f"{name} {verb} at {endpoint.base_url}: {detail}.",
        "Check the network and its api_base.",
        provider=name,
        message=detail,
        outcome=Outcome.UNREACHABLE,
        retryable=True,
    )


def error_inside(
    document: Any, endpoint: Endpoint, sent: Collection[str] = ()
) -> ProviderError | None:
    """The error that a reply of status 200, or an event of a stream, holds instead of an answer."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, Mapping):
        return None
    minimax = mapping(document.get("base_resp")).get("status_code")
    called_so = "error" in (document.get("type"), document.get("object")) and said_in(document)
    if document.get("error") or called_so or minimax not in (0, None):
        return error_of_words(document, endpoint, sent)
    return None


def error_of_words(
    words: Mapping[str, Any] | str, endpoint: Endpoint, sent: Collection[str] = ()
) -> ProviderError:
    """The error for what a provider says in a reply of status 200, or inside a stream."""
    document = {"error": words} if isinstance(words, str) else words
    body = json.dumps(document, default=str).encode()
    return _refused(_said(Reply(200, {}, body)), endpoint, sent)


def invalid_reply(what: str, endpoint: Endpoint, body: bytes = b"") -> ProviderError:
    """The error for an answer that is none; `what` completes 'The reply of X ...'.

    Where its words come with a code, it is that error.
    """
    said = _said(Reply(200, {}, body))
    if said.status is not None and said.message:
        return _refused(said, endpoint)
    words = _clean(said.message, endpoint)
    quoted = f": {words[:100].rstrip('.')}" if words else ""
    return ProviderReplyInvalid(
        f"The reply of {endpoint.name} {what}{quoted}.",
        f"Check that its api_base is the root of the API (now {endpoint.base_url}).",
        provider=endpoint.name,
        status=200,
        message=words,
        outcome=Outcome.INVALID_REPLY,
    )


def _redirect(reply: Reply, endpoint: Endpoint) -> ProviderError:
    host = urlsplit(reply.headers.get("location", "")).hostname or "another place"
    return ProviderReplyInvalid(
        f"{endpoint.name} redirects to {_clean(host, endpoint)}; the key was not sent there.",
        f"Set its api_base to the API itself (now {endpoint.base_url}).",
        provider=endpoint.name,
        status=reply.status,
        outcome=Outcome.WRONG_ENDPOINT,
    )


# --- what a refusal says ---


@dataclass(frozen=True, slots=True)
class _Said:
    """An error's parts, whatever shape it came in.

    Attributes:
        status: of HTTP, or what its code stands for where HTTP says 200; None = nobody says.
        words: its codes and types, in snake_case. param: what it is about.
    """

    status: int | None
    words: frozenset[str]
    message: str
    param: str
    wait_seconds: float | None


def _said(reply: Reply) -> _Said:
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, list) and document:
        document = document[0]
    parts = list(error_parts(mapping(document)))
    codes = [code_of(part) for part in parts]
    named = [text(part.get(name)) for part in parts for name in ("code", "status", "type")]
    words = [re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]+", "_", word).lower() for word in named]
    status: int | None = reply.status
    if status == 200:
        numbers = [int(str(code)) for code in codes if str(code).isdecimal()]
        known = [_MINIMAX.get(number, number) for number in numbers]
        known += [_WORDS[word] for word in words if word in _WORDS]
        status = next((number for number in known if 400 <= number < 600), None)
    return _Said(
        status,
        frozenset(words),
        _message(document, reply.body),
        next((text(part.get("param")) for part in parts if part.get("param")), ""),
        wait_of(reply.headers, reply.body, datetime.now(UTC)),
    )


def _message(document: Any, body: bytes) -> str:
    """An error's message, with what OpenRouter passes on from the provider behind it."""
    if document is None:
        page = re.sub(r"<[^>]*>", " ", body[: 4 * MAX_MESSAGE].decode("utf-8", "replace"))
        return message_of(body) or page
    message = said_in(document)
    error = mapping(mapping(document).get("error")) or mapping(document)
    metadata = mapping(error.get("metadata"))
    raw = message_of(text(metadata.get("raw")).encode())
    return f"{message}: {raw}" if raw and raw not in message else message


def _refused(said: _Said, endpoint: Endpoint, sent: Collection[str] = ()) -> ProviderError:
    message = _clean(said.message, endpoint)
    params = _refused_params(said, sent)
    outcome = Outcome.REFUSED_PARAMS if params else _outcome(said)
    code = f" ({said.status})" if said.status else ""
    status = said.status or 0
    retry = status >= 500 or status in _RETRY_STATUS
    return _kind(said)(
        f"{endpoint.name} refused the call{code}: {message or 'no reason given'}",
        _hint(outcome, said, params, endpoint),
        provider=endpoint.name,
        status=said.status,
        message=message,
        outcome=outcome,
        params=params,
        retryable=retry and outcome not in (Outcome.NO_CREDIT, Outcome.WRONG_ENDPOINT),
        wait_seconds=said.wait_seconds,
    )


def _kind(said: _Said) -> type[ProviderError]:
    status = said.status or 0
    if status in (401, 403) or (status == 400 and about_the_key(said.message)):
        return ProviderRefusedKey
    if status == 429:
        return ProviderRateLimited
    return ProviderUnavailable if status >= 500 else ProviderError


def _outcome(said: _Said) -> Outcome:
    """What it came to: the first line that holds."""
    status, message = said.status or 0, said.message
    elsewhere = (_RESPONSES_ONLY, _NOT_FOR_CHAT, _NO_PATH)
    if status < 500 and any(pattern.search(message) for pattern in elsewhere):
        return Outcome.WRONG_ENDPOINT
    if status < 500 and _is_spent(said):
        return Outcome.NO_CREDIT
    if status == 403 and _MODERATED.search(message):
        return Outcome.REFUSED_CALL
    if _kind(said) is ProviderRefusedKey:
        return Outcome.REFUSED_KEY
    if status in (0, 400, 404, 410, 422) and _NO_MODEL.search(message):
        return Outcome.NOT_FOUND
    if status in (404, 405):
        return Outcome.NOT_FOUND if "model" in message.lower() else Outcome.WRONG_ENDPOINT
    if status in _TIMEOUT_STATUS:
        return Outcome.TIMEOUT
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.SERVER_ERROR if status >= 500 else Outcome.REFUSED_CALL


def _is_spent(said: _Said) -> bool:
    if said.status == 402 or said.words & _SPENT_WORDS:
        return True
    # Google says "exceeded your current quota" of a minute, too, and how long to wait.
    return said.wait_seconds is None and bool(_SPENT.search(said.message))


def _refused_params(said: _Said, sent: Collection[str]) -> tuple[str, ...]:
    """Which of the parameters sent the provider says it does not take."""
    if said.status not in (400, 422, None):
        return ()
    complains = _REFUSES.search(said.message) or {"unsupported_parameter", "unsupported_value"} & (
        said.words
    )
    if not complains:
        return ()
    return tuple(
        name
        for name in sent
        if name not in _NO_PARAMS and (said.param == name or _names(said.message, name))
    )


def _names(message: str, param: str) -> bool:
    """Whether a message is about a parameter: in snake_case, camelCase or words."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", param).lower()
    pattern = "[_ ]?".join(map(re.escape, snake.split("_")))
    return (
        re.search(rf"(?<![A-Za-z0-9_]){pattern}(?![A-Za-z0-9_])", message, re.IGNORECASE)
        is not None
    )


def _hint(outcome: Outcome, said: _Said, params: tuple[str, ...], endpoint: Endpoint) -> str:
    where = f"; a key comes from {endpoint.key_url}" if endpoint.key_url else ""
    match outcome:
        case Outcome.REFUSED_KEY if not endpoint.key_variable:
            return "Give the provider an auth_profile: it wants a key."
        case Outcome.REFUSED_KEY:
            may = " and what it may do" if said.status == 403 else ""
            hint = f"Check the key in {endpoint.key_variable}{may}{where}. {endpoint.auth_hint}"
            return hint.rstrip()
        case Outcome.NO_CREDIT if _KEY_LIMIT.search(said.message):
            at = f" ({endpoint.key_url})" if endpoint.key_url else ""
            return f"Raise the limit of the key in {endpoint.key_variable}{at}, or use another one."
        case Outcome.NO_CREDIT:
            return f"Top up the account at {endpoint.name}, or give the role `fallbacks`."
        case Outcome.NOT_FOUND:
            return "Check the model's name and the provider's api_base."
        case Outcome.WRONG_ENDPOINT if _RESPONSES_ONLY.search(said.message):
            return (
                "It answers at /responses only: call it through a provider of type openai that has "
                "this endpoint, or use another model."
            )
        case Outcome.WRONG_ENDPOINT if _NOT_FOR_CHAT.search(said.message):
            return "This is no model to chat with; use another one."
        case Outcome.WRONG_ENDPOINT:
            return f"Check that its api_base is the root of the API (now {endpoint.base_url})."
        case Outcome.REFUSED_PARAMS:
            named = ", ".join(f"`{name}`" for name in params)
            return f"Take {named} out of the params, or give the role `on_refused_params: drop`."
        case Outcome.RATE_LIMITED:
            return "Wait, or give the role `fallbacks`."
        case Outcome.SERVER_ERROR | Outcome.TIMEOUT:
            return "Try again later, or give the role `fallbacks`."
        case _:
            return "Correct the call or the role's params."


def _clean(words: str, endpoint: Endpoint) -> str:
    """One printable line, without the key, cut."""
    line = one_line(Redactor((endpoint.key,) if endpoint.key else ()).redact(words))
    return line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + "…"
