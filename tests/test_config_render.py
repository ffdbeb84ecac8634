"""What we write reads the same under YAML 1.1 and 1.2, whatever the string or number."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rollcall.litellm_config.render import block_items, block_pairs, flow
from rollcall.litellm_config.writing import same_data

AWKWARD = [
    "no",
    "on",
    "yes",
    "Off",
    "y",
    "n",
    "null",
    "~",
    "true",
    "1e-06",
    "3e-06",
    "12:30",
    "1:2:3",
    "4.1",
    "0123",
    "0o17",
    "0x1f",
    "1_000",
    ".5",
    ".inf",
    "=",
    "<<",
    "2024-01-01",
    "[a]",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "'a",
    '"a',
    "|",
    ":",
    "-",
    "?",
    "...",
    "---",
    "os.environ/X",
    "${X}",
    "# comment",
    "a: b",
    "- a",
    "{a: b}",
    "? a",
    "| a",
    "> a",
    "a #b",
    " lead",
    "trail ",
    "a\\b",
    "{{ x }}",
]
AWKWARD += ["", "\x00", "\x1b[31m", "\n", "\r\n", "\t", "\x7f", "\x85", "\xa0", "\u2028", "\ufeff"]
AWKWARD += ["😀", "é", "模型", "\U0010ffff", "a\nb: c\n- d", "x" * 10_000, "'\"\\" * 50]

TEXT = st.sampled_from(AWKWARD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = (
    TEXT
    | st.integers()
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False)
    | st.sampled_from([1e-06, 3e-06, 1e22, 5e-324, -0.0, 1.7976931348623157e308, 0.1 + 0.2])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), min_size=1, max_size=3)


def readings(text: str) -> list[Any]:
    """What LiteLLM, PyYAML's C loader and a YAML 1.2 reader make of it."""
    reader = YAML(typ="safe", pure=True)
    return [yaml.safe_load(text), yaml.load(text, yaml.CSafeLoader), reader.load(text)]


def assert_reads_back(text: str, value: Any) -> None:
    """All readers agree, to the type of every value, and the text is ASCII."""
    assert text.isascii()
    for reading in readings(text):
        assert same_data(reading, value), (text, reading)


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_strings_are_read_back_as_strings(text: str) -> None:
    assert_reads_back("\n".join(block_items([{text: text}, [text]], 2)), [{text: text}, [text]])
    assert_reads_back(flow({text: [text]}), {text: [text]})


@settings(max_examples=60, deadline=None)
@given(ENTRIES)
@example([{"model_name": "a", "model_info": {"tags": [{"a": {}}, [], ["b"]], "none": None}}])
def test_entries_read_back_equal_under_both_yamls(entries: list[dict[str, Any]]) -> None:
    assert_reads_back("\n".join(block_items(entries, 4)), entries)
    assert_reads_back(flow(entries), entries)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4))
def test_mappings_read_back_equal_under_both_yamls(pairs: dict[str, Any]) -> None:
    assert_reads_back("\n".join(block_pairs(pairs, 0)), pairs)


def test_prices_have_no_exponent() -> None:
    assert [flow(1e-06), flow(3e-05), flow(1e22), flow(2.0)] == [
        "0.000001",
        "0.00003",
        "10000000000000000000000.0",
        "2.0",
    ]


def test_values_typed_by_hand_survive() -> None:
    value = [{"day": date(2026, 12, 1), "none": None, "far": float("inf"), 7: -float("inf")}]
    assert yaml.safe_load("\n".join(block_items(value, 0))) == value
    assert flow(float("nan")) == ".nan"


def test_sameness_is_stricter_than_equality() -> None:
    assert not same_data([1], [True])
    assert not same_data({"a": 1}, {"a": 1.0})
    assert not same_data("1", 1)
    assert not same_data({"a": None}, {})
    assert same_data({"a": float("nan"), "b": (1, 2)}, {"b": [1, 2], "a": float("nan")})


def test_sameness_is_quick_on_shared_parts() -> None:
    one: Any = []
    other: Any = []
    for _ in range(60):
        one, other = [one, one], [other, other]
    assert same_data(one, other)
