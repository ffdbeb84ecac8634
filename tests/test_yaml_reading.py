"""Files of ours as data with the line of every part; what is no such file, with its line."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rollcall.yaml_reading import Place, YamlProblem, read_document

TEXT = """\
# a comment
one: 1
list:
  - a
  - {in: flow,
     next: line}
  -
    deep:
      deeper: >
        folded
        text
below:
  what is named on the line above
base: &base {x: 1,
  y: 2}
merged:
  <<: *base
  z: 3
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 2),
        (("one",), 2),
        (("list",), 3),
        (("list", 0), 4),
        (("list", 1, "in"), 5),
        (("list", 1, "next"), 6),
        (("list", 2, "deep"), 8),
        (("list", 2, "deep", "deeper"), 9),
        (("below",), 13),
        (("merged",), 16),
        (("merged", "z"), 18),
        (("merged", "y"), 15),
        (("merged", "absent"), 16),
        (("absent", 3, "x"), 2),
        (("list", 9), 3),
        (("one", "no", "mapping"), 2),
    ],
)
def test_the_line_of_a_part_or_of_the_nearest_around_it(place: Place, line: int) -> None:
    document = read_document(TEXT)
    assert document.line(place) == line
    assert document.data["merged"] == {"x": 1, "y": 2, "z": 3}


def test_the_line_of_a_name_whose_value_stands_below_it() -> None:
    document = read_document("\ufeffa:\n  text\n")
    assert (document.line(("a",)), document.line(("a",), at_name=True)) == (2, 1)


def test_an_empty_text_is_no_data() -> None:
    assert read_document("# nothing\n").data is None
    assert read_document("").line(("a",)) == 1


@pytest.mark.parametrize(
    ("text", "problem", "line", "place"),
    [
        ("a: 1\nb: {c: 1, c: 2}\n", "'c' stands twice here", 2, ("b", "c")),
        ("a:\n- on: 1\n", "the name 'on' is not text to YAML", 2, ("a", 0, "on")),
        ("3.5: 1\n", "the name '3.5' is not text to YAML", 1, ("3.5",)),
        ("? [x]\n: 1\n", "the name 'here' is not text to YAML", 1, ("here",)),
        ("a: [1\nb: 2\n", "not YAML: ", 2, ()),
        ("a: 1\n---\nb: 1\n", "not YAML: ", 2, ()),
        ("&a [*a]", "it is nested too deeply", 1, ()),
        ("a: " + "[" * 60 + "]" * 60, "it is nested too deeply", 1, ()),
        ("a: \x07", "not YAML: the character U+0007", None, ()),
        ("a: !!timestamp x", "not YAML: ", None, ()),
    ],
)
def test_what_is_no_such_file(text: str, problem: str, line: int | None, place: Place) -> None:
    with pytest.raises(YamlProblem) as caught:
        read_document(text)
    error = caught.value
    assert error.problem.startswith(problem)
    assert (error.line, error.place) == (line, place)
    assert error.hint.endswith(".")


VALUES = st.recursive(
    st.integers() | st.text("abc d", min_size=1) | st.booleans(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.text("abcxyz", min_size=1), inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, True, False]))
def test_every_part_of_a_document_has_its_own_line(value: Any, style: bool | None) -> None:
    text = yaml.safe_dump(value, default_flow_style=style, sort_keys=False, width=1000)
    document = read_document(text)
    assert document.data == value
    lines = text.splitlines()
    for place, name in parts(value, ()):
        assert name in lines[document.line(place, at_name=True) - 1]


def parts(value: Any, place: Place) -> list[tuple[Place, str]]:
    """Every name of a value, with the way to it."""
    found: list[tuple[Place, str]] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += [((*place, name), name), *parts(inner, (*place, name))]
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += parts(inner, (*place, index))
    return found
