"""What a model costs: reads the prices of rows, and in which unit a whole list states them.

Lists state USD per token, per 1,000 or per 1M tokens, most without saying which. In this order:
the unit a row or its key's name states, the policy's `price_unit` or what is known of the provider,
and else the numbers themselves: as USD per token those of a list per 1M are absurd. What stays
unclear is unknown, never guessed; one absurd price makes its row's others unknown, too. Nor is a
stated unit believed where a whole list would be absurd by it: Novita's `..._price_per_m` are USD
per 10 billion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from rollcall.catalog.model import Kind, Price
from rollcall.providers.rows import Row, amount_of, live_hosts, places, scaled

if TYPE_CHECKING:
    from rollcall.providers.builtin import PriceUnit

EXPONENTS: Final[dict[PriceUnit, int]] = {"token": 0, "1k": -3, "1M": -6}
"""The policy's word -> the power of ten that makes USD per token of it."""

OPENROUTER_KEYS: Final = {
    "input": "prompt",
    "output": "completion",
    "cache_read": "input_cache_read",
    "cache_write": "input_cache_write",
}
_WORDS: Final = {
    "input": "input input_tokens prompt_tokens input_token input_price",
    "output": "output output_tokens completion_tokens output_token output_price",
    "cache_read": "cache_read cache_read_tokens cached_input cache_input input_cache_reads",
    "cache_write": "cache_write cache_write_tokens input_cache_writes",
}
_KEYS: Final = {part: (key, *_WORDS[part].split()) for part, key in OPENROUTER_KEYS.items()}
"""Part -> its keys in an object of prices."""

_AMOUNTS: Final = ("usd", "USD", "value", "amount", "price")
_DOLLARS: Final = ("", "usd", "$", "us$", "dollar", "dollars")
_HOLDERS: Final = places(
    "pricing price prices pricings cost metadata.pricing model_spec.pricing model_info"
)
"""Where rows keep their prices."""

_ROOT_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "input": ("input_price", "input_token_price"),
    "output": ("output_price", "output_token_price"),
    "cache_read": ("cached_price", "cache_read_token_price"),
    "cache_write": ("caching_price", "cache_write_token_price"),
}

_NAMED: Final = (
    r"(?P<part>input|prompt|output|completion|cache_?read|cache_?write|cached_?(input|prompt))"
    r"(_?token)?s?(_?(cost|price))?(_?usd)?"
    r"_?per_?(?P<unit>1k|1m|1000|1000000|thousand|million|mtok|m|k|token)(_?tokens?)?(_?usd)?"
)
"""A key that names its unit, in lower case: `input_cost_per_token`, `outputpricepermillion`."""

_UNITS: Final = ("unit", "price_unit", "per")
_ROW_UNITS: Final = ("price_unit", "pricing_unit")
_PAGE_UNITS: Final = ("price_unit", "pricing_unit", "unit")
_UNIT_WORDS: Final = frozenset((*_UNITS, *_ROW_UNITS, "currency"))
_OTHERWISE: Final = re.compile(r"hour|minute|second|dedicated|request|^base$")
"""Keys of what is billed otherwise than by tokens; one by the hour counts also where it is 0."""

_PLAIN: Final = Decimal("0.001")
"""USD a token: whole lists above it are per 1M tokens, whole lists below it per token."""

_BARE_TOKEN: Final = Decimal("0.0001")
"""The same for keys other than `prompt` and `completion`: some lists are per 1,000 tokens."""

_DEAREST_MILLION: Final = Decimal(10_000)
"""USD per 1M tokens; the same bound as `rows.DEAREST_TOKEN`."""

_PLAINLY_MILLION: Final = Decimal("0.1")
"""USD: a list whose middle price is below may be per 1,000 tokens, where its dearest, too, is below
what the dearest model ever cost for 1,000."""
_DEAREST_THOUSAND: Final = Decimal("0.6")

_DEAREST_LIST: Final = Decimal("0.0001")
"""USD a token, the same as 100 USD per 1M: the middle of no real list is above it."""

_MAJORITY: Final = 4
"""So many times as many prices must speak for a unit as against it."""

_HINT: Final = "; `price_unit: token|1k|1M` in the policy says it"


class Quote(NamedTuple):
    """A row's prices as it states them.

    Attributes:
        amounts: part -> what stands there; None = it says something that is no price.
        exponent: of the unit it states; None = it states none.
        readable: False where the unit or the currency is none of ours.
        like_openrouter: whether its keys are OpenRouter's, which are USD per token there.
        otherwise: whether it is billed by something else than tokens, too.
    """

    amounts: Mapping[str, Decimal | None]
    exponent: int | None = None
    readable: bool = True
    like_openrouter: bool = False
    otherwise: bool = False

    @property
    def base(self) -> list[Decimal]:
        """What it asks for input and output, where that is not nothing."""
        amounts = (self.amounts.get("input"), self.amounts.get("output"))
        return [amount for amount in amounts if amount]


class Unit(NamedTuple):
    """The unit of those prices of a list that state none.

    Attributes:
        exponent: None = nobody can tell, and they stay unknown.
        above, below: where it was read from the numbers, the amounts that speak for it; another
            one is a slip, and its row's prices are unknown.
        believed: whether a unit that a row states is believed.
        note: what was read from the numbers, one line; "" = nothing that is worth a word.
    """

    exponent: int | None
    above: Decimal = Decimal(0)
    below: Decimal = Decimal("Infinity")
    believed: bool = True
    note: str = ""


def quote_of(row: Row) -> Quote:
    """The prices a row states, in the first place that has any; of several hosts the dearest."""
    return row.once(_quote)


def _quote(row: Row) -> Quote:
    if own := _own(row):
        return own
    hosts = [quote for host in live_hosts(row) if (quote := _own(host))]
    return max(hosts, key=lambda quote: sum(quote.base, Decimal(0)), default=Quote({}))


def _own(row: Row) -> Quote | None:
    """The prices of a row, or of one host in it."""
    for holder in row.present(_HOLDERS):
        if isinstance(holding := row.value(*holder), dict):
            prices = Row(holding)
            if found := _named(prices) or _plain(row, prices, _KEYS):
                return found
    return _named(row) or _plain(row, row, _ROOT_KEYS)


def unit_of(quotes: Iterable[Quote], said: PriceUnit | None, pages: Sequence[object] = ()) -> Unit:
    """The unit of those prices of a list that state none, and whether the others are believed.

    Args:
        quotes: of its chat models: others may be priced by the minute or the image.
        said: what the policy says, or what is known of the provider.
        pages: they may state it beside the rows.
    """
    readable = [quote for quote in quotes if quote.readable and quote.base]
    unit = _unit_unsaid([quote for quote in readable if quote.exponent is None], said, pages)
    stated = sorted(
        amount.scaleb(quote.exponent)
        for quote in readable
        if quote.exponent is not None
        for amount in quote.base
    )
    if not stated or stated[len(stated) // 2] <= _DEAREST_LIST:
        return unit
    absurd = "its prices are left out: in the unit they state they would be absurd"
    return unit._replace(believed=False, note=absurd)


def _unit_unsaid(unsaid: Sequence[Quote], said: PriceUnit | None, pages: Sequence[object]) -> Unit:
    """The unit of prices that state none; see `unit_of`."""
    for page in pages:
        beside = Row(page) if isinstance(page, dict) else Row({})
        stated = next((unit for word in _PAGE_UNITS if (unit := beside.value(word))), None)
        if stated is not None and str(stated).strip().lower() not in _DOLLARS:
            return Unit(exponent_of(stated))
    if said is not None:
        return Unit(EXPONENTS[said])
    amounts = sorted(amount for quote in unsaid for amount in quote.base)
    if not amounts:
        return Unit(0)
    small = sum(amount < _PLAIN for amount in amounts)
    large = len(amounts) - small
    middle, dearest = amounts[len(amounts) // 2], amounts[-1]
    if small >= _MAJORITY * large:
        if middle <= _BARE_TOKEN or all(quote.like_openrouter for quote in unsaid):
            slips = f"{large} prices are absurd as USD per token, and left out" if large else ""
            return Unit(0, below=_PLAIN, note=slips)
    elif (
        large >= _MAJORITY * small
        and dearest <= _DEAREST_MILLION
        and (middle >= _PLAINLY_MILLION or dearest > _DEAREST_THOUSAND)
    ):
        read = "its prices are read as USD per 1M tokens: per token they would be absurd"
        return Unit(-6, above=_PLAIN, note=read + _HINT)
    return Unit(None, note=f"its prices are left out: their unit is not clear{_HINT}")


def price_of(quote: Quote, unit: Unit) -> Price:
    """USD per token; all unknown where one of them is absurd or no price at all."""
    exponent = quote.exponent
    if exponent is None:
        exponent = unit.exponent
        if any(not unit.above <= amount < unit.below for amount in quote.base):
            return Price()
    elif quote.base and not unit.believed:
        return Price()
    if exponent is None or not quote.readable:
        return Price()
    found = {part: scaled(amount, exponent) for part, amount in quote.amounts.items()}
    if any(price is None for price in found.values()):
        return Price()
    if quote.otherwise and not quote.base:
        return Price()
    return Price(**found)


def by_tokens(price: Price, kind: Kind, outputs: Iterable[str] | None) -> Price:
    """The price, where the model is billed by tokens; else all unknown.

    A list gives other kinds prices by the minute, the image or the request under the same keys,
    or 0: only what puts out text, or embeds, is billed by tokens.
    """
    if kind is Kind.CHAT:
        return price
    given = set(outputs or ())
    if given == {"text"}:
        return price
    if "text" in given and price.input and price.output:
        return price
    return price if kind is Kind.EMBEDDING and price.input else Price()


def exponent_of(unit: object) -> int | None:
    """The power of ten of a unit in words or numbers (`usd_per_1m_tokens`, `perMTokens`, 1000);
    None where it is none of tokens.
    """
    if isinstance(unit, bool) or not isinstance(unit, str | int):
        return None
    word = re.sub(r"[^a-z0-9]", "", str(unit).lower())
    word = re.sub(r"(usd|dollars?)$", "", word)
    count = re.sub(r"tok(en)?s?$", "", re.sub(r"^(usd|us|dollars?)?(per)?", "", word))
    return _SPELLINGS.get(count) if count or "tok" in word else None


_SPELLINGS: Final = {
    **dict.fromkeys(("", "1", "one"), 0),
    **dict.fromkeys(("k", "1k", "1000", "thousand", "1thousand", "1e3"), -3),
    **dict.fromkeys(("m", "1m", "1000000", "million", "1million", "1e6"), -6),
}


def _plain(row: Row, prices: Row, keys: Mapping[str, tuple[str, ...]]) -> Quote | None:
    """Prices under the usual keys of an object of prices, or beside the id."""
    amounts: dict[str, Decimal | None] = {}
    inner: list[Row] = []
    like_openrouter = True
    for part, names in keys.items():
        if (name := prices.first(names)) is None:
            continue
        if isinstance(value := _only(prices.value(name)), dict):
            inner.append(Row(value))
            amounts[part] = inner[-1].amount(_amount_key(value))
        else:
            amounts[part] = amount_of(value)
        like_openrouter = like_openrouter and name == OPENROUTER_KEYS[part]
    if "input" not in amounts and "output" not in amounts:
        return None
    if not like_openrouter:
        _without_zero_caches(amounts)
    exponent, readable = _stated_unit(row, prices, inner)
    free = not amounts.get("input") and not amounts.get("output")
    otherwise = free and _billed_otherwise(prices)
    return Quote(amounts, exponent, readable, like_openrouter, otherwise)


def _only(value: object) -> object:
    """A price, also where it is the only one of a list; of several nobody knows which counts."""
    if not isinstance(value, list):
        return value
    first = value[0]
    plain = not isinstance(first, dict) or "conditions" not in first
    return first if plain and all(one == first for one in value) else value


def _amount_key(value: Mapping[str, object]) -> str:
    """Where a price that is an object keeps its amount: `{"usd": 0.7}`."""
    return next((word for word in _AMOUNTS if word in value), "usd")


def _named(prices: Row) -> Quote | None:
    """Prices under keys that name their unit."""
    amounts: dict[str, Decimal | None] = {}
    exponents = set()
    for key in prices:
        low = key.lower()
        if "per" in low and (match := re.fullmatch(_NAMED, low)) and prices.value(key) is not None:
            amounts[_part(match["part"])] = prices.amount(key)
            exponents.add(exponent_of(match["unit"]))
    if not amounts.keys() & {"input", "output"}:
        return None
    _without_zero_caches(amounts)
    return Quote(amounts, next(iter(exponents)), readable=len(exponents) == 1)


def _part(word: str) -> str:
    """Which price a key is of, by its first word."""
    if word.startswith("cache"):
        return "cache_write" if word.endswith("write") else "cache_read"
    return "input" if word in ("input", "prompt") else "output"


def _without_zero_caches(amounts: dict[str, Decimal | None]) -> None:
    """Take out caches at 0 of a model that is not free: they say that it has no cache."""
    if amounts.get("input") or amounts.get("output"):
        for part in ("cache_read", "cache_write"):
            if amounts.get(part) == 0:
                del amounts[part]


def _stated_unit(row: Row, prices: Row, inner: Sequence[Row]) -> tuple[int | None, bool]:
    """The exponent of the unit a row states, and whether unit and currency can be read."""
    places = (prices, row, *inner)
    if not any(place.has_any(_UNIT_WORDS) for place in places):
        return None, True
    units = [*map(row.value, _ROW_UNITS), *map(prices.value, _UNITS)]
    units += [place.value(word) for place in inner for word in _UNITS]
    said = [unit for unit in units if str(unit or "").strip().lower() not in _DOLLARS]
    currencies = [place.value("currency") for place in places]
    readable = all(str(name or "").strip().lower() in _DOLLARS for name in currencies)
    exponents = {exponent_of(unit) for unit in said}
    if not exponents:
        return None, readable
    return next(iter(exponents)), readable and len(exponents) == 1 and None not in exponents


def _billed_otherwise(prices: Row) -> bool:
    """Whether an object of prices has one by the hour, the request or the like."""
    keys = [key for key in prices if _OTHERWISE.search(key.lower())]
    return any("hour" in key.lower() or prices.amount(key) for key in keys)
