"""Decides which rules would keep current what config.yaml has, for a first policy. Pure.

Reads the hand-written entries one by one: whose model each calls, and which rule would go on
giving clients the same name for the newest of its kind. What no provider lists (deployments on
Azure, Bedrock, Vertex; wildcards; keys written out) is left alone, with the reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from rollcall.catalog import order
from rollcall.catalog.model import Kind
from rollcall.catalog.names import maker_of_family
from rollcall.catalog.reading import Reading, Stage, author_of, is_family, read
from rollcall.errors import PolicyError
from rollcall.litellm_config.document import is_managed, lines_of_own_models
from rollcall.litellm_config.effective import provider_and_id
from rollcall.litellm_config.entries import Unkept, said_by
from rollcall.policy.words import name_fault
from rollcall.providers.builtin import BUILTIN, Provider, find_key
from rollcall.providers.kinds import kind_of_id
from rollcall.providers.registry import resolve_provider
from rollcall.secrets import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rollcall.catalog.model import Model
    from rollcall.litellm_config.document import ConfigDocument, Entry

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
class Keepable:
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
    partial: frozenset[str] = frozenset(),
) -> Proposal:
    """Rules that keep current what the hand-written entries have: same names, same order.

    Args:
        catalogs: the proposed policy's provider -> what it lists; those that answered.
            None = nobody was asked. partial: those whose list is not whole: what it lacks may stand
            in the rest.
    """
    found = Proposal()
    own = [
        (entry, line)
        for entry, line in zip(document.own_models, lines_of_own_models(document), strict=True)
        if isinstance(entry, dict) and not is_managed(entry)
    ]
    found.total = len(own)
    count = Counter(str(entry.get("model_name")) for entry, _ in own)
    rows: list[Keepable] = []
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
    whole = {name: rows for name, rows in (catalogs or {}).items() if name not in partial}
    kept = _alive(found, rows, whole)
    found.rules = list(_rules(kept, catalogs or {}))
    used = {one.source for one in kept}
    if found.silent >= used:  # a policy that asks nobody is none
        found.silent = frozenset()
    found.providers = {name: row for name, row in found.providers.items() if name in used}
    found.left_alone.sort(key=lambda row: row.line)
    return found


def _own_entry(found: Proposal, entry: Entry, name: str, line: int) -> Keepable:
    said = said_by(entry)
    if name_fault(name) or "*" in said.model:
        raise Unkept("a wildcard: LiteLLM expands it itself")
    if "{" in name or "}" in name:
        raise Unkept("its name holds braces")
    if variable_of(said.model) is not None:
        raise Unkept("its model comes from a variable")
    prefix, model_id = provider_and_id(said.model)
    custom = said.params.get("custom_llm_provider")
    if isinstance(custom, str) and custom != prefix:
        raise Unkept(f"custom_llm_provider: {custom}")
    source, api_base = _source(found, prefix, said.api_base, said.key_env)
    return Keepable(
        name=name, line=line, source=source, id=model_id, reading=read(model_id),
        key_env=said.key_env, api_base=api_base, params=said.params, model_info=said.model_info,
    )  # fmt: skip


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
    if (variable := variable_of(given)) is not None:
        raise Unkept(f"its address comes from a variable, {variable}")
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
    name, number = stem, 1
    while any(found.providers.get(name, fields).get(word) != fields[word] for word in same):
        number += 1
        name = f"{stem}-{number}"
    return name


def _settle_keys(found: Proposal, rows: list[Keepable], environ: Mapping[str, str]) -> None:
    """A key variable all entries of a provider share is the provider's; others are the rule's."""
    for name, fields in found.providers.items():
        usual = _would_write(name, environ)
        keys = [one.key_env for one in rows if one.source == name]
        if "base_url" not in fields and (asking := _asking_key(keys, usual, environ)):
            fields["key_env"] = asking
        mine = fields.get("key_env") or usual
        for one in rows:
            if one.source == name and one.key_env in (mine, None):
                one.key_env = None


def _asking_key(
    keys: Sequence[str | None], usual: str | None, environ: Mapping[str, str]
) -> str | None:
    """The variable a provider is asked with, of those its entries name; None = the usual one.

    Where each entry has its own and the usual one is not set, the first that is set.
    """
    said = list(dict.fromkeys(filter(None, keys)))
    if len(said) == 1 and usual not in said:
        return said[0]
    if not said or None in keys or not usual or environ.get(usual):
        return None
    return next(filter(environ.get, said), None if usual in said else said[0])


def _would_write(name: str, environ: Mapping[str, str]) -> str | None:
    """The variable a managed entry of a built-in provider names."""
    row: Provider | None = BUILTIN.get(name)
    if row is None or not row.key_env:
        return None
    key = find_key(row, environ)
    return key[0] if key else row.key_env[0]


def _alive(
    found: Proposal, rows: list[Keepable], catalogs: Mapping[str, Sequence[Model]]
) -> list[Keepable]:
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


def _is_model(one: Keepable, model: Model) -> bool:
    return one.id in (model.id, model.canonical) or one.id in model.aliases


def _family_of(one: Keepable, models: Sequence[Model]) -> list[list[Model]]:
    """The chat models of an entry's family, newest version first, each version's best id first."""
    return order.versions(
        model
        for model in models
        if model.kind is Kind.CHAT
        and not model.batch_only
        and (reading := model.reading).variant is None
        and not reading.moving
        and is_family(reading, _family_word(one))
    )


def _family_word(one: Keepable) -> str:
    """The family as a rule names it; with its vendor where nobody is known to own it."""
    family, author = one.reading.family, author_of(one.id)
    return f"{author}/{family}" if author and maker_of_family(family) is None else family


def _rules(
    rows: list[Keepable], catalogs: Mapping[str, Sequence[Model]]
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """One rule per family, name and extras; a model of its own where a family would not do."""
    groups: dict[tuple[str, str, str, str, str], list[Keepable]] = {}
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


def _is_exact(one: Keepable, models: Sequence[Model] | None) -> bool:
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
    what: dict[str, Any], one: Keepable, newest: int | None, stage: str | None = None
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
