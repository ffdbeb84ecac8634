"""Reading files safely: regular files only, within a bound, in no folder of a stranger's.

Paths come from people, policies and whoever can write into the folder: a pipe would hold a
proxy's start for ever, `/dev/zero` and a file of gigabytes would take all memory.

Where others may write beside config.yaml (a folder like /tmp), a neighbour could plant `.rollcall`:
as a link that has us write over other files of ours, or as a folder with backups, replies and
accepted names of theirs.
"""

from __future__ import annotations

import os
import stat
import sys
from errno import EINVAL, EISDIR, ENOTDIR
from pathlib import Path

MOST_TEXT_BYTES = 16 * 1024 * 1024
"""Of what people write: config.yaml, a policy, `.env`. Ten thousand entries need a third of it."""
MOST_BYTES = 64 * 1024 * 1024
"""Of what we keep: a provider's stored reply has up to 30 MB."""

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
AS_UTF_8 = "Save it as UTF-8 (in PowerShell: Set-Content or Add-Content with -Encoding utf8)."


class NotUTF8(ValueError):
    """Bytes that are no UTF-8 text.

    Attributes:
        line: the first that is not, from 1; None where the whole file is in another encoding.
    """

    def __init__(self, what: str, line: int | None) -> None:
        super().__init__(what)
        self.line = line

    def said_of(self, path: object) -> str:
        """The sentence for people."""
        return f"{path}{f':{self.line}' if self.line else ''} cannot be read: {self}."


def text_of(content: bytes) -> str:
    """The text of a file that a person, an editor or a shell wrote: UTF-8, its mark taken off.

    Editors on Windows begin a file with a byte order mark; Windows PowerShell's `>` writes UTF-16.

    Raises:
        NotUTF8: it is something else.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in content[:2]:
        raise NotUTF8("it is UTF-16, not UTF-8", None)
    try:
        return content.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotUTF8("it is not UTF-8", content.count(b"\n", 0, error.start) + 1) from None


def sha256_of(content: bytes) -> str:
    """Lower-case hex digest of a file's bytes."""
    from hashlib import sha256  # OpenSSL: not for `--version` and `--help`

    return sha256(content).hexdigest()


def read_regular(path: Path, most_bytes: int = MOST_TEXT_BYTES) -> bytes:
    """The bytes of a regular file, links followed.

    Raises:
        OSError: it is not there, cannot be read, is no regular file, or is larger than that.
    """
    _require_regular(_found(path), path)  # opening some devices already acts
    descriptor = os.open(path, _FLAGS)
    try:
        found = os.fstat(descriptor)
        _require_regular(found, path)
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
            content = file.read(found.st_size + 1) if found.st_size <= most_bytes else None
            while content and len(content) <= most_bytes and (more := file.read(most_bytes)):
                content += more
    finally:
        os.close(descriptor)
    if content is None or len(content) > most_bytes:
        size = most_bytes // 1024 // 1024
        raise OSError(EINVAL, f"it is larger than {size} MB", str(path))
    return content


def _found(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError:
        refuse_way_through_a_file(path)
        raise


def refuse_way_through_a_file(path: Path) -> None:
    """Every system's word for a path that is not there because a folder of it is a file: Windows
    says just that nothing is there, and what is kept in such a folder would pass for not yet
    written.

    Raises:
        NotADirectoryError: it leads through a file.
    """
    if sys.platform == "win32" and is_file(next(filter(is_there, path.parents), path)):
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(path))


def _require_regular(found: os.stat_result, path: Path) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    kind = next((word for is_kind, word in _KINDS if is_kind(found.st_mode)), "not a file")
    raise OSError(EINVAL, f"it is {kind}, not a regular file", str(path))


def is_there(path: Path) -> bool:
    """Whether there is anything of that name; no where the system cannot tell (`Path.exists`
    raises for a name that is too long, and in a folder that is closed to us).
    """
    return os.path.exists(path)  # noqa: PTH110 - it never raises


def is_file(path: Path) -> bool:
    """Whether it is a regular file, links followed; no where the system cannot tell."""
    return os.path.isfile(path)  # noqa: PTH113 - it never raises


def as_listed(path: str) -> str:
    """The path with its last part spelled as its folder has it, where letter case is ignored there
    (Windows, macOS as it comes), a short name of Windows (`CONFIG~1.YAM`) as the long one; else,
    and where there is no such file, the path as it is.
    """
    folder, name = os.path.split(path)
    try:
        if Path(path).samefile(Path(folder, name.swapcase())):
            alike = [one.name for one in Path(folder).iterdir() if one.name.lower() == name.lower()]
            if not alike:
                return os.path.realpath(path)
            return path[: -len(name)] + (name if name in alike else alike[0])
    except (OSError, ValueError):
        pass
    return path


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, there or not: links, letter case and `..` count for
    nothing where the system makes no difference.
    """
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return os.path.normcase(resolved(one)) == os.path.normcase(resolved(other))


def resolved(path: Path) -> str:
    """The path with its links followed, as far as the system can; it need not be there.

    `os.path.realpath` raises on Windows for devices and for what is too long.
    """
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return os.path.normpath(path)


def is_foreign(folder: Path) -> bool:
    """Whether somebody else made this folder, or the link that stands in its place.

    Root's is trusted, and that of the owner of the folder around it, who can do all that anyway.
    """
    if sys.platform == "win32":
        return False
    try:
        trusted = {os.geteuid(), 0, folder.parent.stat().st_uid}
        return not {folder.lstat().st_uid, folder.stat().st_uid} <= trusted
    except OSError:  # nothing there, or nothing to be read
        return False
