"""Where an alias leads whose newest model was called and did not answer; no calls are made here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from rollcall.plan.decide import decide
from rollcall.plan.trial import ANSWERED, trial_of
from rollcall.store.state import TrialRecord
from tests.policy_making import model, models
from tests.replaying import Replay, replay_of

if TYPE_CHECKING:
    from rollcall.plan.decide import Decision

DAY = date(2026, 11, 20)
HEAD = "version: 1\nproviders: {xai: {}, openai: {}}\nguards: {trial: aliases}\n"
BOTH = HEAD + "allow: [{family: grok, from: [xai]}, {family: gpt, from: [openai]}]\n"
GROK = BOTH + "aliases: {main: {family: grok}}\n"
GPT = BOTH + "aliases: {main: {family: gpt}}\n"
GROK_OR_GPT = BOTH + "aliases: {main: {first_of: [{family: grok}, {family: gpt}]}}\n"


def lists(replay: Replay, *ids: str) -> Replay:
    """The same replay, the providers listing these and no others."""
    replay.listed = {}
    for row in models(*ids):
        replay.listed[row.provider] = (*replay.listed.get(row.provider, ()), row)
    return replay


def decided(replay: Replay, **outcomes: str) -> Decision:
    """What a run of the next day decides after calls with these outcomes: `grok_5="not found"`."""
    inputs = replay.inputs(DAY + timedelta(days=1))
    records = {}
    for row in inputs.listed.values():
        call = trial_of(inputs, inputs.entry_of(row, row.qualified, 1), row)
        outcome = outcomes.get(row.id.replace("-", "_"))
        if call is not None and outcome:
            records[call.callee] = TrialRecord(
                provider=row.provider,
                id=row.id,
                address=call.callee.address,
                outcome=outcome,
                asked=inputs.stamp,
                answered=inputs.stamp if outcome in ANSWERED else None,
            )
    return decide(replace(inputs, trials=records, tried=frozenset(records), hold_untried=True))


def test_an_alias_that_leads_nowhere_yet_takes_the_sister_that_answers() -> None:
    replay = lists(replay_of(GROK), "xai/grok-5", "xai/grok-4")
    found = decided(replay, grok_5="not found", grok_4="answered")
    assert found.blocks.aliases == {"main": "xai/grok-4"}
    (held,) = found.held
    assert (held.name, held.change) == ("main", "none -> xai/grok-5")
    assert held.accept == "rollcall apply --accept xai/grok-5"
    (alias,) = found.resolved
    assert [name for name, _ in alias.candidates] == ["xai/grok-4", "xai/grok-5"]
    assert alias.candidates[1][1].startswith("xai/grok-5 is listed, but a call to it came to:")


def test_and_where_no_sister_answers_it_takes_the_newest_all_the_same() -> None:
    replay = lists(replay_of(GROK), "xai/grok-5", "xai/grok-4")
    found = decided(replay, grok_5="not found", grok_4="rate limited")
    assert found.blocks.aliases == {"main": "xai/grok-5"}
    assert found.held == ()
    assert any("leads to xai/grok-5 all the same" in line for line in found.warnings)


def test_it_stays_where_it_is_rather_than_move_to_another_family() -> None:
    replay = lists(replay_of(GPT), "openai/gpt-4")
    replay.run(DAY)
    replay.policy = replay_of(GROK_OR_GPT).policy
    lists(replay, "xai/grok-5", "openai/gpt-4", "openai/gpt-5")
    found = decided(replay, grok_5="not found", gpt_5="answered")
    assert found.blocks.aliases == {"main": "openai/gpt-4"}
    assert [row.change for row in found.held] == ["openai/gpt-4 -> xai/grok-5"]


def test_a_sister_of_the_family_wanted_is_taken_whatever_the_old_family_was() -> None:
    replay = lists(replay_of(GPT), "openai/gpt-4")
    replay.run(DAY)
    replay.policy = replay_of(GROK).policy
    lists(replay, "xai/grok-5", "xai/grok-4", "openai/gpt-4")
    found = decided(replay, grok_5="not found", grok_4="answered")
    assert found.blocks.aliases == {"main": "xai/grok-4"}


def test_a_sister_older_than_where_it_stands_is_not_taken() -> None:
    replay = lists(replay_of(GROK), "xai/grok-4")
    replay.run(DAY)
    lists(replay, "xai/grok-5", "xai/grok-4", "xai/grok-3")
    for outcome in ("not found", "timeout"):
        found = decided(replay, grok_5=outcome, grok_3="answered")
        assert found.blocks.aliases == {"main": "xai/grok-4"}


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("refused for this key", "check what the key in XAI_API_KEY and its account may call"),
        ("no credit", "top up the account, or raise its limit"),
        ("not found", "wait until it can be called with this key, or deny it"),
        ("call refused", "see what it says, or deny it"),
        ("server error", "not proven yet, the next apply calls again"),
        ("wrong endpoint", "give its rule model_info: {mode: responses} if it answers there"),
    ],
)
def test_what_to_do_is_said_with_each_outcome(outcome: str, says: str) -> None:
    replay = lists(replay_of(GROK), "xai/grok-4")
    replay.run(DAY)
    found = decided(lists(replay, "xai/grok-5", "xai/grok-4"), grok_5=outcome)
    assert found.blocks.aliases == {"main": "xai/grok-4"}
    (held,) = found.held
    assert f"came to: {outcome}" in held.reason
    assert says in held.reason


@pytest.mark.parametrize("outcome", ["answered", "parameters refused"])
def test_who_refuses_a_parameter_has_answered(outcome: str) -> None:
    replay = lists(replay_of(GROK), "xai/grok-4")
    replay.run(DAY)
    found = decided(lists(replay, "xai/grok-5", "xai/grok-4"), grok_5=outcome)
    assert found.blocks.aliases == {"main": "xai/grok-5"}


def test_what_is_no_chat_model_is_not_called() -> None:
    info = "model_info: {mode: image_generation}"
    replay = replay_of(f"{HEAD}allow: [{{match: grok-5, from: [xai], {info}}}]\n")
    replay.listed = {"xai": (model("xai/grok-5"),)}
    inputs = replay.inputs(DAY)
    (row,) = inputs.listed.values()
    assert trial_of(inputs, inputs.entry_of(row, "x", 1), row) is None


@pytest.mark.parametrize("managed", [True, False])
def test_no_alias_moves_to_an_own_entry_of_a_provider_that_is_away(managed: bool) -> None:
    """Whether an entry of ours calls the same provider makes no difference."""
    ours = "{match: grok-4, from: [xai]}, " if managed else ""
    text = f"{HEAD}allow: [{ours}{{family: gpt, from: [openai]}}]\n"
    replay = lists(replay_of(text + "aliases: {}\n"), "xai/grok-4", "xai/grok-6", "openai/gpt-4")
    replay.run(DAY)
    assert ("xai/grok-4" in replay.entries) is managed
    mine = b"model_list:\n  - {model_name: mine, litellm_params: {model: xai/grok-6}}\n"
    replay.config = replay.config.replace(b"model_list:\n", mine)
    first_of = "aliases: {main: {first_of: [{family: grok}, {family: gpt}]}}\n"
    replay.policy = replay_of(text + first_of).policy
    assert decided(replay).blocks.aliases == {"main": "mine"}
    replay.away = {"xai"}
    assert decided(replay, gpt_4="answered").blocks.aliases == {"main": "openai/gpt-4"}
