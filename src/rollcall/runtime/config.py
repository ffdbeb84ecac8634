"""llm_orchestrator.yaml: providers with their keys' names, roles with their models."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from rollcall.runtime.dialects import DIALECTS
from rollcall.runtime.document import Document, Place, read_document
from rollcall.runtime.errors import ConfigNotFound, InvalidConfig, InvalidParams
from rollcall.runtime.params import read_params
from rollcall.settings import parse_duration


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _seconds(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    seconds = parse_duration(str(value))
    if not seconds:
        raise ValueError("it would let nothing through; write 30s or 2m")
    return seconds


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or value != value.strip():
        raise ValueError("it must be a web address; for example https://api.example.com/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("it has a name, a key or a query in it; keys go into an auth_profile")
    return value.rstrip("/")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("it must not be empty")
    return value


def _checked_params(value: dict[str, Any]) -> dict[str, Any]:
    try:
        read_params(value)
    except InvalidParams as error:
        raise ValueError(f"{error.what.rstrip('.')}; {error.hint.rstrip('.')}") from None
    return value


def _known_type(value: str) -> str:
    if value not in DIALECTS:
        near = difflib.get_close_matches(value, DIALECTS, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise ValueError(
            f"no known type; {guess}use openai for any OpenAI-compatible server, or one of: "
            + ", ".join(DIALECTS)
        )
    return value


Text = Annotated[str, AfterValidator(_not_blank)]
ProviderParams = Annotated[dict[str, Any], AfterValidator(_checked_params)]


class ProviderConfig(_Strict):
    """One provider.

    Attributes:
        type: whose protocol it speaks; left out = its name says it.
        auth_profile: names the key's variable: `openai_default` is
            ORCH_AUTH_OPENAI_DEFAULT_API_KEY; null = no key is needed.
        api_base: root of its API; None = the provider's own.
        timeout: seconds for a whole reply, or between two pieces of a streamed one.
        max_retries: attempts after the first, on 429, 5xx and connection errors.
    """

    type: Annotated[str, AfterValidator(_known_type)] | None = None
    auth_profile: Text | None = None
    api_base: Annotated[str, AfterValidator(_web_address)] | None = None
    timeout: Annotated[float, BeforeValidator(_seconds)] = 120.0
    max_retries: int = Field(2, ge=0, le=10)

    @property
    def auth_profile_given(self) -> bool:
        """Whether the file says anything about a key, be it null."""
        return "auth_profile" in self.model_fields_set


class FallbackConfig(_Strict):
    """A provider and model to try where a role's own fails."""

    provider: Text
    model: Text
    params: ProviderParams = {}


def _kind_of_fallback(value: object) -> str:
    return "target" if isinstance(value, dict | FallbackConfig) else "role"


Fallback = Annotated[
    Annotated[Text, Tag("role")] | Annotated[FallbackConfig, Tag("target")],
    Discriminator(_kind_of_fallback),
]


class RoleConfig(_Strict):
    """One role: a provider and a model, or a `select` that picks them.

    Attributes:
        select: in the words of `rollcall.runtime.selection_words`, checked by `parse_config`.
        params: defaults of its calls. fallbacks: tried in order; names of roles, or
            `{provider, model}`.
    """

    provider: Text | None = None
    model: Text | None = None
    select: Any = None
    params: ProviderParams = {}
    fallbacks: list[Fallback] = []

    @model_validator(mode="after")
    def _one_way(self) -> RoleConfig:
        if self.select is not None and (self.provider or self.model):
            raise ValueError("`select` picks provider and model; leave those two out")
        if self.select is None and not (self.provider and self.model):
            missing = "`model`" if self.provider else "`provider`"
            raise ValueError(f"{missing} is missing; add it, or a `select` that picks a model")
        return self


class CatalogConfig(_Strict):
    """Where roles with `select` find the catalog that `rollcall apply` keeps.

    Attributes:
        config: the config.yaml of the proxy; its `.rollcall` folder holds the catalog. Relative
            to llm_orchestrator.yaml. max_age: older than this, providers are asked anew.
    """

    config: Text | None = None
    state_dir: Text | None = None
    policy: Text | None = None
    max_age: Annotated[float, BeforeValidator(_seconds)] = 86_400.0


class OrchestratorConfig(_Strict):
    """The whole file. `project` and `env` are for your own logs."""

    project: str = ""
    env: str = ""
    providers: dict[Text, ProviderConfig]
    roles: dict[Text, RoleConfig]
    catalog: CatalogConfig = CatalogConfig()


def load_config(path: Path) -> OrchestratorConfig:
    """Read and check a file.

    Raises:
        ConfigNotFound, InvalidYAML, InvalidConfig.
    """
    try:
        content = path.read_bytes()
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
    near = difflib.get_close_matches(provider, DIALECTS, n=1)
    return InvalidConfig(
        f"{name}, line {line}: providers.{provider}: no known provider.",
        (f"Did you mean {near[0]}? Else give" if near else "Give")
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
            near = difflib.get_close_matches(str(place[-1]), known, n=1)
            guess = f"Did you mean {near[0]}? " if near else ""
            listed = f"Known here: {', '.join(known)}." if known else "Remove it."
            return "unknown field", guess + listed
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
