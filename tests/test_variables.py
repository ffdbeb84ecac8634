"""Variables: their names on Windows, where their values come from, and what is no key."""

from __future__ import annotations

import json
import os
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values

from rollcall.secrets import key_mark, key_problem
from rollcall.settings import Variables, read_environment
from rollcall.store.includes import including_file
from tests.platforms import not_on_windows

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

    @pytest.mark.usefixtures("as_windows")
    def test_what_the_config_sets_itself_is_found_whatever_its_case(self, house: House) -> None:
        house.write_policy("allow: [{family: claude-haiku, from: [anthropic]}]\n", "anthropic")
        house.monkeypatch.delenv("ANTHROPIC_API_KEY")
        text = "environment_variables: {Anthropic_Api_Key: sk-of-the-config-12345}\n"
        with house.config.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
        assert "is set in config.yaml's environment_variables" in house.run("doctor").out
        house.monkeypatch.setattr(Variables, "ignore_case", False)
        assert "is set in config.yaml's" not in house.run("doctor").out

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
        assert f"LITELLM_DISCOVERY_MODE in {house.folder / '.env'} was read as 'auto'" in what
        assert house.run("plan", "--mode", "auto").err.startswith("rollcall: --mode is 'auto'")


MALFORMED = [
    ("ROLLCALL_CONFIG", '"C:\\new\\config.yaml"', "plan"),
    ("ROLLCALL_CONFIG", "s3://", "plan"),
    ("ROLLCALL_CONFIG", "~nobody-of-that-name/x", "plan"),
    ("ROLLCALL_POLICY", '"C:\\tools\\policy.yaml"', "plan"),
    ("ROLLCALL_STATE_DIR", '"C:\\temp\\new"', "status"),
    ("LITELLM_DISCOVERY_MODE", '"au\\to"', "plan"),
    ("SOURCE_DATE_EPOCH", "yesterday", "models"),
    ("LITELLM_BASE_URL", '"http://a\\nb"', "env codex"),
    ("LITELLM_BASE_URL", "ftp://example.com", "smoke"),
    ("LITELLM_BASE_URL", "ftp://example.com", "serve"),
    ("ROLLCALL_LITELLM", '"C:\\tools\\new\\litellm.exe"', "start"),
]


@pytest.mark.parametrize("dotenv", [True, False])
@pytest.mark.parametrize(("variable", "value", "command"), MALFORMED)
def test_a_value_says_where_it_stands_and_what_was_read_there(
    house: House, variable: str, value: str, command: str, dotenv: bool
) -> None:
    house.write_policy("allow: []\n", "anthropic")
    house.monkeypatch.delenv(variable, raising=False)
    read = dotenv_values(stream=StringIO(f"{variable}={value}\n"))[variable]
    assert read is not None
    path = house.folder / ".env"
    if dotenv:
        path.write_text(f"{variable}={value}\n", encoding="utf-8")
    else:
        house.monkeypatch.setenv(variable, read)
    ran = house.run(*command.split())
    assert ran.code == 1
    what, hint = ran.err.splitlines()
    where = f"{variable} in {path}" if dotenv else variable
    assert f"{where} was read as {read!r}: " in what
    if read.isprintable():
        assert "control" not in hint
    else:
        assert ("single quotes" if dotenv else "It holds a control character") in hint


def test_an_option_says_so_too(house: House) -> None:
    ran = house.run("plan", "-c", "a\nb")
    assert ran.err.startswith("rollcall: --config is 'a\\nb': no path holds such a character.")
    ran = house.run("plan", "-c", "a\0b")
    assert (ran.code, len(ran.err.splitlines())) == (1, 2)


def test_what_may_be_a_key_is_not_shown(house: House) -> None:
    house.monkeypatch.setenv("LITELLM_BASE_URL", KEY)
    ran = house.run("serve")
    assert ran.code == 1
    assert "LITELLM_BASE_URL was read as [redacted]" in ran.err
    assert KEY not in ran.err


@pytest.mark.parametrize("variable", ["ROLLCALL_POLICY", "ROLLCALL_STATE_DIR"])
def test_doctor_names_the_variable_of_a_path(house: House, variable: str) -> None:
    (house.folder / ".env").write_text(f"{variable}=config.yaml\n", encoding="utf-8")
    assert f"The path comes from {variable} in {house.folder / '.env'}." in house.run("doctor").out


def test_an_env_file_that_is_named_and_not_there(house: House) -> None:
    house.monkeypatch.setenv("ROLLCALL_ENV_FILE", "nowhere.env")
    ran = house.run("plan")
    assert ran.code == 1
    assert "nowhere.env cannot be read" in ran.err
    assert ran.err.rstrip().endswith("The path comes from ROLLCALL_ENV_FILE.")


def test_the_place_a_provider_is_asked_at_says_who_named_it(house: House) -> None:
    house.write_policy("allow: [{family: claude-haiku, from: [anthropic]}]\n", "anthropic")
    text = house.policy.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "base_url" not in line]
    house.policy.write_text("\n".join(lines), encoding="utf-8")
    dotenv = house.folder / ".env"
    dotenv.write_text("ANTHROPIC_BASE_URL=http://127.0.0.1:9\n", encoding="utf-8")
    said = json.dumps(f"(asked where ANTHROPIC_BASE_URL in {dotenv} says)")[1:-1]
    assert said in house.run("plan", "--json").out


def test_certificates_that_cannot_be_read_name_their_variable(house: House) -> None:
    house.write_policy("allow: [{family: gpt, from: [openai]}]\n", "openai")
    house.policy.write_text(
        "providers: {openai: {}}\nallow: [{family: gpt, from: [openai]}]\n", encoding="utf-8"
    )
    house.monkeypatch.setenv("SSL_CERT_FILE", str(house.folder / "nowhere.pem"))
    assert "(set: SSL_CERT_FILE" in house.run("plan", "--json").out


class TestPathsOfOneFile:
    """What leads to one file is one path, however it is spelled."""

    def test_a_variable_that_names_the_same_config_outranks_nothing(
        self, house: House, tmp_path: Path
    ) -> None:
        other = tmp_path / "config.yaml" / ".." / "config.yaml"
        for path in (other, tmp_path / "." / "config.yaml", "config.yaml"):
            house.monkeypatch.setenv("CONFIG_FILE_PATH", str(path))
            assert "outranks" not in house.run("doctor").out
        house.monkeypatch.setenv("CONFIG_FILE_PATH", "other.yaml")
        assert "CONFIG_FILE_PATH outranks --config" in house.run("doctor").out

    @not_on_windows("links need a privilege")
    def test_a_link_to_the_config_is_the_config(self, house: House) -> None:
        link = house.folder / "link.yaml"
        link.symlink_to(house.config)
        house.monkeypatch.setenv("CONFIG_FILE_PATH", str(link))
        assert "outranks" not in house.run("doctor").out

    @not_on_windows("links need a privilege")
    def test_a_file_that_includes_it_by_another_path_is_found(self, house: House) -> None:
        other = house.folder.parent / "another-name"
        other.symlink_to(house.folder, target_is_directory=True)
        (house.folder / "root.yaml").write_text(
            f"include: [{other / 'config.yaml'}]\n", encoding="utf-8"
        )
        found = including_file(house.config)
        assert found == house.folder / "root.yaml"


class TestStartedFromAnotherFolder:
    """A `.env` beside the config is not read then: that is said, with the way to have it read."""

    @pytest.fixture
    def elsewhere(self, house: House) -> House:
        house.write_policy("allow: [{family: claude-haiku, from: [anthropic]}]\n", "anthropic")
        key = os.environ["ANTHROPIC_API_KEY"]
        house.monkeypatch.delenv("ANTHROPIC_API_KEY")
        text = f"ANTHROPIC_API_KEY={key}\n"
        (house.folder / ".env").write_text(text, encoding="utf-8")
        (house.folder / "away").mkdir()
        (house.folder / "away" / ".env").write_text("A=1\n", encoding="utf-8")
        house.monkeypatch.chdir(house.folder / "away")
        return house

    @pytest.mark.parametrize("command", ["plan", "apply", "doctor", "start"])
    def test_each_command_names_it(self, elsewhere: House, command: str) -> None:
        elsewhere.monkeypatch.setenv("ROLLCALL_LITELLM", "no-such-litellm")
        said = elsewhere.run(command, "-c", str(elsewhere.config)).text
        flat = " ".join(said.split())
        assert f"{elsewhere.folder / '.env'} was not read, which sets ANTHROPIC_API_KEY" in flat
        assert f'cd "{elsewhere.folder}"' in flat
        assert "ROLLCALL_ENV_FILE" in flat
        assert (elsewhere.folder / ".env").read_text(encoding="utf-8")[18:40] not in said

    def test_done_as_told_it_is_read(self, elsewhere: House) -> None:
        path = elsewhere.folder / ".env"
        elsewhere.monkeypatch.setenv("ROLLCALL_ENV_FILE", str(path))
        assert "was not read" not in elsewhere.run("plan", "-c", str(elsewhere.config)).text
        elsewhere.monkeypatch.delenv("ROLLCALL_ENV_FILE")
        elsewhere.monkeypatch.chdir(elsewhere.folder)
        assert "was not read" not in elsewhere.run("plan", "-c", str(elsewhere.config)).text

    def test_one_that_would_change_nothing_is_nobody_s_concern(self, elsewhere: House) -> None:
        elsewhere.monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        assert "was not read" not in elsewhere.run("doctor", "-c", str(elsewhere.config)).out


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
