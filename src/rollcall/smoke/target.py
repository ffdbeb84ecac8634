"""Where the running proxy is, its key, and what config.yaml says it serves. Reads files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollcall import config_document
from rollcall.evidence import load
from rollcall.litellm_view import client_key, merged
from rollcall.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollcall.settings import Settings

DEFAULT_URL = "http://127.0.0.1:4000"


def proxy_url(settings: Settings, given: str | None) -> str:
    """The proxy's address: the one given, LITELLM_BASE_URL, or LiteLLM's own default."""
    return given or settings.environ.get("LITELLM_BASE_URL") or DEFAULT_URL


def proxy_key(settings: Settings, data: Mapping[str, Any], variable: str | None) -> str | None:
    """The proxy's key: the variable named, else what config.yaml says, else LITELLM_API_KEY."""
    if variable:
        return settings.environ.get(variable) or None
    return client_key(data, settings.environ)


def read_served(settings: Settings) -> dict[str, Any]:
    """config.yaml as LiteLLM merges it with the files it includes.

    Raises:
        ConfigRefused, StoreError: config.yaml cannot be read.
    """
    store = Store(settings.config_path, settings.state_dir)
    data = config_document.parse(store.read_config()).data
    included = [load(content) for content in store.read_includes(data)]
    return merged(data, [one for one in included if isinstance(one, dict)])
