"""Reads the rows of a reply with distrust: what is absurd is None, an odd row is dropped.

Every reader takes a path of keys (``row.count("top_provider", "context_length")``). A bool is
never a number, NaN and infinity are nothing, text comes back printable and clipped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from rollcall.providers.wire import Listing, WrongShape
from rollcall.secrets import REFERENCE

if TYPE_CHECKING:
    from rollcall.catalog.model import Model

_T = TypeVar("_T")

MAX_ID = 256
MAX_TEXT = 200
MAX_TOKENS = 10**9
DEAREST_TOKEN = Decimal("0.01")
"""USD. A dearer token is a mistake about the unit: the dearest there ever was cost 0.0006."""
EARLIEST = date(2015, 1, 1)
LATEST = date(2100, 1, 1)

BATCH_ENDING = ":batch"
"""Of ids that work in batch calls only: OpenRouter's, and those of gateways before it."""

MAX_WORDS = 100
"""Of one list inside a row."""

_LONGEST_NUMBER = 40
_LAST_SECOND = 4_102_444_800
"""Unix time of LATEST."""
_SMALLEST_EXPONENT = -18


Places = tuple[tuple[str, ...], ...]
"""Paths of keys to where a fact may stand; the first that has it counts."""


def places(paths: str) -> Places:
    """Paths as one writes them: `limits.max_tokens`, with blanks between them."""
    return tuple(tuple(path.split(".")) for path in paths.split())


class Fields:
    """The keys that the rows of one list have: few of all that a reader of many lists looks for."""

    def __init__(self, items: Iterable[object]) -> None:
        """Collect them."""
        self._keys: set[str] = set().union(*(item for item in items if isinstance(item, dict)))
        self._present: dict[int, Places] = {}

    def present(self, places: Places) -> Places:
        """Those of some places that may be there in some row; `places` is a constant."""
        found = self._present.get(id(places))
        if found is None:
            found = tuple(place for place in places if place[0] in self._keys)
            self._present[id(places)] = found
        return found


class Row:
    """Typed, tolerant access to one JSON object."""

    __slots__ = ("_data", "_fields", "_known")

    def __init__(self, data: dict[str, object], fields: Fields | None = None) -> None:
        """Read an object; `fields` are those of the list it stands in."""
        self._data = data
        self._fields = fields
        self._known: dict[Callable[[Row], Any], Any] = {}

    def once(self, reader: Callable[[Row], _T]) -> _T:
        """What a reader makes of it: read once, be it for the whole list or for its own model."""
        if reader not in self._known:
            self._known[reader] = reader(self)
        found: _T = self._known[reader]
        return found

    def present(self, places: Places) -> Places:
        """Those of some places that may be there; `places` is a constant."""
        return places if self._fields is None else self._fields.present(places)

    def __iter__(self) -> Iterator[str]:
        """Its keys."""
        return iter(self._data)

    def has_any(self, keys: Collection[str]) -> bool:
        """Whether it has one of these keys, null or not."""
        return not self._data.keys().isdisjoint(keys)

    def value(self, first: str, *rest: str) -> object:
        """What stands at this path, None where any part of it is missing."""
        here = self._data.get(first)
        for key in rest:
            here = here.get(key) if isinstance(here, dict) else None
        return here

    def first(self, keys: Iterable[str]) -> str | None:
        """The first of these keys that something stands at; an empty list is nothing."""
        for key in keys:
            if (value := self._data.get(key)) is not None and value != []:
                return key
        return None

    def has(self, key: str) -> bool:
        """Whether the key is there, null or not."""
        return key in self._data

    def text(self, *path: str) -> str | None:
        """Printable text of at most MAX_TEXT characters, None when nothing is left."""
        value = self.value(*path)
        return clean_text(value) or None if isinstance(value, str) else None

    def words(self, *path: str) -> tuple[str, ...] | None:
        """The texts of a list, other elements left out; None when it is no list."""
        listed = self.listed(*path)
        if listed is None:
            return None
        return tuple(
            [clean_text(word) for word in listed[:MAX_WORDS] if isinstance(word, str) and word]
        )

    def listed(self, *path: str) -> list[object] | None:
        """A list as it is, to look for words of our own in it; None when it is no list."""
        value = self.value(*path)
        return value if isinstance(value, list) else None

    def ids(self, *path: str) -> tuple[str, ...]:
        """The usable model ids of a list, in order, each once."""
        listed = self.listed(*path) or []
        return tuple(dict.fromkeys(word for word in listed[:MAX_WORDS] if is_id(word)))

    def rows(self, *path: str) -> tuple[Row, ...]:
        """The objects of a list."""
        listed = self.listed(*path) or ()
        return tuple(Row(item) for item in listed if isinstance(item, dict))

    def count(self, *path: str) -> int | None:
        """A whole number of tokens above zero, also as a text."""
        value = self.value(*path)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return value if 0 < value <= MAX_TOKENS else None

    def flag(self, *path: str) -> bool | None:
        """True or false, also as a text (Azure); None when it says neither."""
        value = self.value(*path)
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.strip().lower())
        return value if isinstance(value, bool) else None

    def flags(self, places: Places) -> list[bool]:
        """What is true or false at each of some places; `places` is a constant."""
        found = [self.flag(*place) for place in self.present(places)]
        return [flag for flag in found if flag is not None]

    def amount(self, *path: str) -> Decimal | None:
        """A number, from a number or a text; a dollar sign before it is allowed.

        None for what is negative, not finite, or of more digits than any price.
        """
        return amount_of(self.value(*path))

    def price(self, *path: str, exponent: int = 0) -> Decimal | None:
        """USD per token, from a number or a text in units of 10**exponent USD per token.

        None for what is negative (OpenRouter's "-1": it varies), not finite, or absurd.
        """
        return scaled(self.amount(*path), exponent)

    def moment(self, *path: str) -> float | None:
        """Unix seconds above zero, from a number of seconds or of parts of them."""
        value = self.value(*path)
        if isinstance(value, str) and value.isascii() and value.isdigit() and 9 <= len(value) < 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e20:
            return None
        while value >= _LAST_SECOND:  # milliseconds, microseconds, nanoseconds
            value /= 1000
        return value

    def day(self, *path: str) -> date | None:
        """A UTC day, from Unix seconds (or parts of them) or an ISO 8601 date or time."""
        value = self.value(*path)
        found = None
        if moment := self.moment(*path):
            found = datetime.fromtimestamp(moment, UTC).date()
        elif isinstance(value, str):
            found = _iso_day(value)
        return found if found is not None and EARLIEST <= found < LATEST else None


def live_hosts(row: Row) -> tuple[Row, ...]:
    """Who serves the model, where a router lists its hosts (HuggingFace's `providers`)."""
    if not row.has("providers"):
        return ()
    return tuple(host for host in row.rows("providers") if host.text("status") in (None, "live"))


def is_id(value: object) -> TypeGuard[str]:
    """Whether a value can be a model id: printable text of 1 to MAX_ID characters.

    One with a star names no model: LiteLLM would send whatever fits it there.
    """
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or "*" in value:
        return False
    if REFERENCE in value or "\ufffd" in value:  # every client is shown the name: and the key
        return False
    return value.isprintable() and value == value.strip()


def clean_text(value: str) -> str:
    """Text without control characters, line breaks or lone surrogates, clipped to MAX_TEXT.

    A reference to a variable is broken up.
    """
    if REFERENCE in value:
        value = value.replace(REFERENCE, "os.environ ")
    if value.isprintable() and len(value) <= MAX_TEXT:
        return value.strip()
    value = value[: 4 * MAX_TEXT]
    if not value.isprintable():
        value = "".join(letter if letter.isprintable() else " " for letter in value)
    return " ".join(value.split())[:MAX_TEXT]


def scaled(amount: Decimal | None, exponent: int) -> Decimal | None:
    """USD per token of an amount in units of 10**exponent USD a token; None where it is absurd."""
    if not amount:
        return amount
    if not _SMALLEST_EXPONENT <= amount.adjusted() + exponent <= 0:
        return None
    price = amount.scaleb(exponent)
    return price if price <= DEAREST_TOKEN else None


def amount_of(value: object) -> Decimal | None:
    """A number, from a number or a text; see `Row.amount`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and abs(value) > 10**_LONGEST_NUMBER:
        return None
    digits = str(value)
    return _amount(digits) if len(digits) <= _LONGEST_NUMBER else None


@lru_cache(maxsize=4096)
def _amount(digits: str) -> Decimal | None:
    """Cached: the thousands of prices in a list are a few hundred different ones."""
    try:
        number = Decimal(digits.strip().removeprefix("$"))
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0:
        return None
    return number or Decimal(0)


def _iso_day(value: str) -> date | None:
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


MAX_NOTES = 20
MAX_ROWS = 30_000
"""The longest list there is has 22,000 (Featherless); more costs every run time and memory."""


def rows_of(pages: Iterable[object], roots: Sequence[str]) -> list[object]:
    """The rows of all pages, see `rows_of_page`; what is no object stays as it is.

    Raises:
        WrongShape: a page has no such list.
    """
    items = [row for page in pages for row in rows_of_page(page, roots)]
    fields = Fields(items)
    return [Row(item, fields) if isinstance(item, dict) else item for item in items]


def rows_of_page(page: object, roots: Sequence[str]) -> list[object]:
    """The list of rows of one page: under the first of `roots` it has, or the page itself.

    Raises:
        WrongShape: no such list.
    """
    if isinstance(page, list):
        return page
    if not isinstance(page, dict):
        raise WrongShape(f"{_word(page)} instead of a list of models")
    for root in roots:
        if root in page:
            rows = page[root]
            if isinstance(rows, list):
                return rows
            raise WrongShape(f"{root!r} is {_word(rows)}, not a list of models")
    raise WrongShape(f"no list of models in it (expected {' or '.join(map(repr, roots))})")


def read(
    rows: Sequence[object],
    model_of: Callable[[Row, str], Model | None],
    *,
    id_keys: Sequence[str] = ("id",),
    strip_prefix: str = "",
) -> Listing:
    """The models of `rows_of` a list in their order, each id once; the first of a double wins.

    Args:
        model_of: the model of a row and its id, None for a row that lists nothing to use.

    Raises:
        WrongShape: more than MAX_ROWS rows.
    """
    models: dict[str, Model] = {}
    notes: list[str] = []
    if len(rows) > MAX_ROWS:
        raise WrongShape(f"it lists more than {MAX_ROWS:,} models")
    for total, row in enumerate(rows, start=1):
        if not isinstance(row, Row):
            notes.append(f"row {total} dropped: {_word(row)}, not an object")
            continue
        given = id_of(row, id_keys)
        model_id = given.removeprefix(strip_prefix) if isinstance(given, str) else given
        if not isinstance(model_id, str) or not is_id(model_id):
            notes.append(f"row {total} dropped: {_id_fault(model_id)}")
        elif (model := model_of(row, model_id)) is None:
            notes.append(f"row {total} dropped: {model_id!a} is listed as not active")
        elif model_id in models:
            if not _same(model, models[model_id]):
                notes.append(f"row {total} dropped: {model_id!a} is listed twice, differently")
        else:
            models[model_id] = model
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"and {len(notes) - MAX_NOTES} more such rows"]
    return Listing(tuple(models.values()), tuple(notes), len(rows))


def _same(one: Model, other: Model) -> bool:
    """Whether two rows say the same of a model; each may bring another of its names."""
    return one.model_copy(update={"aliases": other.aliases}) == other


def id_of(row: Row, id_keys: Sequence[str] = ("id",)) -> object:
    """What stands where a row's id should be: under the first of these keys it has."""
    return next((row.value(key) for key in id_keys if row.has(key)), None)


def _id_fault(model_id: object) -> str:
    if not isinstance(model_id, str):
        return "it has no id" if model_id is None else f"its id is {_word(model_id)}"
    if not model_id:
        return "its id is empty"
    if len(model_id) > MAX_ID:
        return f"its id has {len(model_id)} characters: {model_id[:40]!a}"
    if "*" in model_id:
        return f"its id is a pattern, and no model: {model_id!a}"
    return f"its id holds characters an id cannot have: {model_id!a}"


def _word(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a true or false", dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value), "a number")
