"""Names for the shell's completion: models, `provider/id` and aliases, from what is stored.

Nobody is asked, and nothing is ever said: a shell that completes shows no error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

COMPLETE_VARIABLE = "_ROLLCALL_COMPLETE"
"""What the shell's script sets, with what it asks for."""
SHELLS = ("bash", "zsh", "fish", "powershell")

if TYPE_CHECKING:
    from rollcall.inspect.inventory import Inventory


def known_names(context: typer.Context, incomplete: str) -> list[str]:
    """Aliases, then everything that `explain` takes."""
    found = _inventory(context)
    if found is None:
        return []
    names = [*found.aliases, *(row.called for row in found.rows)]
    names += [f"{row.provider}/{row.id}" for row in found.rows]
    return _beginning(names, incomplete)


def pickable_names(context: typer.Context, incomplete: str) -> list[str]:
    """What `pick` takes: the managed models of the config."""
    found = _inventory(context)
    rows = found.rows if found else ()
    managed = [row for row in rows if row.in_config and row.reason != "hand-written"]
    return _beginning([row.called for row in managed], incomplete)


def _inventory(context: typer.Context) -> Inventory | None:
    from rollcall.inspect.inventory import read_inventory
    from rollcall.settings import resolve

    given = context.params
    try:
        return read_inventory(
            resolve(
                config=given.get("config"),
                policy=given.get("policy"),
                state_dir=given.get("state_dir"),
            )
        )
    except Exception:  # noqa: BLE001 - whatever is wrong, `rollcall doctor` says it
        return None


def _beginning(names: list[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
