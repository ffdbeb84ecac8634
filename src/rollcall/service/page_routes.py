"""The page in a browser: its routes, who may see it, and its HTML.

With ROLLCALL_API_TOKENS the page opens to whoever sends a token, or has signed in with one: the
cookie holds no token, only a seal that this process made, so a restart signs everybody out. Without
tokens it opens to this machine only, and only under a loopback name, so that no web page can reach
it through a name of its own. Everything that stands in it is escaped by the template engine.
"""

from __future__ import annotations

import hmac
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rollcall.catalog.facts import short, whose
from rollcall.catalog.model import dollars, in_short
from rollcall.service.page import KEY_VARIABLE, SHOW_TITLES, ago, make_page, read_filter

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from rollcall.service import ServeOptions
    from rollcall.service.access import Authenticator
    from rollcall.service.app import Service
    from rollcall.service.cache import Health
    from rollcall.service.page import Page

HERE = Path(__file__).parent

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

COOKIE = "rollcall_session"
SESSION_SECONDS = 12 * 3600
MAX_TEXT = 160
"""Longer names are cut: a provider's name is data, and may be 10,000 characters."""
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_FORM_BYTES = 4_096


def page_routes(service: Service, now: Callable[[], datetime]) -> list[BaseRoute]:
    """The page's routes."""
    door = PageDoor(service.options, service.authenticator)

    async def page(request: Request) -> Response:
        if not door.admits(request):
            return _closed(door)
        wanted = read_filter(request.query_params)
        windows = "windows" in request.headers.get("user-agent", "").lower()
        scheme = "https" if _over_tls(request) else "http"

        def draw() -> str:
            view = make_page(
                service.source.known,
                wanted,
                now(),
                service.source.problem,
                base_url=f"{scheme}://{request.headers.get('host', '')}",
                shell="powershell" if windows else "sh",
            )
            health = service.lists.health
            return render_page(view, upstream=health, can_sign_out=door.can_sign_in)

        return _html(await run_in_threadpool(draw))

    async def sign_in(request: Request) -> Response:
        token = await _token_of_form(request)
        if not service.authenticator.knows(token):
            return _closed(door, wrong=True)
        return door.opened(secure=_over_tls(request))

    async def sign_out(_: Request) -> Response:
        response = RedirectResponse("/", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    return [
        Route("/", page, methods=["GET"]),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        Mount("/static", _Static(directory=HERE / "static")),
    ]


class PageDoor:
    """Who may see the page."""

    def __init__(self, options: ServeOptions, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._loopback = options.loopback
        self._names = _LOOPBACK_NAMES | {options.host}

    @property
    def can_sign_in(self) -> bool:
        """Whether there is a token to sign in with."""
        return self._authenticator.has_tokens

    def admits(self, request: Request) -> bool:
        """Whether this request may see the page."""
        if not self._authenticator.has_tokens:
            return self._loopback and _host_name(request) in self._names
        given, seal = request.cookies.get(COOKIE, ""), self._authenticator.seal("page")
        signed_in = hmac.compare_digest(given.encode(), seal.encode())
        return signed_in or self._authenticator.admit(request.headers.raw) is not None

    def opened(self, *, secure: bool) -> Response:
        """The way to the page, with the cookie that opens it."""
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            self._authenticator.seal("page"),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return response


def _over_tls(request: Request) -> bool:
    """Whether the browser came by TLS, also by a proxy's word: a lie harms only its sender."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))


def _host_name(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


async def _token_of_form(request: Request) -> str:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _FORM_BYTES:
            return ""
    fields = parse_qs(content.decode("utf-8", "replace"))
    return fields.get("token", [""])[0].strip()


class _Static(StaticFiles):
    """The page's style and script, with the page's own headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({**SECURITY_HEADERS, "cache-control": "no-cache"})
        return response


def _closed(door: PageDoor, *, wrong: bool = False) -> Response:
    template = _environment().get_template("sign_in.html")
    text = template.render(can_sign_in=door.can_sign_in, wrong=wrong)
    return _html(text, 401 if door.can_sign_in else 403)


def _html(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status, {**SECURITY_HEADERS, "cache-control": "no-store"})


def render_page(page: Page, *, upstream: Health, can_sign_out: bool) -> str:
    """The whole page as HTML."""
    template = _environment().get_template("page.html")
    return template.render(
        page=page,
        upstream=upstream,
        can_sign_out=can_sign_out,
        show_titles=SHOW_TITLES,
        key_variable=KEY_VARIABLE,
    )


class Code(str):
    """Text of several lines that may be longer than a name."""

    __slots__ = ()


def shown_code(text: str) -> Code:
    """A call to copy as it may be shown: its own line ends, no other control characters."""
    lines = text[:4_000].splitlines()
    return Code("\n".join(_printable(line) for line in lines))


def shown_text(value: object) -> str:
    """Text as it may be shown: no control or direction-changing characters, not endless."""
    text = str(value)
    return _printable(text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def shown_tokens(count: int | None) -> str:
    """A number of tokens as people say it: 200k, 1M."""
    return "–" if count is None else in_short(count)


def shown_price(price: float | None) -> str:
    """USD per 1M tokens."""
    if not price:
        return "–" if price is None else "free"
    return dollars(price)


def safe_url(url: str | None) -> str | None:
    """A link only where it is plain https: data must not bring other schemes onto the page."""
    return url if url and url.startswith("https://") else None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "ago": ago,
        "code": shown_code,
        "price": shown_price,
        "safe_url": safe_url,
        "tokens": shown_tokens,
        "short": short,
        "whose": whose,
    }
    return environment


def _finalize(value: Any) -> Any:
    """Clean every plain string that is put into the page."""
    return shown_text(value) if type(value) is str else value
