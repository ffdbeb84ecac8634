"""LiteLLM's list of models with what rollcall knows of each.

LiteLLM's own answer keeps its format and order: rollcall only adds to each row. Pure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from rollcall.catalog.model import per_token
from rollcall.files import sha256_of
from rollcall.providers.bodies import Unreadable, as_utf8, read_json
from rollcall.service.formats import Format, Json, name_of, plain_row, rows_by_name, rows_key

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from rollcall.inspect.inventory import Inventory, ModelRow


class KnownModels:
    """What rollcall knows about the names LiteLLM lists, by name or alias."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.by_name: dict[str, ModelRow] = {}
        for row in inventory.rows:
            if row.in_config and row.name is not None:
                present = self.by_name.get(row.name)
                if present is None or (row.ready and not present.ready):
                    self.by_name[row.name] = row

    def row(self, name: str) -> ModelRow | None:
        """The model a name leads to; as in LiteLLM an alias wins over a model of the same name."""
        return self.by_name.get(self.alias_target(name) or name)

    def alias_target(self, name: str) -> str | None:
        """What an alias points at; None where the name is no alias."""
        target = self.inventory.aliases.get(name)
        return target[0] if target else None

    def ready(self, name: str) -> bool:
        """False only where rollcall knows why a call would fail."""
        row = self.row(name)
        return row.ready if row else True

    def display_name(self, name: str) -> str | None:
        """What to show a person for a name; an alias says where it leads."""
        row, target = self.row(name), self.alias_target(name)
        if row is None or target is None:
            return row.display_name if row else None
        return f"{name} ({row.display_name or target})"

    def metadata(self, name: str, listed: Container[str]) -> Json:
        """What else is known of a name, in plain words; prices are USD per 1M tokens.

        Args:
            listed: the names the caller may see; aliases outside are left out.
        """
        row, target = self.row(name), self.alias_target(name)
        facts = describe(row, listed) if row else {}
        if row and not row.ready:
            facts |= way_to_ready(row)
        if target is not None and (target in listed or row is not None):
            facts["alias_for"] = target
        return facts

    @property
    def listed_names(self) -> tuple[str, ...]:
        """The names LiteLLM would list for config.yaml: visible aliases, then models."""
        visible = [
            alias
            for alias, (target, hidden) in self.inventory.aliases.items()
            if not hidden and target in self.by_name
        ]
        return tuple(dict.fromkeys((*visible, *self.by_name)))

    @property
    def kept_away(self) -> tuple[ModelRow, ...]:
        """Models that are not in the config, and that a key would bring within reach."""
        rows = self.inventory.rows
        return tuple(row for row in rows if not row.in_config and row.lacks_key)


def way_to_ready(row: ModelRow) -> Json:
    """Why a model cannot be called, and which key would change that."""
    key = {"key_env": row.key_env, "key_url": row.key_url} if row.lacks_key else {}
    return {"reason": row.reason, **key}


def describe(row: ModelRow, listed: Container[str]) -> Json:
    """One model as a JSON object."""
    return {
        "provider": row.provider,
        "id": row.id,
        "family": row.family or None,
        "version": row.version or None,
        "stage": row.stage,
        "released": row.released.isoformat() if row.released else None,
        "context": row.context,
        "max_output": row.max_output,
        "input_price": row.input_price,
        "output_price": row.output_price,
        "capabilities": list(row.capabilities),
        "modalities": list(row.modalities),
        "ends": row.ends.isoformat() if row.ends else None,
        "successor": row.replaced_by,
        "borrowed": row.borrowed,
        "aliases": [alias for alias in row.aliases if alias in listed],
    }


def parse_json(content: bytes) -> object:
    """LiteLLM's body as data; None where it is no JSON (or null)."""
    try:
        return read_json(as_utf8(content))
    except Unreadable:
        return None


def enrich(body: Json, format_: Format, known: KnownModels, ready: bool | None) -> Json:  # noqa: FBT001 - three-valued, not a switch
    """LiteLLM's list with what rollcall knows.

    Args:
        ready: None = every row; True = those that can be called; False = also what a missing key
            keeps away.
    """
    listed = frozenset(rows_by_name(body, format_))
    rows = [_enriched(row, format_, known, listed) for row in body[rows_key(format_)]]
    if ready:
        rows = [row for row in rows if not isinstance(row, dict) or row.get("ready", True)]
    if ready is False and format_ in (Format.OPENAI, Format.ANTHROPIC):
        rows += [_kept_away(row, format_) for row in known.kept_away]
    answer = {**body, rows_key(format_): rows}
    if format_ is Format.ANTHROPIC:
        ids = [row["id"] for row in rows if isinstance(row, dict) and "id" in row]
        answer |= {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return answer


def _enriched(row: object, format_: Format, known: KnownModels, listed: frozenset[str]) -> object:
    name = name_of(row, format_)
    if name is None or not isinstance(row, dict):
        return row
    added = {**row, "ready": known.ready(name), "metadata": known.metadata(name, listed)}
    _name_for_people(added, name, format_, known.display_name(name))
    model = known.row(name)
    if model is not None:
        if format_ is Format.MODEL_INFO and isinstance(row.get("model_info"), dict):
            added["model_info"] = _filled(row["model_info"], _model_info(model))
        elif format_ is Format.OPENAI:
            added = _filled(added, _limits(model))
    return added


def _name_for_people(row: Json, name: str, format_: Format, display_name: str | None) -> None:
    """Set `display_name`, unless LiteLLM has one that says more than the name.

    Open WebUI shows `name`, in OpenAI's format.
    """
    if format_ is Format.MODEL_INFO or display_name is None:
        return
    if row.get("display_name") in (None, name, row.get("id")):
        row["display_name"] = display_name
    if format_ is Format.OPENAI:
        row.setdefault("name", row["display_name"])


def _kept_away(row: ModelRow, format_: Format) -> Json:
    name = row.name or f"{row.provider}/{row.id}"
    written = plain_row(name, format_, row)
    written |= {"ready": False, "metadata": describe(row, ()) | way_to_ready(row)}
    _name_for_people(written, name, format_, row.display_name)
    return written


def _filled(fields: Json, known: Iterable[tuple[str, Any]]) -> Json:
    """The fields, and what is known where they say nothing."""
    gaps = {key: value for key, value in known if value is not None and fields.get(key) is None}
    return {**fields, **gaps}


def _limits(model: ModelRow) -> list[tuple[str, Any]]:
    return [("max_input_tokens", model.context), ("max_output_tokens", model.max_output)]


def _model_info(model: ModelRow) -> list[tuple[str, Any]]:
    """What Cline reads; without limits it takes every model for one of 8,192 tokens."""
    supported = {
        "supports_vision": "vision",
        "supports_prompt_caching": "prompt_caching",
        "supports_reasoning": "reasoning",
        "supports_function_calling": "tools",
    }
    return [
        *_limits(model),
        ("input_cost_per_token", per_token(model.input_price)),
        ("output_cost_per_token", per_token(model.output_price)),
        *((key, True) for key, word in supported.items() if word in model.capabilities),
    ]


@dataclass(frozen=True)
class RenderedList:
    """One enriched list as bytes, made once and sent often.

    Attributes:
        known: what it was enriched with; another object means it is out of date.
    """

    body: Json
    format: Format
    known: KnownModels
    content: bytes
    etag: str

    @cached_property
    def rows(self) -> dict[str, Json]:
        """Its rows by every id a client may ask for one by; the listed id wins."""
        rows = [row for row in self.body[rows_key(self.format)] if isinstance(row, dict)]
        by_id = {row["id"]: row for row in rows if isinstance(row.get("id"), str)}
        return rows_by_name(self.body, self.format) | by_id


def render(body: Json, format_: Format, known: KnownModels, ready: bool | None) -> RenderedList:  # noqa: FBT001 - three-valued, not a switch
    """Enrich a list and write it out."""
    enriched = enrich(body, format_, known, ready)
    content = to_json(enriched)
    return RenderedList(enriched, format_, known, content, etag_of(content))


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
    return f'"{sha256_of(content)[:32]}"'
