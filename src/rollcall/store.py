"""The only writer: config.yaml, its backups, and the state folder. Disk.

Lock, backup, temporary file beside the target, flush, fsync, replace. A kill at any instant leaves
the old file or the new one, whole.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollcall.catalog import Answer
    from rollcall.state import State


@dataclass(frozen=True, slots=True)
class Backup:
    """One earlier config.yaml. `id` sorts by time; `created` is ISO 8601 UTC."""

    id: str
    created: str
    sha256: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did. `notes` are for the user (a weaker promise, a backup that failed)."""

    backup_id: str | None
    in_place: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Store:
    """config.yaml and the state folder beside it.

    Args:
        config_path: the file LiteLLM reads; a symlink is followed.
        state_dir: `.rollcall/`; created 0700 on first write, with its own .gitignore.
    """

    config_path: Path
    state_dir: Path

    def locked(self, deadline_seconds: float) -> AbstractContextManager[None]:
        """Hold the lock of this config.yaml; also completes or undoes an interrupted write.

        Raises:
            LockBusy: another run has held it past `deadline_seconds`.
        """
        raise NotImplementedError

    def read_config(self) -> bytes:
        """config.yaml's bytes; b"" when there is none.

        Raises:
            StoreError: it is there and cannot be read.
        """
        raise NotImplementedError

    def read_includes(self, data: dict[str, object]) -> tuple[bytes, ...]:
        """The files config.yaml's `include:` names, nested, as bytes; unreadable ones left out."""
        raise NotImplementedError

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
        raise NotImplementedError

    def backups(self) -> tuple[Backup, ...]:
        """Earlier config.yaml files, newest first."""
        raise NotImplementedError

    def read_backup(self, backup_id: str) -> bytes:
        """The bytes of one backup, checked against its sha256.

        Raises:
            NotFound: no such backup. StoreError: its bytes no longer match.
        """
        raise NotImplementedError

    def read_state(self) -> tuple[State, tuple[str, ...]]:
        """The state and notes; a missing, corrupt or newer one is a fresh State and a note."""
        raise NotImplementedError

    def write_state(self, state: State) -> tuple[str, ...]:
        """Keep the state; a folder that cannot be written is a note, never an error."""
        raise NotImplementedError

    def write_replies(self, answers: tuple[Answer, ...]) -> tuple[str, ...]:
        """Keep the bodies of good answers for offline runs; unchanged ones are not rewritten."""
        raise NotImplementedError

    def read_replies(self, provider: str) -> tuple[tuple[bytes, ...], str] | None:
        """The last good bodies of one provider and when they came (ISO 8601 UTC), if kept."""
        raise NotImplementedError
