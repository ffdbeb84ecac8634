"""adopt and eject: entries change hands, every other byte stays."""

from __future__ import annotations

import pytest

from rollcall.errors import ConfigRefused
from rollcall.litellm_config.adoption import eject
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.writing import with_blocks
from tests.adopting import adopt
from tests.config_oracle import OURS, load, outside

OWN = b"""\
# mine
model_list:
  # fast
  - model_name: quick   # the quick one
    litellm_params:
      model: openai/quick
      # why this timeout: it is slow
      timeout: 5
  # strong
  - model_name: strong
    litellm_params: {model: openai/strong}

  - model_name: local
    litellm_params: {model: ollama/local}
    model_info:
      mode: chat
# heading
router_settings:
  model_group_alias:
    a: quick
    b: {model: local, hidden: true}   # hidden
  num_retries: 1
"""


def test_adopted_entries_move_between_the_markers() -> None:
    new = adopt(parse(OWN), frozenset({"quick", "local"}))
    document = parse(new)
    assert [entry["model_name"] for entry in document.managed.models] == ["quick", "local"]
    assert document.managed.models[0]["litellm_params"] == {"model": "openai/quick", "timeout": 5}
    assert document.managed.models[1]["model_info"] == {"mode": "chat", "managed_by": "rollcall"}
    assert outside(new).decode() == (
        "# mine\nmodel_list:\n  # fast\n  # strong\n  - model_name: strong\n"
        "    litellm_params: {model: openai/strong}\n\n" + OWN.decode()[OWN.index(b"# heading") :]
    )


def test_all_entries_may_be_adopted() -> None:
    new = adopt(parse(OWN), frozenset({"quick", "strong", "local"}))
    assert parse(new).own_models == ()
    assert len(parse(new).managed.models) == 3


def test_adopted_entries_join_those_already_managed() -> None:
    document = parse(with_blocks(parse(OWN), OURS))
    after = parse(adopt(document, frozenset({"strong"})))
    names = [entry["model_name"] for entry in after.managed.models]
    assert names == ["acme/one", "no", "12:30", "strong"]
    assert after.managed.aliases == OURS.aliases


def test_aliases_are_adopted_only_when_named_as_aliases() -> None:
    assert adopt(parse(OWN), frozenset({"a"})) == OWN
    after = parse(adopt(parse(OWN), frozenset(), aliases=frozenset({"b"})))
    assert after.managed.aliases == {"b": {"model": "local", "hidden": True}}
    assert after.own_aliases == {"a": "quick"}
    assert b"    a: quick\n    # >>> rollcall: managed aliases" in after.raw


def test_nothing_to_adopt_changes_nothing() -> None:
    document = parse(OWN)
    assert adopt(document, frozenset({"unknown"})) is document.raw


@pytest.mark.parametrize("first", [True, False])
def test_entries_of_a_flow_list_are_adopted(first: bool) -> None:
    rows = ['{"model_name": "a", "litellm_params": {"model": "o/a"}}']
    rows.append('{"model_name": "b", "litellm_params": {"model": "o/b"}}')
    raw = ('{"model_list": [' + ", ".join(rows) + "]}\n").encode()
    after = parse(adopt(parse(raw), frozenset({"a" if first else "b"})))
    assert [entry["model_name"] for entry in after.own_models] == ["b" if first else "a"]
    assert [entry["model_name"] for entry in after.managed.models] == ["a" if first else "b"]
    assert parse(adopt(after, frozenset({"a", "b"}))).own_models == ()


def test_an_entry_others_lean_on_is_not_cut_out() -> None:
    raw = b"""\
model_list:
  - model_name: a
    litellm_params: &shared {model: o/a}
  - model_name: b
    litellm_params: *shared
"""
    with pytest.raises(ConfigRefused) as caught:
        adopt(parse(raw), frozenset({"a"}))
    assert (caught.value.reason, caught.value.line) == ("shared_anchor", 2)
    after = parse(adopt(parse(raw), frozenset({"b"})))
    assert after.managed.models[0]["litellm_params"] == {"model": "o/a"}


@pytest.mark.parametrize("key", ["api_key", "aws_secret_access_key", "azure_ad_token"])
def test_an_entry_with_a_literal_secret_stays_the_users(key: str) -> None:
    raw = OWN.replace(b"timeout: 5", key.encode() + b": sk-typed-in")
    with pytest.raises(ConfigRefused) as caught:
        adopt(parse(raw), frozenset({"quick"}))
    assert (caught.value.reason, caught.value.line) == ("literal_key", 4)
    assert "sk-" not in str(caught.value)
    fine = raw.replace(b"sk-typed-in", b"os.environ/KEY")
    assert parse(adopt(parse(fine), frozenset({"quick"}))).managed.models


def test_a_secret_deep_in_an_entry_is_seen() -> None:
    deep = b"extra: [{headers: {x_api_key: sk-typed-in}}]"
    with pytest.raises(ConfigRefused, match="x_api_key"):
        adopt(parse(OWN.replace(b"timeout: 5", deep)), frozenset({"quick"}))


def test_managed_by_from_an_anchor_cannot_be_taken_out() -> None:
    raw = b"""\
x-info: &info {managed_by: rollcall}
model_list:
  - model_name: a
    litellm_params: {model: o/a}
    model_info:
      <<: *info
"""
    with pytest.raises(ConfigRefused) as caught:
        eject(parse(raw))
    assert (caught.value.reason, caught.value.line) == ("shared_anchor", 3)
    assert parse(adopt(parse(raw), frozenset())).strays == ()


def test_entries_saved_by_litellms_own_page_are_taken_back() -> None:
    import yaml

    saved = yaml.dump(load(with_blocks(parse(OWN), OURS)), default_flow_style=False).encode()
    document = parse(saved)
    assert [stray.model_name for stray in document.strays] == ["acme/one", "no", "12:30"]
    for stray in document.strays:
        assert saved.split(b"\n")[stray.line - 1].startswith(b"- litellm_params")
    after = parse(adopt(document, frozenset(), aliases=frozenset(OURS.aliases)))
    assert after.strays == ()
    assert after.managed.aliases == OURS.aliases
    assert [own["model_name"] for own in after.own_models] == ["quick", "strong", "local"]


def test_half_a_pair_of_one_kind_leaves_the_others_alone() -> None:
    new = with_blocks(parse(OWN), OURS)
    half = new.replace(b"    # <<< rollcall: managed aliases <<<\n", b"")
    document = parse(half)
    assert document.refusal is not None
    healed = parse(adopt(document, frozenset(), aliases=frozenset(OURS.aliases)))
    assert healed.managed == OURS
    assert healed.own_aliases == {"a": "quick", "b": {"model": "local", "hidden": True}}


@pytest.mark.parametrize("text", [OWN, b"", b'{"model_list": [], "router_settings": {}}\n'])
def test_ejected_entries_are_ordinary_ones(text: bytes) -> None:
    new = with_blocks(parse(text), OURS)
    after = eject(parse(new))
    kept = [line for line in new.split(b"\n") if b"rollcall: managed" not in line]
    if b"{" not in text[:1]:
        kept = [line for line in kept if b"managed_by" not in line]
        assert after == b"\n".join(kept)
    assert b"managed" not in after
    document = parse(after)
    assert document.managed == Blocks()
    assert [own["model_name"] for own in document.own_models[-3:]] == ["acme/one", "no", "12:30"]
    assert "managed_by" not in document.own_models[-1]["model_info"]
    assert eject(document) is document.raw


def test_ejecting_an_entry_signed_and_nothing_else_leaves_no_null() -> None:
    new = adopt(parse(OWN), frozenset({"quick"}))
    after = load(eject(parse(new)))
    assert after["model_list"][-1]["model_info"] == {}


def test_ejecting_aliases_alone_leaves_them_standing() -> None:
    new = with_blocks(parse(b"general_settings: {}\n"), Blocks((), {"a": "b"}))
    assert eject(parse(new)) == (
        b'general_settings: {}\nrouter_settings:\n  model_group_alias:\n    a: "b"\n'
    )


def test_ejecting_takes_entries_without_markers_too() -> None:
    new = with_blocks(parse(OWN), OURS)
    lost = b"\n".join(line for line in new.split(b"\n") if b"rollcall: managed" not in line)
    assert eject(parse(lost)) == eject(parse(new))


def test_ejecting_with_remove_takes_ours_out() -> None:
    raw = OWN.replace(b"  num_retries: 1\n", b"  fallbacks: [{strong: [local]}]\n")
    assert eject(parse(with_blocks(parse(raw), OURS)), remove=True) == raw
