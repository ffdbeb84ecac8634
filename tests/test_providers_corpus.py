"""The adapters on what providers really answered; skipped where the corpus is not there."""

from __future__ import annotations

import os
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from rollcall.catalog.model import CAPABILITIES, Answer, Kind, Model, Verdict
from rollcall.providers.answers import stored_answer
from rollcall.providers.builtin import BUILTIN
from rollcall.providers.rows import is_id

_NEIGHBOUR = Path(__file__).resolve().parents[1].parent / "shared"
CORPUS = Path(os.environ.get("ROLLCALL_CORPUS") or _NEIGHBOUR) / "catalogs"
NAMES = {"dashscope": "qwen", "llamacpp": "vllm"}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the project")


def counts() -> list[tuple[str, int]]:
    """(file, models) of every recorded list, as the corpus's own index counts them."""
    index = CORPUS / "INDEX.md"
    rows = index.read_text(encoding="utf-8") if index.is_file() else ""
    found = re.findall(r"^\| (\w+) \| (\S+\.json) \| (\d+) \|", rows, re.MULTILINE)
    return [(f"{folder}/{name}", int(count)) for folder, name, count in found if int(count)]


def parsed(file: str) -> Answer:
    folder = file.partition("/")[0]
    provider = BUILTIN[NAMES.get(folder, folder)]
    body = (CORPUS / file).read_bytes()
    return stored_answer(provider, [body], fetched_at="2026-11-20T00:00:00Z")


def model(file: str, model_id: str) -> Model:
    return next(found for found in parsed(file).models if found.id == model_id)


@pytest.mark.parametrize(("file", "count"), counts())
def test_every_recorded_list_is_read_whole(file: str, count: int) -> None:
    answer = parsed(file)
    assert answer.verdict is Verdict.OK
    assert answer.offline
    doubles = 2 if file.startswith("mistral/") else 0
    assert (len(answer.models), len(answer.notes)) == (count - doubles, doubles)
    for found in answer.models:
        assert is_id(found.id)
        assert set(found.capabilities) <= set(CAPABILITIES)
        for price in (found.price.input, found.price.output, found.price.cache_read):
            dearest = Decimal("0.01") if found.kind is Kind.CHAT else Decimal(1)
            assert price is None or 0 <= price < dearest


@pytest.mark.parametrize(
    ("file", "verdict"),
    [
        ("gpustack/2026-01-16.json", Verdict.BAD_BODY),
        ("perplexity/2026-10-09-HTTP401.json", Verdict.AUTH),
    ],
)
def test_what_is_no_list_is_said(file: str, verdict: Verdict) -> None:
    row = BUILTIN["perplexity" if "perplexity" in file else "vllm"]
    answer = stored_answer(row, [(CORPUS / file).read_bytes()])
    assert answer.verdict is verdict
    assert answer.models == ()


def test_openrouter_rows_checked_by_hand() -> None:
    file = "openrouter/2026-08-16-raw.json"
    sonnet = model(file, "anthropic/claude-sonnet-5")
    assert (sonnet.released, sonnet.context, sonnet.max_output) == (
        date(2026, 6, 30),
        1000000,
        128000,
    )
    assert (sonnet.price.input, sonnet.price.output) == (Decimal("0.000002"), Decimal("0.00001"))
    assert (sonnet.price.cache_read, sonnet.price.cache_write) == (
        Decimal("0.0000002"),
        Decimal("0.0000025"),
    )
    assert sonnet.canonical == "anthropic/claude-sonnet-5-20260630"
    moving = model(file, "~deepseek/deepseek-v4-flash-latest")
    assert (moving.points_at, moving.context) == ("deepseek/deepseek-v4-flash-0731", 1024000)
    seed = model(file, "bytedance-seed/seed-2.0-code")
    assert [tier.above_tokens for tier in seed.price.tiers] == [128000]
    assert seed.price.blended == Decimal("0.000009")
    assert model(file, "google/gemini-3.7-flash:batch").batch_only
    assert model(file, "z-ai/glm-5-turbo").ends is None
    assert model(file, "z-ai/glm-4.5").ends == date(2026, 12, 31)
    auto = model(file, "openrouter/auto")
    assert (auto.kind, auto.price.known) == (Kind.OTHER, False)
    assert model(file, "google/gemini-3-pro-image-preview").kind is Kind.IMAGE


def test_xai_rows_checked_by_hand() -> None:
    grok = model("xai/2026-08-17-resorted.json", "grok-4.5")
    assert (grok.price.input, grok.price.output) == (Decimal("0.000002"), Decimal("0.000006"))
    assert grok.price.tiers[0].above_tokens == 199999
    assert grok.price.tiers[0].output == Decimal("0.000012")
    assert grok.aliases == ("grok-4.5-latest", "grok-build-latest")
    assert (grok.released, grok.context) == (date(2026, 6, 29), 500000)
    docs = model("xai/2025-docs-example.json", "grok-2-vision-1212")
    assert (docs.kind, docs.capabilities["vision"], docs.context) == (Kind.CHAT, True, None)
    bare = model("xai/2025-11-18-resorted.json", "grok-2-image-1212")
    assert (bare.kind, bare.price.known) == (Kind.IMAGE, False)
    video = model("xai/2026-08-17-resorted.json", "grok-imagine-video")
    assert video.kind is Kind.VIDEO


def test_gemini_rows_checked_by_hand() -> None:
    file = "gemini/2026-08-17-resorted.json"
    flash = model(file, "gemini-3.7-flash")
    assert (flash.display_name, flash.context, flash.max_output) == (
        "Gemini 3.7 Flash",
        1048576,
        65536,
    )
    chat = [found.id for found in parsed(file).models if found.kind is Kind.CHAT]
    assert len(chat) == 17
    others = "image|tts|embed|veo|omni|live|robot|research"
    assert not [one for one in chat if re.search(others, one)]


def test_anthropic_perplexity_and_openai_rows_checked_by_hand() -> None:
    fable = model("anthropic/2026-06-28-raw.json", "claude-fable-5")
    assert (fable.released, fable.context, fable.max_output) == (date(2026, 6, 7), 1000000, 128000)
    assert fable.capabilities["reasoning"]
    haiku = model("perplexity/2026-08-10.json", "anthropic/claude-haiku-4-5")
    assert haiku.litellm_model == "perplexity/anthropic/claude-haiku-4-5"
    assert (haiku.price.cache_write, haiku.mode) == (Decimal("0.00000125"), "responses")
    old = model("openai/2026-08-17-resorted.json", "gpt-3.5-turbo-instruct")
    assert (old.kind, old.ends) == (Kind.OTHER, date(2026, 9, 28))
    ended = [found for found in parsed("openai/2026-08-04-resorted.json").models if found.ends]
    assert len(ended) == 57


def test_the_others_checked_by_hand() -> None:
    flash = model("deepseek/2026-09-26-docs-example.json", "deepseek-flash")
    assert (flash.context, flash.display_name) == (1048576, "DeepSeek-V4.1-Flash")
    guard = model("groq/2026-04-utf16.json", "openai/gpt-oss-safeguard-20b")
    assert (guard.context, guard.kind) == (131072, Kind.MODERATION)
    oss = model("groq/2026-H2.json", "openai/gpt-oss-120b")
    assert (oss.price.output, oss.capabilities["tools"]) == (Decimal("6e-7"), True)
    medium = model("mistral/2026-02-19.json", "mistral-medium-latest")
    assert (medium.points_at, medium.released) == ("mistral-medium-2508", None)
    nemo = model("mistral/2026-02-19.json", "open-mistral-nemo-2407")
    assert nemo.points_at is None
    llama = model("llamacpp/2025-06-05.json", "/home/void/models/qwen3/14B-Q4KM.gguf")
    assert llama.context == 40960
