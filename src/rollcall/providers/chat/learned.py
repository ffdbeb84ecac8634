"""What models turned out to need: another address, another name for the limit, fewer parameters.
Learned from their refusals, so that a call that can be put in other words is, once. Pure but for
its memory.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from rollcall.providers.chat.call import Call
from rollcall.providers.chat.endpoint import Endpoint
from rollcall.providers.chat.errors import Outcome, ProviderError
from rollcall.providers.chat.openai import OpenAIProtocol
from rollcall.providers.chat.responses import ResponsesProtocol

SAMPLING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "topK",
    "min_p",
    "top_a",
    "presence_penalty",
    "presencePenalty",
    "frequency_penalty",
    "frequencyPenalty",
    "repetition_penalty",
    "seed",
)
"""Parameters that only change how a model picks its words: an answer without them is one, too."""

_VERSION: Final = re.compile(r"/v\d")
_Place = tuple[str, str]


class Learned:
    """Keeps what was learned for the life of whoever makes the calls. Safe for threads."""

    def __init__(self) -> None:
        self._bases: dict[str, str] = {}
        self._protocols: dict[_Place, OpenAIProtocol | ResponsesProtocol] = {}
        self._dropped: dict[_Place, tuple[str, ...]] = {}

    def fit(self, endpoint: Endpoint, call: Call) -> tuple[Endpoint, Call]:
        """The call in the words that its model takes, as far as they are known."""
        if base := self._bases.get(endpoint.base_url):
            endpoint = replace(endpoint, base_url=base)
        place = (endpoint.base_url, call.model)
        protocol = self._protocols.get(place)
        if protocol is not None:
            endpoint = replace(endpoint, protocol=protocol)
        dropped = self._dropped.get(place, ())
        return endpoint, replace(call, params=call.params.without(dropped)) if dropped else call

    def dropped(self, endpoint: Endpoint, call: Call) -> tuple[str, ...]:
        """Which of the call's parameters are left out."""
        given, base = call.params.names, endpoint.base_url
        dropped = self._dropped.get((self._bases.get(base, base), call.model), ())
        return tuple(name for name in dropped if name in given)

    def learn(self, endpoint: Endpoint, call: Call, error: ProviderError, *, drop: bool) -> str:
        """What a refusal of a fitted call teaches, in words; "" where it teaches nothing new.

        Args:
            drop: whether a refused sampling parameter may be left out.
        """
        place, protocol = (endpoint.base_url, call.model), endpoint.protocol
        if isinstance(protocol, ResponsesProtocol) and error.outcome is Outcome.WRONG_ENDPOINT:
            self._protocols.pop(place, None)  # it was no better there
        if isinstance(protocol, OpenAIProtocol):
            if error.outcome is Outcome.WRONG_ENDPOINT and "responses" in error.message.lower():
                self._protocols[place] = ResponsesProtocol()
                return f"{call.model} answers at /responses only"
            base = endpoint.base_url
            if error.outcome is Outcome.WRONG_ENDPOINT and not _VERSION.search(base):
                self._bases[base] = f"{base}/v1"
                return f"it is called at {base}/v1, as {base} answers no calls"
            if error.outcome is Outcome.WRONG_ENDPOINT:
                self._bases.pop(base.removesuffix("/v1"), None)  # it was no better there
            other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
            limit = next((name for name in error.params if name in other), "")
            if limit and place not in self._protocols and other[limit] in error.message:
                newer = limit == "max_tokens"
                self._protocols[place] = replace(protocol, completion_limit=newer)
                return f"{call.model} calls its limit {other[limit]}"
        named = ["top_p" if name == "topP" else name for name in error.params]
        refused = [name for name in SAMPLING if drop and name in named]
        if len(refused) > 1 and "both" in error.message:
            refused = refused[1:]
        if not refused:
            return ""
        self._dropped[place] = (*self._dropped.get(place, ()), *refused)
        return f"{call.model} does not take {' and '.join(refused)}: left out"
