"""The words of the OpenAPI description."""

from __future__ import annotations

from typing import Any

ABOUT = """\
LiteLLM's list of models, with what rollcall knows about each: whether it can be called, its limits,
prices, capabilities and aliases. Answers have the shape LiteLLM gives them: Anthropic's with an
`anthropic-version` header, Codex's with `client_version`, else OpenAI's.

Every other path under `/v1` is LiteLLM's own API, streamed through unchanged.
"""

Json = dict[str, Any]

_BOOLEAN = {"type": "string", "enum": ["true", "false"]}
_OBJECT = {"type": "object"}
_SECURITY: list[Json] = [{"bearer": []}, {"xApiKey": []}]


def _parameter(name: str, place: str, description: str, schema: Json) -> Json:
    required = place == "path"
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": schema,
    }


_READY = _parameter(
    "ready",
    "query",
    "`true`: only what can be called now. `false`: also what a missing key keeps away.",
    _BOOLEAN,
)
_REFRESH = _parameter(
    "refresh", "query", "`true`: ask the providers anew first, at most once a minute.", _BOOLEAN
)
_HEADERS: Json = {
    "ETag": {"schema": {"type": "string"}},
    "X-Rollcall-Source": {
        "description": "Asked of LiteLLM now, kept from it, or read from config.yaml.",
        "schema": {"type": "string", "enum": ["litellm", "cache", "config"]},
    },
    "Age": {"description": "Seconds since LiteLLM gave it.", "schema": {"type": "integer"}},
}


def _json(description: str, schema: Json, headers: Json | None = None) -> Json:
    reply: Json = {"description": description, "content": {"application/json": {"schema": schema}}}
    return {**reply, "headers": headers} if headers else reply


_PROBLEM = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "object", "required": ["message", "type"]}},
}
_PROBLEMS: dict[int | str, Json] = {
    304: {"description": "The caller has it already."},
    400: _json("A parameter makes no sense.", _PROBLEM),
    401: _json("No key, or one that is not accepted.", _PROBLEM),
    403: _json("This key may not list models.", _PROBLEM),
    404: _json("No such model.", _PROBLEM),
    422: _json("LiteLLM does not accept a parameter.", _PROBLEM),
    502: _json("LiteLLM does not answer.", _PROBLEM),
    503: _json("LiteLLM does not answer, and this key has no earlier list.", _PROBLEM),
}


def listing(path: str) -> Json:
    """Keyword arguments of a listing's route."""
    info = path.endswith("/model/info")
    schema: Json = {
        "type": "object",
        "anyOf": [{"required": ["data"]}, {"required": ["models"]}],
    }
    return {
        "summary": "Every deployment, as LiteLLM's /model/info." if info else "Every model.",
        "operation_id": "list_" + path.strip("/").replace("/", "_"),
        "responses": {200: _json("The list.", schema, _HEADERS), **_PROBLEMS},
        "openapi_extra": {"parameters": [_READY, _REFRESH], "security": _SECURITY},
    }


def one_model() -> Json:
    """Keyword arguments of the route of one model."""
    name = _parameter(
        "model_id", "path", "A listed id; may contain slashes.", {"type": "string", "minLength": 1}
    )
    return {
        "summary": "One model.",
        "operation_id": "one_model",
        "responses": {
            200: _json("The model.", _OBJECT, _HEADERS),
            **_PROBLEMS,
            404: _json("No such model, in LiteLLM's words.", _OBJECT),
        },
        "openapi_extra": {"parameters": [name], "security": _SECURITY},
    }


def health() -> Json:
    """Keyword arguments of /healthz."""
    return {
        "summary": "Whether LiteLLM answers, and the age of the last good list.",
        "operation_id": "healthz",
        "responses": {200: _json("Serving.", {"type": "object", "required": ["status"]})},
    }


SECURITY_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "xApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
