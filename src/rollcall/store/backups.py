"""The history of a config: earlier texts, each a plain file that can be copied by hand.

A backup is two files: `ID.yaml`, the bytes as they were, and `ID.json`, which says when, why and
of which config. The id is a counter, the time, and the first digits of the bytes' sha256: the
counter orders backups even where the clock stands still or jumps, the digits prove the bytes even
where the description is lost. They lie in `.rollcall/backups/`, or so beside a config in a store.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rollcall.errors import LostRace, NotFound, StoreError
from rollcall.files import sha256_of
from rollcall.store.shelf import BACKUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rollcall.store.shelf import Shelf


KEPT = 20
_NAME = re.compile(BACKUPS + r"/((\d{6,12})-\d{0,14}-[0-9a-f]{12})\.yaml")


@dataclass(frozen=True, slots=True)
class Backup:
    """One earlier config.yaml. `id` sorts by time; `created` is ISO 8601 UTC."""

    id: str
    created: str
    sha256: str
    size: int
    reason: str


class Kept(NamedTuple):
    """Where a text lies in the history, and whether it was not there before."""

    id: str
    is_new: bool


class Backups(NamedTuple):
    """The backups of one config.

    Args:
        shelf: where they lie.
        config: which of several configs whose backups lie there these are of, as the state folder
            sees it; survives moving both. "" = there are those of one alone.
    """

    shelf: Shelf
    config: str

    def newest_first(self) -> tuple[Backup, ...]:
        """Every whole backup of this config.

        Raises:
            StoreError: they cannot be read.
        """
        return tuple(filter(None, map(self._described, self._ids())))

    def find(self, backup_id: str) -> Backup:
        """One backup, by its id or its number alone.

        Raises:
            NotFound: no such backup. StoreError: they cannot be read.
        """
        ids = self._ids()
        for one in ids:
            number = one.split("-")[0]
            meant = backup_id in (one, number) or backup_id.lstrip("0") == number.lstrip("0")
            if meant and (found := self._described(one)):
                return found
        newest = next(self._ours(ids), None)
        raise NotFound(
            f"There is no backup {backup_id!r} of this config.",
            f"The newest is {newest}; `rollcall rollback --list` shows all."
            if newest
            else "None is kept yet: rollcall keeps one at each write.",
        )

    def read(self, backup_id: str) -> bytes:
        """The bytes of one backup, by its id or its number alone.

        Raises:
            NotFound: no such backup. StoreError: its bytes no longer match its sha256.
        """
        backup = self.find(backup_id)
        content = self._content(backup.id) or b""
        digest = sha256_of(content)
        if digest != backup.sha256 or not digest.startswith(backup.id[-12:]):
            raise StoreError(
                f"The backup {backup.id} is damaged: its bytes do not match its sha256.",
                "Choose another one: `rollcall rollback --list`.",
            )
        return content

    def add(self, content: bytes, *, created: str, reason: str) -> Kept:
        """Keep `content`.

        The newest backup is used again when it holds the same bytes, so that a run that is killed
        over and over cannot push the older ones out.

        Raises:
            StoreError: it could not be kept; nothing of it is left. LostRace: others
                write there all the time.
        """
        digest = sha256_of(content)
        ids = self._ids()
        newest = next(self._ours(ids), "")
        if newest.endswith(digest[:12]) and self._holds(newest, content):
            return Kept(newest, is_new=False)
        number = 1 + (int(ids[0].split("-")[0]) if ids else 0)
        backup_id = f"{number:06}-{re.sub(r'[^0-9]', '', created)[:14]}-{digest[:12]}"
        fields = {
            "schema": 1,
            "config": self.config,
            "created": created,
            "reason": reason,
            "sha256": digest,
            "size": len(content),
        }
        # The description first: a kill in between leaves one without bytes, which is no backup.
        parts = {"json": json.dumps(fields, indent=1).encode() + b"\n", "yaml": content}
        try:
            new = [self._put(f"{backup_id}.{ending}", text) for ending, text in parts.items()]
        except BaseException:
            with suppress(StoreError):
                self.discard(backup_id)
            raise
        return Kept(backup_id, is_new=all(new))

    def _put(self, name: str, content: bytes) -> bool:
        """Keep one part; False where it lies there already, as where another writer keeps the very
        same text, or a run that broke off began to.
        """
        try:
            self.shelf.put(f"{BACKUPS}/{name}", content, None)
        except LostRace:
            if self.shelf.get(f"{BACKUPS}/{name}") is None:
                raise
            return False
        return True

    def forget(
        self, kept: Kept | None, content: bytes, present: Callable[[], bytes | None]
    ) -> None:
        """A write that did not happen leaves no new backup of what it was to replace, unless
        another one happened instead: then it is an earlier config all the same, and the winner may
        count on it.

        Args:
            content: what was kept. present: reads what stands there now.
        """
        with suppress(StoreError):
            if kept is not None and kept.is_new and present() == content:
                self.discard(kept.id)

    def prune(self) -> None:
        """Remove all but the last `KEPT`; what cannot be removed stays."""
        with suppress(StoreError):
            for one in tuple(self._ours(self._ids()))[KEPT:]:
                self.discard(one)

    def discard(self, backup_id: str) -> None:
        """Remove a backup, the bytes first: a description alone is none.

        Raises:
            StoreError: it cannot be removed.
        """
        for ending in ("yaml", "json"):
            self.shelf.remove(f"{BACKUPS}/{backup_id}.{ending}")

    def _ids(self) -> list[str]:
        """Of all backups on the shelf, newest first."""
        found = filter(None, map(_NAME.fullmatch, self.shelf.names()))
        return [row[1] for row in sorted(found, key=lambda row: (int(row[2]), row[1]))][::-1]

    def _ours(self, ids: Iterable[str]) -> Iterator[str]:
        return (one for one in ids if not self.config or self._described(one))

    def _described(self, backup_id: str) -> Backup | None:
        """One backup; None when it is another config's, or vanished meanwhile.

        Raises:
            StoreError: its description is there and cannot be read: whose it is, is not known.
        """
        described = self.shelf.get(f"{BACKUPS}/{backup_id}.json")
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            fields = json.loads(described.content if described else b"")
            digest, size = str(fields["sha256"]), int(str(fields["size"]))
            if digest.startswith(backup_id[-12:]):
                if self.config and not _same(fields["config"], self.config):
                    return None
                created, reason = str(fields["created"]), str(fields["reason"])
                return Backup(backup_id, created, digest, size, reason)
        content = self._content(backup_id)
        if content is None:
            return None
        stamp = _iso(backup_id.split("-")[1])
        lost = "(its description is lost)"
        return Backup(backup_id, stamp, sha256_of(content), len(content), lost)

    def _content(self, backup_id: str) -> bytes | None:
        held = self.shelf.get(f"{BACKUPS}/{backup_id}.yaml")
        return held.content if held else None

    def _holds(self, backup_id: str, content: bytes) -> bool:
        with suppress(StoreError):
            return self._content(backup_id) == content
        return False


def _same(one: str, other: str) -> bool:
    return os.path.normcase(one) == os.path.normcase(other)


def _iso(stamp: str) -> str:
    """`20261120101112` as ISO 8601; "" where it is not a whole time."""
    if len(stamp) != len("YYYYMMDDHHMMSS"):
        return ""
    day, clock = stamp[:8], stamp[8:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"
