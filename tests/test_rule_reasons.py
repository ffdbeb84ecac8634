"""Every reason to keep a model out counts, and a rule that finds nothing says why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rollcall.catalog.model import Kind, Model
from rollcall.selection import admission
from rollcall.selection.rule import RuleContext
from tests.corpus import needs_catalogs
from tests.policy_making import TODAY, admit, ids, load, model, models, real_catalog, real_catalogs
from tests.policy_making import shelves as by_provider

OTHERS = ("anthropic", "openai", "gemini", "xai", "openrouter")


def warnings(text: str, *rows: Model) -> tuple[str, ...]:
    """What is said of a policy's rules where every provider answered."""
    catalogs: dict[str, list[Model]] = {name: [] for name in OTHERS}
    return admission.admit(RuleContext(load(text), catalogs | by_provider(rows), TODAY)).warnings


SPECIAL: list[dict[str, Any]] = [
    {"kind": Kind.EMBEDDING},
    {"kind": Kind.RERANK},
    {"kind": Kind.OTHER},
    {"batch_only": True},
    {"deprecated": True},
    {"points_at": "acme/storm-2"},
]


@pytest.mark.parametrize("facts", SPECIAL)
def test_a_spelled_suffix_admits_variants_of_chat_models_only(facts: dict[str, Any]) -> None:
    rows = [model("openrouter/acme/storm-1:free"), model("openrouter/acme/other-1:free", **facts)]
    pattern = 'allow: [{match: "*:free", from: [openrouter]}]'
    assert ids(admit(pattern, rows)) == ["openrouter/acme/storm-1:free"]
    exact = 'allow: [{match: "acme/other-1:free", from: [openrouter]}]'
    assert ids(admit(exact, rows)) == ["openrouter/acme/other-1:free"]


def test_batch_ids_need_their_exact_id() -> None:
    rows = [model("openrouter/acme/storm-1:batch", batch_only=True)]
    assert ids(admit('allow: [{match: "*:batch", from: [openrouter]}]', rows)) == []
    said = warnings('allow: [{match: "*:batch", from: [openrouter]}]', *rows)
    assert said == (
        "rule 1 finds nothing: openrouter/acme/storm-1:batch :batch is a variant and works in "
        "batch calls only, and needs its exact id",
    )


@needs_catalogs
def test_no_pattern_admits_a_real_model_one_cannot_chat_with() -> None:
    catalogs = real_catalogs()
    catalogs["openrouter"] = real_catalog("openrouter", "2026-07-30")
    everything = 'allow: [{match: "*", stage: any}, {match: "*:*", stage: any}, {match: "*:free"}]'
    text = f"providers: {{{', '.join(f'{name}: {{}}' for name in catalogs)}}}\n{everything}"
    admitted = admission.admit(RuleContext(load(text), catalogs, TODAY)).admitted
    assert len(admitted) > 300
    assert {row.model.kind for row in admitted} == {Kind.CHAT}
    assert not [row.model.id for row in admitted if row.model.batch_only]


@pytest.mark.parametrize(
    ("rule", "facts", "says"),
    [
        ('match: "gpt-*", where: {input_price: "<= 5"}', {}, "2 match, none states a price"),
        ('match: "gpt-*", where: {tools: true}', {}, "2 match, none states whether it takes tools"),
        ('match: "gpt-*", where: {free: true}', {"cost": ("1", "2")}, "2 match, none meets free"),
        (
            'match: "gpt-*", where: {context: ">= 100k"}',
            {"context": 8000},
            "2 match, none meets context >= 100000",
        ),
        ('match: "gpt-*", max_age: 30d', {}, "2 match, none has a known release day"),
        (
            'match: "gpt-*", max_age: 30d',
            {"released": date(2025, 1, 1)},
            "2 match, all older than 30 days",
        ),
        ('match: "gpt-*", stage: preview', {}, "2 match, all stable; `stage: any` takes them"),
        ('match: "gpt-*"', {"ends": date(2026, 1, 1)}, "2 match, and all have ended"),
    ],
)
def test_a_rule_whose_every_match_fails_says_why(
    rule: str, facts: dict[str, Any], says: str
) -> None:
    rows = models("openai/gpt-5.5", "openai/gpt-5.6", **facts)
    (said,) = warnings(f"allow: [{{{rule}}}]", *rows)
    assert said.startswith(f"rule 1 admits nothing: {says}")


def test_several_reasons_are_counted() -> None:
    rows = [
        *models("openai/gpt-5.1", "openai/gpt-5.2"),
        model("openai/gpt-5.3", cost=("9", "9")),
        model("openai/gpt-5.4-preview"),
    ]
    (said,) = warnings('allow: [{match: "gpt-*", where: {input_price: "<= 5"}}]', *rows)
    assert said == (
        "rule 1 admits nothing: 4 match: 2 that do not state a price, "
        "1 that do not meet input_price <= 5, 1 preview"
    )


def test_a_rule_that_admits_one_says_nothing() -> None:
    rows = [*models("openai/gpt-5.5", "openai/gpt-5.6"), model("openai/gpt-5.7", cost=("1", "1"))]
    assert warnings('allow: [{match: "gpt-*", where: {input_price: "<= 5"}}]', *rows) == ()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("family: claude-sonet", "lists claude-sonet by anthropic; did you mean 'claude-sonnet'?"),
        ("match: CLAUDE-*", "lists CLAUDE-*; did you mean 'claude-*'?"),
        ("match: claud-*", "lists claud-*; did you mean 'claude-*'?"),
        ("match: claude-sonnet-55", "did you mean 'claude-sonnet-5'?"),
        ("family: qwen-coder", "nobody asked lists qwen-coder by qwen"),
        (
            "family: storm-mini",
            "nobody asked lists storm-mini",
        ),
    ],
)
def test_the_nearest_name_and_the_maker_are_said(rule: str, says: str) -> None:
    (said,) = warnings(f"allow: [{{{rule}}}]", *models("anthropic/claude-sonnet-5"))
    assert says in said


def test_a_family_of_another_maker_is_named() -> None:
    row = model("openrouter/acme/claude-sonnet-9", maker="acme")
    (said,) = warnings("allow: [{family: claude-sonnet, from: [openrouter]}]", row)
    assert said == (
        "rule 1 finds nothing: nobody asked lists claude-sonnet by anthropic; "
        "openrouter/acme/claude-sonnet-9 is by acme; `acme/claude-sonnet` would name it"
    )


ONE = "as one family that was renamed"


@pytest.mark.parametrize(
    ("names", "rows", "warned"),
    [
        ("claude-opus, claude-haiku", "claude-opus-5 claude-haiku-4-5 claude-opus-4-1", True),
        ("gpt, gpt-mini", "gpt-5.5 gpt-5.5-mini gpt-5.4 gpt-5.4-mini", True),
        ("storm-chat, storm", "storm-chat-1 storm-chat-2 storm-3 storm-4", False),
        ("storm, storm-chat", "storm-chat-1 storm-chat-2 storm-3 storm-4", False),
        ("claude-opus, gpt", "claude-opus-5 gpt-5.5", True),
        ("storm, missing", "storm-1 storm-2", False),
    ],
)
def test_families_that_are_not_one_are_warned_of(names: str, rows: str, warned: bool) -> None:
    listed = models(*(f"openrouter/{row}" for row in rows.split()))
    rule = f"allow: [{{family: [{names}], from: [openrouter], newest: 1}}]"
    assert any(ONE in line for line in warnings(rule, *listed)) is warned
    every = f"allow: [{{family: [{names}], from: [openrouter]}}]"
    assert not any(ONE in line for line in warnings(every, *listed)), "all of them are admitted"


def test_a_moving_id_is_compared_with_our_newest_not_with_a_variant() -> None:
    rows = [
        model("openrouter/z-ai/glm-5.2:free", maker="zai"),
        model("openrouter/z-ai/glm-5.3", maker="zai"),
        model("openrouter/~z-ai/glm-latest", maker="zai", points_at="z-ai/glm-5.3"),
    ]
    free = 'allow: [{match: "*:free", from: [openrouter], newest: 1}]'
    assert not any("points at" in line for line in warnings(free, *rows))
    old = 'allow: [{match: "z-ai/glm-5.1", from: [openrouter], newest: 1}]'
    older = model("openrouter/z-ai/glm-5.1", maker="zai")
    assert any("our newest of glm is z-ai/glm-5.1" in line for line in warnings(old, older, *rows))


@needs_catalogs
def test_the_families_that_read_as_one() -> None:
    for day in ("2026-07-30", "2026-08-21"):
        rows = {row.id: row for row in real_catalog("openrouter", day)}
        for family, members in {
            "glm-v": ("z-ai/glm-4.5v", "z-ai/glm-4.6v"),
            "l-euryale-70b": ("sao10k/l3.1-euryale-70b", "sao10k/l3.3-euryale-70b"),
        }.items():
            listed = [rows[one] for one in members if one in rows]
            rule = f"allow: [{{family: {family}, from: [openrouter], newest: 1}}]"
            newest = ids(admit(rule, listed))
            assert newest == [f"openrouter/{members[-1]}"] or not listed
