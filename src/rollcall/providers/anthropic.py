"""Anthropic's list: paged, with a tree of capabilities since 2026-03, no prices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Model
from rollcall.providers.kinds import kind_of, modalities
from rollcall.providers.rows import Row, read, rows_of
from rollcall.providers.wire import HttpRequest, Listing, anthropic_headers

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider


SOURCES: Final[Mapping[str, str]] = {
    "id": "id",
    "display_name": "display_name",
    "maker": "the provider itself; behind a gateway the id",
    "released": "created_at",
    "context": "max_input_tokens",
    "max_output": "max_tokens",
    "kind": "the id, or what a gateway's row says",
    "capabilities": "capabilities.image_input, .pdf_input, .structured_outputs, .thinking",
}

PAGE_SIZE: Final = 1000

_CAPABILITIES: Final = {
    "vision": "image_input",
    "pdf_input": "pdf_input",
    "structured_output": "structured_outputs",
    "reasoning": "thinking",
}
"""Our word -> a branch of the tree, whose leaf `supported` says yes or no."""


class Anthropic:
    """GET {base}/v1/models, `x-api-key`, pages by `after_id` while `has_more`."""

    sources = SOURCES
    roots = ("data",)
    after = ("after_id",)

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The first page of up to PAGE_SIZE models; the default page holds only 20."""
        url, params = f"{provider.base_url}/v1/models", {"limit": str(PAGE_SIZE)}
        return (HttpRequest(url, anthropic_headers(key), params),)

    def parse(
        self, provider: Provider, pages: Sequence[object], _moments: Collection[float] = (), /
    ) -> Listing:
        """The models listed, newest first as they come."""
        rows = rows_of(pages, self.roots)
        return read(rows, lambda row, model_id: _model(provider, row, model_id))


def _model(provider: Provider, row: Row, model_id: str) -> Model:
    said = {
        ours: flag
        for ours, theirs in _CAPABILITIES.items()
        if (flag := row.flag("capabilities", theirs, "supported")) is not None
    }
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        display_name=row.text("display_name"),
        maker=None if provider.gateway else "anthropic",
        released=None if provider.created == "listing" else row.day("created_at"),
        context=row.count("max_input_tokens"),
        max_output=row.count("max_tokens"),
        kind=kind_of(row, model_id, modalities(row)[1]),
        capabilities=said,
    )
