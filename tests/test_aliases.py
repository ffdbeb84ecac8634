"""Aliases: where each leads, why, and when it stays where it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Kind, Price, PriceTier
from rollcall.selection import aliases
from rollcall.selection.choosing import Candidate, Pool
from tests.policy_making import TODAY, candidate, lead, load, price

SONNETS = [
    candidate("anthropic/claude-sonnet-5", name="claude-sonnet-5", rule=1),
    candidate("anthropic/claude-sonnet-4-6", name="claude-sonnet-4-6", rule=1),
    candidate("openrouter/anthropic/claude-sonnet-5", rule=2),
]


def target(spec: str, pool: list[Candidate], current: str | None = None) -> str | None:
    """Where an alias of this spec leads."""
    targets, _, _ = lead(
        f"aliases:\n  x: {spec}\n", pool, current={"x": current} if current else {}
    )
    return targets["x"]


class TestByName:
    def test_provider_slash_id(self) -> None:
        assert target("anthropic/claude-sonnet-5", SONNETS) == "claude-sonnet-5"

    def test_the_model_name_of_a_hand_written_entry(self) -> None:
        targets, _, _ = lead("aliases: {x: my-local}", SONNETS, own_names=["my-local"])
        assert targets == {"x": "my-local"}

    def test_never_an_alias_of_the_users_but_a_fallback_may_be_one(self) -> None:
        targets, _, _ = lead("aliases: {x: theirs}", SONNETS, own_aliases=["theirs"])
        assert targets == {"x": None}
        text = "aliases: {x: {family: claude-sonnet, fallbacks: theirs}}"
        _, rows, notes = lead(text, SONNETS, own_aliases=["theirs"])
        assert aliases.fallback_entries(rows) == ({"x": ["theirs"]},)
        assert notes == ()

    def test_nothing_of_that_name(self) -> None:
        targets, _, notes = lead("aliases: {x: openrouter/gone}", SONNETS)
        assert targets == {"x": None}
        assert notes == ("alias 'x' is left out: nothing admitted fits openrouter/gone",)

    def test_even_a_special_model_when_it_is_named(self) -> None:
        pool = [candidate("openrouter/~openai/gpt-latest", points_at="openai/gpt-5.5")]
        assert target("openrouter/~openai/gpt-latest", pool) == "openrouter/~openai/gpt-latest"


class TestByFamily:
    def test_without_from_the_newest(self) -> None:
        pool = [candidate("openai/gpt-5.4"), candidate("openrouter/openai/gpt-5.5", rule=2)]
        assert target("{family: gpt}", pool) == "openrouter/openai/gpt-5.5"

    def test_ties_go_by_the_rules_order(self) -> None:
        assert target("{family: claude-sonnet}", SONNETS) == "claude-sonnet-5"
        first, second, third = SONNETS
        assert target("{family: claude-sonnet}", [third, first, second]) == third.name

    def test_a_release_day_that_differs_by_provider_breaks_no_tie(self) -> None:
        pool = [
            candidate("anthropic/claude-sonnet-5", released="2026-05-01"),
            candidate("openrouter/anthropic/claude-sonnet-5", released="2026-05-02", rule=2),
        ]
        assert target("{family: claude-sonnet}", pool) == "anthropic/claude-sonnet-5"

    def test_with_from_provider_order_first_version_second(self) -> None:
        pool = [
            candidate("openrouter/anthropic/claude-sonnet-6"),
            candidate("anthropic/claude-sonnet-4-6", rule=2),
            candidate("anthropic/claude-sonnet-5", rule=2),
        ]
        spec = "{family: claude-sonnet, from: [anthropic, openrouter]}"
        assert target(spec, pool) == "anthropic/claude-sonnet-5"
        assert target(spec, pool[:1]) == "openrouter/anthropic/claude-sonnet-6"
        assert target("{family: claude-sonnet, from: [xai]}", pool) is None

    def test_several_names_are_one_family(self) -> None:
        pool = [
            candidate("openrouter/deepseek/deepseek-chat-v3.1"),
            candidate("openrouter/deepseek/deepseek-v3.2"),
        ]
        spec = "{family: [deepseek-chat, deepseek]}"
        assert target(spec, pool) == "openrouter/deepseek/deepseek-v3.2"

    def test_under_a_condition(self) -> None:
        pool = [candidate("openai/gpt-5.5"), candidate("openai/gpt-5.4", context=400_000)]
        assert target('{family: gpt, where: {context: ">= 1k"}}', pool) == "openai/gpt-5.4"

    def test_a_strangers_model_is_no_member(self) -> None:
        assert (
            target("{family: claude-sonnet}", [candidate("openrouter/acme/claude-sonnet-99")])
            is None
        )

    def test_moving_ids_and_non_chat_models_are_never_candidates(self) -> None:
        pool = [
            candidate("openrouter/~openai/gpt-latest", points_at="openai/gpt-9"),
            candidate("openai/gpt-9", kind=Kind.IMAGE),
            candidate("openai/gpt-8", batch_only=True),
        ]
        assert target("{family: gpt}", pool) is None

    def test_a_variant_only_when_there_is_nothing_else(self) -> None:
        free = candidate("openrouter/z-ai/glm-5.2:free")
        assert target("{family: glm}", [free]) == "openrouter/z-ai/glm-5.2:free"
        pool = [free, candidate("openrouter/z-ai/glm-4.6")]
        assert target("{family: glm}", pool) == "openrouter/z-ai/glm-4.6"

    def test_what_ends_soon_yields_to_a_successor(self) -> None:
        soon, later = TODAY + timedelta(days=30), TODAY + timedelta(days=31)
        spec = "{family: claude-sonnet, from: [anthropic, openrouter]}"
        ending = candidate("anthropic/claude-sonnet-4-6", ends=soon)
        newer = candidate("openrouter/anthropic/claude-sonnet-5", rule=2)
        older = candidate("openrouter/anthropic/claude-sonnet-4.5", rule=2)
        assert target(spec, [ending, newer]) == newer.name
        assert target(spec, [ending, older]) == ending.name, "an older one is no successor"
        lasting = candidate("anthropic/claude-sonnet-4-6", ends=later)
        assert target(spec, [lasting, newer]) == lasting.name
        named = candidate("openai/gpt-5", ends=soon, replaced_by="gpt-4.9")
        _, (row,), _ = lead("aliases: {x: {family: gpt}}", [named, candidate("openai/gpt-4.9")])
        assert row.target == "openai/gpt-4.9"
        assert row.candidates[1] == (named.name, f"ends on {soon}, and there is a successor")


class TestFirstOf:
    SPEC = "{first_of: [{family: claude-opus}, {family: gpt}, openrouter/deepseek/deepseek-r1]}"

    def test_the_first_that_finds_a_model(self) -> None:
        r1 = candidate("openrouter/deepseek/deepseek-r1")
        gpt = candidate("openai/gpt-5.5")
        assert target(self.SPEC, [r1, gpt]) == "openai/gpt-5.5"
        assert target(self.SPEC, [r1]) == "openrouter/deepseek/deepseek-r1"
        assert target(self.SPEC, SONNETS) is None


CHEAP = '{cheapest: {tools: true, context: ">= 100"}}'


def priced(name: str, cost: tuple[str, str], **facts: object) -> Candidate:
    """A candidate that meets CHEAP's conditions."""
    given = {"capabilities": {"tools": True}, "context": 100} | facts
    return candidate(f"openrouter/{name}", cost=cost, **given)  # type: ignore[arg-type]  # facts of a Model


class TestCheapest:
    def test_three_times_input_plus_output(self) -> None:
        pool = [priced("a/long-answers", ("1", "9")), priced("a/long-prompts", ("2.5", "4"))]
        assert target(CHEAP, pool) == "openrouter/a/long-prompts"

    def test_at_the_highest_tier_that_applies(self) -> None:
        from decimal import Decimal

        from rollcall.catalog.model import Price, PriceTier

        flat = priced("a/flat", ("2", "2"))
        price = Price(
            input=Decimal("0.000001"),
            output=Decimal("0.000001"),
            tiers=(PriceTier(above_tokens=200_000, input=Decimal("0.000004")),),
        )
        model = flat.model.model_copy(update={"id": "a/tiered", "price": price})
        tiered = Candidate("openrouter/a/tiered", model, 1)
        assert target(CHEAP, [tiered, flat]) == "openrouter/a/flat"

    def test_only_what_meets_the_conditions(self) -> None:
        pool = [
            priced("a/mute", ("1", "1"), capabilities={}),
            priced("a/small", ("1", "1"), context=99),
            priced("a/good", ("5", "5")),
        ]
        assert target(CHEAP, pool) == "openrouter/a/good"

    def test_an_unknown_price_never(self) -> None:
        pool = [candidate("openai/gpt-5.5", capabilities={"tools": True}, context=100)]
        assert target(CHEAP, pool) is None

    def test_a_free_one_only_with_free_true(self) -> None:
        pool = [priced("a/free", ("0", "0")), priced("a/paid", ("1", "1"))]
        assert target(CHEAP, pool) == "openrouter/a/paid"
        assert target("{cheapest: {tools: true, free: true}}", pool) == "openrouter/a/free"
        assert target("{cheapest: {tools: true, free: true}}", pool[1:]) == "openrouter/a/paid"

    def test_ties_newest_then_rule_order_then_name(self) -> None:
        old = priced("b/old", ("1", "1"), released="2026-01-01")
        new = priced("c/new", ("1", "1"), released="2026-02-01")
        assert target(CHEAP, [old, new]) == "openrouter/c/new"
        late = priced("a/x", ("1", "1"), released="2026-02-01", rule=2)
        assert target(CHEAP, [late, new]) == "openrouter/c/new"
        same = priced("b/y", ("1", "1"), released="2026-02-01")
        assert target(CHEAP, [new, same]) == "openrouter/b/y"

    def test_it_moves_only_when_the_new_one_is_a_fifth_cheaper(self) -> None:
        now = priced("a/now", ("10", "10"))
        assert target(CHEAP, [now, priced("a/b", ("8.1", "8"))], "openrouter/a/now") == now.name
        assert target(CHEAP, [now, priced("a/b", ("8", "8"))], "openrouter/a/now") != now.name
        assert target(CHEAP, [now, priced("a/b", ("9", "9"))]) == "openrouter/a/b"

    def test_or_when_the_old_one_is_gone_or_no_longer_fits(self) -> None:
        other = priced("a/b", ("9.9", "9"))
        assert target(CHEAP, [other], "openrouter/a/now") == other.name
        unfit = priced("a/now", ("10", "10"), context=1)
        assert target(CHEAP, [unfit, other], unfit.name) == other.name

    def test_what_a_rule_assumes_counts_here_too(self) -> None:
        text = (
            "allow: [{match: '*', assume: {tools: true}}]\n"
            "aliases: {x: {cheapest: {tools: true}}}\n"
        )
        pool = [candidate("openrouter/a/b", cost=("1", "1"))]
        assert lead(text, pool)[0] == {"x": "openrouter/a/b"}

    def test_within_a_family_or_some_providers(self) -> None:
        pool = [priced("qwen/qwen3-max", ("1", "1")), priced("z-ai/glm-5", ("2", "2"))]
        assert target("{family: glm, cheapest: {}}", pool) == "openrouter/z-ai/glm-5"
        assert target("{from: [xai], cheapest: {}}", pool) is None


def test_largest_context_takes_the_most_tokens_then_the_newest() -> None:
    pool = [
        candidate("openai/a", context=200),
        candidate("openai/b", context=300, released="2026-01-01"),
        candidate("openai/c", context=300, released="2026-02-01"),
        candidate("openai/d"),
    ]
    assert target("{largest_context: {}}", pool) == "openai/c"
    assert target("{largest_context: {released_after: 2026-03-01}}", pool) is None


class TestStaying:
    """While the provider of the present target cannot be asked."""

    SPEC = "aliases: {x: {family: claude-sonnet, from: [anthropic, openrouter]}}"
    AWAY = candidate("anthropic/claude-sonnet-4-6", staying=True)
    OTHER = candidate("openrouter/anthropic/claude-sonnet-5", rule=2)

    def test_the_alias_stays_too(self) -> None:
        targets, rows, _ = lead(
            self.SPEC,
            [self.AWAY, self.OTHER],
            current={"x": self.AWAY.name},
            unanswered=["anthropic"],
        )
        assert targets == {"x": self.AWAY.name}
        assert rows[0].reason == "stays: anthropic could not be asked"

    def test_unless_the_policy_no_longer_wants_it_there(self) -> None:
        edited = "aliases: {x: {family: claude-sonnet, from: [openrouter]}}"
        targets, _, _ = lead(
            edited, [self.AWAY, self.OTHER], current={"x": self.AWAY.name}, unanswered=["anthropic"]
        )
        assert targets == {"x": self.OTHER.name}

    def test_a_condition_it_can_no_longer_prove_does_not_move_it(self) -> None:
        text = "aliases: {x: {cheapest: {vision: true}}}"
        pool = [self.AWAY, priced("a/b", ("1", "1"), capabilities={"vision": True})]
        targets, _, _ = lead(text, pool, current={"x": self.AWAY.name}, unanswered=["anthropic"])
        assert targets == {"x": self.AWAY.name}

    def test_an_alias_does_not_move_onto_a_provider_that_is_away(self) -> None:
        pool = [self.AWAY, self.OTHER]
        targets, _, _ = lead(self.SPEC, pool, current={}, unanswered=["anthropic"])
        assert targets == {"x": self.OTHER.name}

    def test_but_rather_there_than_nowhere(self) -> None:
        targets, _, _ = lead(self.SPEC, [self.AWAY], current={}, unanswered=["anthropic"])
        assert targets == {"x": self.AWAY.name}

    def test_a_derived_default_stays_as_well(self) -> None:
        away = candidate("anthropic/claude-haiku-4-5", staying=True, released="2025-10-01")
        newer = candidate("openai/gpt-5.4-mini", released="2026-03-01", rule=2)
        targets, _, _ = lead(
            "allow: []", [away, newer], current={"default": away.name}, unanswered=["anthropic"]
        )
        assert targets["default"] == away.name


class TestNames:
    def test_a_derived_one_yields_to_a_name_that_a_rule_gives(self) -> None:
        rule = "allow: [{family: claude-haiku, from: [anthropic], name: default}]\n"
        pool = [candidate("anthropic/claude-haiku-4-5", name="default")]
        targets, _, notes = lead(rule, pool)
        assert "default" not in targets
        assert (
            "alias 'default' is left out: anthropic/claude-haiku-4-5 is called that, and answers "
            "by it (rule 1)"
        ) in notes

    @pytest.mark.parametrize("name", ['name: "{id}"', 'name: "{family}-{version}"'])
    def test_one_that_a_new_id_happens_to_have_is_left_out_and_the_run_goes_on(
        self, name: str
    ) -> None:
        rule = f"allow: [{{family: claude-sonnet, from: [anthropic], {name}}}]\n"
        text = "aliases: {claude-sonnet-5: {family: claude-sonnet}, x: {family: claude-sonnet}}"
        targets, _, notes = lead(rule + text, SONNETS)
        assert targets == {"x": "claude-sonnet-5"}
        assert notes == (
            "alias 'claude-sonnet-5' is left out: anthropic/claude-sonnet-5 is called that, and "
            "answers by it (rule 1)",
        )

    def test_a_hand_written_name_wins_over_an_alias_of_ours(self) -> None:
        targets, _, notes = lead("aliases: {x: {family: claude-sonnet}}", SONNETS, own_names=["x"])
        assert targets == {}
        assert notes == ("alias 'x' is left out: your own lines give that name already",)

    def test_hidden_is_kept(self) -> None:
        _, rows, _ = lead("aliases: {x: {family: claude-sonnet, hidden: true}}", SONNETS)
        assert rows[0].hidden


class TestFallbacks:
    def test_they_are_written_for_the_alias_and_lead_to_models(self) -> None:
        text = """
aliases:
  claude: {family: claude-sonnet, from: [anthropic], fallbacks: [spare, claude, my-own]}
  spare: {family: claude-sonnet, from: [openrouter]}
"""
        text = text.replace("claude, my-own", "anthropic/claude-sonnet-4-6, my-own")
        _, rows, notes = lead(text, SONNETS, own_names=["my-own"])
        assert aliases.fallback_entries(rows) == (
            {
                "claude": [
                    "openrouter/anthropic/claude-sonnet-5",
                    "claude-sonnet-4-6",
                    "my-own",
                ]
            },
        )
        assert notes == ()

    def test_one_that_leads_to_the_same_model_or_nowhere_is_left_out(self) -> None:
        text = """
aliases:
  claude: {family: claude-sonnet, fallbacks: [same, gone, nothing]}
  same: {family: claude-sonnet}
  gone: {family: grok}
"""
        _, rows, notes = lead(text, SONNETS)
        assert aliases.fallback_entries(rows) == ()
        assert notes == (
            "alias 'gone' is left out: nothing admitted fits grok",
            "alias 'claude': its fallback 'gone' is nothing in the config",
            "alias 'claude': its fallback 'nothing' is nothing in the config",
        )


class TestDerived:
    """The policy has no `aliases`."""

    POOL = [  # noqa: RUF012 - read only
        candidate("openai/gpt-5.5", released="2026-04-01"),
        candidate("anthropic/claude-opus-5", released="2026-05-01", rule=2),
        *SONNETS,
        candidate("anthropic/claude-haiku-4-5", released="2025-10-01", rule=4),
        candidate(
            "openrouter/openai/gpt-5.4-mini",
            released="2026-03-01",
            rule=5,
            cost=("0.25", "2"),
            context=400_000,
            capabilities={"tools": True},
        ),
    ]

    def test_the_default_set(self) -> None:
        targets, rows, notes = lead("allow: []", self.POOL)
        assert targets == {
            "default": "openrouter/openai/gpt-5.4-mini",
            "claude": "claude-sonnet-5",
            "claude-strong": "anthropic/claude-opus-5",
            "claude-fallback": "openrouter/anthropic/claude-sonnet-5",
            "reasoning": "anthropic/claude-opus-5",
            "cheap": "openrouter/openai/gpt-5.4-mini",
        }
        assert notes == ()
        assert rows[0].reason == "the newest small fast model admitted, else the first entry"

    def test_reasoning_leads_to_the_cheapest_that_reasons_where_no_flagship_is(self) -> None:
        pool = [
            priced("a/plain", ("1", "1"), capabilities={"reasoning": False}),
            priced("a/thinker", ("3", "3"), capabilities={"reasoning": True}),
            priced("a/dear", ("4", "4"), capabilities={"reasoning": True}),
        ]
        assert lead("allow: []", pool)[0]["reasoning"] == "openrouter/a/thinker"

    def test_each_is_left_out_with_a_note_where_nothing_fits(self) -> None:
        targets, _, notes = lead("allow: []", [candidate("openai/gpt-5.5")])
        assert targets == {"default": "openai/gpt-5.5", "reasoning": "openai/gpt-5.5"}
        assert [note.split(" is left out")[0] for note in notes] == [
            "alias 'claude'",
            "alias 'claude-strong'",
            "alias 'claude-fallback'",
            "alias 'cheap'",
        ]

    def test_one_that_led_somewhere_is_kept_in_sight_when_it_would_vanish(self) -> None:
        targets, _, _ = lead("allow: []", [candidate("openai/gpt-5.5")], current={"claude": "c"})
        assert targets["claude"] is None, "a guard decides about it"

    def test_nothing_admitted(self) -> None:
        targets, _, notes = lead("allow: []", [])
        assert targets == {}
        assert len(notes) == 5

    def test_claude_fallback_needs_an_openrouter_under_any_name(self) -> None:
        text = "providers: {team: {type: openrouter}}\nallow: []"
        pool = [candidate("team/anthropic/claude-sonnet-5")]
        assert lead(text, pool)[0]["claude-fallback"] == "team/anthropic/claude-sonnet-5"
        assert "claude-fallback" not in lead("providers: {anthropic: {}}", SONNETS[:2])[0]

    def test_the_users_own_names_win_over_derived_ones(self) -> None:
        targets, _, _ = lead("allow: []", self.POOL, own_names=["claude"])
        assert "claude" not in targets


class TestPicked:
    """A person's pick for `default` comes first; what the policy says comes after it."""

    def reasons(self, text: str, pool: list[Candidate], picked: str) -> dict[str, tuple[str, str]]:
        rows, _ = aliases.resolve(Pool(load(text), tuple(pool), TODAY), {}, picked)
        return {row.name: (str(row.target), row.reason) for row in rows}

    def test_it_wins_while_it_is_admitted(self) -> None:
        text = "aliases: {default: {family: claude-sonnet, fallbacks: spare}, spare: openai/o3}"
        pool = [*SONNETS, candidate("openai/o3")]
        assert self.reasons(text, pool, "openai/o3")["default"] == (
            "openai/o3",
            "picked with `rollcall pick`",
        )
        assert self.reasons(text, pool, "openai/gone")["default"][0] == "claude-sonnet-5"

    def test_over_a_derived_default_too(self) -> None:
        pool = [candidate("anthropic/claude-haiku-4-5"), candidate("openai/o3", rule=2)]
        assert self.reasons("allow: []", pool, "openai/o3")["default"] == (
            "openai/o3",
            "picked with `rollcall pick`",
        )
        assert self.reasons("allow: []", pool, "openai/gone")["default"] == (
            "anthropic/claude-haiku-4-5",
            "the newest small fast model admitted, else the first entry",
        )


def test_every_candidate_says_why_it_won_or_lost() -> None:
    text = "aliases: {x: {family: claude-sonnet, from: [anthropic]}}"
    _, rows, _ = lead(text, [*SONNETS, candidate("openai/gpt-5.5")])
    assert rows[0].candidates == (
        ("claude-sonnet-5", "newest claude-sonnet from anthropic"),
        ("claude-sonnet-4-6", "version 4.6, behind 5"),
        ("openrouter/anthropic/claude-sonnet-5", "from is anthropic"),
    )
    _, rows, _ = lead(f"aliases: {{x: {CHEAP}}}", [priced("a/b", ("0.25", "1")), SONNETS[0]])
    assert rows[0].candidates == (
        ("openrouter/a/b", "the cheapest: $0.25 in, $1.00 out per 1M tokens"),
        ("claude-sonnet-5", "wants tools; this one: not said"),
    )


POOLS = st.lists(
    st.builds(
        lambda provider, name, number, staying: candidate(
            f"{provider}/{name}-{number}",
            rule=number,
            staying=staying,
            cost=(str(number), "1"),
            capabilities={"tools": True, "reasoning": True},
            context=200_000,
        ),
        st.sampled_from(("anthropic", "openai", "openrouter")),
        st.sampled_from(("claude-sonnet", "claude-haiku", "gpt", "gpt-mini", "grok", "claude")),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: one.name,
)
SPECS = st.sampled_from(
    (
        "allow: []",
        "aliases: {a: {family: gpt, fallbacks: [b, c]}, b: {cheapest: {}}, c: openai/gpt-2}",
        "aliases: {b: openai/gpt-1, a: {first_of: [{family: grok}, {largest_context: {}}], "
        "fallbacks: b}}",
    )
)


@settings(max_examples=80, deadline=None)
@given(SPECS, POOLS, st.randoms(use_true_random=False))
def test_aliases_never_dangle_chain_or_shadow(
    text: str, pool: list[Candidate], chance: object
) -> None:
    names = [one.name for one in pool]
    current = {alias: names[0] for alias in ("default", "a", "b") if names}
    away = {one.model.provider for one in pool if one.staying}
    targets, rows, _ = lead(text, pool, current=current, unanswered=away)
    for alias, leads_to in targets.items():
        assert alias not in names
        assert leads_to is None or leads_to in names
        assert leads_to not in targets
    for entry in aliases.fallback_entries(rows):
        ((alias, others),) = entry.items()
        assert others
        assert set(others) <= set(names)
        assert targets[alias] not in others


class TestWords:
    """Reasons and boundaries that nothing else pins."""

    def test_a_pick_counts_in_a_policy_that_has_no_default(self) -> None:
        entries = (candidate("openai/gpt-5"), candidate("openai/gpt-4"))
        pool = Pool(load("allow: []\naliases: {}"), entries, TODAY)
        rows, _ = aliases.resolve(pool, {}, "openai/gpt-4")
        (only,) = rows
        assert (only.name, only.target) == ("default", "openai/gpt-4")
        assert only.reason == "picked with `rollcall pick`"

    def test_only_the_derived_default_is_explained_by_how_it_is_derived(self) -> None:
        _, rows, _ = lead("allow: []", [candidate("anthropic/claude-sonnet-5")])
        reasons = {row.name: row.reason for row in rows}
        assert reasons["default"] == aliases.DEFAULT_REASON
        assert reasons["claude"].startswith("newest claude-sonnet")

    def test_an_unknown_context_is_never_the_largest(self) -> None:
        assert target("{largest_context: {}}", [candidate("openai/a")]) is None
        pool = [candidate("openai/a"), candidate("openai/b", context=1)]
        assert target("{largest_context: {}}", pool) == "openai/b"

    def test_the_reasons_of_cheapest_and_largest(self) -> None:
        tier = PriceTier(above_tokens=200_000, input=price("9", "9").input)
        dear = Price(**{**price("1", "4").model_dump(), "tiers": (tier,)})
        one = candidate("openai/a", price=dear, context=7)
        assert reason("{cheapest: {}}", [one]) == (
            "the cheapest: $9.00 in, $4.00 out per 1M tokens, above 200000 tokens"
        )
        assert reason("{largest_context: {}}", [one]) == "the largest: 7 tokens of context"

    def test_an_alias_named_like_an_entry_that_only_stays_waits_for_its_provider(self) -> None:
        pool = [candidate("openai/gpt-5", name="x", staying=True), candidate("openai/gpt-4")]
        targets, _, notes = lead("allow: []\naliases: {x: openai/gpt-4}", pool)
        assert targets == {}
        assert notes == (
            "alias 'x' is left out: openai/gpt-5 has that name, and stays as it is until openai "
            "answers",
        )

    @pytest.mark.parametrize("away", ["staying", "unanswered"])
    def test_a_provider_is_away_when_either_says_so(self, away: str) -> None:
        gone = candidate("anthropic/claude-sonnet-5", staying=away == "staying")
        here = candidate("openrouter/anthropic/claude-sonnet-4.6", rule=2)
        unanswered = ["anthropic"] if away == "unanswered" else []
        text = "allow: []\naliases: {x: {family: claude-sonnet}}"
        assert lead(text, [gone, here], unanswered=unanswered)[0]["x"] == here.name

    def test_why_a_member_of_the_family_is_no_candidate(self) -> None:
        _, (row,), _ = lead(
            "allow: []\naliases: {x: {family: gpt}}",
            [candidate("openai/gpt-5"), candidate("openai/gpt-6", batch_only=True)],
        )
        assert ("openai/gpt-6", "only its own name leads to it") in row.candidates


def reason(spec: str, pool: list[Candidate]) -> str:
    """Why an alias leads where it does."""
    _, (row,), _ = lead(f"allow: []\naliases: {{x: {spec}}}", pool)
    return row.reason
