"""What a model is for: what its row says outright, what comes out of it, and what its id says.

One rule for every protocol. Who says "not chat" is believed, whoever it is: the row by a word
(`mode`, `type`, `kind` ...), a flag or its endpoints, its outputs, its price, or the id. Words that
nobody has heard of count too: outputs without text are never chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rollcall.catalog.model import Kind
from rollcall.providers.rows import places

if TYPE_CHECKING:
    from rollcall.providers.rows import Places, Row


TABLE: Final[tuple[tuple[Kind, str], ...]] = (
    (Kind.RERANK, r"rerank|\brank(er)?\b"),
    (
        Kind.EMBEDDING,
        r"embed|\b(bge|gte|e5|uae)-|(^|/)voyage-|minilm|(^|/)paraphrase-|\bbert\b"
        r"|nvclip|jina-clip|(^|/)clip-|colbert",
    ),
    (Kind.MODERATION, r"moderation|guard|content-safety|shieldgemma"),
    (
        Kind.SPEECH,
        r"tts\b|ttsd|whisper|transcri|realtime|\baudio\b|speech|\basr\b|\blyria\b|\blive\b"
        r"|orpheus|cosyvoice|paraformer|native-audio|\bmusic\b|kokoro|\bvoice\b|livetranslate"
        r"|sambert|\bgummy\b|parakeet|nova-([0-9.-]+-)?sonic|sensevoice|\bsuno\b|elevenlabs"
        r"|(^|/)eleven-|\bscribe\b|(^|/)(cartesia|deepgram)/|chatterbox|playdialog|\bzonos\b",
    ),
    (
        Kind.VIDEO,
        r"\bsora\b|\bveo\b|\bvideo\b|\bkling\b|hailuo|minimax-h[0-9]|seedance|happyhorse"
        r"|\b[a-z]{1,3}2v\b|gemini-omni|\banimate\b|\bvace\b|liveportrait|cogvideo|pixverse"
        r"|\bvidu|nova-reel|(^|/)ltx-|\bmochi-1\b|(^|[/.])(luma|runway)[/.]|cosmos-predict",
    ),
    (
        Kind.IMAGE,
        r"dall-?e(\b|[0-9])|\bimag(en?|ine)\b|nano-banana|stable-?diffusion|\bsdxl\b|\bsd3"
        r"|(^|[/-])flux(\b|[0-9])"
        r"|seedream|\b[it]2i\b|recraft|ideogram|riverflow|nova-canvas|playground-v[0-9]"
        r"|\bkolors\b|midjourney|(^|/)mj-|cogview|hidream|dreamshaper|hunyuanimage"
        r"|\bstep-[0-9]x-|upscal|(^|[.])stability[.]|birefnet|\brmbg\b",
    ),
    (Kind.VIDEO, r"(^|/)wanx?-?v?[0-9]"),
    (
        Kind.OTHER,
        r"davinci|babbage|turbo-instruct|computer-use|ocr\b|robotics|(^|/)aqa$|\bdecider\b"
        r"|deep-research|\bantigravity\b|\brouter\b|(^|/)auto$",
    ),
)
"""Kind -> what its ids contain, in lower case and with dashes. Everything else is a model one chats
with.
"""

_COMPILED: Final = tuple((kind, re.compile(pattern)) for kind, pattern in TABLE)
_BOUNDARY: Final = re.compile(r"\\b|\(\^\|[^)]*\)")
_ANYWHERE: Final = re.compile("|".join(_BOUNDARY.sub("", pattern) for _, pattern in TABLE))
"""The words of TABLE without their boundaries: most ids hold none, and this tells it faster."""

_WORDS: Final[dict[Kind, str]] = {
    Kind.CHAT: "chat language llm vlm code text text-generation text-to-text chat-completion "
    "chat-completions conversational image-text-to-text responses multimodal",
    Kind.EMBEDDING: "embedding embeddings embed text-embedding text-embeddings feature-extraction "
    "text-to-embedding sentence-similarity",
    Kind.IMAGE: "image images image-generation image-edit text-to-image image-to-image",
    Kind.VIDEO: "video video-generation text-to-video image-to-video",
    Kind.SPEECH: "audio speech tts stt asr transcribe transcription audio-transcription "
    "audio-speech text-to-speech speech-to-text automatic-speech-recognition text-to-audio "
    "speech-generation realtime music",
    Kind.MODERATION: "moderation moderations guard classification classify text-classification",
    Kind.RERANK: "rerank reranker reranking text-ranking score",
    Kind.OTHER: "completion text-completion ocr search router agent vector-store upscale inpaint "
    "decision decisions reward draft-addon document",
}
WORDS: Final = {word: kind for kind, words in _WORDS.items() for word in words.split()}
"""What a row calls its kind of model, or what comes out of it -> what the model is for; compared in
lower case, with dashes.

A word that is not here says nothing: Mistral's `type` is base or fine-tuned.
"""

_PLACES: Final = places(
    "mode type kind task pipeline_tag model_type modelType task_type capabilities.type "
    "model_info.mode api domain"
)
"""Where rows call their kind of model."""

_FLAGS: Final = places(
    "supports_chat supportsChat capabilities.chat_completion capabilities.chat_completions "
    "capabilities.completion_chat capabilities.chat capabilities.inference is_chat_model"
)
"""Where rows say whether one can chat with the model: "no" is believed."""

_SPECIAL_FLAGS: Final = (
    *("moderation", "classification", "audio_transcription", "embeddings", "embedding", "rerank"),
)
"""What a model that one cannot chat with says it can: in `capabilities`."""

Modalities = tuple[str, ...] | None
"""Words such as text and image; None = the row does not say."""

_CHATTING: Final = frozenset(
    (
        *("chat", "completion", "completions", "messages", "responses", "text-generation"),
        *("tools", "tool-use", "tool-calling", "function-calling", "vision"),
    )
)
_ONLY: Final = frozenset(
    (
        *("embedding", "embeddings", "text-embedding", "rerank", "moderation", "text-to-speech"),
        *("image-generation", "text-to-image", "video-generation", "audio-transcription", "tts"),
        *("speech-generation", "transcription", "speech-to-text"),
    )
)
"""Words in a list of capabilities of a model that can do nothing else, where no word of a model
that chats stands beside them."""

_INPUTS: Final = places(
    "architecture.input_modalities input_modalities modalities.input inputModalities "
    "supported_input_modalities modalities.input_modalities"
)
_OUTPUTS: Final = places(
    "architecture.output_modalities output_modalities modalities.output outputModalities "
    "supported_output_modalities modalities.output_modalities"
)
_ENDPOINTS: Final = places(
    "endpoints supported_endpoints supportedEndpoints supported_endpoint_types"
)
_TALKS: Final = re.compile(
    r"chat|responses|messages|generate"
    r"|^(openai|anthropic|claude|gemini|google-gemini)(-response)?$",
    re.IGNORECASE,
)
"""Endpoints one talks to: paths, or the protocols that new-api calls its endpoint types."""
_RESPONDS: Final = re.compile(r"\bresponses?$", re.IGNORECASE)
_TOKENIZERS: Final = places("architecture.tokenizer tokenizer")
_ROUTER: Final = "router"
_OPEN: Final = ("-1", "-1.0")
"""A price that varies."""


def kind_of(row: Row, model_id: str) -> Kind:
    """What a model is for, by its row, its outputs among it, and by its id."""
    if row.once(is_router):
        return Kind.OTHER
    by_id, special = kind_of_id(model_id), row.once(_special)
    if not special:
        return by_id
    known = [kind for kind in (*special, by_id) if kind not in (Kind.CHAT, Kind.OTHER)]
    return known[0] if known else Kind.OTHER


def only_responds(row: Row) -> bool:
    """Whether a row says that its model is called at `/responses`, and at no other endpoint."""
    for place in row.present(_ENDPOINTS):
        talks = [path for path in row.words(*place) or () if _TALKS.search(path)]
        if talks:
            return all(_RESPONDS.search(path) for path in talks)
    return False


def is_router(row: Row) -> bool:
    """Whether it chooses a model by itself: its tokenizer says so, or its price is open (-1)."""
    for place in row.present(_TOKENIZERS):
        if str(row.value(*place)).lower() == _ROUTER:
            # A moving id goes through one, too, and says whom it names.
            return not row.value("alias_target")
    prices = (row.value("pricing", "prompt"), row.value("pricing", "completion"))
    return str(prices[0]) in _OPEN and str(prices[1]) in _OPEN


def _special(row: Row) -> list[Kind]:
    """What else than chatting a row says it is for."""
    return [kind for kind in _said(row) if kind is not Kind.CHAT]


def _said(row: Row) -> Iterator[Kind]:
    """Everything a row says of what it is for."""
    for place in row.present(_PLACES):
        text = row.text(*place)
        words = [text] if text else row.words(*place) or []
        kinds = [kind for word in words if (kind := _kind_of_word(plain_word(word)))]
        if Kind.CHAT not in kinds:
            yield from kinds
    can = {plain_word(word) for word in row.words("capabilities") or ()}
    if can and can.isdisjoint(_CHATTING):
        yield from (WORDS[word] for word in sorted(can & _ONLY))
    if not all(row.flags(_FLAGS)):
        can_only = (word for word in _SPECIAL_FLAGS if row.flag("capabilities", word))
        yield next((WORDS[plain_word(word)] for word in can_only), Kind.OTHER)
    for place in row.present(_ENDPOINTS):
        paths = row.words(*place)
        if paths and not any(map(_TALKS.search, paths)):
            words = [path.rstrip("/").rpartition("/")[2].lower() for path in paths]
            named = [WORDS.get(word) or kind_of_id(word) for word in words]
            yield next((kind for kind in named if kind is not Kind.CHAT), Kind.OTHER)
    outputs = modalities(row)[1]
    if outputs and (kind := kind_of_outputs(outputs)):
        yield kind


def _kind_of_word(word: str) -> Kind | None:
    if word.startswith("flumina"):  # Fireworks' word for image models
        return Kind.IMAGE
    if word.startswith("embedding"):
        return Kind.EMBEDDING
    return WORDS.get(word)


def plain_word(word: str) -> str:
    """A word of a row as ours are written: in lower case, with dashes."""
    return word.strip().lower().replace("_", "-").replace(" ", "-")


def modalities(row: Row) -> tuple[Modalities, Modalities]:
    """What goes in and what comes out, where a row says so; `text+image->text` says both."""
    return row.once(_modalities)


def _modalities(row: Row) -> tuple[Modalities, Modalities]:
    into, out = _words(row, _INPUTS), _words(row, _OUTPUTS)
    if into and out:
        return into, out
    arrow = row.text("architecture", "modality") or row.text("modality") or ""
    if "->" in arrow:
        left, _, right = (part.strip() for part in arrow.partition("->"))
        into, out = into or tuple(left.split("+")), out or tuple(right.split("+"))
    return into, out


def _words(row: Row, where: Places) -> Modalities:
    """A list of words, or a text that holds them."""
    for place in row.present(where):
        text = row.text(*place)
        if found := tuple(re.findall(r"[\w-]+", text)) if text else row.words(*place):
            return found
    return None


@lru_cache(maxsize=4096)
def kind_of_id(model_id: str) -> Kind:
    """What the id says the model is for."""
    word = model_id.lower().replace("_", "-")
    if not _ANYWHERE.search(word):
        return Kind.CHAT
    return next((kind for kind, pattern in _COMPILED if pattern.search(word)), Kind.CHAT)


def kind_of_outputs(outputs: tuple[str, ...]) -> Kind | None:
    """What the output modalities say; None when there are none.

    A model that also gives images, video or sound is for these, not for chat; one that gives no
    text is never for chat, also when nobody knows the word.
    """
    words = [word.strip().lower() for word in outputs if word.strip()]
    for word in words:
        if (kind := WORDS.get(word, Kind.CHAT)) not in (Kind.CHAT, Kind.OTHER):
            return kind
    if not words:
        return None
    return Kind.CHAT if "text" in words else Kind.OTHER
