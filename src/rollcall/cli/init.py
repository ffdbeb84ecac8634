"""Proposes a first policy.yaml: rules that keep current what config.yaml has, else a starter.

Reads the hand-written entries one by one: whose model each calls, and which rule would go on
giving clients the same name for the newest of its kind. What no provider lists (deployments on
Azure, Bedrock, Vertex; wildcards; keys written out) is left alone, with the reason. Pure: the
command asks the providers and hands in what they list.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from rollcall.catalog import order
from rollcall.catalog.model import Kind
from rollcall.catalog.names import maker_of_family
from rollcall.catalog.reading import Reading, Stage, author_of, is_family, read
from rollcall.errors import PolicyError
from rollcall.litellm_config.document import is_managed, lines_of_own_models, parse
from rollcall.litellm_config.entries import Unkept, said_by
from rollcall.policy.file import load_policy, rule_text
from rollcall.policy.words import name_fault
from rollcall.providers.builtin import BUILTIN, Provider, find_key
from rollcall.providers.kinds import kind_of_id
from rollcall.providers.registry import resolve_provider
from rollcall.store.store import open_store
from rollcall.sync.gather import ask_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rollcall.catalog.model import Model
    from rollcall.litellm_config.document import ConfigDocument, Entry
    from rollcall.settings import Settings

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

UNLISTED: Final = {
    "azure": "Azure",
    "azure_ai": "Azure",
    "azure_text": "Azure",
    "bedrock": "Bedrock",
    "bedrock_converse": "Bedrock",
    "sagemaker": "SageMaker",
    "vertex_ai": "Vertex AI",
    "vertex_ai_beta": "Vertex AI",
}
"""LiteLLM's prefix -> a cloud whose deployments are its customer's own: no list names them."""

BARE: Final = (
    (
        re.compile(r"(gpt|chatgpt|o[0-9]|dall-e|whisper|tts|text-embedding|omni-moderation)\b"),
        "openai",
    ),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gemini-"), "vertex_ai"),
    (re.compile(r"([a-z]{2,6}\.)?(anthropic|amazon|meta|mistral|cohere|ai21)\."), "bedrock"),
)
"""How a model string without a prefix begins -> whom LiteLLM takes it for."""

PREFIXES: Final = {row.litellm_prefix: name for name, row in BUILTIN.items()} | {"ollama": "ollama"}


class LeftAlone(NamedTuple):
    """A hand-written entry that no rule is proposed for, and why."""

    name: str
    line: int
    why: str


class Dead(NamedTuple):
    """A hand-written entry whose provider was asked and no longer lists its model."""

    name: str
    line: int
    provider: str
    id: str


@dataclass(slots=True)
class OwnEntry:
    """One hand-written entry, as far as a rule can keep it.

    Attributes:
        name: its model_name. source: the proposed policy's name of its provider.
        id: the provider's own id of the model. reading: what the id says.
        key_env: the variable its key comes from, None where it names none.
        api_base: its address where it is not the one the provider would get.
        params, model_info: what else it says.
    """

    name: str
    line: int
    source: str
    id: str
    reading: Reading
    key_env: str | None
    api_base: str | None
    params: dict[str, Any]
    model_info: dict[str, Any]

    @property
    def template(self) -> str | None:
        """The name as a rule says it: a template of the id where it follows the id, the name
        itself where it says no version; None where only this very model may carry it.
        """
        for template, name in (
            ("{id}", self.id),
            ("{provider}/{id}", f"{self.source}/{self.id}"),
            ("{model}", self.id.rpartition("/")[2]),
        ):
            if self.name == name:
                return template
        words = re.sub(r"[^0-9.]+", " ", self.name).split()
        return None if words or not self.reading.version else self.name


@dataclass(slots=True)
class Proposal:
    """A policy to begin with, and what became of each hand-written entry.

    Attributes:
        providers: policy name -> its fields. silent: those of own servers that did not answer:
            they stand in the file as comments.
        rules: (fields, the names it keeps) in the order of the entries.
    """

    providers: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    rules: list[tuple[dict[str, Any], list[str]]] = field(default_factory=list)
    total: int = 0
    left_alone: list[LeftAlone] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)

    @property
    def covered(self) -> int:
        """How many entries a rule keeps."""
        return self.total - len(self.left_alone)


def propose(
    document: ConfigDocument,
    environ: Mapping[str, str],
    catalogs: Mapping[str, Sequence[Model]] | None = None,
) -> Proposal:
    """Rules that keep current what the hand-written entries have: same names, same order.

    Args:
        catalogs: the proposed policy's provider -> what it lists; those that answered.
            None = nobody was asked.
    """
    found = Proposal()
    own = [
        (entry, line)
        for entry, line in zip(document.own_models, lines_of_own_models(document), strict=True)
        if isinstance(entry, dict) and not is_managed(entry)
    ]
    found.total = len(own)
    count = Counter(str(entry.get("model_name")) for entry, _ in own)
    rows: list[OwnEntry] = []
    for entry, line in own:
        name = str(entry.get("model_name"))
        if count[name] > 1:
            why = f"one of {count[name]} deployments of that name"
            found.left_alone.append(LeftAlone(name, line, why))
            continue
        try:
            rows.append(_own_entry(found, entry, name, line))
        except Unkept as reason:
            found.left_alone.append(LeftAlone(name, line, str(reason)))
    _settle_keys(found, rows, environ)
    found.silent = frozenset(
        name
        for name, row in found.providers.items()
        if "base_url" in row and catalogs is not None and name not in catalogs
    )
    kept = _alive(found, rows, catalogs or {})
    found.rules = list(_rules(kept, catalogs or {}))
    used = {one.source for one in kept}
    if found.silent >= used:  # a policy that asks nobody is none
        found.silent = frozenset()
    found.providers = {name: row for name, row in found.providers.items() if name in used}
    found.left_alone.sort(key=lambda row: row.line)
    return found


def _own_entry(found: Proposal, entry: Entry, name: str, line: int) -> OwnEntry:
    said = said_by(entry)
    if name_fault(name) or "*" in said.model:
        raise Unkept("a wildcard: LiteLLM expands it itself")
    if "{" in name or "}" in name:
        raise Unkept("its name holds braces")
    if said.model.startswith("os.environ/"):
        raise Unkept("its model comes from a variable")
    if "/" in said.model:
        prefix, _, model_id = said.model.partition("/")
    else:
        prefix, model_id = _bare(said.model), said.model
    custom = said.params.get("custom_llm_provider")
    if isinstance(custom, str) and custom != prefix:
        raise Unkept(f"custom_llm_provider: {custom}")
    source, api_base = _source(found, prefix, said.api_base, said.key_env)
    return OwnEntry(
        name=name, line=line, source=source, id=model_id, reading=read(model_id),
        key_env=said.key_env, api_base=api_base, params=said.params, model_info=said.model_info,
    )  # fmt: skip


def _bare(model: str) -> str:
    return next((prefix for pattern, prefix in BARE if pattern.match(model)), "")


def _source(
    found: Proposal, prefix: str, api_base: str | None, key_env: str | None
) -> tuple[str, str | None]:
    """(The policy's name of the provider an entry calls, its api_base where a rule must say it)."""
    if prefix in UNLISTED:
        raise Unkept(f"a deployment of yours on {UNLISTED[prefix]}: no list names it")
    known = PREFIXES.get(prefix)
    if known is None:
        raise Unkept(f"rollcall knows no list of {prefix or 'its provider'}")
    given = api_base or ""
    if given.startswith("os.environ/"):
        raise Unkept(f"its address comes from a variable, {given.removeprefix('os.environ/')}")
    row = BUILTIN[known]
    if prefix == row.litellm_prefix and (not given or _same_address(given, row.base_url)):
        found.providers.setdefault(known, {})
        return known, given if given and given != row.api_base else None
    base = given or row.base_url
    fields: dict[str, Any] = {
        "type": known,
        "base_url": base,
        "key_env": key_env or (None if given or row.key_optional else list(row.key_env) or None),
        "litellm_prefix": prefix,
    }
    try:
        resolved = resolve_provider(
            "own", type=known, base_url=base, litellm_prefix=prefix, environ={}
        )
    except PolicyError:
        raise Unkept("its api_base is no web address") from None
    name = _own_name(found, base, fields)
    found.providers.setdefault(name, fields)
    return name, given if given and given != resolved.api_base else None


def _same_address(one: str, other: str) -> bool:
    return one.rstrip("/").removesuffix("/v1") == other.rstrip("/").removesuffix("/v1")


def _own_name(found: Proposal, base: str, fields: dict[str, Any]) -> str:
    """A name for a server: its host, told apart where two would share it."""
    parts = urlsplit(base)
    host = (parts.hostname or "server").removeprefix("api.").removeprefix("www.")
    stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{host}-{parts.port}" if parts.port else host).strip("-")
    stem = f"{stem}-server" if stem in BUILTIN else stem
    same = ("type", "base_url", "litellm_prefix")
    for number in range(1, len(found.providers) + 2):
        name = stem if number == 1 else f"{stem}-{number}"
        row = found.providers.get(name)
        if row is None or all(row.get(word) == fields[word] for word in same):
            return name
    raise AssertionError(stem)


def _settle_keys(found: Proposal, rows: list[OwnEntry], environ: Mapping[str, str]) -> None:
    """A key variable all entries of a provider share is the provider's; others are the rule's."""
    for name, fields in found.providers.items():
        said = {one.key_env for one in rows if one.source == name and one.key_env}
        if "base_url" not in fields and len(said) == 1 and _would_write(name, environ) not in said:
            fields["key_env"] = next(iter(said))
        mine = fields.get("key_env") or _would_write(name, environ)
        for one in rows:
            if one.source == name and one.key_env in (mine, None):
                one.key_env = None


def _would_write(name: str, environ: Mapping[str, str]) -> str | None:
    """The variable a managed entry of a built-in provider names."""
    row: Provider | None = BUILTIN.get(name)
    if row is None or not row.key_env:
        return None
    key = find_key(row, environ)
    return key[0] if key else row.key_env[0]


def _alive(
    found: Proposal, rows: list[OwnEntry], catalogs: Mapping[str, Sequence[Model]]
) -> list[OwnEntry]:
    """The entries less those whose model is gone with all its family; the dead are noted."""
    kept = []
    for one in rows:
        models = catalogs.get(one.source)
        if models is None or any(_is_model(one, model) for model in models):
            kept.append(one)
            continue
        found.dead.append(Dead(one.name, one.line, one.source, one.id))
        if one.template is not None and _family_of(one, models):
            kept.append(one)
        else:
            why = f"{one.source} no longer lists {one.id}, nor any of its family"
            found.left_alone.append(LeftAlone(one.name, one.line, why))
    return kept


def _is_model(one: OwnEntry, model: Model) -> bool:
    return one.id in (model.id, model.canonical) or one.id in model.aliases


def _family_of(one: OwnEntry, models: Sequence[Model]) -> list[list[Model]]:
    """The chat models of an entry's family, newest version first, each version's best id first."""
    return order.versions(
        model
        for model in models
        if model.kind is Kind.CHAT
        and not model.batch_only
        and (reading := order.read_model(model)).variant is None
        and not reading.moving
        and is_family(reading, _family_word(one))
    )


def _family_word(one: OwnEntry) -> str:
    """The family as a rule names it; with its vendor where nobody is known to own it."""
    family, author = one.reading.family, author_of(one.id)
    return f"{author}/{family}" if author and maker_of_family(family) is None else family


def _rules(
    rows: list[OwnEntry], catalogs: Mapping[str, Sequence[Model]]
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """One rule per family, name and extras; a model of its own where a family would not do."""
    groups: dict[tuple[str, str, str, str, str], list[OwnEntry]] = {}
    for one in rows:
        extras = json.dumps([one.key_env, one.api_base, one.params, one.model_info], default=str)
        exact = one.id if _is_exact(one, catalogs.get(one.source)) else ""
        key = (one.source, _family_word(one), exact, one.template or one.name, extras)
        groups.setdefault(key, []).append(one)
    taken: set[tuple[str, str]] = set()
    for (_, family, exact, *_), members in groups.items():
        first = members[0]
        if exact or (first.source, family) in taken:
            for one in members:
                yield _rule({"match": one.id}, one, None), [one.name]
            continue
        taken.add((first.source, family))
        versions = {(one.reading.version, one.reading.revision) for one in members}
        stages = {one.reading.stage for one in members}
        stage = None if stages == {Stage.STABLE} else "any"
        if stages == {Stage.PREVIEW}:
            stage = "preview"
        what = {"family": family}
        yield _rule(what, first, len(versions), stage), [one.name for one in members]


def _is_exact(one: OwnEntry, models: Sequence[Model] | None) -> bool:
    """Whether a rule must name the very id: a variant, a snapshot beside its bare name, a model
    that is not for chat, a name that promises this version.
    """
    reading = one.reading
    if one.template is None or reading.variant or reading.moving or not reading.family:
        return True
    if kind_of_id(one.id) is not Kind.CHAT:
        return True
    if models is None:
        return bool(reading.stamp_text) and one.source != "anthropic"
    for version in _family_of(one, models):
        if any(_is_model(one, model) for model in version):
            return not _is_model(one, version[0])
    return any(_is_model(one, model) for model in models)


def _rule(
    what: dict[str, Any], one: OwnEntry, newest: int | None, stage: str | None = None
) -> dict[str, Any]:
    template = one.template or one.name
    said = {
        **what,
        "from": [one.source],
        "newest": newest,
        "stage": stage,
        "name": None if template == "{provider}/{id}" else template,
        "key_env": one.key_env,
        "api_base": one.api_base,
        "params": one.params,
        "model_info": one.model_info,
    }
    return {key: value for key, value in said.items() if value not in (None, {})}


def first_policy(settings: Settings, *, full: bool = False) -> tuple[str, list[str]]:
    """The text of a first policy, and what to tell a person about it.

    Asks the providers of the hand-written entries, unless `settings.offline`.

    Args:
        full: the policy that ships with rollcall, whatever the config holds.
    """
    if full:
        return shipped_policy(), ["It names every provider; those whose key is not set wait."]
    document = parse(open_store(settings).read_config())
    found = propose(document, settings.environ)
    if not found.rules:
        names = with_keys(settings.environ)
        who = ", ".join(names) or f"{FIRST}, to begin with: no key is set yet"
        return starter_text(names), [f"Rules for {who}.", *_told(found)]
    if not settings.offline:
        policy = load_policy(proposal_text(found), "the proposed policy")
        found = propose(document, settings.environ, ask_policy(settings, policy, document))
    return proposal_text(found), _told(found)


def shipped_policy() -> str:
    """The whole policy that ships with rollcall."""
    beside = files("rollcall.cli") / "policy.yaml"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "policy.yaml").read_text(encoding="utf-8")


def _told(found: Proposal) -> list[str]:
    """How many entries the rules keep; which are left alone, by reason; which are dead."""
    if not found.total:
        return []
    entries = "1 entry" if found.total == 1 else f"{found.total} entries"
    lines = [f"Your config.yaml has {entries}: {found.covered} kept by rules."]
    reasons: dict[str, list[LeftAlone]] = {}
    for row in found.left_alone:
        reasons.setdefault(row.why, []).append(row)
    for why, rows in reasons.items():
        lines.append(f"  left alone, {why}: {_listed([(row.name, row.line) for row in rows])}")
    said = {(row.name, row.line) for row in found.left_alone}
    lines += [
        f"  dead, line {dead.line}: {dead.name}: {dead.provider} no longer lists {dead.id}"
        for dead in found.dead
        if (dead.name, dead.line) not in said
    ]
    lines += [
        f"  {name} did not answer: its rules are comments, for you to switch on"
        for name in sorted(found.silent)
    ]
    return lines


def _listed(rows: Sequence[tuple[str, int]], most: int = 8) -> str:
    shown = [f"{name} (line {line})" for name, line in rows[:most]]
    return ", ".join(shown) + (f" and {len(rows) - most} more" if len(rows) > most else "")


def with_keys(environ: Mapping[str, str]) -> list[str]:
    """The built-in providers with starter rules whose key is set."""
    return [name for name in RULES if find_key(BUILTIN[name], environ)]


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
    """A first policy over the providers `names`, else FIRST; the others are comments, with keys."""
    wanted = set(names) or {FIRST}
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


def proposal_text(found: Proposal) -> str:
    """The proposed policy as a file; own servers that did not answer are comments."""
    lines = [HEADER.rstrip(), "", "providers:"]
    for name, fields in found.providers.items():
        off = "# " if name in found.silent else ""
        why = "   # did not answer when this was written" if off else ""
        lines.append(f"  {off}{name}: {rule_text(fields)}{why}")
    lines += [
        "",
        "# One rule for what you keep by hand: same names, same order. Your entries stand",
        "# until `rollcall adopt` takes over those that lose nothing by it.",
        "allow:",
    ]
    for rule, names in found.rules:
        off = "# " if rule["from"][0] in found.silent else ""
        lines.append(f"  {off}- {rule_text(rule)}   # {', '.join(names)}")
    if not any(rule["from"][0] not in found.silent for rule, _ in found.rules):
        lines[lines.index("allow:")] = "allow: []"
    free = any(str(rule.get("match", "")).endswith(":free") for rule, _ in found.rules)
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
