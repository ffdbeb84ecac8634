"""The list endpoints of the simulated providers: shape and paging as the real ones have them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rollcall.providers.builtin import Protocol_
from tests.simulator.http import Reply, Request

PATHS: dict[Protocol_, tuple[str, ...]] = {
    "openai": ("/models",),
    "xai": ("/models", "/language-models"),
    "openrouter": ("/models", "/models/user"),
    "anthropic": ("/v1/models",),
    "gemini": ("/models",),
    "perplexity": ("/v1/models",),
    "ollama": ("/api/tags",),
}
"""Paths below the provider's base that are answered with its list."""

BARE_ARRAY = ("together",)
"""Providers whose reply is the array itself."""


def answer(
    provider: str,
    protocol: Protocol_,
    rows: Sequence[object],
    request: Request,
    *,
    largest_page: int | None = None,
    stuck: bool = False,
) -> Reply:
    """The list, or the page of it that was asked for.

    Args:
        largest_page: rows per page at most, to make small catalogs page.
        stuck: every page names the same next one.
    """
    if protocol == "anthropic":
        body = _anthropic(rows, request, largest_page, stuck=stuck)
    elif protocol == "gemini":
        body = _gemini(rows, request, largest_page, stuck=stuck)
    elif protocol == "openrouter":
        body = _openrouter(rows, request, largest_page, stuck=stuck)
    elif protocol == "ollama" or request.path.endswith("/language-models"):
        body = {"models": list(rows)}
    else:
        body = {"object": "list", "data": list(rows)}
    shown = list(rows) if provider in BARE_ARRAY else body
    return Reply(body=json.dumps(shown, separators=(",", ":")).encode())


def _size(request: Request, name: str, default: int, largest_page: int | None) -> int:
    asked = request.query.get(name, "")
    size = min(int(asked) if asked.isdigit() else default, 1000)
    return max(1, min(size, largest_page or size))


def _anthropic(
    rows: Sequence[object], request: Request, largest_page: int | None, *, stuck: bool
) -> dict[str, object]:
    size = _size(request, "limit", 20, largest_page)
    ids = [row["id"] for row in rows if isinstance(row, dict) and "id" in row]
    after = request.query.get("after_id")
    start = 0 if stuck or after not in ids else ids.index(after) + 1
    page = list(rows[start : start + size])
    more = stuck or start + size < len(rows)
    shown = ids[start : start + size]
    first, last = (shown[0], shown[-1]) if shown else (None, None)
    return {"data": page, "has_more": more, "first_id": first, "last_id": last}


def _gemini(
    rows: Sequence[object], request: Request, largest_page: int | None, *, stuck: bool
) -> dict[str, object]:
    size = _size(request, "pageSize", 50, largest_page)
    token = request.query.get("pageToken", "").removeprefix("page-")
    start = int(token) if token.isdigit() and not stuck else 0
    body: dict[str, object] = {"models": list(rows[start : start + size])}
    if stuck or start + size < len(rows):
        body["nextPageToken"] = "page-1" if stuck else f"page-{start + size}"
    return body


def _openrouter(
    rows: Sequence[object], request: Request, largest_page: int | None, *, stuck: bool
) -> dict[str, object]:
    asked = "limit" in request.query or "offset" in request.query
    size = _size(request, "limit", 500, largest_page) if asked or largest_page else len(rows)
    offset = request.query.get("offset", "")
    start = int(offset) if offset.isdigit() and not stuck else 0
    following = None
    if stuck or start + size < len(rows):
        following = f"{request.path}?limit={size}&offset={1 if stuck else start + size}"
    page = list(rows[start : start + size])
    return {"data": page, "total_count": len(rows), "links": {"next": following}}
