"""The story: make a plan, apply it, roll it back. Each line's result feeds the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollcall.inventory import Inventory
    from rollcall.settings import Settings


def read_inventory(settings: Settings) -> Inventory:
    """Everything known, from config.yaml, the policy and the stored replies; no network."""
    raise NotImplementedError
