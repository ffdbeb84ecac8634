"""Model id -> family, version, date, stage, variant; and the order that "newest" means. Pure.

The front of its modules: `words` holds what no rule can know, `reading` reads ids, `order` orders
what was read.
"""

from __future__ import annotations

from rollcall.families.order import (
    FamilyKey,
    group,
    newest_first,
    read_model,
    release_date,
    versions,
)
from rollcall.families.reading import Reading, Stage, author_of, read
from rollcall.families.words import canonical_maker, maker_of_family

__all__ = [
    "FamilyKey",
    "Reading",
    "Stage",
    "canonical_maker",
    "group",
    "is_family",
    "newest_first",
    "read",
    "read_model",
    "release_date",
    "versions",
]


def is_family(reading: Reading, name: str) -> bool:
    """Whether `name` (``claude-sonnet``, ``deepseek/deepseek-chat``) names the reading's family.

    A family belongs to its maker: a plain name whose head is well known means that maker's only,
    so ``acme/claude-sonnet-99`` is no ``claude-sonnet``; ``vendor/family`` says it outright, where
    the vendor is the maker or the author in the id. A plain name nobody owns matches any maker's.
    """
    vendor, _, family = name.strip().lower().rpartition("/")
    if not family or family != reading.family:
        return False
    if vendor:
        return _is_vendor(reading, vendor)
    owner = maker_of_family(family)
    return owner is None or owner == reading.maker


def _is_vendor(reading: Reading, vendor: str) -> bool:
    """Whether `vendor`, by any of its names, made the model or stands in its id."""
    return canonical_maker(vendor) in (reading.maker, author_of(reading.id))
