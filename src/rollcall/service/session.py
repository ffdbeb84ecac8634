"""Who may see the page, and the sign-in that lets a browser in.

With ROLLCALL_API_TOKENS: whoever sends a token, or has signed in with one. The cookie holds no
token, only a seal of it that this process made; a restart signs everybody out. Without tokens:
this machine only, and only under a loopback name, so that no web page can reach it through a name
of its own.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from rollcall.service.access import Gate
    from rollcall.service.options import ServeOptions

COOKIE = "rollcall_session"
SESSION_SECONDS = 12 * 3600
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_FORM_BYTES = 4_096


class Session:
    """The page's door."""

    def __init__(self, options: ServeOptions, gate: Gate) -> None:
        self._gate = gate
        self._loopback = options.loopback
        self._names = _LOOPBACK_NAMES | {options.host}

    @property
    def can_sign_in(self) -> bool:
        """Whether there is a token to sign in with."""
        return self._gate.has_tokens

    def admits(self, request: Request) -> bool:
        """Whether this request may see the page."""
        if self._gate.has_tokens:
            return self._signed_in(request) or self._gate.admit(request.headers.raw) is not None
        return self._loopback and _host_name(request) in self._names

    async def sign_in(self, request: Request) -> Response | None:
        """Take a token from the sign-in form; None when it is not one of ours."""
        token = await _token_of_form(request)
        if not token or not self._gate.knows(token):
            return None
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            self._gate.seal("page"),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=_over_tls(request),
        )
        return response

    @staticmethod
    def sign_out() -> Response:
        """Forget the sign-in."""
        response = RedirectResponse("/", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def _signed_in(self, request: Request) -> bool:
        given = request.cookies.get(COOKIE, "")
        return hmac.compare_digest(given.encode(), self._gate.seal("page").encode())


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
