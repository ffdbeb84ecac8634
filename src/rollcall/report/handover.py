"""What changed hands between the user and rollcall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.text import out, printable, say_all

if TYPE_CHECKING:
    from rollcall.handover import Adopted
    from rollcall.store import Written


def show_adopted(adopted: Adopted, path: str) -> None:
    """Print what became managed."""
    for name in adopted.names:
        out(f"adopted {printable(name)}")
    for name in adopted.aliases:
        out(f"adopted alias {printable(name)}")
    if adopted.written is None:
        out(f"{path}: nothing to adopt.")
    elif not adopted.names and not adopted.aliases:
        out(f"{path}: nothing to adopt; written with the policy's other changes.")
    else:
        out(f"{path}: written.")
    say_all(adopted.notes, mark="note: ")


def show_ejected(written: Written | None, path: str, *, removed: bool) -> None:
    """Print what was given up."""
    if written is None:
        out(f"{path}: there is nothing of rollcall in it.")
        return
    what = "the managed entries are gone" if removed else "the managed entries are yours now"
    out(f"{path}: {what}. `rollcall rollback` undoes it.")
    say_all(written.notes, mark="note: ")
