"""Ollama's own list of what is pulled: names and details, no limits, no prices.

Context and most else would need one call per model (`/api/show`), so they stay unknown; newer
servers list capabilities.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind, Model
from rollcall.providers.kinds import kind_of_id
from rollcall.providers.rows import Row, read, rows_of
from rollcall.providers.wire import AFTER, HttpRequest, Listing, bearer

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider


SOURCES: Final[Mapping[str, str]] = {
    "id": "model or name",
    "kind": "the id, else capabilities",
    "capabilities": "capabilities, where the server lists them",
}

_CAPABILITIES: Final = {"tools": "tools", "vision": "vision", "reasoning": "thinking"}


_KINDS: Final = (("embedding", Kind.EMBEDDING), ("image", Kind.IMAGE))
"""A capability of a model that completes no text -> what it is for."""


class Ollama:
    """GET {base}/api/tags, no key needed, one page. `/v1/models` of the same server reads too."""

    sources = SOURCES
    roots = ("models", "data")
    after = AFTER

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The whole list."""
        return (HttpRequest(f"{provider.base_url}/api/tags", bearer(key)),)

    def parse(
        self, provider: Provider, pages: Sequence[object], _moments: Collection[float] = (), /
    ) -> Listing:
        """The models pulled."""
        rows = rows_of(pages, self.roots)
        return read(
            rows,
            lambda row, model_id: _model(provider, row, model_id),
            id_keys=("model", "name", "id"),
        )


def _model(provider: Provider, row: Row, model_id: str) -> Model:
    listed = row.listed("capabilities")
    said = {} if listed is None else {o: t in listed for o, t in _CAPABILITIES.items()}
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        kind=_kind(model_id, listed),
        capabilities=said,
    )


def _kind(model_id: str, listed: list[object] | None) -> Kind:
    """What the id says, unless the server says that no text comes out."""
    by_id = kind_of_id(model_id)
    if by_id is not Kind.CHAT or not listed or "completion" in listed:
        return by_id
    return next((kind for word, kind in _KINDS if word in listed), Kind.OTHER)
