"""A first policy.yaml, from the keys that are there and the models the config already names. Pure.

The rules are data: one or two lines per provider, newest versions of what most people use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.providers.builtin import BUILTIN, Provider, find_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rollcall.litellm_config.document import ConfigDocument


RULES: Final[dict[str, tuple[str, ...]]] = {
    "anthropic": (
        '{family: claude-opus, from: [anthropic], newest: 1, name: "{id}"}',
        '{family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}',
        '{family: claude-haiku, from: [anthropic], newest: 1, name: "{id}"}',
    ),
    "openai": (
        "{family: gpt, from: [openai], newest: 1}",
        "{family: gpt-mini, from: [openai], newest: 1}",
    ),
    "gemini": (
        "{family: gemini-pro, from: [gemini], newest: 1, stage: any}",
        "{family: gemini-flash, from: [gemini], newest: 1}",
    ),
    "xai": ("{family: grok, from: [xai], newest: 1}",),
    "perplexity": ("{match: perplexity/sonar, from: [perplexity]}",),
    "deepseek": (
        '{match: "deepseek-*", from: [deepseek], newest: 1, assume: {tools: true}, max: 3}',
    ),
    "qwen": ("{family: [qwen-max, qwen-plus], from: [qwen], newest: 1}",),
    "openrouter": (
        "{family: claude-sonnet, from: [openrouter], newest: 1}",
        "{family: kimi, from: [openrouter], newest: 1}",
        "{family: glm, from: [openrouter], newest: 1}",
    ),
    "mistral": ('{match: "mistral-*", from: [mistral], newest: 1, max: 3}',),
    "groq": ("{match: openai/gpt-oss-120b, from: [groq]}",),
}
"""provider -> its starter rules, as they stand in the file."""

FIRST: Final = "openrouter"
"""Whom a policy starts with where nothing says whom: one key reaches every maker."""

HEADER: Final = """\
# The policy of rollcall: whom to ask, which models to admit, what clients call them.
# What no rule admits stays out. `rollcall plan` shows what it comes to.
version: 1
"""


def present(environ: Mapping[str, str], document: ConfigDocument) -> list[str]:
    """The built-in providers with starter rules whose key is set, or that the config uses."""
    used = {_provider_of(entry) for entry in document.own_entries}
    return [
        name
        for name, provider in BUILTIN.items()
        if name in RULES and (find_key(provider, environ) or provider.litellm_prefix in used)
    ]


def _provider_of(entry: Mapping[str, object]) -> str:
    params = entry.get("litellm_params")
    text = params.get("model") if isinstance(params, dict) else None
    return text.partition("/")[0] if isinstance(text, str) and "/" in text else ""


def starter_policy(names: Iterable[str]) -> str:
    """The text of a first policy over `names`, else FIRST; the others are comments, with keys."""
    wanted = set(names) or {FIRST}
    chosen = [name for name in RULES if name in wanted]
    others = [name for name in RULES if name not in chosen]
    lines = [HEADER.rstrip(), "", "providers:"]
    lines += [f"  {name}: {{}}" for name in chosen]
    lines += [f"  # {name}: {{}}   {_key_hint(BUILTIN[name])}" for name in others]
    lines += ["", "allow:"]
    lines += [f"  - {rule}" for name in chosen for rule in RULES[name]]
    lines += [f"  # - {rule}" for name in others for rule in RULES[name]]
    lines += ["", 'deny: ["*:free", "*:batch"]', ""]
    lines += [
        "# Left out, aliases are derived: default, claude, claude-strong, claude-fallback,",
        "# reasoning and cheap, each where something admitted fits.",
        "# aliases:",
        "#   default: {family: claude-haiku}",
    ]
    return "\n".join(lines) + "\n"


def _key_hint(provider: Provider) -> str:
    names = " or ".join(provider.key_env)
    return f"# needs {names}, from {provider.key_url}" if names else ""
