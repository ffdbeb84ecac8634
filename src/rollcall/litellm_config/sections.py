"""Where our sections and marker lines stand in the text, or where they could.

A marker is known by its first words, so that the rest of its sentence may change one day.

A section is found once, by walking its path from the root; what speaks against editing it is kept
as its refusal, because nobody minds as long as nothing has to be written there.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import yaml

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.nodes import (
    begin,
    has_between,
    keyed,
    member_begins,
    member_end,
    merge_key,
)
from rollcall.litellm_config.refusals import refusal
from rollcall.litellm_config.text import (
    ConfigText,
    LoadedYaml,
    decode,
    line_end,
    line_number,
    line_start,
)

Kind = Literal["models", "aliases", "fallbacks"]
_T = TypeVar("_T")
KINDS: tuple[Kind, ...] = ("models", "aliases", "fallbacks")

_MARKER = re.compile(
    r"#[ \t]*(>>>|<<<) rollcall: managed (models|aliases|fallbacks)\b[^\n]*$", re.MULTILINE
)


class Marker(NamedTuple):
    """One marker: [start, end) is its line with the line end.

    `inline` is one that a formatter moved behind something else; then it is the comment alone.
    """

    kind: Kind
    opens: bool
    start: int
    end: int
    inline: bool = False


def marker_lines(kind: Kind) -> tuple[str, str]:
    """The two lines around the managed `kind`."""
    return (
        f"# >>> rollcall: managed {kind}, written from policy.yaml >>>",
        f"# <<< rollcall: managed {kind} <<<",
    )


def find_markers(body: str) -> list[Marker]:
    """All markers, in file order; whether they are comments is not yet known."""
    if "rollcall: managed" not in body:
        return []
    found = (_marker(body, match) for match in _MARKER.finditer(body))
    return [marker for marker in found if marker]


def _marker(body: str, found: re.Match[str]) -> Marker | None:
    """The marker of a match, unless it is only spoken of in a longer comment or word."""
    start = line_start(body, found.start())
    before = body[start : found.start()]
    kind = next(kind for kind in KINDS if kind == found[2])
    opens = found[1] == ">>>"
    if not before.strip():
        return Marker(kind, opens, start, line_end(body, found.end()))
    if before.lstrip().startswith("#") or not before[-1].isspace():
        return None
    end = found.end() - body[found.start() : found.end()].endswith("\r")
    return Marker(kind, opens, start + len(before.rstrip()), end, inline=True)


def pair(body: str, kind: Kind, markers: list[Marker]) -> tuple[Marker, Marker] | None:
    """The pair around the managed `kind`; None where there is no marker of it.

    Raises:
        ConfigRefused: half a pair, two pairs, an end before its start, or not on their own lines.
    """
    ours = [marker for marker in markers if marker.kind == kind]
    if not ours:
        return None
    if [marker.opens for marker in ours] != [True, False]:
        raise _unpaired(body, kind, ours)
    for marker in ours:
        if marker.inline:
            raise refusal("marker_inline", line_number(body, marker.start), kind=kind)
    return ours[0], ours[1]


def _unpaired(body: str, kind: Kind, ours: list[Marker]) -> ConfigRefused:
    expect_open = True
    for marker, following in zip(ours, [*ours[1:], None], strict=True):
        line = line_number(body, marker.start)
        if marker.opens != expect_open:
            return refusal("marker_unpaired", line, kind=kind, side="end")
        if marker.opens and (following is None or following.opens):
            return refusal("marker_unpaired", line, kind=kind, side="start")
        expect_open = not expect_open
    line = line_number(body, ours[2].start)
    return refusal("marker_repeated", line, kind=kind)


def managed_text(raw: bytes) -> str:
    """Our own lines, markers included, with LF line ends: to tell whether somebody edited them.

    Not to be shown: somebody may have typed a key into them. "" where a marker lacks its half.
    """
    try:
        body = decode(raw).body
        markers = find_markers(body)
        pairs = [found for kind in KINDS if (found := pair(body, kind, markers))]
    except ConfigRefused:
        return ""
    pairs.sort(key=lambda found: found[0].start)
    lines = [body[opening.start : closing.end] for opening, closing in pairs]
    return "".join(lines).replace("\r\n", "\n")


MODELS = ("model_list",)
ALIASES = ("router_settings", "model_group_alias")
ROUTER_FALLBACKS = ("router_settings", "fallbacks")
LITELLM_FALLBACKS = ("litellm_settings", "fallbacks")

_NULL = "tag:yaml.org,2002:null"


class Hollow(NamedTuple):
    """A key whose value is null or empty: [start, end) is the value, nothing where it is unsaid."""

    start: int
    end: int


class Region(NamedTuple):
    """Our lines: [start, end) with both markers, and the members [first, last) between them."""

    start: int
    end: int
    first: int = 0
    last: int = 0


class Section(NamedTuple):
    """One section of ours in this text.

    Attributes:
        container: the deepest collection on the path; None in an empty file.
        missing: the keys that are not there yet, below `container` (below `hollow`, if set).
        key: the deepest key that is there.
        hollow: the value of `key`, when there is nothing in it.
        flow_root: the outermost flow collection on the path, if there is one.
        ceiling: where the lines that can belong to `key` end.
        refusal: why nothing can be written here.
        region: our lines, when there are some.
    """

    kind: Kind
    path: tuple[str, ...]
    container: Any = None
    missing: tuple[str, ...] = ()
    key: Any = None
    hollow: Hollow | None = None
    flow_root: Any = None
    ceiling: int = 0
    refusal: ConfigRefused | None = None
    region: Region | None = None

    @property
    def node(self) -> Any:
        """The section's own collection; None where it is missing or empty."""
        return None if self.missing or self.hollow or self.refusal else self.container

    def split(self, members: Iterable[_T]) -> tuple[list[_T], list[_T]]:
        """(ours, the user's own) of its members, in their order."""
        rows = list(members)
        first, last = (self.region.first, self.region.last) if self.region else (0, 0)
        return rows[first:last], rows[:first] + rows[last:]


class Layout(NamedTuple):
    """The places of one config.yaml.

    Attributes:
        fallbacks: the section fallbacks are written to.
        leaving: our fallbacks where they can no longer stay, because the user's own have begun
            in the other section.
        faults: what is wrong with the markers, kind by kind; ours are then unread.
    """

    text: ConfigText
    loaded: LoadedYaml
    markers: tuple[Marker, ...]
    models: Section
    aliases: Section
    fallbacks: Section
    leaving: Section | None = None
    faults: Mapping[Kind, ConfigRefused] = {}

    def section(self, kind: Kind) -> Section:
        """The section of a kind."""
        found: Section = getattr(self, kind)
        return found


def find_section(body: str, root: Any, kind: Kind, path: tuple[str, ...]) -> Section:
    """Walk `path` from the root as far as it goes."""
    flow_root = root if root is not None and root.flow_style else None
    here = Section(kind, path, root, path, flow_root=flow_root, ceiling=len(body))
    for depth, name in enumerate(path):
        if here.container is None:
            return here
        found = keyed(here.container, name)
        if not found:
            return _unless_merged(body, here, name)
        if len(found) > 1:
            line = line_number(body, begin(found[1][0]))
            return here._replace(refusal=refusal("duplicate_key", line, key=name))
        here = _step(body, here, found[0], path[depth + 1 :])
        if here.hollow or here.refusal:
            return here
    return here


def _unless_merged(body: str, here: Section, name: str) -> Section:
    if (merge := merge_key(here.container)) is None:
        return here
    return here._replace(refusal=refusal("merge_key", line_number(body, begin(merge)), key=name))


def _step(body: str, here: Section, found: Any, below: tuple[str, ...]) -> Section:
    """One key further down."""
    key, value, index = found
    parent = here.container
    ceiling = here.ceiling
    if parent.flow_style:
        ceiling = int(parent.end_mark.index)
    if index + 1 < len(parent.value):
        ceiling = begin(parent.value[index + 1][0])
    there = here._replace(missing=below, key=key, ceiling=ceiling)
    line = line_number(body, begin(key))
    if begin(value) < int(key.end_mark.index):
        return there._replace(refusal=refusal("alias", line, key=key.value))
    is_list = not below and here.kind != "aliases"
    wanted = yaml.SequenceNode if is_list else yaml.MappingNode
    if _is_empty(value):
        if isinstance(value, wanted) and (parent.flow_style or "\n" in _span(body, value)):
            return _entered(there, value)
        return _hollow(body, there, value)
    if not isinstance(value, wanted):
        expected = "list" if is_list else "mapping"
        wrong = refusal("wrong_type", line, key=key.value, expected=expected)
        return there._replace(refusal=wrong)
    return _entered(there, value)


def _entered(there: Section, value: Any) -> Section:
    outermost = there.flow_root or (value if value.flow_style else None)
    return there._replace(container=value, flow_root=outermost)


def _span(body: str, node: yaml.Node) -> str:
    return body[begin(node) : int(node.end_mark.index)]


def _is_empty(value: yaml.Node) -> bool:
    return value.tag == _NULL if isinstance(value, yaml.ScalarNode) else not value.value


def _hollow(body: str, there: Section, value: yaml.Node) -> Section:
    start, end = begin(value), int(value.end_mark.index)
    plain = body[start:end] in ("", "~") or body[start : start + 1] in ("n", "N", "[", "{")
    if not plain or "\n" in body[start:end]:
        line = line_number(body, start)
        return there._replace(refusal=refusal("no_place", line, key=there.key.value))
    return there._replace(hollow=Hollow(start, end))


def with_region(body: str, section: Section, markers: tuple[Marker, Marker]) -> Section:
    """The section with our lines found in it.

    Raises:
        ConfigRefused: the markers are elsewhere, or cut through an entry.
    """
    opening, closing = markers
    region = Region(opening.start, closing.end)
    key = section.key
    inside = (
        not section.missing
        and key is not None
        and int(key.end_mark.index) <= opening.start
        and closing.end <= section.ceiling
    )
    if inside and section.node is not None:
        first, last = _members_between(body, section.node, opening, closing)
        inside = first >= 0
        region = region._replace(first=first, last=last)
    if not inside:
        line = line_number(body, opening.start)
        raise refusal("marker_misplaced", line, kind=section.kind, key=section.path[-1])
    return section._replace(region=region)


def _members_between(body: str, node: Any, opening: Marker, closing: Marker) -> tuple[int, int]:
    """The members [first, last) between the markers; (-1, -1) where a member is cut through."""
    begins = member_begins(body, node)
    first = bisect_left(begins, opening.start)
    last = bisect_left(begins, closing.start)
    whole = (
        begin(node) < opening.start or not node.flow_style,
        first == 0 or member_end(body, node, first - 1) <= opening.start,
        last == first or member_end(body, node, last - 1) <= closing.start,
        _dash_between(body, node, opening.end, begins[first : first + 1]),
        _dash_between(body, node, closing.end, begins[last : last + 1]),
        not node.flow_style or closing.end <= int(node.end_mark.index),
    )
    return (first, last) if all(whole) else (-1, -1)


def _dash_between(body: str, node: Any, start: int, begins: list[int]) -> bool:
    """Whether an item's dash follows `start`: it may stand on a line above its content."""
    if not begins or node.flow_style or isinstance(node, yaml.MappingNode):
        return True
    return has_between("-", body, start, begins[0])
