"""Live progress: a line per provider on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rollcall.report.text import is_terminal, is_unicode, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.catalog import Answer
    from rollcall.fetch import Observer


@contextmanager
def live_progress(*, wanted: bool) -> Iterator[Observer | None]:
    """An observer that draws each provider's line on stderr; None where nobody watches."""
    if not wanted or not is_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
    if console.is_dumb_terminal:
        yield None
        return
    with Progress(
        SpinnerColumn("dots" if is_unicode(sys.stderr) else "line", finished_text=" "),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[verdict]}", markup=False),
        console=console,
        transient=True,
    ) as progress:
        yield _Lines(progress)


class _Lines:
    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def asking(self, provider: str) -> None:
        if provider not in self._tasks:
            self._tasks[provider] = self._progress.add_task(
                printable(provider, limit=40), total=1, verdict="asking"
            )

    def answered(self, answer: Answer) -> None:
        self.asking(answer.provider)
        count = f" {len(answer.models)} models" if answer.models else ""
        self._progress.update(
            self._tasks[answer.provider], completed=1, verdict=f"{answer.verdict}{count}"
        )
