"""Tables at any width, and the lines a program reads."""

from __future__ import annotations

import io
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.report.tables import render_table
from tests.house import RULES
from tests.terminal import in_pipes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.house import House


@pytest.fixture
def furnished(house: House) -> House:
    """Two providers, a few rules, applied."""
    house.furnish().applied()
    return house


def drawn(
    rows: Sequence[Sequence[object]], width: int, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    monkeypatch.setenv("ROLLCALL_FORCE_TTY", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    head = ("name", "provider", "price", "why")
    return render_table(head, rows, right=("price",), stream=io.StringIO()).splitlines()


ROW = ("openrouter/deepseek/deepseek-v4-flash-0731", "openrouter", "$0.14", "rule 26: newest 1")


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_no_name_is_broken_at_any_width(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = drawn([ROW] * 3, width, monkeypatch)
    assert sum("openrouter/deepseek/deepseek-v4-flash-0731" in line for line in lines) == 3
    words = [line for line in lines if len(line.split()) > 1]
    assert all(len(line) <= width for line in words)


def test_a_row_that_fits_is_one_line_and_one_that_does_not_is_folded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(drawn([ROW], 140, monkeypatch)) == 3
    assert len(drawn([ROW], 60, monkeypatch)) > 3
    short = ("grok", "xai", "$2.00", "rule 1")
    many = [*[short] * 9, ROW]
    assert len(drawn(many, 72, monkeypatch)) == 2 + 9 + 2, "only the long one takes two lines"


CELLS = st.text(st.sampled_from("ab-/ .\n\u4e2d\u0301\U0001f600"), max_size=70)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(40, 160)
)
def test_every_word_of_a_row_is_there_whatever_the_width(
    rows: list[tuple[str, ...]], width: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        text = "\n".join(drawn(list(rows), width, patch))
    for row in rows:
        for word in "".join(
            " " if unicodedata.category(one)[0] in "CZ" else one for one in " ".join(row)
        ).split():
            if "?" not in word:
                assert word in text


# for programs


def test_models_in_a_pipe_are_a_line_each_with_whole_names(furnished: House) -> None:
    rows = furnished.run("models", "--json").json()
    lines = in_pipes("models", environ={"COLUMNS": "20"}).out.decode().splitlines()
    assert len(lines) == len(rows)
    cells = [line.split("\t") for line in lines]
    assert {len(row) for row in cells} == {7}
    assert [row[0] for row in cells if row[2] == "ready"] == [
        row["name"] for row in rows if row["ready"]
    ]
    assert "anthropic/claude-haiku-4-5-20251001" in cells[0]


def test_columns_are_those_asked_for_in_their_order(furnished: House) -> None:
    done = in_pipes("models", "--in-config", "--columns", "provider,name,ready,aliases")
    first, *_ = done.out.decode().splitlines()
    assert first.split("\t") == [
        "anthropic", "anthropic/claude-haiku-4-5-20251001", "true", "default",
    ]  # fmt: skip
    table = furnished.run("models", "--in-config", "--columns", "provider,name").out
    assert table.splitlines()[0].split() == ["provider", "name"]


@pytest.mark.parametrize("command", ["models", "status", "plan"])
def test_an_unknown_column_is_a_usage_error_that_names_the_nearest(
    furnished: House, command: str
) -> None:
    ran = furnished.run(command, "--columns", "nam")
    assert ran.code == 2
    assert "Did you mean" in ran.err
    assert "name" in ran.err


def test_status_in_a_pipe_is_a_line_per_thing(furnished: House) -> None:
    lines = [line.split("\t") for line in in_pipes("status").out.decode().splitlines()]
    assert [row[0] for row in lines] == ["run", "provider", "provider"]
    assert {len(row) for row in lines} == {5}
    assert lines[1][:3] == ["provider", "anthropic", "ok"]


def test_a_plan_in_a_pipe_is_a_line_per_change(furnished: House) -> None:
    furnished.run("rollback")
    done = in_pipes("plan", "--columns", "kind,name,target,input_price")
    assert done.out.decode().splitlines() == [
        "add\tanthropic/claude-haiku-4-5-20251001\t\t",
        "add\txai/grok-4.6\t\t2",
        "add\txai/grok-4.5\t\t2",
        "alias\tdefault\tanthropic/claude-haiku-4-5-20251001\t",
    ]
    assert b"3 added, 1 alias changed." in done.err


def test_a_variable_asks_for_the_form_of_a_terminal(furnished: House) -> None:
    done = in_pipes("models", environ={"ROLLCALL_FORCE_TTY": "60", "NO_COLOR": "1"})
    lines = done.out.decode().splitlines()
    assert lines[0].startswith("name or id")
    assert max(map(len, lines)) <= 60


# before anything was written


def test_models_and_explain_work_right_after_a_plan_and_write_nothing(house: House) -> None:
    house.write_policy(RULES, "anthropic", "xai")
    house.run("plan")
    before = sorted(house.folder.iterdir())
    rows = {row["id"]: row for row in house.run("models", "--json").json()}
    assert rows["grok-4.6"]["reason"] == "rule 2 admits it; not written yet: run rollcall apply"
    assert "admitted as xai/grok-4.6" in house.run("explain", "grok-4.6").out
    assert sorted(house.folder.iterdir()) == before
    house.applied()
    house.sim.requests.clear()
    house.run("models")
    house.run("explain", "grok-4.6")
    assert house.sim.requests == [], "what was stored is enough"
