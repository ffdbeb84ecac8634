"""Whose the state folder beside config.yaml is. Disk.

Where others may write beside config.yaml (a folder like /tmp), a neighbour could plant `.rollcall`:
as a link that has us write over other files of ours, or as a folder with backups, replies and
accepted names of theirs.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
