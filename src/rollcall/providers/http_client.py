"""httpx, and the one kind of client that we open with it. Import httpx from here: it is quicker."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rollcall._version import __version__
from rollcall.startup import httpx_without_its_command_line

if TYPE_CHECKING:
    import ssl


with httpx_without_its_command_line():
    import httpx


__all__ = ["httpx", "import_the_rest", "open_client"]

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
_LOOPBACK: Final = ("all://127.0.0.1", "all://localhost", "all://[::1]")


def open_client(urls: Iterable[str]) -> httpx.AsyncClient:
    """A client for these addresses.

    TLS is always verified, with the usual variables for other certificates (SSL_CERT_FILE,
    SSL_CERT_DIR) and proxies (HTTPS_PROXY, NO_PROXY); loopback never goes through a proxy.
    Redirects are not followed, and there are no timeouts here: the caller has its own, over
    whole bodies.

    Raises:
        ValueError: a certificate file or proxy that cannot be used; names the variables.
    """
    secure = any(url.lower().startswith("https:") for url in urls)
    try:
        return httpx.AsyncClient(
            verify=_trust() if secure else _distrust(),
            timeout=httpx.Timeout(None),
            follow_redirects=False,
            headers=_HEADERS,
            limits=httpx.Limits(max_connections=None),
            mounts=dict.fromkeys(_LOOPBACK),
        )
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        named = ", ".join(name for name in _VARIABLES if name in os.environ) or "no variable"
        raise ValueError(f"{error} (set: {named})") from None


async def import_the_rest() -> None:
    """Have anyio, by which httpx speaks to sockets, import now what the first connection needs."""
    import anyio

    await anyio.sleep(0)


def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _distrust() -> ssl.SSLContext:
    """For plain http only: a context without certificates, which refuses every server.

    Loading the certificates takes 20 to 40 ms, which nobody needs on loopback.
    """
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
