"""Google's list (generativelanguage v1beta): paged, no dates, no prices.

`generateContent` alone does not make a chat model: image, speech, robotics, computer-use and
deep-research models have it too, so the id decides among those.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind, Model
from rollcall.providers.kinds import kind_of_id
from rollcall.providers.rows import Row, read, rows_of
from rollcall.providers.wire import AFTER, HttpRequest, Listing

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider


SOURCES: Final[Mapping[str, str]] = {
    "id": "name, without models/",
    "display_name": "displayName",
    "maker": "the provider itself",
    "context": "inputTokenLimit",
    "max_output": "outputTokenLimit",
    "kind": "supportedGenerationMethods and the id",
    "capabilities": "thinking, supportedGenerationMethods",
}

PAGE_SIZE: Final = 1000


class Gemini:
    """GET {base}/models, key in `x-goog-api-key` (never in the URL), `nextPageToken`."""

    sources = SOURCES
    roots = ("models",)
    after = AFTER

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The first page of up to PAGE_SIZE models; the default page truncates at 50."""
        headers = {"x-goog-api-key": key} if key else {}
        return (HttpRequest(f"{provider.base_url}/models", headers, {"pageSize": str(PAGE_SIZE)}),)

    def parse(
        self, provider: Provider, pages: Sequence[object], _moments: Collection[float] = (), /
    ) -> Listing:
        """The models listed."""
        rows = rows_of(pages, self.roots)
        return read(
            rows,
            lambda row, model_id: _model(provider, row, model_id),
            id_keys=("name",),
            strip_prefix="models/",
        )


def _model(provider: Provider, row: Row, model_id: str) -> Model:
    methods = row.words("supportedGenerationMethods")
    capabilities: dict[str, bool] = {}
    if row.flag("thinking") is not None:
        capabilities["reasoning"] = row.flag("thinking") is True
    if methods and "createCachedContent" in methods:
        capabilities["prompt_caching"] = True
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        display_name=row.text("displayName"),
        maker="google",
        context=row.count("inputTokenLimit"),
        max_output=row.count("outputTokenLimit"),
        kind=_kind(model_id, methods),
        capabilities=capabilities,
    )


def _kind(model_id: str, methods: tuple[str, ...] | None) -> Kind:
    by_id = kind_of_id(model_id)
    if by_id is not Kind.CHAT:
        return by_id
    if methods is None or "generateContent" in methods:
        return Kind.CHAT
    if any("embed" in method.lower() for method in methods):
        return Kind.EMBEDDING
    if "bidiGenerateContent" in methods:
        return Kind.SPEECH
    return Kind.OTHER
