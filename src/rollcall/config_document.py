"""config.yaml as text with managed blocks: bytes in, bytes out. Pure, no disk.

Only the lines between our markers are ours. Everything else keeps every byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Entry = dict[str, Any]
"""One `model_list` entry as plain data: model_name, litellm_params, model_info."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What stands, or shall stand, between our markers; plain data, in file order.

    Attributes:
        models: entries of `model_list`.
        aliases: `router_settings.model_group_alias`; name -> target, or
            ``{"model": target, "hidden": bool}`` (both keys always written).
        fallbacks: one-key dicts, name -> list of names.
    """

    models: tuple[Entry, ...] = ()
    aliases: dict[str, str | dict[str, Any]] = field(default_factory=dict)
    fallbacks: tuple[dict[str, list[str]], ...] = ()


@dataclass(frozen=True, slots=True)
class StrayEntry:
    """An entry that says `managed_by: rollcall` but stands outside our markers."""

    model_name: str
    line: int


@dataclass(frozen=True, slots=True)
class ConfigDocument:
    """A parsed config.yaml.

    Attributes:
        raw: the file's bytes (b"" = no file yet).
        data: what LiteLLM loads from it ({} when empty).
        managed: what stands between our markers now.
        own_models: the user's hand-written entries. own_aliases, own_fallbacks: likewise.
        fallbacks_section: where the user's fallbacks are: "router_settings", "litellm_settings",
            "both" (then ours are refused), or None.
        strays: entries of ours whose markers were lost.
    """

    raw: bytes
    data: dict[str, Any]
    managed: Blocks
    own_models: tuple[Entry, ...]
    own_aliases: dict[str, Any]
    own_fallbacks: tuple[Any, ...]
    fallbacks_section: Literal["router_settings", "litellm_settings", "both"] | None
    strays: tuple[StrayEntry, ...]


def parse(raw: bytes) -> ConfigDocument:
    """Read config.yaml.

    Raises:
        ConfigRefused: it cannot be edited safely; line and reason say why.
    """
    raise NotImplementedError


def with_blocks(document: ConfigDocument, blocks: Blocks, *, replace: bool = False) -> bytes:
    """The file with `blocks` between our markers, every other byte as it was.

    Equal data gives the very same bytes back. The result has been read back as LiteLLM reads it
    and compared with old data plus `blocks`. With `replace` the whole model_list and alias map
    become ours (`model_list: replace`).

    Raises:
        ConfigRefused: there is no safe place, or the read-back disagrees.
    """
    raise NotImplementedError


def managed_text(raw: bytes) -> str:
    """Our own lines only, markers included, for a diff that shows nobody's secrets."""
    raise NotImplementedError


def adopt(document: ConfigDocument, names: frozenset[str]) -> bytes:
    """Take the hand-written (or stray) entries called `names` out of the user's lines and put
    them, as they are, between our markers; every other byte stays.

    Raises:
        ConfigRefused: an entry shares an anchor or stands where it cannot be cut out.
    """
    raise NotImplementedError


def eject(document: ConfigDocument, *, remove: bool = False) -> bytes:
    """Give the managed entries up: leave them as ordinary ones (no markers, no `managed_by`), or
    with `remove` take them out; every other byte stays.
    """
    raise NotImplementedError
