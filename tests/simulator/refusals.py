"""How each provider words an error: the shapes seen in the wild."""

from __future__ import annotations

import json

from tests.simulator.http import Reply

_PHRASES = {
    400: "Bad request",
    401: "Invalid credentials",
    403: "You are not allowed to do this",
    404: "Not found",
    429: "Rate limit exceeded",
    500: "Internal server error",
    503: "The service is unavailable",
}
_GOOGLE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_ANTHROPIC = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
}


def bad_key(provider: str, key: str | None) -> Reply:
    """The answer to a wrong key, or to none."""
    masked = f"{key[:2]}***{key[-2:]}" if key else ""
    if provider == "xai":
        if not key:
            fault = {"code": "unauthenticated:no-credentials", "error": "No credentials provided"}
            return _json(401, fault)
        text = f"Incorrect API key provided: {masked}. You can obtain an API key from the console."
        return _json(400, {"code": "Client specified an invalid argument", "error": text})
    if provider == "gemini":
        if not key:
            return error(provider, 403, "Method doesn't allow unregistered callers.")
        return error(provider, 400, "API key not valid. Please pass a valid API key.")
    if provider == "deepseek":
        return Reply(401, {"content-type": "text/plain"}, b"Authentication Fails (governor)")
    if provider == "openai":
        return error(provider, 401, f"Incorrect API key provided: {masked}.")
    if provider == "anthropic":
        return error(provider, 401, "invalid x-api-key")
    if provider == "openrouter":
        return error(provider, 401, "No auth credentials found")
    return error(provider, 401, "Invalid API key provided.")


def error(provider: str, status: int, message: str = "", retry_seconds: float = 0) -> Reply:
    """An error of `status` in the provider's own shape."""
    message = message or _PHRASES.get(status, "Error")
    headers = {"content-type": "application/json"}
    body: object
    if provider == "gemini":
        details: list[object] = []
        if retry_seconds:
            kind = "type.googleapis.com/google.rpc.RetryInfo"
            details = [{"@type": kind, "retryDelay": f"{retry_seconds:g}s"}]
        word = _GOOGLE.get(status, "UNKNOWN")
        fault = {"code": status, "message": message, "status": word, "details": details}
        return _json(status, {"error": fault})
    if retry_seconds:
        headers["retry-after"] = f"{retry_seconds:g}"
    if provider == "anthropic":
        inner = {"type": _ANTHROPIC.get(status, "api_error"), "message": message}
        body = {"type": "error", "error": inner, "request_id": "req_simulated"}
    elif provider == "xai":
        body = {"code": f"simulated-{status}", "error": message}
    elif provider in ("mistral", "cerebras"):
        body = {"detail": message}
    elif provider in ("openrouter", "perplexity"):
        body = {"error": {"message": message, "code": status}}
    elif provider == "ollama":
        body = {"error": message}
    else:
        inner = {"message": message, "type": "simulated_error"}
        body = {"error": {**inner, "param": None, "code": str(status)}}
    return Reply(status, headers, json.dumps(body).encode())


def _json(status: int, body: object) -> Reply:
    return Reply(status, {"content-type": "application/json"}, json.dumps(body).encode())
