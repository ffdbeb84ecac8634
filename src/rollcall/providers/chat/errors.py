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
        |-- ProviderReplyInvalid  an answer that is none: HTML, cut short, a redirect
        `-- AnswerRefused         a streamed answer that ended because the model declined

The library adds what can be wrong with its file and its roles: `rollcall.runtime.errors`.
"""

from __future__ import annotations

from enum import StrEnum

from rollcall.errors import RollcallError
from rollcall.secrets import Redactor


class Outcome(StrEnum):
    """What a call came to."""

    ANSWERED = "answered"
    REFUSED_KEY = "refused for this key"
    NOT_FOUND = "not found"
    """There is no such model, or none for this key."""
    WRONG_ENDPOINT = "wrong endpoint"
    """The model, or the address, does not answer this kind of call."""
    NO_CREDIT = "no credit"
    """Nothing left to spend: the account's credit, or the key's own limit."""
    RATE_LIMITED = "rate limited"
    SERVER_ERROR = "server error"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REFUSED_PARAMS = "parameters refused"
    REFUSED_CALL = "call refused"
    """For any other reason."""
    DECLINED = "declined"
    """The model, or its filter, would not answer this."""
    INVALID_REPLY = "no usable reply"


class LLMError(RollcallError):
    """Anything a call through the library can end in. What looks like a key is in none of them."""

    def __init__(self, what: str, hint: str = "") -> None:
        redact = Redactor().redact
        super().__init__(redact(what), redact(hint))


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
        outcome: what it came to. params: the parameters it does not take, as they were sent.
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
        outcome: Outcome = Outcome.REFUSED_CALL,
        params: tuple[str, ...] = (),
        retryable: bool = False,
        wait_seconds: float | None = None,
        fallbacks: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, hint)
        self.provider = provider
        self.status = status
        self.message = message
        self.outcome = outcome
        self.params = params
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


class AnswerRefused(ProviderError):
    """A streamed answer that is not whole: the model or its filter declined, or gave up.

    Attributes:
        refusal: why. finish_reason: as in LLMResponse.
    """

    def __init__(self, what: str, *, provider: str, refusal: str, finish_reason: str) -> None:
        super().__init__(
            what,
            "Ask differently, or another model; what came before is no whole answer.",
            provider=provider,
            status=200,
            message=refusal,
            outcome=Outcome.DECLINED,
        )
        self.refusal = refusal
        self.finish_reason = finish_reason
