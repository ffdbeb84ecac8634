"""Where small files lie, each under a version: a folder, or a place beside a config in a store."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Held(NamedTuple):
    """A text and the version under which it stands; "" where there are no versions."""

    content: bytes
    version: str


class Pieces(Protocol):
    """What one run leaves for the next."""

    def get(self, name: str) -> Held | None:
        """One of them; None where there is none. Raises StoreError."""
        ...

    def put(self, name: str, content: bytes, version: str | None) -> str:
        """Write where this version stands still, None = where nothing is; the new version.

        Raises:
            LostRace: something else stands there. StoreError: it could not be written.
        """
        ...


class Shelf(Pieces, Protocol):
    """Pieces that can be listed and taken away: earlier configs lie there, too."""

    def names(self) -> list[str]:
        """Of all of them."""
        ...

    def remove(self, name: str) -> None:
        """Take one away, if it is there. Raises StoreError."""
        ...
