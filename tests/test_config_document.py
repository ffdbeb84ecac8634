"""Each shape of config.yaml, edited: the user's bytes stay, the data is old plus ours."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import yaml

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.nodes import lines_of
from rollcall.litellm_config.sections import managed_text
from rollcall.litellm_config.writing import with_blocks
from tests.config_oracle import (
    DATA,
    OTHERS,
    OURS,
    assert_holds,
    assert_outside_kept,
    entry,
    load,
    load_as_12,
)

SHAPES = sorted(path.name for path in DATA.glob("*.yaml"))
VARIANTS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda raw: raw,
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "BOM": lambda raw: b"\xef\xbb\xbf" + raw,
    "no final newline": lambda raw: raw.removesuffix(b"\n"),
    "a last comment": lambda raw: raw + b"# the very end",
    "blank lines": lambda raw: raw + b"\n  \n\n",
}
FEW = ("as it is", "CRLF", "no final newline")
EXAMPLE = b"""\
model_list:
  - model_name: my-local-model          # yours: never touched
    litellm_params: {model: ollama/llama3}

# the end
"""


def shape(name: str, variant: str = "as it is") -> bytes:
    """A file of tests/data/configs in one of its variants."""
    return VARIANTS[variant]((DATA / name).read_bytes().replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_edited_around_the_users_bytes(name: str, variant: str) -> None:
    raw = shape(name, variant)
    old, old_12 = load(raw), load_as_12(raw)
    new = with_blocks(parse(raw), OURS)
    assert_outside_kept(raw, new)
    assert_holds(old, load(new), OURS)
    assert_holds(old_12, load_as_12(new), OURS)
    assert new.isascii() or not raw.isascii()


@pytest.mark.parametrize("variant", FEW)
@pytest.mark.parametrize("name", SHAPES)
def test_the_second_run_and_the_way_there_leave_no_trace(name: str, variant: str) -> None:
    new = with_blocks(parse(shape(name, variant)), OURS)
    document = parse(new)
    assert with_blocks(document, OURS) is document.raw
    assert document.managed == OURS
    other = with_blocks(document, OTHERS)
    assert_holds(load(shape(name, variant)), load(other), OTHERS)
    assert with_blocks(parse(other), OURS) == new


@pytest.mark.parametrize("variant", FEW)
@pytest.mark.parametrize("name", SHAPES)
def test_taken_out_again_ours_leave_at_most_empty_values(name: str, variant: str) -> None:
    raw = shape(name, variant)
    back = with_blocks(parse(with_blocks(parse(raw), OURS)), Blocks())
    assert b"rollcall: managed " not in back.replace(b"rollcall: managed models used", b"")
    assert_holds(load(raw), load(back), Blocks())
    assert_outside_kept(raw, back)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "name",
    ["indented_list.yaml", "mixed_indents.yaml", "flow_lists.yaml", "flow_open.yaml", "json.yaml"],
)
def test_where_nothing_had_to_be_created_removal_restores_the_file(name: str, variant: str) -> None:
    raw = shape(name, variant)
    document = parse(raw)
    has_fallbacks = document.fallbacks_section is not None or name == "json.yaml"
    blocks = Blocks(OURS.models, OURS.aliases, OURS.fallbacks if has_fallbacks else ())
    assert with_blocks(parse(with_blocks(document, blocks)), Blocks()) == raw


@pytest.mark.parametrize("name", SHAPES)
def test_without_libyaml_it_is_slower_and_no_different(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = shape(name)
    new = with_blocks(parse(raw), OURS)
    back = with_blocks(parse(new), Blocks())
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert with_blocks(parse(raw), OURS) == new
    assert with_blocks(parse(new), Blocks()) == back


def test_the_lines_look_as_documented() -> None:
    info = {"id": "rollcall/a/b", "managed_by": "rollcall", "input_cost_per_token": 1e-06}
    model = {"model_name": "a/b", "litellm_params": {"model": "x/a/b"}, "model_info": info}
    new = with_blocks(parse(EXAMPLE), Blocks((model,), {"default": "a/b"}))
    assert new.decode() == (
        "model_list:\n"
        "  - model_name: my-local-model          # yours: never touched\n"
        "    litellm_params: {model: ollama/llama3}\n"
        "  # >>> rollcall: managed models, written from policy.yaml >>>\n"
        '  - model_name: "a/b"\n'
        "    litellm_params:\n"
        '      model: "x/a/b"\n'
        "    model_info:\n"
        '      id: "rollcall/a/b"\n'
        '      managed_by: "rollcall"\n'
        "      input_cost_per_token: 0.000001\n"
        "  # <<< rollcall: managed models <<<\n"
        "\n"
        "# the end\n"
        "router_settings:\n"
        "  model_group_alias:\n"
        "    # >>> rollcall: managed aliases, written from policy.yaml >>>\n"
        '    default: "a/b"\n'
        "    # <<< rollcall: managed aliases <<<\n"
    )


def test_a_missing_file_is_created() -> None:
    assert with_blocks(parse(b""), Blocks()) == b""
    new = with_blocks(parse(b""), OURS)
    assert new.startswith(b"model_list:\n  # >>> rollcall: managed models")
    assert_holds({}, load(new), OURS)
    assert with_blocks(parse(new), Blocks()) == (
        b"model_list: []\nrouter_settings:\n  model_group_alias: {}\n  fallbacks: []\n"
    )


def test_an_empty_block_is_filled_again() -> None:
    opening, closing = (
        b"# >>> rollcall: managed models, written from policy.yaml >>>",
        b"# <<< rollcall: managed models <<<",
    )
    pair = b"  " + opening + b"\n  " + closing + b"\n"
    for raw in (b"model_list:\n" + pair, EXAMPLE.replace(b"\n\n", b"\n" + pair + b"\n")):
        assert with_blocks(parse(raw), Blocks()) == raw
        new = with_blocks(parse(raw), Blocks(OURS.models))
        assert new.count(opening) == 1
        assert parse(new).managed == Blocks(OURS.models)


def test_lines_follow_a_formatter_that_moved_the_list() -> None:
    new = with_blocks(parse(EXAMPLE), Blocks(OURS.models))
    moved = re.sub(rb"(?m)^  ", b"", new)
    assert with_blocks(parse(moved), Blocks(OURS.models)) == moved
    changed = with_blocks(parse(moved), OTHERS)
    assert_holds(load(EXAMPLE), load(changed), OTHERS)
    assert b'\n- model_name: "acme/two"' in changed


def test_a_reformatted_block_with_equal_data_is_left_alone() -> None:
    new = with_blocks(parse(EXAMPLE), OURS).replace(b'"', b"'").replace(b"0.000003", b"0.0000030")
    assert with_blocks(parse(new), OURS) == new


def test_an_entry_edited_by_hand_shows_and_is_restored() -> None:
    new = with_blocks(parse(EXAMPLE), OURS)
    edited = new.replace(b"timeout: 60", b"timeout: 61  # more patience")
    document = parse(edited)
    assert document.managed.models[1]["litellm_params"]["timeout"] == 61
    assert with_blocks(document, OURS) == new


def test_a_number_of_another_type_is_a_change() -> None:
    new = with_blocks(parse(EXAMPLE), OURS)
    edited = new.replace(b"timeout: 60", b"timeout: 60.0").replace(b"vision: true", b"vision: 1")
    assert with_blocks(parse(edited), OURS) == new


def test_entries_may_be_added_on_both_sides_of_ours() -> None:
    new = with_blocks(parse(EXAMPLE), OURS)
    mine = b"  - {model_name: mine, litellm_params: {model: ollama/mine}}\n"
    both = new.replace(
        b"# <<< rollcall: managed models <<<\n", b"# <<< rollcall: managed models <<<\n" + mine
    )
    document = parse(both)
    assert [own["model_name"] for own in document.own_models] == ["my-local-model", "mine"]
    changed = with_blocks(document, OTHERS)
    assert_outside_kept(EXAMPLE.replace(b"\n\n#", b"\n" + mine + b"\n#"), changed)
    assert with_blocks(parse(changed), OURS) == both


@pytest.mark.parametrize("name", ["flow_lists.yaml", "flow_open.yaml", "json.yaml"])
def test_rows_may_be_added_behind_ours_in_flow_style(name: str) -> None:
    raw = shape(name)
    new = with_blocks(parse(raw), OURS)
    row = b', {"model_name": "mine", "litellm_params": {"model": "ollama/mine"}}\n'
    end = b"# <<< rollcall: managed models <<<\n"
    both = new.replace(end, end + row, 1)
    changed = with_blocks(parse(both), OTHERS)
    assert [own["model_name"] for own in parse(changed).own_models][-1] == "mine"
    without = with_blocks(parse(changed), Blocks())
    assert [own["model_name"] for own in load(without)["model_list"]][-1] == "mine"


def test_a_comma_written_inside_our_rows_is_kept_or_put_back() -> None:
    new = with_blocks(parse(shape("json.yaml")), Blocks(OURS.models))
    end = b"\n    # <<< rollcall: managed models <<<\n"
    assert end in new
    row = b'{"model_name": "mine", "litellm_params": {"model": "ollama/mine"}}\n'
    both = new.replace(end, b"," + end + row)
    changed = with_blocks(parse(both), OTHERS)
    assert [own["model_name"] for own in parse(changed).own_models] == ["a", "mine"]
    without = load(with_blocks(parse(changed), Blocks()))
    assert [own["model_name"] for own in without["model_list"]] == ["a", "mine"]


@pytest.mark.parametrize("value", ["null", "~", "{}", "[]"])
def test_empty_values_in_json_are_filled_in_place(value: str) -> None:
    raw = f'{{"model_list": {value}, "router_settings": {value}, "x": 1}}\n'.encode()
    new = with_blocks(parse(raw), OURS)
    assert_holds(load(raw), load(new), OURS)
    assert new.startswith(b'{"model_list": [\n') or value == "{}"
    assert with_blocks(parse(with_blocks(parse(new), OTHERS)), OURS) == new


def test_a_first_row_of_ours_takes_the_comma_behind_it_along() -> None:
    new = with_blocks(parse(b'{"model_list": []}\n'), Blocks(OURS.models))
    end = b"# <<< rollcall: managed models <<<\n"
    both = new.replace(end, end + b', {"model_name": "m", "litellm_params": {"model": "o/m"}}\n')
    without = with_blocks(parse(both), Blocks())
    assert [own["model_name"] for own in load(without)["model_list"]] == ["m"]


def test_a_hand_written_alias_may_share_the_name_of_ours() -> None:
    new = with_blocks(parse(EXAMPLE), Blocks(OURS.models, {"default": "no", "cheap": "no"}))
    both = new + b"    default: my-local-model\n"
    document = parse(both)
    assert document.managed.aliases == {"default": "no", "cheap": "no"}
    assert document.own_aliases == {"default": "my-local-model"}
    changed = with_blocks(document, Blocks(OURS.models, {"cheap": "12:30"}))
    assert load(changed)["router_settings"]["model_group_alias"] == {
        "cheap": "12:30",
        "default": "my-local-model",
    }


def test_fallbacks_join_the_section_the_user_uses() -> None:
    raw = shape("margin_list.yaml")
    new = load(with_blocks(parse(raw), OURS))
    assert new["litellm_settings"]["fallbacks"] == [{"one": ["two"]}, *OURS.fallbacks]
    assert "fallbacks" not in new["router_settings"]


def test_fallbacks_move_when_the_user_begins_another_section() -> None:
    new = with_blocks(parse(EXAMPLE), OURS)
    raw = new + b"litellm_settings:\n  fallbacks:\n    - my-local-model: [other]\n"
    document = parse(raw)
    assert document.fallbacks_section == "litellm_settings"
    moved = load(with_blocks(document, OURS))
    assert moved["router_settings"]["fallbacks"] == []
    assert moved["litellm_settings"]["fallbacks"] == [
        {"my-local-model": ["other"]},
        *OURS.fallbacks,
    ]


def test_replace_makes_list_and_aliases_ours() -> None:
    for name in ("indented_list.yaml", "margin_list.yaml", "flow_open.yaml", "json.yaml"):
        raw = shape(name)
        new = with_blocks(parse(raw), OURS, replace=True)
        document = parse(new)
        assert (document.managed, document.own_models, document.own_aliases) == (OURS, (), {})
        assert document.own_fallbacks == parse(raw).own_fallbacks
        assert with_blocks(document, OURS, replace=True) is document.raw
        later = with_blocks(parse(with_blocks(parse(raw), OURS)), OURS, replace=True)
        assert load(later) == load(new)


def test_replace_with_nothing_leaves_an_empty_list() -> None:
    assert load(with_blocks(parse(EXAMPLE), Blocks(), replace=True)) == {"model_list": []}


def test_an_empty_model_info_is_never_written() -> None:
    model = {"model_name": "a", "litellm_params": {"model": "x/a"}, "model_info": None}
    with pytest.raises(ConfigRefused):  # without managed_by it would not be known as ours again
        with_blocks(parse(EXAMPLE), Blocks((model,)))


def test_two_thousand_entries_come_back() -> None:
    blocks = Blocks(tuple(entry(f"acme/{number}") for number in range(2_000)))
    document = parse(with_blocks(parse(EXAMPLE), blocks))
    assert document.managed == blocks
    assert with_blocks(document, blocks) is document.raw


def test_managed_text_is_our_lines_whatever_the_line_ends() -> None:
    new = with_blocks(parse(EXAMPLE), OURS)
    ours = managed_text(new)
    assert ours.startswith("  # >>> rollcall: managed models")
    assert 'api_key: "os.environ/ACME_KEY"' in ours
    assert "ollama/llama3" not in ours
    assert managed_text(EXAMPLE) == ""
    assert managed_text(new.replace(b"\n", b"\r\n")) == ours
    assert managed_text(new.replace(b"os.environ/ACME_KEY", b"os.environ/OTHER")) != ours


def test_managed_text_of_a_file_with_half_a_pair_shows_none_of_it() -> None:
    new = with_blocks(parse(EXAMPLE), Blocks(OURS.models))
    assert managed_text(new.replace(b"# <<< rollcall: managed models <<<", b"#")) == ""
    assert managed_text(b"model_list: [") == ""


def test_lines_of_names_lines() -> None:
    places: dict[tuple[str | int, ...], int | None] = {
        ("model_list",): 3,
        ("model_list", 1): 10,
        ("model_list", 0, "litellm_params", "api_base"): 8,
        ("router_settings", "model_group_alias", "house"): 19,
        ("router_settings", "nothing"): None,
        ("model_list", 7): None,
    }
    assert lines_of(shape("indented_list.yaml"), list(places)) == list(places.values())
    assert lines_of(b"model_list: [", [("model_list",)]) == [None]
    assert lines_of(b"", [()]) == [1]
