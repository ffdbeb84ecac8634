"""The boundaries of guards and holds: what is just let through, and what is just not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.catalog.model import Verdict
from rollcall.plan.changes import ChangeKind, counts
from rollcall.plan.decide import decide
from rollcall.plan.masking import text_of
from rollcall.plan.model_list import Origin
from rollcall.settings import Mode
from tests.policy_making import model, models
from tests.replaying import Replay, replay_of

if TYPE_CHECKING:
    from rollcall.plan.decide import Decision

DAY = date(2026, 11, 20)
HEAD = "version: 1\nproviders: {xai: {}, openai: {}, openrouter: {}}\n"
ONE_ALIAS = (
    HEAD + "allow: [{family: grok, from: [xai], newest: 1}]\naliases: {main: {family: grok}}\n"
)


def later(days: int) -> date:
    return DAY + timedelta(days=days)


def listing(replay: Replay, *rows: Any) -> Replay:
    """The same replay, its providers listing `rows` now and no others."""
    replay.listed = {}
    for row in rows:
        replay.listed[row.provider] = (*replay.listed.get(row.provider, ()), row)
    return replay


def grok(version: str, cost: tuple[str, str] | None) -> Any:
    return model(f"xai/grok-{version}", **({"cost": cost} if cost else {}))


class TestPriceRise:
    """An alias moves on at a rise of half the price, not at more (`price_rise: 50%`)."""

    @pytest.mark.parametrize(
        ("new", "target"),
        [
            (("1", "1"), "xai/grok-5"),
            (("1.5", "1.5"), "xai/grok-5"),
            (("1.5001", "1.5"), "xai/grok-4"),
            (("0", "0"), "xai/grok-5"),
            (None, "xai/grok-5"),
        ],
    )
    def test_the_boundary_itself_is_let_through(
        self, new: tuple[str, str] | None, target: str
    ) -> None:
        replay = listing(replay_of(ONE_ALIAS), grok("4", ("1", "1")))
        replay.run(DAY)
        done = listing(replay, grok("4", ("1", "1")), grok("5", new)).run(later(1))
        assert replay.aliases == {"main": target}
        assert bool(done.decision.held) == (target == "xai/grok-4")

    @pytest.mark.parametrize(
        ("new", "held"), [(("0", "0"), False), (("0", "0.01"), True), (None, True)]
    )
    def test_free_becomes_paid_only_with_a_persons_word(
        self, new: tuple[str, str] | None, held: bool
    ) -> None:
        replay = listing(replay_of(ONE_ALIAS), grok("4", ("0", "0")))
        replay.run(DAY)
        done = listing(replay, grok("4", ("0", "0")), grok("5", new)).run(later(1))
        assert bool(done.decision.held) is held
        if held:
            assert done.decision.held[0].accept == "rollcall apply --accept xai/grok-5"
            # (3 x 0 + 0.01) / 4, and what nobody knows
            price = "of unknown price" if new is None else "$0.0025/M"
            said = f"it is free now, the new target is {price}"
            assert done.decision.held[0].reason == said

    @pytest.mark.parametrize("name", ["grok-5", "xai/grok-5", "main"])
    def test_every_name_of_it_lets_it_through(self, name: str) -> None:
        replay = listing(replay_of(ONE_ALIAS), grok("4", ("1", "1")))
        replay.run(DAY)
        replay = listing(replay, grok("4", ("1", "1")), grok("5", ("9", "9")))
        inputs = replace(
            replay.inputs(later(1)), accepted=frozenset({name}), accepting=frozenset({name})
        )
        decision = decide(inputs)
        assert not decision.held
        assert decision.blocks.aliases == {"main": "xai/grok-5"}
        remembered = {"main": "xai/grok-5"}.get(name, name)
        assert decision.accepting == {remembered}
        assert not [line for line in decision.warnings if "--accept" in line]

    def test_accepting_what_nothing_is_called_is_said(self) -> None:
        replay = listing(replay_of(ONE_ALIAS), grok("4", ("1", "1")))
        inputs = replace(replay.inputs(DAY), accepting=frozenset({"grok-44"}))
        assert "--accept grok-44: no model and no alias is called that" in decide(inputs).warnings

    def test_openrouters_price_stands_in_also_when_it_is_away(self) -> None:
        replay = replay_of(
            HEAD + "allow: [{family: gpt, from: [openai], newest: 1}]\n"
            "aliases: {main: {family: gpt}}\n"
        )
        priced = (
            model("openrouter/openai/gpt-4", cost=("1", "1")),
            model("openrouter/openai/gpt-5", cost=("9", "9")),
        )
        listing(replay, *models("openai/gpt-4"), *priced).run(DAY)
        replay = listing(replay, *models("openai/gpt-4", "openai/gpt-5"), *priced)
        replay.away = {"openrouter"}
        held = replay.run(later(1)).decision.held
        assert "OpenRouter's price for openai/gpt-5" in held[0].reason
        assert replay.aliases == {"main": "openai/gpt-4"}


class TestMaxWithdrawn:
    """A plan is refused where a provider that answered lists too few of ours, from three on."""

    TEXT = HEAD + 'allow: [{match: "grok-*", from: [xai]}]\naliases: {}\n'

    @pytest.mark.parametrize(
        ("present", "gone", "refused"),
        [(2, 2, False), (3, 3, True), (12, 3, False), (11, 3, True), (4, 3, True)],
    )
    def test_from_three_on_and_above_the_share(
        self, present: int, gone: int, refused: bool
    ) -> None:
        rows = models(*(f"xai/grok-{number}" for number in range(1, present + 1)))
        replay = listing(replay_of(self.TEXT), *rows)
        replay.run(DAY)
        replay = listing(replay, *rows[gone:], *models("xai/other-1"))
        done = replay.run(later(1))
        assert [row.guard for row in done.decision.refused] == ["max_withdrawn"] * refused

    def test_what_leaves_already_is_not_counted_again(self) -> None:
        rows = models(*(f"xai/grok-{number}" for number in range(1, 9)))
        replay = listing(replay_of(self.TEXT), *rows)
        replay.run(DAY)
        listing(replay, *rows[2:]).run(later(1))
        done = listing(replay, *rows[3:]).run(later(2))
        assert done.decision.refused == ()

    def test_what_a_newer_version_replaces_was_not_withdrawn(self) -> None:
        text = HEAD + 'allow: [{match: "*", from: [xai], newest: 1}]\naliases: {}\n'
        old = models("xai/grok-1", "xai/grok-mini-1", "xai/grok-code-1")
        new = models("xai/grok-2", "xai/grok-mini-2", "xai/grok-code-2")
        replay = listing(replay_of(text), *old)
        replay.run(DAY)
        done = listing(replay, *old, *new).run(later(1))
        assert done.decision.refused == ()
        assert len(done.decision.model_list.departures) == len(old)
        assert listing(replay, *new).run(later(2)).decision.refused == ()

    @pytest.mark.parametrize(("limit", "refused"), [(3, []), (2, ["max_models"])])
    def test_as_many_models_as_the_policy_allows(self, limit: int, refused: list[str]) -> None:
        text = self.TEXT + f"guards: {{max_models: {limit}}}\n"
        replay = listing(replay_of(text), *models("xai/grok-1", "xai/grok-2", "xai/grok-3"))
        assert [row.guard for row in replay.run(DAY).decision.refused] == refused
        replay.force = True
        assert replay.run(DAY).decision.refused == ()


class TestLegacy:
    """Mode `legacy` leaves the fuller policy's aliases, but takes none of their targets away."""

    @pytest.mark.parametrize(("target", "refused"), [("xai/grok-4", ["alias"]), ("mine", [])])
    def test_an_alias_whose_target_it_takes_out_refuses_the_plan(
        self, target: str, refused: list[str]
    ) -> None:
        own = "model_list:\n- {model_name: mine, litellm_params: {model: ollama/x}}\n"
        fuller = replay_of(
            HEAD + "allow: [{family: grok, from: [xai], newest: 1}]\n"
            f"aliases: {{main: {{model: {target}}}}}\n"
        )
        fuller.config = own.encode()
        listing(fuller, *models("xai/grok-4", "openrouter/anthropic/claude-sonnet-5"))
        fuller.run(DAY)
        fuller.policy = replay_of(
            "version: 1\nproviders: {openrouter: {}}\naliases: {}\n"
            'allow: [{match: "anthropic/*", from: [openrouter]}]\n'
        ).policy
        inputs = replace(fuller.inputs(later(1)), mode=Mode.LEGACY)
        xai = replace(inputs.answers["openrouter"], provider="xai", models=())
        decision = decide(replace(inputs, answers={**inputs.answers, "xai": xai}))
        assert [row.guard for row in decision.refused] == refused
        assert decision.blocks.aliases == ({} if refused else {"main": "mine"})


class TestMissingKey:
    """`missing_key: drop` is about keys; an outage is none."""

    def decided(self, verdict: Verdict, elsewhere: dict[str, str] | None = None) -> Decision:
        text = HEAD + "missing_key: drop\nallow: [{family: grok, from: [xai], newest: 1}]\n"
        replay = listing(replay_of(text), *models("xai/grok-4", "openai/gpt-5"))
        replay.run(DAY)
        inputs = replay.inputs(later(1))
        answers = {**inputs.answers, "xai": replace(inputs.answers["xai"], verdict=verdict)}
        if verdict is not Verdict.OK:
            answers["xai"] = replace(answers["xai"], models=())
        return decide(replace(inputs, answers=answers, keyed_elsewhere=elsewhere or {}))

    @pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict.failed])
    def test_a_provider_that_is_away_keeps_its_entries(self, verdict: Verdict) -> None:
        [kept] = self.decided(verdict).model_list.placements
        assert (kept.name, kept.origin) == ("xai/grok-4", Origin.KEPT)

    def test_one_without_key_loses_them(self) -> None:
        decision = self.decided(Verdict.NO_KEY)
        assert decision.model_list.placements == ()
        assert "missing_key: drop" in decision.model_list.reasons["xai/grok-4"]

    def test_one_whose_key_litellm_has_keeps_them(self) -> None:
        decision = self.decided(Verdict.NO_KEY, {"xai": "it is in the vault"})
        assert [row.name for row in decision.model_list.placements] == ["xai/grok-4"]


class TestPlacement:
    """Where the entries of a run stand, and who makes room for whom."""

    def test_of_two_rows_of_one_name_between_our_markers_the_first_stays(self) -> None:
        text = HEAD + "allow: [{family: grok, from: [xai], newest: 1}]\n"
        replay = listing(replay_of(text), *models("xai/grok-4"))
        replay.run(DAY)
        inputs = replay.inputs(later(1))
        [entry] = inputs.document.managed.models
        twice = inputs.document.managed._replace(models=(entry, {**entry}))
        replay.away = {"xai"}
        away = replay.inputs(later(1))
        document = away.document._replace(managed=twice)
        decision = decide(replace(away, document=document))
        assert [row.name for row in decision.model_list.placements] == ["xai/grok-4"]

    def test_an_alias_that_takes_the_name_of_a_leaving_entry_has_it_at_once(self) -> None:
        text = HEAD + 'allow: [{family: grok, from: [xai], newest: 1, name: "{id}"}]\n'
        replay = listing(replay_of(text + "aliases: {}\n"), *models("xai/grok-4"))
        replay.run(DAY)
        renamed = replay_of(text + "aliases: {grok-4: {family: grok}}\n")
        replay.policy = renamed.policy
        done = listing(replay, *models("xai/grok-4", "xai/grok-5")).run(later(1))
        assert list(replay.entries) == ["grok-5"]
        assert replay.aliases == {"grok-4": "grok-5"}
        assert done.decision.model_list.reasons["grok-4"] == "an alias takes over its name"

    def test_an_entry_past_its_grace_stays_while_a_held_alias_leads_to_it(self) -> None:
        replay = listing(replay_of(ONE_ALIAS), grok("4", ("1", "1")))
        replay.run(DAY)
        both = grok("4", ("1", "1")), grok("5", ("9", "9"))
        for day in (1, 14, 15, 16):
            done = listing(replay, *both).run(later(day))
        assert replay.aliases == {"main": "xai/grok-4"}
        assert list(replay.entries) == ["xai/grok-5", "xai/grok-4"]
        last = done.decision.model_list.placements[-1]
        assert last.reason == "stays while a held alias leads to it"
        assert "xai/grok-4" not in done.decision.model_list.gone


@pytest.mark.parametrize("edited", [False, True])
def test_what_no_rule_names_any_more_has_a_grace_unless_the_policy_was_edited(
    edited: bool,
) -> None:
    replay = listing(replay_of(ONE_ALIAS), *models("xai/grok-4"))
    replay.run(DAY)
    other = replay_of(HEAD + "allow: [{family: grok-mini, from: [xai], newest: 1}]\naliases: {}\n")
    replay.old_policy = replay.policy if edited else None
    replay.policy, replay.force = other.policy, True
    done = listing(replay, *models("xai/grok-4", "xai/grok-mini-5")).run(later(1))
    assert ("xai/grok-4" in replay.entries) is not edited
    assert ("under the same policy" in done.decision.model_list.reasons["xai/grok-4"]) is not edited


def test_changes_are_counted_in_words() -> None:
    replay = listing(replay_of(ONE_ALIAS), grok("4", ("1", "1")))
    done = replay.run(DAY)
    assert counts(done.changes) == "1 added, 1 alias changed"
    assert counts([]) == "no changes"
    [added, alias] = done.changes
    several = [added.model_copy(update={"kind": kind}) for kind in ChangeKind]
    assert counts([*several, alias]) == (
        "1 added, 1 updated, 1 gone, 2 aliases changed, 1 fallback changed"
    )


def test_our_lines_for_a_diff_stand_as_in_the_file() -> None:
    replay = listing(replay_of(ONE_ALIAS), grok("4", ("1", "1")))
    replay.run(DAY)
    shown = text_of(replay.inputs(DAY).document.managed).splitlines()
    lines = replay.config.decode().splitlines()
    assert shown[0] == "model_list:"
    assert [line.strip() for line in shown if line.strip() not in map(str.strip, lines)] == []


@pytest.mark.parametrize(
    ("more", "variable"),
    [
        ("key_env: TEAM_KEY", "TEAM_KEY"),
        ("params: {api_key: os.environ/TEAM_KEY}", "TEAM_KEY"),
        ("params: {litellm_credential_name: team}", None),
        ("newest: 1", "XAI_API_KEY"),
    ],
)
def test_a_model_is_tried_as_its_entry_will_be_called(more: str, variable: str | None) -> None:
    text = f"allow: [{{family: grok, from: [xai], {more}}}]\nguards: {{trial: all}}\n"
    aliased = text + "aliases: {main: {family: grok}}\n"
    for wanted in (text + "aliases: {}\n", aliased):
        replay = listing(replay_of(HEAD + wanted), model("xai/grok-5"))
        (call,) = replay.run(DAY).decision.trials
        assert (call.callee.key.id, call.callee.key_env) == ("grok-5", variable)
