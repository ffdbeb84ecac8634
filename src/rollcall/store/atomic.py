"""A file replaced whole or not at all, and what the disk said in words.

Every byte goes through `os.write`, every step is one system call, so that a test can stop the
process at each of them.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import suppress
from errno import EIO
from typing import TYPE_CHECKING, NamedTuple

from rollcall.errors import StoreError
from rollcall.files import MOST_BYTES, read_regular

if TYPE_CHECKING:
    from pathlib import Path


UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""Not ours to write, as opposed to full or failing."""
NO_PLACE = UNWRITABLE | {
    errno.EEXIST,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
}
"""Nothing can be put there; the disk itself is well."""

_FULL_HINT = "Free some space and run again."
_ACCESS_HINT = "Check who owns it and its permissions, or use --write-to or --state-dir."
_FILE_HINT = "Name a regular file of reasonable size."
_WORDS = {
    errno.ENOSPC: ("the disk is full", _FULL_HINT),
    errno.EDQUOT: ("the disk quota is used up", _FULL_HINT),
    errno.EFBIG: ("the file would be larger than allowed", _FULL_HINT),
    errno.EROFS: ("the file system is read-only", "Use --write-to or --state-dir elsewhere."),
    errno.EACCES: ("permission denied", _ACCESS_HINT),
    errno.EPERM: ("not permitted", _ACCESS_HINT),
    errno.EIO: ("the disk reports an input/output error", "Check the disk, then run again."),
    errno.EEXIST: ("a file of that name is in the way", "Remove it, or name another path."),
    errno.ENOENT: ("no such file or folder", "Create the folder, or name another path."),
    errno.ENOTDIR: ("a part of its path is not a folder", "Name another path."),
    errno.EISDIR: ("it is a folder", "Name a file."),
    errno.ELOOP: ("its symlinks go in a circle", "Repair the link, or name the file itself."),
    errno.EBUSY: ("it is mounted or in use", "Mount its folder instead of the single file."),
}


def words(error: OSError) -> str:
    """What happened, without path and number: "the disk is full"."""
    return _entry(error)[0]


def hint_for(error: OSError) -> str:
    """What a person can do about it; "" where nothing general helps."""
    return _entry(error)[1]


def store_error(doing: str, path: Path, error: OSError) -> StoreError:
    """The error a person reads: `doing` is "read" or "written", `path` what it is about."""
    what, hint = _entry(error)
    return StoreError(f"{path} could not be {doing}: {what}.", hint)


def _entry(error: OSError) -> tuple[str, str]:
    hint = _FILE_HINT if error.errno == errno.EINVAL else ""
    unknown = (error.strerror or type(error).__name__, hint)
    return _WORDS.get(error.errno or 0, unknown)


SUFFIX = ".rollcall-tmp"
PRIVATE = 0o600
_PAUSES_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Between tries of a rename: on Windows a reader that has the file open makes it fail."""


class Staged(NamedTuple):
    """The new text, complete and synced, in a temporary file beside its target."""

    temporary: Path
    target: Path

    def commit(self) -> None:
        """Rename over the target: from here on the new text is what everybody reads.

        Raises:
            OSError: the target is as it was.
        """
        for pause_seconds in _PAUSES_SECONDS:
            try:
                self.temporary.replace(self.target)
            except PermissionError:
                time.sleep(pause_seconds)
            else:
                return
        self.temporary.replace(self.target)

    def discard(self) -> None:
        """Remove the temporary file, if it is still there."""
        with suppress(OSError):
            self.temporary.unlink()


def stage(
    target: Path,
    content: bytes,
    *,
    like: Path | None = None,
    mode: int = PRIVATE,
    synced: bool = True,
) -> Staged:
    """Write `content` beside `target`, ready to be committed.

    Args:
        like: an existing file whose mode, owner and extended attributes the new one gets.
        mode: the new file's mode where there is no `like`; the umask applies.
        synced: whether the bytes are on the disk before this returns.

    Raises:
        OSError: no temporary file is left. EPERM also where the owner cannot be kept.
    """
    name = f".{target.name[:100]}.{os.urandom(4).hex()}{SUFFIX}"
    staged = Staged(target.with_name(name), target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(staged.temporary, flags, mode if like is None else PRIVATE)
    try:
        try:
            write_all(descriptor, content)
            if synced:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if like is not None:
            _copy_attributes(like, staged.temporary)
    except BaseException:
        staged.discard()
        raise
    return staged


def replace_file(target: Path, content: bytes, *, mode: int = PRIVATE, synced: bool = True) -> None:
    """Stage and commit in one go, for files of our own.

    Raises:
        OSError: the target is as it was, and no temporary file is left.
    """
    staged = stage(target, content, mode=mode, synced=synced)
    try:
        staged.commit()
    finally:
        staged.discard()
    if synced:
        sync_folder(target.parent)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte, however few the system takes at once."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> bool:
    """Put a rename itself on the disk; False when the disk reports an error doing so.

    Windows and some network file systems cannot sync a folder: that counts as done.
    """
    if sys.platform == "win32":
        return True
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error.errno != EIO
    return True


def read_bytes(path: Path, most_bytes: int = MOST_BYTES) -> bytes | None:
    """A regular file's bytes; None when there is none.

    Raises:
        StoreError: it is there and cannot be read, is no regular file, or is far too large.
    """
    try:
        return read_regular(path, most_bytes)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise store_error("read", path, error) from error


def sweep(folder: Path, prefix: str = "", *, older_than_seconds: float = 0) -> None:
    """Remove temporary files that killed runs left in `folder`; what resists stays."""
    horizon = time.time() - older_than_seconds
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and entry.name.startswith(f".{prefix}"):
                with suppress(OSError):
                    if not older_than_seconds or entry.stat().st_mtime < horizon:
                        os.unlink(entry.path)  # noqa: PTH108 (a DirEntry already has the path)


def _copy_attributes(source: Path, target: Path) -> None:
    wanted = source.stat()
    if sys.platform != "win32":
        present = target.stat()
        if (wanted.st_uid, wanted.st_gid) != (present.st_uid, present.st_gid):
            os.chown(target, wanted.st_uid, wanted.st_gid)
    target.chmod(stat.S_IMODE(wanted.st_mode))
    if sys.platform == "linux":
        with suppress(OSError):
            for name in os.listxattr(source):
                with suppress(OSError):
                    os.setxattr(target, name, os.getxattr(source, name))
