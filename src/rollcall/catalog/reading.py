"""Reads a model id: maker, family, version, date, stage, variant.

Author, `models/`, `~` and `:suffix` come off first, then the date. What is left is words and
numbers: the first number is the version, a later one a revision, the words are the family.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from rollcall.catalog import names
from rollcall.catalog.names import canonical_maker, maker_of_family

_LAYOUTS = ("YYYY-MM-DD", "YYYYMMDD", "MM-YYYY", "YYYY-MM", "YYMMDD", "YYMM", "MMDD", "MM-DD")
"""The forms of a date in an id, a longer one before what it contains."""
_FIELDS = {
    "YYYY": "20[0-9]{2}",
    "YY": "[23][0-9]",
    "MM": "(?:0[1-9]|1[0-2])",
    "DD": "(?:0[1-9]|[12][0-9]|3[01])",
}
_DATE = re.compile(
    "(?<![a-z0-9.])(?:"
    + "|".join(
        f"({re.sub('Y+|M+|D+', lambda match: _FIELDS[match[0]], layout)})" for layout in _LAYOUTS
    )
    + ")(?![a-z0-9.])"
)


def without_date(name: str) -> tuple[str, date | None, str]:
    """The name without its first date stamp, the day it means (None without a year), the stamp."""
    for match in _DATE.finditer(name):
        layout, text = _LAYOUTS[(match.lastindex or 1) - 1], match[0]
        year, month, day = (
            "".join(c for c, field in zip(text, layout, strict=True) if field == letter)
            for letter in "YMD"
        )
        try:
            stamp = date(int(year[-2:] or 4) + 2000, int(month), int(day or 1))
        except ValueError:  # the 30th of February
            continue
        rest = f"{name[: match.start()]}--{name[match.end() :]}"
        return rest, stamp if year else None, text
    return name, None, ""


class Stage(StrEnum):
    """How finished the maker says a model is."""

    STABLE = "stable"
    PREVIEW = "preview"
    EXPERIMENTAL = "experimental"


class Reading(NamedTuple):
    """How an id is read.

    Attributes:
        maker: canonical maker (``anthropic``, ``google``, ``xai``...), None if nothing tells.
        family: e.g. ``claude-sonnet``; "" (an id without a letter or digit) is never a family.
        version: for people, e.g. ``4.5``; "" = unversioned. revision: e.g. ``001``; "" = none.
        stamp: the full date in the id, if it has one; month stamps count as their first day.
        stamp_text: the stamp as it stands in the id (``0309``, ``2411``, ``20250929``), or "".
        variant: ``free``, ``batch``, ``thinking``... what stands behind the colon, or None. The
            tags of local servers (``qwen3:8b``, ``llama3.2:latest``) are no variants: a size is
            part of the family, and ``:latest`` is only the tag one gets without asking.
        moving: the id says latest: it changes its target over time, and is never a candidate.
    """

    id: str
    maker: str | None
    family: str
    version: str
    revision: str
    stamp: date | None
    stamp_text: str
    stage: Stage
    variant: str | None
    moving: bool

    @property
    def dated(self) -> bool:
        """Whether the id carries a date stamp (a snapshot)."""
        return bool(self.stamp_text)


@lru_cache(maxsize=32_768)
def read(model_id: str, *, maker: str | None = None) -> Reading:
    """Read an id of any provider; `maker` is what the provider says where the id does not.

    Total: never raises, whatever the string. Cached.
    """
    author, name, variant = _apart(model_id)
    rest, stamp, stamp_text = without_date(_PRECISION.sub("", name))
    parts = _Parts(_BREAKS.split(rest))
    family = "-".join(_family_words(parts.words) or parts.all)
    made_by = _maker(family, author or maker or "")
    return Reading(
        id=model_id,
        maker=made_by,
        family=family,
        version=_version(parts.numbers[0], family, made_by) if parts.numbers else "",
        revision="-".join(parts.numbers[1:]),
        stamp=stamp,
        stamp_text=stamp_text,
        stage=parts.stage,
        variant=variant,
        moving=parts.moving or model_id.lstrip().startswith("~"),
    )


def author_of(model_id: str) -> str | None:
    """The maker the id itself names (`x-ai/grok-4.6` -> `xai`), in its canonical form, or None."""
    return names.canonical_maker(_apart(model_id)[0]) or None


# --- the parts around the name ---

_FILE = re.compile(r"[/.\\]|[a-z]:[\\/]")
_FILE_ENDING = re.compile(r"\.(?:gguf|safetensors|bin)$")
_SIZE_FIRST = re.compile(r"[0-9]+(?:\.[0-9]+)?[bm](?![a-z0-9])")
_LOCAL_TAG = re.compile(
    r"(?:e?[0-9]+(?:\.[0-9]+)?(?:x[0-9]+)?[bmt]|i?q[1-8](?:_.*)?|fp?16|v[0-9][0-9.]*"
    r"|instruct|chat|text|code|base)(?![a-z0-9])"
)
_BEDROCK_MAKER = re.compile(r"(?:[a-z]{2,6}(?:-gov)?\.)?([a-z0-9]+)\.(?=[a-z])")
_NAMELESS = re.compile(r"[vr][0-9]")
_REGION = re.compile(r"@([a-z][a-z0-9-]*)$")
"""`gemini-2.5-pro@europe-west1`: the same model, at one place."""
_BEDROCK_SUFFIX = re.compile(r"[0-9]+(?::[0-9a-z]+)?")
_BEDROCK_REVISION = re.compile(r"-v?[0-9]+$")


def _apart(model_id: str) -> tuple[str, str, str | None]:
    """Author ("" = none), bare name and variant, all in lower case."""
    plain = model_id.strip().lower().removeprefix("hf:")
    if _FILE.match(plain) or _FILE_ENDING.search(plain):
        return "", _file_name(plain), None
    if plain.startswith("ft:"):
        base, _, owner = plain[3:].partition(":")
        return "", base, owner or None
    *path, last = plain.split("/")
    name, _, suffix = last.partition(":")
    author = next((part for part in reversed(path) if part not in names.CONTAINERS), "")
    if (match := _BEDROCK_MAKER.match(name)) and match[1] in names.MAKER_OF_NAME:
        author, name = author or match[1], name[match.end() :]
        if _NAMELESS.match(name):  # `deepseek.v3.2`: the maker's word is the head
            name = f"{match[1]}-{name}"
    name, variant = _with_tag(name.removesuffix("@default"), suffix)
    if match := _REGION.search(name):
        name, variant = name[: match.start()], variant or match[1]
    if author.startswith("@") and author[1:] not in names.MAKER_OF_NAME:  # a key's name (Portkey)
        author = ""
    return author.lstrip("~@"), name, variant


def _file_name(path: str) -> str:
    """The model's name in a path; the folder's too where the file's begins with a size."""
    *folders, name = re.split(r"[\\/]", _FILE_ENDING.sub("", path))
    return f"{folders[-1]}-{name}" if folders and _SIZE_FIRST.match(name) else name


def _with_tag(name: str, suffix: str) -> tuple[str, str | None]:
    """What stands behind the colon: a part of the name, nothing at all, or a variant."""
    if suffix in ("", "latest"):
        return name, None
    if _BEDROCK_SUFFIX.fullmatch(suffix):  # `-v1:0`; where there is no other number, the version
        shorter = _BEDROCK_REVISION.sub("", name)
        return shorter if any(map(str.isdigit, shorter)) else name, None
    if _LOCAL_TAG.match(suffix):
        return f"{name}-{suffix}", None
    return name, suffix


# --- words and numbers ---

_FAR_VERSION = 20
"""No maker whose heads are known is anywhere near it."""


def _version(number: str, family: str, maker: str | None) -> str:
    """A version for people: that of `claude-opus-45`, and of `gpt-35-turbo`, lacks its dot."""
    far = len(number) == 2 and number.isdigit() and int(number) >= _FAR_VERSION
    if far and maker is not None and maker == names.maker_of_family(family):
        return f"{number[0]}.{number[1]}"
    return number


_PRECISION = re.compile(
    r"[-_.](?:ud-)?(?:i?q[1-8](?:(?:_[0-9a-z]{1,4}){1,2}|k?[mslx]{0,2})|w[48]a(?:8|16)"
    r"|bf16|fp?16|fp?32|(?:nv|mx)?fp[48]|int[48]|[48]bit|awq|gptq|exl[23]|gguf|ggml|mlx)"
    r"(?=$|[-_.])"
)
"""How weights were rounded: the same model, so no part of its family."""
_BREAKS = re.compile(r"[^\w.]|_")
_NUMBER = r"[0-9]{1,3}(?:[.p][0-9]{1,3})*"
_NUMBER_ALONE = re.compile(_NUMBER)
_NUMBER_MARKED = re.compile(rf"([vkmo])({_NUMBER})")
_LLAMA_FIRST = re.compile(rf"l({_NUMBER})")
"""`l3.3-euryale`: the Llama a model was made from."""
_NUMBER_GLUED = re.compile(rf"(?:([a-z]{{2,}})\.?|([a-z])\.)({_NUMBER})([a-z]{{2,}})?")
_NUMBER_BEFORE_V = re.compile(r"([0-9]{1,2}(?:[.p][0-9]{1,2})?)v")
"""`glm-4.5v`: the version of a model that sees."""
_LETTER_GLUED = re.compile(r"([a-z]{2,})([0-9]{1,3}(?:\.[0-9]{1,3})?[a-z])")
_SIZE_WITH_P = re.compile(r"[0-9]+p[0-9]+[bmtv]")
_CANDIDATE = re.compile(r"rc[0-9]{0,2}")


class _Parts:
    """A name's words, numbers and stage, told apart token by token."""

    def __init__(self, tokens: list[str]) -> None:
        self.all = [token.strip(".") for token in tokens if token.strip(".")]
        self.words: list[str] = []
        self.numbers: list[str] = []
        self.stage = Stage.STABLE
        self.moving = False
        self._joinable = False
        for token in tokens:
            self._take(token.strip("."))

    def _take(self, token: str) -> None:
        joinable, self._joinable = self._joinable, False
        if _CANDIDATE.fullmatch(token):
            self._word("rc")
        elif match := _NUMBER_BEFORE_V.fullmatch(token):
            self._number(match[1])
            self._word("v")
        elif _SIZE_WITH_P.fullmatch(token):
            self._word(token.replace("p", "."))
        elif _NUMBER_ALONE.fullmatch(token):
            self._number(token, joinable=joinable)
        elif not self.words and (match := _LLAMA_FIRST.fullmatch(token)):
            self.words.append("l")
            self._number(match[1])
        elif match := _NUMBER_MARKED.fullmatch(token):
            if not self.words:  # `o3`: there is no other name
                self.words.append(match[1])
            self._number(match[2])
        elif match := _NUMBER_GLUED.fullmatch(token):
            self._word(match[1] or match[2])
            self._number(match[3])
            self._word(match[4] or "")
        elif match := _LETTER_GLUED.fullmatch(token):
            self.words += [match[1], match[2]]
        else:
            self._word(token)

    def _number(self, text: str, *, joinable: bool = False) -> None:
        """Keep a number; `4-5` is 4.5, but `4-05` is two numbers."""
        if joinable and len(text) <= 2 and (text == "0" or not text.startswith("0")):
            self.numbers[-1] += f".{text}"
            return
        self._joinable = len(text) == 1
        self.numbers.append(text.replace("p", "."))

    def _word(self, word: str) -> None:
        if word == names.MOVING_WORD:
            self.moving = True
        elif word in names.EXPERIMENTAL_WORDS:
            self.stage = Stage.EXPERIMENTAL
        elif word in names.PREVIEW_WORDS:
            if self.stage is Stage.STABLE:
                self.stage = Stage.PREVIEW
        elif word:
            self._joinable = False
            self.words.append(word)


def _family_words(words: list[str]) -> list[str]:
    """Without code names, and without the maker's name before its own head (`meta-llama`)."""
    for count in (1, 2, 1):  # `databricks-meta-llama`, `zai-org-glm`
        if len(words) > count and _is_makers_name("-".join(words[:count]), words[count]):
            words = words[count:]
    silent = names.CODE_NAMES.get(words[0], ()) if words else ()
    return [word for word in words if word not in silent]


def _is_makers_name(first: str, second: str) -> bool:
    """Whether `first` only says who made or serves `second`: it is no head itself, alone or with
    it.
    """
    if first in names.MAKER_OF_HEAD or f"{first}-{second}" in names.MAKER_OF_HEAD:
        return False
    if first in names.HOSTS and first not in names.MAKER_OF_NAME:
        return second in names.MAKER_OF_HEAD or second in names.MAKER_OF_NAME
    maker = names.MAKER_OF_NAME.get(first)
    return maker is not None and maker == names.MAKER_OF_HEAD.get(second)


def _maker(family: str, stated: str) -> str | None:
    """Whose model it is: the stated maker, or its head's where only a host is stated.

    A bare name with nobody stated (a local server) belongs to the maker its head tells.
    """
    of_head = names.maker_of_family(family)
    name = names.plain_name(stated)
    if name in names.NOBODY or "@" in name:  # or an address for mail
        return of_head
    maker = names.canonical_maker(name)
    own_words = any(names.MAKER_OF_HEAD.get(word) == maker for word in family.split("-"))
    return of_head or maker if name in names.HOSTS and not own_words else maker


def is_family(reading: Reading, name: str) -> bool:
    """Whether `name` (``claude-sonnet``, ``deepseek/deepseek-chat``) names the reading's family.

    A family belongs to its maker: a plain name whose head is well known means that maker's only,
    so ``acme/claude-sonnet-99`` is no ``claude-sonnet``; ``vendor/family`` says it outright, where
    the vendor is the maker or the author in the id. A plain name nobody owns matches any maker's.
    """
    vendor, _, family = name.strip().lower().rpartition("/")
    if not family or family != reading.family:
        return False
    if vendor:  # by any of its names: who made the model, or stands in its id
        return canonical_maker(vendor) in (reading.maker, author_of(reading.id))
    owner = maker_of_family(family)
    return owner is None or owner == reading.maker
