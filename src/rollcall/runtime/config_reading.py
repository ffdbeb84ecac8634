"""Reading llm_orchestrator.yaml, and saying what is wrong with it: file, line and field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rollcall.errors import did_you_mean
from rollcall.files import read_regular
from rollcall.runtime.config import (
    CatalogConfig,
    FallbackConfig,
    OrchestratorConfig,
    ProviderConfig,
    RoleConfig,
)
from rollcall.runtime.dialects import DIALECTS
from rollcall.runtime.document import Document, Place, read_document
from rollcall.runtime.errors import ConfigNotFound, InvalidConfig


def load_config(path: Path) -> OrchestratorConfig:
    """Read and check a file.

    Raises:
        ConfigNotFound, InvalidYAML, InvalidConfig.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        raise ConfigNotFound(
            f"There is no file {path}.", "Create it, or pass the path of yours to get_llm_client."
        ) from None
    except OSError as error:
        raise ConfigNotFound(
            f"{path} cannot be read: {error.strerror or error}.", "Check its permissions."
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidConfig(f"{path.name} is not UTF-8.", "Save it as UTF-8.") from None
    return parse_config(text, path.name)


def parse_config(text: str, name: str) -> OrchestratorConfig:
    """Check a file's text. Pure.

    Raises:
        InvalidYAML, InvalidConfig: the first thing that is wrong, with file, line and field.
    """
    document = read_document(text, name)
    try:
        config = OrchestratorConfig.model_validate(document.data)
    except ValidationError as error:
        raise _invalid(error, document, name) from None
    for provider, given in config.providers.items():
        if given.type is None and provider not in DIALECTS:
            raise _unknown_provider(provider, document, name)
    for role, row in config.roles.items():
        if row.select is not None:
            _check_select(row.select, ("roles", role, "select"), document, name)
    return config


def _unknown_provider(provider: str, document: Document, name: str) -> InvalidConfig:
    line = document.line(("providers", provider))
    near = did_you_mean(provider, DIALECTS)
    return InvalidConfig(
        f"{name}, line {line}: providers.{provider}: no known provider.",
        (f"{near} Else give" if near else "Give")
        + " it a `type`, such as `type: openai` for an OpenAI-compatible server.",
        field=f"providers.{provider}",
        line=line,
    )


def _check_select(select: Any, place: Place, document: Document, name: str) -> None:
    """Only files with a `select` pay for the import of the policy's words."""
    from rollcall.runtime.selection_words import Selection

    try:
        Selection.model_validate(select)
    except ValidationError as error:
        raise _invalid(error, document, name, place) from None


def _invalid(
    error: ValidationError, document: Document, name: str, inside: Place = ()
) -> InvalidConfig:
    problem = error.errors(include_url=False, include_input=True)[0]
    place = _place((*inside, *problem["loc"]), document.data)
    field = ".".join(map(str, place))
    line = document.line(place)
    what, hint = _words(problem, place)
    where = f"{name}, line {line}" if line else name
    return InvalidConfig(
        f"{where}: {field + ': ' if field else ''}{what}.", hint, field=field, line=line
    )


def _place(loc: Place, data: Any) -> Place:
    """The way to the field without what pydantic adds to it (union members, `[key]`)."""
    place: list[str | int] = []
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(data, dict) and (step in data or last):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        elif not (last and isinstance(data, dict)):
            continue
        place.append(step)
    return tuple(place)


def _words(problem: Mapping[str, Any], place: Place) -> tuple[str, str]:
    """(what is wrong, what to do), in the file's words rather than pydantic's."""
    given = problem.get("input")
    match problem["type"]:
        case "extra_forbidden":
            known = _fields_at(place)
            listed = f"Known here: {', '.join(known)}." if known else "Remove it."
            return "unknown field", f"{did_you_mean(str(place[-1]), known)} {listed}".lstrip()
        case "missing":
            return "it is missing", f"Add `{place[-1]}:` here."
        case "string_type" if isinstance(given, int | float):
            return f"it must be a text, not {given!r}", f'Put it in quotes: "{given}".'
        case "string_type" if given is None:
            return "it is empty", "Write a value behind it, or take the line out."
        case "value_error":
            what, _, hint = str(problem["ctx"]["error"]).partition("; ")
            return what.rstrip("."), f"{hint[:1].upper()}{hint[1:]}." if hint else "Correct it."
        case "dict_type" | "model_type" | "model_attributes_type":
            return "it must hold fields of its own", "Write them below it, as `name: value`."
        case _:
            return problem["msg"].replace("Input should be", "it must be"), "Correct this field."


def _fields_at(place: Place) -> list[str]:
    """The fields allowed beside the last step of a place."""
    if place[:1] == ("roles",) and "select" in place[2:-1]:
        from rollcall.runtime.selection_words import Selection

        model: type[BaseModel] | None = Selection if len(place) == 4 else None
    else:
        model = _MODELS.get((len(place), place[0] if len(place) > 1 else None))
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


_MODELS: dict[tuple[int, object], type[BaseModel]] = {
    (1, None): OrchestratorConfig,
    (3, "providers"): ProviderConfig,
    (3, "roles"): RoleConfig,
    (2, "catalog"): CatalogConfig,
    (5, "roles"): FallbackConfig,
}
"""(depth of a field, section) -> what it is a field of."""
