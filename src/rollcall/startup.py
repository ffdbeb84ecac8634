"""What makes a command start faster: every trick of that kind, and what it saves.

Times are of one core of a small server with Python 3.11. tests/test_lightness.py pins what no
command may import; benchmarks/ measure whole processes. The rest of the speed is plain: modules
import what is heavy (pydantic, rich, ruamel.yaml, httpx) where they use it.
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


NEEDED_FOR_DECIDING = (
    "rollcall.selection.rule",
    "rollcall.selection.admission",
    "rollcall.selection.aliases",
    "rollcall.plan.decide",
    "rollcall.litellm_config.writing",
    "rollcall.plan.plan",
    "rollcall.sync.remember",
)
"""Not needed for asking, and named as text so that nothing imports them before."""


def while_waiting() -> list[Callable[[], object]]:
    """Short pieces of work to do while the providers think: imports of a few milliseconds each.

    Saves the 20 to 40 ms that importing them takes after the answers are in.
    """
    return [partial(import_module, name) for name in NEEDED_FOR_DECIDING]


def without_collector() -> None:
    """Turn the garbage collector off: a run is over before there is garbage worth looking for.

    Together with `end_at_once` a fifth of an `apply`. What runs on, as `serve`, turns it on again.
    """
    gc.disable()


def end_at_once() -> None:
    """Spare the interpreter its last look for garbage, at the very end of a run."""
    gc.freeze()


_COMMAND_LINE = "httpx._main"


@contextmanager
def httpx_without_its_command_line() -> Iterator[None]:
    """Import httpx in here: it would import its command line too, and with it rich and click where
    these are installed (40 ms). Where httpx was imported before, nothing changes.
    """
    skipped = _COMMAND_LINE not in sys.modules and "httpx" not in sys.modules
    if skipped:
        # None makes the import fail, which httpx takes for "not installed".
        sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # documented, not in typeshed
    try:
        yield
    finally:
        if skipped:
            del sys.modules[_COMMAND_LINE]
