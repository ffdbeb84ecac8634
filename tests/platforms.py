"""What a test needs that a system lacks: each reason says whose lack it is, Windows' or Wine's.

`tests/windows/run.sh` runs the suite on Windows' Python under Wine and pins how many tests are
skipped there, and why (`tests/windows/skips.txt`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest


def is_wine() -> bool:
    """Whether this Windows is Wine."""
    if sys.platform != "win32":
        return False
    import ctypes

    return hasattr(ctypes.windll.ntdll, "wine_get_version")


PATIENCE = 10 if is_wine() else 1
"""How many times as long a test waits for a program before it counts as hung: Wine is slow to start
one, and very slow beside other work.
"""


OF_THE_SYSTEM = ("SYSTEMROOT", "WINE")
"""How the names of variables begin without which a program of Windows, or of Wine, cannot live: its
random source asks for WINEUSERNAME.
"""


def be_patient() -> None:
    """Wait that long for the end of a program, and for Hypothesis's examples as it takes."""
    from hypothesis import HealthCheck, settings

    slow = [HealthCheck.too_slow]
    settings.register_profile("patient", deadline=None, suppress_health_check=slow)
    settings.load_profile("patient")
    wait, communicate = subprocess.Popen.wait, subprocess.Popen.communicate

    def waiting(self: Any, timeout: float | None = None) -> Any:
        return wait(self, timeout and PATIENCE * timeout)

    def communicating(self: Any, input: Any = None, timeout: float | None = None) -> Any:  # noqa: A002 - as it is called there
        return communicate(self, input, timeout and PATIENCE * timeout)

    subprocess.Popen.wait = waiting  # type: ignore[method-assign]
    subprocess.Popen.communicate = communicating  # type: ignore[method-assign]


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
