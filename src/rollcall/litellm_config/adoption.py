"""Makes hand-written entries managed ones (`adopt`), and managed ones the user's own (`eject`), in
the text of config.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import (
    MANAGED_BY,
    Blocks,
    ConfigDocument,
    Entry,
    fault_of,
    is_managed,
    own_indexes,
)
from rollcall.litellm_config.nodes import begin, column, keyed, member_begins
from rollcall.litellm_config.refusals import refusal
from rollcall.litellm_config.splice import cut, cut_members
from rollcall.litellm_config.text import Edit, collector_paused, line_number
from rollcall.litellm_config.writing import (
    check_read_back,
    edited,
    layout_of,
    same_data,
    with_blocks,
)
from rollcall.secrets import is_written_out


def unadoptable(document: ConfigDocument, index: int) -> str | None:
    """What item `index` of `own_models` would lose with its own lines; None = nothing.

    A comment inside it, an anchor others use or one it uses, a place it cannot be cut out of.
    """
    layout = layout_of(document)
    body, place = layout.text.body, own_indexes(layout)[index]
    try:
        (cutting,) = cut_members(body, layout.models.node, [place])
    except ConfigRefused:
        return "it stands where it cannot be cut out"
    text = _without_scalars(body, layout.models.node.value[place], cutting)
    margin = column(body, layout.models.node)
    behind = re.compile(rf"(?:[ \t]*\r?\n)*[ ]{{{margin + 1},}}#").match(body, cutting.end)
    if behind or re.search(r"(?:\s|\A)#", text):
        return "it holds a comment"
    if re.search(r"(?<![^\s,\[{:])[&*][^\s]|<<", text):
        return "it uses a YAML anchor"
    return None


def _without_scalars(body: str, item: yaml.Node, cutting: Edit) -> str:
    """The text that is cut out with an entry, each scalar blanked: syntax and comments are left."""
    text = list(body[cutting.start : cutting.end])
    waiting = [item]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            start, end = int(node.start_mark.index), int(node.end_mark.index)
            start += body[start : start + 1] == "&"
            span = range(max(start, cutting.start), min(end, cutting.end))
            for at in span:
                text[at - cutting.start] = "_"
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    return "".join(text)


@collector_paused()
def adopt(
    document: ConfigDocument,
    entries: Mapping[int, Entry],
    *,
    aliases: frozenset[str] = frozenset(),
) -> bytes:
    """Put managed entries in place of hand-written ones, and take stray ones back as they are;
    every other byte stays. They stand behind the present managed entries, in the file's order.

    Markers that were half deleted, repeated or moved are put right by it.

    Args:
        entries: index in `document.own_models` -> the managed entry that takes its place.
        aliases: hand-written aliases to take over as they are.

    Raises:
        ConfigRefused: an entry shares an anchor, holds a literal secret, or stands where it cannot
            be cut out.
    """
    healed = _without_faulty_markers(document)
    base = _without_flow_blocks(healed)
    places = own_indexes(layout_of(base))
    taken = {
        place: entries.get(index, entry)
        for index, (place, entry) in enumerate(zip(places, base.own_models, strict=False))
        if index in entries or is_managed(entry)
    }
    taken_aliases = {name: value for name, value in base.own_aliases.items() if name in aliases}
    if not taken and not taken_aliases:
        return healed.raw
    _refuse_unfit(base, list(taken))
    bare = _cut_out(base, list(taken), taken_aliases)
    _check_left_behind(base, bare, list(taken), taken_aliases)
    held = healed.managed
    return with_blocks(
        bare,
        Blocks(
            (*held.models, *map(_as_managed, taken.values())),
            {**held.aliases, **taken_aliases},
            held.fallbacks,
        ),
    )


def _without_faulty_markers(document: ConfigDocument) -> ConfigDocument:
    layout = layout_of(document)
    for fault in layout.faults.values():
        if fault.reason == "odd_row":
            raise fault
    cuts = [Edit(row.start, row.end) for row in layout.markers if row.kind in layout.faults]
    return edited(document, cuts) if cuts else document


def _without_flow_blocks(document: ConfigDocument) -> ConfigDocument:
    """Take our rows out of flow collections: their commas depend on what stands around them."""
    layout = layout_of(document)
    edits: list[Edit] = []
    for section in (layout.models, layout.aliases):
        if section.region and section.node is not None and section.node.flow_style:
            edits += cut(layout.text.body, section)
    return edited(document, edits) if edits else document


def _members(document: ConfigDocument, indexes: Sequence[int]) -> list[Entry]:
    entries = document.data.get("model_list") or []
    return [entries[index] for index in indexes]


def _as_managed(entry: Entry) -> Entry:
    return {**entry, "model_info": {**(entry.get("model_info") or {}), "managed_by": MANAGED_BY}}


def _refuse_unfit(document: ConfigDocument, indexes: Sequence[int]) -> None:
    """Refuse what cannot stand between our markers."""
    layout = layout_of(document)
    begins = member_begins(layout.text.body, layout.models.node) if indexes else []
    for index, entry in zip(indexes, _members(document, indexes), strict=True):
        line = line_number(layout.text.body, begins[index])
        if detail := fault_of(entry):
            raise refusal("odd_row", line, kind="models", detail=detail)
        if key := _literal_secret(entry.get("litellm_params")):
            raise refusal("literal_key", line, name=entry["model_name"], key=key)


def _literal_secret(value: Any) -> str | None:
    """The first key whose value looks like a secret written out."""
    if isinstance(value, list):
        return next((found for item in value if (found := _literal_secret(item))), None)
    for key, item in value.items() if isinstance(value, dict) else ():
        if item and is_written_out(key, item):
            return str(key)
        found = _literal_secret(item)
        if found:
            return found
    return None


def _cut_out(
    document: ConfigDocument, indexes: Sequence[int], aliases: dict[str, Any]
) -> ConfigDocument:
    """The document without these hand-written entries and aliases."""
    layout = layout_of(document)
    body = layout.text.body
    edits = cut_members(body, layout.models.node, indexes) if indexes else []
    if aliases and layout.aliases.node is None:
        raise layout.aliases.refusal or refusal("no_place", key="model_group_alias")
    if aliases:
        own = layout.aliases.split(enumerate(layout.aliases.node.value))[1]
        chosen = [index for index, (key, _) in own if key.value in aliases]
        edits += cut_members(body, layout.aliases.node, chosen)
    try:
        return edited(document, edits)
    except ConfigRefused:
        names = [str(entry.get("model_name")) for entry in _members(document, indexes)]
        anchored = [edit for edit in edits if re.search(r"(?<!\S)&", body[edit.start : edit.end])]
        if not anchored:
            raise
        line = line_number(body, anchored[0].start)
        raise refusal("shared_anchor", line, name=", ".join(names)) from None


def _check_left_behind(
    old: ConfigDocument, new: ConfigDocument, indexes: Sequence[int], aliases: dict[str, Any]
) -> None:
    """Compare what is left with the old document less what was taken."""
    outside, gone = own_indexes(layout_of(old)), set(indexes)
    own = zip(outside, old.own_models, strict=False)
    kept = [entry for index, entry in own if index not in gone]
    kept_aliases = {key: value for key, value in old.own_aliases.items() if key not in aliases}
    expected = old._replace(own_models=tuple(kept), own_aliases=kept_aliases)
    check_read_back(expected, new, old.managed)


@collector_paused()
def eject(document: ConfigDocument, *, remove: bool = False) -> bytes:
    """Give the managed entries up: leave them as ordinary ones (no markers, no `managed_by`), or
    with `remove` take them out; every other byte stays.

    Left as ordinary ones, entries whose markers were lost are given up too.

    Raises:
        ConfigRefused: with `remove`, what `with_blocks` refuses; else the read-back disagrees.
    """
    if remove:
        return with_blocks(document, Blocks())
    layout = layout_of(document)
    edits = [Edit(marker.start, marker.end) for marker in layout.markers]
    entries = document.data.get("model_list")
    ours = [index for index, entry in enumerate(entries or []) if is_managed(entry)]
    for index in ours:
        edits += _unsigned(layout.text.body, layout.models.node.value[index])
    if not edits:
        return document.raw
    new = edited(document, edits)
    expected = {**document.data, "model_list": [_ordinary(entry) for entry in entries or []]}
    if not entries:
        expected = document.data
    if not same_data(new.data, expected) or new.refusal or new.managed != Blocks():
        raise refusal("read_back", detail="entries would not be as they were")
    return new.raw


def _ordinary(entry: Any) -> Any:
    if not is_managed(entry):
        return entry
    info = {key: value for key, value in entry["model_info"].items() if key != "managed_by"}
    return {**entry, "model_info": info}


def _unsigned(body: str, item: yaml.Node) -> list[Edit]:
    """The edits that take `managed_by` out of one entry's lines."""
    infos = keyed(item, "model_info") if isinstance(item, yaml.MappingNode) else []
    info: Any = infos[-1][1] if infos else None
    signed = keyed(info, "managed_by") if isinstance(info, yaml.MappingNode) else []
    if not signed:
        raise refusal("shared_anchor", line_number(body, begin(item)), name="managed_by")
    edits = cut_members(body, info, [index for _, _, index in signed])
    if len(signed) == len(info.value) and not info.flow_style:
        colon = body.index(":", int(infos[-1][0].end_mark.index)) + 1
        edits.append(Edit(colon, colon, " {}"))
    return edits
