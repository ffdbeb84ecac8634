"""What a call gives back, the same for every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollcall.providers.chat.call import UNKNOWN_USAGE, Usage


@dataclass(frozen=True, slots=True)
class LLMResponse:
    """One completion.

    Attributes:
        content: the text; "" where the model said nothing (see `finish_reason` and `refusal`).
        raw: the provider's reply as it came, parsed.
        provider: its name in llm_orchestrator.yaml. model: the model that answered, as the
            provider calls it.
        finish_reason: `stop`, `length`, `refusal`, or the provider's own word.
        refusal: why the model or its filter declined, where it did.
    """

    content: str
    raw: Mapping[str, Any] = field(repr=False)
    provider: str
    model: str
    usage: Usage = UNKNOWN_USAGE
    finish_reason: str = "stop"
    refusal: str | None = None
