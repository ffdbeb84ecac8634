"""Our lines of config.yaml: plain data to YAML that every reader reads alike.

Strings are double-quoted ASCII, so that neither YAML 1.1 (LiteLLM) nor 1.2 takes `no`, `12:30` or
`1e-06` for anything else, whatever the locale the file is opened in. Written out by hand because
the shape is this small: ruamel.yaml needs some fifty times as long for the same lines, and PyYAML's
emitter quotes the keys too and puts nested lists at the column of their key.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPECIAL = re.compile(r"[^ !#-\[\]-~]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_LONGEST_SIMPLE_KEY = 1000
"""YAML takes a longer key (1,024) for something else, unless `?` announces it."""


def block_items(items: list[Any], indent: int) -> list[str]:
    """The lines of a block list whose dashes stand at column `indent`."""
    margin = " " * indent
    lines: list[str] = []
    for item in items:
        if isinstance(item, dict) and item:
            first, *rest = block_pairs(item, indent + 2)
            lines.append(f"{margin}- {first[indent + 2 :]}")
            lines += rest
        else:
            lines.append(f"{margin}- {flow(item)}")
    return lines


def block_pairs(pairs: dict[Any, Any], indent: int) -> list[str]:
    """The lines of a block mapping whose keys stand at column `indent`."""
    margin = " " * indent
    lines: list[str] = []
    for key, value in pairs.items():
        name = key_text(key)
        if len(name) > _LONGEST_SIMPLE_KEY:
            lines.append(f"{margin}? {name}")
            name = ""
        if isinstance(value, dict) and value:
            lines.append(f"{margin}{name}:")
            lines += block_pairs(value, indent + 2)
        elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
            lines.append(f"{margin}{name}:")
            lines += block_items(list(value), indent + 2)
        else:
            lines.append(f"{margin}{name}: {flow(value)}")
    return lines


def flow_pair(key: Any, value: Any) -> str:
    """One pair of a flow mapping, its key always quoted as in JSON."""
    name = flow(key)
    return f"{'? ' if len(name) > _LONGEST_SIMPLE_KEY else ''}{name}: {flow(value)}"


def flow(value: Any) -> str:
    """A value on one line.

    Raises:
        ValueError: there is no plain YAML for it.
    """
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(flow_pair(key, item) for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if value is None:
        return "null"
    if isinstance(value, date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    raise ValueError(type(value).__name__)


def quoted(text: str) -> str:
    """A string as a double-quoted scalar in ASCII."""
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError("half a surrogate pair")
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    short = _SHORT.get(character)
    if short:
        return short
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def key_text(key: Any) -> str:
    """A key: plain where no reader can mistake it, else quoted."""
    if isinstance(key, str) and _PLAIN_KEY.match(key) and key.lower() not in _RESERVED:
        return key
    return flow(key)


def _number(value: float) -> str:
    """A float without exponent: YAML 1.1 takes `1e-06` for a string."""
    if not isfinite(value):
        return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
    digits = format(Decimal(repr(value)), "f")
    return digits if "." in digits else f"{digits}.0"
