"""What a simulated provider can be made to do wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """One way to misbehave; it holds for every request until healed, or `times` requests."""

    REFUSE = "refuse"
    """Nobody listens: `Simulator.url` gives a closed port; the open one hangs up at once."""
    HANG = "hang"
    """Takes the request and never answers."""
    DELAY = "delay"
    """Answers well, `seconds` late."""
    SLOW_DRIP = "slow_drip"
    """Headers at once, then a byte now and then, for ever."""
    RESET = "reset"
    """Half the body, then a connection reset."""
    TRUNCATED = "truncated"
    """Half the body that content-length promised, then a clean end."""
    HTML = "html"
    """200 with a web page."""
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    """200 with JSON that is no list of models."""
    ERROR_WITH_200 = "error_with_200"
    """200 with an error object."""
    EMPTY = "empty"
    """A list of nothing, in the right shape."""
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    """429 with `Retry-After: seconds`."""
    SERVER_ERROR = "server_error"
    UNAVAILABLE_ONCE = "unavailable_once"
    """One 503, then well again."""
    REDIRECT_ELSEWHERE = "redirect_elsewhere"
    """To another host, which records what it is sent under the name `elsewhere`."""
    REDIRECT_LOGIN = "redirect_login"
    GZIP_BOMB = "gzip_bomb"
    """A small reply that inflates to a gigabyte."""
    HUGE_BODY = "huge_body"
    """Well-formed, and over 30 MB."""
    UTF16 = "utf16"
    """The right list, in UTF-16 with a byte order mark."""
    NAN_NUMBERS = "nan_numbers"
    """The right ids; every number is NaN, infinite, negative or enormous."""
    CONTROL_CHARACTERS = "control_characters"
    """The right list, and rows whose ids hold escapes, line breaks, YAML, 10,000 letters."""
    ECHO_KEY = "echo_key"
    """401 whose message repeats the key it was sent: whole, URL-encoded, and masked."""
    REPEATED_CURSOR = "repeated_cursor"
    """Every page says there is another, and names the same one (where the provider pages)."""


@dataclass(frozen=True, slots=True)
class Active:
    """A fault in force. seconds: of a delay or Retry-After. times: None = until healed."""

    fault: Fault
    seconds: float
    times: int | None
