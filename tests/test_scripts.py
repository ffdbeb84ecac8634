"""The start scripts, run for real with stand-ins; every shell must do the very same."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from dotenv.parser import parse_stream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall.providers.builtin import BUILTIN
from tests.platforms import is_wine, not_on_windows
from tests.simulator.simulator import Simulator
from tests.stand_in import OF_NO_ENVIRONMENT, StandIns, Start

SCR = Path(__file__).resolve().parents[1] / "scr"
POSIX_SHELLS = ("dash", "sh", "bash")
POWERSHELLS = ("pwsh", "powershell")
TOOLS = ("dirname", "cat")


def present(shells: tuple[str, ...]) -> list[str]:
    """Those of the shells that this machine has and that can run our stand-ins."""
    if os.name == "nt":  # Wine's `powershell` is none
        shells = tuple(shell for shell in shells if shell in POWERSHELLS[: 1 if is_wine() else 2])
    found = {Path(path).resolve(): shell for shell in shells if (path := shutil.which(shell))}
    return list(found.values())


def for_each(shells: tuple[str, ...]) -> pytest.MarkDecorator:
    """Runs a test once for each of the shells that is here; skips it where none is."""
    none = "no PowerShell here, only parsed"
    if sys.platform == "win32":
        none = "Windows: no sh" if shells is POSIX_SHELLS else "Wine: no PowerShell"
    skipped = pytest.param("none", marks=pytest.mark.skip(reason=none))
    return pytest.mark.parametrize("shell", present(shells) or [skipped])


every_shell = for_each(POSIX_SHELLS + POWERSHELLS)
posix_shell = for_each(POSIX_SHELLS)
powershell = for_each(POWERSHELLS)


RELAY = """#!{python}
import sys

sys.path.insert(0, {source!r})
sys.executable = {folder!r}  # beside which no litellm is but the stand-in
if sys.argv[1:3] == ["-m", "rollcall"]:
    del sys.argv[1:3]
from rollcall.__main__ import main

main()
"""


@dataclass(frozen=True, slots=True)
class Repository:
    """A copy of scr/ in a folder with an odd name; rollcall itself and a stand-in on PATH."""

    root: Path
    stand_ins: StandIns
    cwd: Path

    @property
    def config(self) -> Path:
        """The repository's own."""
        return self.root / "config.yaml"

    def start(self, shell: str, script: str) -> list[str]:
        """The command line of a script for a shell."""
        path = str(self.root / "scr" / script)
        if shell in POSIX_SHELLS:
            return [str(shutil.which(shell)), path + ".sh"]
        return [str(shutil.which(shell)), "-NoProfile", "-NonInteractive", "-File", path + ".ps1"]

    def run(
        self, shell: str, *args: str, script: str = "start-proxy", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script with only the stand-ins (and the shell's own tools) on PATH."""
        return self._run([*self.start(shell, script), *args], environ)

    def at_prompt(self, shell: str, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Type a line of PowerShell in which `$script` is scr/start-proxy.ps1."""
        path = str(self.root / "scr" / "start-proxy.ps1").replace("'", "''")
        command = [str(shutil.which(shell)), "-NoProfile", "-NonInteractive", "-Command"]
        return self._run([*command, f"$script = '{path}'; {line}"], environ)

    def typed(self, shell: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A shell with these words behind it."""
        return self._run([str(shutil.which(shell)), *words], {})

    def _run(self, command: list[str], extra: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.cwd,
            env=self.environ(extra),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    def environ(self, extra: dict[str, str]) -> dict[str, str]:
        """A small environment; `extra` goes on top."""
        kept = ("HOME", "SYSTEMROOT", "TEMP", "USERPROFILE", "PATHEXT", "COMSPEC")
        own = {name: os.environ[name] for name in kept if name in os.environ}
        path = os.pathsep.join([str(self.stand_ins.folder), str(self.root / "tools")])
        return {**own, "PATH": path, **extra}

    def litellm(self) -> Start:
        """The one start of litellm."""
        [start] = [start for start in self.stand_ins.starts() if start.name == "litellm"]
        return start

    def names(self) -> list[str]:
        """What stand-ins were started, in order."""
        return [start.name for start in self.stand_ins.starts()]

    def write_dotenv(self, text: str) -> Path:
        """Write .env at the root."""
        path = self.root / ".env"
        path.write_bytes(text.encode())
        return path


def add_rollcall(folder: Path, name: str = "rollcall") -> None:
    """rollcall itself, as a command of this folder; `name` may be a Python that has it."""
    source = SCR.parent / "src"
    text = RELAY.format(python=sys.executable, source=str(source), folder=str(folder / "python"))
    if os.name == "nt":
        (folder / f"{name}-relay.py").write_text(text, encoding="utf-8")
        line = f'@"{sys.executable}" "%~dp0{name}-relay.py" %*\n'
        (folder / f"{name}.cmd").write_text(line, encoding="ascii")
        return
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "my [own] proxy's"
    shutil.copytree(SCR, root / "scr", ignore=shutil.ignore_patterns("set-env.ps1"))
    (root / "config.yaml").write_bytes(b"model_list: []\n")
    (root / "tools").mkdir()
    for tool in TOOLS:
        if os.name != "nt" and (found := shutil.which(tool)):
            (root / "tools" / tool).symlink_to(found)
    cwd = tmp_path / "somewhere else"
    cwd.mkdir()
    stand_ins = StandIns(tmp_path / "stand ins", tmp_path / "starts.jsonl")
    stand_ins.add("litellm")
    add_rollcall(stand_ins.folder)
    return Repository(root, stand_ins, cwd)


@every_shell
class TestStartProxy:
    def test_litellm_gets_the_repositorys_config_and_the_users_options(
        self, shell: str, repository: Repository
    ) -> None:
        done = repository.run(shell, "--port", "4000", "--alias", "a b", "--detailed_debug")
        start = repository.litellm()
        config, path, *rest = start.argv
        assert done.returncode == 0, done.stderr
        assert config == "--config"
        assert Path(path) == repository.config
        assert rest == ["--port", "4000", "--alias", "a b", "--detailed_debug"]
        assert Path(start.cwd) == repository.cwd
        assert "says hello" in done.stdout

    def test_without_discovery_only_a_hint_is_given(
        self, shell: str, repository: Repository
    ) -> None:
        done = repository.run(shell)
        assert repository.names() == ["litellm"]
        assert "LITELLM_ENABLE_DISCOVERY=1" in done.stderr
        assert "policy" not in done.stderr

    @pytest.mark.parametrize("where", ["environment", "dotenv"])
    def test_discovery_comes_first_and_a_failing_one_is_a_warning(
        self, shell: str, where: str, repository: Repository
    ) -> None:
        repository.stand_ins.add("litellm", exit_code=9)
        if where == "dotenv":
            repository.write_dotenv("LITELLM_ENABLE_DISCOVERY=yes\n")
            done = repository.run(shell)
        else:
            done = repository.run(shell, LITELLM_ENABLE_DISCOVERY=" 1 ")
        policy = repository.root / "policy.yaml"
        assert f"There is no policy at {policy}" in done.stderr
        assert repository.names() == ["litellm"]
        assert done.returncode == 9

    def test_discovery_writes_the_config_litellm_starts_on(
        self, shell: str, repository: Repository, sim: Simulator
    ) -> None:
        rows = sim.provider_policy("anthropic")
        rule = "{family: claude-haiku, from: [anthropic], newest: 1}"
        patience = "{timeout: 30s, deadline: 60s, ttl: 1h}"
        policy = f"defaults: {patience}\nproviders: {json.dumps(rows)}\nallow: [{rule}]\n"
        (repository.root / "policy.yaml").write_text(policy, encoding="utf-8")
        repository.write_dotenv(f"ANTHROPIC_API_KEY={sim.key('anthropic')}\n")
        repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert "claude-haiku" in repository.config.read_text(encoding="utf-8")
        asked = len(sim.requests)
        repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")  # ttl: nobody is asked again
        assert len(sim.requests) == asked > 0
        assert repository.names() == ["litellm", "litellm"]

    @pytest.mark.parametrize("form", [["--config", "{}"], ["--config={}"], ["-c", "{}"]])
    @pytest.mark.parametrize("with_rollcall", [True, False])
    def test_a_config_named_for_litellm_counts_for_both(
        self, shell: str, form: list[str], with_rollcall: bool, repository: Repository
    ) -> None:
        if not with_rollcall:
            remove(repository.stand_ins, "rollcall")
        (repository.cwd / "other.yaml").write_bytes(b"model_list: []\n")
        named = [word.format("other.yaml") for word in form]
        done = repository.run(shell, *named, "--port", "1", LITELLM_ENABLE_DISCOVERY="1")
        assert repository.litellm().argv == [*named, "--port", "1"]
        if with_rollcall:
            assert f"no policy at {repository.cwd / 'policy.yaml'}" in done.stderr

    @pytest.mark.parametrize("code", [1, 3, 70])
    def test_a_rollcall_that_cannot_run_stops_nothing(
        self, shell: str, code: int, repository: Repository
    ) -> None:
        broken(repository, code)
        repository.stand_ins.add("litellm", exit_code=9)
        repository.write_dotenv("A=1\nA=2\n")
        done = repository.run(shell)
        assert f"rollcall ended with {code}; litellm starts on" in done.stderr
        assert repository.litellm().environ["A"] == "2"
        assert done.returncode == 9

    @pytest.mark.parametrize("code", [130, 143])
    def test_an_interrupted_discovery_starts_nothing(
        self, shell: str, code: int, repository: Repository
    ) -> None:
        broken(repository, code)
        done = repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert repository.names() == ["rollcall"]
        assert done.returncode == code

    def test_a_litellm_known_to_steal_keys_is_not_started(
        self, shell: str, repository: Repository
    ) -> None:
        release = repository.stand_ins.folder.parent / "lib/python3.13/site-packages"
        (release / "litellm-1.82.8.dist-info").mkdir(parents=True)
        (release / "litellm-1.82.8.dist-info" / "METADATA").write_text(
            "Version: 1.82.8\n", encoding="utf-8"
        )
        stand_ins = StandIns(release.parents[2] / "bin", repository.stand_ins.record)
        beside = stand_ins.add("litellm", python=OF_NO_ENVIRONMENT)
        if os.name == "nt":
            pytest.skip("Windows: no lib/python*/site-packages")
        done = repository.run(shell, ROLLCALL_LITELLM=str(beside))
        assert repository.names() == []
        assert done.returncode == 1
        assert "1.82.8" in done.stderr

    def test_without_rollcall_litellm_starts_all_the_same(
        self, shell: str, repository: Repository
    ) -> None:
        remove(repository.stand_ins, "rollcall")
        done = repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert repository.names() == ["litellm"]
        assert "rollcall was not found" in done.stderr
        assert done.returncode == 0

    @pytest.mark.parametrize("name", ["python3", "python"])
    def test_a_rollcall_of_a_python_that_has_no_command_is_found(
        self, shell: str, name: str, repository: Repository
    ) -> None:
        remove(repository.stand_ins, "rollcall")
        add_rollcall(repository.stand_ins.folder, name)
        done = repository.run(shell)
        assert "was not found" not in done.stderr
        assert "discovery is off" in done.stderr
        assert repository.names() == ["litellm"]

    def test_without_litellm_two_lines_say_so(self, shell: str, repository: Repository) -> None:
        remove(repository.stand_ins, "litellm")
        remove(repository.stand_ins, "rollcall")
        done = repository.run(shell)
        assert done.returncode == 127
        assert [line.rstrip() for line in done.stderr.splitlines()[-2:]] == [
            "start-proxy: litellm was not found.",
            'start-proxy: Install it with: pip install "litellm[proxy]"'
            " (or name it in ROLLCALL_LITELLM).",
        ]

    def test_another_config_and_another_litellm_can_be_named(
        self, shell: str, repository: Repository, tmp_path: Path
    ) -> None:
        other = StandIns(tmp_path / "other [place]", repository.stand_ins.record).add("my-litellm")
        config = tmp_path / "etc" / "c.yaml"
        for _ in ("with rollcall", "without"):
            repository.run(shell, ROLLCALL_CONFIG=str(config), ROLLCALL_LITELLM=str(other))
            remove(repository.stand_ins, "rollcall")
        starts = repository.stand_ins.starts()
        assert [start.name for start in starts] == ["my-litellm", "my-litellm"]
        assert [start.argv for start in starts] == [["--config", str(config)]] * 2

    @pytest.mark.parametrize(("given", "expected"), [({}, "1"), ({"PYTHONUTF8": "0"}, "0")])
    @pytest.mark.parametrize("with_rollcall", [True, False])
    def test_litellm_reads_utf_8_unless_a_person_says_otherwise(
        self,
        shell: str,
        given: dict[str, str],
        expected: str,
        with_rollcall: bool,
        repository: Repository,
    ) -> None:
        if not with_rollcall:
            remove(repository.stand_ins, "rollcall")
        repository.run(shell, **given)
        assert repository.litellm().environ["PYTHONUTF8"] == expected

    @pytest.mark.parametrize("name", ["rollcall", "litellm"])
    def test_the_repositorys_own_environment_is_searched_last(
        self, shell: str, name: str, repository: Repository
    ) -> None:
        remove(repository.stand_ins, "rollcall")
        remove(repository.stand_ins, name)
        folder = repository.root / ".venv" / ("Scripts" if os.name == "nt" else "bin")
        StandIns(folder, repository.stand_ins.record).add(name, exit_code=3, says=False)
        done = repository.run(shell)
        assert repository.names() == (["rollcall", "litellm"] if name == "rollcall" else [name])
        assert "was not found" not in done.stderr or name == "litellm"

    def test_a_dry_run_shows_the_plan_and_starts_nothing(
        self, shell: str, repository: Repository
    ) -> None:
        option = "--dry-run" if shell in POSIX_SHELLS else "-WhatIf"
        done = repository.run(shell, option, "--config", str(repository.config))
        assert repository.names() == []
        assert done.returncode == 1
        assert f"There is no policy at {repository.root / 'policy.yaml'}" in done.stderr
        remove(repository.stand_ins, "rollcall")
        assert repository.run(shell, option).returncode == 127
        assert repository.names() == []

    def test_what_no_process_can_be_given_is_left_out_and_said(
        self, shell: str, repository: Repository
    ) -> None:
        repository.write_dotenv("A=1\nB=\0x\nC=3\n")
        done = repository.run(shell)
        environ = repository.litellm().environ
        assert (environ["A"], environ.get("B"), environ["C"]) == ("1", None, "3")
        assert ".env:2: B is left out" in done.stderr

    @pytest.mark.parametrize("with_rollcall", [True, False])
    def test_utf_16_is_named_and_nothing_is_read(
        self, shell: str, with_rollcall: bool, repository: Repository
    ) -> None:
        if not with_rollcall:
            remove(repository.stand_ins, "rollcall")
        (repository.root / ".env").write_bytes("A=1\nB=2\n".encode("utf-16"))
        done = repository.run(shell)
        assert "B" not in repository.litellm().environ
        assert "UTF-16" in done.stderr

    def test_in_production_dotenv_is_left_alone_as_litellm_does(
        self, shell: str, repository: Repository
    ) -> None:
        repository.write_dotenv("A=1\n")
        for _ in ("with rollcall", "without"):
            repository.run(shell, LITELLM_MODE="PRODUCTION")
            remove(repository.stand_ins, "rollcall")
        assert all("A" not in start.environ for start in repository.stand_ins.starts())


LINES = [
    "PLAIN=sk-1",
    "export EXPORTED=sk-2",
    "export=5",
    "  SPACED  =  sk 3  ",
    "SINGLE='sk 4 # no comment'",
    'DOUBLE="sk-5"  # comment',
    "COMMENT=sk-6 # comment",
    "HASH=sk#7",
    "NO_COMMENT= # sk",
    "EQUALS=a=b==",
    "DOLLAR=pa$$word$x",
    "BACKSLASH=C:\\keys",
    "UMLAUT=schl\u00fcssel",
    "EMPTY=",
    "PLAIN=rotated",
    "'QUOTED'=name",
    "# COMMENTED=1",
    "NO_VALUE",
    "not a name=1",
    "2ND=1",
    'JUNK="a" b',
    "UNCLOSED='a",
    'TWO="lines\nINNER=1\n"',
    "ALREADY=from dotenv",
    "CRLF=sk-8\r",
    "TAB\t=\tsk-9\t#c",
    "COMMAND=$(echo >trap)",
    "GONE=once",
    "GONE=",
]


QUOTED = re.compile(r"""(['"])(?:\\.|(?!\1)[^\\])*\1""", re.DOTALL)
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def expected_of(dotenv: Path) -> dict[str, str]:
    """What python-dotenv reads, as far as a shell can have it; nothing is as good as empty.

    Left out: what takes rollcall to read.
    """
    found: dict[str, str] = {}
    for row in parse_stream(io.StringIO(dotenv.read_bytes().decode("utf-8-sig"))):
        if row.error or row.value is None or row.key is None or not NAME.fullmatch(row.key):
            continue
        quoted = QUOTED.match(row.original.string.partition("=")[2].lstrip())
        beyond = "${" in row.value or (quoted is not None and "\\" in quoted[0])
        found[row.key] = "" if beyond else row.value
    return {name: value for name, value in found.items() if value}


def read_by_script(shell: str, repository: Repository, **environ: str) -> dict[str, str]:
    """What a script without rollcall hands to litellm of .env."""
    remove(repository.stand_ins, "rollcall")
    repository.run(shell, **environ)
    before = {*repository.environ({}), "PYTHONUTF8", "ROLLCALL_ENV_FILE", "PWD", "_", "OLDPWD"}
    seen = repository.stand_ins.starts()[-1].environ
    shells = ("PSModulePath", "POWERSHELL_", "SHLVL", "LC_CTYPE", "DOTNET_", "__CF", "PROMPT")
    return {
        name: value
        for name, value in seen.items()
        if value and name not in before and not name.startswith(shells)
    }


@every_shell
class TestDotenvWithoutRollcall:
    def test_it_is_read_as_python_dotenv_reads_it(self, shell: str, repository: Repository) -> None:
        dotenv = repository.write_dotenv("\ufeff" + "\n".join(LINES))
        expected = {**expected_of(dotenv), "ALREADY": "from the environment"}
        assert expected["PLAIN"] == "rotated"
        assert read_by_script(shell, repository, ALREADY="from the environment") == expected
        assert not (repository.cwd / "trap").exists()

    def test_with_rollcall_it_is_the_same(self, shell: str, repository: Repository) -> None:
        dotenv = repository.write_dotenv("\n".join([*LINES, "SPAN='two\nlines'", 'N="a\\nb"']))
        repository.run(shell)
        seen = repository.litellm().environ
        assert {name: seen.get(name) for name in expected_of(dotenv)} == expected_of(dotenv)

    @pytest.mark.parametrize("line", ["A=${HOME}/x", 'A="a\\nb"', "A='it\\'s'"])
    def test_what_is_beyond_the_scripts_is_left_out_and_said(
        self, shell: str, line: str, repository: Repository
    ) -> None:
        repository.write_dotenv(f"A=old\n{line}\nB=2\n")
        remove(repository.stand_ins, "rollcall")
        done = repository.run(shell)
        environ = repository.litellm().environ
        assert not environ.get("A")
        assert environ["B"] == "2"
        assert ".env: A is left out" in done.stderr


PIECES = st.sampled_from(
    [*"AB19=#'\" \t\\$`", "\n", "\r\n", "export ", "é", "sk-", "A=", "\nB=", "'x'", '"y"', " # c"]
)


@every_shell
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(PIECES, max_size=12).map("".join), min_size=12, max_size=12))
def test_generated_lines_mean_the_same_to_the_scripts_and_to_python_dotenv(
    shell: str, repository: Repository, texts: list[str]
) -> None:
    """Each text under names of its own, so that one run of a shell reads a dozen."""
    whole = "".join(
        re.sub(r"(?m)^(\s*(?:export\s+)?)([AB])", rf"\g<1>N{number}\2", text) + "\n'\"'\"\n"
        for number, text in enumerate(texts)
    )
    dotenv = repository.write_dotenv(whole)
    assert read_by_script(shell, repository) == expected_of(dotenv)


@not_on_windows("no POSIX signals")
@posix_shell
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_script_is_litellms(
    shell: str, number: signal.Signals, repository: Repository
) -> None:
    repository.stand_ins.add("litellm", exit_code=6, waits=True)
    process = subprocess.Popen(
        repository.start(shell, "start-proxy"),
        env=repository.environ({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[0] == f"got {number.name}\n"
    assert process.returncode == 6


@powershell
class TestPowerShellOnly:
    def test_set_env_comes_before_dotenv(self, shell: str, repository: Repository) -> None:
        (repository.root / "scr" / "set-env.ps1").write_text(
            "$env:A = 'set-env'\n", encoding="utf-8"
        )
        repository.write_dotenv("A=dotenv\nB=dotenv\n")
        repository.run(shell)
        environ = repository.litellm().environ
        assert (environ["A"], environ["B"]) == ("set-env", "dotenv")

    def test_the_shipped_set_env_falls_back_to_dotenv(
        self, shell: str, repository: Repository
    ) -> None:
        scr = repository.root / "scr"
        shutil.copy(scr / "set-env.ps1.example", scr / "set-env.ps1")
        repository.write_dotenv("OPENAI_API_KEY=sk-1\n")
        repository.run(shell)
        assert repository.litellm().environ["OPENAI_API_KEY"] == "sk-1"

    @pytest.mark.parametrize("text", ["throw 'vault locked'", "exit 3", "this is no command"])
    def test_a_failing_set_env_does_not_keep_the_proxy_from_starting(
        self, shell: str, text: str, repository: Repository
    ) -> None:
        (repository.root / "scr" / "set-env.ps1").write_text(f"{text}\n", encoding="utf-8")
        done = repository.run(shell)
        assert repository.names() == ["litellm"]
        assert "vault locked" in done.stderr or "throw" not in text

    def test_the_console_is_left_as_it_was(self, shell: str, repository: Repository) -> None:
        lines = [
            "$env:CHANGED = 'new'",
            "Remove-Item Env:REMOVED",
            "$env:ADDED = 'x'",
            "Set-Location ([IO.Path]::GetTempPath())",
        ]
        (repository.root / "scr" / "set-env.ps1").write_text("\n".join(lines), encoding="utf-8")
        repository.write_dotenv("OPENAI_API_KEY=sk-1\n")
        shown = (
            '"[$env:CHANGED|$env:REMOVED|$env:ADDED|$env:OPENAI_API_KEY|$((Get-Location).Path)]"'
        )
        done = repository.at_prompt(
            shell, f'& $script; "code $LASTEXITCODE"; {shown}', CHANGED="old", REMOVED="there"
        )
        assert f"[old|there|||{repository.cwd}]" in done.stdout
        assert "code 0" in done.stdout
        assert repository.litellm().environ["CHANGED"] == "new"

    @pytest.mark.parametrize("redirection", ["*>", "2>"])
    def test_notes_go_where_a_caller_sends_them(
        self, shell: str, redirection: str, repository: Repository
    ) -> None:
        remove(repository.stand_ins, "rollcall")
        log = repository.cwd / "log.txt"
        stop = "$ErrorActionPreference = 'Stop'; "
        repository.at_prompt(shell, f"{stop}& $script {redirection} '{log}'")
        text = log.read_bytes().decode("utf-16" if shell == "powershell" else "utf-8")
        assert "start-proxy: rollcall was not found" in text
        assert repository.names() == ["litellm"]

    @pytest.mark.parametrize("script", ["start-proxy", "run-subagent-discovery"])
    def test_get_help_tells_what_it_does(
        self, shell: str, script: str, repository: Repository
    ) -> None:
        path = str(repository.root / "scr" / f"{script}.ps1").replace("'", "''")
        escaped = f"([Management.Automation.WildcardPattern]::Escape('{path}'))"
        text = repository.at_prompt(shell, f"Get-Help {escaped} -Full | Out-String").stdout
        for word in ("SYNOPSIS", "DESCRIPTION", "EXAMPLE", "-WhatIf"):
            assert word in text, text

    def test_sub_agent_discovery_runs_rollcall_in_its_mode(
        self, shell: str, repository: Repository
    ) -> None:
        broken(repository, 3)
        done = repository.run(shell, "--force", script="run-subagent-discovery")
        [start] = repository.stand_ins.starts()
        config = str(repository.config)
        assert start.argv == ["apply", "--mode", "subagents", "--config", config, "--force"]
        assert done.returncode == 3

    def test_sub_agent_discovery_can_be_tried_out(self, shell: str, repository: Repository) -> None:
        broken(repository, 3)
        repository.run(shell, "-WhatIf", script="run-subagent-discovery")
        assert repository.stand_ins.starts()[0].argv[-1] == "--dry-run"

    def test_sub_agent_discovery_reads_the_repositorys_dotenv(
        self, shell: str, repository: Repository
    ) -> None:
        dotenv = repository.write_dotenv("A=1\n")
        broken(repository, 3)
        repository.run(shell, script="run-subagent-discovery")
        assert repository.stand_ins.starts()[0].environ["ROLLCALL_ENV_FILE"] == str(dotenv)


ROOT = SCR.parent
TELLING = (ROOT / "README.md", ROOT / "docs" / "START.md", SCR / "start-proxy.ps1")


def promised(beginning: str) -> list[str]:
    """The lines of PowerShell that documents and the script's help give, each once."""
    pattern = re.compile(rf"(?m)(?:^ *|`)({re.escape(beginning)}[^`\n]*)(?:`|$)")
    found = [line for path in TELLING for line in pattern.findall(path.read_text(encoding="utf-8"))]
    return list(dict.fromkeys(found))


BINDS = """
$errors = $null
$line = [Management.Automation.Language.Parser]::ParseInput($env:LINE, [ref] $null, [ref] $errors)
$commands = $line.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true)
$bound = foreach ($command in $commands) {
    $found = [Management.Automation.Language.StaticParameterBinder]::BindCommand($command)
    "$($command.GetCommandName()) $($null -ne (Get-Command $command.GetCommandName())) $(
        $found.BindingExceptions.Count) $(@($found.BoundParameters.Keys | Sort-Object))"
}
"errors $($errors.Count)"; $bound
"""
"""What PowerShell makes of a line without running it: each command, whether there is one of that
name, how many of its words it cannot take, and its parameters.
"""


@powershell
class TestWhatAFreshWindowsIsTold:
    @pytest.mark.parametrize("line", promised("powershell -ExecutionPolicy"))
    def test_the_line_starts_the_script(
        self, shell: str, line: str, repository: Repository
    ) -> None:
        program, *words = line.split()
        assert program == "powershell"
        here = replace(repository, cwd=repository.root)
        done = here.typed(shell, *(word.replace("\\", os.sep) for word in words))
        if "-WhatIf" in words:
            assert repository.names() == []
            assert "There is no policy at" in done.stderr
        else:
            assert done.returncode == 0, done.stderr
            assert repository.litellm().argv == ["--config", str(repository.config)]

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (
                promised("Set-ExecutionPolicy"),
                ["Set-ExecutionPolicy True 0 ExecutionPolicy Scope"],
            ),
            (
                promised("Get-ChildItem -Recurse | Unblock-File"),
                ["Get-ChildItem True 0 Recurse", "Unblock-File True 0 "],
            ),
        ],
    )
    def test_a_line_that_only_windows_can_run_parses_and_its_commands_take_its_words(
        self, shell: str, line: list[str], expected: list[str], repository: Repository
    ) -> None:
        (one,) = line
        done = repository.at_prompt(shell, BINDS, LINE=one)
        assert [row.rstrip() for row in done.stdout.splitlines()] == [
            "errors 0",
            *(row.rstrip() for row in expected),
        ], done.stderr

    @not_on_windows("a stand-in that is started by its first line")
    @pytest.mark.parametrize(("folder", "ending"), [("bin", ""), ("Scripts", ".exe")])
    def test_both_layouts_of_an_environment_are_found_in_a_folder_with_brackets(
        self, shell: str, folder: str, ending: str, repository: Repository
    ) -> None:
        assert "[" in str(repository.root)
        for name in ("rollcall", "litellm"):
            remove(repository.stand_ins, name)
        own = StandIns(repository.root / ".venv" / folder, repository.stand_ins.record)
        own.add(f"litellm{ending}", exit_code=3)
        add_rollcall(own.folder, f"rollcall{ending}")
        done = repository.run(shell, "--port", "1")
        (start,) = own.starts()
        assert start.name == f"litellm{ending}"
        assert start.argv == ["--config", str(repository.config), "--port", "1"]
        assert done.returncode == 3
        assert "discovery is off" in done.stderr
        assert "was not found" not in done.stderr


POWERSHELL_FILES = sorted(SCR.glob("*.ps1*"))


class TestText:
    @pytest.mark.parametrize("path", POWERSHELL_FILES, ids=lambda path: path.name)
    def test_powershell_parses(self, path: Path) -> None:
        import tree_sitter_powershell
        from tree_sitter import Language, Parser

        tree = Parser(Language(tree_sitter_powershell.language())).parse(path.read_bytes())
        assert not tree.root_node.has_error

    @pytest.mark.parametrize("path", POWERSHELL_FILES, ids=lambda path: path.name)
    def test_windows_powershell_5_understands_it(self, path: Path) -> None:
        text = path.read_text(encoding="ascii")
        code = re.sub(r"#.*|'[^']*'|\"[^\"]*\"", "", text)
        assert not re.search(r"&&|\|\||\?\?|\$Is(Windows|Linux|MacOS)|\?\.", code)

    @pytest.mark.parametrize("path", sorted(SCR.iterdir()), ids=lambda path: path.name)
    def test_a_script_stays_under_a_page(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80

    @pytest.mark.parametrize("page", ["README.md", "docs/START.md"])
    def test_a_fresh_windows_is_told_how_to_start_it(self, page: str) -> None:
        text = (ROOT / page).read_text(encoding="utf-8")
        for line in (
            "powershell -ExecutionPolicy Bypass -File scr\\start-proxy.ps1",
            "Get-ChildItem -Recurse | Unblock-File",
        ):
            assert line in promised(line)
            assert line in text

    def test_the_examples_name_the_same_keys(self) -> None:
        names = r"[A-Z]+_(?:API|MASTER)_KEY"
        dotenv = re.findall(
            rf"(?m)^# ({names})=$", (SCR.parent / ".env.example").read_text(encoding="utf-8")
        )
        set_env = re.findall(
            rf"(?m)^    '({names})'$", (SCR / "set-env.ps1.example").read_text(encoding="utf-8")
        )
        known = {name for provider in BUILTIN.values() for name in provider.key_env}
        assert dotenv == set_env
        assert set(dotenv) - known == {"LITELLM_MASTER_KEY"}


def remove(stand_ins: StandIns, name: str) -> None:
    """Take one stand-in away again."""
    for path in stand_ins.folder.glob(f"{name}*"):
        path.unlink()


def broken(repository: Repository, code: int) -> None:
    """A rollcall that only ends, with this code."""
    remove(repository.stand_ins, "rollcall")
    repository.stand_ins.add("rollcall", exit_code=code, says=False)
