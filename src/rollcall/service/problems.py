"""Errors in the words of each kind of client. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rollcall.service.question import Shape


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no answer: an HTTP status, each API's word for it, a sentence for people."""

    status: int
    openai_type: str
    openai_code: str
    anthropic_type: str
    message: str

    @property
    def about_key(self) -> bool:
        """Whether it is the key that is not good enough, not the question."""
        return self.status in (401, 403)

    def body(self, shape: Shape) -> dict[str, Any]:
        """The JSON a client of this shape expects."""
        if shape is Shape.ANTHROPIC:
            error = {"type": self.anthropic_type, "message": self.message}
            return {"type": "error", "error": error}
        return {
            "error": {
                "message": self.message,
                "type": self.openai_type,
                "param": None,
                "code": self.openai_code,
            }
        }


def unauthorized(message: str) -> Problem:
    """401: no key, or one that is not accepted."""
    return Problem(401, "invalid_request_error", "invalid_api_key", "authentication_error", message)


TOKEN_NEEDED = unauthorized(
    "This service needs a token: send one of ROLLCALL_API_TOKENS as a bearer token or x-api-key."
)
KEY_REFUSED = unauthorized(
    "LiteLLM does not accept this key: send a LiteLLM key as a bearer token or x-api-key."
)
FORBIDDEN = Problem(
    403,
    "invalid_request_error",
    "forbidden",
    "permission_error",
    "LiteLLM does not let this key list models.",
)
UNAVAILABLE = Problem(
    503,
    "api_error",
    "upstream_unavailable",
    "api_error",
    "LiteLLM does not answer, and no list is known that this key may see. Try again shortly.",
)
BAD_GATEWAY = Problem(
    502, "api_error", "upstream_unavailable", "api_error", "LiteLLM does not answer."
)
INTERNAL = Problem(
    500, "api_error", "internal_error", "api_error", "rollcall made a mistake; its log says more."
)


def bad_request(message: str, status: int = 400) -> Problem:
    """A request that makes no sense."""
    return Problem(
        status, "invalid_request_error", "invalid_request", "invalid_request_error", message
    )


BAD_ADDRESS = bad_request("This address is not one LiteLLM can be asked by.")


def not_found(message: str) -> Problem:
    """404: a model or a page that is not there."""
    return Problem(404, "invalid_request_error", "not_found", "not_found_error", message)
