"""HTTP responses: a list, one model, a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from rollcall.service.question import error_shape
from rollcall.service.rendering import to_json

if TYPE_CHECKING:
    from starlette.types import Scope

    from rollcall.service.kept import Answer
    from rollcall.service.problems import Problem

JSON = "application/json"
VARY = "Authorization, X-Api-Key, Anthropic-Version, User-Agent"


def problem_reply(problem: Problem, scope: Scope) -> Response:
    """A problem in the words of whoever asked."""
    shape = error_shape(scope["path"], scope["headers"])
    headers = {"www-authenticate": "Bearer"} if problem.status == 401 else None
    if problem.status == 503:
        headers = {"retry-after": "2"}
    return Response(to_json(problem.body(shape)), problem.status, headers, JSON)


def content_reply(
    content: bytes, etag: str, answer: Answer, scope: Scope, extra: dict[str, str]
) -> Response:
    """Bytes of a list or a model; 304 where the caller has them already."""
    headers = {
        "etag": etag,
        "cache-control": "private, no-cache",
        "vary": VARY,
        "x-rollcall-source": answer.source,
        "x-content-type-options": "nosniff",
        **extra,
    }
    if answer.age_seconds is not None:
        headers["age"] = str(int(answer.age_seconds))
    if _has_already(scope, etag):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, JSON)


def _has_already(scope: Scope, etag: str) -> bool:
    given = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    if not given:
        return False
    tags = {tag.strip().removeprefix(b"W/") for tag in given.split(b",")}
    return b"*" in tags or etag.encode() in tags
