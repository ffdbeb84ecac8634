"""What `-v` adds, on stderr: what was read, who said what, and the reason of every decision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rollcall.outcome import NOTES_SHOWN
from rollcall.report.plan import provider_rows
from rollcall.report.tables import render_table
from rollcall.report.text import printable, say, say_all

if TYPE_CHECKING:
    from rollcall.decision import Decision
    from rollcall.settings import Settings
    from rollcall.sync import Planned


def say_surroundings(settings: Settings) -> None:
    """The files and the clock of this run."""
    say(f"config: {settings.config_path}")
    say(f"policy: {settings.policy_path}")
    say(f"state:  {settings.state_dir}")
    say(f".env:   {settings.dotenv_path or 'none found'}")
    say(f"mode:   {settings.mode}{', offline' if settings.offline else ''}")
    say(f"time:   {settings.now:%Y-%m-%dT%H:%M:%SZ}")


def say_providers(planned: Planned) -> None:
    """Who answered, and every oddity of the replies beyond those the plan tells."""
    head, rows = provider_rows(planned.plan.providers)
    say(render_table(head, rows, right=("models", "ms"), stream=sys.stderr).rstrip("\n"))
    for answer in planned.evidence.answers.values():
        say_all(
            (f"{answer.provider}: {note}" for note in answer.notes[NOTES_SHOWN:]), mark="note: "
        )


def say_decisions(decision: Decision) -> None:
    """Every entry and alias as it stands after this run, and why."""
    for seat in decision.roster.seats:
        say(f"entry {printable(seat.name)}: {seat.role}: {printable(seat.reason)}")
    for name, reason in decision.roster.gone.items():
        say(f"entry {printable(name)}: gone: {printable(reason)}")
    for alias in decision.resolved:
        target = alias.target or "nothing"
        say(f"alias {printable(alias.name)}: {printable(target)}: {printable(alias.reason)}")
