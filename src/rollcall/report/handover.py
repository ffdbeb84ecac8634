"""What changed hands between the user and rollcall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.text import out, printable, say_all

if TYPE_CHECKING:
    from rollcall.handover import Adopted
    from rollcall.store import Written


def show_adopted(adopted: Adopted, path: str, *, as_json: bool = False) -> None:
    """Print what became managed."""
    if as_json:
        _show_json(
            names=adopted.names, aliases=adopted.aliases, changed=adopted.written is not None
        )
    else:
        for name in adopted.names:
            out(f"adopted {printable(name)}")
        for name in adopted.aliases:
            out(f"adopted alias {printable(name)}")
        out(f"{path}: {_adoption(adopted)}")
    say_all(adopted.notes, mark="note: ")


def _adoption(adopted: Adopted) -> str:
    if adopted.written is None:
        return "nothing to adopt."
    if not adopted.names and not adopted.aliases:
        return "nothing to adopt; written with the policy's other changes."
    return "written."


def show_ejected(
    written: Written | None, path: str, *, removed: bool, as_json: bool = False
) -> None:
    """Print what was given up."""
    if as_json:
        _show_json(changed=written is not None, removed=removed)
    elif written is None:
        out(f"{path}: there is nothing of rollcall in it.")
    else:
        what = "the managed entries are gone" if removed else "the managed entries are yours now"
        out(f"{path}: {what}. `rollcall rollback` undoes it.")
    say_all(written.notes if written else (), mark="note: ")


def _show_json(**data: object) -> None:
    import json

    out(json.dumps(data, indent=2))
