"""Where a key or entry stands in config.yaml, for messages that name a line."""

from __future__ import annotations

from typing import Any

import yaml

from rollcall.config_document.loading import LoadedYaml
from rollcall.config_document.nodes import begin, member_begins
from rollcall.config_document.text import decode, line_number
from rollcall.errors import ConfigRefused


def locate(raw: bytes, path: tuple[str | int, ...]) -> int | None:
    """The 1-based line of a key or list item, e.g. ``("router_settings", "fallbacks", 0)``.

    None where there is no such place, or no YAML to find it in.
    """
    try:
        loaded = LoadedYaml(decode(raw).body)
    except ConfigRefused:
        return None
    node: Any = loaded.root
    offset = begin(node) if node is not None else 0
    for step in path:
        if isinstance(step, int):
            if not isinstance(node, yaml.SequenceNode) or not -1 < step < len(node.value):
                return None
            offset = member_begins(loaded.body, node)[step]
            node = node.value[step]
        else:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            found = [(key, value) for key, value in pairs if key.value == step]
            if not found:
                return None
            offset, node = begin(found[-1][0]), found[-1][1]
    return line_number(loaded.body, offset)
