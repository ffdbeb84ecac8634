"""What can go wrong in a call through the library, as a tree one can catch by branch.

    RollcallError
    `-- LLMError                      anything below
        |-- ConfigError               llm_orchestrator.yaml
        |   |-- ConfigNotFound        it is not there, or cannot be read
        |   |-- InvalidYAML           it is not YAML (file, line)
        |   `-- InvalidConfig         it is not what is expected (file, line, field)
        |-- ResolutionError           a role cannot be turned into a provider, a model and a key
        |   |-- RoleNotDefined        no such role under `roles:`
        |   |-- ProviderNotDefined    the role names a provider that is not under `providers:`
        |   |-- AuthProfileMissing    the provider has no `auth_profile:`
        |   |-- AuthVariableMissing   the profile's variable is not set
        |   `-- NothingSelected       no known model fits the role's `select:`
        |-- InvalidCall               the provider would refuse this call; it was not made
        |   `-- InvalidMessages, InvalidParams
        `-- ProviderError             the provider's answer, or its absence (status, provider)
            `-- ProviderRefusedKey, ProviderRateLimited, ProviderUnavailable, ProviderTimeout,
                ProviderReplyInvalid, AnswerRefused

Each says what happened and what to add or change where. No key is ever in one of them: messages
of providers, who like to repeat keys, are redacted. The last two branches are defined in
`rollcall.providers.chat.errors`, where providers are called.
"""

from __future__ import annotations

from rollcall.providers.chat.errors import AnswerRefused as AnswerRefused
from rollcall.providers.chat.errors import InvalidCall as InvalidCall
from rollcall.providers.chat.errors import InvalidMessages as InvalidMessages
from rollcall.providers.chat.errors import InvalidParams as InvalidParams
from rollcall.providers.chat.errors import LLMError as LLMError
from rollcall.providers.chat.errors import Outcome as Outcome
from rollcall.providers.chat.errors import ProviderError as ProviderError
from rollcall.providers.chat.errors import ProviderRateLimited as ProviderRateLimited
from rollcall.providers.chat.errors import ProviderRefusedKey as ProviderRefusedKey
from rollcall.providers.chat.errors import ProviderReplyInvalid as ProviderReplyInvalid
from rollcall.providers.chat.errors import ProviderTimeout as ProviderTimeout
from rollcall.providers.chat.errors import ProviderUnavailable as ProviderUnavailable


class ConfigError(LLMError):
    """llm_orchestrator.yaml cannot be used."""


class ConfigNotFound(ConfigError):
    """llm_orchestrator.yaml is not there, or cannot be read."""


class InvalidYAML(ConfigError):
    """llm_orchestrator.yaml is not YAML. `line` is 1-based, None where the parser has none."""

    def __init__(self, what: str, hint: str = "", *, line: int | None = None) -> None:
        super().__init__(what, hint)
        self.line = line


class InvalidConfig(ConfigError):
    """llm_orchestrator.yaml is not what is expected: `field` at `line` (1-based)."""

    def __init__(
        self, what: str, hint: str = "", *, field: str = "", line: int | None = None
    ) -> None:
        super().__init__(what, hint)
        self.field = field
        self.line = line


class ResolutionError(LLMError):
    """A role cannot be turned into a provider, a model and a key."""


class RoleNotDefined(ResolutionError):
    """There is no such role under `roles:`."""


class ProviderNotDefined(ResolutionError):
    """A role names a provider that is not under `providers:`."""


class AuthProfileMissing(ResolutionError):
    """A provider has no `auth_profile:`, so nobody knows which variable holds its key."""


class AuthVariableMissing(ResolutionError):
    """The variable of an auth profile is not set, empty, or not a key. `variable` is its name."""

    def __init__(self, what: str, hint: str = "", *, variable: str) -> None:
        super().__init__(what, hint)
        self.variable = variable


class NothingSelected(ResolutionError):
    """No model that is known fits a role's `select:`."""
