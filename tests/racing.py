"""Writers of one config, all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rollcall.errors import LostRace

if TYPE_CHECKING:
    from rollcall.store.remote import RemoteStore

NOON = "2026-11-20T12:00:00Z"


def race(stores: list[RemoteStore], text: bytes, turn: int) -> bytes:
    """The text of the one that wins, where each has read `text` and writes `count: TURN, by N`."""
    for store in stores:
        assert store.read_config() == text

    new = [b"count: %d, by %d\n" % (turn, number) for number in range(len(stores))]

    def wins(number: int) -> bool:
        try:
            stores[number].write_config(new[number], expected=text, created=NOON, reason="race")
        except LostRace:
            return False
        return True

    with ThreadPoolExecutor(len(stores)) as pool:
        won = [text for text, one in zip(new, pool.map(wins, range(len(new))), strict=True) if one]
    assert len(won) == 1
    assert stores[0].read_config() == won[0]
    return won[0]
