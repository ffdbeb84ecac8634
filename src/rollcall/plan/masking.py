"""Shows our lines without what is private in them, and puts it back where a saved plan is applied.
Pure.

People paste keys between our markers, under any name (`api_key`, a header, an organisation). So
what an entry of the file holds is shown and saved only where it is surely ours or the policy's:
our own fields, references to variables, plain words, numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from rollcall.litellm_config.document import Blocks
from rollcall.litellm_config.entries import by_name, key_of, name_of
from rollcall.secrets import is_near_secret, variable_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rollcall.litellm_config.document import Entry
    from rollcall.yaml_reading import Place

MASK: Final = "***"

_OURS: Final = frozenset(
    {
        ("model_name",),
        ("litellm_params", "model"),
        *(
            ("model_info", key)
            for key in ("id", "managed_by", "display_name", "mode", "leaves", "price_source")
        ),
    }
)
_WORD: Final = re.compile(r"[a-z][a-z_-]{0,15}")


def masked(old: Blocks, new: Blocks, known: Iterable[str] = ()) -> tuple[Blocks, Blocks]:
    """Two states of our blocks without what is private in the first.

    Args:
        old: as they stand in the file. new: as planned; kept entries hold the same values.
        known: texts of the policy, which are no secret.
    """
    plain = frozenset(known)
    present = _twins(old.models)
    before = [_hidden(entry, entry, (), plain) for entry in old.models]
    after = [_hidden(entry, present(entry), (), plain) for entry in new.models]
    return (
        Blocks(tuple(before), old.aliases, old.fallbacks),
        Blocks(tuple(after), new.aliases, new.fallbacks),
    )


def restored(models: Iterable[Entry], old: Blocks) -> tuple[Entry, ...]:
    """The entries of a saved plan with what `masked` took out, from the file it was made from."""
    present = _twins(old.models)
    return tuple(_unmasked(entry, present(entry)) for entry in models)


def _twins(entries: Iterable[Entry]) -> Callable[[Entry], Entry | None]:
    """Finds the entry of a name as it stands in the file; of a group, that of the same model."""
    rows = list(entries)
    exact = {(name_of(row), key_of(row)): row for row in rows}
    named = by_name(rows)
    return lambda entry: exact.get((name_of(entry), key_of(entry)), named.get(name_of(entry)))


def texts_of(value: Any) -> set[str]:
    """Every text inside plain data."""
    if isinstance(value, dict):
        return {text for inner in value.values() for text in texts_of(inner)}
    if isinstance(value, list | tuple):
        return {text for inner in value for text in texts_of(inner)}
    return {value} if isinstance(value, str) else set()


def text_of(blocks: Blocks) -> str:
    """Blocks as lines for a diff, each as it would stand in config.yaml.

    Rendered from data: comments and the spelling of a file edited by hand hold anything.
    """
    from rollcall.litellm_config.render import block_items, block_pairs  # ruamel.yaml: a diff only

    lines: list[str] = []
    if blocks.models:
        lines += ["model_list:", *_lines(block_items, list(blocks.models))]
    if blocks.aliases:
        lines += ["model_group_alias:", *_lines(block_pairs, blocks.aliases)]
    if blocks.fallbacks:
        lines += ["fallbacks:", *_lines(block_items, list(blocks.fallbacks))]
    return "\n".join(lines)


def _lines(render: Any, members: Any) -> list[str]:
    try:
        made: list[str] = render(members, 2)
    except ValueError:  # a value typed by hand that we would not write
        return ["  # values that rollcall does not write"]
    return made


def _hidden(value: Any, present: Any, path: Place, known: frozenset[str]) -> Any:
    """`value` without those of its leaves that stand in `present` and may be private."""
    if isinstance(value, dict):
        return {
            key: _hidden(inner, _at(present, key), (*path, key), known)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _hidden(inner, _at(present, index), (*path, index), known)
            for index, inner in enumerate(value)
        ]
    return MASK if value == present and _may_be_private(value, path, known) else value


def _may_be_private(value: Any, path: Place, known: frozenset[str]) -> bool:
    if path in _OURS or value in known:
        return False
    private = any(isinstance(step, str) and is_near_secret(step) for step in path)
    if isinstance(value, int) and not isinstance(value, bool):
        return private and abs(value) > 10**9
    if not isinstance(value, str) or variable_of(value) is not None:
        return False
    if path == ("litellm_params", "api_base"):
        return "@" in value or "?" in value
    return private or not _WORD.fullmatch(value)


def _unmasked(value: Any, present: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unmasked(inner, _at(present, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unmasked(inner, _at(present, index)) for index, inner in enumerate(value)]
    return present if value == MASK and isinstance(present, str | int) else value


def _at(present: Any, step: Any) -> Any:
    if isinstance(present, dict):
        return present.get(step)
    if isinstance(present, list | tuple) and isinstance(step, int) and step < len(present):
        return present[step]
    return None
