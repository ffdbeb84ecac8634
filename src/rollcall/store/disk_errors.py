"""What the system said about a file, in words a person can act on."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

from rollcall.errors import StoreError

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
    errno.EISDIR: (
        "it is a folder",
        "Name a file. Docker makes a folder where a file that is to be mounted is not there.",
    ),
    errno.ELOOP: ("its symlinks go in a circle", "Repair the link, or name the file itself."),
    errno.ENAMETOOLONG: ("its name is too long", "Name another path."),
    errno.EBUSY: ("it is mounted or in use", "Mount its folder instead of the single file."),
}
_IN_USE = (
    "another program has it open",
    "Close it there (an editor, a sync client, a virus scanner), then run again.",
)
_ACCESS_DENIED = 5
_SHARING = frozenset({32, 33})


def words(error: OSError) -> str:
    """What happened, without path and number: "the disk is full"."""
    return _entry(error)[0]


def hint_for(error: OSError) -> str:
    """What a person can do about it."""
    return _entry(error)[1]


def store_error(doing: str, path: Path, error: OSError) -> StoreError:
    """The error a person reads: `doing` is "read" or "written", `path` what it is about."""
    what, hint = _entry(error)
    return StoreError(f"{path} could not be {doing}: {what}.", hint)


def is_in_use(error: OSError) -> bool:
    """Whether Windows says that a program has the file open in a way that shuts us out.

    A sharing or lock violation says so outright. "Access denied" is also what a rename onto an
    open file ends in; of a read-only one it means what it says.
    """
    number = getattr(error, "winerror", None)
    named = error.filename2 or error.filename
    if number in _SHARING:
        return True
    if sys.platform == "win32" and number is None and error.errno == errno.EACCES:
        from rollcall.store.windows_files import is_held

        return is_held(os.fspath(named)) if named is not None else False
    return number == _ACCESS_DENIED and _is_writable_file(named)


def _is_writable_file(path: Any) -> bool:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  whatever kind of path the error carries
    except (OSError, TypeError, ValueError):
        return False
    return stat.S_ISREG(mode) and bool(mode & stat.S_IWUSR)


def cannot_be_replaced(error: OSError) -> bool:
    """Whether a rename failed for what the file is now: mounted by itself, or open elsewhere."""
    return error.errno in (errno.EBUSY, errno.EXDEV) or is_in_use(error)


def _entry(error: OSError) -> tuple[str, str]:
    if is_in_use(error):
        return _IN_USE
    hint = _FILE_HINT if error.errno == errno.EINVAL else "Check that path, or name another."
    unknown = (error.strerror or type(error).__name__, hint)
    return _WORDS.get(error.errno or 0, unknown)
