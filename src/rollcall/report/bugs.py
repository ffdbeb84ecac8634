"""A bug's report: a log file with the traceback, and two lines that say where it is."""

from __future__ import annotations

import os
import platform
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall._version import __version__
from rollcall.errors import Exit, RollcallError
from rollcall.report.text import say
from rollcall.secrets import Redactor, secrets_of
from rollcall.settings import read_environment
from rollcall.store.atomic import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping


def report_bug(error: BaseException) -> Exit:
    """Write the traceback to a private file, redacted, and say where it is."""
    variables: Mapping[str, str] = os.environ
    with suppress(RollcallError, OSError):
        variables = read_environment(Path.cwd(), os.environ).variables
    text = "".join(traceback.format_exception(error))
    text = Redactor(secrets_of(variables)).redact(text)
    head = f"rollcall {__version__}, Python {platform.python_version()}, {platform.platform()}"
    say(f"rollcall: a bug: {type(error).__name__}.")
    try:
        log = f"{head}\n{text}".encode(errors="backslashreplace")
        path = write_private(log, prefix="rollcall-bug-", suffix=".log")
    except OSError:
        say("          config.yaml is whole. No log could be written; this is what it would hold:")
        say(f"{head}\n{text}")
    else:
        say(f"          config.yaml is whole. Please report it with {path}.")
    return Exit.BUG
