"""Reading llm_orchestrator.yaml, and saying what is wrong with it: file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rollcall.errors import did_you_mean
from rollcall.files import read_regular
from rollcall.providers.chat.endpoint import TYPES
from rollcall.runtime.config import OrchestratorConfig
from rollcall.runtime.errors import ConfigNotFound, InvalidConfig, InvalidYAML
from rollcall.yaml_reading import Document, Place, YamlProblem, read_document


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
    document = _read(text, name)
    try:
        config = OrchestratorConfig.model_validate(document.data)
    except ValidationError as error:
        raise _invalid(error, document, name, OrchestratorConfig) from None
    for provider, given in config.providers.items():
        if given.type is None and provider not in TYPES:
            raise _unknown_provider(provider, document, name)
    for role, row in config.roles.items():
        if row.select is not None:
            _check_select(row.select, ("roles", role, "select"), document, name)
    return config


def _read(text: str, name: str) -> Document:
    try:
        document = read_document(text)
    except YamlProblem as error:
        where = f"{name} is" if error.line is None else f"{name}, line {error.line}:"
        if error.place:
            field = ".".join(map(str, error.place))
            what = f"{where} {field}: {error.problem}."
            raise InvalidConfig(what, error.hint, field=field, line=error.line) from None
        raise InvalidYAML(f"{where} {error.problem}.", error.hint, line=error.line) from None
    if not isinstance(document.data, dict):
        raise InvalidConfig(
            f"{name} is {'empty' if document.data is None else 'not a mapping'}.",
            "It needs `providers:` and `roles:` at its left margin.",
            line=1,
        )
    return document


def _unknown_provider(provider: str, document: Document, name: str) -> InvalidConfig:
    line = document.line(("providers", provider), at_name=True)
    near = did_you_mean(provider, TYPES)
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
        raise _invalid(error, document, name, Selection, select, place) from None


def _invalid(
    error: ValidationError,
    document: Document,
    name: str,
    model: type[BaseModel],
    data: Any = None,
    inside: Place = (),
) -> InvalidConfig:
    from rollcall.policy.problems import first_problem, problems_in

    given = document.data if data is None else data
    problems = problems_in(error, given, model.model_json_schema, inside=inside)
    line, first = first_problem(problems, document)
    field = ".".join(map(str, first.place))
    what, _, advice = first.what.partition("; ")
    hint = first.hint or (f"{advice[:1].upper()}{advice[1:]}." if advice else "Correct it.")
    return InvalidConfig(
        f"{name}, line {line}: {field + ': ' if field else ''}{what.rstrip('.')}.",
        hint,
        field=field,
        line=line,
    )
