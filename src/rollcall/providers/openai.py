"""OpenAI's list, and every list that looks like it: one reader of the fields seen in the wild.

OpenAI itself, DeepSeek, DashScope, Mistral, Groq, Together (a bare array), Fireworks, Cerebras,
vLLM, llama.cpp, LM Studio (both of its own lists, too). Nobody gives all fields; each is read
from the first place that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind, Model, Price
from rollcall.providers.kinds import kind_of_id, kind_of_outputs
from rollcall.providers.rows import Row, id_of, read, rows_of
from rollcall.providers.wire import AFTER, HttpRequest, Listing, bearer

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider


SOURCES: Final[Mapping[str, str]] = {
    "id": "id, or key (LM Studio)",
    "display_name": "display_name or name",
    "maker": "owned_by or organization",
    "released": "created, where it is a release date",
    "context": "context_length, context_window, max_context_length, max_model_len, "
    "loaded_context_length, limits.max_context_length or meta.n_ctx_train",
    "max_output": "max_output_length, max_output_tokens, max_completion_tokens or "
    "limits.max_completion_tokens",
    "price": "pricing.prompt and .completion (USD per token), or .input and .output (per 1M)",
    "input_modalities": "input_modalities",
    "output_modalities": "output_modalities",
    "kind": "type, capabilities or output_modalities, else the id",
    "capabilities": "capabilities, supported_features, effort, supports_tools, input_modalities",
    "ends": "shutdown_date, deprecation_date or deprecation",
    "replaced_by": "deprecation_replacement_model",
    "aliases": "aliases",
    "points_at": "name, where it is another listed id (Mistral)",
}

ID_KEYS: Final = ("id", "key")

_CONTEXT: Final = (
    ("loaded_context_length",),
    ("context_length",),
    ("context_window",),
    ("max_context_length",),
    ("max_model_len",),
    ("limits", "max_context_length"),
    ("meta", "n_ctx"),
    ("meta", "n_ctx_train"),
)
_MAX_OUTPUT: Final = (
    ("max_output_length",),
    ("max_output_tokens",),
    ("max_completion_tokens",),
    ("limits", "max_completion_tokens"),
)
_TYPES: Final = {
    "chat": Kind.CHAT,
    "language": Kind.CHAT,
    "code": Kind.CHAT,
    "llm": Kind.CHAT,
    "vlm": Kind.CHAT,
    "image": Kind.IMAGE,
    "video": Kind.VIDEO,
    "audio": Kind.SPEECH,
    "transcribe": Kind.SPEECH,
    "embedding": Kind.EMBEDDING,
    "embeddings": Kind.EMBEDDING,
    "moderation": Kind.MODERATION,
    "rerank": Kind.RERANK,
}
"""`type` of Together and LM Studio. Mistral's is base or fine-tuned: it says nothing here."""

_MISTRAL_KINDS: Final = (
    ("completion_chat", Kind.CHAT),
    ("moderation", Kind.MODERATION),
    ("classification", Kind.MODERATION),
    ("audio_transcription", Kind.SPEECH),
    ("completion_fim", Kind.OTHER),
)
_CAPABILITY_FIELDS: Final = {
    "tools": (
        ("capabilities", "function_calling"),
        ("capabilities", "tools"),
        ("capabilities", "trained_for_tool_use"),
        ("supports_tools",),
    ),
    "vision": (("capabilities", "vision"), ("supports_image_input",)),
    "reasoning": (("capabilities", "reasoning"),),
    "audio_input": (("capabilities", "audio"),),
}
_FEATURES: Final = {
    "tools": "tools",
    "reasoning": "reasoning",
    "structured_output": "structured_outputs",
}
"""Our word -> Groq's word in `supported_features`."""


class OpenAI:
    """GET {base}/models, a bearer key, one page."""

    sources = SOURCES
    roots = ("data", "models")
    after = AFTER

    def requests(self, provider: Provider, key: str | None) -> Sequence[HttpRequest]:
        """The whole list."""
        return (HttpRequest(f"{provider.base_url}/models", bearer(key)),)

    def parse(self, provider: Provider, pages: Sequence[object]) -> Listing:
        """The models listed."""
        rows = rows_of(pages, self.roots)
        listing = read(
            rows,
            lambda row, model_id: _model(provider, row, model_id),
            id_keys=ID_KEYS,
        )
        return Listing(_merge_doubles(rows, listing.models), listing.notes, listing.rows)


def _model(provider: Provider, row: Row, model_id: str) -> Model | None:
    if row.flag("active") is False:
        return None
    inputs = row.words("input_modalities")
    kind = _kind(row, model_id)
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        display_name=_display_name(row, model_id),
        maker=row.text("owned_by") or row.text("organization"),
        released=row.day("created") if provider.created_is_release else None,
        context=_first_count(row, _CONTEXT),
        max_output=_first_count(row, _MAX_OUTPUT),
        price=price_of(row, per_million=provider.prices_per_million),
        input_modalities=inputs,
        output_modalities=row.words("output_modalities"),
        kind=kind,
        mode=provider.mode if kind is Kind.CHAT else None,
        capabilities=_capabilities(row, inputs),
        ends=row.day("shutdown_date") or row.day("deprecation_date") or row.day("deprecation"),
        replaced_by=next(iter(_ids(row.value("deprecation_replacement_model"))), None),
        aliases=tuple(alias for alias in row.ids("aliases") if alias != model_id),
    )


def price_of(row: Row, *, per_million: bool) -> Price:
    """The prices of a row: texts in USD per token (Groq, Cerebras), or numbers per 1M tokens.

    Bare `input` and `output` mean nothing unless the provider, or the row's own `unit`, says so.
    """
    if row.value("pricing", "prompt") is not None or row.value("pricing", "completion") is not None:
        return Price(
            input=row.price("pricing", "prompt"),
            output=row.price("pricing", "completion"),
            cache_read=row.price("pricing", "input_cache_read"),
            cache_write=row.price("pricing", "input_cache_write"),
        )
    unit = row.text("pricing", "unit")
    if unit == "usd_per_1m_tokens" or (unit is None and per_million):
        return Price(
            input=row.price("pricing", "input", exponent=-6),
            output=row.price("pricing", "output", exponent=-6),
            cache_read=row.price("pricing", "cache_read", exponent=-6),
            cache_write=row.price("pricing", "cache_write", exponent=-6),
        )
    return Price()


def _kind(row: Row, model_id: str) -> Kind:
    said = _TYPES.get(row.text("type") or "")
    if said is None and (outputs := row.words("output_modalities")):
        said = kind_of_outputs(outputs)
    if said is None and row.flag("capabilities", "completion_chat") is not None:
        said = next((kind for word, kind in _MISTRAL_KINDS if row.flag("capabilities", word)), None)
    # A chat model by its type may still be a guard or an image model by its name.
    return kind_of_id(model_id) if said in (None, Kind.CHAT) else said


def _capabilities(row: Row, inputs: tuple[str, ...] | None) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for word, places in _CAPABILITY_FIELDS.items():
        flags = [flag for place in places if (flag := row.flag(*place)) is not None]
        if flags:
            found[word] = any(flags)
    features = row.listed("supported_features")
    if features is not None:
        found |= {ours: theirs in features for ours, theirs in _FEATURES.items()}
    if row.has("effort"):
        found["reasoning"] = bool(row.words("effort", "supported_levels"))
    listed = row.listed("capabilities")
    if listed is not None:
        found["tools"] = "tool_use" in listed or "tools" in listed
    if row.text("type") == "vlm":
        found["vision"] = True
    if inputs is not None:
        found |= {"vision": "image" in inputs, "audio_input": "audio" in inputs}
    return found


def _display_name(row: Row, model_id: str) -> str | None:
    name = row.text("display_name") or row.text("name")
    is_name = name is not None and name != model_id and row.value("capabilities", "ocr") is None
    return name if is_name else None


def _first_count(row: Row, places: Sequence[Sequence[str]]) -> int | None:
    return next((found for place in places if (found := row.count(*place))), None)


def _ids(value: object) -> tuple[str, ...]:
    return Row({"ids": [value]}).ids("ids")


def _merge_doubles(items: Sequence[object], models: tuple[Model, ...]) -> tuple[Model, ...]:
    """Mistral lists each alias as a row of its own, and some ids twice.

    The aliases of the doubles are united; an alias row's `name` is the id it reaches.
    """
    rows = [Row(item) for item in items if isinstance(item, dict)]
    reached: dict[object, str] = {}
    aliases: dict[object, dict[str, None]] = {}
    for row in rows:
        model_id, name = id_of(row, ID_KEYS), row.text("name")
        if not isinstance(model_id, str) or row.value("capabilities", "completion_chat") is None:
            continue
        aliases.setdefault(model_id, {}).update(dict.fromkeys(row.ids("aliases")))
        if name:
            reached.setdefault(model_id, name)
    listed = {model.id for model in models}
    return tuple(
        model.model_copy(
            update={
                "aliases": tuple(one for one in aliases[model.id] if one != model.id),
                "points_at": _moves_to(model.id, reached.get(model.id), listed),
            }
        )
        if model.id in aliases
        else model
        for model in models
    )


def _moves_to(model_id: str, name: str | None, listed: set[str]) -> str | None:
    """The id an alias row reaches; a dated id is a place, never a pointer."""
    if name is None or name == model_id or name not in listed or model_id[-4:].isdigit():
        return None
    return name
