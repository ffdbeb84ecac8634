"""Writes a first policy.yaml: a starter for the keys that are set, or rules somebody proposes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rollcall.policy.file import rule_text
from rollcall.providers.builtin import BUILTIN, Provider, find_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

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
    "together": (
        "{family: deepseek-pro, from: [together], newest: 1}",
        "{family: glm, from: [together], newest: 1}",
    ),
    "fireworks": (
        "{family: deepseek-pro, from: [fireworks], newest: 1}",
        "{family: glm, from: [fireworks], newest: 1}",
    ),
    "cerebras": (
        "{family: gpt-oss-120b, from: [cerebras], newest: 1}",
        "{family: glm, from: [cerebras], newest: 1}",
    ),
}
"""provider -> its starter rules, as they stand in the file: words of the policy, in the order that
`init` proposes them, and so not in the rows of providers. One without any is proposed nowhere.
"""

FIRST: Final = "openrouter"
"""Whom a policy starts with where nothing says whom: one key reaches every maker."""


def with_keys(environ: Mapping[str, str]) -> list[str]:
    """The built-in providers with starter rules whose key is set; FIRST where none is."""
    return [name for name in RULES if find_key(BUILTIN[name], environ)] or [FIRST]


HEADER: Final = """\
# yaml-language-server: $schema=policy.schema.json
# (`rollcall schema > policy.schema.json` writes that file; editors then complete and check)
#
# The policy of rollcall: whom to ask, which models to admit, what clients call them.
# What no rule admits stays out. `rollcall plan` shows what it comes to.
version: 1

# A price that neither the provider nor LiteLLM's own map knows is borrowed (from OpenRouter, or a
# list named in `facts`), so that budgets count; `own`: only what a provider states is written.
defaults: {write_prices: borrowed}
"""

GUARDS: Final = """\
# Before an alias moves to a model, that one has to answer a call of at most 16 output tokens.
guards: {trial: aliases}   # off: nobody is called; all: every model before it is admitted
# What else keeps a surprising plan out; these are the defaults.
#   max_models: 100, max_withdrawn: 25%, price_rise: 50%, min_age: 0d, trial_every: 30d

# LiteLLM's background_health_checks call, and pay for, every model; this keeps ours out of it.
# defaults: {model_info: {disable_background_health_check: true}}

# How long an entry stays once its provider withdrew it, or a newer version took its place.
# grace: {vanished: 3d, superseded: 14d}

# The name of a model where its rule gives none.
# naming: "{provider}/{id}"
"""


def starter_text(names: Iterable[str]) -> str:
    """A first policy over the providers `names`; the others are comments, with their keys."""
    wanted = set(names)
    chosen = [name for name in RULES if name in wanted]
    others = [name for name in RULES if name not in chosen]
    lines = [HEADER.rstrip(), "", "providers:"]
    lines += [f"  {name}: {{}}" for name in chosen]
    lines += [f"  # {name}: {{}}   {_key_hint(BUILTIN[name])}" for name in others]
    lines += ["", "# A closed list, in the order of the output."]
    lines += ["allow:", *(f"  - {rule}" for name in chosen for rule in RULES[name])]
    lines += [f"  # - {rule}" for name in others for rule in RULES[name]]
    lines += ["", 'deny: ["*:free", "*:batch"]', "", GUARDS.rstrip(), ""]
    lines += _aliases(chosen)
    return "\n".join(lines) + "\n"


def _aliases(chosen: Sequence[str]) -> list[str]:
    """The aliases section: written out where Claude is there, with its fallback if it has one."""
    lines = [
        "# Stable names for clients. Left out, these are derived: default, claude, claude-strong,",
        "# claude-fallback, reasoning and cheap, each where something admitted fits.",
    ]
    if not {"anthropic", "openrouter"} <= set(chosen):
        return [*lines, "# aliases:", "#   default: {family: claude-haiku}"]
    return [
        *lines,
        "aliases:",
        "  default: {first_of: [{family: claude-haiku}, {family: claude-sonnet}]}",
        "  claude: {family: claude-sonnet, from: [anthropic], fallbacks: [claude-fallback]}",
        "  claude-strong: {family: claude-opus}",
        "  claude-fallback: {family: claude-sonnet, from: [openrouter]}",
    ]


def proposed_text(
    providers: Mapping[str, Mapping[str, Any]],
    rules: Sequence[tuple[Mapping[str, Any], Sequence[str]]],
    silent: Collection[str],
) -> str:
    """A policy of proposed rules as a file.

    Args:
        providers: policy name -> its fields. rules: (fields, the names each keeps).
        silent: providers that did not answer: they and their rules are comments.

    Without any rule the file admits nothing: the starter's rules for its providers are comments.
    """
    lines = [HEADER.rstrip(), "", "providers:"]
    for name, fields in providers.items():
        off = "# " if name in silent else ""
        why = "   # did not answer when this was written" if off else ""
        lines.append(f"  {off}{name}: {rule_text(fields)}{why}")
    lines += [
        "",
        "# One rule for what you keep by hand: same names, same order. Your entries stand",
        "# until `rollcall adopt` takes over those that lose nothing by it.",
        "allow:",
    ]
    for rule, names in rules:
        off = "# " if rule["from"][0] in silent else ""
        lines.append(f"  {off}- {rule_text(rule)}   # {', '.join(names)}")
    if not rules:
        lines += [f"  # - {rule}" for name in providers for rule in RULES.get(name, ())]
    if not any(rule["from"][0] not in silent for rule, _ in rules):
        lines[lines.index("allow:")] = "allow: []"
    free = any(str(rule.get("match", "")).endswith(":free") for rule, _ in rules)
    deny = '["*:batch"]' if free else '["*:free", "*:batch"]'
    lines += ["", f"deny: {deny}", "", GUARDS.rstrip(), ""]
    lines += [
        "# Stable names for clients, one target at a time. {} is none; left out, a set is derived.",
        "aliases: {}",
        "#   default: {family: claude-haiku}",
        "#   claude: {family: claude-sonnet, fallbacks: [claude-fallback]}",
        "#   claude-fallback: {family: claude-sonnet, from: [openrouter]}",
    ]
    return "\n".join(lines) + "\n"


def _key_hint(provider: Provider) -> str:
    names = " or ".join(provider.key_env)
    return f"# needs {names}, from {provider.key_url}" if names else ""


def shipped_policy() -> str:
    """The whole policy that ships with rollcall."""
    beside = files("rollcall.policy") / "policy.yaml"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "policy.yaml").read_text(encoding="utf-8")
