"""Whatever a reply says: no absurd price is written, nothing without text comes in unnamed, and a
part of a list withdraws nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.replaying import Replay, models_of, replay_of

TODAY = date(2026, 11, 28)
PROVIDERS = ("openrouter", "openai", "together", "perplexity", "deepseek")
EVERYTHING = (
    f"providers: {{{', '.join(f'{name}: {{}}' for name in PROVIDERS)}}}\n"
    'allow: [{match: "*", stage: any}, {match: "*:free", stage: any}, {match: "*:batch"}]\n'
    "aliases: {cheap: {cheapest: {free: true}}}\nguards: {max_models: 999}\n"
)

AMOUNT: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([0, "0", "-1", -1, None, "free", True, [], {}, {"usd": 3}, "1e3", "NaN"]),
    st.floats(0, 1e9, allow_nan=False),
    st.floats(1e-9, 1e-3).map(str),
)
MODALITY = st.sampled_from(["text", "image", "decisions", "embeddings", "audio", "scent", "TEXT"])
MODALITIES = st.none() | st.lists(MODALITY, max_size=3) | MODALITY
WORD = st.sampled_from(["chat", "embedding", "image_generation", "llm", "base", "rerank", "", 7])
FLAG = st.sampled_from([True, False, "false", "true", None, 1])
UNIT = st.sampled_from([None, "1M", "token", "per_1k_tokens", "per minute", 1000000, ""])
PRICING_KEYS = ("prompt", "completion", "input", "output", "hourly", "request", "cache_read")


@st.composite
def row(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """One row of a list, with any of the fields that mean something anywhere."""
    suffix = draw(st.sampled_from(["", "", ":free", ":batch", "-embed", "-image"]))
    fields: dict[str, st.SearchStrategy[Any]] = {
        "pricing": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(PRICING_KEYS, AMOUNT) | {"unit": UNIT}
        ),
        "architecture": st.fixed_dictionaries(
            {},
            optional={
                "output_modalities": MODALITIES,
                "input_modalities": MODALITIES,
                "tokenizer": st.sampled_from(["Router", "GPT", None]),
            },
        ),
        "output_modalities": MODALITIES,
        "mode": WORD,
        "type": WORD,
        "supports_chat": FLAG,
        "capabilities": st.fixed_dictionaries(
            {}, optional={"chat_completion": FLAG, "inference": FLAG, "completion_chat": FLAG}
        ),
        "status": st.sampled_from(["deprecated", "active", "retired", None, 5]),
        "created": st.sampled_from([1776902400, 1776902400000, 1677610602, 0, "soon"]),
        "input_cost_per_token": AMOUNT,
        "prompt_text_token_price": AMOUNT,
        "completion_text_token_price": AMOUNT,
        "context_length": st.sampled_from([8192, "8192", -1, None]),
    }
    found = draw(st.fixed_dictionaries({}, optional=fields))
    return {"id": f"acme/storm-{number}{suffix}", **found}


ROWS = st.integers(1, 6).flatmap(lambda count: st.tuples(*(row(number=n) for n in range(count))))


def gives_text(found: dict[str, Any]) -> bool:
    """Whether a row's stated outputs have text, or state nothing."""
    stated = [(found.get("architecture") or {}).get("output_modalities")]
    stated.append(found.get("output_modalities"))
    outputs = next((one for one in stated if one), None)
    words = [outputs] if isinstance(outputs, str) else outputs or ["text"]
    return "text" in [word.lower() for word in words]


@given(st.sampled_from(PROVIDERS), ROWS)
@settings(max_examples=120, deadline=None)
def test_no_reply_writes_an_absurd_price_or_lets_in_what_gives_no_text(
    provider: str, rows: tuple[dict[str, Any], ...]
) -> None:
    replay = replay_of(EVERYTHING)
    replay.listed[provider] = models_of(provider, rows)
    decided = replay.run(TODAY).decision
    by_id = {found["id"]: found for found in rows}
    for entry in decided.blocks.models:
        info = entry["model_info"]
        costs = [value for key, value in info.items() if "_cost" in key]
        assert all(0 <= cost <= 0.01 for cost in costs), info
        found = by_id[info["id"].removeprefix(f"rollcall/{provider}/")]
        assert gives_text(found), "no rule names its exact id"
        assert found.get("mode") not in ("embedding", "image_generation", "rerank")
        assert found.get("supports_chat") not in (False, "false")
        assert not found["id"].endswith((":batch", "-embed", "-image"))
        assert found.get("status") != "deprecated"
    for name in decided.blocks.aliases:
        info = replay.entries[replay.aliases[name]]["model_info"]
        pricing = by_id[info["id"].removeprefix(f"rollcall/{provider}/")].get("pricing", {})
        free = not info["input_cost_per_token"] and not info["output_cost_per_token"]
        assert not (free and "hourly" in pricing), "what is billed by the hour is not free"


FAMILIES = ("storm", "breeze", "gale-mini")
IDS = st.lists(
    st.tuples(st.sampled_from(FAMILIES), st.integers(1, 9)).map(
        lambda one: f"acme/{one[0]}-{one[1]}"
    ),
    unique=True,
    min_size=1,
    max_size=12,
)
RULES = st.sampled_from(
    [
        '{match: "*"}',
        '{match: "*", newest: 1}',
        '{match: "*", newest: 2, max: 3}',
        "{family: storm, newest: 1}, {family: breeze}",
        '{match: "*", where: {context: ">= 1000"}}',
    ]
)


@given(RULES, IDS, st.lists(IDS, min_size=1, max_size=3), st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_a_part_of_a_list_withdraws_nothing(
    rules: str, whole: list[str], parts: list[list[str]], days: int
) -> None:
    replay: Replay = replay_of(
        f"providers: {{openrouter: {{}}}}\nallow: [{rules}]\naliases: {{}}\n"
        "grace: {vanished: 1d, superseded: 1d}\n"
    )
    day = TODAY
    for number, ids in enumerate([whole, *parts]):
        if number:
            replay.partly = {"openrouter"}
            replay.before = {} if number % 2 else replay.before
        rows = [{"id": one, "context_length": 8192, "created": 1776902400} for one in ids]
        replay.listed["openrouter"] = models_of("openrouter", rows)
        before = replay.entries
        decided = replay.run(day).decision
        assert not decided.refused
        for name, entry in before.items():
            if name.removeprefix("openrouter/") not in ids:
                assert replay.entries[name] == entry, (name, decided.model_list.reasons)
        day += timedelta(days=days)
