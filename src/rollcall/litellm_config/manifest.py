"""A config that lives inside a Kubernetes manifest, as `config.yaml: |`: taken out, and put back.

Edited in place, as home-ops repositories, Argo CD and Flux keep it: the block scalar's indentation
and chomping stay, and so does every other byte. What was put back is read through both layers
before anybody gets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import yaml

from rollcall.litellm_config.effective import LITELLM_KEYS
from rollcall.litellm_config.nodes import begin, content_begin
from rollcall.litellm_config.refusals import refusal
from rollcall.litellm_config.text import (
    ConfigText,
    collector_paused,
    decode,
    indent_at,
    line_end,
    line_number,
)
from rollcall.yaml_reading import SAFE_LOADER, UNREADABLE, check_depth, check_size, load

_HEADER = re.compile(r"[|>]([0-9]?)([+-]?)([0-9]?)")
_LOOKS_LIKE_ONE = re.compile(r"^(?:model_list|router_settings|litellm_settings):", re.MULTILINE)
_RENDERED_LATER = "external-secrets.io/"
"""Whose braces are filled in by the cluster, after the file was read as YAML."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest and the config in it.

    Attributes:
        name, key: `metadata.name` of the object, and the key that holds the config.
        config: the text LiteLLM gets.
    """

    text: ConfigText
    name: str
    key: str
    config: bytes
    _start: int
    _end: int
    _indent: int
    _chomping: str

    @property
    def line(self) -> int:
        """The line of the manifest on which the config begins."""
        return line_number(self.text.body, self._start)

    def with_config(self, config: bytes) -> bytes:
        """The manifest with another config in it, every other byte as it was.

        Raises:
            ConfigRefused: it would not read back as that.
        """
        new, body = config.decode(), self.text.body
        unended = not body[self._start : self._end].endswith("\n")  # nor is the file: so it stays
        if self._chomping != "+" or unended:
            new = new.rstrip("\n") + ("" if self._chomping == "-" or unended else "\n")
        lines = self._spliced(new.split("\n")[:-1] if new.endswith("\n") else new.split("\n"))
        if unended and lines:
            lines[-1] = lines[-1].removesuffix(self.text.newline)
        result = self.text.encode(body[: self._start] + "".join(lines) + body[self._end :])
        self._check(result, new)
        return result

    def _spliced(self, wanted: list[str]) -> list[str]:
        """The lines of a new config as they stand in the manifest; those that stay, to the byte."""
        present = self.text.body[self._start : self._end].splitlines(keepends=True)
        known = self.config.decode().split("\n")[: len(present)]
        margin, newline = " " * self._indent, self.text.newline
        result: list[str] = []
        matcher = SequenceMatcher(None, known, wanted, autojunk=False)
        for what, old, old_end, start, end in matcher.get_opcodes():
            if what == "equal":
                result += present[old:old_end]
            else:
                result += [
                    f"{margin}{row}{newline}" if row else newline for row in wanted[start:end]
                ]
        return [row if row.endswith("\n") else row + newline for row in result]

    def _check(self, result: bytes, config: str) -> None:
        made = find_manifest(result, f"{self.name}/{self.key}")
        before, after = _data(self.text.body), _data(made.text.body) if made else None
        if made is None or made.config.decode() != config or not _same_but(before, after, self.key):
            raise refusal("read_back", detail="the manifest around the config would differ")


def find_manifest(raw: bytes, key: str | None = None) -> Manifest | None:
    """The config inside a manifest; None where the file is no manifest.

    Args:
        key: the key that holds the config, or `NAME/KEY`, where more than one could.

    Raises:
        ConfigRefused: a manifest without a config that can be edited, or with several.
    """
    if b"apiVersion" not in raw or b"kind" not in raw:
        return None
    text = decode(raw)
    try:
        with collector_paused():
            check_depth(text.body)
            roots = list(yaml.compose_all(text.body, SAFE_LOADER))
            for root in roots:
                check_size(root, text.body)
    except UNREADABLE:
        return None  # it is read as a config, and refused with its line
    found = [row for root in roots if _is_object(root) for row in _configs(text, root)]
    if not any(_is_object(root) for root in roots):
        return None
    if key is not None:
        found = [row for row in found if key in (row.key, f"{row.name}/{row.key}")]
    if not found:
        raise refusal("kubernetes", _object_line(text.body, roots))
    if len(found) > 1:
        names = ", ".join(f"{row.name}/{row.key}" for row in found)
        raise refusal("several_configs", found[1].line, names=names)
    return found[0]


def _is_object(root: Any) -> bool:
    return {"apiVersion", "kind"} <= set(_pairs(root))


def _pairs(node: Any) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _object_line(body: str, roots: list[Any]) -> int:
    return next(line_number(body, begin(root)) for root in roots if _is_object(root))


def _configs(text: ConfigText, root: Any) -> Iterator[Manifest]:
    """The configs in one object, at whatever depth: a HelmRelease keeps them in its values."""
    name = getattr(_pairs(_pairs(root).get("metadata")).get("name"), "value", "")
    version = str(getattr(_pairs(root).get("apiVersion"), "value", ""))
    for key, node in _scalars(root):
        if not _is_config(node.value):
            continue
        if node.style != "|":
            raise refusal("not_a_block", line_number(text.body, begin(node)), key=key.value)
        _refuse_template(text.body, root, version)
        yield _manifest(text, str(name), key, node)


def _scalars(node: Any) -> Iterator[tuple[yaml.ScalarNode, yaml.ScalarNode]]:
    """Every pair of two scalars."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(value, yaml.ScalarNode) and isinstance(key, yaml.ScalarNode):
            yield key, value
        else:
            yield from _scalars(value)


def _is_config(text: str) -> bool:
    """Whether a text is LiteLLM's config, or would be but for a mistake in it."""
    if "\n" not in text or not any(name in text for name in LITELLM_KEYS):
        return False
    try:
        data = load(text)
    except UNREADABLE:
        return _LOOKS_LIKE_ONE.search(text) is not None
    return isinstance(data, dict) and not LITELLM_KEYS.isdisjoint(map(str, data))


def _refuse_template(body: str, root: yaml.Node, version: str) -> None:
    if version.startswith(_RENDERED_LATER):
        return
    for number, line in enumerate(body[begin(root) : int(root.end_mark.index)].split("\n")):
        if "{{" in line.split(" #")[0] and not line.lstrip().startswith("#"):
            raise refusal("helm", line_number(body, begin(root)) + number)


def _manifest(text: ConfigText, name: str, key: yaml.ScalarNode, node: yaml.ScalarNode) -> Manifest:
    body = text.body
    header = content_begin(body, node)
    found = _HEADER.match(body, header)
    assert found is not None
    start = line_end(body, header)
    digit = found[1] or found[3]
    indent = int(key.start_mark.column) + int(digit) if digit else _indent(body, start)
    chomping = found[2]
    count = node.value.count("\n") + (not node.value.endswith("\n"))
    end = start
    for _ in range(count):
        end = line_end(body, end)
    return Manifest(text, name, str(key.value), node.value.encode(), start, end, indent, chomping)


def _indent(body: str, start: int) -> int:
    """How deep the first line that is not blank stands."""
    position = start
    while not body[position : line_end(body, position)].strip():
        position = line_end(body, position)
    return indent_at(body, position)


def _data(body: str) -> list[Any]:
    return list(yaml.load_all(body, SAFE_LOADER))


def _same_but(before: Any, after: Any, key: str) -> bool:
    """Whether two manifests are the same but for texts under this key."""
    if isinstance(before, dict) and isinstance(after, dict):
        if list(before) != list(after):
            return False
        return all(
            (name == key and isinstance(value, str)) or _same_but(value, after[name], key)
            for name, value in before.items()
        )
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return all(_same_but(one, other, key) for one, other in zip(before, after, strict=True))
    return bool(before == after or (before != before and after != after))
