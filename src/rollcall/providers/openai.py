"""OpenAI's list, and every list that looks like it: one reader of the fields seen in the wild.

OpenAI itself, DeepSeek, DashScope, Mistral, Groq, Together (a bare array), Fireworks, Cerebras,
vLLM, llama.cpp, LM Studio (both of its own lists, too), a LiteLLM proxy, the routers of HuggingFace
and Vercel, DeepInfra, Moonshot, Cohere, Azure. Nobody gives all fields; each is read from the first
place that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind, Model
from rollcall.providers.kinds import kind_of, modalities, only_responds, plain_word
from rollcall.providers.lifecycle import announced_end, is_deprecated, is_gone
from rollcall.providers.prices import by_tokens, price_of, quote_of
from rollcall.providers.rows import BATCH_ENDING, Places, Row, id_of, live_hosts, places

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.providers.whole_list import WholeList


OPENAI_SOURCES: Final[Mapping[str, str]] = {
    "id": "id, or key (LM Studio); model_id or name where no row has one (Cohere)",
    "display_name": "display_name or name",
    "maker": "owned_by or organization, unless it is a gateway's one word for all",
    "released": "released and the like, or created where it is a release date",
    "context": "context_length, context_window, max_input_tokens, max_model_len and the like",
    "max_output": "max_output_length, max_output_tokens, max_completion_tokens and the like",
    "price": "pricing, price or input_cost_per_token and the like, in the unit the list states",
    "input_modalities": "architecture.input_modalities or input_modalities",
    "output_modalities": "architecture.output_modalities or output_modalities",
    "kind": "mode, type, kind, capabilities, endpoints, output modalities and the id",
    "mode": "endpoints, where they are /responses only",
    "capabilities": "capabilities, supports_*, supported_features, supported_parameters, features, "
    "tags, effort, input modalities",
    "deprecated": "status, lifecycle_status, deprecated or is_deprecated",
    "ends": "shutdown_date, deprecation_date, deprecation, expiration_date and the like",
    "replaced_by": "deprecation_replacement_model or successor_model",
    "aliases": "aliases",
    "batch_only": "an id ending in :batch",
    "points_at": "name, where it is another listed id (Mistral)",
}

ID_KEYS: Final = ("id", "key")
NAME_KEYS: Final = ("model_id", "name", "model")
"""Of lists in which no row has an id."""

_NAMES: Final = places(
    "display_name displayName name metadata.display_name model_spec.name info.name"
)
_CONTEXT: Final = places(
    "loaded_context_length context_length context_window max_context_length max_model_len "
    "max_input_tokens maxInputTokens context_size contextLength contextWindow ctx_len "
    "limits.max_context_length limits.max_input_tokens limits.context_length limit.context "
    "capabilities.limits.max_context_window_tokens context_window.context_length "
    "capabilities.limits.max_prompt_tokens metadata.context_length metadata.context_window "
    "model_info.max_input_tokens model_spec.availableContextTokens "
    "token_limits.context_window model_limits.max_sequence_length info.contextLength "
    "settings.ctx_len meta.n_ctx meta.n_ctx_train"
)
_MAX_OUTPUT: Final = places(
    "max_output_length max_output_tokens max_completion_tokens max_output maxOutputTokens "
    "maxCompletionTokens limits.max_completion_tokens limits.max_output_tokens limit.output "
    "capabilities.limits.max_output_tokens context_window.max_output_tokens "
    "metadata.limits.max_output_tokens metadata.max_output_tokens model_info.max_output_tokens "
    "model_spec.maxCompletionTokens token_limits.max_output_token_length "
    "model_limits.max_output_tokens top_provider.max_completion_tokens"
)
_MAX_TOKENS: Final = places("max_tokens metadata.max_tokens info.maxTokens")
"""Of the output (Vercel), or the context once more (DeepInfra): a limit only below the context."""

_SUCCESSORS: Final = ("deprecation_replacement_model", "successor_model", "replacement_model")

_CAPABILITY_FLAGS: Final[dict[str, Places]] = {
    "tools": places(
        "capabilities.function_calling capabilities.tools capabilities.trained_for_tool_use "
        "capabilities.tool_calling capabilities.supports.tool_calls metadata.capabilities.tools "
        "model_spec.capabilities.supportsFunctionCalling features.tool_use "
        "features.tools.function_calling supports_tools supportsTools supports_tool_calling "
        "supports_function_calling tool_call toolCalling tools"
    ),
    "vision": places(
        "capabilities.vision capabilities.supports.vision metadata.capabilities.vision "
        "model_spec.capabilities.supportsVision supports_image_input supportsImageInput "
        "supports_images_input supports_image_in supports_vision vision"
    ),
    "reasoning": places(
        "capabilities.reasoning metadata.capabilities.reasoning "
        "model_spec.capabilities.supportsReasoning supports_reasoning reasoning"
    ),
    "structured_output": places(
        "capabilities.structured_outputs capabilities.structured_output "
        "capabilities.supports.structured_outputs features.structured_outputs.json_schema "
        "model_spec.capabilities.supportsResponseSchema supports_structured_output "
        "supports_structured_outputs supports_response_schema"
    ),
    "pdf_input": places("supports_pdf_input capabilities.pdf_upload"),
    "audio_input": places(
        "capabilities.audio model_spec.capabilities.supportsAudioInput supports_audio_input"
    ),
    "prompt_caching": places("supports_prompt_caching supports_prompt_cache supports_caching"),
    "web_search": places(
        "supports_web_search capabilities.web_search model_spec.capabilities.supportsWebSearch"
    ),
}
_LISTS: Final = places(
    "capabilities supported_features supported_parameters features tags labels metadata.tags"
)
"""Lists of what a model can."""

_HOST_TOOLS: Final = places("supports_tools tools")
"""Of one host of a model."""

_FLAG_KEYS: Final = frozenset(place[0] for some in _CAPABILITY_FLAGS.values() for place in some)
_LIST_KEYS: Final = frozenset(place[0] for place in _LISTS)

_LISTED_WORDS: Final = {
    "tools": frozenset(
        (
            *("tools", "tool-use", "tool-call", "tool-calls", "tool-calling", "function-call"),
            *("function-calling", "openai/chat-completion.function"),
        )
    ),
    "vision": frozenset(("vision", "image-input")),
    "reasoning": frozenset(("reasoning", "thinking")),
    "structured_output": frozenset(("structured-outputs", "structured-output", "json-schema")),
    "pdf_input": frozenset(("file-input", "pdf-input")),
    "web_search": frozenset(("web-search",)),
}
"""Our word -> those a list may have for it, in lower case, with dashes."""
_NO_WHERE_UNLISTED: Final = {
    "capabilities": ("tools",),
    "supported_features": ("tools", "reasoning", "structured_output"),
    "supported_parameters": ("tools", "reasoning", "structured_output"),
}
"""List -> what a model lacks that is not in it."""


def openai_model(provider: Provider, row: Row, model_id: str, whole: WholeList) -> Model | None:
    """The model of a row; None where the row says that it cannot be called."""
    if is_gone(row):
        return None
    inputs, outputs = modalities(row)
    kind = kind_of(row, model_id)
    context = _context(row)
    return Model(
        provider=provider.name,
        id=model_id,
        litellm_model=f"{provider.litellm_prefix}/{model_id}",
        display_name=_display_name(row, model_id),
        maker=whole.maker(row, model_id),
        released=whole.released(row),
        context=context,
        max_output=_max_output(row, context),
        price=by_tokens(price_of(quote_of(row), whole.unit), kind, outputs),
        input_modalities=inputs,
        output_modalities=outputs,
        kind=kind,
        mode=_mode(provider, row) if kind is Kind.CHAT else None,
        capabilities=_capabilities(row, inputs),
        deprecated=is_deprecated(row),
        ends=announced_end(row),
        replaced_by=next((one for name in _SUCCESSORS for one in _ids(row.value(name))), None),
        aliases=tuple(alias for alias in row.ids("aliases") if alias != model_id),
        batch_only=model_id.endswith(BATCH_ENDING),
    )


def _mode(provider: Provider, row: Row) -> str | None:
    """LiteLLM's mode of a chat model, where it is known."""
    return provider.mode or ("responses" if only_responds(row) else None)


def _context(row: Row) -> int | None:
    """What a model takes in: as it is loaded; of several hosts the least."""
    loaded = [
        size
        for one in row.rows("loaded_instances")
        if (size := one.count("config", "context_length"))
    ]
    if loaded:
        return min(loaded)
    own = _first_count(row, _CONTEXT)
    hosts = [n for host in live_hosts(row) if (n := host.count("context_length"))]
    return own or min(hosts, default=None)


def _max_output(row: Row, context: int | None) -> int | None:
    found = _first_count(row, _MAX_OUTPUT)
    if found is None and context and (most := _first_count(row, _MAX_TOKENS)):
        return most if most < context else None
    return found


def _capabilities(row: Row, inputs: tuple[str, ...] | None) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for word, where in _CAPABILITY_FLAGS.items() if row.has_any(_FLAG_KEYS) else ():
        if flags := row.flags(where):
            found[word] = any(flags)
    for place in _LISTS if row.has_any(_LIST_KEYS) else ():
        if (listed := row.listed(*place)) is not None:
            found |= _listed(place[-1], listed)
    if hosts := [any(flags) for host in live_hosts(row) if (flags := host.flags(_HOST_TOOLS))]:
        found["tools"] = all(hosts)
    if isinstance(row.value("reasoning"), dict):
        found["reasoning"] = row.flag("reasoning", "supported") is not False
    if row.has("effort"):
        found["reasoning"] = bool(row.words("effort", "supported_levels"))
    if row.text("type") == "vlm":
        found["vision"] = True
    if inputs is not None:
        found |= {"vision": "image" in inputs, "audio_input": "audio" in inputs}
    return found


def _listed(name: str, listed: Sequence[object]) -> dict[str, bool]:
    """What a list of words says a model can and cannot."""
    words = {plain_word(word) for word in listed if isinstance(word, str)}
    can = {ours: True for ours, theirs in _LISTED_WORDS.items() if not words.isdisjoint(theirs)}
    return dict.fromkeys(_NO_WHERE_UNLISTED.get(name, ()), False) | can


def _display_name(row: Row, model_id: str) -> str | None:
    name = next((text for place in row.present(_NAMES) if (text := row.text(*place))), None)
    is_name = name is not None and name != model_id and row.value("capabilities", "ocr") is None
    return name if is_name else None


def _first_count(row: Row, where: Places) -> int | None:
    return next((found for place in row.present(where) if (found := row.count(*place))), None)


def _ids(value: object) -> tuple[str, ...]:
    return Row({"ids": [value]}).ids("ids")


def merge_doubles(items: Sequence[object], models: tuple[Model, ...]) -> tuple[Model, ...]:
    """Mistral lists each alias as a row of its own, and some ids twice.

    The aliases of the doubles are united; an alias row's `name` is the id it reaches.
    """
    rows = [item for item in items if isinstance(item, Row)]
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


# --- Perplexity ---

PERPLEXITY_SOURCES: Final[Mapping[str, str]] = {
    "id": "id",
    "maker": "owned_by",
    "price": "pricing.input, .output, .cache_read, .cache_write (USD per 1M tokens)",
    "kind": "the id",
    "mode": "known: its models answer at /v1/responses only",
    "params": "known: Anthropic's models are refused without max_tokens",
}

_CLAUDE_TOKENS: Final = 8192
"""Every Claude of today can put out that many; a client that asks for another number gets that."""


def perplexity_model(provider: Provider, row: Row, model_id: str, whole: WholeList) -> Model | None:
    """The model of a row of Perplexity's list (since 2026-04), which has other makers' models too.

    `created` is always 0. Its chat endpoint was closed in 2026-09: models are reached by
    `/v1/responses`, which is the provider row's `mode`. Ids carry their maker; LiteLLM takes its
    own `perplexity/perplexity/sonar` for the `perplexity/sonar` of its price map, mode chat,
    whatever the entry says, so these are written `perplexity/responses/perplexity/sonar`.
    """
    model = openai_model(provider, row, model_id, whole)
    if model is None:
        return None
    prefix = provider.litellm_prefix
    changes: dict[str, object] = {}
    if model_id.startswith(f"{prefix}/"):
        changes["litellm_model"] = f"{prefix}/responses/{model_id}"
    if model_id.startswith("anthropic/"):
        changes["params"] = {"max_tokens": _CLAUDE_TOKENS}
    return model.model_copy(update=changes)
