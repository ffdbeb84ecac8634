"""The policy's JSON Schema: generated from the schema classes, so that the two cannot differ."""

from __future__ import annotations

from typing import Any

from rollcall.policy import Policy
from rollcall.providers.registry import BUILTIN

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def build_schema() -> dict[str, Any]:
    """The schema of the file as a person writes it: a choice may also be a plain text."""
    generated = Policy.model_json_schema(by_alias=True, mode="validation")
    definitions = generated["$defs"]
    definitions["ProviderPolicy"]["properties"]["type"]["examples"] = sorted(BUILTIN)
    definitions["ProviderPolicy"]["type"] = ["object", "null"]
    for name in ("AliasSpec", "Choice"):
        row = definitions[name]
        definitions[name] = {
            "description": row.pop("description", ""),
            "anyOf": [{"type": "string"}, row],
        }
    return {"$schema": DIALECT, "title": "rollcall policy", **_without_titles(generated)}


def _without_titles(node: Any) -> Any:
    """Drop the generated titles: they repeat the field's name in another case."""
    if isinstance(node, dict):
        return {
            key: _without_titles(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    if isinstance(node, list):
        return [_without_titles(value) for value in node]
    return node
