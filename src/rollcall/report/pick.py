"""Choosing one model at a terminal: the families, newest first, by number."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rollcall.errors import NotFound, SettingsError
from rollcall.report.text import printable, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.inventory import ModelRow


def choose(rows: Sequence[ModelRow], given: str | None) -> str:
    """`provider/id` of the row a person chooses, or of the one `given` names.

    Raises:
        NotFound: nothing is called that. SettingsError: nobody is at a terminal to ask.
    """
    if not rows:
        raise NotFound("There is no managed model in the config to pick.", "Run rollcall apply.")
    if given is not None:
        return _named(rows, given)
    if not sys.stdin.isatty():
        raise SettingsError("Nobody is at a terminal to ask.", "Name it: rollcall pick --model X")
    family = ""
    for number, row in enumerate(rows, start=1):
        if row.family != family:
            family = row.family
            say(printable(family or "other"))
        say(f"  {number:>3}  {printable(row.name or row.id)}{_note(row)}")
    return _asked(rows)


def _asked(rows: Sequence[ModelRow]) -> str:
    while True:
        say(f"Which one shall `default` be? 1 to {len(rows)}:")
        answer = sys.stdin.readline()
        if not answer:
            raise KeyboardInterrupt
        if answer.strip().isdigit() and 1 <= int(answer) <= len(rows):
            row = rows[int(answer) - 1]
            return f"{row.provider}/{row.id}"


def _named(rows: Sequence[ModelRow], given: str) -> str:
    for row in rows:
        if given in (row.name, row.id, f"{row.provider}/{row.id}"):
            return f"{row.provider}/{row.id}"
    names = ", ".join(printable(row.name or row.id) for row in rows[:8])
    raise NotFound(f"{given!r} is not in the config.", f"There is: {names}.")


def _note(row: ModelRow) -> str:
    price = "" if row.input_price is None else f", ${row.input_price:.4g} in per 1M"
    return f"  ({row.version or 'no version'}{price}{'' if row.ready else ', no key'})"
