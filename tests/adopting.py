"""Adopting by name, as the tests of the text say it: what each entry says stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.litellm_config import adoption

if TYPE_CHECKING:
    from rollcall.litellm_config.document import ConfigDocument


def adopt(
    document: ConfigDocument, names: frozenset[str], *, aliases: frozenset[str] = frozenset()
) -> bytes:
    """The text after the hand-written entries called `names` became managed ones."""
    entries = {
        index: entry
        for index, entry in enumerate(document.own_models)
        if isinstance(entry, dict) and str(entry.get("model_name")) in names
    }
    return adoption.adopt(document, entries, aliases=aliases)
