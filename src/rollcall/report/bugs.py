"""A bug's report: a log file with the traceback, and two lines that say where it is."""

from __future__ import annotations

import os
import tempfile
import traceback

from rollcall._version import __version__
from rollcall.errors import Exit
from rollcall.redaction import Redactor
from rollcall.report.text import say

SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def report_bug(error: BaseException) -> Exit:
    """Write the traceback to a private file, redacted, and say where it is."""
    secrets = [
        value
        for name, value in os.environ.items()
        if any(word in name.upper() for word in SECRET_WORDS)
    ]
    text = "".join(traceback.format_exception(error))
    handle, path = tempfile.mkstemp(prefix="rollcall-bug-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"rollcall {__version__}\n{Redactor(secrets).redact(text)}")
    say(f"rollcall: a bug: {type(error).__name__}.")
    say(f"          config.yaml is whole. Please report it with {path}.")
    return Exit.BUG
