"""Writing over a file that cannot be replaced: a single file mounted into a container.

The weaker promise: for a moment readers can see half of it. A journal, synced before the first
byte is touched, holds both texts, so that whoever comes next can tell a torn file from one that a
person has edited since, and undo it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from rollcall.errors import StoreError
from rollcall.store import state_folder
from rollcall.store.atomic_file import read_bytes, replace_file, write_all
from rollcall.store.disk_error import store_error

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class InPlace:
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
        state_folder.prepare_part(self.journal.parent)
        replace_file(self.journal, _pack(old, new))
        try:
            _overwrite(self.path, new)
        except BaseException:
            with suppress(OSError):
                _overwrite(self.path, old)
                self.journal.unlink()
            raise
        with suppress(OSError):  # one that stays is settled by the next run: the file is new
            self.journal.unlink()

    def recover(self) -> tuple[str, ...]:
        """Finish with what an interrupted write left behind; notes say what was done.

        Raises:
            StoreError: the file is torn and could not be repaired.
        """
        packed = None
        with suppress(StoreError):  # a state folder we cannot read holds no journal of ours
            packed = read_bytes(self.journal)
        if packed is None:
            return ()
        texts = _unpack(packed)
        note = self._settle(*texts) if texts else "A damaged journal of a write was put away."
        with suppress(OSError):
            self.journal.unlink()
        return (note,)

    def _settle(self, old: bytes, new: bytes) -> str:
        present = read_bytes(self.path)
        if present == new:
            return f"An interrupted write of {self.path} turned out to be complete."
        if present == old:
            return f"An interrupted write of {self.path} had not begun: it is as it was."
        if present is None or not _torn(present, old, new):
            return f"{self.path} was edited since a write was interrupted: it stays as it is."
        try:
            _overwrite(self.path, old)
        except OSError as error:
            raise StoreError(
                f"{self.path} is half-written: a write was interrupted, and undoing it failed "
                f"({store_error('written', self.path, error).what})",
                f"Its earlier text is in {self.journal.parent / 'backups'}.",
            ) from error
        return f"A write of {self.path} was interrupted: its earlier text was put back."


def _overwrite(path: Path, content: bytes) -> None:
    """Write over a file. What makes it longer goes first: a full disk shows before harm is done."""
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(descriptor).st_size
        if len(content) > size:
            os.lseek(descriptor, size, os.SEEK_SET)
            write_all(descriptor, content[size:])
            os.fsync(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        write_all(descriptor, content[:size])
        os.ftruncate(descriptor, len(content))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _torn(present: bytes, old: bytes, new: bytes) -> bool:
    """Whether it can only be a write of ours that stopped half-way.

    Its length is one the write passes through, and every byte is the old one's, the new one's, or
    zero (of a page that never reached the disk).
    """
    length = max(len(old), len(new))
    passed_through = len(present) in (len(old), len(new)) or len(old) < len(present) < len(new)
    rows = zip(present, old.ljust(length, b"\0"), new.ljust(length, b"\0"), strict=False)
    return passed_through and all(byte in (0, was, will) for byte, was, will in rows)


def _pack(old: bytes, new: bytes) -> bytes:
    body = old + new
    header = {"schema": 1, "old": len(old), "new": len(new), "sha256": sha256(body).hexdigest()}
    return json.dumps(header).encode() + b"\n" + body


def _unpack(packed: bytes) -> tuple[bytes, bytes] | None:
    """Both texts; None when the journal is not whole."""
    header, _, body = packed.partition(b"\n")
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        fields = json.loads(header)
        whole = fields["sha256"] == sha256(body).hexdigest()
        if whole and fields["old"] + fields["new"] == len(body):
            return body[: fields["old"]], body[fields["old"] :]
    return None
