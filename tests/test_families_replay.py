"""Our newest against what OpenRouter itself calls latest, in captures and in a list of our own."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rollcall.catalog.model import Model
from rollcall.catalog.order import group, release_date
from rollcall.catalog.reading import read

CORPUS = Path(
    os.environ.get("ROLLCALL_CORPUS") or Path(__file__).resolve().parents[1].parent / "shared"
)
CAPTURES = sorted((CORPUS / "catalogs" / "openrouter").glob("2026-0[6-8]*.json"))
needs_corpus = pytest.mark.skipif(not CAPTURES, reason="the captured catalogs are not here")

DIFFERENT: dict[tuple[str, str], str] = {}
"""(capture, moving row) -> why our newest is another model. None is, at present."""

NOT_IN_RELEASE_ORDER = {
    # Qwen released a new snapshot of the older Plus after the newer one.
    ("qwen", "qwen-plus"),
    # A preview of an existing version that came after its stable release.
    ("google", "gemini-flash-lite"),
    # The image model of GPT-5 and the GPT Image line count separately under one name.
    ("openai", "gpt-image"),
    ("openai", "gpt-image-mini"),
    # A router: beta is the later one.
    ("openrouter", "auto"),
}

OWN_ROWS = """
    acme/comet-3-mini 2026-05-01
    acme/comet-3.5 2026-04-02
    acme/comet-4-preview 2026-06-01
    acme/comet-3 2025-11-20
    acme/comet-3.5-20260402 2026-04-02
    acme/comet-3.5:batch 2026-07-01
    acme/comet-4-fast 2026-06-20
    x-ai/grok-4.20 2026-03-31
    x-ai/grok-4.3 2026-04-30
    x-ai/grok-4 2025-07-09
    deepseek/deepseek-v4-flash 2026-04-24
    deepseek/deepseek-v4-flash-0731 2026-07-31
    openai/gpt-5.5 2026-04-24
    openai/gpt-5.6-terra 2026-07-09
    openai/gpt-5.6-sol 2026-07-09
    anthropic/claude-sonnet-5 2026-06-30
    anthropic/claude-4.5-sonnet 2025-09-29
    acme/claude-sonnet-99 2026-08-01
"""
OWN_LATEST = {
    "~acme/comet-latest": "acme/comet-4-preview",
    "~acme/comet-mini-latest": "acme/comet-3-mini",
    "~x-ai/grok-latest": "x-ai/grok-4.3",
    "~deepseek/deepseek-v4-flash-latest": "deepseek/deepseek-v4-flash-0731",
    "~openai/gpt-latest": "openai/gpt-5.6-sol",
    "~anthropic/claude-sonnet-latest": "anthropic/claude-sonnet-5",
}


def rows_of(capture: Path) -> list[dict[str, Any]]:
    body: dict[str, list[dict[str, Any]]] = json.loads(capture.read_text(encoding="utf-8"))
    return body.get("data") or body["models"]


def as_model(model_id: str, released: date) -> Model:
    return Model(
        provider="openrouter",
        id=model_id,
        litellm_model=f"openrouter/{model_id}",
        released=released,
    )


def candidates(rows: list[dict[str, Any]]) -> list[Model]:
    models = [
        as_model(row["id"], datetime.fromtimestamp(row["created"], UTC).date()) for row in rows
    ]
    return [one for one in models if not (one.reading.moving or one.reading.variant)]


def newest_of(moving_id: str, models: list[Model]) -> str:
    reading = read(moving_id)
    return group(models)[reading.maker, reading.family][0][0].id


def in_release_order(models: list[Model]) -> tuple[int, list[tuple[str | None, str]]]:
    """How many neighbours of our order have different days, and the families of those that rise."""
    compared, rising = 0, []
    for family, found in group(models).items():
        days = [release_date(one) for version in found for one in version]
        for newer, older in pairwise([day for day in days if day]):
            compared += newer != older
            if newer < older:
                rising.append(family)
    return compared, rising


@needs_corpus
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_our_newest_is_what_openrouter_calls_latest(capture: Path) -> None:
    rows = rows_of(capture)
    models = candidates(rows)
    targets = {row["id"]: row["alias_target"]["slug"] for row in rows if row.get("alias_target")}
    for moving_id, target in targets.items():
        if (capture.name, moving_id) not in DIFFERENT:
            assert newest_of(moving_id, models) == target, moving_id


@needs_corpus
def test_the_captures_hold_the_rows_this_compares() -> None:
    counts = [sum(bool(row.get("alias_target")) for row in rows_of(one)) for one in CAPTURES]
    assert sum(counts) == 33


@needs_corpus
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_our_order_is_release_order_nearly_always(capture: Path) -> None:
    compared, rising = in_release_order(candidates(rows_of(capture)))
    assert compared > 80
    assert len(rising) / compared <= 0.04
    assert set(rising) <= NOT_IN_RELEASE_ORDER


@needs_corpus
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_every_row_of_a_capture_has_a_maker_and_a_family(capture: Path) -> None:
    readings = [read(row["id"]) for row in rows_of(capture)]
    assert all(reading.maker and reading.family for reading in readings)
    moving = {reading.id for reading in readings if reading.moving}
    assert moving == {one.id for one in readings if one.id[0] == "~" or one.id.endswith("-latest")}


def test_our_newest_is_the_latest_of_our_own_list() -> None:
    models = [
        as_model(model_id, date.fromisoformat(day))
        for model_id, day in (line.split() for line in OWN_ROWS.split("\n") if line.strip())
        if not read(model_id).variant
    ]
    assert {moving_id: newest_of(moving_id, models) for moving_id in OWN_LATEST} == OWN_LATEST
    assert in_release_order(models)[1] == []
