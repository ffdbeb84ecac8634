"""What a model is for, read from its id where the provider does not say it better.

The first line that matches decides. Ids are compared in lower case.
"""

from __future__ import annotations

import re
from typing import Final

from rollcall.catalog.model import Kind

TABLE: Final[tuple[tuple[Kind, str], ...]] = (
    (Kind.RERANK, r"rerank|\brank(er)?\b"),
    (
        Kind.EMBEDDING,
        r"embed|\b(bge|gte|e5|uae)-|(^|/)voyage-|minilm|(^|/)paraphrase-|\bbert\b",
    ),
    (Kind.MODERATION, r"moderation|guard|content-safety|shieldgemma"),
    (
        Kind.SPEECH,
        r"\btts\b|whisper|transcri|realtime|\baudio\b|speech|\basr\b|\blyria\b|\blive\b"
        r"|orpheus|cosyvoice|paraformer|native-audio|\bmusic\b|kokoro|\bvoice\b|livetranslate"
        r"|sambert|\bgummy\b|parakeet|nova-([0-9.-]+-)?sonic",
    ),
    (
        Kind.VIDEO,
        r"\bsora\b|\bveo\b|\bvideo\b|\bkling\b|hailuo|minimax-h[0-9]|seedance|happyhorse"
        r"|\b[a-z]{1,3}2v\b|gemini-omni|\banimate\b|\bvace\b|liveportrait",
    ),
    (
        Kind.IMAGE,
        r"dall-e|\bimagen?\b|nano-banana|stable-diffusion|\bsdxl\b|\bsd3|(^|[/-])flux(\b|[0-9])"
        r"|seedream|\b[it]2i\b|recraft|ideogram|riverflow|nova-canvas|playground-v[0-9]",
    ),
    (Kind.VIDEO, r"(^|/)wanx?-?v?[0-9]"),
    (
        Kind.OTHER,
        r"davinci|babbage|turbo-instruct|computer-use|\bocr\b|robotics|(^|/)aqa$|\bdecider\b",
    ),
)
"""Kind -> what its ids contain. Everything else is a model one chats with."""

_COMPILED: Final = tuple((kind, re.compile(pattern)) for kind, pattern in TABLE)
_BOUNDARY: Final = re.compile(r"\\b|\(\^\|[^)]*\)")
_ANYWHERE: Final = re.compile("|".join(_BOUNDARY.sub("", pattern) for _, pattern in TABLE))
"""The words of TABLE without their boundaries: most ids hold none, and this tells it faster."""

OUTPUTS: Final = {
    "text": Kind.CHAT,
    "embeddings": Kind.EMBEDDING,
    "embedding": Kind.EMBEDDING,
    "image": Kind.IMAGE,
    "video": Kind.VIDEO,
    "audio": Kind.SPEECH,
    "speech": Kind.SPEECH,
    "transcription": Kind.SPEECH,
    "rerank": Kind.RERANK,
}
"""A modality that comes out -> what the model is for."""


def kind_of_id(model_id: str) -> Kind:
    """What the id says the model is for."""
    word = model_id.lower()
    if not _ANYWHERE.search(word):
        return Kind.CHAT
    return next((kind for kind, pattern in _COMPILED if pattern.search(word)), Kind.CHAT)


def kind_of_outputs(outputs: tuple[str, ...]) -> Kind | None:
    """What the output modalities say; None when they say nothing known.

    A model that also gives images, video or sound is for these, not for chat.
    """
    kinds = [OUTPUTS[word] for word in outputs if word in OUTPUTS]
    special = [kind for kind in kinds if kind is not Kind.CHAT]
    return (special or kinds or [None])[0]
