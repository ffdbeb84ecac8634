"""What ends: told in time, by whose word, with who follows; aliases move before it is too late."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rollcall.catalog.facts import Facts, OtherLists, RecordedFacts
from tests.house import START
from tests.policy_making import TODAY, admit, candidate, ids, lead, model

if TYPE_CHECKING:
    from tests.house import House

OLD, NEW = "claude-sonnet-4-5-20250929", "claude-sonnet-5"


def write_map(house: House, monkeypatch: pytest.MonkeyPatch, **rows: dict[str, Any]) -> None:
    """A price map as LiteLLM ships it, with these rows of Anthropic's."""
    path = house.folder / "map.json"
    data = {name: {"litellm_provider": "anthropic", **row} for name, row in rows.items()}
    path.write_text(json.dumps(data), encoding="utf-8")
    monkeypatch.setenv("ROLLCALL_PRICE_MAP", str(path))


def ending(day: date, successor: str | None = NEW) -> dict[str, Any]:
    row = {"deprecation_date": day.isoformat()}
    return row if successor is None else {**row, "successor_model": successor}


def list_at_anthropic(house: House, *names: str) -> None:
    house.sim.set_rows(
        "anthropic", [{"type": "model", "id": name, "display_name": name} for name in names]
    )


POLICY = """
allow:
  - {match: "claude-sonnet-4-5*", from: [anthropic], name: "{id}"}
aliases:
  sonnet: anthropic/claude-sonnet-4-5-20250929
"""
BOTH = POLICY.replace("aliases:", '  - {family: claude-sonnet, newest: 1, name: "{id}"}\naliases:')


@pytest.fixture
def ends_soon(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Anthropic lists a model that LiteLLM's map gives ten more days."""
    list_at_anthropic(house, OLD, NEW)
    write_map(house, monkeypatch, **{OLD: ending(START + timedelta(days=10))})
    house.write_policy(POLICY, "anthropic")
    return house


class TestTelling:
    def test_plan_says_day_source_and_successor(self, ends_soon: House) -> None:
        plan = ends_soon.run("plan", "--json").json()
        (row,) = plan["last_days"]
        assert row == {
            "name": OLD, "model": f"anthropic/{OLD}", "ends": "2026-11-30", "source": "map.json",
            "successor": NEW, "follows": "not admitted by any rule", "aliases": ["sonnet"],
            "line": None,
        }  # fmt: skip
        (line,) = [
            line for line in plan["warnings"] if "ends on" in line and "alias" not in line[:6]
        ]
        assert line.startswith(f"{OLD} ends on 2026-11-30, in 10 days (map.json), successor {NEW}:")

    @pytest.mark.parametrize(
        ("successor", "listed", "follows"),
        [
            (NEW, True, f"admitted as {NEW}"),
            ("claude-sonnet-6", False, "would be admitted by rule 2"),
            ("claude-opus-9", False, "not admitted by any rule"),
        ],
    )
    def test_what_becomes_of_the_successor(
        self,
        ends_soon: House,
        monkeypatch: pytest.MonkeyPatch,
        successor: str,
        follows: str,
        *,
        listed: bool,
    ) -> None:
        ends_soon.write_policy(BOTH, "anthropic")
        list_at_anthropic(ends_soon, OLD, *([successor] if listed else []))
        write_map(ends_soon, monkeypatch, **{OLD: ending(START, successor)})
        (row,) = ends_soon.run("plan", "--json").json()["last_days"]
        assert row["follows"] == follows

    @pytest.mark.parametrize(("days", "told"), [(90, True), (91, False)])
    def test_ninety_days_before_unless_the_policy_says_otherwise(
        self, ends_soon: House, monkeypatch: pytest.MonkeyPatch, days: int, *, told: bool
    ) -> None:
        write_map(ends_soon, monkeypatch, **{OLD: ending(START + timedelta(days=days))})
        assert bool(ends_soon.run("plan", "--json").json()["last_days"]) is told

    @pytest.mark.parametrize("words", ["warn_before: []", "facts: []", "warn_before: [9d]"])
    def test_the_policy_can_ask_for_less(self, ends_soon: House, words: str) -> None:
        ends_soon.write_policy(
            f"defaults: {{{words}, timeout: 30s, deadline: 60s}}{POLICY}", "anthropic"
        )
        plan = ends_soon.run("plan", "--json").json()
        assert plan["last_days"] == []
        assert not any("ends on" in line for line in plan["warnings"])

    def test_the_providers_own_word_wins(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.sim.set_rows(
            "openai",
            [
                {
                    "id": "gpt-4",
                    "object": "model",
                    "owned_by": "system",
                    "shutdown_date": "2026-12-24",
                }
            ],
        )
        path = house.folder / "map.json"
        row = {"litellm_provider": "openai", **ending(START, "gpt-5")}
        path.write_text(json.dumps({"gpt-4": row}), encoding="utf-8")
        monkeypatch.setenv("ROLLCALL_PRICE_MAP", str(path))
        house.write_policy("allow: [{match: gpt-4}]\n", "openai")
        (last,) = house.run("plan", "--json").json()["last_days"]
        assert (last["ends"], last["source"], last["successor"]) == (
            "2026-12-24",
            "openai",
            "gpt-5",
        )
        house.applied()
        explained = house.run("explain", "gpt-4").out
        assert "announced end: 2026-12-24" in explained
        assert "ends: 2026-11-20   [map.json; the provider's word counts]" in explained

    def test_hand_written_entries_are_told_of_with_their_line(self, ends_soon: House) -> None:
        ends_soon.config.write_text(
            "model_list:\n- model_name: mine\n  litellm_params:\n"
            f"    model: anthropic/{OLD}\n    api_key: os.environ/ANTHROPIC_API_KEY\n"
            "- model_name: stranger\n  litellm_params: {model: other/thing}\n",
            encoding="utf-8",
        )
        ends_soon.write_policy("allow: []\naliases: {}\n", "anthropic")
        (row,) = ends_soon.run("plan", "--json").json()["last_days"]
        assert (row["name"], row["line"], row["ends"]) == ("mine", 2, "2026-11-30")

    def test_a_bare_model_is_told_of_with_the_provider_litellm_takes(
        self, ends_soon: House
    ) -> None:
        ends_soon.config.write_text(
            "model_list:\n- model_name: mine\n  litellm_params: {model: gpt-old}\n"
            "  model_info: {deprecation_date: '2026-11-30'}\n",
            encoding="utf-8",
        )
        ends_soon.write_policy("allow: []\naliases: {}\n", "anthropic")
        assert "openai/gpt-old ends on 2026-11-30" in ends_soon.run("plan").text

    def test_a_borrowed_day_in_the_past_takes_nothing_out(
        self, ends_soon: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_map(ends_soon, monkeypatch, **{OLD: ending(START - timedelta(days=5))})
        ran = ends_soon.applied()
        assert ends_soon.names() == [OLD]
        assert f"{OLD} ended on 2026-11-15 (map.json)" in ran.text

    def test_the_day_is_written_for_litellms_own_alerts(self, ends_soon: House) -> None:
        ends_soon.applied()
        assert ends_soon.entries()[OLD]["model_info"]["deprecation_date"] == "2026-11-30"
        assert ends_soon.run("apply", "--detailed-exitcode").code == 0, "and nothing changes again"


class TestStatusAndDoctor:
    def test_status_lists_them_and_alarms_only_when_asked(self, ends_soon: House) -> None:
        ends_soon.applied()
        shown = ends_soon.run("status", "--check")
        assert shown.code == 0
        assert "2026-11-30" in shown.out
        assert ends_soon.run("status", "--check", "--ends-within", "9d").code == 0
        alarmed = ends_soon.run("status", "--check", "--ends-within", "10d")
        assert alarmed.code == 1
        assert f"ALARM: {OLD} ends on 2026-11-30, in 10 days (map.json)" in alarmed.err
        (row,) = ends_soon.run("status", "--json").json()["last_days"]
        assert row["successor"] == NEW

    def test_never_is_never(self, ends_soon: House, monkeypatch: pytest.MonkeyPatch) -> None:
        write_map(ends_soon, monkeypatch, **{OLD: ending(START)})
        ends_soon.write_policy(
            f"defaults: {{warn_before: [], timeout: 30s, deadline: 60s}}{POLICY}", "anthropic"
        )
        ends_soon.applied()
        assert ends_soon.run("status", "--json").json()["last_days"] == []
        (row,) = ends_soon.run("status", "--json", "--ends-within", "0d").json()["last_days"]
        assert row["name"] == OLD

    def test_a_number_without_a_unit_is_a_mistake_of_two_lines(self, ends_soon: House) -> None:
        ran = ends_soon.run("status", "--ends-within", "30")
        assert ran.code == 1
        assert "--ends-within" in ran.err

    def test_doctor_says_what_to_do(self, ends_soon: House) -> None:
        ends_soon.applied()
        found = [
            row for row in ends_soon.run("doctor", "--json").json() if row["code"] == "last_day"
        ]
        assert len(found) == 1
        assert "ends on 2026-11-30" in found[0]["what"]
        assert found[0]["fix"].startswith(f"Admit {NEW} in policy.yaml")


class TestMoving:
    def pool(self, days: int, **more: Any) -> list[Any]:
        ends = TODAY + timedelta(days=days)
        return [
            candidate("anthropic/old", ends=ends, replaced_by="new", borrowed={"ends": "map"}),
            candidate("anthropic/new", **more),
        ]

    @pytest.mark.parametrize(("days", "target"), [(30, "anthropic/new"), (31, "anthropic/old")])
    def test_within_the_last_notice_even_a_model_named_outright_gives_way(
        self, days: int, target: str
    ) -> None:
        targets, (row,), _ = lead("allow: []\naliases: {a: anthropic/old}", self.pool(days))
        assert targets["a"] == target
        if days == 30:
            assert row.reason == (
                f"anthropic/old ends on {TODAY + timedelta(days=30)} (map), and its successor is "
                "admitted"
            )

    def test_the_policy_says_when(self) -> None:
        text = "allow: []\naliases: {a: anthropic/old}\ndefaults: {warn_before: [90d, 7d]}"
        assert lead(text, self.pool(8))[0]["a"] == "anthropic/old"
        assert lead(text, self.pool(7))[0]["a"] == "anthropic/new"
        never = "allow: []\naliases: {a: anthropic/old}\ndefaults: {warn_before: []}"
        assert lead(never, self.pool(0))[0]["a"] == "anthropic/old"

    @pytest.mark.parametrize(
        "more",
        [
            {"ends": TODAY + timedelta(days=5)},
            {"batch_only": True},
            {"points_at": "elsewhere"},
        ],
    )
    def test_not_to_one_that_ends_soon_too_or_is_no_candidate(self, more: dict[str, Any]) -> None:
        pool = self.pool(5, **more)
        assert lead("allow: []\naliases: {a: anthropic/old}", pool)[0]["a"] == "anthropic/old"

    def test_the_successor_has_to_meet_the_conditions_of_the_alias(self) -> None:
        text = "allow: []\naliases: {a: {cheapest: {tools: true}}}"
        old: dict[str, Any] = {"cost": ("1", "1"), "capabilities": {"tools": True}}
        pool = [
            candidate("anthropic/old", ends=TODAY, replaced_by="new", **old),
            candidate("anthropic/new", cost=("9", "9")),
        ]
        assert lead(text, pool)[0]["a"] == "anthropic/old"
        pool[1] = candidate("anthropic/new", cost=("9", "9"), capabilities={"tools": True})
        assert lead(text, pool)[0]["a"] == "anthropic/new"

    def test_ninety_days_before_nothing_is_left_it_says_so(self) -> None:
        text = "allow: []\naliases: {a: {family: claude-sonnet}}"

        def notes(days: int, *others: Any) -> tuple[str, ...]:
            ends = TODAY + timedelta(days=days)
            return lead(text, [candidate("anthropic/claude-sonnet-5", ends=ends), *others])[2]

        (note,) = notes(90)
        assert note.startswith(f"alias 'a' will lead nowhere after {TODAY + timedelta(days=90)}")
        assert notes(91) == ()
        (past,) = notes(-24)
        ended = f"leads to anthropic/claude-sonnet-5, which ended on {TODAY - timedelta(days=24)}"
        assert past.startswith(f"alias 'a' {ended}")
        assert notes(5, candidate("anthropic/claude-sonnet-4-6")) == ()
        too = candidate("anthropic/claude-sonnet-4-6", ends=TODAY + timedelta(days=4))
        assert len(notes(5, too)) == 1, "the other ends first"

    def test_apply_moves_the_alias_and_keeps_the_entry(self, ends_soon: House) -> None:
        ends_soon.write_policy(BOTH, "anthropic")
        ends_soon.applied()
        assert ends_soon.aliases() == {"sonnet": NEW}
        assert ends_soon.names() == [OLD, NEW]


def test_newest_prefers_what_lasts_by_a_borrowed_day_too() -> None:
    rows = [model("openai/gpt-5"), model("openai/gpt-5-2025-08-07")]
    facts = {"openai/gpt-5": Facts(ends=TODAY + timedelta(days=3))}
    others = OtherLists((RecordedFacts("map", facts.get),))
    text = "allow: [{family: gpt, newest: 1}]"
    assert ids(admit(text, rows)) == ["openai/gpt-5"]
    assert ids(admit(text, rows, others=others)) == ["openai/gpt-5-2025-08-07"]


def test_an_entry_in_grace_is_not_told_of_twice(ends_soon: House) -> None:
    ends_soon.applied()
    list_at_anthropic(ends_soon, NEW)
    plan = ends_soon.run("plan", "--json").json()
    assert plan["last_days"] == []


def test_the_page_shows_the_day(ends_soon: House) -> None:
    ends_soon.applied()
    rows = ends_soon.run("models", "--json").json()
    (row,) = [row for row in rows if row["id"] == OLD]
    assert (row["ends"], row["replaced_by"]) == ("2026-11-30", NEW)
    assert row["borrowed"] == {"ends": "map.json", "replaced_by": "map.json"}
    assert yaml.safe_load(ends_soon.config.read_text(encoding="utf-8"))
