"""What cannot be edited safely is left alone, with the reason and the line."""

from __future__ import annotations

import re

import pytest

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.refusals import REASONS
from rollcall.litellm_config.writing import with_blocks
from tests.adopting import adopt
from tests.config_oracle import DATA, OURS, load

LINES = {
    "alias": 4,
    "alias.router": 3,
    "block_scalar_end": 5,
    "broken_yaml": 3,
    "broken_yaml.glued_comment": 4,
    "broken_yaml.question_mark": 3,
    "broken_yaml.tab": 4,
    "broken_yaml.trailing_tab": 4,
    "duplicate_key": 4,
    "duplicate_key.router": 5,
    "foreign_entry": 6,
    "kubernetes": 7,
    "marker_in_scalar": 6,
    "marker_inline": 3,
    "marker_misplaced": 3,
    "marker_misplaced.section": 6,
    "marker_repeated": 7,
    "marker_unpaired": 2,
    "marker_unpaired.end": 5,
    "marker_unpaired.order": 2,
    "merge_key": 6,
    "merge_key.router": 6,
    "no_place": 2,
    "not_a_mapping": 1,
    "not_a_mapping.null": 1,
    "not_litellm": 2,
    "not_utf8": 3,
    "odd_row": 6,
    "odd_row.alias": 7,
    "odd_row.fallback": 6,
    "odd_row.params": 3,
    "old_line_ends": 1,
    "several_documents": 2,
    "stray_entries": 5,
    "template": 2,
    "template.unhashable": 4,
    "two_fallbacks": 5,
    "wrong_type": 2,
    "wrong_type.aliases": 3,
}
"""File of tests/data/configs/refused, named after its reason -> the line the user is sent to."""


def refused(name: str) -> bytes:
    """One of the files."""
    raw = (DATA / "refused" / f"{name}.yaml").read_bytes()
    return raw if name == "old_line_ends" else raw.replace(b"\r\n", b"\n")


def edit(raw: bytes) -> ConfigRefused:
    """The refusal an edit ends in."""
    with pytest.raises(ConfigRefused) as caught:
        with_blocks(parse(raw), OURS)
    return caught.value


@pytest.mark.parametrize("name", LINES)
def test_a_file_is_refused_with_its_reason_and_line(name: str) -> None:
    error = edit(refused(name))
    assert (error.reason, error.line) == (name.split(".")[0], LINES[name])
    assert error.what.startswith(f"config.yaml:{LINES[name]}: ")
    assert error.hint
    assert "\n" not in error.what


@pytest.mark.parametrize("name", [name for name in LINES if name != "old_line_ends"])
def test_windows_line_ends_and_a_bom_change_neither(name: str) -> None:
    error = edit(b"\xef\xbb\xbf" + refused(name).replace(b"\n", b"\r\n"))
    assert (error.reason, error.line) == (name.split(".")[0], LINES[name])


def test_every_file_is_in_the_table() -> None:
    names = {path.name.removesuffix(".yaml") for path in (DATA / "refused").glob("*.yaml")}
    assert names == set(LINES)


def test_every_reason_has_a_file_or_a_test_below() -> None:
    tested_elsewhere = {"read_back", "unrenderable", "literal_key", "shared_anchor"}
    tested_elsewhere |= {"several_configs", "not_a_block", "helm"}  # of manifests
    assert {name.split(".")[0] for name in LINES} | tested_elsewhere == set(REASONS)


@pytest.mark.parametrize("name", ["kubernetes", "several_documents", "not_litellm"])
def test_files_of_other_tools_say_what_to_do(name: str) -> None:
    assert re.search("config", edit(refused(name)).hint)


def test_a_tab_is_called_a_tab() -> None:
    assert "a tab stands where YAML takes only spaces" in edit(refused("broken_yaml.tab")).what


def test_nothing_of_the_file_stands_in_a_message() -> None:
    secret = b"sk-very-secret"
    for text in (
        b"model_list:\n  - api_key: *%b\n",
        b"model_list: [%b\n",
        b"model_list:\n  - !%b x\n",
        b'model_list:\n  - "%b\n',
        b"model_list:\n  - {api_key: %b: b}\n",
        b"model_list:\n\t%b: 1\n",
        b"model_list:\n  - @%b\n",
    ):
        error = edit(text % secret)
        assert "very-secret" not in str(error)
        assert error.__cause__ is None


@pytest.mark.parametrize("name", ["alias.router", "merge_key.router", "wrong_type.aliases"])
def test_a_place_that_needs_no_edit_is_no_reason_to_refuse(name: str) -> None:
    raw = refused(name)
    new = with_blocks(parse(raw), Blocks(OURS.models))
    assert load(new)["model_list"] == list(OURS.models)


def test_two_fallback_sections_matter_only_for_fallbacks() -> None:
    raw = refused("two_fallbacks")
    assert parse(raw).fallbacks_section == "both"
    new = load(with_blocks(parse(raw), Blocks(OURS.models, OURS.aliases)))
    assert new["router_settings"]["fallbacks"] == [{"a": ["b"]}]
    assert new["litellm_settings"]["fallbacks"] == [{"c": ["d"]}]


@pytest.mark.parametrize(
    "name",
    [
        "marker_unpaired",
        "marker_unpaired.end",
        "marker_unpaired.order",
        "marker_repeated",
        "marker_inline",
        "marker_misplaced",
        "marker_misplaced.section",
        "foreign_entry",
        "stray_entries",
    ],
)
def test_what_names_adopt_is_put_right_by_adopt(name: str) -> None:
    raw = refused(name)
    error = edit(raw)
    assert "rollcall adopt" in error.hint or name == "marker_misplaced.section"
    healed = parse(adopt(parse(raw), frozenset()))
    assert healed.refusal is None
    assert not healed.strays
    names = [entry["model_name"] for entry in load(raw)["model_list"]]
    ours = [entry["model_name"] for entry in healed.managed.models]
    own = [entry["model_name"] for entry in healed.own_models]
    assert sorted(ours + own) == sorted(names)
    assert own == [name for name in names if name in ("own", "mine")]


def test_an_edit_that_would_change_what_an_anchor_shares_is_refused() -> None:
    raw = b"model_list: &all\n  - {model_name: a, litellm_params: {model: o/a}}\nx-copy: *all\n"
    assert edit(raw).reason == "read_back"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"model_list": , "x": 1}', "no_place"),
        (b"model_list:\n  - model_name: a\n    since: 2026-99-99\n", "broken_yaml"),
        (b"model_list: []\nx: !!python/object:os.system {}\n", "broken_yaml"),
        (b"model_list: []\nx: \x07\n", "broken_yaml"),
    ],
)
def test_texts_litellm_cannot_use_are_refused(text: bytes, reason: str) -> None:
    assert edit(text).reason == reason


def test_a_value_without_plain_yaml_is_refused() -> None:
    for value in ("half \ud83d", {1, 2}, b"bytes"):
        model = {"model_name": "a", "litellm_params": {"model": value}}
        with pytest.raises(ConfigRefused) as caught:
            with_blocks(parse(b"model_list: []\n"), Blocks((model,)))
        assert caught.value.reason == "unrenderable"
