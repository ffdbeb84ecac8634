"""The new text of config.yaml: our blocks put in, and the result read back and compared."""

from __future__ import annotations

from typing import Any

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import Blocks, ConfigDocument, parse
from rollcall.litellm_config.refusals import refusal
from rollcall.litellm_config.sections import KINDS, Kind, Layout, Section
from rollcall.litellm_config.splice import cut, filled, overwritten
from rollcall.litellm_config.text import Edit, apply_edits, collector_paused

_OURS = {"router_settings": ("model_group_alias", "fallbacks"), "litellm_settings": ("fallbacks",)}


def same_data(left: Any, right: Any) -> bool:
    """Whether two loaded values are the same to LiteLLM: type by type, in the same order.

    Stricter than ``==``, where 1, 1.0 and True are equal and NaN is not itself; the order of a
    mapping's keys counts for nothing. Shared parts, as anchors make them, are compared once.
    """
    return _same(left, right, set())


def _same(left: Any, right: Any, seen: set[tuple[int, int]]) -> bool:
    if left is right:
        return True
    if isinstance(left, str) or isinstance(right, str):
        return bool(left == right)
    if isinstance(left, dict) and isinstance(right, dict):
        if len(left) != len(right) or (id(left), id(right)) in seen:
            return len(left) == len(right)
        seen.add((id(left), id(right)))
        return all(key in right and _same(value, right[key], seen) for key, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right) or (id(left), id(right)) in seen:
            return len(left) == len(right)
        seen.add((id(left), id(right)))
        return all(_same(one, other, seen) for one, other in zip(left, right, strict=True))
    return type(left) is type(right) and bool(left == right or (left != left and right != right))


def check_read_back(
    old: ConfigDocument, new: ConfigDocument, blocks: Blocks, *, replaced: bool = False
) -> None:
    """Compare the new document with the old one and the blocks it was to get.

    Raises:
        ConfigRefused: anything differs; `detail` says what.
    """
    kept_models = () if replaced else old.own_models
    kept_aliases = {} if replaced else old.own_aliases
    holds = {
        "the markers": new.refusal is None,
        "the managed models": same_data(new.managed.models, blocks.models),
        "the managed aliases": same_data(new.managed.aliases, blocks.aliases)
        and list(new.managed.aliases) == list(blocks.aliases),
        "the managed fallbacks": same_data(new.managed.fallbacks, blocks.fallbacks),
        "hand-written models": same_data(new.own_models, kept_models),
        "hand-written aliases": same_data(new.own_aliases, kept_aliases),
        "hand-written fallbacks": same_data(new.own_fallbacks, old.own_fallbacks)
        and new.fallbacks_section == old.fallbacks_section,
        "another section": same_data(rest_of(new.data), rest_of(old.data)),
    }
    wrong = next((name for name, same in holds.items() if not same), None)
    if wrong:
        raise refusal("read_back", detail=f"{wrong} would differ")


def rest_of(data: dict[str, Any]) -> dict[str, Any]:
    """The data without our three places; a section that is empty without them is left out."""
    rest = {key: value for key, value in data.items() if key != "model_list"}
    for section, keys in _OURS.items():
        value = rest.get(section)
        if isinstance(value, dict):
            value = {key: item for key, item in value.items() if key not in keys}
            rest[section] = value
        if section in rest and not value:
            del rest[section]
    return rest


_MOST_PASSES = 4
"""Sections that have to be created in one place are written one after the other."""


@collector_paused()
def with_blocks(document: ConfigDocument, blocks: Blocks, *, replace: bool = False) -> bytes:
    """The file with `blocks` between our markers, every other byte as it was.

    Equal data gives the very same bytes back. The result has been read back as LiteLLM reads it
    and compared with old data plus `blocks`. With `replace` the whole model_list and alias map
    become ours (`model_list: replace`).

    Raises:
        ConfigRefused: there is no safe place, or the read-back disagrees.
    """
    if document.refusal:
        raise document.refusal
    blocks = plain_blocks(blocks)
    current = document
    for _ in range(_MOST_PASSES):
        edits = _edits(current, blocks, replace=replace)
        if not edits:
            break
        current = edited(current, edits)
    if current is document:
        return document.raw
    check_read_back(document, current, blocks, replaced=replace)
    return current.raw


def layout_of(document: ConfigDocument) -> Layout:
    """The places in a document, also of one that was put together by hand."""
    layout = document.layout or parse(document.raw).layout
    assert layout is not None
    return layout


def edited(document: ConfigDocument, edits: list[Edit]) -> ConfigDocument:
    """The document after `edits`, read as LiteLLM would read it.

    Raises:
        ConfigRefused: the new text would not load.
    """
    text = layout_of(document).text
    try:
        return parse(text.encode(apply_edits(text.body, text.newline, edits)))
    except ConfigRefused as error:
        raise refusal("read_back", detail=f"{error.reason} near line {error.line}") from error


def plain_blocks(blocks: Blocks) -> Blocks:
    """The blocks as they can stand in the file: LiteLLM does not start on `model_info: null`."""
    models = tuple(
        {key: value for key, value in entry.items() if key != "model_info" or value is not None}
        for entry in blocks.models
    )
    return Blocks(models, blocks.aliases, blocks.fallbacks)


def _edits(document: ConfigDocument, blocks: Blocks, *, replace: bool) -> list[Edit]:
    """The edits still needed; of two that create keys in one place, only the first, unless the
    second can simply go on below it: a pass less is a whole reading of the file less.
    """
    edits: list[Edit] = []
    taken: set[tuple[int, str]] = set()
    for kind in KINDS:
        if _is_settled(document, blocks, kind, replace=replace):
            continue
        section = layout_of(document).section(kind)
        site = _site(section)
        begun = site in taken
        if begun and not _goes_on_below(section):
            continue
        if site:
            taken.add(site)
        members = members_of(blocks, kind)
        edits += _section_edits(document, section, members, replace=replace, begun=begun)
    return edits


def members_of(blocks: Blocks, kind: Kind) -> Any:
    """The entries of one kind: a sequence, or the mapping of the aliases."""
    return getattr(blocks, kind)


def _is_settled(document: ConfigDocument, blocks: Blocks, kind: Kind, *, replace: bool) -> bool:
    layout = layout_of(document)
    held, wanted = members_of(document.managed, kind), members_of(blocks, kind)
    if kind == "fallbacks" and layout.leaving:
        return False
    if replace and (document.own_models if kind == "models" else document.own_aliases):
        return kind == "fallbacks" and same_data(held, wanted)
    in_order = kind != "aliases" or list(held) == list(wanted)
    return in_order and same_data(held, wanted)


def _site(section: Section) -> tuple[int, str] | None:
    """The place a section shares with others that write there too; None where it has its own."""
    if section.container is not None and section.container.flow_style:
        return id(section.container), ""
    if section.hollow and section.missing:
        return id(section.container), section.key.value
    if section.missing:
        return id(section.container), section.missing[0]
    return None


def _goes_on_below(section: Section) -> bool:
    """Whether all it needs is a new key in block style."""
    flow = section.container is not None and section.container.flow_style
    return bool(section.missing) and not flow and not section.hollow


def _section_edits(
    document: ConfigDocument, section: Section, members: Any, *, replace: bool, begun: bool
) -> list[Edit]:
    layout = layout_of(document)
    body, newline = layout.text.body, layout.text.newline
    edits: list[Edit] = []
    leaving = layout.leaving if section.kind == "fallbacks" else None
    if leaving:
        edits += cut(body, leaving)
    if section.refusal and (members or section.region):
        raise section.refusal
    try:
        if replace and section.kind != "fallbacks" and section.node is not None:
            edits += overwritten(body, newline, section, members)
        elif members:
            edits += filled(body, newline, section, members, begun=begun)
        elif section.region:
            edits += cut(body, section)
    except ValueError as error:
        raise refusal("unrenderable", name=f"the managed {section.kind}", detail=error) from None
    return edits
