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
        |   |-- InvalidMessages       its messages
        |   `-- InvalidParams         its parameters
        `-- ProviderError             the provider's answer, or its absence (status, provider)
            |-- ProviderRefusedKey    401, 403, or a 400 about the key
            |-- ProviderRateLimited   429
            |-- ProviderUnavailable   5xx, or no connection
            |-- ProviderTimeout       no answer in time
            `-- ProviderReplyInvalid  an answer that is none: HTML, cut short, a redirect

Each says what happened and what to add or change where. No key is ever in one of them: messages
of providers, who like to repeat keys, are redacted.
"""

from __future__ import annotations

from rollcall.errors import RollcallError


class LLMError(RollcallError):
    """Anything a call through the library can end in."""


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


class InvalidCall(LLMError):
    """The provider would refuse this call, so it was not made."""


class InvalidMessages(InvalidCall):
    """The messages are not what the provider takes."""


class InvalidParams(InvalidCall):
    """The parameters are not what the provider takes."""


class ProviderError(LLMError):
    """What a provider answered instead of a completion, or that it did not answer.

    Attributes:
        provider: its name in llm_orchestrator.yaml. status: HTTP status, None without an answer.
        message: the provider's own words, redacted and cut.
        fallbacks: what became of the role's fallbacks, one line each, in the order tried.
    """

    def __init__(
        self,
        what: str,
        hint: str = "",
        *,
        provider: str,
        status: int | None = None,
        message: str = "",
        fallbacks: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, hint)
        self.provider = provider
        self.status = status
        self.message = message
        self.fallbacks = fallbacks


class ProviderRefusedKey(ProviderError):
    """401, 403, or a 400 about the key: the key is wrong, or may not do this."""


class ProviderRateLimited(ProviderError):
    """429: too many calls, or nothing left to spend."""


class ProviderUnavailable(ProviderError):
    """5xx, or no connection."""


class ProviderTimeout(ProviderError):
    """No answer in time."""


class ProviderReplyInvalid(ProviderError):
    """An answer that is none: HTML, JSON of another shape, a stream cut short, a redirect."""
