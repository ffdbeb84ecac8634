"""Each exit code means one thing."""

from __future__ import annotations

import pytest

from rollcall import errors
from rollcall.errors import did_you_mean, nearest


def test_every_error_class_stands_in_the_drawn_tree() -> None:
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.RollcallError)
    ]
    drawn = errors.__doc__ or ""
    for cls in classes:
        line = next((line for line in drawn.splitlines() if f"{cls.__name__} " in line), "")
        assert f" {int(cls.exit_code)} " in line, cls.__name__


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("opnrouter", ["OpenRouter"]),
        ("OPENROUTER", ["OpenRouter"]),
        ("gemini", ["gemini"]),
        ("zzz", []),
    ],
)
def test_the_nearest_valid_word_is_told_as_it_is_spelled(word: str, near: list[str]) -> None:
    known = ("OpenRouter", "gemini", "openai")
    assert nearest(word, known) == near
    assert did_you_mean(word, known) == (f"Did you mean {near[0]!r}?" if near else "")


def test_the_best_of_several_comes_first_and_a_stricter_likeness_leaves_out_guesses() -> None:
    known = ("gpt-5.1", "gpt-5", "gpt-4")
    assert nearest("gpt-5.2", known, most=3) == ["gpt-5.1", "gpt-5", "gpt-4"]
    assert nearest("modl_list", ("model_list",), likeness=0.95) == []
    assert nearest("modl_list", ("model_list",), likeness=0.85) == ["model_list"]
