"""The only writer: config.yaml, its backups, and the state folder. Disk.

Lock, backup, temporary file beside the target, flush, fsync, replace. A kill at any instant leaves
the old file or the new one, whole.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.errors import StoreError
from rollcall.files import MOST_TEXT_BYTES, is_file, is_foreign, sha256_of
from rollcall.store.atomic import read_bytes, real_path, sweep
from rollcall.store.config_file import (
    ConfigFile,
    InPlace,
    Written,
    changed_meanwhile,
    write_copy,
)
from rollcall.store.folder import NAME, config_folder, config_name, hold
from rollcall.store.shelf import BACKUPS, REPLIES, FolderShelf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.litellm_config.manifest import Manifest
    from rollcall.settings import Settings
    from rollcall.store.backups import Backup, Backups
    from rollcall.store.memory import Memory


_LEFT_BEHIND_SECONDS = 3600
"""State files are also written outside the lock: only old temporary files there are orphans."""


def open_store(settings: Settings) -> Store:
    """The store of the run's config: a file, or what lies at an address.

    Raises:
        StoreError: its client is missing, or `.rollcall` is somebody else's.
    """
    if settings.address is None:
        return Store(settings.config_path, settings.state_dir, settings.key)
    from rollcall.store.remote import open_remote

    return open_remote(settings)


def version_of(content: bytes) -> str:
    """What a config that is a file goes by: the first digits of its sha256, as in a backup's id."""
    return sha256_of(content)[:12] if content else ""


@dataclass(frozen=True)
class Store:
    """config.yaml and the state folder beside it.

    Args:
        config_path: the file LiteLLM reads; a symlink is followed.
        state_dir: `.rollcall/`; created 0700 on first write, with its own .gitignore.
        key: of a Kubernetes manifest with several configs in it, the one that is meant.
    """

    config_path: Path
    state_dir: Path
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse a `.rollcall` beside config.yaml that another user put there.

        Raises:
            StoreError: it is another user's. One that is named outright is trusted.
        """
        beside = self.state_dir.parent == self.config_path.parent
        if beside and self.state_dir.name == NAME and is_foreign(self.state_dir):
            raise StoreError(
                f"{self.state_dir} belongs to another user, who could have put anything there.",
                "Remove it, take it over with chown, or name another folder with --state-dir.",
            )

    @contextmanager
    def locked(self, deadline_seconds: float) -> Iterator[tuple[str, ...]]:
        """Hold the lock of this config.yaml; also completes or undoes an interrupted write.

        Yields notes for the user.

        Raises:
            LockBusy: another run has held it past `deadline_seconds`.
            StoreError: an interrupted write could not be repaired, or the path leads nowhere.
        """
        if not is_file(self._real_path):
            read_bytes(self._real_path)  # refuses a device before a folder is made beside it
        with hold(self._real_path, self.state_dir, deadline_seconds) as notes:
            yield notes + self.recover()

    def recover(self) -> tuple[str, ...]:
        """Repair what a killed run left behind; call it under the lock. Notes say what was done.

        Raises:
            StoreError: config.yaml is torn and could not be repaired.
        """
        real = self._real_path
        for name in (real.name, f"{real.name}.bak"):
            sweep(real.parent, name)
        ours = config_folder(self.config_path, self.state_dir)
        for folder in (self.state_dir, self.state_dir / BACKUPS, ours, ours / REPLIES):
            sweep(folder, older_than_seconds=_LEFT_BEHIND_SECONDS)
        return self._in_place.recover()

    @property
    def version(self) -> str:
        """Under which the store has the config that was read; "" of a file."""
        return ""

    def read_config(self) -> bytes:
        """config.yaml's bytes; b"" when there is none. Of a manifest, the config in it.

        Raises:
            StoreError: it is there and cannot be read. ConfigRefused: a manifest that holds no
                config, or several.
        """
        return self._config_in(read_bytes(self._real_path, MOST_TEXT_BYTES) or b"")

    def _config_in(self, content: bytes) -> bytes:
        manifest = self._manifest(content)
        return manifest.config if manifest else content

    def included_texts(self, data: dict[str, object]) -> tuple[tuple[str, bytes], ...]:
        """The files `include:` names, nested, each by its path from config.yaml's folder, and their
        bytes; unreadable ones left out.
        """
        from rollcall.store.includes import name_beside

        return tuple(
            (name_beside(path, self.config_path), text)
            for _, path, text in self._included(data)
            if path and text is not None
        )

    def missing_includes(self, data: dict[str, object]) -> tuple[str, ...]:
        """The paths `include:` names, nested, at which there is no file: LiteLLM does not start."""
        return tuple(entry for entry, path, _ in self._included(data) if path is None)

    def _included(self, data: dict[str, object]) -> Iterator[tuple[str, Path | None, bytes | None]]:
        """Each path as it is written, where it leads, and what is there."""
        from rollcall.store.includes import included

        return included(self.config_path, data)

    def write_config(
        self,
        content: bytes,
        *,
        expected: bytes,
        created: str,
        reason: str,
        write_to: Path | None = None,
    ) -> Written:
        """Replace config.yaml whole, keeping `expected` as config.yaml.bak and in the history.

        Args:
            expected: the bytes the plan was made from; a file that differs is left alone.
            created: ISO 8601 UTC, the backup's time. reason: for `rollback --list`.
            write_to: write there instead (config.yaml itself is only read).

        Raises:
            StoreError: nothing was written; `what` says why (disk full, read-only, changed).
        """
        real = self._real_path
        present = read_bytes(real) or b""
        manifest = self._manifest(present)
        if (manifest.config if manifest else present) != expected:
            raise changed_meanwhile(real)
        target = real if write_to is None else real_path(write_to)
        if target != real:
            return write_copy(target, content, config_path=real)
        if content == expected:
            return Written(None, changed=False)
        config = ConfigFile(real, self._backups, self._in_place)
        new = manifest.with_config(content) if manifest else content
        written = config.replace(new, present, created=created, reason=reason)
        return written._replace(version=version_of(content))

    def _manifest(self, content: bytes) -> Manifest | None:
        if b"apiVersion" not in content:
            return None
        from rollcall.litellm_config.manifest import find_manifest

        return find_manifest(content, self.key)

    def backups(self) -> tuple[Backup, ...]:
        """Earlier config.yaml files, newest first."""
        return self._backups.newest_first()

    def find_backup(self, backup_id: str) -> Backup:
        """One backup, by its id or its number alone.

        Raises:
            NotFound: no such backup.
        """
        return self._backups.find(backup_id)

    def read_backup(self, backup_id: str) -> bytes:
        """The bytes of one backup, checked against its sha256; its number alone will do, too.

        Raises:
            NotFound: no such backup. StoreError: its bytes no longer match.
        """
        return self._config_in(self._backups.read(backup_id))

    @cached_property
    def memory(self) -> Memory:
        """What one run tells the next."""
        from rollcall.store.folder_memory import FolderMemory

        return FolderMemory(self.state_dir, self.config_path)

    @property
    def _real_path(self) -> Path:
        return real_path(self.config_path)

    @property
    def _name(self) -> str:
        """This config as seen from the state folder, which several configs may share."""
        return config_name(self.config_path, self.state_dir)

    @property
    def _backups(self) -> Backups:
        from rollcall.store.backups import Backups

        shelf = FolderShelf(self.state_dir, self.state_dir, self._real_path)
        return Backups(shelf, self._name)

    @property
    def _in_place(self) -> InPlace:
        key = sha256_of(os.fsencode(self._name))[:16]
        return InPlace(self._real_path, self.state_dir / f"journal-{key}")
