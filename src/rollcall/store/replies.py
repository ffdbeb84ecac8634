"""A provider's last good reply as it is kept: which ones, under which name, in which bytes."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog.model import Verdict
from rollcall.files import sha256_of

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
    body = b"".join(answer.pages)
    header = {
        "schema": 1,
        "provider": answer.provider,
        "fetched_at": answer.fetched_at,
        **({"partial": answer.partial} if answer.partial else {}),
        "pages": [len(page) for page in answer.pages],
        "sha256": sha256_of(body),
    }
    return json.dumps(header).encode() + b"\n" + body


def unpack_reply(provider: str, content: bytes) -> KeptReply | None:
    header, _, body = content.partition(b"\n")
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        fields = json.loads(header)
        sizes: list[int] = fields["pages"]
        whole = fields["sha256"] == sha256_of(body) and sum(sizes) == len(body)
        if fields["provider"] == provider and fields["schema"] == 1 and whole and min(sizes) >= 0:
            ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
            pages = tuple(body[end - size : end] for end, size in zip(ends, sizes, strict=True))
            return KeptReply(pages, str(fields["fetched_at"]), str(fields.get("partial", "")))
    return None
