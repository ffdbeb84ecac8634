"""The rules: which models come in, in which order, under which names, and why."""

from __future__ import annotations

import random
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Kind
from rollcall.errors import PolicyError
from rollcall.selection import admission
from rollcall.selection.provider_catalog import denying_pattern
from rollcall.selection.rule import RuleContext
from tests.policy_making import TODAY, admit, ids, load, model, models, shelves

if TYPE_CHECKING:
    from rollcall.catalog.model import Model

CLAUDES = [
    *models(
        "anthropic/claude-sonnet-5",
        "anthropic/claude-sonnet-4-6",
        "anthropic/claude-sonnet-4-5-20250929",
        "anthropic/claude-haiku-4-5-20251001",
        "anthropic/claude-opus-5",
    ),
    *models(
        "openrouter/anthropic/claude-sonnet-5",
        "openrouter/anthropic/claude-sonnet-4.6",
        "openrouter/anthropic/claude-haiku-4.5",
    ),
]


class TestWhatARuleNames:
    def test_an_exact_id(self) -> None:
        outcome = admit("allow: [{match: anthropic/claude-sonnet-5}]", CLAUDES)
        assert ids(outcome) == ["openrouter/anthropic/claude-sonnet-5"]

    def test_a_pattern_over_the_providers_own_id_whose_star_crosses_slashes(self) -> None:
        outcome = admit('allow: [{match: "*sonnet-4?6"}]', CLAUDES)
        assert ids(outcome) == [
            "anthropic/claude-sonnet-4-6",
            "openrouter/anthropic/claude-sonnet-4.6",
        ]
        assert ids(admit('allow: [{match: "openrouter/*"}]', CLAUDES)) == []

    def test_patterns_mind_upper_and_lower_case(self) -> None:
        rows = models("openai/GPT-x", "openai/gpt-x")
        assert ids(admit('allow: [{match: "gpt-*"}]', rows)) == ["openai/gpt-x"]

    def test_brackets_are_plain_text(self) -> None:
        rows = models("openai/m[1m]", "openai/m1")
        assert ids(admit('allow: [{match: "m[1m]"}]', rows)) == ["openai/m[1m]"]
        assert ids(admit('allow: [{match: "?[1m*"}]', rows)) == ["openai/m[1m]"]
        assert ids(admit('allow: [{match: "m[1?]"}]', rows)) == ["openai/m[1m]"]

    def test_a_family_wherever_it_is_sold(self) -> None:
        outcome = admit("allow: [{family: claude-haiku}]", CLAUDES)
        assert ids(outcome) == [
            "anthropic/claude-haiku-4-5-20251001",
            "openrouter/anthropic/claude-haiku-4.5",
        ]

    def test_a_strangers_model_is_not_of_a_known_makers_family(self) -> None:
        rows = [*CLAUDES, model("openrouter/acme/claude-sonnet-99")]
        outcome = admit("allow: [{family: claude-sonnet, newest: 1, from: openrouter}]", rows)
        assert ids(outcome) == ["openrouter/anthropic/claude-sonnet-5"]

    def test_vendor_and_family_said_outright(self) -> None:
        rows = models("openrouter/acme/falcon-2", "openrouter/other/falcon-3")
        assert len(ids(admit("allow: [{family: falcon}]", rows))) == 2
        assert ids(admit("allow: [{family: acme/falcon}]", rows)) == ["openrouter/acme/falcon-2"]

    def test_makers_go_by_several_names(self) -> None:
        rows = models("openrouter/x-ai/grok-4.6", "xai/grok-4.6", maker="xai")
        assert len(ids(admit("allow: [{family: xai/grok}]", rows))) == 2
        assert len(ids(admit("allow: [{family: x-ai/grok}]", rows))) == 2

    def test_family_and_match_together_name_what_fits_both(self) -> None:
        outcome = admit('allow: [{family: claude-sonnet, match: "*4*"}]', CLAUDES)
        assert ids(outcome) == [
            "anthropic/claude-sonnet-4-6",
            "openrouter/anthropic/claude-sonnet-4.6",
            "anthropic/claude-sonnet-4-5-20250929",
        ]

    def test_only_the_providers_it_asks(self) -> None:
        outcome = admit("allow: [{family: claude-sonnet, from: openrouter}]", CLAUDES)
        assert ids(outcome) == [
            "openrouter/anthropic/claude-sonnet-5",
            "openrouter/anthropic/claude-sonnet-4.6",
        ]

    def test_what_no_rule_admits_stays_out(self) -> None:
        assert ids(admit("deny: []", CLAUDES)) == []


class TestDeny:
    def test_it_matches_ids_and_provider_slash_id(self) -> None:
        rows = models("openai/gpt-5", "openrouter/openai/gpt-5", "openrouter/openai/gpt-6")
        assert ids(admit('allow: [{match: "*"}]\ndeny: [gpt-5]', rows)) == [
            "openrouter/openai/gpt-6",
            "openrouter/openai/gpt-5",
        ]
        assert ids(admit('allow: [{match: "*"}]\ndeny: ["openrouter/*-5"]', rows)) == [
            "openrouter/openai/gpt-6",
            "openai/gpt-5",
        ]

    def test_it_comes_before_newest_so_the_next_version_takes_the_place(self) -> None:
        text = (
            "allow: [{family: claude-sonnet, newest: 1, from: anthropic}]\ndeny: [claude-sonnet-5]"
        )
        assert ids(admit(text, CLAUDES)) == ["anthropic/claude-sonnet-4-6"]

    def test_it_wins_over_an_exact_id(self) -> None:
        text = "allow: [{match: claude-opus-5}]\ndeny: [claude-opus-5]"
        assert ids(admit(text, CLAUDES)) == []


class TestNewest:
    def test_so_many_versions_per_provider_and_family(self) -> None:
        outcome = admit('allow: [{match: "*claude-*", newest: 1}]', CLAUDES)
        assert sorted(ids(outcome)) == [
            "anthropic/claude-haiku-4-5-20251001",
            "anthropic/claude-opus-5",
            "anthropic/claude-sonnet-5",
            "openrouter/anthropic/claude-haiku-4.5",
            "openrouter/anthropic/claude-sonnet-5",
        ]

    def test_one_id_per_version(self) -> None:
        rows = models(
            "openai/gpt-5", "openai/gpt-5-2025-08-07", "openai/gpt-4.1", "openai/gpt-4.1-2025-04-14"
        )
        outcome = admit("allow: [{family: gpt, newest: 2}]", rows)
        assert ids(outcome) == ["openai/gpt-5", "openai/gpt-4.1"]

    def test_left_out_it_admits_every_model_the_rule_matches(self) -> None:
        outcome = admit("allow: [{family: claude-sonnet, from: anthropic}]", CLAUDES)
        assert ids(outcome) == [
            "anthropic/claude-sonnet-5",
            "anthropic/claude-sonnet-4-6",
            "anthropic/claude-sonnet-4-5-20250929",
        ]

    def test_names_listed_together_are_one_family_that_was_renamed(self) -> None:
        rows = models("openrouter/deepseek/deepseek-chat-v3.1", "openrouter/deepseek/deepseek-v3.2")
        outcome = admit("allow: [{family: [deepseek-chat, deepseek], newest: 1}]", rows)
        assert ids(outcome) == ["openrouter/deepseek/deepseek-v3.2"]
        outcome = admit("allow: [{family: [deepseek-chat, deepseek], newest: 2}]", rows)
        assert ids(outcome) == [
            "openrouter/deepseek/deepseek-v3.2",
            "openrouter/deepseek/deepseek-chat-v3.1",
        ]

    def test_it_looks_only_at_what_passes_the_conditions(self) -> None:
        rows = [
            model("openrouter/z-ai/glm-5", context=8_000),
            model("openrouter/z-ai/glm-4.6", context=200_000),
        ]
        text = 'allow: [{family: glm, newest: 1, where: {context: ">= 100000"}}]'
        assert ids(admit(text, rows)) == ["openrouter/z-ai/glm-4.6"]

    def test_max_bounds_the_whole_rule_newest_families_first(self) -> None:
        rows = [
            model("openrouter/qwen/qwen3-max", released="2026-01-01"),
            model("openrouter/qwen/qwen3-coder", released="2026-03-01"),
            model("openrouter/deepseek/deepseek-v3", released="2026-02-01"),
            model("openrouter/deepseek/unsaid"),
        ]
        outcome = admit('allow: [{match: "*", newest: 1, max: 2}]', rows)
        assert ids(outcome) == [
            "openrouter/qwen/qwen3-coder",
            "openrouter/deepseek/deepseek-v3",
        ]

    def test_a_rule_sees_the_whole_catalog_even_what_an_earlier_rule_owns(self) -> None:
        text = (
            "allow:\n- {match: claude-sonnet-5}\n"
            "- {family: claude-sonnet, newest: 1, from: anthropic}\n"
        )
        assert ids(admit(text, CLAUDES)) == ["anthropic/claude-sonnet-5"]


class TestPlaceAndName:
    def test_the_first_rule_that_admits_a_model_owns_it(self) -> None:
        text = """
allow:
- {match: claude-opus-5, params: {timeout: 5}}
- {family: claude-opus, name: second, params: {timeout: 60}, model_info: {tier: paid}}
- {family: claude-haiku, from: anthropic, name: "{id}"}
"""
        opus, haiku = admit(text, CLAUDES).admitted
        assert (opus.rule, opus.name) == (1, "anthropic/claude-opus-5")
        assert load(text).extras("anthropic", opus.rule).params == {"timeout": 5}
        assert (haiku.rule, haiku.name) == (3, "claude-haiku-4-5-20251001")

    def test_rule_order_is_output_order(self) -> None:
        text = "allow: [{family: claude-opus}, {family: claude-haiku, from: anthropic}]"
        backwards = "allow: [{family: claude-haiku, from: anthropic}, {family: claude-opus}]"
        assert ids(admit(text, CLAUDES)) == list(reversed(ids(admit(backwards, CLAUDES))))

    @pytest.mark.parametrize(
        ("naming", "name"),
        [
            ("{provider}/{id}", "openrouter/anthropic/claude-haiku-4.5"),
            ("{provider}-{id:dashed}", "openrouter-anthropic-claude-haiku-4.5"),
            ("{model}", "claude-haiku-4.5"),
            ("{maker}.{family}.{version}", "anthropic.claude-haiku.4.5"),
            ("my {family}", "my claude-haiku"),
        ],
    )
    def test_naming(self, naming: str, name: str) -> None:
        text = f'allow: [{{match: anthropic/claude-haiku-4.5}}]\nnaming: "{naming}"'
        assert [row.name for row in admit(text, CLAUDES).admitted] == [name]

    def test_two_providers_giving_one_name_is_an_error_that_names_both(self) -> None:
        text = 'allow: [{family: claude-sonnet, newest: 1, name: "{family}"}]'
        with pytest.raises(PolicyError) as caught:
            admit(text, CLAUDES)
        assert "anthropic/claude-sonnet-5 and openrouter/anthropic/claude-sonnet-5" in (
            caught.value.what
        )
        assert "'claude-sonnet'" in caught.value.what
        assert "rule 1" in caught.value.what
        assert "`name`" in caught.value.hint

    def test_no_wildcard_ever_comes_in(self) -> None:
        rows = [*models("openai/*", "openai/gpt-*"), model("openai/gpt-5")]
        outcome = admit('allow: [{match: "*"}]', rows)
        assert ids(outcome) == ["openai/gpt-5"]
        assert any("openai/gpt-*" in line and "wildcard" in line for line in outcome.warnings)


class TestConditions:
    @pytest.mark.parametrize(
        ("where", "passing", "stopped"),
        [
            ("tools: true", {"capabilities": {"tools": True}}, {"capabilities": {"tools": False}}),
            ("tools: false", {"capabilities": {"tools": False}}, {"capabilities": {"tools": True}}),
            ("vision: true", {"capabilities": {"vision": True}}, {}),
            ("reasoning: true", {"capabilities": {"reasoning": True}}, {}),
            ("structured_output: true", {"capabilities": {"structured_output": True}}, {}),
            ('context: ">= 100"', {"context": 100}, {"context": 99}),
            ('max_output: "> 100"', {"max_output": 101}, {"max_output": 100}),
            ('input_price: "<= 1.00"', {"cost": ("1.00", "9")}, {"cost": ("1.01", "0")}),
            ('output_price: "< 4"', {"cost": ("9", "3.99")}, {"cost": ("0", "4")}),
            ("free: true", {"cost": ("0", "0")}, {"cost": ("0", "0.1")}),
            ("free: false", {"cost": ("0", "0.1")}, {"cost": ("0", "0")}),
            (
                "modalities: [image, text]",
                {"input_modalities": ("text", "image", "file")},
                {"input_modalities": ("text",)},
            ),
            (
                "output_modalities: text",
                {"output_modalities": ("text",)},
                {"output_modalities": ("image",)},
            ),
            (
                "released_after: 2026-01-01",
                {"released": "2026-01-02"},
                {"released": "2026-01-01"},
            ),
            (
                "released_after: 2026-01-01 10:00:00",
                {"released": "2026-01-02"},
                {"released": "2026-01-01"},
            ),
        ],
    )
    def test_each_condition(
        self, where: str, passing: dict[str, Any], stopped: dict[str, Any]
    ) -> None:
        rows = [model("openai/in", **passing), model("openai/out", **stopped), model("openai/mute")]
        outcome = admit(f'allow: [{{match: "*", where: {{{where}}}}}]', rows)
        assert ids(outcome) == ["openai/in"], "and what the provider does not say never passes"

    def test_the_vendor_by_any_of_its_names(self) -> None:
        rows = models("openrouter/x-ai/grok-4.6", "openrouter/qwen/qwen3-max")
        text = 'allow: [{match: "*", where: {vendor: [xai, mistral]}}]'
        assert ids(admit(text, rows)) == ["openrouter/x-ai/grok-4.6"]

    def test_all_conditions_hold_together(self) -> None:
        rows = [
            model("openai/a", context=100, cost=("1", "1")),
            model("openai/b", context=100, cost=("9", "1")),
        ]
        text = 'allow: [{match: "*", where: {context: ">= 100", input_price: "<= 1"}}]'
        assert ids(admit(text, rows)) == ["openai/a"]

    def test_a_price_is_judged_by_its_base_tier(self) -> None:
        from rollcall.catalog.model import Price, PriceTier

        base = model("openai/a", cost=("1", "1")).price
        tier = PriceTier(above_tokens=200_000, input=(base.input or 0) * 10)
        row = model("openai/a", price=Price(input=base.input, output=base.output, tiers=(tier,)))
        assert ids(admit('allow: [{match: a, where: {input_price: "<= 1"}}]', [row])) == [
            "openai/a"
        ]

    def test_a_rule_may_declare_what_the_provider_does_not_say(self) -> None:
        rows = [model("openai/a"), model("openai/b", capabilities={"tools": False})]
        text = 'allow: [{match: "*", where: {tools: true}, assume: {tools: true}}]'
        assert ids(admit(text, rows)) == ["openai/a"], "what the provider says wins"

    def test_stage(self) -> None:
        rows = models(
            "gemini/gemini-2.5-pro", "gemini/gemini-3.1-pro-preview", "gemini/gemini-3-pro-exp"
        )

        def admitted(stage: str) -> set[str]:
            return set(ids(admit(f"allow: [{{match: '*'{stage}}}]", rows)))

        assert admitted("") == {"gemini/gemini-2.5-pro"}
        assert admitted(", stage: stable") == {"gemini/gemini-2.5-pro"}
        assert admitted(", stage: preview") == {"gemini/gemini-3.1-pro-preview"}
        assert len(admitted(", stage: any")) == 3

    def test_an_exact_id_needs_no_stage(self) -> None:
        rows = models("gemini/gemini-3.1-pro-preview")
        assert ids(admit("allow: [{match: gemini-3.1-pro-preview}]", rows))
        assert not ids(admit("allow: [{match: gemini-3.1-pro-preview, stage: stable}]", rows))

    def test_max_age(self) -> None:
        rows = [
            model("openai/old", released=TODAY - timedelta(days=366)),
            model("openai/new", released=TODAY - timedelta(days=365)),
            model("openai/unsaid"),
            model("openai/stamped-2026-05-01"),
        ]
        outcome = admit('allow: [{match: "*", max_age: 365d}]', rows)
        assert sorted(ids(outcome)) == ["openai/new", "openai/stamped-2026-05-01"]


SPECIAL = [
    model("openai/text-embedding-3-small", kind=Kind.EMBEDDING),
    model("openai/gpt-image-2", kind=Kind.IMAGE),
    model("openrouter/openai/gpt-5", batch_only=True),
    model("openrouter/~openai/gpt-latest", points_at="openai/gpt-5.6"),
    model("gemini/gemini-pro-latest"),
    model("openrouter/openai/gpt-oss-20b:free"),
    model("openrouter/openai/gpt-oss-20b:whatever"),
]


class TestWhatMustBeNamed:
    def test_patterns_and_families_admit_chat_models_only(self) -> None:
        rows = [*SPECIAL, model("openai/gpt-5.5")]
        text = 'allow: [{match: "*"}, {match: "*gpt*"}, {family: [gpt, gpt-oss-20b, gemini-pro]}]'
        assert ids(admit(text, rows)) == ["openai/gpt-5.5"]

    @pytest.mark.parametrize("special", SPECIAL, ids=lambda row: row.id)
    def test_an_exact_id_admits_what_it_names(self, special: Model) -> None:
        outcome = admit(f'allow: [{{match: "{special.id}"}}]', SPECIAL)
        assert ids(outcome) == [special.qualified]

    def test_a_pattern_that_spells_the_suffix_names_the_variant(self) -> None:
        outcome = admit('allow: [{match: "openai/*:free"}]', SPECIAL)
        assert ids(outcome) == ["openrouter/openai/gpt-oss-20b:free"]

    def test_a_tag_of_a_local_server_is_no_variant(self) -> None:
        text = 'providers: {ollama: {}}\nallow: [{match: "*"}]'
        rows = models("ollama/llama3.2:3b", "ollama/qwen3:latest")
        assert "ollama/llama3.2:3b" in ids(admit(text, rows))


class TestRetirement:
    def test_what_has_ended_is_not_admitted_even_by_name(self) -> None:
        rows = [model("openai/gpt-4", ends=TODAY - timedelta(days=1))]
        assert ids(admit("allow: [{match: gpt-4}]", rows)) == []

    def test_a_successor_in_its_family_is_preferred(self) -> None:
        ending = model("openai/gpt-5", ends=TODAY + timedelta(days=3))
        rows = [ending, model("openai/gpt-5-2025-08-07")]
        assert ids(admit("allow: [{family: gpt, newest: 1}]", rows)) == ["openai/gpt-5-2025-08-07"]
        named = model("openai/gpt-5", ends=TODAY + timedelta(days=3), replaced_by="gpt-4.9")
        rows = [named, model("openai/gpt-4.9")]
        assert ids(admit("allow: [{family: gpt, newest: 1}]", rows)) == ["openai/gpt-4.9"]

    def test_an_older_version_is_no_successor(self) -> None:
        rows = [model("openai/gpt-5", ends=TODAY + timedelta(days=3)), model("openai/gpt-4.1")]
        assert ids(admit("allow: [{family: gpt, newest: 1}]", rows)) == ["openai/gpt-5"]


class TestMinAge:
    TEXT = "allow: [{family: claude-sonnet, newest: 1}]\nguards: {min_age: 7d}"

    def test_the_young_one_is_held_and_the_one_before_it_stays(self) -> None:
        rows = [
            model("anthropic/claude-sonnet-5", released=TODAY - timedelta(days=6)),
            model("anthropic/claude-sonnet-4-6", released="2026-02-01"),
        ]
        outcome = admit(self.TEXT, rows)
        assert ids(outcome) == ["anthropic/claude-sonnet-4-6"]
        (held,) = outcome.held
        assert held.model.id == "claude-sonnet-5"
        assert "released 6 days ago, min_age is 7 days" in held.reason

    def test_on_its_day_it_comes_in(self) -> None:
        rows = [model("anthropic/claude-sonnet-5", released=TODAY - timedelta(days=7))]
        assert ids(admit(self.TEXT, rows)) == ["anthropic/claude-sonnet-5"]

    def test_without_a_date_the_day_we_saw_it_first_counts(self) -> None:
        rows = models("anthropic/claude-sonnet-5", "anthropic/claude-sonnet-4-6")
        seen = {("anthropic", "claude-sonnet-5"): TODAY - timedelta(days=2)}
        outcome = admit(self.TEXT, rows, first_seen=lambda *key: seen.get(key))
        assert ids(outcome) == ["anthropic/claude-sonnet-4-6"]
        assert "first seen 2 days ago" in outcome.held[0].reason

    def test_on_the_first_sight_of_a_provider_all_are_old_enough(self) -> None:
        rows = models("anthropic/claude-sonnet-5")
        assert ids(admit(self.TEXT, rows, first_seen=lambda *_: None))

    @pytest.mark.parametrize(
        "name", ["claude-sonnet-5", "anthropic/claude-sonnet-5", "My claude-sonnet"]
    )
    def test_accept_lets_it_through(self, name: str) -> None:
        rows = [model("anthropic/claude-sonnet-5", released=TODAY)]
        text = self.TEXT + '\nnaming: "My {family}"'
        assert not ids(admit(text, rows))
        assert ids(admit(text, rows, accepted=frozenset([name])))
        assert ids(admit(f'{text}\naccept: ["{name}"]', rows))

    def test_what_is_in_the_file_already_is_not_held(self) -> None:
        rows = [model("anthropic/claude-sonnet-5", released=TODAY)]
        present = frozenset([("anthropic", "claude-sonnet-5")])
        assert ids(admit(self.TEXT, rows, present=present))


class TestWarnings:
    def test_a_rule_that_spans_more_than_ten_families(self) -> None:
        rows = models(*(f"openrouter/acme/{word}-1" for word in "abcdefghijk"))
        outcome = admit('allow: [{match: "acme/*", newest: 1}]', rows)
        assert outcome.warnings == ("rule 1 admits 11 families; `max` or `max_age` would bound it",)
        assert admit('allow: [{match: "acme/*", newest: 1}]', rows[:10]).warnings == ()

    def test_a_moving_id_that_points_at_something_else_than_our_newest(self) -> None:
        rows = models("openrouter/moonshotai/kimi-k3", "openrouter/moonshotai/kimi-k2.6")
        moving = "openrouter/~moonshotai/kimi-latest"
        text = "allow: [{family: kimi, newest: 1}]"
        agreed = [*rows, model(moving, points_at="moonshotai/kimi-k3")]
        assert admit(text, agreed).warnings == ()
        (warning,) = admit(text, [*rows, model(moving, points_at="moonshotai/kimi-k2.6")]).warnings
        assert "~moonshotai/kimi-latest points at moonshotai/kimi-k2.6" in warning
        assert "our newest of kimi is moonshotai/kimi-k3" in warning

    def test_a_rule_or_an_exact_id_that_finds_nothing_is_said(self) -> None:
        text = "allow: [{family: claude-sonet}, {match: [claude-opus-5, claude-opus-55]}]"
        silent: dict[str, list[Model]] = {"openai": [], "gemini": [], "xai": []}
        catalogs = silent | shelves(CLAUDES)
        outcome = admission.admit(RuleContext(load(text), catalogs, TODAY))
        assert outcome.warnings == (
            "rule 1 finds nothing: nobody asked lists claude-sonet by anthropic; "
            "did you mean 'claude-sonnet'?",
            "rule 2: nobody asked lists 'claude-opus-55'; did you mean 'claude-opus-5'?",
        )

    def test_a_rule_that_finds_only_what_it_may_not_take_says_so(self) -> None:
        text = (
            "providers: {openai: {}}\nallow: [{match: '*image*'}, {match: 'gpt-4*'}]\ndeny: [gpt-4]"
        )
        rows = [model("openai/gpt-image-2", kind=Kind.IMAGE), model("openai/gpt-4")]
        assert admit(text, rows).warnings == (
            "rule 1 finds nothing: openai/gpt-image-2 is not a chat model but image, "
            "and needs its exact id",
            "rule 2 finds nothing: openai/gpt-4 is denied by 'gpt-4'",
        )

    def test_nothing_is_said_of_rules_whose_providers_did_not_answer(self) -> None:
        text = "allow: [{family: claude-sonet}, {family: gpt, from: openai}]"
        assert admit(text, CLAUDES).warnings == ()


class TestExplaining:
    TEXT = """
allow:
- {family: claude-sonnet, from: [anthropic], newest: 1}
- {match: "*haiku*", from: [openrouter], where: {context: ">= 100"}}
- {match: "*", stage: preview}
- {match: "*", max: 2}
deny: ["*opus*"]
"""

    def why(self, qualified: str, rows: list[Model]) -> list[tuple[int | None, bool, str]]:
        provider, _, model_id = qualified.partition("/")
        steps = admit(self.TEXT, rows).trail(provider, model_id)
        return [(step.rule, step.passed, step.why) for step in steps]

    def test_each_rule_in_turn_with_pass_or_stop_and_why(self) -> None:
        assert self.why("anthropic/claude-sonnet-4-6", CLAUDES) == [
            (None, True, "not denied"),
            (1, False, "newest 1: claude-sonnet-5 stands before it"),
            (2, False, "asks only openrouter"),
            (3, False, "takes preview models, this one is stable"),
            (4, False, "max 2: others are newer"),
        ]
        assert self.why("anthropic/claude-sonnet-5", CLAUDES)[1] == (
            1,
            True,
            "newest 1 of claude-sonnet",
        )
        assert self.why("openrouter/anthropic/claude-haiku-4.5", CLAUDES)[2] == (
            2,
            False,
            "wants context >= 100; this one's is unknown, which never passes",
        )

    def test_what_a_rule_says_of_age_exactness_and_youth(self) -> None:
        rows = [
            model("openai/gpt-image-2", kind=Kind.IMAGE),
            model("openai/gpt-5", released="2025-08-07"),
            model("openai/gpt-6", released=TODAY),
            model("openai/gpt-7"),
        ]
        text = "allow: [{match: 'gpt-*', max_age: 100d}]\nguards: {min_age: 3d}"
        outcome = admit(text, rows)

        def last(model_id: str) -> str:
            return outcome.trail("openai", model_id)[-1].why

        assert last("gpt-image-2").startswith("is not a chat model but image: only a rule that")
        assert last("gpt-5") == "released 2025-08-07, max_age is 100 days"
        assert last("gpt-6") == "released 0 days ago, min_age is 3 days"
        assert last("gpt-7") == "its release day is unknown, max_age is 100 days"
        (_, step) = admit("allow: [{match: a, from: xai}]", rows).trail("openai", "gpt-5")
        assert step.why == "asks only xai"
        (_, step) = admit("allow: [{match: a}]", rows).trail("openai", "gpt-5")
        assert step.why == "names a, not this one"
        where = "allow: [{match: 'gpt-*', where: {modalities: [image, text]}}]"
        rows = [model("openai/gpt-5", input_modalities=("text", "file"))]
        (_, step) = admit(where, rows).trail("openai", "gpt-5")
        assert step.why == "wants modalities image, text; this one's is text, file"

    def test_of_several_conditions_the_same_one_is_always_named(self) -> None:
        text = "allow: [{match: '*', where: {vision: true, context: 5, tools: true, free: true}}]"
        (_, step) = admit(text, models("openai/a")).trail("openai", "a")
        assert step.why == "wants tools yes; this one's is unknown, which never passes"

    def test_what_stands_before_the_rules(self) -> None:
        assert self.why("anthropic/claude-opus-5", CLAUDES) == [(None, False, "denied by '*opus*'")]
        assert self.why("anthropic/nothing", CLAUDES) == [
            (None, False, "anthropic does not list it")
        ]
        assert self.why("xai/grok-4", CLAUDES) == [
            (None, False, "xai was not asked or did not answer")
        ]

    def test_special_and_retired_models(self) -> None:
        rows = [
            model("openai/gpt-image-2", kind=Kind.IMAGE),
            model("openai/gpt-4", ends=date(2026, 1, 1)),
        ]
        assert "is not a chat model but image" in self.why("openai/gpt-image-2", rows)[-1][2]
        assert self.why("openai/gpt-4", rows)[-1] == (4, False, "it ended on 2026-01-01")

    def test_the_reason_of_what_comes_in(self) -> None:
        text = "allow: [{match: claude-opus-5}, {family: claude-haiku, newest: 1, from: anthropic}]"
        assert [row.reason for row in admit(text, CLAUDES).admitted] == [
            "rule 1: claude-opus-5",
            "rule 2: newest 1 of claude-haiku",
        ]

    def test_superseded_is_told_from_what_the_policy_never_wanted(self) -> None:
        outcome = admit(self.TEXT, CLAUDES)
        assert outcome.superseded("anthropic", "claude-sonnet-4-6") == (
            "superseded by claude-sonnet-5 (rule 1: newest 1)"
        )
        assert not outcome.superseded("anthropic", "claude-opus-5"), "denied"
        assert not outcome.superseded("anthropic", "gone"), "not listed"
        only_sonnet = admit("allow: [{family: claude-sonnet, newest: 1}]", CLAUDES)
        assert not only_sonnet.superseded("anthropic", "claude-opus-5"), "no rule names it"

    def test_which_rule_names_a_model_whatever_else_it_asks(self) -> None:
        policy = load("allow: [{family: gpt}, {match: 'claude-*', newest: 1, stage: preview}]")
        assert admission.rule_of(policy, model("anthropic/claude-1")) == 2
        assert admission.rule_of(policy, model("xai/grok-4")) is None
        denying = load("allow: [{match: '*'}]\ndeny: [anthropic/claude-1]")
        assert admission.rule_of(denying, model("anthropic/claude-1")) is None
        assert denying_pattern(denying, "anthropic", "claude-1") == "anthropic/claude-1"


def test_only_rules_that_name_their_providers_count_in_mode_subagents() -> None:
    text = "allow: [{family: claude-haiku}, {family: claude-sonnet, newest: 1, from: openrouter}]"
    assert ids(admit(text, CLAUDES, named_only=True)) == ["openrouter/anthropic/claude-sonnet-5"]


WORDS = ("claude-sonnet", "gpt", "qwen3-max", "kimi-k2", "glm", "grok")
MODELS = st.builds(
    lambda provider, word, version, tail, day, tools: model(
        f"{provider}/{word}-{version}{tail}",
        released=day,
        capabilities={"tools": tools},
        context=version * 50_000,
    ),
    st.sampled_from(("anthropic", "openai", "openrouter")),
    st.sampled_from(WORDS),
    st.integers(1, 5),
    st.sampled_from(("", "-preview", "-20250929", ":free", "-mini")),
    st.none() | st.dates(date(2025, 1, 1), date(2026, 8, 1)),
    st.booleans(),
)
RULES = """
allow:
- {family: claude-sonnet, newest: 2}
- {match: "*qwen*", where: {tools: true}, newest: 1}
- {match: "*", newest: 1, max: 5, stage: any}
- {match: "*", where: {context: ">= 100000"}}
"""


@settings(max_examples=60, deadline=None)
@given(st.lists(MODELS, max_size=25), st.integers())
def test_the_outcome_does_not_depend_on_the_order_of_catalogs_or_rows(
    rows: list[Model], seed: int
) -> None:
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    here, there = admit(RULES, rows), admit(RULES, shuffled)
    assert here.admitted == there.admitted
    assert here.warnings == there.warnings
    assert len({row.name for row in here.admitted}) == len(here.admitted)


@settings(max_examples=60, deadline=None)
@given(st.lists(MODELS, max_size=25))
def test_the_trail_agrees_with_what_came_in(rows: list[Model]) -> None:
    outcome = admit(RULES, rows)
    inside = {row.model.key: row.rule for row in outcome.admitted}
    for row in rows:
        passed = [step.rule for step in outcome.trail(*row.key) if step.passed and step.rule]
        assert (passed[0] if passed else None) == inside.get(row.key)


def calls_of(rows: list[Model]) -> int:
    """How many Python calls one admission takes: what grows too fast shows here, on any machine."""
    policy = load(RULES + "- {match: '*e*', newest: 1}\n" * 20)
    catalogs = shelves(rows)
    admission.admit(RuleContext(policy, catalogs, TODAY))
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        admission.admit(RuleContext(policy, catalogs, TODAY))
    finally:
        sys.setprofile(None)
    return count


def test_the_work_grows_with_the_models_not_faster() -> None:
    rows = [
        model(f"openrouter/{word}{number}/{word}-{number % 7}", context=200_000)
        for number in range(120)
        for word in WORDS
    ]
    assert calls_of(rows) < 2.3 * calls_of(rows[: len(rows) // 2])


class TestSafety:
    """Conditions that keep an outage or a wildcard out, each pinned by itself."""

    @pytest.mark.parametrize(
        ("model_id", "naming"), [("gpt-*", "mine"), ("gpt-5", "os.environ/{id}")]
    )
    def test_a_fault_of_the_id_or_of_the_name_alone_leaves_a_model_out(
        self, model_id: str, naming: str
    ) -> None:
        text = f'allow: [{{match: "gpt*", name: "{naming}"}}]'
        outcome = admit(text, [model(f"openai/{model_id}")])
        assert ids(outcome) == []
        assert any(f"openai/{model_id}: left out" in line for line in outcome.warnings)

    def test_a_model_that_is_gone_would_be_taken_unless_newer_ones_have_its_place(self) -> None:
        rows = models("anthropic/claude-sonnet-5")
        outcome = admit("allow: [{family: claude-sonnet, newest: 1}, {family: gpt}]", rows)
        assert outcome.would_take(model("anthropic/claude-sonnet-6"))
        assert not outcome.would_take(model("anthropic/claude-sonnet-4-6"))
        assert outcome.would_take(model("openai/gpt-5"))
        assert not outcome.would_take(model("xai/grok-5"))
        at_most = admit("allow: [{match: 'claude-*', max: 1}]", rows)
        assert at_most.would_take(model("anthropic/claude-sonnet-6"))
        assert not at_most.would_take(model("anthropic/claude-sonnet-4-6"))

    def test_a_rule_names_models_of_its_own_providers_only(self) -> None:
        policy = load("allow: [{family: gpt, from: openrouter}, {family: gpt, from: openai}]")
        assert admission.rule_of(policy, model("openai/gpt-5")) == 2
        assert admission.rule_of(policy, model("openrouter/openai/gpt-5")) == 1
        only = load("allow: [{family: gpt, from: openrouter}]")
        assert admission.rule_of(only, model("openai/gpt-5")) is None
