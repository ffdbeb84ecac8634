"""The state folder `.rollcall/`, and the lock that lets one run at a time write.

Why the lock is our own: filelock, the package for it, imports sqlite3, asyncio and secrets, 30 ms
in every run, and what it adds to the system's own locks (flock, LockFile) is not needed here. The
system lets go of them when a process dies, however it dies.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.errors import LockBusy
from rollcall.files import as_listed, is_foreign, resolved, sha256_of
from rollcall.store.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator


NAME = ".rollcall"


def config_name(config_path: Path, state_dir: Path) -> str:
    """A config as seen from the state folder, which several may share: the same for every spelling
    of its path, links followed, and after both were moved together.
    """
    real, home = as_listed(resolved(config_path)), resolved(state_dir)
    try:
        return Path(os.path.relpath(real, home)).as_posix()
    except ValueError:  # on another Windows drive
        return Path(real).as_posix()


def config_folder(config_path: Path, state_dir: Path) -> Path:
    """Where the state folder keeps what it knows of one config.

    Such as `.rollcall/config.yaml-1a2b3c4d5e6f/`: named after the file for people, and after the
    place it has for us.
    """
    name = os.path.normcase(config_name(config_path, state_dir))
    digest = sha256_of(os.fsencode(name))[:12]
    plain = re.sub(r"[^a-z0-9.-]+", "_", os.path.basename(name).lower())[:40]  # noqa: PTH119 - a str
    return state_dir / f"{plain}-{digest}"


def prepare(folder: Path) -> None:
    """Create `folder` for us alone, where it is missing; an existing one keeps its mode.

    The .gitignore is written into a folder of our name or an empty one: `--state-dir .` must not
    make git blind to somebody's project.

    Raises:
        OSError: it cannot be created.
    """
    ignore = folder / ".gitignore"
    if ignore.exists():
        return
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    if folder.name == NAME or next(folder.iterdir(), None) is None:
        replace_file(ignore, b"*\n", synced=False)


if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_POLL_SECONDS = 0.02
_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK})


@contextmanager
def hold(config_path: Path, state_dir: Path, deadline_seconds: float) -> Iterator[tuple[str, ...]]:
    """Hold the lock of one config.yaml (its real path); yields notes.

    The lock file lies in `.rollcall/` beside the real file, so that every path to it, and every
    container that mounts its folder, meets the same lock; where nothing can be written there, in
    the state folder, then in the temporary folder. The files stay: removing one would split those
    who wait.

    Raises:
        LockBusy: another run has held it past `deadline_seconds`.
    """
    descriptor, held, notes = _first_lock(config_path, state_dir)
    if descriptor is None:
        yield notes
        return
    try:
        if not held:
            _wait(descriptor, config_path, time.monotonic() + deadline_seconds)
        yield notes
    finally:
        os.close(descriptor)


def _first_lock(config_path: Path, state_dir: Path) -> tuple[int | None, bool, tuple[str, ...]]:
    """The first lock file that works, open; whether it is ours already; notes."""
    key = sha256_of(os.fsencode(config_path))[:16]
    beside = config_path.parent / NAME
    own = config_path.name[:100].lower()  # one file where the file system ignores case
    for folder, name in ((beside, f"{own}.lock"), (state_dir, f"{key}.lock")):
        if folder == beside and is_foreign(folder):
            continue
        with suppress(OSError):
            prepare(folder)
            return *_open(folder / name), ()
    with suppress(OSError):
        return *_open(_private_temporary_folder() / f"{key}.lock"), (
            "No lock file could be written beside config.yaml or in the state folder: the lock "
            "is in the temporary folder, which other containers and users do not share.",
        )
    return None, False, ("No lock could be taken: do not run rollcall twice at the same time.",)


def _open(path: Path) -> tuple[int, bool]:
    """Open a lock file and try it: the descriptor, and whether the lock is ours already.

    Raises:
        OSError: it cannot be opened, or its file system knows no locks.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        return descriptor, _try_lock(descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _wait(descriptor: int, config_path: Path, ends_at: float) -> None:
    while not _try_lock(descriptor):
        left_seconds = ends_at - time.monotonic()
        if left_seconds <= 0:
            raise LockBusy(
                f"Another rollcall is at work on {config_path}.",
                "The work is left to it; run again if it does not finish.",
            )
        time.sleep(min(_POLL_SECONDS, left_seconds))


def _private_temporary_folder() -> Path:
    """A folder of ours in the temporary one; a neighbour's of that name is refused."""
    import tempfile  # costs 5 ms, and is hardly ever needed

    owner = 0
    if sys.platform != "win32":
        owner = os.geteuid()
    folder = Path(tempfile.gettempdir()) / f"rollcall-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    loose = sys.platform != "win32" and (found.st_uid != owner or found.st_mode & 0o077)
    if loose or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(errno.EACCES, "not a folder of ours", str(folder))
    return folder


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True
