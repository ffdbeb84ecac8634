"""model_name from a template: `{provider}/{id}`, `{id:dashed}`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollcall.catalog import Model
    from rollcall.families import Reading

FIELDS = ("provider", "id", "model", "maker", "family", "version")
_FIELD = re.compile(r"\{([^{}]*)\}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._]+")


def render_name(template: str, model: Model, reading: Reading) -> str:
    """The model_name of a model; `template` has passed `template_error`."""
    facts = {
        "provider": model.provider,
        "id": model.id,
        "model": model.id.rpartition("/")[2],
        "maker": reading.maker or model.maker or model.provider,
        "family": reading.family,
        "version": reading.version,
    }

    def fill(found: re.Match[str]) -> str:
        field, _, form = found[1].partition(":")
        return _dashed(facts[field]) if form else facts[field]

    return _FIELD.sub(fill, template)


def _dashed(text: str) -> str:
    return _NOT_PLAIN.sub("-", text).strip("-")


def name_fault(name: str) -> str | None:
    """Why a name cannot stand in config.yaml, whatever gave it; None when it can."""
    if "*" in name:
        return "a wildcard to LiteLLM"
    if name.startswith("os.environ/"):
        return "LiteLLM would put a variable's value in place of its name"
    return None if name.strip() else "its name would be empty"


def template_error(template: str) -> tuple[str, str] | None:
    """(What is wrong with a template, the word it is about), None when nothing is."""
    for field, _, form in (found.partition(":") for found in _FIELD.findall(template)):
        if field not in FIELDS:
            return f"{{{field}}} is not a field of a name", field
        if form not in ("", "dashed"):
            return f"{{{field}:{form}}} is not a form; there is {{{field}:dashed}}", form
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        return "a brace is not closed", ""
    if "*" in template:
        return "a name with * would be a wildcard to LiteLLM", ""
    if not template.strip():
        return "the name is empty", ""
    return None
