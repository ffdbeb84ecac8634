"""Where small files lie, each under a version: a folder, or a place beside a config in a store."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rollcall.errors import StoreError
from rollcall.files import refuse_way_through_a_file, sha256_of
from rollcall.store.atomic import read_bytes, remove_named, replace_file
from rollcall.store.disk_errors import store_error
from rollcall.store.folder import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BACKUPS = "backups"
REPLIES = "replies"


def packed(texts: Sequence[bytes], **fields: object) -> bytes:
    """Several texts as one file: a line of JSON that says what they are and how long, then they."""
    body = b"".join(texts)
    sizes = {"pages": [len(text) for text in texts], "sha256": sha256_of(body)}
    return json.dumps({"schema": 1, **fields, **sizes}).encode() + b"\n" + body


def unpacked(content: bytes) -> tuple[dict[str, object], tuple[bytes, ...]] | None:
    """What such a file says, and its texts; None where it is damaged.

    An older rollcall's journal of a write in place has its two sizes as `old` and `new`.
    """
    header, _, body = content.partition(b"\n")
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fields = json.loads(header)
        sizes: list[int] = fields.get("pages") or [fields["old"], fields["new"]]
        whole = fields["sha256"] == sha256_of(body) and sum(sizes) == len(body)
        if fields["schema"] == 1 and whole and min(sizes) >= 0:
            ends = accumulate(sizes)
            return fields, tuple(
                body[end - size : end] for end, size in zip(ends, sizes, strict=True)
            )
    return None


class Held(NamedTuple):
    """A text and the version under which it stands; "" where there are no versions."""

    content: bytes
    version: str


class Shelf(Protocol):
    """What one run leaves for the next: earlier configs, and what it remembers."""

    def names(self) -> list[str]:
        """Of all of them. Raises StoreError."""
        ...

    def get(self, name: str) -> Held | None:
        """One of them; None where there is none. Raises StoreError."""
        ...

    def put(self, name: str, content: bytes, version: str | None) -> str:
        """Write where this version stands still, None = where nothing is; the new version.

        Raises:
            LostRace: something else stands there. StoreError: it could not be written.
        """
        ...

    def remove(self, name: str) -> None:
        """Take one away, if it is there. Raises StoreError."""
        ...


class FolderShelf:
    """Files in the state folder, or in a part of it. The last to write one wins: they have no
    versions, and need none.

    Args:
        state_dir: `.rollcall/`. folder: it, or the part of it.
        config_path: on Windows its earlier texts are no more open than it is.
    """

    def __init__(self, state_dir: Path, folder: Path, config_path: Path) -> None:
        self._state_dir, self._folder, self._config_path = state_dir, folder, config_path

    def names(self) -> list[str]:
        """Of the earlier configs, which alone are listed."""
        folder = self._folder / BACKUPS
        try:
            try:
                return [f"{BACKUPS}/{path.name}" for path in folder.iterdir()]
            except FileNotFoundError:
                refuse_way_through_a_file(folder)
                return []
        except OSError as error:
            raise store_error("read", folder, error) from error

    def get(self, name: str) -> Held | None:
        """One file. A folder of a backup's name is none."""
        try:
            content = read_bytes(self._folder / name)
        except StoreError:
            if name.startswith(BACKUPS) and (self._folder / name).is_dir():
                return None
            raise
        return None if content is None else Held(content, "")

    def put(self, name: str, content: bytes, version: str | None) -> str:  # noqa: ARG002 - as Shelf has it
        """Write one whole. An earlier config is on the disk then; after a power cut another file
        may be damaged, which is noticed, and costs a note and one more question to the providers.
        """
        path = self._folder / name
        config = self._config_path if path.suffix == ".yaml" else None
        try:
            prepare(self._state_dir)
            for folder in (self._folder, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            replace_file(path, content, access_of=config, synced=config is not None)
        except OSError as error:
            raise store_error("written", path, error) from error
        return ""

    def remove(self, name: str) -> None:
        """Take one away."""
        remove_named(self._folder / name)
