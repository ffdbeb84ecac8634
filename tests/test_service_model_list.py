"""Reading and enriching lists, whatever stands in them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import per_token
from rollcall.inspect.inventory import Inventory
from rollcall.service.formats import Format, is_list, rows_by_name, write_list
from rollcall.service.model_list import (
    KnownModels,
    enrich,
    parse_json,
    render,
    to_json,
)
from tests.service.samples import INVENTORY, SONNET

KNOWN = KnownModels(INVENTORY)
LISTS = st.sampled_from([Format.OPENAI, Format.ANTHROPIC, Format.MODEL_INFO])

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    ANYTHING
    | st.fixed_dictionaries(
        {},
        optional={
            "id": ANYTHING,
            "model_name": ANYTHING,
            "model_info": ANYTHING,
            "display_name": ANYTHING,
            "source_model": st.sampled_from(["default", "claude-sonnet-5"]),
        },
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(ROWS, LISTS, st.sampled_from([None, True, False]))
def test_any_rows_become_json_and_lose_nothing(
    rows: list[object], format_: Format, ready: bool | None
) -> None:
    rendered = render({"data": rows}, format_, KNOWN, ready)
    body = json.loads(rendered.content)
    if ready is None:
        assert len(body["data"]) == len(rows)
    assert rendered.content.isascii()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_body_is_a_list_or_none(content: bytes) -> None:
    assert not is_list(parse_json(content), Format.OPENAI) or b"data" in content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"<html>",
        b'{"data": {}}',
        b'{"models": []}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_not_a_list_is_none(content: bytes) -> None:
    assert not is_list(parse_json(content), Format.OPENAI)


def test_numbers_json_does_not_have_become_null() -> None:
    body = parse_json(b'{"data": [{"id": "x", "a": NaN, "b": 1e999, "c": -Infinity}]}')
    row = json.loads(to_json(body))["data"][0]
    assert (row["a"], row["b"], row["c"]) == (None, None, None)


def test_what_litellm_says_is_never_overwritten() -> None:
    row = {"id": "claude-sonnet-5", "max_input_tokens": 5, "display_name": "Ours", "name": "Mine"}
    enriched = enrich({"data": [row]}, Format.OPENAI, KNOWN, None)["data"][0]
    assert row.items() <= enriched.items()


@pytest.mark.parametrize("format_", [Format.OPENAI, Format.ANTHROPIC, Format.MODEL_INFO])
def test_a_list_shaped_here_names_what_it_was_made_of(format_: Format) -> None:
    body = write_list(("b", "default", "a/b"), format_, KNOWN)
    assert body is not None
    assert tuple(rows_by_name(body, format_)) == ("b", "default", "a/b")


def test_the_fallback_lists_visible_aliases_that_lead_somewhere_then_models() -> None:
    assert KNOWN.listed_names == ("default", "claude-sonnet-5", "openai/gpt-5.5")


def test_of_two_deployments_of_one_name_the_one_that_works_speaks() -> None:
    broken = SONNET.model_copy(update={"ready": False, "provider": "openrouter"})
    known = KnownModels(Inventory(rows=(broken, SONNET)))
    assert known.ready("claude-sonnet-5")
    assert known.metadata("claude-sonnet-5", ())["provider"] == "anthropic"


def test_an_alias_shadows_a_model_of_the_same_name_as_in_litellm() -> None:
    other = SONNET.model_copy(update={"name": "gpt", "ready": False})
    known = KnownModels(
        Inventory(rows=(SONNET, other), aliases={"gpt": ("claude-sonnet-5", False)})
    )
    assert known.ready("gpt")


def test_names_nobody_knows_are_taken_as_ready() -> None:
    assert KNOWN.ready("a-wildcard/model")
    assert KNOWN.metadata("a-wildcard/model", ()) == {}


def test_prices_per_token_are_exact_decimals() -> None:
    assert per_token(0.1) == 1e-07
    assert per_token(0.0) == 0
    assert per_token(None) is None
