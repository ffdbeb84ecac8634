"""`--on-change`: the user's own command after a change, for example a restart of the proxy."""

from __future__ import annotations

import sys


def run_on_change(command: str) -> None:
    """Run a command line in the system's shell; what it prints goes to stderr, as ours does.

    Raises:
        HandoffError: it failed. It is not run again by itself: the next run has no change.
    """
    import subprocess

    from rollcall.errors import HandoffError
    from rollcall.report.text import flush

    flush()
    code = subprocess.run(command, shell=True, check=False, stdout=_stderr()).returncode  # noqa: S602 - asked for
    if code:
        raise HandoffError(
            f"The --on-change command ended with {code}; the new config is written.",
            "Run it by hand: the next apply finds nothing to change and does not run it again.",
        )


def _stderr() -> int | None:
    """The descriptor of stderr; None where there is no real one."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None
