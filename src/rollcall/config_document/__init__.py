"""config.yaml as text with managed blocks: bytes in, bytes out. Pure, no disk.

Only the lines between our markers are ours. Everything else keeps every byte. Taken out again, ours
leave the file as it was; only a key that had to be created, and a value that was null, stay behind
as `[]` or `{}`, because a line of ours cannot say what stood there before. The work is done in
`reading` (parse), `writing` (with_blocks) and `adoption` (adopt, eject).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rollcall.config_document.blocks import Blocks, ConfigDocument, Entry, StrayEntry, is_managed
from rollcall.config_document.managed_text import managed_text
from rollcall.config_document.reading import parse

if TYPE_CHECKING:
    from rollcall.config_document.adoption import adopt, eject
    from rollcall.config_document.places import locate
    from rollcall.config_document.writing import with_blocks

__all__ = [
    "Blocks",
    "ConfigDocument",
    "Entry",
    "StrayEntry",
    "adopt",
    "eject",
    "is_managed",
    "locate",
    "managed_text",
    "parse",
    "with_blocks",
]

_HOMES = {
    "adopt": "rollcall.config_document.adoption",
    "eject": "rollcall.config_document.adoption",
    "locate": "rollcall.config_document.places",
    "with_blocks": "rollcall.config_document.writing",
}
"""What a run needs late or never; imported when first used."""


def __getattr__(name: str) -> Any:
    """Import a name from its home on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
