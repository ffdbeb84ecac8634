"""llm_orchestrator.yaml: providers with their keys' names, roles with their models."""

from __future__ import annotations

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
    model_validator,
)

from rollcall.errors import did_you_mean
from rollcall.providers.chat.call import read_params
from rollcall.providers.chat.endpoint import TYPES
from rollcall.providers.chat.errors import InvalidParams
from rollcall.secrets import address_holds_secret
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
    if address_holds_secret(parts):
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
