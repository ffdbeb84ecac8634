"""One tiny call to a model, to see whether it answers this key: through the same protocols, and
judged by the same rules, as the library's calls.

    async with open_client([provider.base_url]) as client:
        endpoint = endpoint_of(provider, key)
        tried = await try_model(client, endpoint, "claude-sonnet-5")
"""

from __future__ import annotations

from dataclasses import dataclass

from rollcall.providers.chat.answer import Piece
from rollcall.providers.chat.call import Call, Params
from rollcall.providers.chat.calling import complete
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.errors import LLMError, Outcome, ProviderError
from rollcall.providers.chat.learned import Learned
from rollcall.providers.chat.messages import Message
from rollcall.providers.chat.responses import ResponsesProtocol
from rollcall.providers.failures import one_line
from rollcall.providers.http_client import httpx

MAX_TOKENS = 16
"""The least that every provider's API takes (OpenAI's responses refuse fewer)."""
PROMPT = "Reply with: OK"
CUT_WORDS = "output limit was reached"
"""OpenAI's words for a model that was cut while it was still thinking."""
REASONING_TOKENS = 1024
"""For a model that thinks first, or its thoughts use the limit up before it says a word."""

_QUESTION = (Message("user", PROMPT),)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial call came to.

    Attributes:
        detail: one line: what was answered, or what the provider said instead; redacted.
        needs_responses: it answers at OpenAI's /responses only, not at /chat/completions.
    """

    outcome: Outcome
    detail: str
    needs_responses: bool = False


async def try_model(client: httpx.AsyncClient, endpoint: Endpoint, model: str) -> Tried:
    """Call a model once, and again only where it wants the same call in other words.

    Never raises for what the provider does; `endpoint.timeout_seconds` bounds each attempt.

    Args:
        client: as `open_client` gives it, for the endpoint's address.
    """
    learned = Learned()
    call = Call(model, _QUESTION, Params(max_tokens=MAX_TOKENS))
    while True:
        fitted_endpoint, fitted = learned.fit(endpoint, call)
        try:
            _, said = await complete(client, fitted_endpoint, fitted)
            outcome, detail = judge_answer(said)
        except ProviderError as error:
            if learned.learn(fitted_endpoint, fitted, error, drop=True):
                continue
            if call.params.max_tokens == MAX_TOKENS and _wants_more(error):
                call = Call(model, _QUESTION, Params(max_tokens=REASONING_TOKENS))
                continue
            outcome, detail = error.outcome, error.message or error.what
        except LLMError as error:
            outcome, detail = Outcome.REFUSED_CALL, error.what
        switched = fitted_endpoint.protocol != endpoint.protocol
        only_there = switched and isinstance(fitted_endpoint.protocol, ResponsesProtocol)
        return Tried(outcome, detail, needs_responses=only_there)


def judge_answer(said: Piece) -> tuple[Outcome, str]:
    """What a whole answer says of its model, and its words on one line.

    One cut for its length is an answer: a model that thinks may not have come to its first word.
    """
    if said.refusal or said.finish_reason == "refusal":
        return Outcome.DECLINED, one_line(said.refusal)[:100] or "the model declined"
    if said.text.strip() or said.tool_calls or said.finish_reason == "length":
        return Outcome.ANSWERED, one_line(said.text)[:100]
    return Outcome.INVALID_REPLY, "its answer is empty"


def _wants_more(error: ProviderError) -> bool:
    """Whether a model that thinks refuses because the limit does not let it say anything."""
    return error.status == 400 and (CUT_WORDS in error.message or "minimum value" in error.message)
