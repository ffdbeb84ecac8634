"""The body of the pull request that regenerates config.yaml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.house import House

FOUR = ("anthropic", "xai", "gemini", "openrouter")
RULES = """
allow:
  - {family: claude-haiku, from: [anthropic], newest: 1}
  - {match: "grok-4*", from: [xai], newest: 1}
  - {family: gemini-flash, from: [gemini], newest: 1}
  - {family: claude-sonnet, from: [openrouter], newest: 1}
aliases:
  default: {family: claude-haiku}
  grok: {family: grok, fallbacks: [default]}
"""


@pytest.fixture
def furnished(house: House) -> House:
    """Four providers and one entry of each."""
    house.write_policy(RULES, *FOUR)
    return house


def sections(text: str) -> dict[str, list[list[str]]]:
    """Heading -> the rows of the table below it, as cells."""
    found: dict[str, list[list[str]]] = {}
    for part in text.split("\n### ")[1:]:
        title, _, rest = part.partition("\n")
        lines = [line for line in rest.splitlines() if line.startswith("| ")][1:]
        found[title] = [re.split(r"(?<!\\) ?\| ?", line)[1:-1] for line in lines]
    return found


def test_a_first_plan_names_every_model_with_price_age_and_reason(furnished: House) -> None:
    text = furnished.run("plan", "--markdown").out
    found = sections(text)
    assert list(found) == ["Models", "Aliases", "Fallbacks", "Providers"]
    assert found["Models"][1] == [
        "added",
        "`xai/grok-4.6`",
        "$2.00 / $6.00",
        "2026-08-06, 106 days old",
        "rule 2: newest 1 of grok",
    ]
    assert found["Models"][0][2] == "$1.00 / $5.00 (OpenRouter's)"
    assert "$1.00 / $5.00*" in furnished.run("plan", "-q").out
    assert found["Aliases"][1][:5] == [
        "`grok`",
        "-",
        "`xai/grok-4.6`",
        "$2.00 / $6.00",
        "2026-08-06, 106 days old",
    ]
    assert found["Fallbacks"][0][:3] == ["`grok`", "-", "`anthropic/claude-haiku-4-5-20251001`"]
    assert ["`xai`", "ok", "8", ""] in found["Providers"]


def test_old_and_new_price_what_is_held_and_who_did_not_answer(furnished: House) -> None:
    furnished.applied()
    rows: list[dict[str, Any]] = furnished.sim.rows("xai")  # type: ignore[assignment]
    (newest,) = [row for row in rows if row["id"] == "grok-4.6"]
    dear = {**newest, "id": "grok-4.9", "created": newest["created"] + 90 * 86400}
    for field in ("prompt_text_token_price", "completion_text_token_price"):
        dear[field] = newest[field] * 5
    furnished.sim.set_rows("xai", [*rows, dear])
    furnished.sim.fault("gemini", Fault.SERVER_ERROR)
    offers: list[dict[str, Any]] = furnished.sim.rows("openrouter")  # type: ignore[assignment]
    for row in offers:
        if row["id"] == "anthropic/claude-sonnet-5":
            row["pricing"]["prompt"] = "0.000003"
    furnished.sim.set_rows("openrouter", offers)
    text = furnished.run("plan", "--markdown").out
    assert text.splitlines()[2] == (
        "1 added, 1 updated, 1 leaving. 1 held back. Could not be asked, entries kept: `gemini`."
    )
    found = sections(text)
    models = {row[1]: row for row in found["Models"]}
    assert models["`xai/grok-4.9`"][0] == "added"
    assert models["`xai/grok-4.6`"][0] == "leaves"
    assert (
        models["`xai/grok-4.6`"][4] == "on 2026-12-04 (superseded by grok-4.9 (rule 2: newest 1))"
    )
    price = models["`openrouter/anthropic/claude-sonnet-5`"]
    assert price[2] == "$2.00 / $10.00 -> $3.00 / $10.00"
    assert "input price" in price[4]
    (held,) = found["Held back"]
    assert held[0] == "`grok`"
    assert "price rises" in held[2]
    assert "--accept" in held[3]
    assert "`accept:` in the policy" in held[3]
    (gemini,) = [row for row in found["Providers"] if row[0] == "`gemini`"]
    assert gemini[1] == "http_error"
    assert "entries kept" in gemini[3]


def test_a_refused_plan_says_which_guard_and_how_to_accept(furnished: House) -> None:
    furnished.write_policy(RULES + "guards: {max_models: 2}\n", *FOUR)
    ran = furnished.run("plan", "--markdown", "--check")
    assert ran.code == 3
    assert "**A guard refused this plan; config.yaml stays as it is.**" in ran.out
    assert "To accept:" in ran.out


def test_nothing_to_change_is_one_clear_sentence(furnished: House) -> None:
    furnished.applied()
    text = furnished.run("plan", "--markdown").out
    assert text.splitlines()[2] == "Nothing changes."
    assert list(sections(text)) == ["Providers"]


def test_a_providers_words_cannot_break_the_table_or_mention_anyone(furnished: House) -> None:
    rows: list[dict[str, Any]] = furnished.sim.rows("xai")  # type: ignore[assignment]
    evil = {**rows[0], "id": "grok-4.99`|@maintainers<img src=x>\n# owned"}
    furnished.sim.set_rows("xai", [*rows, evil])
    text = furnished.run("plan", "--markdown").out
    tables = text.split("<details>")[0]
    assert "\n# owned" not in tables
    assert "@maintainers" not in re.sub(r"`[^`]*`", "", tables)
    assert "<img" not in re.sub(r"`[^`]*`", "", tables)


def test_an_entry_that_comes_back_says_that_it_stays(furnished: House) -> None:
    furnished.applied()
    rows = furnished.sim.rows("xai")
    furnished.sim.set_rows("xai", [row for row in rows if row["id"] != "grok-4.6"])  # type: ignore[index]
    furnished.applied()
    furnished.sim.set_rows("xai", rows)
    models = {row[1]: row for row in sections(furnished.run("plan", "--markdown").out)["Models"]}
    assert models["`xai/grok-4.6`"][4].startswith("stays after all")
