"""What a model costs, for comparing: its own price, else OpenRouter's for the same model. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollcall import families

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from rollcall.catalog import Model


@dataclass(frozen=True, slots=True)
class Cost:
    """3 x input + output in USD per token; `source` is "" or says whose price stands in."""

    blended: Decimal
    source: str = ""


def cost_of(model: Model, stand_ins: Iterable[Model] = ()) -> Cost | None:
    """The price to compare a model by; None = unknown.

    Args:
        stand_ins: OpenRouter's models; used, and labelled, only where the provider lists no price.
    """
    if model.price.blended is not None:
        return Cost(model.price.blended)
    mine = families.read_model(model)
    for other in stand_ins:
        if other.price.blended is None or ":" in other.id or other.points_at:
            continue
        theirs = families.read_model(other)
        if _same(mine, theirs):
            return Cost(other.price.blended, f"OpenRouter's price for {other.id}")
    return None


def _same(mine: families.Reading, theirs: families.Reading) -> bool:
    """Whether two ids read as the same model: maker, family, version and revision."""
    return (mine.maker, mine.family, mine.version, mine.revision, mine.stage) == (
        theirs.maker,
        theirs.family,
        theirs.version,
        theirs.revision,
        theirs.stage,
    )
