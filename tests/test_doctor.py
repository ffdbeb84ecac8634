"""`rollcall doctor`: what keeps a proxy from starting well, each with its fix."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from rollcall import settings
from rollcall.__main__ import run
from rollcall.inspect import doctor
from rollcall.inspect.doctor import examine
from rollcall.inspect.findings import Finding, Level, has_errors
from rollcall.inspect.status import read_status
from rollcall.inspect.surroundings import (
    code_page_findings,
    dotenv_findings,
    mount_findings,
)
from rollcall.launch.find import KNOWN_BAD, LiteLLMInstall, find_install
from rollcall.litellm_config.document import Blocks, parse
from rollcall.litellm_config.writing import with_blocks
from rollcall.store.folder import config_folder
from rollcall.store.state import ProviderState, State
from rollcall.store.store import Store
from tests.house import House
from tests.platforms import not_on_windows
from tests.simulator.faults import Fault

KEY = "sk-proj-abcdefghijklmnop1234567890"
CONFIG = """\
model_list:
  - model_name: alpha
    litellm_params: {model: openai/gpt-5.5, api_key: os.environ/OPENAI_API_KEY}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""
POLICY = """\
version: 1
providers:
  openai: {}
  xai: {}
  local: {type: openai, base_url: "http://127.0.0.1:8000/v1", key_env: null}
allow:
  - {family: gpt, from: [openai], newest: 1}
"""
GOOD = {"OPENAI_API_KEY": KEY, "XAI_API_KEY": "xai-1234567890abcdef", "LITELLM_MASTER_KEY": "sk-m1"}
posix = not_on_windows("no permission bits, no #! lines")


def install(prefix: Path, version: str = "1.106.2", *, python: str | None = None) -> Path:
    """A litellm as pip lays it out; its command does nothing good when it is run."""
    windows = os.name == "nt"
    library = prefix / ("Lib" if windows else "lib/python3.12") / "site-packages"
    (library / "litellm").mkdir(parents=True)
    (library / f"litellm-{version}.dist-info").mkdir()
    (library / "litellm_enterprise-9.9.9.dist-info").mkdir()
    command = prefix / ("Scripts/litellm.exe" if windows else "bin/litellm")
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(
        f"#!{python or prefix / 'bin' / 'python'}\nraise SystemExit('was run')\n", encoding="utf-8"
    )
    command.chmod(0o755)
    return command


class Place:
    """A folder with a config, a policy and a litellm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.litellm = install(folder / "venv")
        self.write("config.yaml", CONFIG)
        self.write("policy.yaml", POLICY)

    @property
    def memory(self) -> Path:
        """Where the state folder keeps what it knows of this config."""
        return config_folder(self.folder / "config.yaml", self.folder / ".rollcall")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def settings(self, environ: dict[str, str]) -> settings.Settings:
        """Settings of a run in this folder."""
        return settings.resolve(cwd=self.folder, environ=environ)

    def examine(self, **environ: str) -> tuple[Finding, ...]:
        """Everything found, with the good keys and `environ` on top ("" = unset)."""
        merged = {name: value for name, value in {**GOOD, **environ}.items() if value}
        return examine(self.settings(merged), str(self.litellm))

    def remember(self, **providers: ProviderState) -> None:
        """Store a state of a run just now."""
        now = datetime.now(UTC).isoformat()
        store = Store(self.folder / "config.yaml", self.folder / ".rollcall")
        store.memory.write_state(State(last_run=now, providers=providers))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.remember()
    return made


def the(findings: tuple[Finding, ...], code: str) -> Finding:
    matching = [finding for finding in findings if finding.code == code]
    assert matching, [(finding.level, finding.code) for finding in findings]
    return matching[0]


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings if finding.level is not Level.OK}


def test_all_is_well(place: Place) -> None:
    findings = place.examine()
    assert codes(findings) == set()
    assert not has_errors(findings)
    assert [finding.code for finding in findings] == [
        "litellm",
        "store",
        "master_key",
        "key",
        "key",
        "key",
    ]


def test_no_key_is_ever_shown(place: Place) -> None:
    place.write("config.yaml", CONFIG.replace("os.environ/OPENAI_API_KEY", KEY))
    place.remember(openai=ProviderState(verdict="auth", detail="401", last_asked="now"))
    findings = place.examine(LITELLM_MASTER_KEY="sk-another-key-0123456789")
    assert {"plain_key", "key_refused"} <= codes(findings)
    assert KEY not in repr(findings)


class TestMasterKey:
    @pytest.mark.parametrize("value", ["", "sk-1234"])
    def test_unset_or_the_examples_stops_litellm(self, value: str, place: Place) -> None:
        finding = the(place.examine(LITELLM_MASTER_KEY=value), "master_key")
        assert (finding.level, finding.where) == (Level.ERROR, "config.yaml:5")
        assert "does not start" in finding.what
        assert "secrets.token_hex" in finding.fix

    @pytest.mark.parametrize("by", ["variable", "setting"])
    def test_a_permitted_one_is_a_warning(self, by: str, place: Place) -> None:
        environ = {"LITELLM_MASTER_KEY": ""}
        if by == "variable":
            environ["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"
        else:
            name = "dangerously_permit_weak_or_unset_master_key"
            place.write("config.yaml", CONFIG + f"  {name}: true\n")
        assert the(place.examine(**environ), "master_key").level is Level.WARNING

    def test_one_that_a_key_management_system_holds_is_a_warning(self, place: Place) -> None:
        place.write("config.yaml", CONFIG + "  key_management_system: aws_secret_manager\n")
        finding = the(place.examine(LITELLM_MASTER_KEY=""), "master_key")
        assert finding.level is Level.WARNING

    def test_one_in_the_environment_alone_is_enough(self, place: Place) -> None:
        place.write("config.yaml", CONFIG.partition("general_settings")[0])
        assert the(place.examine(), "master_key").level is Level.OK

    def test_one_that_the_config_itself_sets_comes_too_late(self, place: Place) -> None:
        """LiteLLM looks for its master key before it sets `environment_variables`."""
        place.write("config.yaml", CONFIG + "environment_variables: {LITELLM_MASTER_KEY: sk-m2}\n")
        finding = the(place.examine(LITELLM_MASTER_KEY=""), "master_key")
        assert finding.level is Level.ERROR
        assert "too late" in finding.what

    @pytest.mark.parametrize("value", ["1234567890", "[a]", "true"])
    def test_one_that_is_no_text_stops_litellm(self, value: str, place: Place) -> None:
        place.write("config.yaml", CONFIG.replace("os.environ/LITELLM_MASTER_KEY", value))
        finding = the(place.examine(), "master_key")
        assert finding.level is Level.ERROR
        assert "does not start" in finding.what


class TestProviders:
    def test_a_missing_key_names_the_variable_and_the_page(self, place: Place) -> None:
        finding = the(place.examine(XAI_API_KEY=""), "no_key")
        assert finding.level is Level.WARNING
        assert "XAI_API_KEY" in finding.what
        assert "https://console.x.ai" in finding.fix

    def test_a_refused_key_is_an_error(self, place: Place) -> None:
        refused = ProviderState(verdict="auth", detail="401 Unauthorized", last_asked="2026-11-20")
        place.remember(xai=refused)
        finding = the(place.examine(), "key_refused")
        assert finding.level is Level.ERROR
        assert "XAI_API_KEY" in finding.what

    def test_a_key_that_could_not_be_checked_is_not_called_fine(self, house: House) -> None:
        """--check-keys without a network."""
        house.write_policy("allow: []\n", "anthropic", "openai")
        house.sim.fault("openai", Fault.REFUSE)
        ran = house.run("doctor", "--check-keys", "--json")
        rows = {row["what"].partition(" ")[0].rstrip(":"): row for row in ran.json()}
        assert rows["Anthropic"]["level"] == "ok"
        assert "accepted at" in rows["Anthropic"]["what"]
        assert rows["OPENAI_API_KEY"]["level"] == "warning"
        assert "not known: " in rows["OPENAI_API_KEY"]["what"]

    def test_what_keeps_from_asking_is_one_finding_among_the_others(self, place: Place) -> None:
        place.write("policy.yaml", "version: 1\nproviders: {openai: {}}\nalow: []\n")
        environ = {**GOOD, "LITELLM_MASTER_KEY": "sk-1234"}
        findings = examine(place.settings(environ), str(place.litellm), check_keys=True)
        assert [finding.code for finding in findings].count("policy") == 1
        assert the(findings, "master_key").level is Level.ERROR

    def test_an_accepted_key_says_when(self, place: Place) -> None:
        place.remember(openai=ProviderState(verdict="ok", last_good="2026-11-20T09:00:00Z"))
        assert any("accepted at 2026-11-20T09" in finding.what for finding in place.examine())

    @pytest.mark.parametrize("value", [f'"{KEY}"', f"{KEY} ", f"{KEY}\r"])
    def test_quotes_and_blanks_around_a_key(self, value: str, place: Place) -> None:
        finding = the(place.examine(OPENAI_API_KEY=value), "key_odd")
        assert finding.level is Level.ERROR
        assert "OPENAI_API_KEY" in finding.fix

    def test_a_key_that_litellm_gets_elsewhere(self, place: Place) -> None:
        text = CONFIG + "  key_management_system: aws_secret_manager\n"
        place.write("config.yaml", text)
        findings = place.examine(XAI_API_KEY="")
        assert "no_key" not in codes(findings)
        assert any("key_management_system" in finding.what for finding in findings)

    def test_a_provider_that_is_silent_for_long(self, place: Place) -> None:
        stale = ProviderState(
            verdict="timeout", detail="no answer", stale_since="2020-01-01T00:00:00+00:00"
        )
        place.remember(openai=stale)
        finding = the(place.examine(), "overdue")
        assert "openai" in finding.what
        assert "2020-01-01" in finding.what

    def test_a_policy_that_is_wrong(self, place: Place) -> None:
        place.write("policy.yaml", "version: 1\nalow: []\n")
        finding = the(place.examine(), "policy")
        assert finding.level is Level.ERROR
        assert "policy.yaml" in finding.what

    def test_no_policy_on_the_first_day_is_the_next_step_and_no_error(self, place: Place) -> None:
        (place.folder / "policy.yaml").unlink()
        findings = place.examine()
        assert [one.what for one in findings if one.code == "policy"] == [
            f"There is no policy at {place.folder / 'policy.yaml'} yet: rollcall changes nothing."
        ]
        assert the(findings, "policy").fix == "Write a first one: rollcall init"
        assert not has_errors(findings)

    def test_a_policy_that_was_there_once_is_missed(self, place: Place) -> None:
        document = parse(CONFIG.encode())
        entry = {"model_name": "x", "litellm_params": {"model": "openai/x"}}
        entry["model_info"] = {"id": "rollcall/openai/x", "managed_by": "rollcall"}
        text = with_blocks(document, Blocks((entry,))).decode()
        place.write("config.yaml", text)
        (place.folder / "policy.yaml").unlink()
        finding = the(place.examine(), "policy")
        assert finding.level is Level.ERROR
        assert "rollcall init" in finding.fix


@posix
class TestLitellm:
    def test_a_missing_one(self, place: Place) -> None:
        place.litellm.unlink()
        finding = the(place.examine(), "no_litellm")
        assert finding.level is Level.ERROR

    @pytest.mark.parametrize("version", sorted(KNOWN_BAD))
    def test_a_malicious_one_is_told_without_running_it(
        self, version: str, tmp_path: Path, place: Place
    ) -> None:
        trap = tmp_path / "ran"
        place.litellm = install(tmp_path / "bad", version)
        python = tmp_path / "bad" / "bin" / "python"
        python.write_text(f"#!/bin/sh\ntouch '{trap}'\n", encoding="utf-8")
        python.chmod(0o755)
        finding = the(place.examine(), "litellm_malicious")
        assert finding.level is Level.ERROR
        assert version in finding.what
        assert KNOWN_BAD[version].source in finding.what
        assert "uninstall" in finding.fix
        assert "replace every key" in finding.fix
        assert not trap.exists()

    def test_the_release_that_is_installed_is_what_the_config_is_judged_by(
        self, place: Place, tmp_path: Path
    ) -> None:
        entry = "model_list:\n  - {model_name: 4.1, litellm_params: {model: openai/x}}"
        place.write("config.yaml", CONFIG.replace("model_list:", entry, 1))
        levels = {}
        for version in ("1.108.7", "1.110.2"):
            place.litellm = install(tmp_path / version, version)
            levels[version] = the(place.examine(), "name_not_text").level
        assert levels == {"1.108.7": Level.ERROR, "1.110.2": Level.OK}

    def test_one_whose_version_cannot_be_told(self, tmp_path: Path, place: Place) -> None:
        place.litellm = tmp_path / "litellm"
        place.litellm.write_bytes(b"\x7fELF")
        place.litellm.chmod(0o755)
        assert "cannot be told" in the(place.examine(), "litellm").what

    def test_the_python_of_its_first_line_says_where_it_is(self, tmp_path: Path) -> None:
        command = install(tmp_path / "real", "1.2.3")
        (tmp_path / "bin").mkdir()
        shim = tmp_path / "bin" / "litellm"
        shim.write_text(command.read_text(encoding="utf-8"), encoding="utf-8")
        found = find_install(shim)
        assert found is not None
        assert found.version == "1.2.3"

    def test_a_long_first_line_as_pip_and_uv_write_it(self, tmp_path: Path) -> None:
        install(tmp_path / "a b", "1.2.4")
        shim = tmp_path / "litellm"
        python = tmp_path / "a b" / "bin" / "python3"
        shim.write_text(
            f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n", encoding="utf-8"
        )
        found = find_install(shim)
        assert found is not None
        assert found.version == "1.2.4"

    def test_a_link_as_uv_and_pipx_make_it(self, tmp_path: Path) -> None:
        command = install(tmp_path / "tool", "1.2.5", python="/usr/bin/env python3")
        link = tmp_path / "litellm"
        link.symlink_to(command)
        found = find_install(link)
        assert found is not None
        assert found.version == "1.2.5"

    def test_windows_layout(self, tmp_path: Path) -> None:
        (tmp_path / "Lib" / "site-packages" / "litellm-1.2.6.dist-info").mkdir(parents=True)
        (tmp_path / "Scripts").mkdir()
        command = tmp_path / "Scripts" / "litellm.exe"
        command.write_bytes(b"MZ")
        found = find_install(command)
        assert found is not None
        assert found.version == "1.2.6"


class TestTables:
    """The files by which tiktoken counts; their names are digests of where they come from."""

    NAME = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"

    @pytest.fixture
    def table(self, place: Place) -> Path:
        found = find_install(place.litellm)
        assert found is not None
        folder = found.library / "litellm" / "litellm_core_utils" / "tokenizers"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_bytes(b"\r\n")
        (folder / "__pycache__").mkdir()
        (folder / "anthropic_tokenizer.json").write_bytes(b"{}\r\n")
        return folder / self.NAME

    def test_as_they_are_they_are_no_matter(self, place: Place, table: Path) -> None:
        table.write_bytes(b"IQ== 0\nIg== 1\n")
        assert codes(place.examine()) == set()

    def test_with_windows_line_ends_they_are_fetched_anew(self, place: Place, table: Path) -> None:
        table.write_bytes(b"IQ== 0\r\nIg== 1\r\n")
        finding = the(place.examine(), "tiktoken_tables")
        assert finding.level is Level.WARNING
        assert finding.what.startswith("1 of the tables")
        assert "openaipublic" in finding.what
        assert finding.where == str(table.parent)
        own = place.examine(CUSTOM_TIKTOKEN_CACHE_DIR=str(place.folder))
        assert codes(own) == set()

    @not_on_windows("no sh")
    def test_what_mends_them_does(self, place: Place, table: Path) -> None:
        table.write_bytes(b"IQ== 0\r\nIg== 1\r\n")
        subprocess.run(["sh", "-c", the(place.examine(), "tiktoken_tables").fix], check=True)
        assert table.read_bytes() == b"IQ== 0\nIg== 1\n"
        assert codes(place.examine()) == set()


class TestImports:
    CONFIG = "model_list: []\nlitellm_settings: {callbacks: [prometheus, own.handler]}\n"

    @pytest.fixture
    def library(self, tmp_path: Path, place: Place) -> Path:
        """Where the litellm of `place` keeps its packages, in a virtual environment."""
        if os.name == "nt":
            pytest.skip("Windows: no lib/python*/site-packages")
        place.litellm = install(tmp_path / "other", "1.2.3")
        (tmp_path / "other" / "pyvenv.cfg").write_text(
            "include-system-site-packages = false\n", encoding="utf-8"
        )
        place.write("config.yaml", self.CONFIG)
        return next((tmp_path / "other").glob("lib/*/site-packages"))

    def test_a_package_and_a_module_that_are_not_there(self, place: Place, library: Path) -> None:
        found = place.examine()
        assert the(found, "package_missing").fix.endswith("pip install prometheus_client")
        assert "own.handler" in the(found, "module").what
        (library / "prometheus_client").mkdir()
        place.write("own.py", "handler = 1\n")
        assert not {"package_missing", "module"} & codes(place.examine())

    def test_a_pth_file_of_its_library_may_name_where_they_are(
        self, place: Place, library: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "more" / "prometheus_client").mkdir(parents=True)
        (tmp_path / "more" / "own.py").write_text("handler = 1\n", encoding="utf-8")
        (library / "more.pth").write_text(
            f"# mine\nimport this\n{tmp_path / 'more'}\n", encoding="utf-8"
        )
        assert not {"package_missing", "module"} & codes(place.examine())

    def test_where_litellm_lies_is_not_known(self, place: Place, tmp_path: Path) -> None:
        place.write("config.yaml", self.CONFIG)
        place.litellm = tmp_path / "litellm"
        place.litellm.write_bytes(b"\x7fELF")
        place.litellm.chmod(0o755)
        assert not {"package_missing", "module"} & codes(place.examine())


class TestFiles:
    @posix
    def test_a_dotenv_others_can_read(self, place: Place) -> None:
        dotenv = place.write(".env", "A=1\n")
        dotenv.chmod(0o644)
        finding = the(place.examine(), "dotenv_readable")
        assert finding.fix == f"chmod 600 {dotenv}"
        assert (finding.where, ".env" in finding.what) == (str(dotenv), False)
        dotenv.chmod(0o600)
        assert "dotenv_readable" not in codes(place.examine())

    def test_a_dotenv_that_litellm_alone_would_not_read(self, tmp_path: Path) -> None:
        dotenv = tmp_path / "project" / ".env"
        outside = LiteLLMInstall("1.0", tmp_path / "opt" / "site-packages")
        inside = LiteLLMInstall("1.0", tmp_path / "project" / ".venv" / "site-packages")
        [finding] = dotenv_findings(dotenv, None, outside)
        assert finding.code == "dotenv_unread"
        assert "rollcall start" in finding.fix
        assert str(dotenv) not in finding.what
        assert list(dotenv_findings(dotenv, None, inside)) == []

    def test_a_variable_that_no_process_can_be_given_is_named_with_its_line(
        self, place: Place
    ) -> None:
        (place.folder / ".env").write_bytes(b"A=1\nXAI_API_KEY=" + f"{KEY}\0".encode())
        findings = place.examine(XAI_API_KEY="")
        finding = the(findings, "variable_left_out")
        assert finding.where == f"{place.folder / '.env'}:2"
        assert "XAI_API_KEY is left out: it holds a NUL" in finding.what
        assert "utf8" in finding.fix
        assert "no_key" in codes(findings)
        assert ("dotenv_readable" in codes(findings)) == (os.name != "nt")
        assert KEY not in repr(findings)

    def test_variables_that_make_litellm_read_another_config(self, place: Place) -> None:
        other = place.examine(CONFIG_FILE_PATH="/etc/other.yaml")
        assert "/etc/other.yaml" in the(other, "config_file_path").what
        same = place.examine(CONFIG_FILE_PATH=str(place.folder / "config.yaml"))
        assert "config_file_path" not in codes(same)
        assert "config_bucket" in codes(place.examine(LITELLM_CONFIG_BUCKET_NAME="b"))

    @posix
    def test_a_single_mounted_file(self) -> None:
        line = "36 35 98:0 /c /app/my\\040config.yaml rw,noatime master:1 - ext3 /dev/root rw"
        other = "37 35 98:0 / /app rw - ext3 /dev/root rw\n\nshort"
        [finding] = mount_findings(Path("/app/my config.yaml"), f"{other}\n{line}")
        assert finding.code == "mounted_file"
        assert "folder" in finding.fix
        assert list(mount_findings(Path("/app/config.yaml"), other)) == []

    def test_no_config_yet(self, place: Place) -> None:
        (place.folder / "config.yaml").unlink()
        findings = place.examine()
        told = the(findings, "no_config")
        assert told.level is Level.WARNING
        assert told.what == f"{place.folder / 'config.yaml'} is not there yet."
        assert "store" not in codes(findings)
        assert the(findings, "master_key").level is Level.OK

    def test_a_config_that_cannot_be_read(self, place: Place) -> None:
        (place.folder / "config.yaml").unlink()
        (place.folder / "config.yaml").mkdir()
        finding = the(place.examine(), "folder_for_file")
        assert finding.level is Level.ERROR
        assert "Docker" in finding.what
        assert "config_unreadable" not in codes(place.examine())

    def test_an_env_file_that_is_a_folder(self, place: Place) -> None:
        (place.folder / ".env").mkdir()
        finding = the(place.examine(), "folder_for_file")
        assert finding.level is Level.WARNING
        assert finding.where == str(place.folder / ".env")

    def test_text_that_the_code_page_misreads(self) -> None:
        text = "# für\nmodel_list: []\nx: größe\ny: “quoted”\n# … \x81\n"
        files = {"config.yaml": text.encode(), ".env": b"A=1\n"}
        [finding] = code_page_findings(files, "cp1252")
        assert finding.where == "config.yaml:4"
        assert "does not start" in finding.what
        assert "PYTHONUTF8=1" in finding.what
        [garbled] = code_page_findings({"c": text.encode()[:40]}, "cp1252")
        assert (garbled.where, "garbled" in garbled.what) == ("c:3", True)
        assert "'ö'" in garbled.what
        assert list(code_page_findings(files, "utf-8")) == []
        assert list(code_page_findings({"c": "# für\n".encode()}, "cp1252")) == []

    def test_a_config_that_does_not_load(self, place: Place) -> None:
        place.write("config.yaml", "model_list: [\n")
        findings = place.examine()
        assert the(findings, "does_not_load").where == "config.yaml:2"
        assert the(findings, "key")

    def test_a_config_that_litellm_loads_but_rollcall_cannot_edit(self, place: Place) -> None:
        place.write("config.yaml", CONFIG.replace("model_list:", "x-a: &a") + "model_list: *a\n")
        finding = the(place.examine(), "cannot_edit")
        assert finding.level is Level.ERROR
        assert finding.where == "config.yaml:6"

    def test_entries_that_lost_their_markers(self, place: Place) -> None:
        text = CONFIG.replace("_KEY}\n", "_KEY}\n    model_info: {managed_by: rollcall}\n", 1)
        place.write("config.yaml", text)
        finding = the(place.examine(), "stray_entry")
        assert finding.fix == "rollcall adopt"

    def test_included_files_are_looked_at(self, place: Place) -> None:
        place.write("config.yaml", CONFIG + "include: [more.yaml, gone.yaml]\n")
        place.write("more.yaml", "general_settings: {}\n")
        findings = place.examine()
        assert {"include_missing", "include_replaces"} <= codes(findings)

    def test_a_damaged_state_is_said(self, place: Place) -> None:
        (place.memory / "state.json").write_text("{", encoding="utf-8")
        assert the(place.examine(), "state").level is Level.WARNING


class TestOneCheckThatFails:
    """Whatever one check stumbles over, what the others found is told."""

    OTHERS = ("key_odd", "no_key", "misplaced_key", "master_key", "litellm")

    @pytest.mark.parametrize(
        ("name", "code", "lost"),
        [
            (".rollcall", "state_no_folder", ()),
            ("MEMORY/state.json/", "state", ()),
            (".rollcall/backups", "cannot_check", ()),
            ("policy.yaml/", "policy", ("key_odd", "no_key")),
            ("config.yaml/", "folder_for_file", ("misplaced_key", "master_key")),
        ],
    )
    def test_a_file_for_a_folder_or_the_other_way_round(
        self, name: str, code: str, lost: tuple[str, ...], place: Place
    ) -> None:
        place.write("config.yaml", CONFIG + "drop_params: true\n")
        path = place.folder / name.replace("MEMORY", str(place.memory))
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text("x", encoding="utf-8")
        findings = place.examine(OPENAI_API_KEY=f"{KEY} ", XAI_API_KEY="")
        assert the(findings, code).level is not Level.OK
        assert path.name in the(findings, code).what
        told = {finding.code for finding in findings}
        assert told >= set(self.OTHERS) - set(lost)

    @pytest.mark.parametrize("broken", range(len(doctor.CHECKS)))
    def test_a_bug_in_one_check_loses_that_one_alone(
        self, broken: int, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def check(_subject: object) -> Iterator[Finding]:
            yield Finding(Level.WARNING, "first", "Found before it broke.")
            raise ZeroDivisionError(KEY)

        place.write("config.yaml", CONFIG + "drop_params: true\n")
        checks = list(doctor.CHECKS)
        whole = place.examine(OPENAI_API_KEY=f"{KEY} ", XAI_API_KEY="")
        del checks[broken]
        monkeypatch.setattr(doctor, "CHECKS", tuple(checks))
        rest = place.examine(OPENAI_API_KEY=f"{KEY} ", XAI_API_KEY="")
        checks.insert(broken, check)
        monkeypatch.setattr(doctor, "CHECKS", tuple(checks))
        findings = place.examine(OPENAI_API_KEY=f"{KEY} ", XAI_API_KEY="")
        assert set(rest) <= set(whole)
        assert {finding.code for finding in set(findings) - set(rest)} == {"first", "cannot_check"}
        assert "ZeroDivisionError" in the(findings, "cannot_check").what
        assert KEY not in repr(findings)


def test_status_tells_what_it_can_where_the_state_folder_is_a_file(place: Place) -> None:
    shutil.rmtree(place.folder / ".rollcall")
    place.write(".rollcall", "x")
    status = read_status(place.settings({}))
    assert status.last_run is None
    assert ".rollcall" in status.alarms[0]


@pytest.mark.parametrize(
    ("dotenv", "environ", "what"),
    [
        (b"A=1\nB=\xfc\n", {}, ".env:2 cannot be read: it is not UTF-8"),
        ("A=1\n".encode("utf-16"), {}, ".env cannot be read: it is UTF-16"),
        (b"", {"SOURCE_DATE_EPOCH": "yesterday"}, "SOURCE_DATE_EPOCH"),
        (b"", {"LITELLM_DISCOVERY_MODE": "autopilot"}, "no such mode"),
        (b"", {"ROLLCALL_STATE_DIR": "~nobody-at-all/x"}, "no such home"),
    ],
)
def test_settings_that_make_no_sense_are_one_finding_among_the_others(
    dotenv: bytes,
    environ: dict[str, str],
    what: str,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place.write("config.yaml", CONFIG + "drop_params: true\n")
    (place.folder / ".env").write_bytes(dotenv)
    monkeypatch.chdir(place.folder)
    for name, value in {**GOOD, **environ}.items():
        monkeypatch.setenv(name, value)
    assert run(["doctor", "--litellm", str(place.litellm)]) == 1
    said = capsys.readouterr().out
    assert what in said
    assert "drop_params" in said
    assert "OPENAI_API_KEY is set" in said


def test_our_own_requirements_take_no_release_known_to_steal_keys() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    [wanted] = re.findall(r'"litellm\[proxy\]([^"]+)"', text)
    assert not [version for version in KNOWN_BAD if version in SpecifierSet(wanted)]


def test_the_last_line_counts_as_a_person_would(house: House) -> None:
    house.config.unlink()
    (house.folder / "policy.yaml").unlink(missing_ok=True)
    last = house.run("doctor").out.splitlines()[-1]
    assert not re.search(r"\b1 (errors|warnings)\b", last)
    assert re.fullmatch(r"\d+ errors?, \d+ warnings?\.", last)
