"""`rollcall` and `python -m rollcall`: runs a command, and turns what it raises into an exit."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

from rollcall import startup
from rollcall.errors import Exit, RollcallError

if TYPE_CHECKING:
    from types import FrameType


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    startup.without_collector()
    signal.signal(signal.SIGTERM, _terminated)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.default_int_handler)
    code = run(args)
    startup.end_at_once()
    sys.exit(code)


def run(args: list[str] | None = None) -> int:
    """Run the command line and return its exit code; never raises but SystemExit."""
    from rollcall.report.text import flush, nobody_reads, say_error

    try:
        code = _command(args)
        flush()
    except RollcallError as error:
        say_error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as stop:
        if not isinstance(pipe := stop.__context__, BrokenPipeError):
            raise
        return int(Exit.OK) if nobody_reads(pipe) else _unexpected(pipe)
    except Exception as error:  # noqa: BLE001 - the last net: every bug ends in a log file
        return int(Exit.OK) if nobody_reads(error) else _unexpected(error)
    return code


def _command(args: list[str] | None) -> int:
    from rollcall.cli.app import run_app

    words = sys.argv[1:] if args is None else args
    if any("\0" in word for word in words):
        raise RollcallError(
            "An argument holds a NUL character.", "Type it without: no path has one."
        )
    code = run_app(words)
    if code == Exit.INTERRUPTED:  # what the command line makes of KeyboardInterrupt
        return _interrupted()
    return code if isinstance(code, int) else int(Exit.OK)


def _unexpected(error: Exception) -> int:
    """Usage errors and aborts are the command line's own; anything else is a bug."""
    if type(error).__name__ == "Abort":
        return _interrupted()
    show: Any = getattr(error, "show", None)
    if show is not None and hasattr(error, "exit_code"):
        show()
        return int(Exit.USAGE)
    from rollcall.report.bugs import report_bug

    return int(report_bug(error))


_terminations: list[int] = []
"""SIGTERMs that came, to tell them from Ctrl-C in the end."""


def _interrupted() -> int:
    from rollcall.report.text import say

    say("rollcall: terminated." if _terminations else "rollcall: interrupted.")
    return int(Exit.TERMINATED if _terminations else Exit.INTERRUPTED)


def _terminated(number: int, frame: FrameType | None) -> None:
    """End as on Ctrl-C: the event loop knows how to, wherever it is; an exception would get lost
    in whatever library the signal happens to meet.
    """
    _terminations.append(number)
    interrupt = signal.getsignal(signal.SIGINT)
    if callable(interrupt):
        interrupt(signal.SIGINT, frame)
    else:  # ignored, as in the background of a shell script
        raise KeyboardInterrupt


if __name__ == "__main__":
    main()
