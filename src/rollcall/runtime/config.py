"""llm_orchestrator.yaml: what may stand in it, what is wrong with it (file, line, field), and
reading it again when it changed.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Annotated, Any, Literal

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

from rollcall.errors import did_you_mean
from rollcall.files import AS_UTF_8, NotUTF8, read_regular, text_of
from rollcall.providers.chat.call import read_params
from rollcall.providers.chat.endpoint import TYPES
from rollcall.runtime.errors import (
    ConfigError,
    ConfigNotFound,
    InvalidConfig,
    InvalidParams,
    InvalidYAML,
)
from rollcall.secrets import address_holds_secret, looks_like_key
from rollcall.settings import parse_duration, web_parts
from rollcall.yaml_reading import Document, Place, YamlProblem, read_document

log = logging.getLogger("rollcall.runtime")


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
    parts = web_parts(value)
    if parts is None:
        raise ValueError("it must be a web address; for example https://api.example.com/v1")
    if address_holds_secret(parts):
        raise ValueError("it has a name, a key or a query in it; keys go into an auth_profile")
    return value.rstrip("/")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("it must not be empty")
    return value


def _no_key(value: str) -> str:
    if looks_like_key(value):
        raise ValueError(
            "it looks like a key itself; write a name, such as openai_default, and set the key in "
            "the variable it stands for: ORCH_AUTH_OPENAI_DEFAULT_API_KEY"
        )
    return value


def _checked_params(value: dict[str, Any]) -> dict[str, Any]:
    try:
        read_params(value)
    except InvalidParams as error:
        raise ValueError(f"{error.what.rstrip('.')}; {error.hint.rstrip('.')}") from None
    return value


def _known_type(value: str) -> str:
    if value not in TYPES:
        near = did_you_mean(value, TYPES)
        raise ValueError(
            f"no known type; {near + ' ' if near else ''}Use openai for any OpenAI-compatible "
            f"server, or one of: {', '.join(TYPES)}"
        )
    return value


Text = Annotated[str, AfterValidator(_not_blank)]
ProviderParams = Annotated[dict[str, Any], AfterValidator(_checked_params)]


class ProviderConfig(_Strict):
    """One provider.

    Attributes:
        type: whose protocol it speaks; left out = its name says it.
        auth_profile: names the key's variable: `openai_default` is
            ORCH_AUTH_OPENAI_DEFAULT_API_KEY; null = no key is needed; left out = the provider's
            usual variable.
        api_base: root of its API; None = the provider's own.
        timeout: seconds for a whole reply, or between two pieces of a streamed one.
        max_retries: attempts after the first, on 429, 5xx and connection errors.
    """

    type: Annotated[str, AfterValidator(_known_type)] | None = None
    auth_profile: Annotated[Text, AfterValidator(_no_key)] | None = None
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
        select: in the words of `rollcall.policy.rules.Selection`, checked by `parse_config`.
        params: defaults of its calls. fallbacks: tried in order; names of roles, or
            `{provider, model}`.
        on_refused_params: what to do where its model refuses a sampling parameter: leave it out,
            or raise; left out = drop for a role that selects.
    """

    provider: Text | None = None
    model: Text | None = None
    select: Any = None
    params: ProviderParams = {}
    fallbacks: list[Fallback] = []
    on_refused_params: Literal["drop", "raise"] | None = None

    @property
    def drops_refused_params(self) -> bool:
        """Whether a refused sampling parameter is left out."""
        return self.on_refused_params == "drop" or (self.on_refused_params is None and self.selects)

    @property
    def selects(self) -> bool:
        """Whether its model is picked from the catalog."""
        return self.select is not None

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


# --- reading it ---


def load_config(path: Path) -> OrchestratorConfig:
    """Read and check a file.

    Raises:
        ConfigNotFound, InvalidYAML, InvalidConfig.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        raise ConfigNotFound(
            f"There is no file {path}.",
            "Create it, or give yours: get_llm_client(PATH), or rollcall roles --file PATH.",
        ) from None
    except OSError as error:
        raise ConfigNotFound(
            f"{path} cannot be read: {error.strerror or error}.", "Check its permissions."
        ) from None
    try:
        text = text_of(content)
    except NotUTF8 as error:
        raise InvalidConfig(error.said_of(path.name), AS_UTF_8) from None
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
    from rollcall.policy.rules import Selection

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
    from rollcall.policy.problems import in_order, problems_in

    given = document.data if data is None else data
    problems = problems_in(error, given, model.model_json_schema(), inside=inside)
    line, first = in_order(problems, document)[0]
    field = ".".join(map(str, first.place))
    what, _, advice = first.what.partition("; ")
    hint = first.hint or (f"{advice[:1].upper()}{advice[1:]}." if advice else "Correct it.")
    return InvalidConfig(
        f"{name}, line {line}: {field + ': ' if field else ''}{what.rstrip('.')}.",
        hint,
        field=field,
        line=line,
    )


class ConfigFile:
    """A file and what it last said.

    A change that cannot be read (an editor half way through, a typo) keeps what was valid before
    and is logged once; only the very first read raises.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp = self._stamp_now()
        self._config = load_config(path)

    def current(self) -> OrchestratorConfig:
        """What the file says now, or last said validly."""
        with self._lock:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
            return self._config

    def _reload(self) -> None:
        try:
            self._config = load_config(self.path)
        except ConfigError as error:
            log.warning("%s The last valid version stays in use.", error.what)

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
