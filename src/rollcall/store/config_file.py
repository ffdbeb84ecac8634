"""config.yaml replaced whole, or written in place where it cannot be replaced.

The weaker promise: for a moment readers can see half of it. A journal, synced before the first
byte is touched, holds both texts, so that whoever comes next can tell a torn file from one that a
person has edited since, and undo it.

What needs space or permission comes before anything changes, so that a full disk is noticed while
the old file is still the only one.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NamedTuple

from rollcall.errors import StoreError
from rollcall.store.atomic import (
    SHARED,
    Staged,
    overwrite,
    patiently,
    read_bytes,
    replace_file,
    stage,
    sync_folder,
    write_named,
)
from rollcall.store.disk_errors import (
    NO_PLACE,
    UNWRITABLE,
    cannot_be_replaced,
    hint_for,
    is_in_use,
    store_error,
    words,
)
from rollcall.store.folder import prepare
from rollcall.store.shelf import BACKUPS, packed, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from rollcall.store.backups import Backups, Kept


class InPlace(NamedTuple):
    """In-place writes of one file, and what a later run does about an interrupted one.

    States on disk: no journal (nothing going on) -> journal (a write is going on; the file is old,
    torn or new) -> no journal. A reader of the journal decides by the file's bytes: new is done,
    old never began, each byte the old or the new one's is torn and undone, anything else is a
    person's and stays.
    """

    path: Path
    journal: Path

    def write(self, old: bytes, new: bytes) -> None:
        """Write `new` over `old`.

        Raises:
            OSError: the file holds `old` again; or it is torn, the journal is still there, and
                the next run repairs it.
        """
        os.close(patiently(lambda: os.open(self.path, os.O_RDWR)))  # shut out: nothing is begun
        prepare(self.journal.parent)
        replace_file(self.journal, packed((old, new)), access_of=self.path)
        try:
            overwrite(self.path, new)
        except BaseException:
            with suppress(OSError, StoreError):
                if read_bytes(self.path) != old:
                    overwrite(self.path, old)
                self.journal.unlink()
            raise
        with suppress(OSError):  # one that stays is settled by the next run: the file is new
            self.journal.unlink()

    def recover(self) -> tuple[str, ...]:
        """Finish with what an interrupted write left behind; notes say what was done.

        Raises:
            StoreError: the file is torn and could not be repaired.
        """
        journal = None
        with suppress(StoreError):  # a state folder we cannot read holds no journal of ours
            journal = read_bytes(self.journal)
        if journal is None:
            return ()
        if whole := unpacked(journal):
            old, new = whole[1]
            note = self._settle(old, new)
            with suppress(OSError):
                self.journal.unlink()
            return (note,)
        aside = self.journal.with_name(f"broken-{self.journal.name}")
        with suppress(OSError):  # a person may find in it what a torn file has lost
            self.journal.replace(aside)
        return (f"A damaged journal of a write of {self.path} was put aside as {aside}.",)

    def _settle(self, old: bytes, new: bytes) -> str:
        present = read_bytes(self.path)
        if present == new:
            return f"An interrupted write of {self.path} turned out to be complete."
        if present == old:
            return f"An interrupted write of {self.path} had not begun: it is as it was."
        if present is None or not _torn(present, old, new):
            return f"{self.path} was edited since a write was interrupted: it stays as it is."
        try:
            overwrite(self.path, old)
        except OSError as error:
            raise StoreError(
                f"{self.path} is half-written: a write was interrupted, and undoing it failed "
                f"({store_error('written', self.path, error).what})",
                f"Its earlier text is in {self.journal.parent / BACKUPS}.",
            ) from error
        return f"A write of {self.path} was interrupted: its earlier text was put back."


def _torn(present: bytes, old: bytes, new: bytes) -> bool:
    """Whether it can only be a write of ours that stopped half-way.

    Its length is one the write passes through, and every byte is the old one's, the new one's, or
    zero (of a page that never reached the disk).
    """
    length = max(len(old), len(new))
    passed_through = len(present) in (len(old), len(new)) or len(old) < len(present) < len(new)
    rows = zip(present, old.ljust(length, b"\0"), new.ljust(length, b"\0"), strict=False)
    return passed_through and all(byte in (0, was, will) for byte, was, will in rows)


_MOUNTED = "a single mounted file?"
_OPEN = "another program has it open"


def _in_place_note(why: str) -> str:
    return (
        f"config.yaml could not be replaced whole ({why}) and was written in place: readers can "
        "see half of it for a moment, and a kill in that moment is repaired by the next run only. "
        + ("Close it there." if why == _OPEN else "Mount its folder instead of the file.")
    )


class Written(NamedTuple):
    """What a write did. `notes` are for the user (a weaker promise, a backup that failed).

    `changed` is False where the very bytes were there already; `version` is the store's for them.
    """

    backup_id: str | None
    in_place: bool = False
    notes: tuple[str, ...] = ()
    changed: bool = True
    version: str = ""


def changed_meanwhile(path: Path) -> StoreError:
    """What is said of a file that is not what the plan was made from any more."""
    return StoreError(
        f"{path} changed while rollcall was deciding; it was left alone.",
        "Run again to decide from the new text.",
    )


class ConfigFile(NamedTuple):
    """One config.yaml (its real path), its history, and the way to write it in place."""

    path: Path
    backups: Backups
    in_place: InPlace

    def replace(self, content: bytes, expected: bytes, *, created: str, reason: str) -> Written:
        """Stage the new text, keep the old one, make sure of it once more, rename.

        Raises:
            StoreError: config.yaml is as it was, and so are its history and config.yaml.bak.
        """
        notes: list[str] = []
        kept = None
        with ExitStack() as cleaning:
            try:
                self._require_writable()
                new = self._stage(self.path, content, cleaning)
                previous = self._stage(self._previous_path, expected, cleaning)
                kept = self._keep(expected, created, reason, previous, notes)
                self._require(expected)
                if kept is None and previous is not None:
                    previous.commit()  # nothing else holds the earlier text
                in_place = self._commit(new)
                if in_place:
                    self._write_in_place(expected, content)
            except BaseException as error:
                self.backups.forget(kept, expected, lambda: read_bytes(self.path))
                if isinstance(error, OSError):
                    raise store_error("written", self.path, error) from error
                raise
            if kept is not None:
                self._commit_previous(previous, notes)
        if in_place:
            notes.append(_in_place_note(in_place))
        elif not sync_folder(self.path.parent):
            notes.append("The folder could not be synced: a power cut may bring the old file back.")
        self.backups.prune()
        return Written(kept.id if kept else None, bool(in_place), tuple(notes))

    def _require(self, expected: bytes) -> None:
        """Nobody has looked at what stands there where it is not the expected text."""
        if (read_bytes(self.path) or b"") != expected:
            raise changed_meanwhile(self.path)

    @property
    def _previous_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.bak")

    def _require_writable(self) -> None:
        """A file that its owner made read-only stays, though its folder would let us replace it."""
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return
        if not mode & 0o222 or not os.access(self.path, os.W_OK):
            raise StoreError(
                f"{self.path} is read-only.",
                "Make it writable, or write the result elsewhere with --write-to PATH.",
            )

    def _stage(self, target: Path, content: bytes, cleaning: ExitStack) -> Staged | None:
        """The text in a file beside config.yaml; None where its folder lets us create none."""
        exists = self.path.exists()
        if not exists and target != self.path:
            return None
        try:
            like = self.path if exists else None
            staged = stage(target, content, like=like, mode=SHARED)
        except OSError as error:
            if exists and error.errno in UNWRITABLE:
                return None
            raise
        cleaning.callback(staged.discard)
        return staged

    def _keep(
        self,
        expected: bytes,
        created: str,
        reason: str,
        previous: Staged | None,
        notes: list[str],
    ) -> Kept | None:
        """Put the old text into the history; without history, config.yaml.bak has to do."""
        if not self.path.exists():
            return None
        try:
            return self.backups.add(expected, created=created, reason=reason)
        except StoreError as error:
            folder, why = self.in_place.journal.parent / BACKUPS, error.__cause__
            if not isinstance(why, OSError):
                raise
            if why.errno not in NO_PLACE or previous is None:
                raise StoreError(
                    f"The earlier text could not be kept in {folder} ({words(why)}), so "
                    f"{self.path} was not written.",
                    hint_for(why),
                ) from why
            notes.append(
                f"{folder} cannot be written ({words(why)}): "
                f"the earlier text is only in {self._previous_path.name}."
            )
            return None

    def _commit_previous(self, previous: Staged | None, notes: list[str]) -> None:
        name = self._previous_path.name
        try:
            if previous is None:
                notes.append(f"{name} could not be written; the history has the earlier text.")
            else:
                previous.commit()
        except OSError as error:
            notes.append(f"{name} could not be written: {words(error)}. The history has it.")

    def _commit(self, new: Staged | None) -> str:
        """Rename; why not, where that cannot be done with this file but writing into it can."""
        if new is None:
            return _MOUNTED
        try:
            new.commit()
        except OSError as error:
            not_ours = os.name != "nt" and error.errno in UNWRITABLE
            if not (cannot_be_replaced(error) or not_ours) or not self.path.exists():
                raise
            return _OPEN if is_in_use(error) else _MOUNTED
        return ""

    def _write_in_place(self, expected: bytes, content: bytes) -> None:
        try:
            self.in_place.write(expected, content)
        except OSError as error:
            folder = self.in_place.journal.parent
            if read_bytes(self.path) == expected:
                mount = f"Mount its folder, not the file, and make sure {folder} can be written."
                raise StoreError(
                    f"{self.path} cannot be replaced, and writing it in place failed "
                    f"({words(error)}); it is as it was.",
                    hint_for(error) if is_in_use(error) else mount,
                ) from error
            raise StoreError(
                f"{self.path} is half-written: {words(error)} while writing it in place.",
                f"The next run repairs it; its earlier text is also in {folder / BACKUPS}.",
            ) from error


def write_copy(target: Path, content: bytes, *, config_path: Path) -> Written:
    """Write the result elsewhere (`--write-to`), whole; config.yaml is only read.

    A new file gets config.yaml's permissions, for it holds the same lines, and is ours to write.

    Raises:
        StoreError: nothing was written.
    """
    if read_bytes(target) == content:
        return Written(None, changed=False)
    try:
        mode = stat.S_IMODE(config_path.stat().st_mode) & 0o666 | 0o600
    except OSError:
        mode = SHARED
    write_named(target, content, mode=mode)
    return Written(None)
