"""Where a config lives that is no file: what a store must be able to do, and what it says.

A home holds the config under a version, takes a new one only while that version stands, and has a
shelf beside it for what rollcall remembers. An object store and a ConfigMap are homes; a file, and
a manifest, which is one, are served by `Store` itself with a lock and a rename.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rollcall.errors import StoreError
from rollcall.store.memory import Pieces

if TYPE_CHECKING:
    from rollcall.settings import Settings
    from rollcall.store.memory import Held


class Shelf(Pieces, Protocol):
    """Pieces that can be listed and taken away: earlier configs lie there, too."""

    def names(self) -> list[str]:
        """Of all of them."""
        ...

    def remove(self, name: str) -> None:
        """Take one away, if it is there. Raises StoreError."""
        ...


class Home(Protocol):
    """Where one config lives."""

    @property
    def address(self) -> str:
        """What a person calls it."""
        ...

    @property
    def shelf(self) -> Shelf:
        """For what is remembered beside it."""
        ...

    def read(self) -> Held | None:
        """The config; None where there is none yet. Raises StoreError."""
        ...

    def write(self, content: bytes, version: str | None) -> str:
        """As `Shelf.put`, the config itself."""
        ...

    def earlier(self, version: str) -> bytes | None:
        """The config under an earlier version, where the store keeps those. Raises StoreError."""
        ...

    def included(self, entry: str, declared_in: str) -> tuple[str, bytes] | None:
        """The name and text of a file that `include:` names, None where it cannot be read.

        Args:
            declared_in: the name of the text that names it, "" for the config itself.
        """
        ...

    def require_conditions(self) -> None:
        """Refuse a store that writes whatever the condition. Raises StoreError."""
        ...


def home_of(settings: Settings) -> Home:
    """The home at the settings' address.

    Raises:
        StoreError: its client is not installed, or cannot be set up.
    """
    address = settings.address or ""
    if address.startswith("configmap://"):
        try:
            from rollcall.store.configmap_home import ConfigMapHome
        except ImportError as error:
            raise _without(error) from None
        return ConfigMapHome.at(address, settings.environ)
    try:
        from rollcall.store.object_home import ObjectHome
    except ImportError as error:
        raise _without(error) from None
    return ObjectHome.at(address, settings.environ)


def _without(error: ImportError) -> StoreError:
    return StoreError(
        f"This needs a package that is not installed ({error.name}).",
        "Install it with: pip install obstore kubernetes (rollcall's extra `fleet`).",
    )
