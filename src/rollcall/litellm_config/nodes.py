"""Where the parts of a YAML node tree begin and really end, as offsets into the text.

PyYAML's marks need care: a block collection "ends" at the next token, often beyond the next
section's comments, and an alias carries the marks of its anchor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.text import LoadedYaml, decode, line_number

if TYPE_CHECKING:
    from rollcall.yaml_reading import Place

_ALIAS = re.compile(r"(?:[\s:,?\-]|#[^\n]*|[&!][^\s,\[\]{}]*)*\*[^\s,\[\]{}]+")
_TO_CONTENT = re.compile(r"(?:[&!][^\s,\[\]{}]*|\s|#[^\n]*)*")
_COMMENT = re.compile(r"(?:(?<=\s)|\A)#[^\n]*")


class Tail(NamedTuple):
    """Where a node ends, and the block scalar (`|`, `>`) it ends in, if it does."""

    end: int
    block_scalar: yaml.ScalarNode | None = None


def begin(node: yaml.Node) -> int:
    """The node's first character, its anchor or tag included."""
    return int(node.start_mark.index)


def tail(body: str, node: yaml.Node, floor: int) -> Tail:
    """Where `node` ends in the text. `floor` is the earliest it can begin: an alias is told by it.

    It is the end of the deepest last node; comments after that are not part of it.
    """
    while True:
        if begin(node) < floor:
            return Tail(_alias_end(body, floor))
        end = int(node.end_mark.index)
        if isinstance(node, yaml.ScalarNode):
            return Tail(end, node if node.style in ("|", ">") else None)
        if not isinstance(node, yaml.CollectionNode) or not node.value:
            return Tail(end)
        if node.flow_style and body[content_begin(body, node)] in "[{":
            return Tail(end)  # the end of a bare pair in a list, [a: b], is the next token instead
        if isinstance(node, yaml.MappingNode):
            key, last = node.value[-1]
            floor = int(key.end_mark.index)
        else:
            last = node.value[-1]
            floor = _last_item_floor(body, node)
        node = last


def _last_item_floor(body: str, node: Any) -> int:
    aliases = _alias_flags(node)
    if not aliases[-1]:
        return begin(node.value[-1])
    return _item_tail(body, node, len(aliases) - 2, aliases).end


def _alias_flags(node: Any) -> list[bool]:
    """Which items of a sequence are aliases: their marks lie before the item ahead of them."""
    flags = []
    highest = begin(node) - 1
    for item in node.value:
        position = begin(item)
        flags.append(position <= highest)
        highest = max(highest, position)
    return flags


def _item_tail(body: str, node: Any, index: int, aliases: list[bool]) -> Tail:
    base = index
    while base >= 0 and aliases[base]:
        base -= 1
    found = Tail(begin(node))
    if base >= 0:
        found = tail(body, node.value[base], begin(node.value[base]))
    for _ in range(index - base):
        found = Tail(_alias_end(body, found.end))
    return found


def _alias_end(body: str, floor: int) -> int:
    found = _ALIAS.match(body, floor)
    return found.end() if found else floor


def member_begins(body: str, node: Any) -> list[int]:
    """Where each item's content, or each key, begins."""
    if isinstance(node, yaml.MappingNode):
        return [begin(key) for key, _ in node.value]
    aliases = _alias_flags(node)
    return [
        body.rfind("*", 0, _item_tail(body, node, index, aliases).end) if alias else begin(item)
        for index, (item, alias) in enumerate(zip(node.value, aliases, strict=True))
    ]


def member_tails(body: str, node: Any, indexes: Iterable[int]) -> list[Tail]:
    """Where these items or pairs end."""
    if isinstance(node, yaml.MappingNode):
        pairs = (node.value[index] for index in indexes)
        return [tail(body, value, int(key.end_mark.index)) for key, value in pairs]
    aliases = _alias_flags(node)
    return [_item_tail(body, node, index, aliases) for index in indexes]


def member_end(body: str, node: Any, index: int) -> int:
    """Where item or pair `index` ends."""
    return member_tails(body, node, [index])[0].end


def content_begin(body: str, node: yaml.Node) -> int:
    """The node's first character after its anchor and tag."""
    position = begin(node)
    if body[position : position + 1] not in ("&", "!"):
        return position
    found = _TO_CONTENT.match(body, position)
    return found.end() if found else position


def column(body: str, node: Any) -> int:
    """The column of a block collection: of its dashes, or of its keys."""
    position = content_begin(body, node)
    return position - (body.rfind("\n", 0, position) + 1)


def has_between(sign: str, body: str, start: int, end: int) -> bool:
    """Whether a sign, a comma or a dash, stands in the text between two members, comments aside."""
    return sign in _COMMENT.sub("", body[start:end])


def scalar_at(node: yaml.Node | None, offset: int) -> yaml.ScalarNode | None:
    """The scalar `offset` lies in, if it lies in one."""
    if node is None or not begin(node) <= offset < int(node.end_mark.index):
        return None
    if isinstance(node, yaml.ScalarNode):
        return node
    members = node.value
    if isinstance(node, yaml.MappingNode):
        members = [part for pair in members for part in pair]
    for member in members:
        if begin(member) <= offset < int(member.end_mark.index):
            found = scalar_at(member, offset)
            if found is not None:
                return found
    return None


def keyed(node: Any, name: str) -> list[tuple[yaml.Node, yaml.Node, int]]:
    """The (key, value, index) pairs of a mapping whose key is `name`; duplicates included."""
    return [
        (key, value, index)
        for index, (key, value) in enumerate(node.value)
        if isinstance(key, yaml.ScalarNode)
        and key.value == name
        and key.tag == "tag:yaml.org,2002:str"
    ]


def merge_key(node: Any) -> yaml.Node | None:
    """The merge key `<<` of a mapping, if it has one."""
    return next((key for key, _ in node.value if key.tag == "tag:yaml.org,2002:merge"), None)


def lines_of(raw: bytes, paths: Sequence[Place]) -> list[int | None]:
    """The 1-based lines of keys and list items, e.g. of ``("router_settings", "fallbacks", 0)``.

    None where there is no such place, or no YAML to find it in.
    """
    if not paths:
        return []
    try:
        loaded = LoadedYaml(decode(raw).body)
    except ConfigRefused:
        return [None] * len(paths)
    found = [lines_to(loaded.body, loaded.root, path) for path in paths]
    return [
        [1, *lines][-1] if len(lines) == len(path) else None
        for lines, path in zip(found, paths, strict=True)
    ]


def lines_to(body: str, node: Any, path: Place) -> list[int]:
    """The 1-based line of each step of a path, as far as it exists; of several keys of a name that
    of the last.
    """
    aliased = "&" in body and "*" in body
    found = []
    for step in path:
        if isinstance(step, int):
            if not isinstance(node, yaml.SequenceNode) or not -1 < step < len(node.value):
                break
            offset = member_begins(body, node)[step] if aliased else begin(node.value[step])
            node = node.value[step]
        else:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            named = [pair for pair in pairs if pair[0].value == step]
            if not named:
                break
            offset, node = begin(named[-1][0]), named[-1][1]
        found.append(line_number(body, offset))
    return found
