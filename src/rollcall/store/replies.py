"""A provider's last good reply as it is kept: which ones, under which name, in which bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.model import Verdict
from rollcall.files import sha256_of
from rollcall.store.shelf import packed, unpacked

if TYPE_CHECKING:
    from rollcall.catalog.model import Answer

REPLIES = "replies"


class KeptReply(NamedTuple):
    """A provider's last good reply.

    Attributes:
        pages: the bodies. fetched_at: when they first came. partial: see `Answer.partial`.
    """

    pages: tuple[bytes, ...]
    fetched_at: str
    partial: str = ""


def is_good(answer: Answer) -> bool:
    """Whether an answer's bodies are worth keeping."""
    public = answer.verdict is Verdict.NO_KEY and bool(answer.models)
    return (answer.verdict is Verdict.OK or public) and bool(answer.pages) and not answer.offline


def reply_name(provider: str) -> str:
    """A name that every file system takes: the policy may call a provider anything."""
    plain = re.sub(r"[^a-z0-9-]+", "_", provider.lower())[:40]
    digest = sha256_of(provider.encode(errors="surrogatepass"))[:8]
    return f"{plain}-{digest}.reply"


def pack_reply(answer: Answer) -> bytes:
    partial = {"partial": answer.partial} if answer.partial else {}
    return packed(answer.pages, provider=answer.provider, fetched_at=answer.fetched_at, **partial)


def unpack_reply(provider: str, content: bytes) -> KeptReply | None:
    fields, pages = unpacked(content) or ({}, ())
    if fields.get("provider") != provider:
        return None
    return KeptReply(pages, str(fields.get("fetched_at", "")), str(fields.get("partial", "")))
