"""Whom a policy's `providers` section means, and that LiteLLM calls the place we ask."""

from __future__ import annotations

from typing import get_args

import pytest

from rollcall.errors import PolicyError
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.builtin import BUILTIN, Protocol_, find_key
from rollcall.providers.chat.endpoint import TYPES, root_of
from rollcall.providers.registry import resolve_provider

MAIN = ("openrouter", "xai", "gemini", "perplexity", "openai", "anthropic", "deepseek", "qwen")


def test_the_eight_are_built_in_and_more() -> None:
    assert set(MAIN) <= set(BUILTIN)
    assert {"mistral", "groq", "together", "cerebras", "ollama", "lm_studio", "vllm"} <= set(
        BUILTIN
    )
    assert BUILTIN["qwen"].litellm_prefix == "dashscope"


@pytest.mark.parametrize("name", BUILTIN)
def test_every_row_is_whole(name: str) -> None:
    row = resolve_provider(name, environ={})
    assert row == BUILTIN[name]
    assert not row.base_url.endswith("/")
    assert row.protocol in ADAPTERS
    assert set(ADAPTERS) == set(get_args(Protocol_))
    if row.needs_key:
        assert row.key_url.startswith("https://")


@pytest.mark.parametrize(
    ("name", "environ", "expected"),
    [
        ("gemini", {"GOOGLE_API_KEY": "a", "GEMINI_API_KEY": "b"}, ("GOOGLE_API_KEY", "a")),
        ("gemini", {"GOOGLE_API_KEY": "", "GEMINI_API_KEY": "b"}, ("GEMINI_API_KEY", "b")),
        ("perplexity", {"PERPLEXITY_API_KEY": "p"}, ("PERPLEXITY_API_KEY", "p")),
        ("openrouter", {"OR_API_KEY": "o"}, ("OR_API_KEY", "o")),
        ("anthropic", {"ANTHROPIC_AUTH_TOKEN": "t"}, ("ANTHROPIC_AUTH_TOKEN", "t")),
        ("xai", {"XAI_API_KEY": " \n"}, None),
        ("xai", {"GROK_API_KEY": "x"}, None),
    ],
)
def test_keys_are_found_in_litellms_order(
    name: str, environ: dict[str, str], expected: tuple[str, str] | None
) -> None:
    assert find_key(BUILTIN[name], environ) == expected


def test_a_base_from_litellms_own_variable_needs_no_api_base() -> None:
    row = resolve_provider(
        "anthropic", environ={"ANTHROPIC_BASE_URL": "https://gate.example/v1/messages"}
    )
    assert (row.base_url, row.api_base) == ("https://gate.example", None)
    qwen = resolve_provider(
        "qwen", environ={"DASHSCOPE_API_BASE": "https://dashscope.aliyuncs.com/v1"}
    )
    assert (qwen.base_url, qwen.api_base) == ("https://dashscope.aliyuncs.com/v1", None)


@pytest.mark.parametrize(
    ("name", "given", "base"),
    [
        ("anthropic", "https://gate.example/anthropic/v1/", "https://gate.example/anthropic"),
        ("perplexity", "http://127.0.0.1:9/v1", "http://127.0.0.1:9"),
        ("gemini", "https://gate.example", "https://gate.example/v1beta"),
        ("openai", "https://gate.example/v1/chat/completions", "https://gate.example/v1"),
        ("xai", "https://eu-west-1.api.x.ai/v1", "https://eu-west-1.api.x.ai/v1"),
        ("xai", "https://gate.example", "https://gate.example/v1"),
        ("mistral", "https://gate.example/", "https://gate.example/v1"),
        ("deepseek", "https://gate.example/beta", "https://gate.example"),
        ("ollama", "http://box:11434/api", "http://box:11434"),
    ],
)
def test_a_base_of_the_policy_is_written_as_litellm_takes_it(
    name: str, given: str, base: str
) -> None:
    row = resolve_provider(name, base_url=given, environ={})
    assert (row.base_url, row.api_base) == (base, base)


@pytest.mark.parametrize(("prefix", "ends"), [("mistral", "/v1"), ("groq", ""), ("acme", "")])
def test_a_base_behind_another_prefix_is_as_litellm_takes_it_there(prefix: str, ends: str) -> None:
    base = "https://gate.example/llm"
    row = resolve_provider("own", type="openai", base_url=base, litellm_prefix=prefix, environ={})
    assert (row.litellm_prefix, row.base_url) == (prefix, base + ends)


@pytest.mark.parametrize(
    ("name", "kind", "prefix", "given", "base"),
    [
        ("own", "openai", "anthropic", "https://gate.example/v1", ""),
        ("own", "openai", "perplexity", "https://gate.example/v1", ""),
        ("mistral", None, "azure_ai", "https://foo.services.example.com", ""),
        ("xai", None, "openai", "https://gate.example/grok", ""),
        ("deepseek", None, "custom_openai", "https://gate.example/beta", ""),
        ("anthropic", "static", "openai", "https://gate.example/v1", ""),
        ("team", "static", "xai", "https://gate.example", "https://gate.example/v1"),
        ("team", "static", "deepseek", "https://gate.example/beta", "https://gate.example"),
    ],
)
def test_a_prefix_of_the_user_s_own_says_how_a_base_ends_where_no_protocol_does(
    name: str, kind: str | None, prefix: str, given: str, base: str
) -> None:
    row = resolve_provider(name, type=kind, base_url=given, litellm_prefix=prefix, environ={})
    assert row.api_base == (base or given)


@pytest.mark.parametrize("name", ["anthropic", "ollama"])
def test_a_base_of_a_static_provider_is_written_as_its_own(name: str) -> None:
    row = resolve_provider(name, type="static", base_url="https://gate.example/v1", environ={})
    assert row.api_base == "https://gate.example"


@pytest.mark.parametrize(
    ("name", "given", "base"),
    [
        ("openai", "https://gate.example/v1/responses", "https://gate.example/v1"),
        ("openai", "https://gate.example/v1/models/", "https://gate.example/v1"),
        ("anthropic", "https://gate.example/v1/messages", "https://gate.example"),
        ("perplexity", "https://gate.example/v1/responses", "https://gate.example"),
        ("gemini", "https://gate.example/v1beta/models", "https://gate.example/v1beta"),
        ("gemini", "https://gate.example", "https://gate.example/v1beta"),
        ("xai", "https://gate.example", "https://gate.example/v1"),
        ("mistral", "https://gate.example/v1/chat/completions", "https://gate.example/v1"),
        (
            "openrouter",
            "https://gate.example/api/v1/chat/completions",
            "https://gate.example/api/v1",
        ),
    ],
)
def test_the_policy_and_the_library_clean_a_base_alike(name: str, given: str, base: str) -> None:
    assert resolve_provider(name, base_url=given, environ={}).base_url == base
    assert root_of(TYPES[name], given) == base


def test_the_default_base_said_outright_is_the_default() -> None:
    assert resolve_provider("xai", base_url="https://api.x.ai/v1/", environ={}).api_base is None
    moved = {"XAI_API_BASE": "https://elsewhere.example/v1"}
    said = resolve_provider("xai", base_url="https://api.x.ai/v1", environ=moved)
    assert said.api_base == "https://api.x.ai/v1", "LiteLLM would follow the variable"


def test_a_prefix_of_its_own_leaves_the_rows_variables_behind() -> None:
    row = resolve_provider(
        "openai", litellm_prefix="litellm_proxy/", environ={"OPENAI_BASE_URL": "https://x.example"}
    )
    assert row.litellm_prefix == "litellm_proxy"
    assert row.base_url == row.api_base == "https://api.openai.com/v1"


def test_a_strangers_endpoint_never_gets_a_vendors_key() -> None:
    row = resolve_provider("my-vllm", type="openai", base_url="http://10.0.0.5:8000/v1", environ={})
    assert row.key_env == ()
    assert not row.needs_key
    # LiteLLM falls back to OPENAI_API_KEY under its `openai` prefix.
    assert row.litellm_prefix == "hosted_vllm"
    keyed = resolve_provider(
        "acme", type="openai", base_url="https://llm.acme.example/v1", key_env="ACME", environ={}
    )
    assert (keyed.key_env, keyed.litellm_prefix, keyed.needs_key) == (("ACME",), "openai", True)
    assert keyed.api_base == "https://llm.acme.example/v1"


def test_a_known_name_with_a_type_is_still_the_known_one_or_a_stranger() -> None:
    base = "https://api.groq.com/openai/v1"
    groq = resolve_provider("groq", type="openai", base_url=base, environ={})
    assert groq == BUILTIN["groq"], "its type is its protocol; it gets its own key"
    renamed = resolve_provider("groq", type="vllm", base_url="http://10.0.0.5/v1", environ={})
    assert (renamed.key_env, renamed.litellm_prefix) == ((), "hosted_vllm")
    own = resolve_provider("xai", type="openai", base_url="http://10.0.0.5/v1", environ={})
    assert own.key_env == (), "never OPENAI_API_KEY to a place of the user's own"


def test_a_second_account_of_a_known_provider() -> None:
    row = resolve_provider("anthropic-eu", type="anthropic", key_env=["EU_KEY"], environ={})
    assert (row.name, row.title) == ("anthropic-eu", "anthropic-eu")
    assert (row.protocol, row.base_url, row.api_base) == (
        "anthropic",
        "https://api.anthropic.com",
        None,
    )
    assert row.key_env == ("EU_KEY",)


def test_overrides_are_laid_over() -> None:
    row = resolve_provider("vllm", key_env=None, empty_ok=False, timeout_seconds=4.0, environ={})
    assert (row.key_env, row.empty_ok, row.timeout_seconds) == ((), False, 4.0)
    assert resolve_provider("openai", key_env="", environ={}).key_env == ()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "antropic"}, "Did you mean 'anthropic'"),
        ({"name": "mine", "type": "opnai"}, "Did you mean 'openai'"),
        ({"name": "mine", "type": "openai"}, "needs a base_url"),
        ({"name": "openai", "base_url": "localhost:8000"}, "not a web address"),
        ({"name": "openai", "base_url": "http://"}, "not a web address"),
        ({"name": "openai", "base_url": "http://host:port/v1"}, "not a web address"),
        ({"name": "openai", "base_url": "http://ho st/v1"}, "not a web address"),
        ({"name": "openai", "base_url": "https://user:pass@host/v1"}, "a password"),
        ({"name": "openai", "base_url": "https://host/v1?key=abc"}, "a query"),
    ],
)
def test_what_makes_no_sense_is_said_with_the_way_out(arguments: dict[str, str], says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        resolve_provider(**arguments, environ={})  # type: ignore[arg-type]  # only texts are given
    assert says in f"{caught.value.what} {caught.value.hint}"
    assert caught.value.what.startswith(f"providers.{arguments['name']}")
    assert caught.value.hint
    assert "abc" not in str(caught.value)
