"""What only a whole list tells: the unit of its prices, what `created` means, who its owner is.

One row of a gateway says `created: 1677610602`, `owned_by: openai` and `prompt: 0.28`, which reads
like a release date, a maker and a price per token. Beside the other rows it is plainly none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.catalog.model import Kind
from rollcall.catalog.names import MAKER_OF_NAME, NOBODY, maker_of_family, plain_name
from rollcall.catalog.reading import author_of, read
from rollcall.litellm_config.effective import CREATED
from rollcall.providers.kinds import kind_of
from rollcall.providers.prices import Quote, Unit, quote_of, unit_of
from rollcall.providers.rows import Row, id_of, places
from rollcall.settings import parse_moment

if TYPE_CHECKING:
    from datetime import date

    from rollcall.providers.builtin import Provider

_RELEASED: Final = places("released released_at release_date releaseDate")
"""Where rows state the day of release in so many words; `created` is then another one."""
_PLACEHOLDERS: Final = frozenset((1_626_777_600, 1_626_777_602, 1_700_000_000))
"""The `created` of models whose day new-api, one-api and others do not know."""
_SAME: Final = 4
"""So many rows of one moment were listed then, not released."""
_MOMENT_SECONDS: Final = 60
_NOW_SECONDS: Final = 3600
"""A `created` this near to the time of asking is that time; clocks differ."""


class WholeList(NamedTuple):
    """A list as a whole, for the reading of its rows.

    Attributes:
        unit: of the prices that state none.
        dated: whether `created` is a release date. judged: whether that was read from the rows.
        owner: the one owner of all rows of a gateway, as `plain_name` has it; "" = they differ.
        gateway: whether it serves models of other makers, as far as anybody knows.
    """

    unit: Unit
    dated: bool
    judged: bool
    owner: str
    gateway: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of how it was read."""
        return (self.unit.note,) if self.unit.note else ()

    def released(self, row: Row, created: str = "created") -> date | None:
        """The day a row says its model came out; `created` is what its list calls that."""
        for place in row.present(_RELEASED):
            if day := row.day(*place):
                return day
        if not self.dated or (self.judged and _is_software(_owner(row))):
            return None
        if self.judged and _created(row) in _PLACEHOLDERS:
            return None
        return row.day(created)

    def maker(self, row: Row, model_id: str) -> str | None:
        """Who made a model, as far as its row can say.

        Behind a gateway whose owner is itself, or one for all, a bare id with a maker's
        well-known head belongs to that maker.
        """
        owner = _owner(row)
        if not self.gateway or author_of(model_id) or model_id.startswith("ft:"):
            return owner
        strange = plain_name(owner or "") not in MAKER_OF_NAME
        if (self.owner or strange) and maker_of_family(read(model_id).family):
            return None
        return owner


def as_it_says(provider: Provider) -> WholeList:
    """A list whose rows say all of it: USD per token, and dates of release."""
    dated = provider.created != "listing"
    return WholeList(Unit(0), dated, judged=False, owner="", gateway=provider.gateway)


def whole_list(
    provider: Provider,
    items: Sequence[object],
    *,
    pages: Sequence[object] = (),
    moments: Collection[float] = (),
    id_keys: Sequence[str] = ("id",),
) -> WholeList:
    """What a provider's rows tell together.

    Args:
        pages: what the rows stand in.
        moments: when it was asked, by the clocks there are, in Unix seconds.
    """
    rows = [item for item in items if isinstance(item, Row)]
    owners = {plain_name(_owner(row) or "") for row in rows}
    return WholeList(
        unit=unit_of(_quotes(rows, id_keys), provider.price_unit, pages),
        dated=_dated(provider, rows, moments),
        judged=provider.created is None,
        owner=next(iter(owners)) if len(owners) == 1 else "",
        gateway=provider.gateway,
    )


def _quotes(rows: Sequence[Row], id_keys: Sequence[str]) -> Iterator[Quote]:
    """The prices of the models that one chats with."""
    for row in rows:
        quote = quote_of(row)
        if quote.base and kind_of(row, str(id_of(row, id_keys))) is Kind.CHAT:
            yield quote


def _dated(provider: Provider, rows: Sequence[Row], moments: Collection[float]) -> bool:
    """Whether `created` is a release date: the policy's word, else what the rows look like."""
    if provider.created is not None:
        return provider.created == "release"
    created = [moment for row in rows if (moment := _created(row))]
    if not created:
        return True
    first, last = min(created), max(created)
    if CREATED in created or (len(created) >= _SAME and last - first <= _MOMENT_SECONDS):
        return False
    asked_then = any(
        abs(moment - now) <= _NOW_SECONDS for now in moments for moment in (first, last)
    )
    return not asked_then or last - first > _MOMENT_SECONDS


def _created(row: Row) -> float | None:
    """When a row says that it was made, in Unix seconds: a number, or a time as Anthropic's are."""
    if moment := row.moment("created") or row.moment("created_at"):
        return moment
    stated = parse_moment(row.text("created_at") or "")
    return None if stated is None else stated.timestamp()


def _owner(row: Row) -> str | None:
    return row.text("owned_by") or row.text("organization")


def _is_software(owner: str | None) -> bool:
    """Whether the owner is serving software: its `created` is the time of loading or asking."""
    return owner is not None and plain_name(owner) in NOBODY
