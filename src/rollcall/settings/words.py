"""What a word of a setting means: yes, a duration, a moment, a web address, the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rollcall.settings.given import given

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from rollcall.settings.given import Given

PROXY_PORT = 4000
"""Where LiteLLM's proxy listens unless it is told otherwise, or finds somebody there."""
PROXY_ADDRESS = f"http://127.0.0.1:{PROXY_PORT}"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})


def is_true(word: str | None) -> bool:
    """Whether an environment variable says yes: 1, true, yes or on, in any case."""
    return (word or "").strip().lower() in TRUE_WORDS


_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration(text: str) -> float:
    """Seconds of a duration: `2s`, `500ms`, `10m`, `1h`, `7d`, or a bare number of seconds.

    Raises:
        ValueError: not a duration; says what one looks like.
    """
    word = str(text).strip().lower()
    number = word.rstrip("smhdw")
    unit = word[len(number) :] or "s"
    try:
        seconds = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        raise ValueError(f"{text!r} is not a duration such as 2s, 500ms, 10m, 1h or 7d") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{text!r} is not a duration: it must be zero or more")
    return seconds


def duration_text(seconds: float) -> str:
    """A duration as one writes it, in the largest unit up to a day that divides it: `10m`, `7d`."""
    whole = (unit for unit in ("d", "h", "m", "s") if seconds % _UNITS[unit] == 0)
    unit = next(whole, "ms") if seconds else "s"
    return f"{seconds / _UNITS[unit]:.10g}{unit}"


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 moment as we keep it, UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def stamp_of(moment: datetime) -> str:
    """A moment in UTC, ISO 8601, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(environ: Mapping[str, str]) -> datetime:
    """Now in UTC, or what SOURCE_DATE_EPOCH says.

    Raises:
        SettingsError: SOURCE_DATE_EPOCH is set and is not a number of seconds.
    """
    epoch = given(environ, "SOURCE_DATE_EPOCH")
    if epoch is None:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch.value), UTC)
    except (ValueError, OverflowError, OSError):
        hint = "Unset it, or set it to whole seconds since 1970."
        raise epoch.error("it is not a Unix time", hint) from None


def reachable(address: str) -> str:
    """A web address as a client can connect to it: 0.0.0.0 and [::], where a server listens, are
    this machine. Programs log them, people copy them, and Windows refuses to connect to them.
    """
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        if not ip_address(parts.hostname or "").is_unspecified:
            return address
        host = "127.0.0.1" if "." in str(parts.hostname) else "[::1]"
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return address
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{host}{port}").geturl()


def web_parts(address: str) -> SplitResult | None:
    """A web address in its parts; None where it is none that a client could ask."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        well = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if well and " " not in address and address.isprintable() else None


def proxy_root(base_url: str) -> str:
    """The proxy's root: with a scheme, without a trailing slash or the /v1 clients use."""
    root = base_url.strip().rstrip("/")
    if "://" not in root:
        root = f"http://{root}"
    return root.removesuffix("/v1").rstrip("/")


def web_address(named: Given, example: str) -> str:
    """A web address as a client can connect to it.

    Raises:
        SettingsError: it is none, or holds a user or a password.
    """
    parts = web_parts(named.value)
    if parts is None or parts.username or parts.password:
        hint = f"Write it like {example}, without a key in it."
        raise named.error("it is not an http or https address", hint)
    return reachable(named.value)
