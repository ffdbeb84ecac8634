"""From a reply's rows to models: one odd row is dropped with a note, never the whole reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rollcall.providers.row import MAX_ID, Row, is_id
from rollcall.providers.wire import Listing, WrongShape

if TYPE_CHECKING:
    from rollcall.catalog import Model

MAX_NOTES = 20
MAX_ROWS = 20_000
"""Forty times the longest list there is; more costs every run time and memory."""


def rows_of(page: object, *roots: str) -> list[object]:
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
    rows: Iterable[object],
    model_of: Callable[[Row, str], Model | None],
    *,
    id_keys: Sequence[str] = ("id",),
    strip_prefix: str = "",
) -> Listing:
    """The models of `rows` in their order, each id once; the first of a double wins.

    Args:
        model_of: the model of a row and its id, None for a row that lists nothing to use.

    Raises:
        WrongShape: more than MAX_ROWS rows.
    """
    models: dict[str, Model] = {}
    notes: list[str] = []
    total = 0
    for total, item in enumerate(rows, start=1):
        if total > MAX_ROWS:
            raise WrongShape(f"it lists more than {MAX_ROWS:,} models")
        if not isinstance(item, dict):
            notes.append(f"row {total} dropped: {_word(item)}, not an object")
            continue
        row = Row(item)
        given = next((row.value(key) for key in id_keys if row.has(key)), None)
        model_id = given.removeprefix(strip_prefix) if isinstance(given, str) else given
        if not isinstance(model_id, str) or not is_id(model_id):
            notes.append(f"row {total} dropped: {_id_fault(model_id)}")
        elif model_id in models:
            notes.append(f"row {total} dropped: {model_id!a} is listed twice")
        elif (model := model_of(row, model_id)) is None:
            notes.append(f"row {total} dropped: {model_id!a} is listed as not active")
        else:
            models[model_id] = model
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"and {len(notes) - MAX_NOTES} more such rows"]
    return Listing(tuple(models.values()), tuple(notes), total)


def _id_fault(model_id: object) -> str:
    if not isinstance(model_id, str):
        return "it has no id" if model_id is None else f"its id is {_word(model_id)}"
    if not model_id:
        return "its id is empty"
    if len(model_id) > MAX_ID:
        return f"its id has {len(model_id)} characters: {model_id[:40]!a}"
    return f"its id holds characters an id cannot have: {model_id!a}"


def _word(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a true or false", dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value), "a number")
