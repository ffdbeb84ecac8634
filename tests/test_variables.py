"""Variables: their names on Windows, where their values come from, and what is no key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rollcall.secrets import key_mark, key_problem
from rollcall.settings import Variables, read_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def as_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of variables as Windows compares them."""
    monkeypatch.setattr(Variables, "ignore_case", True)


class TestNames:
    @pytest.mark.usefixtures("as_windows")
    def test_a_name_is_found_whatever_its_case(self) -> None:
        found = Variables({"My_Router_Key": "a", "PATH": "p"}, {"MY_ROUTER_KEY": "b"})
        assert found["my_router_key"] == found.get("My_Router_Key") == "b"
        assert "Path" in found
        assert dict(found) == {"MY_ROUTER_KEY": "b", "PATH": "p"}

    def test_elsewhere_case_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Variables, "ignore_case", False)
        assert Variables({"a": "1"}).get("A") is None

    @pytest.mark.usefixtures("as_windows")
    def test_the_process_wins_over_dotenv_in_any_case(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("Some_Key=dotenv\nother=x\n", encoding="utf-8")
        found = read_environment(tmp_path, {"SOME_KEY": "process"}).variables
        assert (found["some_key"], found["OTHER"]) == ("process", "x")

    @pytest.mark.usefixtures("as_windows")
    def test_a_policy_may_write_a_key_s_variable_as_it_likes(self, house: House) -> None:
        rows = house.sim.provider_policy("anthropic")
        row = {**rows["anthropic"], "key_env": "My_Router_Key"}
        house.policy.write_text(
            f"providers: {{anthropic: {row!r}}}\nmissing_key: drop\n"
            "allow: [{family: claude-haiku, from: [anthropic]}]\n",
            encoding="utf-8",
        )
        house.monkeypatch.setenv("MY_ROUTER_KEY", os.environ["ANTHROPIC_API_KEY"])
        house.monkeypatch.delenv("ANTHROPIC_API_KEY")
        house.applied()
        assert house.names()
        assert "My_Router_Key is set" in house.run("doctor").out
        assert all(row["ready"] for row in house.run("models", "--in-config", "--json").json()[:1])

    def test_no_value_shows(self) -> None:
        assert KEY not in repr(Variables({"A": KEY}))


class TestWhereAValueComesFrom:
    def test_a_path_in_double_quotes_of_dotenv(self, house: House) -> None:
        line = 'ROLLCALL_CONFIG="C:\\new\\tools\\config.yaml"\n'
        (house.folder / ".env").write_text(line, encoding="utf-8")
        ran = house.run("plan")
        assert ran.code == 1
        what, hint = ran.err.splitlines()
        assert f"ROLLCALL_CONFIG in {house.folder / '.env'} was read as 'C:\\new\\tools" in what
        assert "single quotes" in hint
        assert "forward slashes" in hint

    @pytest.mark.parametrize("variable", ["ROLLCALL_CONFIG", "ROLLCALL_POLICY"])
    @pytest.mark.parametrize("dotenv", [True, False])
    def test_a_path_that_cannot_be_used(self, house: House, variable: str, dotenv: bool) -> None:
        house.write_policy("allow: []\n", "anthropic")
        house.folder.joinpath("folder").mkdir()
        path = house.folder / ".env"
        if dotenv:
            path.write_text(f"{variable}=folder\n", encoding="utf-8")
        else:
            house.monkeypatch.setenv(variable, "folder")
        ran = house.run("plan")
        assert ran.code == 1
        where = f"{variable} in {path}." if dotenv else f"{variable}."
        assert ran.err.splitlines()[1].endswith(f"The path comes from {where}")

    def test_a_flag_s_path_has_no_such_remark(self, house: House) -> None:
        assert "comes from" not in house.run("plan", "-c", "folder", "-p", "nowhere.yaml").err

    def test_a_mode(self, house: House) -> None:
        (house.folder / ".env").write_text("LITELLM_DISCOVERY_MODE=auto\n", encoding="utf-8")
        what = house.run("plan").err.splitlines()[0]
        assert f"LITELLM_DISCOVERY_MODE in {house.folder / '.env'}: Unknown mode 'auto'" in what
        assert house.run("plan", "--mode", "auto").err.startswith("rollcall: Unknown mode")


class TestKeys:
    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (KEY, None),
            ("", None),
            (f"\ufeff{KEY}", "has a byte order mark in it"),
            (f"{KEY}\u200b", "has a zero-width space in it"),
            (f"{KEY}\r", "has a carriage return in it"),
            (f"{KEY}\n{KEY}", "has a line break in it"),
            (f" {KEY}", "has a blank in it"),
            (f"{KEY}\x1b", "has a control character in it"),
            (f"{KEY}é", "has a letter that is not ASCII in it"),
            (f"'{KEY}'", "has quotes around it"),
            (f'{KEY}"', "has quotes around it"),
        ],
    )
    def test_what_no_key_holds(self, value: str, problem: str | None) -> None:
        assert key_problem(value) == problem

    @pytest.mark.parametrize(
        ("odd", "word"),
        [
            ("\ufeff{}", "byte order mark"),
            ("{}\u200b", "zero-width space"),
            ("{}\r", "carriage return"),
        ],
    )
    def test_plan_and_doctor_say_so(self, house: House, odd: str, word: str) -> None:
        house.write_policy("allow: [{family: claude-haiku}]\n", "anthropic")
        house.applied()
        key = os.environ["ANTHROPIC_API_KEY"]
        house.monkeypatch.setenv("ANTHROPIC_API_KEY", odd.format(key))
        doctor = house.run("doctor").out
        assert f"ANTHROPIC_API_KEY has a {word} in it" in doctor
        assert "accepted" not in doctor
        plan = house.run("plan")
        assert f"ANTHROPIC_API_KEY has a {word} in it" in plan.err
        assert key not in doctor + plan.text

    def test_accepted_belongs_to_the_key_not_to_its_variable(self, house: House) -> None:
        house.write_policy("allow: [{family: claude-haiku}]\n", "anthropic")
        house.applied()
        assert "ANTHROPIC_API_KEY is set, accepted at" in house.run("doctor").out
        good = os.environ["ANTHROPIC_API_KEY"]
        house.monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        assert "ANTHROPIC_API_KEY is set, to a key not asked with yet" in house.run("doctor").out
        assert "refused ANTHROPIC_API_KEY" in house.run("doctor", "--check-keys").out
        house.monkeypatch.setenv("ANTHROPIC_API_KEY", good)
        assert "refused" not in house.run("doctor").out

    def test_a_mark_tells_keys_apart_and_gives_none_away(self) -> None:
        assert key_mark(KEY) == key_mark(KEY) != key_mark(KEY + "x")
        assert len(key_mark(KEY)) == 8
        assert key_mark("") == key_mark(None) == ""
