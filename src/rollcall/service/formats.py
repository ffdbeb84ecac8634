"""The formats of a list of models (OpenAI's, Anthropic's, Codex's, that of /model/info): where its
rows stand, what a row is about, and how a list is written where LiteLLM gives none.
`model_list` adds what rollcall knows. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rollcall.litellm_config.effective import CREATED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.inspect.inventory import ModelRow
    from rollcall.service.model_list import KnownModels

Json = dict[str, Any]


class Format(StrEnum):
    """The format of a list of models."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    CODEX = "codex"
    MODEL_INFO = "model_info"
    """LiteLLM's own /model/info, which Cline reads."""


def is_list(body: object, format_: Format) -> bool:
    """Whether data is a list of models in this format."""
    return isinstance(body, dict) and isinstance(body.get(rows_key(format_)), list)


def rows_key(format_: Format) -> str:
    """Where the rows of a format stand."""
    return "models" if format_ is Format.CODEX else "data"


def name_of(row: object, format_: Format) -> str | None:
    """The model_name a row is about.

    For Claude Code LiteLLM lists names under ids its picker accepts and keeps the name in
    `source_model`.
    """
    if not isinstance(row, dict):
        return None
    fields = {
        Format.CODEX: ("slug",),
        Format.MODEL_INFO: ("model_name",),
    }.get(format_, ("source_model", "id"))
    return next((row[field] for field in fields if isinstance(row.get(field), str)), None)


def rows_by_name(body: Json, format_: Format) -> dict[str, Json]:
    """Every name a list shows, once, with its row."""
    rows = body[rows_key(format_)]
    return {name: row for row in rows if (name := name_of(row, format_)) is not None}


def write_list(
    names: Sequence[str],
    format_: Format,
    known: KnownModels,
    said: Mapping[str, Json] | None = None,
) -> Json | None:
    """A list of these names as LiteLLM would write it; None for Codex's, which only LiteLLM can.

    Args:
        said: what LiteLLM says of a name in OpenAI's format: limits and mode.
    """
    if format_ is Format.CODEX:
        return None
    rows = [plain_row(name, format_, known.row(name), (said or {}).get(name)) for name in names]
    if format_ is Format.OPENAI:
        return {"object": "list", "data": rows}
    if format_ is Format.MODEL_INFO:
        return {"data": rows}
    return {"data": rows, "has_more": False, "first_id": None, "last_id": None}


def plain_row(name: str, format_: Format, row: ModelRow | None, said: Json | None = None) -> Json:
    """One row as LiteLLM would write it, of a model we may know."""
    if format_ is Format.MODEL_INFO:
        info = {field: said[field] for field in _SAID if field in said} if said else {}
        params = {"model": row.litellm_model} if row else {}
        return {"model_name": name, "litellm_params": params, "model_info": info}
    if format_ is Format.ANTHROPIC:
        created = datetime.fromtimestamp(_created(row), UTC)
        return {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    owner = row.provider if row else "litellm"
    return {"id": name, "object": "model", "created": _created(row), "owned_by": owner}


_SAID = ("mode", "max_input_tokens", "max_output_tokens")


def _created(row: ModelRow | None) -> int:
    if row is None or row.released is None:
        return CREATED
    day = row.released
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
