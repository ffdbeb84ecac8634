"""What a call to a model can end in, besides an answer.

    LLMError
    |-- InvalidCall               the provider would refuse this call; it was not made
    |   |-- InvalidMessages       its messages
    |   `-- InvalidParams         its parameters
    `-- ProviderError             the provider's answer, or its absence (status, provider)
        |-- ProviderRefusedKey    401, 403, or a 400 about the key
        |-- ProviderRateLimited   429
        |-- ProviderUnavailable   5xx, or no connection
        |-- ProviderTimeout       no answer in time
        `-- ProviderReplyInvalid  an answer that is none: HTML, cut short, a redirect

The library adds what can be wrong with its file and its roles: `rollcall.runtime.errors`.
"""

from __future__ import annotations

from rollcall.errors import RollcallError


class LLMError(RollcallError):
    """Anything a call through the library can end in."""


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
        retryable: whether the same call may do better later. wait_seconds: how long the provider
            asks to wait, None where it does not say.
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
        retryable: bool = False,
        wait_seconds: float | None = None,
        fallbacks: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, hint)
        self.provider = provider
        self.status = status
        self.message = message
        self.retryable = retryable
        self.wait_seconds = wait_seconds
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
