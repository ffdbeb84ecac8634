"""`python -m benchmarks.stages ARGS`: runs `rollcall ARGS` and says where the time went.

The functions of the story are wrapped by name and the time inside each is counted without the
parts that are counted elsewhere; what the main thread spends importing is a part of its own.
Prints one line of JSON to stdout, in milliseconds.
"""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import builtins  # noqa: E402 - the clock starts first
import importlib  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from collections.abc import Callable  # noqa: E402
from contextlib import redirect_stdout  # noqa: E402
from functools import wraps  # noqa: E402
from typing import Any  # noqa: E402

STAGES = (
    ("rollcall.sync.apply", "gather", "read files"),
    ("rollcall.providers.fetch", "ask_all", "ask"),
    ("rollcall.sync.gather", "_stored", "ask"),
    ("rollcall.plan.decide", "decide", "decide"),
    ("rollcall.litellm_config.writing", "with_blocks", "edit"),
    ("rollcall.plan.plan", "plan_of", "plan"),
    ("rollcall.store.store", "Store.write_config", "write"),
    ("rollcall.sync.remember", "remember", "remember"),
)


class Clock:
    """Time by part; a part that runs inside another is not counted twice."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._open: list[str] = []
        self._since = time.perf_counter()

    def enter(self, part: str) -> None:
        """`part` begins."""
        self._settle()
        self._open.append(part)

    def leave(self) -> None:
        """It ends."""
        self._settle()
        self._open.pop()

    def _settle(self) -> None:
        now = time.perf_counter()
        part = self._open[-1] if self._open else "the rest"
        self.parts[part] = self.parts.get(part, 0.0) + now - self._since
        self._since = now


def count_imports(clock: Clock) -> None:
    """Count what imports take, the outermost only, in the main thread only."""
    plain = builtins.__import__
    main = threading.get_ident()
    depth = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        if threading.get_ident() != main:
            return plain(*args, **kwargs)
        if depth == 0:
            clock.enter("imports")
        depth += 1
        try:
            return plain(*args, **kwargs)
        finally:
            depth -= 1
            if depth == 0:
                clock.leave()

    builtins.__import__ = counted


def count_stage(clock: Clock, module: str, name: str, part: str) -> None:
    """Count what one function takes."""
    *holders, name = name.split(".")
    home: Any = importlib.import_module(module)
    for holder in holders:
        home = getattr(home, holder)
    work: Callable[..., Any] = getattr(home, name)

    @wraps(work)
    def counted(*args: Any, **kwargs: Any) -> Any:
        clock.enter(part)
        try:
            return work(*args, **kwargs)
        finally:
            clock.leave()

    setattr(home, name, counted)


def main() -> None:
    """Run and print."""
    clock = Clock()
    count_imports(clock)
    from rollcall.__main__ import run

    clock.enter("imports")
    for module, name, part in STAGES:
        count_stage(clock, module, name, part)
    clock.leave()
    with redirect_stdout(io.StringIO()):
        code = run(sys.argv[1:])
    clock.enter("the rest")
    total = time.perf_counter() - _STARTED
    parts = {part: round(1000 * took, 1) for part, took in clock.parts.items()}
    sys.stdout.write(json.dumps({"code": code, "total": round(1000 * total, 1), "parts": parts}))


if __name__ == "__main__":
    main()
