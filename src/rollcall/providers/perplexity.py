"""Perplexity's list (since 2026-04): other makers' models too, prices in USD per 1M tokens.

Its chat endpoint was closed in 2026-09; models are reached by `/v1/responses`, which is the
provider row's `mode`. `created` is always 0. Ids carry their maker; LiteLLM takes its own
`perplexity/perplexity/sonar` for the `perplexity/sonar` of its price map, mode chat, whatever the
entry says, so these are written `perplexity/responses/perplexity/sonar`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind, Model
from rollcall.providers.kinds import kind_of_id
from rollcall.providers.openai import price_of
from rollcall.providers.rows import Row, read, rows_of
from rollcall.providers.wire import AFTER, HttpRequest, Listing, bearer

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider


SOURCES: Final[Mapping[str, str]] = {
    "id": "id",
    "maker": "owned_by",
    "price": "pricing.input, .output, .cache_read, .cache_write (USD per 1M tokens)",
    "kind": "the id",
    "mode": "known: its models answer at /v1/responses only",
}


class Perplexity:
    """GET {base}/v1/models, a bearer key, one page."""

    sources = SOURCES
    roots = ("data",)
    after = AFTER

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The whole list."""
        return (HttpRequest(f"{provider.base_url}/v1/models", bearer(key)),)

    def parse(self, provider: Provider, pages: Sequence[object]) -> Listing:
        """The models listed."""
        rows = rows_of(pages, self.roots)
        return read(rows, lambda row, model_id: _model(provider, row, model_id))


def _model(provider: Provider, row: Row, model_id: str) -> Model:
    kind = kind_of_id(model_id)
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=_litellm_model(provider, model_id),
        maker=row.text("owned_by"),
        price=price_of(row, per_million=provider.prices_per_million),
        kind=kind,
        mode=provider.mode if kind is Kind.CHAT else None,
    )


def _litellm_model(provider: Provider, model_id: str) -> str:
    prefix = provider.litellm_prefix
    route = f"{prefix}/responses" if model_id.startswith(f"{prefix}/") else prefix
    return f"{route}/{model_id}"
