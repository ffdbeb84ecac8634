"""The history of config.yaml: earlier texts, each a plain file that can be copied by hand.

A backup is two files: `ID.yaml`, the bytes as they were, and `ID.json`, which says when, why and
of which config. The id is a counter, the time, and the first digits of the bytes' sha256: the
counter orders backups even where the clock stands still or jumps, the digits prove the bytes even
where the description is lost.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rollcall.errors import NotFound, StoreError
from rollcall.files import read_regular, refuse_way_through_a_file, sha256_of
from rollcall.store.atomic import patiently, replace_file
from rollcall.store.disk_errors import store_error
from rollcall.store.folder import prepare_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


KEPT = 20
_NAME = re.compile(r"(?P<number>\d{6,12})-(?P<stamp>\d{0,14})-(?P<digits>[0-9a-f]{12})\.yaml")


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


@dataclass(frozen=True, slots=True)
class Backups:
    """The backups of one config.yaml.

    Args:
        folder: `.rollcall/backups/`; may hold those of other configs, too.
        config: which config these are of, as the state folder sees it; survives moving both.
        path: that config.yaml: on Windows its backups are no more open than it is.
    """

    folder: Path
    config: str
    path: Path

    def newest_first(self) -> tuple[Backup, ...]:
        """Every whole backup of this config.

        Raises:
            StoreError: the folder is there and cannot be read.
        """
        try:
            return tuple(self._described())
        except OSError as error:
            raise store_error("read", self.folder, error) from error

    def read(self, backup_id: str) -> bytes:
        """The bytes of one backup, by its id or its number alone.

        Raises:
            NotFound: no such backup. StoreError: its bytes no longer match its sha256.
        """
        return self._checked(self.find(backup_id))

    def find(self, backup_id: str) -> Backup:
        """One backup, by its id or its number alone.

        Raises:
            NotFound: no such backup.
        """
        known = self.newest_first()
        for backup in known:
            number = backup.id.split("-")[0]
            if backup_id in (backup.id, number) or backup_id.lstrip("0") == number.lstrip("0"):
                return backup
        newest = known[0].id if known else None
        raise NotFound(
            f"There is no backup {backup_id!r} of this config.",
            f"The newest is {newest}; `rollcall rollback --list` shows all."
            if newest
            else "None is kept yet: rollcall keeps one at each write.",
        )

    def add(self, content: bytes, *, created: str, reason: str) -> Kept:
        """Keep `content`, synced.

        The newest backup is used again when it holds the same bytes, so that a run that is killed
        over and over cannot push the older ones out.

        Raises:
            OSError: it could not be kept; nothing of it is left.
        """
        digest = sha256_of(content)
        files = self._files()
        newest = next(self._described(), None)
        if newest and newest.sha256 == digest and self._intact(newest):
            return Kept(newest.id, is_new=False)
        number = 1 + max((int(path.name.split("-")[0]) for path in files), default=0)
        stamp = re.sub(r"\D", "", created.split("+")[0].split(".")[0])[:14]
        backup = Backup(f"{number:06}-{stamp}-{digest[:12]}", created, digest, len(content), reason)
        self._write(backup, content)
        return Kept(backup.id, is_new=True)

    def prune(self) -> None:
        """Remove all but the last `KEPT`; what cannot be removed stays."""
        with suppress(OSError, StoreError):
            for backup in self.newest_first()[KEPT:]:
                self.discard(backup.id)

    def discard(self, backup_id: str) -> None:
        """Remove a backup, the bytes first: a description alone is none.

        Raises:
            OSError: it cannot be removed.
        """
        for suffix in (".yaml", ".json"):
            (self.folder / f"{backup_id}{suffix}").unlink(missing_ok=True)

    def _write(self, backup: Backup, content: bytes) -> None:
        """The description first: a kill in between leaves one without bytes, which is no backup."""
        prepare_part(self.folder)
        description = self.folder / f"{backup.id}.json"
        fields = {
            "schema": 1,
            "config": self.config,
            "created": backup.created,
            "reason": backup.reason,
            "sha256": backup.sha256,
            "size": backup.size,
        }
        replace_file(description, json.dumps(fields, indent=1).encode() + b"\n", synced=False)
        try:
            replace_file(self.folder / f"{backup.id}.yaml", content, access_of=self.path)
        except OSError:
            with suppress(OSError):
                description.unlink()
            raise

    def _described(self) -> Iterator[Backup]:
        for path in reversed(self._files()):
            backup = self._describe(path)
            if backup is not None:
                yield backup

    def _files(self) -> list[Path]:
        try:
            names = [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
        except FileNotFoundError:
            refuse_way_through_a_file(self.folder)
            return []
        return sorted(names, key=lambda path: (int(path.name.split("-")[0]), path.name))

    def _describe(self, path: Path) -> Backup | None:
        """One backup; None when it is another config's, or vanished meanwhile.

        Raises:
            OSError: its description is there and cannot be read: whose it is, is not known.
        """
        described = b""
        with suppress(FileNotFoundError, IsADirectoryError):
            described = patiently(lambda: read_regular(path.with_suffix(".json")))
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            fields = json.loads(described)
            if str(fields["sha256"]).startswith(path.stem[-12:]):
                mine = os.path.normcase(fields["config"]) == os.path.normcase(self.config)
                return self._from_fields(path, fields) if mine else None
        with suppress(FileNotFoundError):
            content = patiently(lambda: read_regular(path))
            stamp = path.stem.split("-")[1]
            return Backup(
                path.stem,
                _iso(stamp),
                sha256_of(content),
                len(content),
                "(its description is lost)",
            )
        return None

    @staticmethod
    def _from_fields(path: Path, fields: dict[str, object]) -> Backup:
        return Backup(
            path.stem,
            str(fields["created"]),
            str(fields["sha256"]),
            int(str(fields["size"])),
            str(fields["reason"]),
        )

    def _intact(self, backup: Backup) -> bool:
        with suppress(OSError, StoreError):
            self._checked(backup)
            return True
        return False

    def _checked(self, backup: Backup) -> bytes:
        path = self.folder / f"{backup.id}.yaml"
        try:
            content = patiently(lambda: read_regular(path))
        except OSError as error:
            raise store_error("read", path, error) from error
        digest = sha256_of(content)
        if digest != backup.sha256 or not digest.startswith(backup.id[-12:]):
            raise StoreError(
                f"The backup {backup.id} is damaged: its bytes do not match its sha256.",
                "Choose another one: `rollcall rollback --list`.",
            )
        return content


def _iso(stamp: str) -> str:
    """`20261120101112` as ISO 8601; "" where it is not a whole time."""
    if len(stamp) != len("YYYYMMDDHHMMSS"):
        return ""
    day, clock = stamp[:8], stamp[8:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"
