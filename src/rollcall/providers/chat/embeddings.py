"""Embeddings: texts as lists of numbers, in OpenAI's protocol and in Google's. Pure."""

from __future__ import annotations

from array import array
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import quote

from rollcall.providers.bodies import items, mapping, text, tokens
from rollcall.providers.chat.answer import UNKNOWN_USAGE, UnexpectedShape, Usage
from rollcall.providers.chat.call import WireRequest
from rollcall.providers.chat.errors import InvalidMessages

Vector = list[float]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What a reply gives: a list of numbers for each text, in the order of the texts."""

    vectors: list[Vector]
    model: str = ""
    usage: Usage = UNKNOWN_USAGE


class EmbeddingProtocol(Protocol):
    """How one kind of provider embeds; `parse` raises UnexpectedShape."""

    def request(self, model: str, texts: Sequence[str], params: Mapping[str, Any]) -> WireRequest:
        """The request for these texts."""

    def parse(self, raw: Mapping[str, Any]) -> Embeddings:
        """What a reply gives."""


@dataclass(frozen=True, slots=True)
class OpenAIEmbeddings:
    """`POST /embeddings`.

    Attributes:
        packed: what a vector given as base64 holds: `f` 32-bit floats, `b` 8-bit integers.
    """

    path: str = "/embeddings"
    packed: Literal["f", "b"] = "f"

    def request(self, model: str, texts: Sequence[str], params: Mapping[str, Any]) -> WireRequest:
        """All texts at once; parameters (`dimensions`) as they are."""
        return WireRequest(self.path, {"model": model, "input": list(texts), **params})

    def parse(self, raw: Mapping[str, Any]) -> Embeddings:
        """The rows by their index."""
        rows = items(raw.get("data"))
        if not rows:
            raise UnexpectedShape("it has no `data`")
        rows = sorted(rows, key=lambda row: tokens(row.get("index")) or 0)
        usage = mapping(raw.get("usage"))
        return Embeddings(
            [_vector(row.get("embedding"), self.packed) for row in rows],
            text(raw.get("model")),
            Usage(tokens(usage.get("prompt_tokens"))),
        )


class GeminiEmbeddings:
    """`POST /models/{model}:batchEmbedContents`."""

    def request(self, model: str, texts: Sequence[str], params: Mapping[str, Any]) -> WireRequest:
        """One request per text, sent together; `dimensions` is Google's `outputDimensionality`."""
        given = dict(params)
        if "dimensions" in given:
            given["outputDimensionality"] = given.pop("dimensions")
        name = model.removeprefix("models/")
        requests = [
            {"model": f"models/{name}", "content": {"parts": [{"text": one}]}, **given}
            for one in texts
        ]
        path = f"/models/{quote(name, safe='')}:batchEmbedContents"
        return WireRequest(path, {"requests": requests})

    def parse(self, raw: Mapping[str, Any]) -> Embeddings:
        """The embeddings in the order asked."""
        rows = items(raw.get("embeddings"))
        if not rows:
            raise UnexpectedShape("it has no `embeddings`")
        return Embeddings([_vector(row.get("values")) for row in rows])


def _vector(given: Any, packed: Literal["f", "b"] = "f") -> Vector:
    if isinstance(given, str):
        try:
            return [float(number) for number in array(packed, b64decode(given, validate=True))]
        except ValueError:
            raise UnexpectedShape("an embedding is no base64") from None
    numbers = given if isinstance(given, list) else []
    if not numbers or not all(isinstance(one, int | float) for one in numbers):
        raise UnexpectedShape("an embedding is no list of numbers")
    return numbers


def read_inputs(inputs: str | Iterable[str]) -> list[str]:
    """The texts to embed; one text is a list of one.

    Raises:
        InvalidMessages: there is none, or something that is no text.
    """
    texts = [inputs] if isinstance(inputs, str) else list(inputs)
    if not texts or not all(isinstance(one, str) and one for one in texts):
        raise InvalidMessages(
            "`inputs` is empty, or holds something that is no text.",
            'Pass a text, or a list of texts: ["..."].',
        )
    return texts
