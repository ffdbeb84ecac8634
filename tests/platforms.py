"""What a test needs that a system lacks: each reason says whose lack it is, Windows' or Wine's.

`tests/windows/run.sh` runs the suite on Windows' Python under Wine and pins how many tests are
skipped there, and why (`tests/windows/skips.txt`).
"""

from __future__ import annotations

import os
import sys

import pytest


def is_wine() -> bool:
    """Whether this Windows is Wine."""
    if sys.platform != "win32":
        return False
    import ctypes

    return hasattr(ctypes.windll.ntdll, "wine_get_version")


def not_on_windows(lack: str) -> pytest.MarkDecorator:
    """Skips a test on Windows, which has no such thing."""
    return pytest.mark.skipif(sys.platform == "win32", reason=f"Windows: {lack}")


def only_on_windows(lack: str) -> pytest.MarkDecorator:
    """Skips a test everywhere else, where there is no such thing."""
    return pytest.mark.skipif(sys.platform != "win32", reason=f"only on Windows: {lack}")


def not_on_wine(lack: str) -> pytest.MarkDecorator:
    """Skips a test where Windows is Wine, which has what Windows has, but not this."""
    return pytest.mark.skipif(is_wine(), reason=f"Wine: {lack}")


def as_root_only(why: str) -> pytest.MarkDecorator:
    """Skips a test of what only root can set up: on Windows, and for everybody else."""
    if sys.platform == "win32":
        return not_on_windows(f"no root: {why}")
    return pytest.mark.skipif(os.geteuid() != 0, reason=why)
