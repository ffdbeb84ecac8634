"""A role turned into everything a call needs: provider, model, key, address. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rollcall.errors import did_you_mean
from rollcall.providers.builtin import Provider
from rollcall.providers.chat.endpoint import LITELLM, TYPES, Endpoint, endpoint_of, root_of
from rollcall.runtime.config import FallbackConfig, OrchestratorConfig, ProviderConfig, RoleConfig
from rollcall.runtime.errors import (
    AuthProfileMissing,
    AuthVariableMissing,
    ProviderNotDefined,
    RoleNotDefined,
)
from rollcall.secrets import key_problem
from rollcall.settings import given, source


@dataclass(frozen=True, slots=True)
class ResolvedLLMConfig:
    """What a role means now. The key is in no repr; `asdict` would show it.

    Attributes:
        provider: its name in the file. model: as the provider calls it.
        api_key: None where no key is needed. key_variable: where it comes from. key_source: the
            same for errors, with its place in a `.env`.
        type: whose protocol it speaks. params: defaults of its calls.
        reason: why this model, where a `select` picked it.
        drop_refused_params: whether a sampling parameter its model refuses may be left out.
    """

    provider: str
    model: str
    api_key: str | None = field(repr=False)
    api_base: str
    type: str
    key_variable: str | None = None
    key_source: str | None = None
    timeout_seconds: float = 120.0
    max_retries: int = 2
    params: Mapping[str, Any] = field(default_factory=dict)
    reason: str = "named in the file"
    drop_refused_params: bool = False

    @property
    def endpoint(self) -> Endpoint:
        """Where its model is called."""
        return endpoint_of(
            TYPES[self.type],
            self.api_key,
            base_url=self.api_base,
            name=self.provider,
            key_variable=self.key_source or self.key_variable,
            timeout_seconds=self.timeout_seconds,
        )


class Pick(NamedTuple):
    """A provider of the file and a model that a role would use, and why."""

    provider: str
    model: str
    reason: str = "named in the file"


class Link(NamedTuple):
    """One link of a role's chain: a role's own model, or a fallback of it that is no role."""

    role: str
    fallback: FallbackConfig | None = None


def find_role(config: OrchestratorConfig, role: str) -> RoleConfig:
    """A role of the file.

    Raises:
        RoleNotDefined: with the nearest names, and what to add.
    """
    if role in config.roles:
        return config.roles[role]
    known = ", ".join(config.roles) or "none"
    raise RoleNotDefined(
        f"The role {role!r} is not defined.",
        f"{did_you_mean(role, config.roles)} Add it under `roles:` with a provider and a model "
        f"(defined: {known}).".lstrip(),
    )


def find_provider(config: OrchestratorConfig, name: str, role: str) -> ProviderConfig:
    """A provider of the file.

    Raises:
        ProviderNotDefined: with what to add.
    """
    if name in config.providers:
        return config.providers[name]
    known = ", ".join(config.providers) or "none"
    raise ProviderNotDefined(
        f"The role {role!r} uses the provider {name!r}, which is not defined.",
        f"{did_you_mean(name, config.providers)} Add `{name}:` with an auth_profile under "
        f"`providers:` (defined: {known}).".lstrip(),
    )


def variable_of(auth_profile: str) -> str:
    """The variable of an auth profile: `openai_default` is ORCH_AUTH_OPENAI_DEFAULT_API_KEY."""
    word = re.sub(r"[^A-Za-z0-9]+", "_", auth_profile).strip("_").upper()
    return f"ORCH_AUTH_{word}_API_KEY"


def resolve_pick(
    config: OrchestratorConfig, link: Link, pick: Pick, environ: Mapping[str, str]
) -> ResolvedLLMConfig:
    """What is picked for a link of a chain, with its params, its key and its address.

    Raises:
        ProviderNotDefined, AuthProfileMissing, AuthVariableMissing.
    """
    role, name = config.roles[link.role], pick.provider
    provider = find_provider(config, name, link.role)
    variable, key, root = access_to(name, provider, environ)
    return ResolvedLLMConfig(
        provider=name,
        model=pick.model,
        api_key=key,
        api_base=root,
        type=provider.type or name,
        key_variable=variable,
        key_source=source(environ, variable) if variable else None,
        timeout_seconds=provider.timeout,
        max_retries=provider.max_retries,
        params={**role.params, **(link.fallback.params if link.fallback else {})},
        reason=pick.reason,
        drop_refused_params=role.drops_refused_params,
    )


class Access(NamedTuple):
    """The key a provider is called with, its variable, both None where none is needed; the root of
    its API.
    """

    variable: str | None
    key: str | None
    root: str


def access_to(name: str, provider: ProviderConfig, environ: Mapping[str, str]) -> Access:
    """How a provider of the file is called.

    Raises:
        AuthProfileMissing, AuthVariableMissing.
    """
    kind = TYPES[provider.type or name]
    variable, key = _key(name, provider, kind, environ)
    # The usual key goes where the usual variables say, as with everybody else's tools.
    bases = kind.base_url_env if provider.auth_profile is None or kind is LITELLM else ()
    base = given(environ, *bases)
    root = root_of(kind, provider.api_base or (base.value if base else kind.base_url))
    return Access(variable, key, root)


def _key(
    name: str, provider: ProviderConfig, kind: Provider, environ: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """(variable, key); both None where no key is needed."""
    usual = _usual_variables(name, provider, kind)
    found = given(environ, *usual)
    where = f" A key comes from {kind.key_url}." if kind.key_url else ""
    if provider.auth_profile is not None:
        variable = variable_of(provider.auth_profile)
        if not environ.get(variable, "").strip():
            state = "empty" if variable in environ else "not set"
            hint = f"Set it in the environment or in .env: {variable}=...{where}"
            if found:
                hint += f" {found.name} is set: without an auth_profile here, it is used."
            raise AuthVariableMissing(
                f"The variable {variable} is {state}; the provider {name!r} takes its key from it.",
                hint,
                variable=variable,
            )
    elif found:
        variable = found.name
    elif provider.auth_profile_given or kind.key_optional:
        return None, None
    else:
        raise _no_profile(name, usual)
    key = environ[variable].strip()
    if problem := key_problem(key):
        raise AuthVariableMissing(
            f"The variable {variable} does not hold a key: it {problem}.",
            f"Copy the key again, without quotes and line breaks.{where}",
            variable=variable,
        )
    return variable, key


def _usual_variables(name: str, provider: ProviderConfig, kind: Provider) -> tuple[str, ...]:
    """The variables that a provider's key usually stands in, unless the file says otherwise.

    A provider under a name and at an address of the user's own never gets a vendor's key.
    """
    if provider.auth_profile_given and provider.auth_profile is None:
        return ()
    elsewhere = provider.api_base and root_of(kind, provider.api_base) != kind.base_url
    own_name = name != kind.name
    return () if elsewhere and own_name else kind.key_env


def _no_profile(name: str, usual: tuple[str, ...]) -> AuthProfileMissing:
    variable = variable_of(name + "_default")
    unset = f", and {' or '.join(usual)} is not set" if usual else ""
    either = f"Set {usual[0]}; or add" if usual else "Add"
    return AuthProfileMissing(
        f"The provider {name!r} has no auth_profile{unset}.",
        f"{either} `auth_profile: {name}_default` to it and set {variable}; "
        "or `auth_profile: null` if it needs no key.",
    )


def chain_of(config: OrchestratorConfig, role: str) -> list[Link]:
    """What to try, in order. A fallback that is a role brings its own along; none comes twice.

    Raises:
        RoleNotDefined: there is no such role, or a fallback names one that is not there.
        ProviderNotDefined: one of them names a provider that is not there.
    """
    found: list[Link] = []

    def follow(name: str) -> None:
        row = find_role(config, name)
        found.append(Link(name))
        if row.provider is not None:
            find_provider(config, row.provider, name)
        for fallback in row.fallbacks:
            if isinstance(fallback, FallbackConfig):
                find_provider(config, fallback.provider, name)
                found.append(Link(name, fallback))
            elif Link(fallback) not in found:
                follow(fallback)

    follow(role)
    return found
