"""config.yaml read: what is ours in it, what is the user's, and where.

One parse gives the places and the data. What can be told only of the whole file is refused here;
what matters only when something has to be written is kept for then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import yaml

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.effective import LITELLM_KEYS, alias_target, mapping, rows_of, value_at
from rollcall.litellm_config.nodes import begin, member_begins, merge_key, scalar_at
from rollcall.litellm_config.refusals import refusal
from rollcall.litellm_config.sections import (
    ALIASES,
    KINDS,
    LITELLM_FALLBACKS,
    MODELS,
    ROUTER_FALLBACKS,
    Kind,
    Layout,
    Marker,
    Section,
    find_markers,
    find_section,
    pair,
    with_region,
)
from rollcall.litellm_config.text import (
    ConfigText,
    LoadedYaml,
    collector_paused,
    decode,
    line_number,
)

if TYPE_CHECKING:
    from rollcall.litellm_config.sections import Layout


Entry = dict[str, Any]
"""One `model_list` entry as plain data: model_name, litellm_params, model_info."""

MANAGED_BY = "rollcall"
"""The value of `model_info.managed_by` in every entry of ours."""

FallbacksSection = Literal["router_settings", "litellm_settings", "both"]


class Blocks(NamedTuple):
    """What stands, or shall stand, between our markers; plain data, in file order.

    Attributes:
        models: entries of `model_list`.
        aliases: `router_settings.model_group_alias`; name -> target, or
            ``{"model": target, "hidden": bool}`` (both keys always written).
        fallbacks: one-key dicts, name -> list of names.
    """

    models: tuple[Entry, ...] = ()
    aliases: Mapping[str, str | dict[str, Any]] = {}
    fallbacks: tuple[dict[str, list[str]], ...] = ()


class StrayEntry(NamedTuple):
    """An entry that says `managed_by: rollcall` but stands outside our markers."""

    model_name: str
    line: int


class ConfigDocument(NamedTuple):
    """A parsed config.yaml.

    Attributes:
        raw: the file's bytes (b"" = no file yet).
        data: what LiteLLM loads from it ({} when empty).
        managed: what stands between our markers now.
        own_models: the user's hand-written items of `model_list`, one by one as they stand, be
            they entries or not. own_aliases, own_fallbacks: likewise.
        fallbacks_section: where the user's fallbacks are: "router_settings", "litellm_settings",
            "both" (then ours are refused), or None.
        strays: entries of ours whose markers were lost; they are among `own_models` too.
        refusal: why no edit is possible before `adopt` has put the markers right, if so.
        layout: the places of all this in the text; read anew where it is None.
    """

    raw: bytes
    data: dict[str, Any]
    managed: Blocks
    own_models: tuple[Any, ...]
    own_aliases: dict[str, Any]
    own_fallbacks: tuple[Any, ...]
    fallbacks_section: FallbacksSection | None
    strays: tuple[StrayEntry, ...]
    refusal: ConfigRefused | None = None
    layout: Layout | None = None

    @property
    def own_entries(self) -> tuple[Entry, ...]:
        """The user's entries. A bare `-` or a lone word is none; `doctor` says what to do then."""
        return tuple(entry for entry in self.own_models if isinstance(entry, dict))


def is_managed(entry: Any) -> bool:
    """Whether an entry says it is ours."""
    return bool(value_at(entry, ("model_info", "managed_by")) == MANAGED_BY)


def refuse_other_files(loaded: LoadedYaml) -> None:
    """Refuse a file that LiteLLM would not take for its config.

    Raises:
        ConfigRefused: a manifest, another tool's file, no mapping.
    """
    body, root = loaded.body, loaded.root
    if root is None or _is_unsaid(root):
        return
    if not isinstance(root, yaml.MappingNode):
        raise refusal("not_a_mapping", line_number(body, begin(root)))
    keys = [key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)]
    if not root.value or merge_key(root) or not LITELLM_KEYS.isdisjoint(keys):
        return
    if {"apiVersion", "kind"} <= set(keys):
        raise refusal("kubernetes", _embedded_line(body))
    raise refusal("not_litellm", line_number(body, begin(root.value[0][0])))


def _embedded_line(body: str) -> int:
    """The line of the config inside a manifest, else of its `kind`."""
    found = re.search(r"^[ ]+model_list:", body, re.MULTILINE) or re.search(
        r"^[{ \"]*kind", body, re.MULTILINE
    )
    return line_number(body, found.start()) if found else 1


def _is_unsaid(root: yaml.Node) -> bool:
    """Whether a document has no content, as after a bare `---`."""
    return isinstance(root, yaml.ScalarNode) and begin(root) == int(root.end_mark.index)


@collector_paused()
def parse(raw: bytes) -> ConfigDocument:
    """Read config.yaml.

    Raises:
        ConfigRefused: it cannot be edited safely; line and reason say why.
    """
    text = decode(raw)
    loaded = LoadedYaml(text.body)
    markers = tuple(find_markers(text.body))
    refuse_other_files(loaded)
    for marker in markers:
        if scalar_at(loaded.root, marker.start) is not None:
            raise refusal("marker_in_scalar", line_number(text.body, marker.start))
    layout = _regions_found(_layout(text, loaded, markers))
    data = (loaded.construct(loaded.root) if loaded.root is not None else None) or {}
    layout = _fallbacks_chosen(layout, data)
    return _document(raw, data, layout)


def _layout(text: ConfigText, loaded: LoadedYaml, markers: tuple[Marker, ...]) -> Layout:
    """The sections as they are found, our lines not yet."""
    root = loaded.root if isinstance(loaded.root, yaml.MappingNode) else None
    models = find_section(text.body, root, "models", MODELS)
    if models.refusal:
        raise models.refusal
    aliases = find_section(text.body, root, "aliases", ALIASES)
    router, litellm = (
        find_section(text.body, root, "fallbacks", path)
        for path in (ROUTER_FALLBACKS, LITELLM_FALLBACKS)
    )
    return Layout(text, loaded, markers, models, aliases, router, litellm)


def _regions_found(layout: Layout) -> Layout:
    """Find our lines in the sections; where the markers are at fault, they stay unread."""
    body = layout.text.body
    faults: dict[Kind, ConfigRefused] = {}
    for kind in KINDS:
        try:
            markers = pair(body, kind, list(layout.markers))
            if markers:
                layout = _with_markers(body, layout, kind, markers)
        except ConfigRefused as fault:
            faults[kind] = fault
    return layout._replace(faults=faults)


def _with_markers(body: str, layout: Layout, kind: Kind, pair: tuple[Marker, Marker]) -> Layout:
    litellm = layout.leaving if kind == "fallbacks" else None
    if litellm and litellm.key and begin(litellm.key) < pair[0].start < litellm.ceiling:
        return layout._replace(leaving=with_region(body, litellm, pair))
    found: Any = {kind: with_region(body, layout.section(kind), pair)}
    return layout._replace(**found)


def _fallbacks_chosen(layout: Layout, data: dict[str, Any]) -> Layout:
    """`fallbacks` becomes the section to write to: the user's own, else ours, else the router's.

    LiteLLM reads the router's list, and the other one only where that is empty.
    """
    router, litellm = layout.fallbacks, layout.leaving
    assert litellm is not None
    router_own = router.split(rows_of(value_at(data, router.path)))[1]
    litellm_own = litellm.split(rows_of(value_at(data, litellm.path)))[1]
    chosen, other = router, litellm
    if litellm_own and router_own:
        line = line_number(layout.text.body, begin(litellm.key))
        chosen = router._replace(refusal=refusal("two_fallbacks", line))
    elif litellm_own or not (router_own or router.region or _is_named(router)):
        moves = bool(litellm_own) or _is_named(litellm)
        chosen, other = (litellm, router) if moves else (router, litellm)
    return layout._replace(fallbacks=chosen, leaving=other if other.region else None)


def _is_named(section: Section) -> bool:
    return not section.missing and section.key is not None


def _document(raw: bytes, data: dict[str, Any], layout: Layout) -> ConfigDocument:
    body = layout.text.body
    between, own = layout.models.split(rows_of(value_at(data, MODELS)))
    managed_aliases, own_aliases = _split_aliases(data, layout)
    section, managed_fallbacks, own_fallbacks = _fallbacks(data, layout)
    faults = _faults(layout, between, managed_aliases, managed_fallbacks)
    layout = layout._replace(faults={**layout.faults, **faults})
    begins = _member_begins(body, layout.models)
    strays = tuple(
        StrayEntry(str(entry.get("model_name")), line_number(body, begins[index]))
        for index, entry in zip(own_indexes(layout), own, strict=False)
        if is_managed(entry)
    )
    return ConfigDocument(
        raw=raw,
        data=data,
        managed=Blocks(
            tuple(entry for entry in between if is_managed(entry) and not fault_of(entry)),
            {name: row for name, row in managed_aliases.items() if _is_alias(name, row)},
            tuple(row for row in managed_fallbacks if _is_fallback(row)),
        ),
        own_models=tuple(own),
        own_aliases=own_aliases,
        own_fallbacks=tuple(own_fallbacks),
        fallbacks_section=section,
        strays=strays,
        refusal=_refusal(layout, strays),
        layout=layout,
    )


def _faults(
    layout: Layout, models: list[Any], aliases: dict[Any, Any], fallbacks: list[Any]
) -> dict[Kind, ConfigRefused]:
    """The first row of each kind that stands between our markers and is no whole one of ours."""
    details: dict[Kind, list[str]] = {
        "models": [fault_of(entry) if is_managed(entry) else "foreign" for entry in models],
        "aliases": ["" if _is_alias(*row) else "it names no model" for row in aliases.items()],
        "fallbacks": ["" if _is_fallback(row) else "no name with its list" for row in fallbacks],
    }
    found: dict[Kind, ConfigRefused] = {}
    for kind, told in details.items():
        index = next((index for index, detail in enumerate(told) if detail), None)
        if index is not None:
            reason = "foreign_entry" if told[index] == "foreign" else "odd_row"
            line = _line_between(layout, kind, index)
            found[kind] = refusal(reason, line, kind=kind, detail=told[index])
    return found


def fault_of(entry: Entry) -> str:
    """What an entry of ours lacks to be one; "" where it is whole."""
    name, params = entry.get("model_name"), entry.get("litellm_params")
    if not isinstance(name, str) or not name:
        return "it has no model_name"
    if not isinstance(params, dict) or not isinstance(params.get("model"), str):
        return "its litellm_params name no model"
    return ""


def _is_alias(name: object, row: object) -> bool:
    return isinstance(name, str) and alias_target(row) is not None


def _is_fallback(row: object) -> bool:
    if not isinstance(row, dict) or len(row) != 1:
        return False
    ((name, targets),) = row.items()
    named = isinstance(name, str) and isinstance(targets, list)
    return named and all(isinstance(target, str) for target in targets)


def _line_between(layout: Layout, kind: Kind, index: int) -> int | None:
    """The line of one of the members between our markers; None where two sections hold them."""
    section = layout.section(kind)
    if section.region is None or (layout.leaving and kind == "fallbacks"):
        return None
    begins = _member_begins(layout.text.body, section)
    return line_number(layout.text.body, begins[section.region.first + index])


def _refusal(layout: Layout, strays: tuple[StrayEntry, ...]) -> ConfigRefused | None:
    """What speaks against any edit before `adopt`: the markers first, then lost entries."""
    for fault in layout.faults.values():
        return fault
    return refusal("stray_entries", strays[0].line, name=strays[0].model_name) if strays else None


def own_indexes(layout: Layout) -> list[int]:
    """The places in model_list of the entries that are not between our markers."""
    node = layout.models.node
    return layout.models.split(range(len(node.value) if node is not None else 0))[1]


def lines_of_own_models(document: ConfigDocument) -> list[int]:
    """The 1-based line each item of `document.own_models` begins on."""
    layout = document.layout
    if layout is None or layout.models.node is None:
        return [1] * len(document.own_models)
    begins = member_begins(layout.text.body, layout.models.node)
    return [line_number(layout.text.body, begins[index]) for index in own_indexes(layout)]


def _member_begins(body: str, section: Section) -> list[int]:
    return member_begins(body, section.node) if section.node is not None else []


def _split_aliases(data: dict[str, Any], layout: Layout) -> tuple[dict[str, Any], dict[str, Any]]:
    """(ours, the user's own) aliases; a name may be in both, then LiteLLM takes the last."""
    section = layout.aliases
    if section.region is None or section.node is None:
        return {}, mapping(value_at(data, ALIASES)) if section.region is None else {}
    ours, own = section.split(section.node.value)
    return _mapping(layout, ours), _mapping(layout, own)


def _mapping(layout: Layout, pairs: list[Any]) -> dict[str, Any]:
    node = yaml.MappingNode("tag:yaml.org,2002:map", pairs)
    value: dict[str, Any] = layout.loaded.construct(node)
    return value


def _fallbacks(
    data: dict[str, Any], layout: Layout
) -> tuple[FallbacksSection | None, list[Any], list[Any]]:
    """Where the user's fallbacks are, ours, and the ones of theirs that LiteLLM uses."""
    ours: list[Any] = []
    own: dict[tuple[str, ...], list[Any]] = {}
    for path in (ROUTER_FALLBACKS, LITELLM_FALLBACKS):
        held = [s for s in (layout.fallbacks, layout.leaving) if s and s.path == path]
        members = rows_of(value_at(data, path))
        between, own[path] = held[0].split(members) if held else ([], members)
        ours += between
    router, litellm = own[ROUTER_FALLBACKS], own[LITELLM_FALLBACKS]
    section: FallbacksSection | None = "router_settings" if router else None
    if litellm:
        section = "both" if router else "litellm_settings"
    return section, ours, router or litellm
