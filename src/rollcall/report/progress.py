"""What a run shows on stderr: a line per provider while it asks, and what `-v` adds."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rollcall.report.text import is_terminal, is_unicode, printable, say, say_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.catalog.model import Answer
    from rollcall.plan.decide import Decision
    from rollcall.providers.fetch import Observer
    from rollcall.settings import Settings
    from rollcall.sync.apply import Planned


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


def say_surroundings(settings: Settings) -> None:
    """The files and the clock of this run."""
    say(f"config: {settings.config_name}")
    say(f"policy: {settings.policy_path}")
    say(f"state:  {settings.state_dir}")
    say(f".env:   {settings.dotenv_path or 'none found'}")
    say(f"mode:   {settings.mode}{', offline' if settings.offline else ''}")
    say(f"time:   {settings.now:%Y-%m-%dT%H:%M:%SZ}")


def say_providers(planned: Planned) -> None:
    """Who answered, and every oddity of the replies beyond those the plan tells."""
    from rollcall.plan.plan import NOTES_SHOWN
    from rollcall.report.plan import provider_rows
    from rollcall.report.tables import render_table

    head, rows = provider_rows(planned.plan)
    say(render_table(head, rows, right=("models", "ms"), stream=sys.stderr))
    for answer in planned.inputs.answers.values():
        say_all(
            (f"{answer.provider}: {note}" for note in answer.notes[NOTES_SHOWN:]), mark="note: "
        )


def say_decisions(decision: Decision) -> None:
    """Every entry and alias as it stands after this run, and why."""
    for placement in decision.model_list.placements:
        say(f"entry {printable(placement.name)}: {placement.origin}: {printable(placement.reason)}")
    for name, reason in decision.model_list.gone.items():
        say(f"entry {printable(name)}: gone: {printable(reason)}")
    for alias in decision.resolved:
        target = alias.target or "nothing"
        say(f"alias {printable(alias.name)}: {printable(target)}: {printable(alias.reason)}")
