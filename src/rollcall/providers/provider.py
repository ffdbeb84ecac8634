"""One provider to ask: where, how, with which key, and what LiteLLM calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Protocol_ = Literal["openai", "anthropic", "gemini", "openrouter", "xai", "perplexity", "ollama"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider, resolved: the built-in row with the policy's overrides laid over it.

    Attributes:
        name: key in the policy. title: for people. protocol: which adapter reads it.
        base_url: root of the API, no trailing slash; what LiteLLM calls `api_base`.
        base_url_env: variables LiteLLM reads the base from, first set one wins.
        key_env: key variables in LiteLLM's order; empty = no key needed.
        unwritten: those of `key_env` LiteLLM must read by itself: as an entry's `api_key` it would
            send them in the wrong header.
        key_optional: it answers without a key too (a local server); a key is sent when set.
        public_list: its list is public, but what a key sees differs: without a key the list is
            for display only.
        key_url: the page where a person gets a key.
        litellm_prefix: what precedes the id in `litellm_params.model`.
        api_base: what to write as `litellm_params.api_base`; None where LiteLLM knows it itself.
        empty_ok: an empty list is an answer here (a local server with nothing loaded).
        created_is_release: its creation field is a release date.
        prices_per_million: bare `input` and `output` prices are USD per 1M tokens.
        mode: LiteLLM's mode of its chat models, where it is known.
        auth_hint: added when it refuses the key, one sentence.
        timeout_seconds: None = the policy's default.
    """

    name: str
    title: str
    protocol: Protocol_
    base_url: str
    litellm_prefix: str
    base_url_env: tuple[str, ...] = ()
    key_env: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()
    key_optional: bool = False
    public_list: bool = False
    key_url: str = ""
    api_base: str | None = None
    empty_ok: bool = False
    created_is_release: bool = True
    prices_per_million: bool = False
    mode: str | None = None
    auth_hint: str = ""
    timeout_seconds: float | None = None

    @property
    def needs_key(self) -> bool:
        """Whether it is not worth asking, or only for display, without a key."""
        return bool(self.key_env) and not self.key_optional


def find_key(provider: Provider, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """(variable, value) of the key LiteLLM would use; an empty variable counts as unset."""
    for name in provider.key_env:
        value = environ.get(name, "").strip()
        if value:
            return name, value
    return None
