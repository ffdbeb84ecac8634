"""A file replaced whole or not at all.

Every file the program leaves is written here: config.yaml by staging it (the caller commits when
all is ready), files of our own by `replace_file`, what a person names (`--out`, a first policy) by
`write_named`, what only has to be somewhere (a log, a copy for litellm) by `write_private`.

Every byte goes through `os.write`, every step is one system call, so that a test can stop the
process at each of them.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from contextlib import suppress
from errno import EACCES, EIO, EISDIR, ELOOP
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rollcall.errors import StoreError
from rollcall.files import MOST_BYTES, as_listed, read_regular, sha256_of
from rollcall.store.disk_errors import cannot_be_replaced, is_in_use, store_error

if TYPE_CHECKING:
    from collections.abc import Callable


if sys.platform == "win32":
    from rollcall.store.windows_files import copy_access, copy_attributes

T = TypeVar("T")

SUFFIX = ".rollcall-tmp"
PRIVATE = 0o600
SHARED = 0o644
"""A file we create for a person names keys and holds none; LiteLLM often runs as another user."""
_LONGEST_NAME = 100
_PAUSES_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Between tries: programs have a file open for a moment, and Windows shuts us out meanwhile."""


def patiently(work: Callable[[], T]) -> T:
    """Do it, for up to 1.3 s again and again where another program has the file open."""
    for pause_seconds in _PAUSES_SECONDS:
        try:
            return work()
        except OSError as error:
            if not is_in_use(error):
                raise
            time.sleep(pause_seconds)
    return work()


class Staged(NamedTuple):
    """The new text, complete and synced, in a temporary file beside its target."""

    temporary: Path
    target: Path

    def commit(self) -> None:
        """Rename over the target: from here on the new text is what everybody reads.

        Raises:
            OSError: the target is as it was.
        """
        patiently(lambda: self.temporary.replace(self.target))

    def discard(self) -> None:
        """Remove the temporary file, if it is still there."""
        with suppress(OSError):
            self.temporary.unlink()


def stage(
    target: Path,
    content: bytes,
    *,
    like: Path | None = None,
    access_of: Path | None = None,
    mode: int = PRIVATE,
    synced: bool = True,
) -> Staged:
    """Write `content` beside `target`, ready to be committed.

    Args:
        like: an existing file whose mode, owner and extended attributes the new one gets; on
            Windows its access list and attributes.
        access_of: the file whose access list alone the new one gets on Windows; `like` does so too.
        mode: the new file's mode where there is no `like`; the umask applies.
        synced: whether the bytes are on the disk before this returns.

    Raises:
        OSError: no temporary file is left. EPERM also where the owner cannot be kept.
    """
    name = f"{_prefix(target.name)}{os.urandom(4).hex()}{SUFFIX}"
    staged = Staged(target.with_name(name), target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(staged.temporary, flags, mode if like is None else PRIVATE)
    try:
        try:
            if sys.platform == "win32" and (source := access_of or like) is not None:
                copy_access(source, staged.temporary)
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


def _prefix(name: str) -> str:
    """How the temporary files of a file begin; hex digits follow, so `.a.b.` is not of `a`."""
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}~{sha256_of(os.fsencode(name))[:8]}"
    return f".{name}."


def replace_file(
    target: Path,
    content: bytes,
    *,
    like: Path | None = None,
    access_of: Path | None = None,
    mode: int = PRIVATE,
    synced: bool = True,
) -> None:
    """Stage and commit in one go; arguments as `stage`.

    Where the target cannot be replaced for what it is (mounted by itself, open in another program),
    it is written over: not whole for a moment, which config.yaml itself is never exposed to here.

    Raises:
        OSError: the target is as it was, and no temporary file is left.
    """
    staged = stage(target, content, like=like, access_of=access_of, mode=mode, synced=synced)
    try:
        staged.commit()
    except OSError as error:
        if not cannot_be_replaced(error):
            raise
        overwrite(target, content)
    finally:
        staged.discard()
    if synced:
        sync_folder(target.parent)


def write_named(path: Path, content: bytes, *, mode: int = SHARED) -> None:
    """Write a file a person named, whole; links are followed, and what is there keeps its mode.

    A device or a pipe (`/dev/stdout`) is written to as it is.

    Args:
        mode: of a new file.

    Raises:
        StoreError: it could not be written; a file that was there is as it was.
    """
    target = real_path(path)
    try:
        found = _mode_of(target)
        if found is not None and not stat.S_ISREG(found) and not stat.S_ISDIR(found):
            with target.open("wb", buffering=0) as stream:
                write_all(stream.fileno(), content)
            return
        if found is not None and not found & 0o222:
            raise PermissionError(EACCES, os.strerror(EACCES), str(target))
        sweep(target.parent, target.name)
        replace_file(target, content, like=None if found is None else target, mode=mode)
    except OSError as error:
        raise store_error("written", path, error) from error


def write_private(
    content: bytes, *, prefix: str, suffix: str = "", folder: Path | None = None
) -> Path:
    """Write a new file that only we can read, under a name nobody has; by default a temporary one.

    Raises:
        OSError: it could not be written; nothing of it is left.
    """
    import tempfile  # costs 5 ms, and is hardly ever needed

    descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
    try:
        try:
            write_all(descriptor, content)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)


def remove_named(path: Path) -> None:
    """Take a file away, if it is there.

    Raises:
        StoreError: it is there and stays.
    """
    try:
        patiently(lambda: path.unlink(missing_ok=True))
    except OSError as error:
        raise store_error("removed", path, error) from error


def overwrite(path: Path, content: bytes) -> None:
    """Write over a file. What makes it longer goes first: a full disk shows before harm is done.

    Raises:
        OSError: it is as it was where it could not be opened, else it may be torn.
    """
    descriptor = patiently(lambda: os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0)))
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
        return patiently(lambda: read_regular(path, most_bytes))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise store_error("read", path, error) from error


def real_path(path: Path) -> Path:
    """Where `path` really is, symlinks followed: replacing a link would destroy it.

    Raises:
        StoreError: a link to nothing, a circle of links, a folder that is not there, no path.
    """
    if "\0" in str(path):
        raise StoreError(f"{str(path)!r} is not a path.", "Name a file.")
    if not path.name:  # a drive, or the folder that has none above it
        raise store_error("read", path, OSError(EISDIR, ""))
    try:
        if path.is_symlink():
            return path.resolve(strict=True)
        return Path(as_listed(str(path.parent.resolve(strict=True) / path.name)))
    except FileNotFoundError as error:
        if path.is_symlink():
            raise StoreError(
                f"{path} is a symlink to {path.readlink()}, which does not exist.",
                "Create what it points to, or remove the link.",
            ) from error
        raise StoreError(
            f"The folder of {path} does not exist.", "Create it, or name another path."
        ) from error
    except OSError as error:
        raise store_error("read", path, error) from error
    except RuntimeError as error:  # a circle of links, before Python 3.13
        raise store_error("read", path, OSError(ELOOP, "")) from error


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def sweep(folder: Path, name: str | None = None, *, older_than_seconds: float = 0) -> None:
    """Remove temporary files that killed runs left in `folder`; what resists stays.

    Args:
        name: of the file whose temporary ones are meant; None: all.
    """
    begins = r"\..*\." if name is None else re.escape(_prefix(name))
    ours = rf"(?s){begins}[0-9a-f]{{8}}{re.escape(SUFFIX)}"
    horizon = time.time() - older_than_seconds
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and re.fullmatch(ours, entry.name):
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
    if sys.platform == "win32":
        copy_attributes(source, target)
    if sys.platform == "linux":
        with suppress(OSError):
            for name in os.listxattr(source):
                with suppress(OSError):
                    os.setxattr(target, name, os.getxattr(source, name))
