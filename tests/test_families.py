"""How ids are read, and what newest means."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import combinations, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.catalog.model import Model
from rollcall.catalog.names import canonical_maker
from rollcall.catalog.order import group, newest_first, release_date, versions
from rollcall.catalog.reading import Stage, is_family, read

READINGS = Path(__file__).parent / "data" / "readings.txt"


def rows() -> list[list[str]]:
    lines = READINGS.read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def model(model_id: str, released: str = "", provider: str = "somewhere", **more: object) -> Model:
    day = date.fromisoformat(released) if released else None
    return Model.model_validate(
        {
            "provider": provider,
            "id": model_id,
            "litellm_model": model_id,
            "released": day,
            **more,
        }
    )


def ids(models: list[Model]) -> list[str]:
    return [one.id for one in models]


# --- reading ---


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]} ({row[1]})")
def test_every_id_of_the_table_is_read_as_it_says(row: list[str]) -> None:
    reading = read(row[0], maker=None if row[1] == "-" else row[1])
    seen = [
        reading.maker,
        reading.family,
        reading.version,
        reading.revision,
        reading.stamp_text,
        reading.stamp and reading.stamp.isoformat(),
        reading.stage.value,
        reading.variant,
        "moving" if reading.moving else None,
    ]
    assert [value or "-" for value in seen] == row[2:]


def test_the_table_covers_every_stage_and_form() -> None:
    table = rows()
    assert len(table) > 600
    assert {row[8] for row in table} == {stage.value for stage in Stage}
    assert {"free", "batch", "thinking", "beta", "exacto", "extended"} <= {row[9] for row in table}


def test_the_three_spellings_of_one_model_are_one_family() -> None:
    spellings = [
        "claude-3-5-sonnet-20241022",
        "claude-sonnet-4-5",
        "anthropic/claude-4.5-sonnet",
        "claude-sonnet-4-5@20250929",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "Claude-Sonnet-4p5",
    ]
    assert {read(one).family for one in spellings} == {"claude-sonnet"}
    assert {read(one).version for one in spellings[1:]} == {"4.5"}


def test_the_id_keeps_its_case_and_the_family_does_not() -> None:
    reading = read("Qwen/Qwen3-32B")
    assert (reading.id, reading.family, reading.maker) == ("Qwen/Qwen3-32B", "qwen-32b", "qwen")
    assert is_family(reading, "Qwen-32B")


@pytest.mark.parametrize(
    ("model_id", "text"),
    [
        ("a-2025-02-30", ""),  # no such day
        ("a-1776", ""),
        ("a-2049", ""),
        ("a-1332", ""),
        ("a-02-29", "02-29"),
        ("a-002", ""),
        ("a-20250230-1106", "1106"),
    ],
)
def test_a_number_that_is_no_day_is_no_stamp(model_id: str, text: str) -> None:
    assert read(model_id).stamp_text == text
    assert read(model_id).dated is bool(text)


@given(st.text(), st.none() | st.text())
@settings(deadline=None, max_examples=300)
def test_reading_never_fails_and_keeps_the_id(model_id: str, maker: str | None) -> None:
    reading = read(model_id, maker=maker)
    assert reading.id == model_id
    assert reading.family == reading.family.lower()
    assert not is_family(reading, "")


NAME_PARTS = st.sampled_from(
    [
        "claude",
        "gpt",
        "grok",
        "sonnet",
        "-",
        ".",
        "_",
        ":",
        "/",
        "~",
        "@",
        "3",
        "4.5",
        "4.20",
        "0309",
        "2411",
        "20250929",
        "2025-09-29",
        "09-2025",
        "v1",
        "k2",
        "o3",
        "r1",
        "4o",
        "70b",
        "a22b",
        "preview",
        "beta",
        "exp",
        "latest",
        "fast",
        ":free",
        ":batch",
        ":0",
        "models/",
        "ft:",
        "x-ai/",
        "\x00",
        "\x1b[31m",
        "é",
        "٣",
        "İ",
        "...",
        "q4_k_m",
        ".gguf",
        "\\",
        "C:\\",
    ]
)


@given(st.lists(NAME_PARTS, max_size=12).map("".join))
@settings(deadline=None, max_examples=300)
def test_names_made_of_real_parts_never_fail_and_show_no_control_character(name: str) -> None:
    reading = read(name)
    assert reading.id == name
    assert reading.family.isprintable()
    assert reading.version.replace(".", "").isdecimal() or not reading.version
    assert read(name) == reading


@pytest.mark.parametrize("part", ["3-", "q4_k_", "xl", "2025-", "1.", "a1p", "/", ":", "v1-"])
def test_a_huge_id_is_read_all_the_same(part: str) -> None:
    assert read(part * 20_000).id == part * 20_000


# --- makers ---


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("x-ai", "xai"),
        ("~x-ai", "xai"),
        ("SpaceXAI", "xai"),
        ("gemini", "google"),
        ("meta-llama", "meta"),
        ("mistralai", "mistral"),
        ("Moonshot AI", "moonshot"),
        ("zhipu", "zai"),
        ("Alibaba Cloud", "qwen"),
        ("openai-internal", "openai"),
        ("Some Lab", "some-lab"),
    ],
)
def test_makers_go_by_several_names(name: str, maker: str) -> None:
    assert canonical_maker(name) == maker


@pytest.mark.parametrize(
    ("model_id", "stated", "maker"),
    [
        ("gpt-5", "system", "openai"),
        ("chat-latest", "system", "openai"),
        ("qwen-max", "system", "qwen"),  # DashScope says `system` too
        ("Qwen3-32B", "vllm", "qwen"),  # a local server: the head tells
        ("Qwen3-32B", None, "qwen"),
        ("my-own-model", "vllm", None),
        ("my-own-model", None, None),
        ("perplexity/kimi-k3", None, "moonshot"),  # a host's name on somebody else's model
        ("perplexity/sonar", None, "perplexity"),
        ("perplexity/llama-3.1-sonar-large-128k-online", None, "perplexity"),
        ("groq/compound", None, "groq"),
        ("azure/gpt-5", None, "openai"),
        ("claude-sonnet-99", "acme", "acme"),
        ("acme/claude-sonnet-99", "anthropic", "acme"),  # the id itself outweighs
        ("nvidia/llama-3.3-nemotron-super-49b-v1.5", None, "nvidia"),
    ],
)
def test_whose_model_it_is(model_id: str, stated: str | None, maker: str | None) -> None:
    assert read(model_id, maker=stated).maker == maker


def test_a_family_belongs_to_its_maker() -> None:
    assert is_family(read("claude-sonnet-5"), "claude-sonnet")
    assert is_family(read("anthropic/claude-sonnet-5"), "claude-sonnet")
    assert is_family(read("~anthropic/claude-sonnet-latest"), "claude-sonnet")
    assert not is_family(read("acme/claude-sonnet-99"), "claude-sonnet")
    assert is_family(read("acme/claude-sonnet-99"), "acme/claude-sonnet")
    assert not is_family(read("deepgram/nova-3"), "nova")
    assert is_family(read("deepgram/nova-3"), "deepgram/nova")


def test_vendor_and_family_together_say_it_outright() -> None:
    assert is_family(read("x-ai/grok-4.6"), "xai/grok")
    assert is_family(read("grok-4.6", maker="xai"), "x-ai/grok")
    assert is_family(read("deepseek/deepseek-chat-v3.1"), "deepseek/deepseek-chat")
    assert not is_family(read("openai/gpt-5"), "deepseek/gpt")
    assert is_family(read("perplexity/kimi-k3"), "moonshotai/kimi")
    assert is_family(read("perplexity/kimi-k3"), "perplexity/kimi")


def test_a_head_nobody_owns_matches_any_maker() -> None:
    assert is_family(read("inception/mercury-2"), "mercury")
    assert is_family(read("llava:latest"), "llava")


def test_a_family_is_matched_whole() -> None:
    assert not is_family(read("claude-opus-4.8-fast"), "claude-opus")
    assert is_family(read("claude-opus-4.8-fast"), "claude-opus-fast")
    assert not is_family(read("o3-mini"), "o")
    assert is_family(read("o3"), "o")


# --- the order ---


def test_the_newest_version_is_first_whatever_the_stage() -> None:
    models = [
        model("gemini-2.5-pro"),
        model("gemini-3.1-pro-preview"),
        model("gemini-3-pro-preview"),
    ]
    assert ids(newest_first(models))[0] == "gemini-3.1-pro-preview"


def test_of_one_version_the_finished_one_is_first() -> None:
    models = [
        model("gemini-2.5-pro-preview-06-05"),
        model("gemini-2.5-pro-exp-03-25"),
        model("gemini-2.5-pro"),
        model("gemini-2.5-pro-preview-05-06"),
    ]
    assert ids(newest_first(models)) == [
        "gemini-2.5-pro",
        "gemini-2.5-pro-preview-06-05",
        "gemini-2.5-pro-preview-05-06",
        "gemini-2.5-pro-exp-03-25",
    ]


def test_a_snapshot_of_the_first_days_stands_behind_its_bare_name() -> None:
    models = [model("gpt-5-2025-08-07", "2025-08-01"), model("gpt-5", "2025-08-05")]
    assert ids(newest_first(models)) == ["gpt-5", "gpt-5-2025-08-07"]
    assert len(versions(models)) == 1


def test_the_plain_level_of_service_stands_first() -> None:
    rows = [model("Pro/deepseek-ai/DeepSeek-V3.2"), model("deepseek-ai/DeepSeek-V3.2")]
    rows += [model("TEE/deepseek-v3.3")]
    assert ids(newest_first(rows)) == [
        "TEE/deepseek-v3.3",
        "deepseek-ai/DeepSeek-V3.2",
        "Pro/deepseek-ai/DeepSeek-V3.2",
    ]


def test_a_later_snapshot_is_newer_than_its_bare_name() -> None:
    models = [
        model("deepseek/deepseek-v4-flash", "2026-04-24"),
        model("deepseek/deepseek-v4-flash-0731", "2026-07-31"),
    ]
    assert ids(newest_first(models))[0] == "deepseek/deepseek-v4-flash-0731"


@pytest.mark.parametrize(("days", "first"), [(21, "acme/m-2"), (22, "acme/m-2-20250122")])
def test_the_margin_is_twenty_one_days(days: int, first: str) -> None:
    snapshot = date(2025, 1, 22)
    bare = (snapshot - timedelta(days=days)).isoformat()
    models = [model("acme/m-2-20250122"), model("acme/m-2", bare)]
    assert ids(newest_first(models))[0] == first


def test_a_bare_name_without_a_day_follows_its_newest_snapshot() -> None:
    models = [model("mistral-medium-2508"), model("mistral-medium"), model("mistral-medium-2505")]
    assert ids(newest_first(models))[0] == "mistral-medium"


def test_a_bare_name_that_still_reaches_an_old_snapshot_is_as_old() -> None:
    stuck = model("mistral-small", aliases=("open-mixtral-8x7b", "mistral-small-2312"))
    assert release_date(stuck) == date(2023, 12, 1)
    assert ids(newest_first([stuck, model("mistral-small-2506"), model("mistral-small-2312")])) == [
        "mistral-small-2506",
        "mistral-small",
        "mistral-small-2312",
    ]


def test_grok_counts_in_decimals_even_without_dates() -> None:
    models = [model(f"grok-{version}") for version in ("4", "4.20", "4.3", "4.5")]
    assert ids(newest_first(models)) == ["grok-4.5", "grok-4.3", "grok-4.20", "grok-4"]


def test_release_dates_tell_how_another_family_counts() -> None:
    decimals = [
        model("acme/zed-4.1", "2025-11-01"),
        model("acme/zed-4.20", "2026-03-01"),
        model("acme/zed-4.3", "2026-04-01"),
    ]
    assert ids(newest_first(decimals))[0] == "acme/zed-4.3"
    integers = [
        model("acme/zed-4.9", "2025-11-01"),
        model("acme/zed-4.10", "2026-03-01"),
        model("acme/zed-4.11", "2026-04-01"),
    ]
    assert ids(newest_first(integers))[0] == "acme/zed-4.11"


def test_without_dates_the_parts_of_a_version_are_integers() -> None:
    assert ids(newest_first([model("claude-opus-4-9"), model("claude-opus-4-10")]))[0].endswith(
        "10"
    )


def test_an_unversioned_name_is_below_every_version() -> None:
    models = [model("qwen-max", "2026-10-01"), model("qwen3-max", "2025-09-23")]
    assert ids(newest_first(models)) == ["qwen3-max", "qwen-max"]


def test_snapshots_are_the_versions_of_an_unversioned_family() -> None:
    models = [
        model("gpt-4o", "2024-05-10"),
        model("gpt-4o-2024-05-13", "2024-05-10"),
        model("gpt-4o-2024-08-06", "2024-08-04"),
        model("gpt-4o-2024-11-20", "2025-02-12"),
    ]
    assert [ids(version) for version in versions(models)] == [
        ["gpt-4o-2024-11-20"],
        ["gpt-4o-2024-08-06"],
        ["gpt-4o", "gpt-4o-2024-05-13"],
    ]


def test_several_providers_of_one_version_are_one_version() -> None:
    models = [
        model("claude-sonnet-5", "2026-06-29", "anthropic"),
        model("anthropic/claude-sonnet-5", "2026-06-30", "openrouter"),
        model("claude-sonnet-4-6", "2026-02-17", "anthropic"),
    ]
    assert [len(version) for version in versions(models)] == [2, 1]


def test_families_that_were_renamed_can_be_ordered_as_one() -> None:
    models = [
        model("deepseek/deepseek-chat-v3.1", "2025-08-21"),
        model("deepseek/deepseek-v3.2", "2025-12-01"),
        model("deepseek/deepseek-chat", "2024-12-26"),
    ]
    assert ids(newest_first(models))[0] == "deepseek/deepseek-v3.2"


def test_the_flagship_under_its_code_name_is_the_plain_family() -> None:
    models = [model("gpt-5.5"), model("gpt-5.6-sol"), model("gpt-5.6-luna"), model("gpt-5.4")]
    found = group(models)
    assert [ids(list(version))[0] for version in found["openai", "gpt"]] == [
        "gpt-5.6-sol",
        "gpt-5.5",
        "gpt-5.4",
    ]
    assert ("openai", "gpt-luna") in found


def test_a_strangers_model_is_no_member_of_the_family() -> None:
    found = group([model("anthropic/claude-sonnet-5"), model("acme/claude-sonnet-99")])
    assert list(found) == [("acme", "claude-sonnet"), ("anthropic", "claude-sonnet")]


# --- the order as such: total, transitive, the same whatever comes first ---

DAYS = st.none() | st.dates(date(2024, 1, 1), date(2026, 12, 31))
IDS = st.builds(
    "-".join,
    st.lists(
        st.sampled_from(
            [
                "4",
                "4.20",
                "4.3",
                "4.1",
                "5",
                "001",
                "preview",
                "exp",
                "20250929",
                "2025-10-10",
                "0309",
                "1106",
                "2411",
                "09-2025",
            ]
        ),
        max_size=4,
    ).map(lambda parts: ["zed", *parts]),
)
FAMILIES = st.lists(
    st.builds(
        lambda model_id, day, provider: Model(
            provider=provider, id=model_id, litellm_model=model_id, released=day
        ),
        IDS,
        DAYS,
        st.sampled_from(["here", "there"]),
    ),
    max_size=12,
    unique_by=lambda one: one.key,
)


@given(FAMILIES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_the_order_does_not_depend_on_the_input_order(
    models: list[Model], dice: random.Random
) -> None:
    shuffled = list(models)
    dice.shuffle(shuffled)
    assert newest_first(shuffled) == newest_first(models)
    assert list(group(shuffled).items()) == list(group(models).items())
    assert sorted(ids(newest_first(models))) == sorted(ids(models))


@given(FAMILIES)
@settings(deadline=None, max_examples=200)
def test_versions_are_distinct_and_never_rise(models: list[Model]) -> None:
    for family in group(models).values():
        named = [{one.reading.version for one in version} for version in family]
        for newer, older in combinations(named, 2):
            assert not (newer & older) or newer == older == {""}
        unversioned = [version == {""} for version in named]
        assert unversioned == sorted(unversioned)


def test_the_order_of_a_mixed_family_is_the_same_for_every_arrangement() -> None:
    models = [
        model("zed-4", "2025-01-01"),
        model("zed-4-20250110"),
        model("zed-4-20250301"),
        model("zed-4-preview", "2025-06-01"),
        model("zed-4.20", "2025-07-01"),
        model("zed", "2026-01-01"),
    ]
    orders = {tuple(ids(newest_first(arranged))) for arranged in permutations(models)}
    assert orders == {
        ("zed-4.20", "zed-4-20250301", "zed-4", "zed-4-20250110", "zed-4-preview", "zed")
    }


def test_nothing_in_nothing_out() -> None:
    assert newest_first([]) == []
    assert group([]) == {}
