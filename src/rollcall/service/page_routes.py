"""The routes of the page: itself, its style and script, signing in and out."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from rollcall.service.page import make_page
from rollcall.service.page_filter import read_filter
from rollcall.service.page_text import render_page, render_sign_in
from rollcall.service.rendering import etag_of
from rollcall.service.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.routing import BaseRoute

    from rollcall.service.service import Service

STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Nothing from elsewhere, nothing inline, no framing."""


def page_routes(service: Service, now: Callable[[], datetime]) -> list[BaseRoute]:
    """The page's routes."""
    session = Session(service.options, service.gate)

    async def page(request: Request) -> Response:
        if not session.admits(request):
            return _closed(session)
        wanted = read_filter(request.query_params)
        problem = service.watch.problem
        view = await run_in_threadpool(make_page, service.known, wanted, now(), problem)
        health = service.listings.health
        text = await run_in_threadpool(
            render_page, view, upstream=health, can_sign_out=session.can_sign_in
        )
        return _html(text)

    async def sign_in(request: Request) -> Response:
        reply = await session.sign_in(request)
        return reply or _closed(session, wrong=True)

    async def sign_out(_: Request) -> Response:
        return session.sign_out()

    async def static(request: Request) -> Response:
        return _static(request)

    return [
        Route("/", page, methods=["GET"]),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        Route("/static/{name}", static, methods=["GET"]),
    ]


def _closed(session: Session, *, wrong: bool = False) -> Response:
    status = 401 if session.can_sign_in else 403
    return _html(render_sign_in(can_sign_in=session.can_sign_in, wrong=wrong), status)


def _html(text: str, status: int = 200) -> Response:
    headers = {**SECURITY_HEADERS, "cache-control": "no-store"}
    return HTMLResponse(text, status, headers)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return Response(status_code=404, headers=SECURITY_HEADERS)
    content, etag = _asset(name)
    headers = {**SECURITY_HEADERS, "etag": etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=STATIC[name])


@cache
def _asset(name: str) -> tuple[bytes, str]:
    content = files("rollcall.service").joinpath("static", name).read_bytes()
    return content, etag_of(content)
