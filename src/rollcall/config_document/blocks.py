"""What config.yaml holds, as values: our blocks, the user's own part, and the whole document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from rollcall.config_document.sections import Layout
    from rollcall.errors import ConfigRefused

Entry = dict[str, Any]
"""One `model_list` entry as plain data: model_name, litellm_params, model_info."""

MANAGER = "rollcall"
"""The value of `model_info.managed_by` in every entry of ours."""

FallbacksSection = Literal["router_settings", "litellm_settings", "both"]


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


class StrayEntry(NamedTuple):
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
        own_models: the user's hand-written items of `model_list`, one by one as they stand, be
            they entries or not. own_aliases, own_fallbacks: likewise.
        fallbacks_section: where the user's fallbacks are: "router_settings", "litellm_settings",
            "both" (then ours are refused), or None.
        strays: entries of ours whose markers were lost; they are among `own_models` too.
        refusal: why no edit is possible before `adopt` has put the markers right, if so.
        layout: the places of all this in the text; read anew where it is None.
    """

    raw: bytes
    data: dict[str, Any]
    managed: Blocks
    own_models: tuple[Any, ...]
    own_aliases: dict[str, Any]
    own_fallbacks: tuple[Any, ...]
    fallbacks_section: FallbacksSection | None
    strays: tuple[StrayEntry, ...]
    refusal: ConfigRefused | None = field(default=None, compare=False)
    layout: Layout | None = field(default=None, repr=False, compare=False)

    @property
    def own_entries(self) -> tuple[Entry, ...]:
        """The user's entries. A bare `-` or a lone word is none; `doctor` says what to do then."""
        return tuple(entry for entry in self.own_models if isinstance(entry, dict))


def is_managed(entry: Any) -> bool:
    """Whether an entry says it is ours."""
    info = entry.get("model_info") if isinstance(entry, dict) else None
    return isinstance(info, dict) and info.get("managed_by") == MANAGER
