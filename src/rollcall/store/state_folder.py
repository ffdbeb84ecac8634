"""The state folder `.rollcall/`: 0700, with a .gitignore of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.store.atomic_file import PRIVATE, replace_file

if TYPE_CHECKING:
    from pathlib import Path

NAME = ".rollcall"


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
        replace_file(ignore, b"*\n", mode=PRIVATE, synced=False)


def prepare_part(folder: Path) -> None:
    """Create a folder inside the state folder (and that one, too).

    Raises:
        OSError: it cannot be created.
    """
    if not folder.is_dir():
        prepare(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
