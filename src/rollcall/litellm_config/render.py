"""Our lines of config.yaml, written by ruamel.yaml so that every reader reads them alike.

Strings are double-quoted ASCII, so that neither YAML 1.1 (LiteLLM) nor 1.2 takes `no`, `12:30` or
`1e-06` for anything else, whatever the locale the file is opened in. ruamel.yaml gets its events
from here and not from its representer, which takes twice as long and knows one style for keys and
values. Import this only where something is written: ruamel.yaml costs 30 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from math import isfinite
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.emitter import Emitter
from ruamel.yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.tag import Tag

_ONE_LINE = 2**30
_STRING = Tag(suffix="tag:yaml.org,2002:str")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def block_items(items: list[Any], indent: int) -> list[str]:
    """The lines of a block list whose dashes stand at column `indent`.

    Raises:
        ValueError: there is no plain YAML for one of the values.
    """
    events = (event for item in items for event in _events(item, flow=not isinstance(item, dict)))
    return [" " * indent + line[2:] for line in _emitted(_sequence(events, flow=False))]


def block_pairs(pairs: dict[Any, Any], indent: int) -> list[str]:
    """The lines of a block mapping whose keys stand at column `indent`; raises as `block_items`."""
    return [" " * indent + line for line in _emitted(_events(pairs, flow=False))]


def flow(value: Any) -> str:
    """A value on one line, keys quoted as in JSON; raises as `block_items`."""
    if isinstance(value, dict | list | tuple):
        return _emitted(_events(value, flow=True))[0]
    return _emitted(_events([value], flow=True))[0][1:-1]


def flow_pair(key: Any, value: Any) -> str:
    """One pair of a flow mapping; raises as `block_items`."""
    return flow({key: value})[1:-1]


class _QuickEmitter(Emitter):
    """Remembers what it found out about a text: the same few keys stand in every entry."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._analyses: dict[str, Any] = {}

    def analyze_scalar(self, scalar: Any) -> Any:
        found = self._analyses.get(scalar)
        if found is None:
            found = self._analyses[scalar] = super().analyze_scalar(scalar)
        return found


def _emitted(events: Iterable[Any]) -> list[str]:
    """The lines of a collection; the dashes of a block list stand at column 2."""
    out = StringIO()
    emitter = _QuickEmitter(out, width=_ONE_LINE, allow_unicode=False, dumper=YAML())
    emitter.best_sequence_indent, emitter.sequence_dash_offset = 4, 2
    emitter.brace_single_entry_mapping_in_flow_sequence = True
    emitter.emit(StreamStartEvent())
    emitter.emit(DocumentStartEvent(explicit=False))
    for event in events:
        emitter.emit(event)
    emitter.emit(DocumentEndEvent(explicit=False))
    emitter.emit(StreamEndEvent())
    return out.getvalue().rstrip("\n").split("\n")


def _events(value: Any, *, flow: bool) -> Iterator[Any]:
    """A value as the emitter's events. Lists of plain values go on one line in block style, too."""
    if isinstance(value, dict):
        flow = flow or not value
        yield MappingStartEvent(None, None, implicit=True, flow_style=flow)
        for key, item in value.items():
            yield from [_plain(key)] if not flow and _is_plain_key(key) else _events(key, flow=True)
            yield from _events(item, flow=flow)
        yield MappingEndEvent()
    elif isinstance(value, list | tuple):
        flow = flow or not any(isinstance(item, dict) for item in value)
        yield from _sequence((e for item in value for e in _events(item, flow=flow)), flow=flow)
    elif isinstance(value, str):
        yield _quoted(value)
    else:
        yield _plain(_text(value))


def _sequence(inner: Iterable[Any], *, flow: bool) -> Iterator[Any]:
    yield SequenceStartEvent(None, None, implicit=True, flow_style=flow)
    yield from inner
    yield SequenceEndEvent()


def _quoted(text: str) -> ScalarEvent:
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError("half a surrogate pair")
    return ScalarEvent(None, _STRING, (False, True), text, style='"')


def _plain(text: str) -> ScalarEvent:
    return ScalarEvent(None, None, (True, False), text)


def _is_plain_key(key: Any) -> bool:
    """Whether no reader takes the bare key for anything but a string."""
    return isinstance(key, str) and bool(_PLAIN_KEY.match(key)) and key.lower() not in _RESERVED


def _text(value: Any) -> str:
    """A value that is no string and no collection, as both versions of YAML read it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    raise ValueError(type(value).__name__)


def _number(value: float) -> str:
    """A float without exponent: YAML 1.1 takes `1e-06` for a string."""
    if not isfinite(value):
        return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
    digits = format(Decimal(repr(value)), "f")
    return digits if "." in digits else f"{digits}.0"
