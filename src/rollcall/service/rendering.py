"""A list as bytes, made once and sent often. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import isfinite
from typing import TYPE_CHECKING, Any

from rollcall.service.listing import enrich, name_of, rows_key

if TYPE_CHECKING:
    from rollcall.service.known import Known
    from rollcall.service.question import Shape


@dataclass(frozen=True)
class Rendered:
    """One list, ready to send.

    Attributes:
        known: what it was enriched with; another object means it is out of date.
    """

    body: dict[str, Any]
    shape: Shape
    known: Known
    content: bytes
    etag: str

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """Its rows by every id a client may ask for one by; the listed id wins."""
        rows = [row for row in self.body[rows_key(self.shape)] if isinstance(row, dict)]
        by_name = {name: row for row in rows if (name := name_of(row, self.shape)) is not None}
        by_id = {row["id"]: row for row in rows if isinstance(row.get("id"), str)}
        return by_name | by_id


def render(body: dict[str, Any], shape: Shape, known: Known, ready: bool | None) -> Rendered:  # noqa: FBT001 - three-valued, not a switch
    """Enrich a list and write it out."""
    enriched = enrich(body, shape, known, ready)
    content = to_json(enriched)
    return Rendered(enriched, shape, known, content, etag_of(content))


def to_json(value: object) -> bytes:
    """Compact JSON; ASCII, so that lone surrogates in provider names cannot break it."""
    try:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def _finite(value: object) -> object:
    """The same value with null for numbers JSON does not have (1e999 reads as infinity)."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value


def etag_of(content: bytes) -> str:
    """A strong entity tag."""
    return f'"{sha256(content).hexdigest()[:32]}"'
