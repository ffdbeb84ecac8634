"""Saved plans: the file that `plan --out` writes and `apply PLAN` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rollcall.plan import Plan
    from rollcall.settings import Settings

AGAIN = "Make one with `rollcall plan --out FILE`."


def save(path: Path, plan: Plan, settings: Settings) -> None:
    """Write a plan where `--out` says.

    Raises:
        StoreError: it cannot be written there, or a file of the user's is there.
    """
    from rollcall.errors import StoreError

    refuse_own_files("--out", path, settings.config_path, settings.policy_path)
    try:
        path.write_text(plan.to_json(), encoding="ascii", newline="\n")
    except OSError as error:
        raise StoreError(
            f"The plan could not be saved to {path}: {error.strerror or error}.",
            "Name another file with --out.",
        ) from None


def load(path: Path) -> Plan:
    """Read a saved plan.

    Raises:
        PlanError: it cannot be read, or is no plan.
    """
    from rollcall.errors import PlanError
    from rollcall.plan import read_plan
    from rollcall.regular_file import MOST_BYTES, read_regular

    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise PlanError(f"{path} cannot be read: {reason}.", AGAIN) from None
    return read_plan(text, str(path))


def refuse_own_files(option: str, path: Path, *taken: Path) -> None:
    """Keep a result from going over a file of the user's that it is not.

    Raises:
        StoreError: `path` is one of `taken`.
    """
    from rollcall.errors import StoreError

    for other in taken:
        if path.resolve() == other.resolve():
            raise StoreError(f"{option} names {other}, which is yours.", "Name another file.")


def refuse_planning_options(given: Mapping[str, object]) -> None:
    """With a saved plan all is decided: options that would decide anew are a usage error.

    Raises:
        typer.BadParameter: one of them is set.
    """
    for option, value in given.items():
        if value:
            raise typer.BadParameter(
                f"{option} has no effect on a saved plan: give it to `rollcall plan`."
            )
