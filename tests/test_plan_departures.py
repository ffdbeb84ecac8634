"""Why an entry leaves model_list and how long it stays; and what of it is shown meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.catalog.facts import Facts, RecordedFacts
from rollcall.catalog.model import Model, Verdict
from rollcall.errors import PlanError
from rollcall.litellm_config.document import Blocks
from rollcall.litellm_config.entries import key_of, leaves_on
from rollcall.plan.decide import decide
from rollcall.plan.departures import Cause
from rollcall.plan.masking import MASK, masked, restored
from rollcall.plan.model_list import Origin
from rollcall.plan.plan import plan_of, read_plan
from rollcall.settings import Mode
from rollcall.store.state import State
from tests.policy_making import model, models
from tests.replaying import Replay, replay_of

if TYPE_CHECKING:
    from rollcall.plan.departures import Departure

DAY = date(2026, 11, 20)
HEAD = "version: 1\nproviders: {xai: {}, openai: {}, openrouter: {}}\naliases: {}\n"
STORMS = HEAD + 'deny: ["*-secret"]\nallow: [{match: "acme/storm*", from: [openrouter]}]\n'


def later(days: int) -> date:
    return DAY + timedelta(days=days)


def storm(model_id: str, **facts: Any) -> Model:
    return model(f"openrouter/acme/{model_id}", **facts)


def left(before: list[Model], after: list[Model], text: str = STORMS) -> tuple[Replay, Departure]:
    """What became of the one entry of `before` once its provider lists `after`."""
    replay = replay_of(text)
    replay.listed = {"openrouter": tuple(before)}
    replay.run(DAY)
    [name] = [name for name in replay.entries if name.endswith("/" + before[0].id)]
    replay.listed = {"openrouter": tuple(after)}
    done = replay.run(later(1))
    return replay, done.decision.model_list.departures[name]


ELSEWHERE = storm("other-1")


class TestRenamed:
    """An id that is gone was renamed where the same model stands under another one."""

    OLD = storm("storm-1", canonical="acme/storm-2026")

    @pytest.mark.parametrize(
        "new",
        [
            storm("gale-1", canonical="acme/storm-2026"),
            storm("Storm-1"),
            storm("gale-1", aliases=("acme/storm-1",)),
            storm("gale-1", litellm_model="openrouter/acme/storm-1"),
        ],
    )
    def test_by_its_canonical_name_its_case_an_alias_or_what_it_calls(self, new: Model) -> None:
        replay, departure = left([self.OLD], [new, ELSEWHERE])
        assert departure.cause is Cause.RENAMED
        assert f"renamed it to {new.id};" in departure.reason
        [entry] = [one for name, one in replay.entries.items() if name.endswith("storm-1")]
        assert entry["litellm_params"]["model"] == new.litellm_model

    @pytest.mark.parametrize(
        "other",
        [
            storm("gale-1", canonical="acme/storm-2025"),
            storm("gale-1", canonical="acme/storm-2026", batch_only=True),
            storm("gale-1", canonical="acme/storm-2026", points_at="acme/gale-2"),
            storm("gale-latest", canonical="acme/storm-2026"),
            storm("gale-1:free", canonical="acme/storm-2026"),
            storm("gale-secret", canonical="acme/storm-2026"),
        ],
    )
    def test_another_offer_a_moving_id_or_a_denied_one_is_something_else(
        self, other: Model
    ) -> None:
        _, departure = left([self.OLD], [other, ELSEWHERE])
        assert departure.cause is Cause.WITHDRAWN

    def test_one_that_was_listed_beside_it_before_is_something_else(self) -> None:
        twin = storm("gale-1", canonical="acme/storm-2026")
        _, departure = left([self.OLD, twin], [twin, ELSEWHERE])
        assert departure.cause is Cause.WITHDRAWN


class TestGrace:
    """How long an entry stays once it has to leave."""

    GROK = HEAD + "allow: [{family: grok, from: [xai], newest: 1}]\n"

    def test_the_day_it_leaves_only_comes_nearer(self) -> None:
        replay, _ = left([storm("storm-1")], [ELSEWHERE])
        [entry] = replay.entries.values()
        assert leaves_on(entry) == later(4), "vanished: 3d, from the day it was missed"
        replay.run(later(3))
        assert replay.entries, "its last day is the one before"
        replay.run(later(4))
        assert not replay.entries

    def test_a_grace_made_shorter_counts_at_once_and_a_longer_one_does_not(self) -> None:
        replay, _ = left([storm("storm-1")], [ELSEWHERE])
        for grace, day in (("30d", later(4)), ("1d", later(3))):
            text = STORMS + f"grace: {{vanished: {grace}}}\n"
            replay.policy, replay.old_policy = replay_of(text).policy, replay.policy
            replay.run(later(2))
            [entry] = replay.entries.values()
            assert leaves_on(entry) == day

    def test_an_entry_whose_id_was_edited_by_hand_is_nobodys(self) -> None:
        replay = replay_of(self.GROK)
        replay.listed = {"xai": tuple(models("xai/grok-4"))}
        replay.run(DAY)
        replay.config = replay.config.replace(b"rollcall/xai/grok-4", b"mine")
        again = replay.run(later(1))
        assert [key_of(entry) for entry in replay.entries.values()] == [("xai", "grok-4")]
        assert again.decision.model_list.gone == {}, "the policy gives it its id back"
        replay.config = replay.config.replace(b"rollcall/xai/grok-4", b"mine")
        replay.listed = {"xai": tuple(models("xai/grok-5"))}
        gone = replay.run(later(2)).decision.model_list.gone["xai/grok-4"]
        assert gone == "its model_info.id is not one of ours: edited by hand"

    def test_only_mode_subagents_leaves_alone_what_a_rule_without_from_names(self) -> None:
        replay = replay_of(HEAD + "allow: [{family: grok, newest: 1}]\n")
        replay.listed = {"xai": tuple(models("xai/grok-4"))}
        replay.run(DAY)
        replay.listed = {"xai": tuple(models("xai/grok-4", "xai/grok-5"))}
        inputs = replay.inputs(later(1))
        assert decide(inputs).model_list.departures["xai/grok-4"].cause is Cause.SUPERSEDED
        (kept,) = decide(replace(inputs, mode=Mode.SUBAGENTS)).model_list.placements
        assert kept.origin is Origin.KEPT
        assert kept.reason == "kept as it is: mode subagents works by rules that name xai"

    def test_for_ever_is_a_century(self) -> None:
        text = STORMS + "grace: {vanished: 99999999d}\n"
        _, departure = left([storm("storm-1")], [ELSEWHERE], text)
        assert departure.entry is not None
        assert leaves_on(departure.entry) == later(1) + timedelta(days=36_500)

    def test_what_is_listed_again_stays_after_all(self) -> None:
        replay, _ = left([storm("storm-1")], [ELSEWHERE])
        replay.listed = {"openrouter": (storm("storm-1"), ELSEWHERE)}
        replay.run(later(2))
        [entry] = replay.entries.values()
        assert leaves_on(entry) is None

    def test_a_retired_one_has_the_grace_of_one_that_vanished(self) -> None:
        _, departure = left([storm("storm-1")], [storm("storm-1", ends=DAY)])
        assert departure.cause is Cause.RETIRED
        assert f"retired it on {DAY}; stays until {later(4)}" in departure.reason

    def test_on_its_last_day_it_is_not_retired_yet(self) -> None:
        replay = replay_of(STORMS)
        replay.listed = {"openrouter": (storm("storm-1", ends=later(1)),)}
        replay.run(DAY)
        assert not replay.run(later(1)).decision.model_list.departures

    def test_a_policy_nobody_remembers_counts_as_edited(self) -> None:
        replay = replay_of(self.GROK)
        replay.listed = {"xai": tuple(models("xai/grok-4"))}
        replay.run(DAY)
        other = HEAD + "allow: [{family: grok-mini, from: [xai], newest: 1}]\n"
        replay.policy = replay_of(other).policy
        replay.listed = {"xai": tuple(models("xai/grok-4", "xai/grok-mini-4"))}
        inputs = replace(replay.inputs(later(1)), state=State(), policy_text=other)
        departure = decide(inputs).model_list.departures["xai/grok-4"]
        assert (departure.cause, departure.entry) == (Cause.POLICY, None)

    def test_what_vanished_and_no_rule_names_any_more_goes_at_once(self) -> None:
        replay = replay_of(self.GROK)
        replay.listed = {"xai": tuple(models("xai/grok-4"))}
        replay.run(DAY)
        replay.old_policy = replay.policy
        other = HEAD + "allow: [{family: grok-mini, from: [xai], newest: 1}]\n"
        replay.policy = replay_of(other).policy
        replay.listed = {"xai": tuple(models("xai/grok-mini-4"))}
        done = replay.run(later(1))
        departure = done.decision.model_list.departures["xai/grok-4"]
        assert (departure.cause, departure.missed) == (Cause.POLICY, False)

    def test_a_model_under_another_name_keeps_its_own_only_where_a_rule_would_give_it(self) -> None:
        two = (
            'allow: [{family: grok, from: [xai], newest: 1, name: "top"},'
            ' {match: "grok-*", from: [xai], name: "{id}"}]\n'
        )
        replay = replay_of(HEAD + two)
        replay.listed = {"xai": tuple(models("xai/grok-4"))}
        replay.run(DAY)
        assert list(replay.entries) == ["top"]
        replay.listed = {"xai": tuple(models("xai/grok-4", "xai/grok-5"))}
        done = replay.run(later(1))
        assert list(replay.entries) == ["top", "grok-4"]
        assert done.decision.model_list.placements[0].key.id == "grok-5"


BOTH = {"xai": tuple(models("xai/grok-4")), "openai": tuple(models("openai/gpt-5"))}


class TestAway:
    """Entries of a provider that could not be asked, and aliases on them."""

    TEXT = (
        "version: 1\nproviders: {xai: {}, openai: {}}\n"
        'allow: [{match: "*", from: [xai, openai]}]\n'
        "aliases: {main: {family: grok}, other: {first_of: [{family: grok}, {family: gpt}]}}\n"
    )

    def test_nothing_changes_and_the_alias_stays(self) -> None:
        replay = replay_of(self.TEXT)
        replay.listed = {
            "xai": tuple(models("xai/grok-4")),
            "openai": tuple(models("openai/gpt-5")),
        }
        replay.run(DAY)
        before = replay.config
        replay.away = {"xai"}
        done = replay.run(later(1))
        assert replay.config == before
        assert done.decision.refused == ()
        assert replay.aliases == {"main": "xai/grok-4", "other": "xai/grok-4"}

    def test_nobody_takes_its_names_meanwhile(self) -> None:
        text = (
            "version: 1\nproviders: {xai: {}, openai: {}}\naliases: {}\n"
            'allow: [{match: "grok-*", from: [xai], name: one},'
            ' {match: "gpt-*", from: [openai], name: one, balance: true}]\n'
        )
        text = text.replace("name: one}", "name: one, balance: true}", 1)
        replay = replay_of(text)
        replay.listed = {
            "xai": tuple(models("xai/grok-4")),
            "openai": tuple(models("openai/gpt-5")),
        }
        replay.run(DAY)
        replay.away = {"xai"}
        done = replay.run(later(1))
        assert {one.key.qualified for one in done.decision.model_list.placements} == {
            "xai/grok-4",
            "openai/gpt-5",
        }

    @pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.OK])
    def test_whatever_the_reason(self, verdict: Verdict) -> None:
        replay = replay_of(self.TEXT)
        replay.listed = {
            "xai": tuple(models("xai/grok-4")),
            "openai": tuple(models("openai/gpt-5")),
        }
        replay.run(DAY)
        inputs = replay.inputs(later(400))
        gone = replace(inputs.answers["xai"], verdict=verdict, models=())
        decision = decide(replace(inputs, answers={**inputs.answers, "xai": gone}))
        assert decision.blocks == inputs.document.managed


class TestPartly:
    """A provider that gave only a part of its list."""

    TEXT = HEAD + "allow: [{family: grok, from: [xai], newest: 1, name: top}]\n"

    def test_what_it_lacks_keeps_its_name_until_the_whole_list_is_there(self) -> None:
        replay = replay_of(self.TEXT)
        replay.listed = {"xai": tuple(models("xai/grok-4"))}
        replay.run(DAY)
        replay.listed, replay.partly = {"xai": tuple(models("xai/grok-5"))}, {"xai"}
        done = replay.run(later(1))
        [placed] = done.decision.model_list.placements
        assert (placed.name, placed.key.id, placed.origin) == ("top", "grok-4", Origin.KEPT)
        assert any("still xai/grok-4" in line for line in done.decision.warnings)
        replay.partly = set()
        [placed] = replay.run(later(2)).decision.model_list.placements
        assert (placed.name, placed.key.id) == ("top", "grok-5")


class TestTakenOut:
    """A provider that the policy names no more, and what an entry of one that stays says."""

    TEXT = "version: 1\nproviders: {xai: {}, openai: {}}\naliases: {}\n"

    @pytest.mark.parametrize(("mode", "names"), [(Mode.ORCHESTRATOR, []), (Mode.LEGACY, ["xai"])])
    def test_its_entries_go_at_once_but_not_in_mode_legacy(
        self, mode: Mode, names: list[str]
    ) -> None:
        replay = replay_of(self.TEXT + 'allow: [{match: "grok-*", from: [xai]}]\n')
        replay.listed = {**BOTH}
        replay.run(DAY)
        replay.old_policy = replay.policy
        text = self.TEXT.replace("xai: {}, ", "") + 'allow: [{match: "gpt-*"}]\n'
        replay.policy = replay_of(text).policy
        decision = decide(replace(replay.inputs(later(1)), mode=mode))
        ids = [one.key.provider for one in decision.model_list.placements]
        assert sorted(ids) == ["openai", *names]
        gone = decision.model_list.gone.get("xai/grok-4", "")
        assert ("no longer among the policy's providers" in gone) is not bool(names)

    @pytest.mark.parametrize(
        ("said", "base"),
        [
            ("", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
            (", api_base: 'https://eu.example.com/v1'", "https://eu.example.com/v1"),
        ],
    )
    def test_a_rules_address_goes_before_its_providers(self, said: str, base: str) -> None:
        head = "version: 1\nproviders: {qwen: {}}\naliases: {}\n"
        replay = replay_of(head + f'allow: [{{match: "qwen-*", from: [qwen]{said}}}]\n')
        replay.listed = {"qwen": tuple(models("qwen/qwen-max-3"))}
        replay.run(DAY)
        [entry] = replay.entries.values()
        assert entry["litellm_params"]["api_base"] == base

    @pytest.mark.parametrize(
        ("before", "now", "day"),
        [(None, later(9), later(9)), (later(9), None, later(9)), (later(9), later(8), later(8))],
    )
    def test_where_lists_are_away_its_provider_is_believed_and_else_its_entry(
        self, before: date | None, now: date | None, day: date
    ) -> None:
        replay = replay_of(self.TEXT + 'allow: [{match: "grok-*", from: [xai]}]\n')
        for ends in (before, now):
            replay.listed = {"xai": (model("xai/grok-4", ends=ends),)}
            replay.run(DAY)
        [entry] = replay.entries.values()
        assert entry["model_info"]["deprecation_date"] == day.isoformat()

    @pytest.mark.parametrize(
        ("told", "source"), [(later(9), "map"), (later(8), "its entry"), (None, "its entry")]
    )
    def test_whose_word_the_last_day_of_a_kept_entry_is(
        self, told: date | None, source: str
    ) -> None:
        replay = replay_of(self.TEXT + 'allow: [{match: "grok-*", from: [xai]}]\n')
        replay.listed = {"xai": (model("xai/grok-4", ends=later(9)),), "openai": BOTH["openai"]}
        replay.run(DAY)
        replay.away = {"xai"}
        inputs = replay.inputs(later(1))
        inputs = replace(
            inputs,
            answers={**inputs.answers, "xai": replace(inputs.answers["xai"], models=())},
            recorded={"litellm": RecordedFacts("map", lambda _: Facts(ends=told))},
        )
        [row] = decide(inputs).last_days
        assert (row.ends, row.source) == (later(9), source)


PLAIN = {
    "model_name": "xai/grok-4",
    "litellm_params": {"model": "xai/grok-4", "api_key": "os.environ/XAI_API_KEY"},
    "model_info": {"id": "rollcall/xai/grok-4", "managed_by": "rollcall", "mode": "chat"},
}
SECRET = "Tr0ub4dor-and-3"


def with_param(*path: Any, value: Any = SECRET) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(json.dumps(PLAIN))
    here = entry["litellm_params"]
    for step in path[:-1]:
        here = here.setdefault(step, {})
    here[path[-1]] = value
    return entry


class TestPrivate:
    """What somebody typed between our markers is neither shown nor saved, and comes back."""

    @pytest.mark.parametrize(
        "entry",
        [
            with_param("api_key"),
            with_param("organization"),
            with_param("extra_headers", "x-team"),
            with_param("tags", value=["a", SECRET]),
            with_param("deep", "list", value=[{"token": 12_345_678_901}, SECRET]),
            with_param("api_base", value=f"https://me:{SECRET}@example.com/v1"),
            with_param("api_base", value=f"https://example.com/v1?code={SECRET}"),
        ],
    )
    def test_it_is_masked_wherever_it_stands_and_restored(self, entry: dict[str, Any]) -> None:
        old = Blocks(models=(entry,))
        before, after = masked(old, old)
        for shown in (before, after):
            text = json.dumps(shown.models)
            assert SECRET not in text
            assert "12345678901" not in text
            assert MASK in text
        assert restored(after.models, old) == (entry,)

    @pytest.mark.parametrize(
        "entry",
        [
            PLAIN,
            with_param("timeout", value=60),
            with_param("order", value=1),
            with_param("mode", value="fast"),
            with_param("stream", value=True),
            with_param("api_base", value="https://example.com/v1"),
        ],
    )
    def test_what_is_ours_or_says_nothing_is_shown(self, entry: dict[str, Any]) -> None:
        old = Blocks(models=(entry,))
        assert masked(old, old)[0].models == (entry,)

    def test_a_text_of_the_policy_is_shown_and_another_is_not(self) -> None:
        old = Blocks(models=(with_param("organization", value="Acme Ltd."),))
        assert masked(old, old, {"Acme Ltd."})[0].models == old.models
        assert masked(old, old, {"Acme"})[0].models != old.models

    def test_a_new_value_is_shown_beside_a_private_old_one(self) -> None:
        old, new = Blocks(models=(with_param("api_key"),)), Blocks(models=(PLAIN,))
        before, after = masked(old, new)
        assert after.models == (PLAIN,)
        assert before.models[0]["litellm_params"]["api_key"] == MASK

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3)
            ),
            max_leaves=8,
        )
    )
    def test_what_was_masked_comes_back_as_it_was(self, value: Any) -> None:
        old = Blocks(models=(with_param("given", value=value),))
        _, after = masked(old, old)
        assert restored(after.models, old) == old.models


def test_a_plan_of_another_schema_is_refused() -> None:
    replay = replay_of(TestGrace.GROK)
    replay.listed = {"xai": tuple(models("xai/grok-4"))}
    inputs = replay.inputs(DAY)
    decision = decide(inputs)
    text = plan_of(inputs, decision, b"model_list: []\n").to_json()
    assert read_plan(text, "plan.json").to_json() == text
    with pytest.raises(PlanError, match="schema 2, this rollcall reads 1"):
        read_plan(text.replace('"schema": 1', '"schema": 2'), "plan.json")
    with pytest.raises(PlanError, match="not a saved plan"):
        read_plan(text.replace('"changed"', '"chnaged"'), "plan.json")


def test_what_replace_costs_is_said_once_force_let_it() -> None:
    text = TestGrace.GROK + "model_list: replace\n"
    config = b"model_list:\n- {model_name: mine, litellm_params: {model: ollama/x}}\n"
    for force in (False, True):
        replay = replay_of(text)
        replay.config, replay.force = config, force
        replay.listed = {"xai": tuple(models("xai/grok-4"))}
        inputs = replay.inputs(DAY)
        plan = plan_of(inputs, decide(inputs), config)
        assert [row.guard for row in plan.refused] == ([] if force else ["model_list"])
        said = [line for line in plan.warnings if line.startswith("model_list: replace takes out")]
        assert len(said) == force
