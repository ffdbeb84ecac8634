"""One request over HTTP: the one kind of client we open, a reply read within bounds, and the event
loop all that runs in. Import httpx from here: it is quicker.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rollcall._version import __version__
from rollcall.catalog.model import Verdict
from rollcall.providers.bodies import MAX_BYTES, PORTION, Inbox, TooLarge, Unreadable
from rollcall.providers.failures import Refused, classify
from rollcall.providers.wire import HttpRequest
from rollcall.startup import httpx_without_its_command_line

if TYPE_CHECKING:
    import ssl


with httpx_without_its_command_line():
    import httpx as httpx

T = TypeVar("T")

_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "user-agent": f"rollcall/{__version__}",
}
_VARIABLES: Final = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"),
)
"""What httpx reads of the process's environment."""
_ERROR_BYTES: Final = 64 * 1024
_PAUSE_BYTES: Final = 1024 * 1024
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_AT_HOME: Final = rf"http://({'|'.join(map(re.escape, _LOOPBACK))})(?![^:/?#])"


def open_client(urls: Iterable[str], timeout_seconds: float | None = None) -> httpx.AsyncClient:
    """A client for these addresses.

    TLS is always verified, with the usual variables for other certificates (SSL_CERT_FILE,
    SSL_CERT_DIR) and proxies (HTTPS_PROXY, NO_PROXY). Loopback never goes through a proxy, and
    where all is on loopback no broken variable is in the way. Redirects are not followed.

    Args:
        timeout_seconds: between two signs of life; None = the caller has its own, over whole
            bodies.

    Raises:
        ValueError: a certificate file or proxy that cannot be used; names the variables.
    """
    urls = [url.lower() for url in urls]
    secure = any(url.startswith("https:") for url in urls)
    at_home = all(re.match(_AT_HOME, url) for url in urls)
    try:
        return httpx.AsyncClient(
            verify=httpx.create_ssl_context() if secure else _distrust(),
            timeout=httpx.Timeout(timeout_seconds),
            follow_redirects=False,
            headers=_HEADERS,
            limits=httpx.Limits(max_connections=None),
            mounts=dict.fromkeys(f"all://{host}" for host in _LOOPBACK),
            trust_env=not at_home,
        )
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        named = ", ".join(name for name in _VARIABLES if name in os.environ) or "no variable"
        raise ValueError(f"{error} (set: {named})") from None


async def import_the_rest() -> None:
    """Have anyio, by which httpx speaks to sockets, import now what the first connection needs."""
    import anyio

    await anyio.sleep(0)


def _distrust() -> ssl.SSLContext:
    """For plain http only: a context without certificates, which refuses every server.

    Loading the certificates takes 20 to 40 ms, which nobody needs on loopback.
    """
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


# --- one request and its reply ---


async def exchange(client: httpx.AsyncClient, request: HttpRequest, room: int) -> tuple[bytes, str]:
    """The body of a good reply and its Link header.

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
            body = await _body(response, room)
            return body, ", ".join(response.headers.get_list("link"))
    except TooLarge as error:
        raise Refused(Verdict.TOO_LARGE, f"its answer is {error}") from None
    except Unreadable as error:
        raise Refused(Verdict.BAD_BODY, str(error)) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        detail = f"its base_url cannot be asked: {error}"
        raise Refused(Verdict.UNREACHABLE, detail) from None
    except httpx.RequestError as error:
        if begun:
            detail = "the connection broke in the middle of its answer"
            raise Refused(Verdict.BAD_BODY, detail, retry=True) from None
        raise _no_connection(request.url, error) from None


def fetch_body(url: str, seconds: float) -> tuple[bytes | None, str]:
    """The body at one address, asked without a key, or None and why not."""

    async def get() -> bytes:
        async with open_client([url]) as client, asyncio.timeout(seconds):
            return (await exchange(client, HttpRequest(url), MAX_BYTES))[0]

    try:
        return run_apart(get), ""
    except Refused as error:
        return None, error.detail.rstrip(".")
    except TimeoutError:
        return None, f"it did not answer within {seconds:g} seconds"
    except (OSError, ValueError, ImportError) as error:
        return None, str(error)


async def _body(response: httpx.Response, room: int) -> bytes:
    """The whole body of a good reply, never more than `room`; an error's beginning."""
    good = response.status_code == 200
    length = response.headers.get("content-length", "")
    if good and length.isdigit() and int(length) > room:
        raise TooLarge(f"more than {MAX_BYTES // 1024 // 1024} MB")
    encoding = response.headers.get("content-encoding", "")
    if good:
        inbox = Inbox(encoding, room)
        await fill(inbox, response)
        return inbox.body()
    body = await _error_body(response, encoding)
    headers = {name.lower(): value for name, value in response.headers.items()}
    refusal = classify(response.status_code, headers, body, str(response.url))
    assert refusal is not None, "only 200 is good"
    raise refusal


async def _error_body(response: httpx.Response, encoding: str) -> bytes:
    """What can be read of an error's body: its status says enough without it."""
    try:
        inbox = Inbox(encoding, _ERROR_BYTES)
    except Unreadable:
        return b""
    with contextlib.suppress(TooLarge, Unreadable, httpx.RequestError):
        await fill(inbox, response)
    return inbox.so_far()


async def fill(inbox: Inbox, response: httpx.Response) -> None:
    """Take the body as it comes, and let timeouts have their say while it inflates."""
    pause_at = inbox.room - _PAUSE_BYTES
    async for chunk in response.aiter_raw():
        for at in range(0, len(chunk), PORTION):
            inbox.take(chunk[at : at + PORTION])
            if inbox.room <= pause_at:
                pause_at = inbox.room - _PAUSE_BYTES
                await asyncio.sleep(0)


def _no_connection(url: str, error: httpx.RequestError) -> Refused:
    host = httpx.URL(url).host
    said = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        hint = "its certificate is not trusted here; SSL_CERT_FILE can name other authorities"
        return Refused(Verdict.UNREACHABLE, f"{host}: {hint} ({said})")
    return Refused(Verdict.UNREACHABLE, f"no connection to {host}: {said}", retry=True)


# --- an event loop of its own ---


def run_apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end; in a thread of its own where an event loop runs already."""

    def run() -> T:
        with asyncio.Runner() as runner:
            runner.get_loop().set_default_executor(LooseThreads())
            return runner.run(work())

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


class LooseThreads(ThreadPoolExecutor):
    """Runs name look-ups in threads that nobody waits for.

    The event loop looks names up in its executor, and waits for that executor when it closes: a
    name server that hangs would hold us, and the interpreter's exit, far past the deadline.
    """

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `work` in a daemon thread of its own."""
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - as executors do: whoever awaits it is told
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future

    def shutdown(
        self,
        wait: bool = True,  # noqa: FBT001, FBT002 - as the base has it
        *,
        cancel_futures: bool = False,
    ) -> None:
        """Wait for nobody."""
