"""Everything that can go wrong and is known to, with the exit code each one ends in.

    RollcallError                     1   a known error; config.yaml untouched
    |-- SettingsError                 1   a flag or variable that makes no sense
    |-- PolicyError                   1   policy.yaml is wrong (file, line, field)
    |   `-- NoPolicy                  1   there is none
    |-- ConfigRefused                 1   config.yaml cannot be edited safely (line, reason)
    |-- PlanError                     1   a saved plan that cannot be read, or no longer applies
    |-- StoreError                    1   the disk said no
    |   |-- LockBusy                  1   another run holds the lock past our deadline
    |   `-- LostRace                  1   what a plan was made from was written meanwhile
    |-- LaunchError                  1   litellm was not found or could not be started
    |-- NotFound                      1   a name, backup or file that is nowhere
    |-- GuardRefused                  3   a guard refused the plan
    `-- NobodyAsked                   5   no provider could be asked

A user's mistake prints two lines: what happened, and what to do. Anything that is not a
RollcallError is a bug: exit 70, and the path of a log file. The library's own errors hang off
RollcallError too and are drawn in ``rollcall.runtime.errors``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Exit(IntEnum):
    """What the process's exit code means. Where several hold: ERROR, GUARD, NOBODY, PENDING."""

    OK = 0
    ERROR = 1
    USAGE = 2
    GUARD = 3
    PENDING = 4
    NOBODY = 5
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def is_well(self) -> bool:
        """Whether nothing needs a person's eye."""
        return self in (Exit.OK, Exit.PENDING)


class RollcallError(Exception):
    """A known error: one line saying what happened, one saying what to do.

    Args:
        what: what happened, one sentence; names the file, line or provider it is about.
        hint: what the user can do about it, one sentence; may name a command.
    """

    exit_code: Exit = Exit.ERROR

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\n{self.hint}" if self.hint else self.what


class SettingsError(RollcallError):
    """A flag or an environment variable that makes no sense."""


class PolicyError(RollcallError):
    """policy.yaml is missing, unreadable or wrong; `what` names file, line and field.

    Attributes:
        others: what else is wrong in it, in the file's order.
    """

    def __init__(self, what: str, hint: str = "", others: tuple[PolicyError, ...] = ()) -> None:
        super().__init__(what, hint)
        self.others = others


class NoPolicy(PolicyError):
    """There is no policy.yaml where it is looked for."""


class ConfigRefused(RollcallError):
    """config.yaml cannot be edited safely; it is left untouched.

    Attributes:
        line: 1-based line of the reason, None where it is about the whole file.
        reason: the short machine-readable reason, e.g. ``duplicate_key``.
        why: the reason in words, without the place and a stop; "" where `what` is about no place.
    """

    def __init__(
        self, what: str, hint: str = "", *, reason: str, line: int | None = None, why: str = ""
    ) -> None:
        super().__init__(what, hint)
        self.reason = reason
        self.line = line
        self.why = why
        self.name_file("config.yaml")

    def name_file(self, name: str) -> None:
        """Call the file as its user does; who reads bytes alone knows no name."""
        if self.why:
            self.what = f"{name}{f':{self.line}' if self.line else ''}: {self.why}."


class PlanError(RollcallError):
    """A saved plan that cannot be read, or that no longer fits the files it was made from."""

    def __init__(
        self, what: str, hint: str = "Make a new one with `rollcall plan --out FILE`."
    ) -> None:
        super().__init__(what, hint)


class StoreError(RollcallError):
    """The disk said no: full, read-only, not ours. Nothing half-written is left behind."""


class LockBusy(StoreError):
    """Another rollcall holds the lock for longer than our deadline; the work is left to it."""


class LostRace(StoreError):
    """Somebody else wrote first: what a plan was made from is there no more."""

    def __init__(self, what: str, why: str = "changed while rollcall was deciding") -> None:
        super().__init__(f"{what} {why}.", "Run again to decide from what is there now.")


class LaunchError(RollcallError):
    """litellm was not found, or could not be started."""


class NotFound(RollcallError):
    """A model, alias, backup or file that is nowhere; `hint` names the nearest ones."""


class GuardRefused(RollcallError):
    """A guard refused the whole plan; config.yaml is untouched."""

    exit_code = Exit.GUARD


class NobodyAsked(RollcallError):
    """Not one provider could be asked; nothing changes."""

    exit_code = Exit.NOBODY


def nearest(word: str, known: Iterable[str], *, most: int = 1, likeness: float = 0.6) -> list[str]:
    """The known words most like a misspelled one, as they are spelled, the best first.

    Args:
        likeness: between 0 and 1; higher where a wrong guess does more harm than none.
    """
    from difflib import get_close_matches  # only where something is wrong

    spelled: dict[str, str] = {}
    for one in known:
        spelled.setdefault(one.lower(), one)
    near = get_close_matches(word.lower(), spelled, n=most, cutoff=likeness)
    return [spelled[one] for one in near]


def did_you_mean(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """`Did you mean 'openrouter'?`, or nothing where no known word is near."""
    near = nearest(word, known, likeness=likeness)
    return f"Did you mean {near[0]!r}?" if near else ""


LONGEST_SHOWN = 40


def shown(value: object) -> str:
    """A wrong value for a message: its kind where it is long or could hold something private."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = ascii(value)
    return text if len(text) <= LONGEST_SHOWN else "a long text"
