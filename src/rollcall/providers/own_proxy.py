"""Whether what stands for a provider is the user's own LiteLLM proxy, as in a shell that sends its
clients through it: asked, the proxy would list itself, and LiteLLM would call itself.

Told before it is asked by its address and its key, and afterwards by how it lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rollcall.litellm_config.effective import CREATED
from rollcall.providers.builtin import BUILTIN
from rollcall.settings import PROXY_PORT, proxy_root

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider

_KEYS: Final = ("LITELLM_MASTER_KEY", "LITELLM_API_KEY")
_FOR_CLIENTS: Final = (
    "entries stay; unset it where rollcall and the proxy run, it is for clients of the proxy"
)
_CREATED: Final = (
    (b'"created"', str(CREATED).encode()),
    (b'"created_at"', b"2023-02-28T18:56:42"),
)
"""The field and the day LiteLLM's proxy gives every model it lists, in both of its shapes; OpenAI
gives that day to a model of its own.
"""


def leads_to_the_proxy(
    provider: Provider, key: tuple[str, str] | None, environ: Mapping[str, str]
) -> str | None:
    """Why a provider's address or key is the proxy's own; None where neither is.

    Args:
        key: (variable, value), as `find_key` gives it.
    """
    ours = {environ.get(name, "").strip() for name in _KEYS} - {""}
    if key is not None and key[0] not in _KEYS and key[1] in ours:
        return f"{key[0]} holds the proxy's own key: {_FOR_CLIENTS}"
    here = host_and_port(provider.base_url)
    theirs = {host_and_port(proxy_root(environ.get("LITELLM_BASE_URL", "")))}
    if provider.name in BUILTIN or provider.base_from:
        theirs.add(f"127.0.0.1:{environ.get('PORT', '').strip() or PROXY_PORT}")
    if here and here in theirs:
        named = provider.base_from or "its base_url"
        return f"{named} is the proxy's own address: {_FOR_CLIENTS}"
    return None


def listed_by_the_proxy(provider: Provider, bodies: Sequence[bytes]) -> str | None:
    """Why a list is no provider's: that of an address of the environment, on this machine, which
    answers as LiteLLM does; None where it is one.
    """
    if not provider.base_from or not host_and_port(provider.base_url).startswith("127.0.0.1:"):
        return None
    if any(0 < body.count(field) == body.count(day) for body in bodies for field, day in _CREATED):
        what = f"{provider.base_from} leads to a LiteLLM proxy, not to {provider.title}"
        return f"{what}: {_FOR_CLIENTS}"
    return None


def host_and_port(url: str) -> str:
    """`127.0.0.1:4000` of an address; every way to write this machine is the same; "" of none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ""
    host = parts.hostname or ""
    return f"{'127.0.0.1' if _is_here(host) else host}:{port}" if host else ""


def _is_here(host: str) -> bool:
    """Whether a name or number is this machine's: one to listen on everywhere is, too."""
    try:
        number = ip_address(host)
    except ValueError:
        return host == "localhost"
    return number.is_loopback or number.is_unspecified
