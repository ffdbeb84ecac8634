"""What the user's own lines call and name: models that are gone, entries that leave. Pure.

Hand-written entries are looked at, never touched. A managed entry that a line of the user's names
stays past its grace, as one does that a held alias leads to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.catalog.facts import said_by
from rollcall.catalog.model import Kind, Model, ModelKey, Verdict
from rollcall.litellm_config.document import Blocks, is_managed, lines_of_own_models
from rollcall.litellm_config.effective import provider_and_id
from rollcall.litellm_config.entries import (
    called_by,
    leaves_on,
    model_of,
    name_of,
    price_of,
    section_of,
)
from rollcall.litellm_config.nodes import lines_of
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.kinds import kind_of_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from rollcall.litellm_config.document import ConfigDocument, Entry
    from rollcall.plan.inputs import Inputs
    from rollcall.plan.model_list import ModelList, Placement
    from rollcall.selection.aliases import Resolved
    from rollcall.yaml_reading import Place

CHATTING = (None, "chat", "responses")
"""Modes of entries whose model a list of chat models would hold."""


class OwnEntry(NamedTuple):
    """One hand-written entry.

    Attributes:
        line: 1-based. model: what its provider lists, else what the entry says of it; None where
            its provider is none of the policy's.
        gone: its provider answered with a whole list, and the model is not on it.
    """

    name: str
    line: int
    entry: Entry
    model: Model | None = None
    gone: bool = False


class Naming(NamedTuple):
    """A line of the user's that names a model: where, for people, and on which line."""

    what: str
    line: int | None


def read_own_entries(inputs: Inputs) -> tuple[OwnEntry, ...]:
    """The user's entries, each with the model it calls."""
    document = inputs.document
    if not document.own_entries:
        return ()
    listed = {
        (model.provider, spelled): model
        for models in inputs.catalogs.values()
        for model in models
        for spelled in (model.id, *model.aliases, model.canonical or model.id)
    }
    lines = lines_of_own_models(document)
    found = []
    for entry, line in zip(document.own_models, lines, strict=True):
        if not isinstance(entry, dict) or is_managed(entry):
            continue
        key = _key_of(inputs, entry)
        model = listed.get(key) if key else None
        gone = key is not None and model is None and _is_whole(inputs, key[0], key[1], entry)
        if model is None and key is not None:
            model = Model(
                provider=key[0],
                id=key[1],
                litellm_model=called_by(entry) or "",
                price=price_of(section_of(entry, "model_info")),
                kind=kind_of_id(key[1]),
            )
        known = inputs.others.complete(model) if model else None
        found.append(OwnEntry(name_of(entry), line, entry, known, gone))
    return tuple(found)


def _key_of(inputs: Inputs, entry: Entry) -> ModelKey | None:
    """The model an entry calls, by the policy's providers."""
    called = called_by(entry) or ""
    base = entry["litellm_params"].get("api_base") if called else None
    if "/" not in called:
        called = "/".join(provider_and_id(called))
    for name, row in inputs.providers.items():
        model_id = called.removeprefix(f"{row.litellm_prefix}/")
        said = inputs.policy.providers.get(name)
        addresses = [row.api_base or row.base_url, (said and said.api_base) or ""]
        ours = [one.rstrip("/") for one in addresses if one]
        usual = base is None and (row.api_base is None or name in BUILTIN)
        there = usual or str(base).rstrip("/") in (*ours, *(f"{one}/v1" for one in ours))
        if there and model_id and model_id != called and "*" not in model_id:
            return ModelKey(name, model_id.removeprefix("responses/"))
    return None


def _is_whole(inputs: Inputs, provider: str, model_id: str, entry: Entry) -> bool:
    """Whether a model's absence from its provider's list says that it is gone."""
    answer, mode = inputs.answers[provider], section_of(entry, "model_info").get("mode")
    chat = kind_of_id(model_id) is Kind.CHAT and mode in CHATTING
    whole = answer.verdict is Verdict.OK and not answer.partial
    return whole and chat and not model_id.startswith("ft:")


def named_in(
    document: ConfigDocument, included: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Naming]]:
    """Managed model_name -> where the user's own lines name it.

    Whatever the place: aliases, every kind of fallbacks, groups, routers' tiers, settings of
    keys. Names in entries (`model_name`, `model`) are the entries' own, and left out.
    """
    names = {name_of(entry) for entry in document.managed.models}
    found: dict[str, list[Naming]] = {}
    named = list(_texts(document.data, (), document.managed, names))
    lines = lines_of(document.raw, [path for path, _ in named])
    for (path, text), line in zip(named, lines, strict=True):
        found.setdefault(text, []).append(Naming(_place(path), line))
    for file, data in included.items():
        for path, text in _texts(data, (), Blocks(), names):
            found.setdefault(text, []).append(Naming(f"{_place(path)} in {file}", None))
    return found


def _is_ours(managed: Blocks, path: Place, value: Any) -> bool:
    """Whether what stands at a path stands between our markers."""
    above = path[-2] if len(path) > 1 else ""
    if above == "model_group_alias":
        return path[-1] in managed.aliases
    if above == "fallbacks":
        ours = {name for row in managed.fallbacks for name in row}
        return isinstance(value, dict) and bool(value) and ours.issuperset(value)
    return above == "model_list" and is_managed(value)


def _texts(
    value: Any, path: Place, managed: Blocks, names: set[str]
) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        own_name = path[-1] in ("model_name", "id") or path[-2:] == ("litellm_params", "model")
        if value in names and not own_name:
            yield path, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if not _is_ours(managed, (*path, key), inner):
                yield from _texts(inner, (*path, key), managed, names)


def _place(path: Place) -> str:
    """`alias coder` or `fallbacks of a`, as a person would call the place."""
    words = [str(part) for part in path if not isinstance(part, int)]
    if "model_group_alias" in words[:-1]:
        return f"alias {words[words.index('model_group_alias') + 1]}"
    if len(words) > 1 and words[-2].endswith("fallbacks"):
        return f"{words[-2]} of {words[-1]}"
    return words[-1] if words else "the file"


def notes(
    inputs: Inputs,
    model_list: ModelList,
    resolved: Iterable[Resolved],
    named: Mapping[str, list[Naming]],
    own: Iterable[OwnEntry],
) -> list[str]:
    """What the user should know of their own lines: dead entries, targets that leave."""
    return [
        *_of_entries(own, inputs.today),
        *_of_targets(inputs, model_list, list(resolved), named),
    ]


def _of_entries(own: Iterable[OwnEntry], today: date) -> Iterator[str]:
    """One note for all that call the same model: they share its fate."""
    fates: dict[str, list[str]] = {}
    for one in own:
        if one.gone and (fate := fate_of(one, today)):
            fates.setdefault(fate, []).append(f"{one.name} (line {one.line})")
    for fate, who in fates.items():
        yield f"your {'entry' if len(who) == 1 else 'entries'} {', '.join(who)}: {fate}"


def fate_of(one: OwnEntry, today: date) -> str:
    """What its provider says of a hand-written entry's model; "" where it goes on."""
    model = one.model
    if model is None:
        return ""
    if one.gone:
        return f"{model.provider} no longer lists {model.id}"
    if model.ends is None:
        return ""
    when = "ended" if model.ends < today else "ends"
    after = f"; its successor is {model.replaced_by}" if model.replaced_by else ""
    said = said_by(model.borrowed.get("ends"))
    return f"{model.id} {when} on {model.ends}{said}{after}"


def _of_targets(
    inputs: Inputs,
    model_list: ModelList,
    resolved: list[Resolved],
    named: Mapping[str, list[Naming]],
) -> Iterator[str]:
    """What becomes of managed entries that lines of the user's lead to."""
    placed = {one.name: one for one in model_list.placements}
    for entry in inputs.document.managed.models:
        name = name_of(entry)
        if name not in named or name in inputs.own_names:
            continue
        after = placed.get(name)
        day = leaves_on(after.entry) if after else None
        if after is not None and day is None:
            continue
        if after is None:
            what = f"which goes ({model_list.gone.get(name, 'the policy takes it out')})"
        else:
            what = f"which leaves on {day}" if day and day > inputs.today else "which has left"
        advice = _instead(entry, resolved, placed)
        for one in named[name]:
            line = f" (line {one.line})" if one.line else ""
            yield f"your {one.what}{line} leads to {name}, {what}: {advice}"


def _instead(entry: Entry, resolved: list[Resolved], placed: Mapping[str, Placement]) -> str:
    """Where a line that leads to a leaving entry should lead: an alias that moves, else the newest
    of its family.
    """
    model = model_of(entry)
    family = model.reading.family if model else ""
    alike = [
        name
        for name, one in placed.items()
        if (found := one.model) and found.reading.family == family
    ]
    for alias in resolved:
        if alias.target in alike:
            return f"point it at the alias {alias.name}"
    staying = (name for name in alike if leaves_on(placed[name].entry) is None)
    return f"point it at {next(staying, 'another model')}"
