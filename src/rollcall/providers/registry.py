"""Who can be asked: every built-in provider as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Protocol_ = Literal["openai", "anthropic", "gemini", "openrouter", "xai", "perplexity", "ollama"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider, resolved: the built-in row with the policy's overrides laid over it.

    Attributes:
        name: key in the policy. title: for people. protocol: which adapter reads it.
        base_url: root of the listing API (and of calls), no trailing slash.
        base_url_env: variables LiteLLM reads the base from, first set one wins.
        key_env: key variables in LiteLLM's order; empty = no key needed.
        key_url: the page where a person gets a key.
        litellm_prefix: what precedes the id in `litellm_params.model`.
        api_base: what to write as `litellm_params.api_base`; None where LiteLLM knows it itself.
        empty_ok: an empty list is an answer here (a local server with nothing loaded).
        created_is_release: its creation field is a release date.
        timeout_seconds: None = the policy's default.
    """

    name: str
    title: str
    protocol: Protocol_
    base_url: str
    litellm_prefix: str
    base_url_env: tuple[str, ...] = ()
    key_env: tuple[str, ...] = ()
    key_url: str = ""
    api_base: str | None = None
    empty_ok: bool = False
    created_is_release: bool = True
    mode: str | None = None
    timeout_seconds: float | None = None
