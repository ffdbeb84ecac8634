"""What changes between two states of our lines, in words; what is told of days and of own lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from rollcall.catalog.facts import RecordedFacts
from rollcall.litellm_config.document import Blocks
from rollcall.litellm_config.entries import name_of, with_leaving_day
from rollcall.litellm_config.writing import with_blocks
from rollcall.plan.changes import Change, ChangeKind, changed_fields, compare, differences
from rollcall.plan.decide import decide
from rollcall.plan.departures import Cause, Departure
from rollcall.plan.last_days import LastDay
from rollcall.plan.masking import MASK, masked, restored
from rollcall.plan.model_list import ModelList
from rollcall.report.changes import ChangeFacts, row_of, why_of
from tests.policy_making import model, models
from tests.replaying import replay_of

DAY = date(2026, 11, 20)
PRICE = "input_cost_per_token"


def entry(key: str = "xai/grok-5", params: Any = None, **info: Any) -> dict[str, Any]:
    """An entry of ours."""
    return {
        "model_name": "grok",
        "litellm_params": {"model": key, **(params or {})},
        "model_info": {"id": f"rollcall/{key}", "managed_by": "rollcall", **info},
    }


def group(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"model_name": "grok", "deployments": list(rows)}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({"supports_vision": True}, {"supports_vision": False}, "vision yes -> no"),
        ({"mode": "chat"}, {"mode": "responses"}, "mode chat -> responses"),
        ({PRICE: 1e-6}, {PRICE: 2e-6}, "input price $1.00/M -> $2.00/M"),
        ({}, {"supports_vision": True, "max_input_tokens": 8}, "new: vision, context 8"),
        ({"max_output_tokens": 8}, {}, "gone: max output 8"),
        ({}, {"input_cost_per_token_above_200k_tokens": 1e-6}, "new: prices above 200k tokens"),
        ({"tier": "a"}, {"tier": "a"}, ""),
        ({"leaves": "2026-12-01"}, {}, "stays after all"),
        ({}, {"leaves": "2026-12-01"}, ""),
    ],
)  # fmt: skip
def test_what_differs_between_two_entries(before: Any, after: Any, says: str) -> None:
    assert differences(entry(**before), entry(**after)) == says


def test_a_field_that_is_null_is_there() -> None:
    before, after = entry(params={"timeout": None}), entry()
    assert list(changed_fields(before, after)) == [("timeout", None, None)]
    assert list(changed_fields(before, before)) == []


def test_what_differs_between_two_groups_model_by_model() -> None:
    one, two, three = (entry(f"xai/grok-{number}") for number in (1, 2, 3))
    changed = entry("xai/grok-2", mode="responses")
    assert differences(group(one, two), group(changed, three)) == (
        "xai/grok-2: new: mode responses; now xai/grok-3, too; no longer xai/grok-1"
    )
    assert differences(one, group(one, two)) == "now xai/grok-2, too"


def test_a_group_leaves_with_the_last_of_its_models() -> None:
    soon, late = (with_leaving_day(entry(), DAY + timedelta(days=days)) for days in (1, 2))
    update = Change(kind=ChangeKind.UPDATE, name="grok", before=group(entry(), entry()))
    leaving = update.model_copy(update={"after": group(soon, late)})
    assert leaving.leaves == DAY + timedelta(days=2)
    assert update.model_copy(update={"after": group(soon, entry())}).leaves is None
    assert leaving.model_copy(update={"kind": ChangeKind.ADD}).leaves is None
    assert leaving.model_copy(update={"before": leaving.after}).leaves is None


def test_the_same_lines_in_another_order_are_one_change() -> None:
    one, two = entry(), {**entry("xai/grok-4"), "model_name": "old"}
    (only,) = compare(Blocks((one, two)), Blocks((two, one)), ModelList(()), {})
    assert (only.kind, only.name) == (ChangeKind.UPDATE, "(order)")


def test_an_alias_and_a_fallback_that_go_say_why() -> None:
    old = Blocks(aliases={"a": "x"}, fallbacks=({"a": ["x"]}, {"b": ["x"]}))
    new = Blocks(aliases={"b": "x"}, fallbacks=({"b": ["y"]},))
    found = compare(old, new, ModelList(()), {"b": "because"})
    assert [(row.kind.value, row.name, row.reason) for row in found] == [
        ("alias", "b", "because"),
        ("alias", "a", "no longer in the policy"),
        ("fallback", "b", "the fallbacks of alias b"),
        ("fallback", "a", "none of its fallbacks is in the config"),
    ]


def test_a_mask_is_lifted_and_nothing_else_is_put_back() -> None:
    there = Blocks((entry(params={"headers": {"X": "abc DEF 123"}, "rpm": 5}),))
    plan = Blocks((entry(params={"headers": {"X": "abc DEF 123"}, "rpm": 6}, mode="chat"),))
    _, shown = masked(there, plan)
    (hidden,) = shown.models
    assert hidden["litellm_params"] == {"model": "xai/grok-5", "headers": {"X": MASK}, "rpm": 6}
    assert restored(shown.models, there) == plan.models


@pytest.mark.parametrize(
    ("days", "says"),
    [(-1, "ended on 2026-11-19"), (0, "ends on 2026-11-20, today"),
     (1, "ends on 2026-11-21, in 1 day"), (2, "ends on 2026-11-22, in 2 days")],
)  # fmt: skip
def test_how_near_a_last_day_is(days: int, says: str) -> None:
    ends = DAY + timedelta(days=days)
    assert LastDay(name="a", model="x/a", ends=ends, source="x").told(DAY) == f"a {says} (x)"


@pytest.mark.parametrize(
    ("admitted_as", "successor", "advice"),
    [
        ("b", "b", "Have what names it use b, or an alias that moves by itself."),
        ("", "b",
         "Admit b in policy.yaml, or have what names it use another model."),
        ("", None, "Have what names it use another model."),
    ],
)  # fmt: skip
def test_what_to_do_about_a_last_day(admitted_as: str, successor: str | None, advice: str) -> None:
    row = LastDay(name="a", model="x/a", ends=DAY, source="x", successor=successor)
    assert row.model_copy(update={"admitted_as": admitted_as}).advice == advice


@pytest.mark.parametrize(
    ("number", "says"),
    [(1, "an entry of your own calls"), (2, "2 of your own entries call")],
)
def test_own_entries_that_call_what_is_admitted_are_counted(number: int, says: str) -> None:
    text = "version: 1\nproviders: {xai: {}}\nallow: [{family: grok, from: [xai]}]\naliases: {}\n"
    ids = [f"xai/grok-{at}" for at in range(number)]
    rows = "".join(f"- {{model_name: {one}, litellm_params: {{model: {one}}}}}\n" for one in ids)
    replay = replay_of(text)
    replay.config = f"model_list:\n{rows}".encode()
    replay.listed = {"xai": tuple(models(*ids, "xai/grok-9"))}
    decision = replay.run(DAY).decision
    assert [one.name for one in decision.model_list.placements] == ["xai/grok-9"]
    assert any(line.startswith(says) for line in decision.warnings), decision.warnings


def test_what_replacing_the_list_takes_out_is_counted_in_words() -> None:
    text = "version: 1\nproviders: {xai: {}}\nallow: []\nmodel_list: replace\n"
    replay = replay_of(text)
    replay.config = (
        b"model_list:\n- {model_name: a, litellm_params: {model: xai/a}}\n"
        b"router_settings: {model_group_alias: {mine: a}}\n"
    )
    replay.listed = {"xai": tuple(models("xai/grok-9"))}
    (refusal,) = replay.run(DAY).decision.refused
    assert refusal.reason.endswith("by hand: 1 entry and 1 alias")


def test_fallbacks_stand_under_the_alias_and_lead_to_what_is_there() -> None:
    replay = replay_of(
        "version: 1\nproviders: {xai: {}, openai: {}}\n"
        "allow: [{family: grok, from: [xai]}, {family: gpt, from: [openai]}]\n"
        "aliases: {main: {family: grok, fallbacks: [spare]}, spare: {family: gpt}}\n"
    )
    replay.listed = {"xai": tuple(models("xai/grok-5")), "openai": tuple(models("openai/gpt-5"))}
    assert replay.run(DAY).decision.blocks.fallbacks == ({"main": ["openai/gpt-5"]},)
    replay.config = (
        b"router_settings:\n  fallbacks:\n  - {mine: [other]}\n"
        b"litellm_settings:\n  fallbacks:\n  - {mine: [other]}\n"
    )
    decision = replay.run(DAY).decision
    assert decision.blocks.fallbacks == ()
    assert any("LiteLLM reads only the first" in line for line in decision.warnings)


def test_a_price_borrowed_from_a_list_that_is_away_now_stays_written() -> None:
    replay = replay_of(
        "version: 1\nproviders: {anthropic: {}, openrouter: {}}\naliases: {}\n"
        "defaults: {write_prices: borrowed}\n"
        "allow: [{family: claude-sonnet, from: [anthropic]}]\n"
    )
    sold = model("openrouter/anthropic/claude-sonnet-5", cost=("3", "15"))
    replay.listed = {"anthropic": tuple(models("anthropic/claude-sonnet-5")), "openrouter": (sold,)}
    unknown = RecordedFacts("litellm 1", lambda _: None, charges=True)
    inputs = replace(replay.inputs(DAY), recorded={"litellm": unknown})
    written = decide(inputs).blocks
    assert written.models[0]["model_info"][PRICE] == 3e-6
    replay.config = with_blocks(inputs.document, written)
    replay.away = {"openrouter"}
    assert replay.run(DAY).decision.blocks == written


def test_a_saved_change_says_why_an_entry_leaves_and_nothing_more_of_others() -> None:
    stays = Change(kind=ChangeKind.ADD, name="grok", after=entry())
    assert set(stays.model_dump(mode="json")) == {"kind", "name", "before", "after", "reason"}
    soon = {"cause": Cause.SUPERSEDED.value, "why": "superseded by grok-5"}
    leaves = stays.model_copy(update={"kind": ChangeKind.UPDATE, **soon})
    assert Change.model_validate_json(leaves.model_dump_json()) == leaves


def test_what_goes_for_another_reason_than_its_departure_tells_that_one() -> None:
    going = Departure(Cause.SUPERSEDED, "superseded by grok-5", last=entry())
    old, new = Blocks((entry(),)), Blocks(())
    name = name_of(entry())
    for reason, cause in ((going.reason, "superseded"), ("an alias takes over its name", "")):
        model_list = ModelList((), gone={name: reason}, departures={name: going})
        (change,) = compare(old, new, model_list, {})
        assert (change.reason, change.cause) == (reason, cause)
        told = "superseded; its grace is over" if cause else reason
        assert row_of(change, ChangeFacts()).alike == told


def test_a_plan_saved_without_the_cause_still_says_why_an_entry_leaves() -> None:
    leaves = Change(
        kind=ChangeKind.UPDATE,
        name="grok",
        before=entry(),
        after=with_leaving_day(entry(), DAY),
        reason=f"xai no longer lists it; stays until {DAY}",
    )
    assert "xai no longer lists it" in why_of(leaves)
    assert "xai no longer lists it" in row_of(leaves, ChangeFacts()).alike
