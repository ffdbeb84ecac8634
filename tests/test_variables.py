"""Variables: their names on Windows, where their values come from, and what is no key."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values

from rollcall.errors import SettingsError
from rollcall.launch.port import port_taken
from rollcall.secrets import key_mark, key_problem
from rollcall.settings import Variables, read_environment
from rollcall.store.includes import including_file
from tests.house import OWN
from tests.platforms import not_on_windows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

KEY = "sk-test-0123456789abcdef"


def importorskip_fleet() -> None:
    pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
    pytest.importorskip("kubernetes", reason="the extra `fleet` is not installed")


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
        assert f"ROLLCALL_CONFIG in {house.folder / '.env'}:1 was read as 'C:\\new\\tools" in what
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
        where = f"{variable} in {path}:1." if dotenv else f"{variable}."
        assert ran.err.splitlines()[1].endswith(f"The path comes from {where}")

    def test_a_flag_s_path_has_no_such_remark(self, house: House) -> None:
        assert "comes from" not in house.run("plan", "-c", "folder", "-p", "nowhere.yaml").err

    def test_a_mode(self, house: House) -> None:
        (house.folder / ".env").write_text("LITELLM_DISCOVERY_MODE=auto\n", encoding="utf-8")
        what = house.run("plan").err.splitlines()[0]
        assert f"LITELLM_DISCOVERY_MODE in {house.folder / '.env'}:1 was read as 'auto'" in what
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
    where = f"{variable} in {path}:1" if dotenv else variable
    assert f"{where} was read as {read!r}: " in what
    if read.isprintable():
        assert "control" not in hint
    else:
        assert ("single quotes" if dotenv else "It holds a control character") in hint


@pytest.mark.parametrize("command", [["plan"], ["apply"], ["eject", "--remove"], ["rollback"]])
def test_an_empty_config_option_is_no_config(house: House, command: list[str]) -> None:
    ran = house.run(*command, "--config", "")
    assert (ran.code, ran.err.splitlines()[0]) == (1, "rollcall: --config is empty.")
    assert house.config.read_text(encoding="utf-8") == OWN


def test_start_takes_an_empty_config_option_for_none(house: House) -> None:
    words = ["start", "--config", "", "--", sys.executable, "-c", "print('up')"]
    ran = subprocess.run(
        [sys.executable, "-m", "rollcall", *words],
        cwd=house.folder, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert (ran.stdout.strip(), "is empty" in ran.stderr) == ("up", False)


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
    assert (
        f"The path comes from {variable} in {house.folder / '.env'}:1." in house.run("doctor").out
    )


def test_an_env_file_that_is_named_and_not_there(house: House) -> None:
    house.monkeypatch.setenv("ROLLCALL_ENV_FILE", "nowhere.env")
    ran = house.run("plan")
    assert ran.code == 1
    assert "nowhere.env cannot be read" in ran.err
    assert ran.err.rstrip().endswith("The path comes from ROLLCALL_ENV_FILE.")


@pytest.mark.parametrize(
    ("provider", "variable", "value"),
    [
        ("anthropic", "ANTHROPIC_BASE_URL", "http://127.0.0.1:9"),
        ("ollama", "OLLAMA_API_BASE", "http://127.0.0.1:9"),
        ("ollama", "OLLAMA_HOST", "127.0.0.1:9"),
    ],
)
def test_the_place_a_provider_is_asked_at_says_who_named_it(
    house: House, provider: str, variable: str, value: str
) -> None:
    house.monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    house.policy.write_text(f"providers: {{{provider}: {{}}}}\nallow: []\n", encoding="utf-8")
    dotenv = house.folder / ".env"
    dotenv.write_text(f"# mine\n\n{variable}={value}\n", encoding="utf-8")
    said = json.dumps(f"(asked where {variable} in {dotenv}:3 says)")[1:-1]
    assert said in house.run("plan", "--json").out


def test_a_refused_key_says_where_it_stands(house: House) -> None:
    house.write_policy("allow: [{family: claude-haiku, from: [anthropic]}]\n", "anthropic")
    house.monkeypatch.delenv("ANTHROPIC_API_KEY")
    dotenv = house.folder / ".env"
    dotenv.write_text(f"OTHER=1\nexport ANTHROPIC_API_KEY='{KEY}'\n", encoding="utf-8")
    where = f"ANTHROPIC_API_KEY in {dotenv}:2"
    [row] = house.run("plan", "--json").json()["providers"]
    assert row["verdict"] == "auth"
    assert f"(the key is {where})" in row["detail"]
    assert where in " ".join(house.run("doctor", "--check-keys").out.split())
    house.monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    assert "the key is" not in house.run("plan", "--json").out


class TestWhatLiteLLMReadsItself:
    @pytest.mark.parametrize(
        ("variable", "value", "why"),
        [
            ("PORT", "http", "it is no port"),
            ("PORT", "70000", "it is no port"),
            ("HOST", "http://0.0.0.0", "it is no address to listen on"),
            ("HOST", '"a\\nb"', "it is no address to listen on"),
        ],
    )
    def test_doctor_and_start_say_where_a_bad_one_stands(
        self, house: House, variable: str, value: str, why: str
    ) -> None:
        house.monkeypatch.delenv(variable, raising=False)
        dotenv = house.folder / ".env"
        dotenv.write_text(f"{variable}={value}\n", encoding="utf-8")
        doctor = " ".join(house.run("doctor").out.split())
        assert f"{variable} in {dotenv}:1 was read as " in doctor
        assert why in doctor
        with pytest.raises(SettingsError, match=why):
            port_taken((), read_environment(house.folder, {}).variables)
        option = f"--{variable.lower()}=8"
        assert port_taken([option], read_environment(house.folder, {}).variables) is None

    def test_a_port_that_is_taken(self, house: House) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            house.monkeypatch.delenv("PORT", raising=False)
            dotenv = house.folder / ".env"
            dotenv.write_text(f"PORT={port}\n", encoding="utf-8")
            said = f"Port {port} (from PORT in {dotenv}:1), which litellm will ask for, is taken"
            assert said in " ".join(house.run("doctor").out.split())

    def test_another_config(self, house: House) -> None:
        dotenv = house.folder / ".env"
        dotenv.write_text("CONFIG_FILE_PATH=other.yaml\n", encoding="utf-8")
        out = " ".join(house.run("doctor").out.split())
        assert f"CONFIG_FILE_PATH in {dotenv}:1 outranks --config" in out
        assert f"Take CONFIG_FILE_PATH out of {dotenv}:1." in out

    def test_a_bucket(self, house: House) -> None:
        dotenv = house.folder / ".env"
        lines = "LITELLM_CONFIG_BUCKET_NAME=b\nLITELLM_CONFIG_BUCKET_OBJECT_KEY=a/c.yaml\n"
        dotenv.write_text(lines, encoding="utf-8")
        out = " ".join(house.run("doctor").out.split())
        where = f"LITELLM_CONFIG_BUCKET_NAME in {dotenv}:1"
        assert f"{where} is set: LiteLLM reads s3://b/a/c.yaml" in out
        bad = lines.replace("=a/c.yaml", '="a\\nb/c.yaml"')
        dotenv.write_text(bad, encoding="utf-8")
        said = house.run("start", "--litellm", "no-such-litellm").err
        both = f"LITELLM_CONFIG_BUCKET_NAME with LITELLM_CONFIG_BUCKET_OBJECT_KEY in {dotenv}:2"
        assert f"{both} was read as 's3://b/a\\nb/c.yaml'" in said


@pytest.mark.parametrize("value", ["gone.json", '"C:\\new"', "~nobody-of-that-name/x"])
def test_a_price_map_that_is_not_there(house: House, value: str) -> None:
    house.monkeypatch.delenv("ROLLCALL_PRICE_MAP")
    house.write_policy("allow: [{family: claude-haiku}]\n", "anthropic")
    dotenv = house.folder / ".env"
    dotenv.write_text(f"ROLLCALL_PRICE_MAP={value}\n", encoding="utf-8")
    ran = house.applied()
    assert f"facts: ROLLCALL_PRICE_MAP in {dotenv}:1 was read as" in ran.err


class TestConfigsInStores:
    @pytest.mark.parametrize(
        ("address", "line"),
        [
            ("s3://b/c.yaml", "AWS_ENDPOINT_URL_S3=nowhere"),
            ("s3://b/c.yaml", 'AWS_ENDPOINT_URL="http://a\\nb"'),
            ("az://b/c.yaml", "AZURE_STORAGE_ENDPOINT=ftp://a"),
            ("gs://b/c.yaml", 'STORAGE_EMULATOR_HOST="a b"'),
            ("configmap://n/m", "KUBECONFIG=gone.yaml"),
            ("configmap://n/m", "KUBECONFIG=policy.yaml"),
        ],
    )
    def test_what_leads_nowhere(self, house: House, address: str, line: str) -> None:
        importorskip_fleet()
        variable = line.partition("=")[0]
        dotenv = house.folder / ".env"
        dotenv.write_text(f"{line}\n", encoding="utf-8")
        house.monkeypatch.delenv(variable, raising=False)
        house.write_policy("allow: []\n", "anthropic")
        ran = house.run("plan", "-c", address)
        assert ran.code == 1, ran.text
        what, _ = ran.err.splitlines()
        assert f"{variable} in {dotenv}:1 was read as " in what

    def test_what_is_refused(self, house: House) -> None:
        importorskip_fleet()
        dotenv = house.folder / ".env"
        lines = [
            "AWS_ACCESS_KEY_ID=id-of-tests",
            "AWS_SECRET_ACCESS_KEY=secret-of-tests",
            "AWS_REGION=eu-1",
            "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9",
        ]
        dotenv.write_text("\n".join(lines), encoding="utf-8")
        house.write_policy("allow: []\n", "anthropic")
        ran = house.run("plan", "-c", "s3://bucket/config.yaml")
        assert ran.code == 1
        assert f"Check the network and AWS_ENDPOINT_URL_S3 in {dotenv}:4, and" in ran.err
        assert "secret-of-tests" not in ran.text

    def test_a_cluster_that_cannot_be_reached(self, house: House) -> None:
        importorskip_fleet()
        cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
        context = {"name": "x", "context": {"cluster": "c"}}
        kubeconfig = {"clusters": [cluster], "contexts": [context], "current-context": "x"}
        (house.folder / "kube.yaml").write_text(json.dumps(kubeconfig), encoding="utf-8")
        dotenv = house.folder / ".env"
        dotenv.write_text("KUBECONFIG=kube.yaml\n", encoding="utf-8")
        house.write_policy("allow: []\n", "anthropic")
        ran = house.run("plan", "-c", "configmap://ai/litellm")
        assert ran.code == 1
        assert f"Check the network and KUBECONFIG in {dotenv}:1." in ran.err


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
