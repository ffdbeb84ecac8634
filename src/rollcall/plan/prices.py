"""What a model costs, for comparing: its own price, else OpenRouter's for the same model. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rollcall.catalog import order, reading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from rollcall.catalog.model import Model


class Cost(NamedTuple):
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
    other = stand_in(model, stand_ins)
    if other is None or other.price.blended is None:
        return None
    return Cost(other.price.blended, f"OpenRouter's price for {other.id}")


def stand_in(model: Model, stand_ins: Iterable[Model]) -> Model | None:
    """OpenRouter's offer of the same model, with a known price; None = it has none."""
    mine = order.read_model(model)
    found = []
    for other in stand_ins:
        if other.price.blended is None or ":" in other.id or other.points_at:
            continue
        theirs = order.read_model(other)
        if _same(mine, theirs):
            found.append((_distance(mine, theirs), other.id, other))
    return min(found, key=lambda row: row[:2])[2] if found else None


def _distance(mine: reading.Reading, theirs: reading.Reading) -> int:
    """Of several offers of one version the same snapshot counts, then the bare name."""
    if mine.stamp_text == theirs.stamp_text:
        return 0
    return 2 if theirs.stamp_text else 1


def _same(mine: reading.Reading, theirs: reading.Reading) -> bool:
    """Whether two ids read as the same model: maker, family, version and revision."""
    return (mine.maker, mine.family, mine.version, mine.revision, mine.stage) == (
        theirs.maker,
        theirs.family,
        theirs.version,
        theirs.revision,
        theirs.stage,
    )
