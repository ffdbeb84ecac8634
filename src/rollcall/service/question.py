"""What a client asks of a listing: which path, in whose shape, with which options. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.service.access import Header


class Shape(StrEnum):
    """In whose words an answer is. LiteLLM chooses by the same signs."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    """Header `anthropic-version`."""
    CODEX = "codex"
    """Parameter `client_version`."""
    MODEL_INFO = "model_info"
    """LiteLLM's own /model/info, which Cline reads."""


VIEW_HEADERS = frozenset(
    {b"anthropic-version", b"anthropic-beta", b"user-agent", b"x-gateway-client"}
)
"""Headers that change how LiteLLM shapes its list."""

NOT_ASKED_UPSTREAM = frozenset({"ready", "refresh", "limit", "key", "api_key"})
"""Parameters that are ours, that LiteLLM ignores, or that may hold a key: none is kept."""

_WORDS = {"true": True, "false": False}
_HEADER_LENGTH = 200


class QueryError(ValueError):
    """A parameter of ours that is neither `true` nor `false`."""


@dataclass(frozen=True, slots=True)
class Question:
    """One listing as it is asked for upstream; equal questions of one caller share one answer.

    Attributes:
        path: where LiteLLM answers it. query: its parameters without NOT_ASKED_UPSTREAM.
        client: the product name of the caller's user agent, for telling questions apart.
    """

    shape: Shape
    path: str
    query: str = ""
    client: str = ""
    anthropic_version: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what rollcall itself is asked for.

    Attributes:
        ready: None = LiteLLM's list; True = only what can be called now; False = with what a
            missing key keeps away.
        refresh: ask the providers anew first.
        view_headers: to pass on upstream.
    """

    question: Question
    ready: bool | None = None
    refresh: bool = False
    view_headers: tuple[Header, ...] = ()


def read_question(path: str, query_string: bytes, headers: Iterable[Header]) -> Asked:
    """Read a listing request.

    Raises:
        QueryError: `ready` or `refresh` is neither true nor false.
    """
    view = {name: value[:_HEADER_LENGTH] for name, value in headers if name in VIEW_HEADERS}
    ready, refresh, kept = None, False, ""
    codex = False
    if query_string:
        pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
        kept_pairs = sorted(pair for pair in pairs if pair[0] not in NOT_ASKED_UPSTREAM)
        ready, refresh = _flag(pairs, "ready"), bool(_flag(pairs, "refresh"))
        kept = urlencode(kept_pairs)
        codex = any(name == "client_version" for name, _ in kept_pairs)
    agent = view.get(b"x-gateway-client") or view.get(b"user-agent", b"")
    version = view.get(b"anthropic-version", b"").decode("latin-1")
    question = Question(
        shape=shape_of(path, codex=codex, anthropic=bool(version)),
        path=path,
        query=kept,
        client=agent.split(b"/", 1)[0].strip().lower()[:40].decode("latin-1"),
        anthropic_version=version,
    )
    return Asked(question, ready, refresh, tuple(view.items()))


def shape_of(path: str, *, codex: bool, anthropic: bool) -> Shape:
    """In whose shape LiteLLM answers a listing."""
    if path.endswith("/model/info"):
        return Shape.MODEL_INFO
    if codex:
        return Shape.CODEX
    return Shape.ANTHROPIC if anthropic else Shape.OPENAI


def error_shape(path: str, headers: Iterable[Header]) -> Shape:
    """In whose shape an error on this path is best read."""
    anthropic = "/messages" in path or any(name == b"anthropic-version" for name, _ in headers)
    return Shape.ANTHROPIC if anthropic else Shape.OPENAI


def _flag(pairs: list[tuple[str, str]], name: str) -> bool | None:
    given = [value for key, value in pairs if key == name]
    if not given:
        return None
    if given[-1] not in _WORDS:
        raise QueryError(f"`{name}` must be true or false.")
    return _WORDS[given[-1]]
