"""How a provider that lists a model refuses a call to it: in each protocol's own words."""

from __future__ import annotations

import json
from enum import StrEnum

from tests.simulator import refusals, spoiled
from tests.simulator.http import Reply, Request


class CallFault(StrEnum):
    """What becomes of a completion call; the list of models stays well."""

    UNAUTHORIZED = "401"
    ECHO_KEY = "401 that repeats the key"
    UNVERIFIED = "403 verification"
    NOT_FOUND = "404"
    WRONG_ENDPOINT = "400 unsupported endpoint"
    NO_CREDIT = "402"
    RATE_LIMITED = "429"
    UNAVAILABLE = "503"
    HANG = "hang"
    EMPTY = "empty content"
    REFUSAL = "refusal"


_ERRORS = {
    CallFault.UNAUTHORIZED: (401, "Your key may not call this model."),
    CallFault.UNVERIFIED: (403, "Your organization must be verified to use this model."),
    CallFault.NOT_FOUND: (404, "The model does not exist or you do not have access to it."),
    CallFault.WRONG_ENDPOINT: (
        400,
        "This model is not supported in the v1/chat/completions endpoint.",
    ),
    CallFault.NO_CREDIT: (402, "Insufficient credits. Add more credits to your account."),
    CallFault.RATE_LIMITED: (429, "Rate limit exceeded, try again later."),
    CallFault.UNAVAILABLE: (503, "The model is overloaded."),
}


def answer(
    provider: str, protocol: str, request: Request, fault: CallFault, key: str = ""
) -> Reply:
    """The reply to a call with `key` that fails this way."""
    if fault is CallFault.ECHO_KEY:
        return refusals.error(provider, 401, spoiled.echo(key))
    if fault in _ERRORS:
        status, words = _ERRORS[fault]
        return refusals.error(provider, status, words)
    refused = fault is CallFault.REFUSAL
    if request.path.endswith("/responses"):
        part = {"type": "refusal", "refusal": "I cannot."} if refused else {"type": "output_text"}
        items = [{"type": "message", "content": [part]}]
        return _json({"object": "response", "status": "completed", "output": items})
    if protocol == "anthropic":
        reason = "refusal" if refused else "end_turn"
        return _json({"type": "message", "content": [], "stop_reason": reason})
    if protocol == "gemini":
        reason = "SAFETY" if refused else "STOP"
        return _json({"candidates": [{"content": {"parts": []}, "finishReason": reason}]})
    message = {"role": "assistant", "content": "", "refusal": "I cannot." if refused else None}
    return _json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def _json(body: object) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps(body).encode())
