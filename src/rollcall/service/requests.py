"""What a client asks of a list of models, and in which format; and errors in its words.

LiteLLM answers one path in several formats and chooses by the same signs: the header
`anthropic-version`, the parameter `client_version` (Codex), the path `/model/info` (Cline).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from rollcall.service.formats import Format

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Scope

    from rollcall.service.access import Header


LIST_PATHS = ("/v1/models", "/models", "/v1/model/info", "/model/info")

FORMAT_HEADERS = frozenset(
    {b"anthropic-version", b"anthropic-beta", b"user-agent", b"x-gateway-client"}
)
"""Headers that change how LiteLLM writes its list."""

NOT_ASKED_UPSTREAM = frozenset({"ready", "refresh", "limit", "key", "api_key"})
"""Parameters that are ours, that LiteLLM ignores, or that may hold a key: none is kept."""

_HEADER_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A request for a list of models; equal ones of one caller share LiteLLM's answer.

    Attributes:
        path: where LiteLLM answers it. query: its parameters without NOT_ASKED_UPSTREAM.
        client: the product name of the caller's user agent, which LiteLLM looks at.
        ready: None = LiteLLM's list; True = only what can be called now; False = with what a
            missing key keeps away.
        refresh: ask the providers anew first.
        headers: to pass on upstream.
    """

    format: Format = Format.OPENAI
    path: str = "/v1/models"
    query: str = ""
    client: str = ""
    anthropic_version: str = ""
    ready: bool | None = field(default=None, compare=False)
    refresh: bool = field(default=False, compare=False)
    headers: tuple[Header, ...] = field(default=(), compare=False)

    @property
    def is_plain(self) -> bool:
        """Whether LiteLLM always answers it: failing at it says that something is wrong."""
        return self.path == "/v1/models" and not self.query


def tidy_path(path: str) -> str:
    """The path a client means whose base URL ends with a slash too many, or with `/v1` twice."""
    path = re.sub("//+", "/", path)
    path = re.sub("^(/v1)+(?=/|$)", "/v1", path)
    return path.rstrip("/") or "/"


def read_list_request(path: str, query_string: bytes, headers: Iterable[Header]) -> ListRequest:
    """Read a request for one of LIST_PATHS.

    Raises:
        Refusal: `ready` or `refresh` is neither true nor false.
    """
    given = {name: value[:_HEADER_LENGTH] for name, value in headers if name in FORMAT_HEADERS}
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    asked = sorted(pair for pair in pairs if pair[0] not in NOT_ASKED_UPSTREAM)
    agent = given.get(b"x-gateway-client") or given.get(b"user-agent", b"")
    version = given.get(b"anthropic-version", b"").decode("latin-1")
    return ListRequest(
        format=_format_of(path, codex="client_version" in dict(asked), anthropic=bool(version)),
        path="/v1/models" if path == "/models" else path,
        query=urlencode(asked),
        client=agent.split(b"/", 1)[0].strip().lower()[:40].decode("latin-1"),
        anthropic_version=version,
        ready=_flag(pairs, "ready"),
        refresh=bool(_flag(pairs, "refresh")),
        headers=tuple(given.items()),
    )


def _format_of(path: str, *, codex: bool, anthropic: bool) -> Format:
    if path.endswith("/model/info"):
        return Format.MODEL_INFO
    if codex:
        return Format.CODEX
    return Format.ANTHROPIC if anthropic else Format.OPENAI


def _flag(pairs: list[tuple[str, str]], name: str) -> bool | None:
    given = [value for key, value in pairs if key == name]
    if not given:
        return None
    if given[-1] not in ("true", "false"):
        raise Refusal(ApiError(400, f"`{name}` must be true or false."))
    return given[-1] == "true"


@dataclass(frozen=True, slots=True)
class ApiError:
    """Why there is no answer: an HTTP status and a sentence for people."""

    status: int
    message: str

    def body(self, *, anthropic: bool) -> dict[str, Any]:
        """The JSON that OpenAI's or Anthropic's clients expect."""
        openai_type, code, anthropic_type = _WORDS.get(self.status, _BAD_REQUEST)
        if anthropic:
            error = {"type": anthropic_type, "message": self.message}
            return {"type": "error", "error": error}
        words = {"message": self.message, "type": openai_type, "param": None, "code": code}
        return {"error": words}


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error


_BAD_REQUEST = ("invalid_request_error", "invalid_request", "invalid_request_error")
_WORDS = {
    401: ("invalid_request_error", "invalid_api_key", "authentication_error"),
    403: ("invalid_request_error", "forbidden", "permission_error"),
    404: ("invalid_request_error", "not_found", "not_found_error"),
    500: ("api_error", "internal_error", "api_error"),
    501: ("api_error", "not_implemented", "api_error"),
    502: ("api_error", "upstream_unavailable", "api_error"),
    503: ("api_error", "upstream_unavailable", "api_error"),
}
"""Status -> OpenAI's type and code, Anthropic's type."""


def error_reply(error: ApiError, scope: Scope) -> Response:
    """An error in the words of whoever asked."""
    named = any(name == b"anthropic-version" for name, _ in scope["headers"])
    body = error.body(anthropic=named or "/messages" in scope["path"])
    headers = {401: {"www-authenticate": "Bearer"}, 503: {"retry-after": "2"}}.get(error.status)
    return Response(json.dumps(body), error.status, headers, "application/json")


TOKEN_NEEDED = ApiError(
    401,
    "This service needs a token: send one of ROLLCALL_API_TOKENS as a bearer token, x-api-key or "
    "x-litellm-api-key.",
)
KEY_REFUSED = ApiError(
    401,
    "LiteLLM does not accept this key: send a LiteLLM key as a bearer token, x-api-key or "
    "x-litellm-api-key.",
)
FORBIDDEN = ApiError(403, "LiteLLM does not let this key list models.")
BAD_ADDRESS = ApiError(400, "This address is not one LiteLLM can be asked by.")
BAD_GATEWAY = ApiError(502, "LiteLLM does not answer.")
INTERNAL = ApiError(500, "rollcall made a mistake; its log says more.")
NO_WEBSOCKET = ApiError(
    501,
    "rollcall passes no WebSocket calls on, such as /v1/realtime: use LiteLLM's own address.",
)

_SERVED = "rollcall serves OpenAI's and Anthropic's API under /v1, /model/info and the page at /."
_ELSEWHERE = (
    ("/api/", "Ollama's API is not served", "add rollcall as an OpenAI-compatible connection"),
    ("/v1beta/", "Gemini's API is not served", "use /v1, or LiteLLM's own address for it"),
    ("/openai/", "Azure's paths are not served", "use /v1, or LiteLLM's own address for it"),
    *(
        (f"/{name}/", "LiteLLM's pass-through paths are not served", "use LiteLLM's own address")
        for name in ("anthropic", "bedrock", "cohere", "cursor", "gemini", "vertex_ai", "mistral")
    ),
)
_ADMINISTRATION = re.compile(
    "/(key|user|team|customer|budget|spend|config|model|ui|sso|health|v2)(/|$)"
)


def not_served(path: str) -> ApiError:
    """404 that says what a path would be, and what is served instead."""
    for prefix, what, instead in _ELSEWHERE:
        if path.startswith(prefix):
            return ApiError(404, f"{what}: {instead}. {_SERVED}")
    if _ADMINISTRATION.match(path):
        return ApiError(404, f"LiteLLM's administration is not served: ask LiteLLM. {_SERVED}")
    return ApiError(404, f"There is nothing here. {_SERVED}")
