"""Model id -> family, version, date, stage, variant; and the order that "newest" means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from rollcall.catalog import Model


class Stage(StrEnum):
    """How finished the maker says a model is."""

    STABLE = "stable"
    PREVIEW = "preview"
    EXPERIMENTAL = "experimental"


@dataclass(frozen=True, slots=True)
class Reading:
    """How an id is read.

    Attributes:
        maker: canonical maker (``anthropic``, ``google``, ``xai``...), None if nothing tells.
        family: e.g. ``claude-sonnet``; "" is never a family.
        version: for people, e.g. ``4.5``; "" = unversioned. revision: e.g. ``001``; "" = none.
        stamp: the full date in the id, if it has one; month stamps count as their first day.
        stamp_text: the stamp as it stands in the id (``0309``, ``2411``, ``20250929``), or "".
        variant: ``free``, ``batch``, ``thinking``... what stands behind the colon, or None.
        moving: the id says latest: it changes its target over time, and is never a candidate.
    """

    id: str
    maker: str | None
    family: str
    version: str
    revision: str
    stamp: date | None
    stamp_text: str
    stage: Stage
    variant: str | None
    moving: bool

    @property
    def dated(self) -> bool:
        """Whether the id carries a date stamp (a snapshot)."""
        return bool(self.stamp_text)


FamilyKey = tuple[str | None, str]
"""(maker, family)."""


def read(model_id: str, *, maker: str | None = None) -> Reading:
    """Read an id of any provider; `maker` is what the provider says where the id does not.

    Total: never raises, whatever the string. Cached.
    """
    raise NotImplementedError


def is_family(reading: Reading, name: str) -> bool:
    """Whether `name` (``claude-sonnet``, ``deepseek/deepseek-chat``) names the reading's family."""
    raise NotImplementedError


def group(models: Iterable[Model]) -> Mapping[FamilyKey, Sequence[Sequence[Model]]]:
    """Families -> versions newest first -> the ids of that version, the preferred one first.

    The result does not depend on the order of `models`. Moving ids and variants are not left out:
    the caller passes candidates only.
    """
    raise NotImplementedError


def newest_first(models: Iterable[Model]) -> list[Model]:
    """One family's models (of one provider or several), newest first: a total order."""
    raise NotImplementedError
