"""The new text of config.yaml compared with what it was to become, before anybody sees it."""

from __future__ import annotations

from typing import Any

from rollcall.config_document.blocks import Blocks, ConfigDocument
from rollcall.config_document.refusals import refusal

_OURS = {"router_settings": ("model_group_alias", "fallbacks"), "litellm_settings": ("fallbacks",)}


def same_data(left: Any, right: Any) -> bool:
    """Whether two loaded values are the same to LiteLLM: type by type, in the same order.

    Stricter than ``==``, where 1, 1.0 and True are equal and NaN is not itself; the order of a
    mapping's keys counts for nothing. Shared parts, as anchors make them, are compared once.
    """
    return _same(left, right, set())


def _same(left: Any, right: Any, seen: set[tuple[int, int]]) -> bool:
    if left is right:
        return True
    if isinstance(left, str) or isinstance(right, str):
        return bool(left == right)
    if isinstance(left, dict) and isinstance(right, dict):
        if len(left) != len(right) or (id(left), id(right)) in seen:
            return len(left) == len(right)
        seen.add((id(left), id(right)))
        return all(key in right and _same(value, right[key], seen) for key, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right) or (id(left), id(right)) in seen:
            return len(left) == len(right)
        seen.add((id(left), id(right)))
        return all(_same(one, other, seen) for one, other in zip(left, right, strict=True))
    return type(left) is type(right) and bool(left == right or (left != left and right != right))


def check_read_back(
    old: ConfigDocument, new: ConfigDocument, blocks: Blocks, *, replaced: bool = False
) -> None:
    """Compare the new document with the old one and the blocks it was to get.

    Raises:
        ConfigRefused: anything differs; `detail` says what.
    """
    kept_models = () if replaced else old.own_models
    kept_aliases = {} if replaced else old.own_aliases
    wrong = _first_difference(
        {
            "the markers": new.refusal is None,
            "the managed models": same_data(new.managed.models, blocks.models),
            "the managed aliases": same_data(new.managed.aliases, blocks.aliases)
            and list(new.managed.aliases) == list(blocks.aliases),
            "the managed fallbacks": same_data(new.managed.fallbacks, blocks.fallbacks),
            "hand-written models": same_data(new.own_models, kept_models),
            "hand-written aliases": same_data(new.own_aliases, kept_aliases),
            "hand-written fallbacks": same_data(new.own_fallbacks, old.own_fallbacks)
            and new.fallbacks_section == old.fallbacks_section,
            "another section": same_data(rest_of(new.data), rest_of(old.data)),
        }
    )
    if wrong:
        raise refusal("read_back", detail=f"{wrong} would differ")


def _first_difference(checks: dict[str, bool]) -> str | None:
    return next((name for name, holds in checks.items() if not holds), None)


def rest_of(data: dict[str, Any]) -> dict[str, Any]:
    """The data without our three places; a section that is empty without them is left out."""
    rest = {key: value for key, value in data.items() if key != "model_list"}
    for section, keys in _OURS.items():
        value = rest.get(section)
        if isinstance(value, dict):
            value = {key: item for key, item in value.items() if key not in keys}
            rest[section] = value
        if section in rest and not value:
            del rest[section]
    return rest
