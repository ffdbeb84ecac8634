"""One request and its reply: every way this can fail becomes a Refused. Catches httpx's errors."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Verdict
from rollcall.providers.answers import MAX_BYTES, Inbox, Refused, TooLarge, Unreadable
from rollcall.providers.failures import Refusal, classify
from rollcall.providers.http_client import httpx

if TYPE_CHECKING:
    from rollcall.providers.wire import HttpRequest


_ERROR_BYTES: Final = 64 * 1024
_PAUSE_BYTES: Final = 1024 * 1024


async def exchange(client: httpx.AsyncClient, request: HttpRequest, room: int) -> bytes:
    """The body of a good reply.

    Args:
        room: how many bytes it may have.

    Raises:
        Refused: there is none.
    """
    begun = False
    try:
        async with client.stream(
            "GET", request.url, headers=request.headers, params=request.params or None
        ) as response:
            begun = True
            return await _body(response, room)
    except TooLarge as error:
        raise Refused(Refusal(Verdict.TOO_LARGE, f"its answer is {error}")) from None
    except Unreadable as error:
        raise Refused(Refusal(Verdict.BAD_BODY, str(error))) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        detail = f"its base_url cannot be asked: {error}"
        raise Refused(Refusal(Verdict.UNREACHABLE, detail)) from None
    except httpx.RequestError as error:
        if begun:
            detail = "the connection broke in the middle of its answer"
            raise Refused(Refusal(Verdict.BAD_BODY, detail, retry=True)) from None
        raise Refused(_no_connection(request.url, error)) from None


async def _body(response: httpx.Response, room: int) -> bytes:
    """The whole body of a good reply, never more than `room`; an error's beginning."""
    good = response.status_code == 200
    length = response.headers.get("content-length", "")
    if good and length.isdigit() and int(length) > room:
        raise TooLarge(f"more than {MAX_BYTES // 1024 // 1024} MB")
    encoding = response.headers.get("content-encoding", "")
    if good:
        inbox = Inbox(encoding, room)
        await _fill(inbox, response)
        return inbox.body()
    body = await _error_body(response, encoding)
    headers = {name.lower(): value for name, value in response.headers.items()}
    refusal = classify(response.status_code, headers, body)
    assert refusal is not None, "only 200 is good"
    raise Refused(refusal)


async def _error_body(response: httpx.Response, encoding: str) -> bytes:
    """What can be read of an error's body: its status says enough without it."""
    try:
        inbox = Inbox(encoding, _ERROR_BYTES)
    except Unreadable:
        return b""
    with contextlib.suppress(TooLarge, Unreadable, httpx.RequestError):
        await _fill(inbox, response)
    return inbox.so_far()


async def _fill(inbox: Inbox, response: httpx.Response) -> None:
    """Take the body as it comes, and let timeouts have their say while it inflates."""
    pause_at = inbox.room - _PAUSE_BYTES
    async for chunk in response.aiter_raw():
        for portion in inbox.portions(chunk):
            inbox.take(portion)
            if inbox.room <= pause_at:
                pause_at = inbox.room - _PAUSE_BYTES
                await asyncio.sleep(0)


def _no_connection(url: str, error: httpx.RequestError) -> Refusal:
    host = httpx.URL(url).host
    said = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        hint = "its certificate is not trusted here; SSL_CERT_FILE can name other authorities"
        return Refusal(Verdict.UNREACHABLE, f"{host}: {hint} ({said})")
    return Refusal(Verdict.UNREACHABLE, f"no connection to {host}: {said}", retry=True)
