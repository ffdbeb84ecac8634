"""One provider to ask: where, how, with which key; and the providers known by name, as data.

Key and base variables stand in the order LiteLLM reads them. `api_base` is given where LiteLLM
has no default of its own, or where its default differs between versions (DashScope's region).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from rollcall.settings import given

CreatedMeans = Literal["release", "listing"]
"""What a list's `created` is: the model's release, or when it was listed, loaded or asked for."""

PriceUnit = Literal["token", "1k", "1M"]
"""So many tokens cost what a list says."""

Protocol_ = Literal[
    "openai", "anthropic", "gemini", "openrouter", "xai", "perplexity", "ollama", "static"
]
"""How a provider is asked; `static`: not at all, the policy lists its models."""


class Provider(NamedTuple):
    """One provider, resolved: the built-in row with the policy's overrides laid over it.

    Attributes:
        name: key in the policy. title: for people. protocol: which adapter reads it.
        base_url: root of the API, no trailing slash; what LiteLLM calls `api_base`.
        base_url_env: variables LiteLLM reads the base from, first set one wins.
        host_env: the variable its server takes its address from, which LiteLLM does not read.
        base_from: the variable `base_url` was read from, and its `.env`; "" where it was none.
        base_drops: ends that a base does not have here: its paths begin with them, or LiteLLM's
            calls go there and no list is.
        base_versions: one of these ends its base; the first is added where none does.
        chat_below: what the library's calls have between its base and the protocol's path.
        key_env: key variables in LiteLLM's order; empty = no key needed.
        unwritten: those of `key_env` LiteLLM must read by itself: as an entry's `api_key` it would
            send them in the wrong header.
        key_optional: it answers without a key too (a local server); a key is sent when set.
        public_list: its list is public, but what a key sees differs: without a key the list is
            for display only.
        key_url: the page where a person gets a key.
        litellm_prefix: what precedes the id in `litellm_params.model`.
        api_base: what to write as `litellm_params.api_base`; None where LiteLLM knows it itself.
        empty_ok: an empty list is an answer here (a local server with nothing loaded).
        created: what its `created` is; None = what its rows look like.
        price_unit: the unit of prices that state none; None = what the numbers look like.
        query: parameters its list is asked with.
        models: of a static provider: rows as OpenAI's list would have them.
        mode: LiteLLM's mode of its chat models, where it is known.
        embeds: whether it has models that embed texts, which the library then calls.
        auth_hint: added when it refuses the key, one sentence; `{base}` is what sets its address.
        timeout_seconds: None = the policy's default.
    """

    name: str
    title: str
    base_url: str
    litellm_prefix: str
    protocol: Protocol_ = "openai"
    base_url_env: tuple[str, ...] = ()
    host_env: str = ""
    base_from: str = ""
    base_drops: tuple[str, ...] = ()
    base_versions: tuple[str, ...] = ()
    chat_below: str = ""
    key_env: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()
    key_optional: bool = False
    public_list: bool = False
    key_url: str = ""
    api_base: str | None = None
    empty_ok: bool = False
    created: CreatedMeans | None = None
    price_unit: PriceUnit | None = None
    query: Mapping[str, str] = {}
    models: tuple[Mapping[str, object], ...] = ()
    mode: str | None = None
    embeds: bool = True
    auth_hint: str = ""
    timeout_seconds: float | None = None

    @property
    def needs_key(self) -> bool:
        """Whether it is not worth asking, or only for display, without a key."""
        return bool(self.key_env) and not self.key_optional

    @property
    def gateway(self) -> bool:
        """Whether it stands at an address of the user's own, and may serve anybody's models."""
        known = BUILTIN.get(self.name)
        return known is None or known.base_url != self.base_url

    @property
    def is_openrouter(self) -> bool:
        """Whether it is OpenRouter, whatever the policy calls it: models of every maker, resold."""
        return self.protocol == "openrouter"


def find_key(provider: Provider, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """(variable, value) of the key LiteLLM would use; an empty variable counts as unset."""
    found = given(environ, *provider.key_env)
    return (found.name, found.value) if found else None


def missing_key(provider: Provider, elsewhere: str | None = None) -> str:
    """What to set to have a provider asked, and where to get it.

    Args:
        elsewhere: where LiteLLM itself gets the key, if it does.
    """
    if elsewhere is not None:
        return f"{elsewhere}; rollcall does not read it from there"
    names = " or ".join(provider.key_env)
    return f"set {names}" + (f" (get a key at {provider.key_url})" if provider.key_url else "")


_DASHSCOPE = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
_LM_STUDIO = "http://localhost:1234/v1"
_VLLM = "http://localhost:8000/v1"

_ROWS = (
    Provider(
        name="openrouter",
        title="OpenRouter",
        protocol="openrouter",
        base_url="https://openrouter.ai/api/v1",
        base_url_env=("OPENROUTER_API_BASE",),
        key_env=("OPENROUTER_API_KEY", "OR_API_KEY"),
        public_list=True,
        key_url="https://openrouter.ai/settings/keys",
        litellm_prefix="openrouter",
    ),
    Provider(
        name="xai",
        title="xAI",
        protocol="xai",
        base_url="https://api.x.ai/v1",
        base_url_env=("XAI_API_BASE",),
        base_versions=("/v1",),
        key_env=("XAI_API_KEY",),
        key_url="https://console.x.ai",
        litellm_prefix="xai",
    ),
    Provider(
        name="gemini",
        title="Google Gemini",
        protocol="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        base_url_env=("GEMINI_API_BASE",),
        base_versions=("/v1beta", "/v1", "/v1alpha"),
        key_env=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        key_url="https://aistudio.google.com/apikey",
        litellm_prefix="gemini",
    ),
    Provider(
        name="perplexity",
        title="Perplexity",
        protocol="perplexity",
        base_url="https://api.perplexity.ai",
        base_url_env=("PERPLEXITY_API_BASE",),
        base_drops=("/v1",),
        key_env=("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
        key_url="https://www.perplexity.ai/account/api/keys",
        litellm_prefix="perplexity",
        price_unit="1M",
        # Its chat endpoint is gone since 2026-09: LiteLLM reaches these by /v1/responses only.
        mode="responses",
    ),
    Provider(
        name="openai",
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        base_url_env=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        key_env=("OPENAI_API_KEY",),
        key_url="https://platform.openai.com/api-keys",
        litellm_prefix="openai",
    ),
    Provider(
        name="anthropic",
        title="Anthropic",
        protocol="anthropic",
        base_url="https://api.anthropic.com",
        base_url_env=("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
        base_drops=("/v1",),
        key_env=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        unwritten=("ANTHROPIC_AUTH_TOKEN",),
        key_url="https://platform.claude.com/settings/keys",
        litellm_prefix="anthropic",
        embeds=False,
    ),
    Provider(
        name="deepseek",
        title="DeepSeek",
        base_url="https://api.deepseek.com",
        base_url_env=("DEEPSEEK_API_BASE",),
        base_drops=("/beta",),
        key_env=("DEEPSEEK_API_KEY",),
        key_url="https://platform.deepseek.com/api_keys",
        litellm_prefix="deepseek",
        embeds=False,
    ),
    Provider(
        name="qwen",
        title="Qwen (DashScope)",
        base_url=_DASHSCOPE,
        base_url_env=("DASHSCOPE_API_BASE",),
        key_env=("DASHSCOPE_API_KEY",),
        key_url="https://modelstudio.console.alibabacloud.com/?tab=playground#/api-key",
        litellm_prefix="dashscope",
        api_base=_DASHSCOPE,
        created="listing",
        auth_hint="DashScope keys belong to one region: set {base} to yours.",
    ),
    Provider(
        name="mistral",
        title="Mistral",
        base_url="https://api.mistral.ai/v1",
        base_url_env=("MISTRAL_AZURE_API_BASE",),
        base_versions=("/v1",),
        key_env=("MISTRAL_AZURE_API_KEY", "MISTRAL_API_KEY"),
        key_url="https://console.mistral.ai/api-keys",
        litellm_prefix="mistral",
        created="listing",
    ),
    Provider(
        name="groq",
        title="Groq",
        base_url="https://api.groq.com/openai/v1",
        base_url_env=("GROQ_API_BASE",),
        key_env=("GROQ_API_KEY",),
        key_url="https://console.groq.com/keys",
        litellm_prefix="groq",
        embeds=False,
    ),
    Provider(
        name="together",
        title="Together AI",
        base_url="https://api.together.ai/v1",
        base_url_env=("TOGETHER_AI_API_BASE",),
        key_env=(
            "TOGETHER_API_KEY",
            "TOGETHER_AI_API_KEY",
            "TOGETHERAI_API_KEY",
            "TOGETHER_AI_TOKEN",
        ),
        key_url="https://api.together.ai/settings/api-keys",
        litellm_prefix="together_ai",
        created="listing",
        price_unit="1M",
        # Its whole list has models that only run on machines rented by the hour, at a price of 0.
        query={"serverless": "true"},
    ),
    Provider(
        name="fireworks",
        title="Fireworks AI",
        base_url="https://api.fireworks.ai/inference/v1",
        base_url_env=("FIREWORKS_API_BASE",),
        key_env=(
            "FIREWORKS_API_KEY",
            "FIREWORKS_AI_API_KEY",
            "FIREWORKSAI_API_KEY",
            "FIREWORKS_AI_TOKEN",
        ),
        key_url="https://app.fireworks.ai/settings/users/api-keys",
        litellm_prefix="fireworks_ai",
        created="listing",
    ),
    Provider(
        name="cerebras",
        title="Cerebras",
        base_url="https://api.cerebras.ai/v1",
        base_url_env=("CEREBRAS_API_BASE",),
        key_env=("CEREBRAS_API_KEY",),
        key_url="https://cloud.cerebras.ai",
        litellm_prefix="cerebras",
        embeds=False,
        created="listing",
    ),
    Provider(
        name="ollama",
        title="Ollama",
        protocol="ollama",
        base_url="http://localhost:11434",
        base_url_env=("OLLAMA_API_BASE",),
        host_env="OLLAMA_HOST",
        base_drops=("/api", "/v1"),
        chat_below="/v1",
        key_env=("OLLAMA_API_KEY",),
        key_optional=True,
        # `ollama_chat` speaks /api/chat, which knows tools and roles; `ollama` only completes.
        litellm_prefix="ollama_chat",
        empty_ok=True,
        created="listing",
    ),
    Provider(
        name="lm_studio",
        title="LM Studio",
        base_url=_LM_STUDIO,
        base_url_env=("LM_STUDIO_API_BASE",),
        key_env=("LM_STUDIO_API_KEY",),
        key_optional=True,
        litellm_prefix="lm_studio",
        api_base=_LM_STUDIO,
        empty_ok=True,
        created="listing",
    ),
    Provider(
        name="vllm",
        title="vLLM",
        base_url=_VLLM,
        base_url_env=("HOSTED_VLLM_API_BASE",),
        key_env=("HOSTED_VLLM_API_KEY",),
        key_optional=True,
        litellm_prefix="hosted_vllm",
        api_base=_VLLM,
        empty_ok=True,
        created="listing",
    ),
)

BUILTIN: dict[str, Provider] = {row.name: row for row in _ROWS}


def is_openrouter(name: str, type: str | None = None) -> bool:  # noqa: A002 - the policy's own word
    """Whether a provider of the policy, given as `name: {type: ...}`, is OpenRouter."""
    row = BUILTIN.get(type or name)
    return row is not None and row.is_openrouter
