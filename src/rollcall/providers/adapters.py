"""The adapters: where each protocol's list is, and how its pages become models.

What one row means stands in a file of its own: `openai` (Perplexity's is a variant of it),
`openrouter`, `xai`, and `plain_lists` for those that state no prices.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from rollcall.providers.builtin import Protocol_
from rollcall.providers.openai import (
    ID_KEYS,
    NAME_KEYS,
    OPENAI_SOURCES,
    PERPLEXITY_SOURCES,
    merge_doubles,
    openai_model,
    perplexity_model,
)
from rollcall.providers.openrouter import OPENROUTER_SOURCES, openrouter_model
from rollcall.providers.plain_lists import (
    ANTHROPIC_SOURCES,
    GEMINI_SOURCES,
    OLLAMA_SOURCES,
    anthropic_model,
    gemini_model,
    ollama_model,
)
from rollcall.providers.rows import Row, read, rows_of
from rollcall.providers.whole_list import as_it_says, whole_list
from rollcall.providers.wire import (
    AFTER,
    HttpRequest,
    Listing,
    anthropic_headers,
    bearer,
    google_headers,
)
from rollcall.providers.xai import XAI_SOURCES, xai_model

if TYPE_CHECKING:
    from rollcall.catalog.model import Model
    from rollcall.providers.builtin import Provider
    from rollcall.providers.whole_list import WholeList


class Adapter(NamedTuple):
    """One wire protocol: builds requests and reads replies; never logs, catches or retries.

    Attributes:
        sources: our field of a Model -> the provider's field it is read from.
        model_of: the model of a row and its id; None where the row lists nothing to use.
        path: of the list, below the base. path_with_key: of the list a key sees, where it is
            another one.
        headers: those that carry the key. query: what the list is asked with.
        roots: where a page keeps its rows; the first that is there counts.
        id_keys: where a row keeps its id. name_keys: where it does in a list without ids.
        after: parameters that ask for what stands behind an id; see `answers`.
        judges: whether all rows are looked at together, to tell what a price or a date means.
        unite: brings rows of one model together.
    """

    sources: Mapping[str, str]
    model_of: Callable[[Provider, Row, str, WholeList], Model | None]
    path: str = "/models"
    path_with_key: str = ""
    headers: Callable[[str | None], dict[str, str]] = bearer
    query: Mapping[str, str] = {}
    roots: Sequence[str] = ("data",)
    id_keys: Sequence[str] = ("id",)
    name_keys: Sequence[str] = ()
    strip_prefix: str = ""
    after: Sequence[str] = AFTER
    judges: Callable[[Provider], bool] = lambda _provider: False
    unite: Callable[[Sequence[object], tuple[Model, ...]], tuple[Model, ...]] | None = None

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The request for the list or its first page; others, each for when the one before is
        not found (404).

        A gateway may have no list per key. OpenRouter's own public list is no way out: it names
        models that the account refuses at call time.
        """
        headers, query = self.headers(key), {**self.query, **provider.query}
        listed = HttpRequest(provider.base_url + self.path, headers, query)
        if not key or not self.path_with_key:
            return (listed,)
        own = replace(listed, url=provider.base_url + self.path_with_key)
        host = urlsplit(provider.base_url).hostname or ""
        return (own,) if f".{host}".endswith(".openrouter.ai") else (own, listed)

    def parse(
        self, provider: Provider, pages: Sequence[object], moments: Collection[float] = (), /
    ) -> Listing:
        """The models on all pages, in their order.

        Args:
            moments: when they were asked for, by the clocks there are, in Unix seconds.

        Raises:
            WrongShape: a page is no list of models.
        """
        rows = rows_of(pages, self.roots)
        named = any(isinstance(row, Row) and row.has_any(self.id_keys) for row in rows)
        id_keys = self.id_keys if named or not self.name_keys else self.name_keys
        if self.judges(provider):
            whole = whole_list(provider, rows, pages=pages, moments=moments, id_keys=id_keys)
        else:
            whole = as_it_says(provider)
        listing = read(
            rows,
            lambda row, model_id: self.model_of(provider, row, model_id, whole),
            id_keys=id_keys,
            strip_prefix=self.strip_prefix,
        )
        if not listing.models:  # how its prices are read is of no interest
            return listing
        models = listing.models if self.unite is None else self.unite(rows, listing.models)
        return Listing(models, (*whole.notes, *listing.notes), listing.rows)


_PAGE_SIZE: Final = "1000"
"""Left out, Anthropic's first page holds 20 models, and Google's 50 of them."""

_OPENAI: Final = Adapter(
    sources=OPENAI_SOURCES,
    model_of=openai_model,
    roots=("data", "models"),
    id_keys=ID_KEYS,
    name_keys=NAME_KEYS,
    judges=lambda _provider: True,
    unite=merge_doubles,
)

ADAPTERS: Final[dict[Protocol_, Adapter]] = {
    "openai": _OPENAI,
    "anthropic": Adapter(
        sources=ANTHROPIC_SOURCES,
        model_of=anthropic_model,
        path="/v1/models",
        headers=anthropic_headers,
        query={"limit": _PAGE_SIZE},
        after=("after_id",),
        judges=lambda provider: provider.gateway,
    ),
    "gemini": Adapter(
        sources=GEMINI_SOURCES,
        model_of=gemini_model,
        headers=google_headers,
        query={"pageSize": _PAGE_SIZE},
        roots=("models",),
        id_keys=("name",),
        strip_prefix="models/",
    ),
    "openrouter": Adapter(
        sources=OPENROUTER_SOURCES,
        model_of=openrouter_model,
        path_with_key="/models/user",
        judges=lambda provider: bool(provider.gateway or provider.created or provider.price_unit),
    ),
    "xai": Adapter(sources=XAI_SOURCES, model_of=xai_model, roots=("data", "models")),
    "perplexity": Adapter(
        sources=PERPLEXITY_SOURCES,
        model_of=perplexity_model,
        path="/v1/models",
        judges=lambda _provider: True,
    ),
    "ollama": Adapter(
        sources=OLLAMA_SOURCES,
        model_of=ollama_model,
        path="/api/tags",
        roots=("models", "data"),
        id_keys=("model", "name", "id"),
    ),
    # No list at all: the policy's own rows, in the shape that OpenAI's list has.
    "static": _OPENAI._replace(sources=dict.fromkeys(OPENAI_SOURCES, "the policy's `models`")),
}
