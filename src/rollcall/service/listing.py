"""LiteLLM's list, read and enriched; and the list as LiteLLM would give it. Pure.

LiteLLM's own answer keeps its shape and order: rollcall only adds to each row. Rows are shaped
here only where LiteLLM has none to give.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rollcall.catalog.model import per_token
from rollcall.service.known import describe
from rollcall.service.question import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rollcall.inspect.inventory import ModelRow
    from rollcall.service.known import Known

Json = dict[str, Any]

CREATED_UNKNOWN = 1677610602
"""The constant LiteLLM gives as every model's `created`."""


def parse_listing(content: bytes, shape: Shape) -> Json | None:
    """LiteLLM's body, or None where it is not a list of this shape."""
    try:
        body = json.loads(content, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    key = rows_key(shape)
    if not isinstance(body, dict) or not isinstance(body.get(key), list):
        return None
    return body


def rows_key(shape: Shape) -> str:
    """Where the rows of a shape stand."""
    return "models" if shape is Shape.CODEX else "data"


def name_of(row: object, shape: Shape) -> str | None:
    """The model_name a row is about.

    For Claude Code LiteLLM lists names under ids its picker accepts and keeps the name in
    `source_model`.
    """
    if not isinstance(row, dict):
        return None
    fields = {
        Shape.CODEX: ("slug",),
        Shape.MODEL_INFO: ("model_name",),
    }.get(shape, ("source_model", "id"))
    return next((row[field] for field in fields if isinstance(row.get(field), str)), None)


def names_in(body: Json, shape: Shape) -> tuple[str, ...]:
    """Every name a list shows, once."""
    named = (name_of(row, shape) for row in body[rows_key(shape)])
    return tuple(dict.fromkeys(name for name in named if name is not None))


def enrich(body: Json, shape: Shape, known: Known, ready: bool | None) -> Json:  # noqa: FBT001 - three-valued, not a switch
    """LiteLLM's list with what rollcall knows.

    Args:
        ready: None = every row; True = those that can be called; False = also what a missing key
            keeps away.
    """
    listed = frozenset(names_in(body, shape))
    rows = [_enriched(row, shape, known, listed) for row in body[rows_key(shape)]]
    if ready:
        rows = [row for row in rows if not isinstance(row, dict) or row.get("ready", True)]
    if ready is False and shape in (Shape.OPENAI, Shape.ANTHROPIC):
        rows += [_kept_away(row, shape, known) for row in known.kept_away]
    answer = {**body, rows_key(shape): rows}
    if shape is Shape.ANTHROPIC:
        ids = [row["id"] for row in rows if isinstance(row, dict) and "id" in row]
        answer |= {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return answer


def shape_names(names: Sequence[str], shape: Shape, known: Known) -> Json | None:
    """A list of these names as LiteLLM would shape it; None for a shape only LiteLLM can make."""
    if shape is Shape.CODEX:
        return None
    rows = [_plain_row(name, shape, known.row(name)) for name in names]
    if shape is Shape.OPENAI:
        return {"object": "list", "data": rows}
    if shape is Shape.MODEL_INFO:
        return {"data": rows}
    return {"data": rows, "has_more": False, "first_id": None, "last_id": None}


def _plain_row(name: str, shape: Shape, row: ModelRow | None) -> Json:
    if shape is Shape.MODEL_INFO:
        params = {"model": row.litellm_model} if row else {}
        return {"model_name": name, "litellm_params": params, "model_info": {}}
    if shape is Shape.ANTHROPIC:
        return {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": datetime.fromtimestamp(_created(row), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    return {
        "id": name,
        "object": "model",
        "created": _created(row),
        "owned_by": row.provider if row else "litellm",
    }


def _created(row: ModelRow | None) -> int:
    if row is None or row.released is None:
        return CREATED_UNKNOWN
    day = row.released
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _enriched(row: object, shape: Shape, known: Known, listed: frozenset[str]) -> object:
    name = name_of(row, shape)
    if name is None or not isinstance(row, dict):
        return row
    added = {
        **row,
        "ready": known.ready(name),
        "metadata": known.metadata(name, listed),
    }
    _name_for_people(added, name, shape, known.display_name(name))
    model = known.row(name)
    if model is not None:
        if shape is Shape.MODEL_INFO and isinstance(row.get("model_info"), dict):
            added["model_info"] = _filled(row["model_info"], _model_info(model))
        elif shape is Shape.OPENAI:
            added = _filled(added, _limits(model))
    return added


def _name_for_people(row: Json, name: str, shape: Shape, display_name: str | None) -> None:
    """Set `display_name`, unless LiteLLM has one that says more than the name.

    Open WebUI shows `name`, in OpenAI's shape.
    """
    if shape is Shape.MODEL_INFO or display_name is None:
        return
    if row.get("display_name") in (None, name, row.get("id")):
        row["display_name"] = display_name
    if shape is Shape.OPENAI:
        row.setdefault("name", row["display_name"])


def _kept_away(row: ModelRow, shape: Shape, known: Known) -> Json:
    name = row.name or f"{row.provider}/{row.id}"
    shaped = _plain_row(name, shape, row)
    shaped |= {"ready": False, "metadata": describe(row, ()) | known.way_to_ready(row)}
    _name_for_people(shaped, name, shape, row.display_name)
    return shaped


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
