"""The rows of lists without prices, each in a shape of its own: Anthropic's, Google's, Ollama's.

Anthropic's has a tree of capabilities since 2026-03. Google's (generativelanguage v1beta) has no
dates. Ollama's names what is pulled: context and most else would need one call per model
(`/api/show`), so they stay unknown; newer servers list capabilities.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind, Model
from rollcall.providers.kinds import kind_of, kind_of_id

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.providers.rows import Row
    from rollcall.providers.whole_list import WholeList


# --- Anthropic ---

ANTHROPIC_SOURCES: Final[Mapping[str, str]] = {
    "id": "id",
    "display_name": "display_name",
    "maker": "the provider itself; behind a gateway the id",
    "released": "created_at",
    "context": "max_input_tokens",
    "max_output": "max_tokens",
    "kind": "the id, or what a gateway's row says",
    "capabilities": "capabilities.image_input, .pdf_input, .structured_outputs, .thinking",
}
_TREE: Final = {
    "vision": "image_input",
    "pdf_input": "pdf_input",
    "structured_output": "structured_outputs",
    "reasoning": "thinking",
}
"""Our word -> a branch of the tree, whose leaf `supported` says yes or no."""


def anthropic_model(provider: Provider, row: Row, model_id: str, whole: WholeList) -> Model:
    """The model of a row of Anthropic's list."""
    said = {
        ours: flag
        for ours, theirs in _TREE.items()
        if (flag := row.flag("capabilities", theirs, "supported")) is not None
    }
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        display_name=row.text("display_name"),
        maker=None if provider.gateway else "anthropic",
        released=whole.released(row, "created_at"),
        context=row.count("max_input_tokens"),
        max_output=row.count("max_tokens"),
        kind=kind_of(row, model_id),
        capabilities=said,
    )


# --- Google ---

GEMINI_SOURCES: Final[Mapping[str, str]] = {
    "id": "name, without models/",
    "display_name": "displayName",
    "maker": "the provider itself; behind a gateway the id",
    "context": "inputTokenLimit",
    "max_output": "outputTokenLimit",
    "kind": "supportedGenerationMethods and the id",
    "capabilities": "thinking, supportedGenerationMethods",
}


def gemini_model(provider: Provider, row: Row, model_id: str, _whole: WholeList) -> Model:
    """The model of a row of Google's list.

    `generateContent` alone does not make a chat model: image, speech, robotics, computer-use and
    deep-research models have it too, so the id decides among those.
    """
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
        maker=None if provider.gateway else "google",
        context=row.count("inputTokenLimit"),
        max_output=row.count("outputTokenLimit"),
        kind=_kind_by_methods(model_id, methods),
        capabilities=capabilities,
    )


def _kind_by_methods(model_id: str, methods: Collection[str] | None) -> Kind:
    by_id = kind_of_id(model_id)
    if by_id is not Kind.CHAT or methods is None or "generateContent" in methods:
        return by_id
    if any("embed" in method.lower() for method in methods):
        return Kind.EMBEDDING
    return Kind.SPEECH if "bidiGenerateContent" in methods else Kind.OTHER


# --- Ollama ---

OLLAMA_SOURCES: Final[Mapping[str, str]] = {
    "id": "model or name",
    "kind": "the id, else capabilities",
    "capabilities": "capabilities, where the server lists them",
}
_ABILITIES: Final = {"tools": "tools", "vision": "vision", "reasoning": "thinking"}
_KINDS: Final = (("embedding", Kind.EMBEDDING), ("image", Kind.IMAGE))
"""A capability of a model that completes no text -> what it is for."""


def ollama_model(provider: Provider, row: Row, model_id: str, _whole: WholeList) -> Model:
    """The model of a row of Ollama's own list, or of `/v1/models` of the same server."""
    listed = row.listed("capabilities")
    said = {} if listed is None else {o: t in listed for o, t in _ABILITIES.items()}
    kind = kind_of_id(model_id)
    if kind is Kind.CHAT and listed and "completion" not in listed:
        kind = next((kind for word, kind in _KINDS if word in listed), Kind.OTHER)
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        kind=kind,
        capabilities=said,
    )
