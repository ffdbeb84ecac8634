"""httpx, without its command line, and the one kind of client that we open with it.

Import httpx from here: `import httpx` also imports its command line, and with it rich and click
where these are installed (40 ms). Where httpx was imported before, nothing changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rollcall._version import __version__

if TYPE_CHECKING:
    import ssl


_COMMAND_LINE: Final = "httpx._main"
_skipped = _COMMAND_LINE not in sys.modules and "httpx" not in sys.modules
if _skipped:
    # None makes the import fail, which httpx takes for "not installed".
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # documented, not in typeshed
try:
    import httpx
finally:
    if _skipped:
        del sys.modules[_COMMAND_LINE]


__all__ = ["httpx", "open_client"]

_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "user-agent": f"rollcall/{__version__}",
}
_LOOPBACK: Final = ("all://127.0.0.1", "all://localhost", "all://[::1]")


def open_client(urls: Iterable[str]) -> httpx.AsyncClient:
    """A client for these addresses.

    TLS is always verified, with the usual variables for other certificates (SSL_CERT_FILE,
    SSL_CERT_DIR) and proxies (HTTPS_PROXY, NO_PROXY); loopback never goes through a proxy.
    Redirects are not followed, and there are no timeouts here: the caller has its own, over
    whole bodies.

    Raises:
        OSError, ValueError, ImportError: a certificate file or proxy that cannot be used.
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
    except httpx.InvalidURL as error:  # a proxy's, from the environment
        raise ValueError(str(error)) from None


def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _distrust() -> ssl.SSLContext:
    """For plain http only: a context without certificates, which refuses every server.

    Loading the certificates takes 20 to 40 ms, which nobody needs on loopback.
    """
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
