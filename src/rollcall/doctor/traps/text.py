"""Traps of the text itself: it does not load, is empty, or says a key twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from rollcall.config_document.text import line_number
from rollcall.doctor.findings import Finding
from rollcall.doctor.traps.site import Site

MERGE = "tag:yaml.org,2002:merge"


def text_traps(site: Site) -> Iterator[Finding]:
    """Why LiteLLM could not load it, and the keys of which only the last one counts."""
    body, root, value, refused = site.reading
    if refused is not None:
        reason = refused.what.partition(": ")[2] or refused.what
        what = f"LiteLLM does not start, the file does not load: {reason}"
        yield site.error("does_not_load", what, refused.line, refused.hint)
        return
    if not value:
        what = "It is empty: LiteLLM does not start."
        yield site.error("empty", what, None, "Run `rollcall apply`, or write `model_list: []`.")
    elif not isinstance(value, dict):
        what = "Its top level is a list or a text: LiteLLM does not start."
        yield site.error("no_mapping", what, 1, "Begin it with a key such as `model_list:`.")
    else:
        yield from _duplicate_keys(site, body, root)


def _duplicate_keys(site: Site, body: str, root: Any) -> Iterator[Finding]:
    for mapping in _mappings(root):
        first: dict[tuple[str, str], int] = {}
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            line = line_number(body, key.start_mark.index)
            name = (key.tag, key.value)
            if name in first:
                what = f"`{key.value}` stands on line {first[name]} already; the last one counts."
                yield site.error("duplicate_key", what, line, "Join the two, or delete one.")
            first.setdefault(name, line)


def _mappings(root: Any) -> Iterator[Any]:
    """Every mapping node of the tree, in file order; shared ones once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode) or node is None:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            members = [value for _, value in node.value]
        else:
            members = list(node.value)
        waiting.extend(reversed(members))
