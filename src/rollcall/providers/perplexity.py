"""Perplexity's list (since 2026-04): OpenAI's shape, other makers' models too, at another path.

Its chat endpoint was closed in 2026-09; models are reached by `/v1/responses`, which is the
provider row's `mode`. `created` is always 0. Ids carry their maker; LiteLLM takes its own
`perplexity/perplexity/sonar` for the `perplexity/sonar` of its price map, mode chat, whatever the
entry says, so these are written `perplexity/responses/perplexity/sonar`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Model
from rollcall.providers.openai import model_of
from rollcall.providers.rows import read, rows_of
from rollcall.providers.whole_list import WholeList, whole_list
from rollcall.providers.wire import AFTER, HttpRequest, Listing, bearer

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.providers.rows import Row


SOURCES: Final[Mapping[str, str]] = {
    "id": "id",
    "maker": "owned_by",
    "price": "pricing.input, .output, .cache_read, .cache_write (USD per 1M tokens)",
    "kind": "the id",
    "mode": "known: its models answer at /v1/responses only",
    "params": "known: Anthropic's models are refused without max_tokens",
}

MAX_TOKENS: Final = 8192
"""Every Claude of today can put out that many; a client that asks for another number gets that."""


class Perplexity:
    """GET {base}/v1/models, with a bearer key."""

    sources = SOURCES
    roots = ("data",)
    after = AFTER

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The whole list."""
        return (HttpRequest(f"{provider.base_url}/v1/models", bearer(key)),)

    def parse(
        self, provider: Provider, pages: Sequence[object], moments: Collection[float] = (), /
    ) -> Listing:
        """The models listed."""
        rows = rows_of(pages, self.roots)
        whole = whole_list(provider, rows, pages=pages, moments=moments)
        listing = read(rows, lambda row, model_id: _model(provider, row, model_id, whole))
        return Listing(listing.models, (*whole.notes, *listing.notes), listing.rows)


def _model(provider: Provider, row: Row, model_id: str, whole: WholeList) -> Model | None:
    model = model_of(provider, row, model_id, whole)
    if model is None:
        return None
    prefix = provider.litellm_prefix
    changes: dict[str, object] = {}
    if model_id.startswith(f"{prefix}/"):
        changes["litellm_model"] = f"{prefix}/responses/{model_id}"
    if model_id.startswith("anthropic/"):
        changes["params"] = {"max_tokens": MAX_TOKENS}
    return model.model_copy(update=changes)
