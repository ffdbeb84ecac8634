"""Readers of provider fields: what is absent, absurd or of another type is unknown."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.providers.rows import (
    MAX_NOTES,
    MAX_TEXT,
    MAX_TOKENS,
    Row,
    clean_text,
    is_id,
    read,
    rows_of,
)
from rollcall.providers.wire import WrongShape

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "exponent", "expected"),
    [
        ("0.00000006146", 0, Decimal("0.00000006146")),
        (6.25, -6, Decimal("0.00000625")),
        (20000, -10, Decimal("0.000002")),
        ("0", 0, Decimal(0)),
        (0, -6, Decimal(0)),
        ("-1", 0, None),
        (-0.5, -6, None),
        (True, 0, None),
        ("NaN", 0, None),
        (float("inf"), 0, None),
        ("1e999999999", 0, None),
        ("1e-999999999", 0, None),
        ("2", 0, None),
        (2_000_000, -6, None),
        ("0." + "0" * 60 + "1", 0, None),
        ("", 0, None),
        ("free", 0, None),
        ([1], 0, None),
        (10**50, -10, None),
    ],
)
def test_prices(value: object, exponent: int, expected: Decimal | None) -> None:
    assert Row({"price": value}).price("price", exponent=exponent) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (200_000, 200_000),
        (200_000.0, 200_000),
        (0, None),
        (-1, None),
        (True, None),
        ("200000", 200_000),
        ("200k", None),
        ("-1", None),
        ("9" * 12, None),
        (10**12, None),
        (float("nan"), None),
        (1.5, None),
    ],
)
def test_counts(value: object, expected: int | None) -> None:
    assert Row({"n": value}).count("n") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1782843083, date(2026, 6, 30)),
        ("2026-06-30", date(2026, 6, 30)),
        ("2026-06-30T23:59:59Z", date(2026, 6, 30)),
        (0, None),
        (True, None),
        (1782843083000, date(2026, 6, 30)),
        (1782843083000000, date(2026, 6, 30)),
        ("1782843083", date(2026, 6, 30)),
        (10**25, None),
        (10**300, None),
        (float("nan"), None),
        ("1970-01-01T00:00:00Z", None),
        ("soon", None),
        ("2026-13-45", None),
    ],
)
def test_days(value: object, expected: date | None) -> None:
    assert Row({"day": value}).day("day") == expected


def test_text_is_printable_and_clipped() -> None:
    assert clean_text("Evil\x1b[31m\nname\u202e \ud800 x") == "Evil [31m name x"
    assert len(clean_text("x" * 10_000)) == MAX_TEXT
    assert Row({"name": "\x00\n"}).text("name") is None
    assert Row({"a": {"b": {"c": "deep"}}}).text("a", "b", "c") == "deep"
    assert Row({"a": "flat"}).text("a", "b") is None


@given(ANYTHING)
@settings(max_examples=200, deadline=None)
def test_no_value_breaks_a_reader(value: object) -> None:
    row = Row({"x": value})
    for read_ in (row.text, row.words, row.count, row.flag, row.price, row.day, row.rows, row.ids):
        read_("x")
    count, price, text = row.count("x"), row.price("x"), row.text("x")
    assert count is None or 0 < count <= MAX_TOKENS
    assert price is None or 0 <= price <= 1
    assert text is None or (text.isprintable() and 0 < len(text) <= MAX_TEXT)


@pytest.mark.parametrize(
    "good", ["gpt-5.5", "a/b:free", "~a/x-latest", "qwen3.8:27b", "Zoë", "a b"]
)
def test_ids(good: str) -> None:
    assert is_id(good)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " x",
        "x ",
        "a\nb",
        "a\tb",
        "a\x1bb",
        f"a{chr(0xD800)}b",
        "a\u202eb",
        "a\ufffdb",
        "x" * 257,
        "openai/*",
        5,
        None,
    ],
)
def test_what_is_no_id(bad: object) -> None:
    assert not is_id(bad)


@pytest.mark.parametrize(
    "page", [None, 5, "text", {}, {"data": {}}, {"data": None}, {"error": "x"}]
)
def test_what_is_no_list_of_models(page: object) -> None:
    with pytest.raises(WrongShape):
        rows_of([page], ("data",))


def test_an_odd_row_is_dropped_with_a_note_and_the_others_stay() -> None:
    rows: list[object] = [{"id": "a"}, {"id": "evil\x1b[0m"}, None, {"id": "a"}, {}, {"id": 7}]
    rows += [{"id": "b"}, {"id": "acme/*"}]
    listing = read(rows_of([rows], ()), lambda _row, _model_id: None)
    assert listing.rows == 8
    assert listing.models == ()
    text = "\n".join(listing.notes)
    assert "\x1b" not in text
    assert "row 2 dropped: its id holds characters an id cannot have" in text
    assert "row 8 dropped: its id is a pattern, and no model: 'acme/*'" in text
    assert "row 3 dropped: null, not an object" in text
    assert "row 5 dropped: it has no id" in text
    assert "row 6 dropped: its id is a number" in text


def test_a_thousand_odd_rows_are_not_a_thousand_notes() -> None:
    listing = read([None] * 1000, lambda _row, _model_id: None)
    assert len(listing.notes) == MAX_NOTES + 1
    assert listing.notes[-1] == "and 980 more such rows"


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_an_id_survives_json_and_any_terminal(model_id: str) -> None:
    if is_id(model_id):
        assert json.loads(json.dumps(model_id)) == model_id
        assert model_id.isprintable()
        model_id.encode()
