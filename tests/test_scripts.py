"""The start scripts, run for real with stand-ins; every shell must do the very same."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from dotenv import dotenv_values

from rollcall.providers.builtin import BUILTIN
from tests.platforms import not_on_windows
from tests.stand_in import StandIns, Start

SCR = Path(__file__).resolve().parents[1] / "scr"
POSIX_SHELLS = ("dash", "sh", "bash")
POWERSHELLS = ("pwsh", "powershell")
TOOLS = ("dirname", "rm", "cat")


def present(shells: tuple[str, ...]) -> list[str]:
    """Those of the shells that this machine has and that can run our stand-ins."""
    if os.name == "nt":
        shells = tuple(shell for shell in shells if shell in POWERSHELLS)
    return [shell for shell in shells if shutil.which(shell)]


every_shell = pytest.mark.parametrize("shell", present(POSIX_SHELLS + POWERSHELLS))
posix_shell = pytest.mark.parametrize("shell", present(POSIX_SHELLS))
powershell = pytest.mark.parametrize(
    "shell",
    present(POWERSHELLS)
    or [pytest.param("none", marks=pytest.mark.skip(reason="no PowerShell here, only parsed"))],
)


@dataclass(frozen=True, slots=True)
class Repository:
    """A copy of scr/ in a folder with a space in its name, and stand-ins on PATH."""

    root: Path
    stand_ins: StandIns
    cwd: Path

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
        return subprocess.run(
            [*self.start(shell, script), *args],
            cwd=self.cwd,
            env=self.environ(environ),
            capture_output=True,
            text=True,
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
        """What was started, in order."""
        return [start.name for start in self.stand_ins.starts()]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "my proxy"
    shutil.copytree(SCR, root / "scr")
    (root / "config.yaml").write_text("model_list: []\n")
    (root / "tools").mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (root / "tools" / tool).symlink_to(found)
    cwd = tmp_path / "somewhere else"
    cwd.mkdir()
    stand_ins = StandIns(tmp_path / "stand ins", tmp_path / "starts.jsonl")
    stand_ins.add("litellm")
    stand_ins.add("rollcall")
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
        assert Path(path) == repository.root / "config.yaml"
        assert rest == ["--port", "4000", "--alias", "a b", "--detailed_debug"]
        assert Path(start.cwd) == repository.cwd
        assert "says hello" in done.stdout

    def test_without_discovery_only_litellm_is_started_and_a_hint_given(
        self, shell: str, repository: Repository
    ) -> None:
        done = repository.run(shell)
        assert repository.names() == ["litellm"]
        assert "LITELLM_ENABLE_DISCOVERY=1" in done.stderr

    @pytest.mark.parametrize("word", ["1", "true", "TRUE", "Yes", "on", " 1 "])
    def test_discovery_comes_first_when_it_is_enabled(
        self, shell: str, word: str, repository: Repository
    ) -> None:
        repository.run(shell, LITELLM_ENABLE_DISCOVERY=word)
        assert repository.names() == ["rollcall", "litellm"]
        argv = repository.stand_ins.starts()[0].argv
        assert argv == ["apply", "--config", str(repository.root / "config.yaml")]

    @pytest.mark.parametrize("word", ["0", "false", "no", "off", ""])
    def test_any_other_word_means_no(self, shell: str, word: str, repository: Repository) -> None:
        repository.run(shell, LITELLM_ENABLE_DISCOVERY=word)
        assert repository.names() == ["litellm"]

    def test_the_repositorys_policy_is_used(self, shell: str, repository: Repository) -> None:
        (repository.root / "policy.yaml").write_text("version: 1\n")
        repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        argv = repository.stand_ins.starts()[0].argv
        assert argv[3:] == ["--policy", str(repository.root / "policy.yaml")]

    @pytest.mark.parametrize("code", [1, 3, 5, 70])
    def test_a_failing_discovery_is_a_warning_and_litellms_code_counts(
        self, shell: str, code: int, repository: Repository
    ) -> None:
        repository.stand_ins.add("rollcall", exit_code=code)
        repository.stand_ins.add("litellm", exit_code=9)
        done = repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert repository.names() == ["rollcall", "litellm"]
        assert f"rollcall apply ended with {code}" in done.stderr
        assert done.returncode == 9

    @pytest.mark.parametrize("code", [130, 143])
    def test_an_interrupted_discovery_starts_nothing(
        self, shell: str, code: int, repository: Repository
    ) -> None:
        repository.stand_ins.add("rollcall", exit_code=code)
        done = repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert repository.names() == ["rollcall"]
        assert done.returncode == code

    def test_without_rollcall_litellm_starts_all_the_same(
        self, shell: str, repository: Repository
    ) -> None:
        remove(repository.stand_ins, "rollcall")
        done = repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert repository.names() == ["litellm"]
        assert "rollcall was not found" in done.stderr
        assert done.returncode == 0

    def test_without_litellm_two_lines_say_so(self, shell: str, repository: Repository) -> None:
        remove(repository.stand_ins, "litellm")
        done = repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert done.returncode == 127
        assert done.stderr.splitlines()[-2:] == [
            "start-proxy: litellm was not found.",
            "start-proxy: Install it with: pip install 'litellm[proxy]'"
            " (or name it in ROLLCALL_LITELLM).",
        ]

    def test_another_config_and_another_litellm_can_be_named(
        self, shell: str, repository: Repository, tmp_path: Path
    ) -> None:
        other = StandIns(tmp_path / "other place", repository.stand_ins.record).add("my-litellm")
        repository.run(
            shell,
            ROLLCALL_CONFIG=str(tmp_path / "etc" / "c.yaml"),
            ROLLCALL_POLICY=str(tmp_path / "etc" / "p.yaml"),
            ROLLCALL_LITELLM=str(other),
            LITELLM_ENABLE_DISCOVERY="1",
        )
        first, second = repository.stand_ins.starts()
        config = ["--config", str(tmp_path / "etc" / "c.yaml")]
        assert first.argv == ["apply", *config, "--policy", str(tmp_path / "etc" / "p.yaml")]
        assert (second.name, second.argv) == ("my-litellm", config)

    @pytest.mark.parametrize(("given", "expected"), [({}, "1"), ({"PYTHONUTF8": "0"}, "0")])
    def test_litellm_reads_utf_8_unless_a_person_says_otherwise(
        self, shell: str, given: dict[str, str], expected: str, repository: Repository
    ) -> None:
        repository.run(shell, **given)
        assert repository.litellm().environ["PYTHONUTF8"] == expected

    def test_the_repositorys_own_environment_is_searched_last(
        self, shell: str, repository: Repository
    ) -> None:
        remove(repository.stand_ins, "rollcall")
        folder = "Scripts" if os.name == "nt" else "bin"
        StandIns(repository.root / ".venv" / folder, repository.stand_ins.record).add("rollcall")
        repository.run(shell, LITELLM_ENABLE_DISCOVERY="1")
        assert repository.names() == ["rollcall", "litellm"]

    def test_dotenv_is_read_as_python_dotenv_reads_it(
        self, shell: str, repository: Repository
    ) -> None:
        lines = [
            "PLAIN=sk-1",
            "export EXPORTED=sk-2",
            "  SPACED  =  sk 3  ",
            "SINGLE='sk 4 # no comment'",
            'DOUBLE="sk-5"  # comment',
            "COMMENT=sk-6 # comment",
            "HASH=sk#7",
            "EQUALS=a=b==",
            "DOLLAR=pa$$word$x",
            "BACKSLASH=C:\\keys",
            "UMLAUT=schl\u00fcssel",
            "EMPTY=",
            "# COMMENTED=1",
            "NO_VALUE",
            "not a name=1",
            "2ND=1",
            "ALREADY=from dotenv",
            "CRLF=sk-8\r",
            "LITELLM_ENABLE_DISCOVERY=1",
            "LAST=sk-9",
        ]
        dotenv = repository.root / ".env"
        dotenv.write_bytes(("\ufeff" + "\n".join(lines)).encode())
        repository.run(shell, ALREADY="from the environment")
        read = {name for name in dotenv_values(dotenv, encoding="utf-8-sig") if " " not in name}
        expected = {
            name: value
            for name, value in dotenv_values(dotenv, encoding="utf-8-sig").items()
            if value and name in read - {"2ND"}
        }
        start = repository.litellm()
        found = {name: start.environ.get(name) for name in expected}
        assert found == {**expected, "ALREADY": "from the environment"}
        assert not {"EMPTY", "COMMENTED", "NO_VALUE", "2ND"} & set(start.environ)
        assert repository.names() == ["rollcall", "litellm"]

    @pytest.mark.parametrize(
        "line", ["A=${HOME}/x", 'A="a\\nb"', "A='it\\'s'", "A='two\nlines'", 'A="two\nlines"']
    )
    def test_what_is_beyond_the_scripts_is_left_out_and_said(
        self, shell: str, line: str, repository: Repository
    ) -> None:
        (repository.root / ".env").write_text(f"{line}\nB=2\n")
        done = repository.run(shell)
        environ = repository.litellm().environ
        assert "A" not in environ
        assert environ["B"] == "2"
        assert ".env: A " in done.stderr

    def test_a_dotenv_line_runs_nothing(self, shell: str, repository: Repository) -> None:
        trap = repository.cwd / "ran"
        (repository.root / ".env").write_text(f"A=$(echo >'{trap}')\nB=`echo >'{trap}'`\n$(x)=1\n")
        repository.run(shell)
        assert not trap.exists()
        assert repository.litellm().environ["A"] == f"$(echo >'{trap}')"

    def test_in_production_dotenv_is_left_alone_as_litellm_does(
        self, shell: str, repository: Repository
    ) -> None:
        (repository.root / ".env").write_text("A=1\n")
        repository.run(shell, LITELLM_MODE="PRODUCTION")
        assert "A" not in repository.litellm().environ


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
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[0] == f"got {number.name}\n"
    assert process.returncode == 6


@powershell
class TestPowerShellOnly:
    def test_set_env_comes_before_dotenv(self, shell: str, repository: Repository) -> None:
        (repository.root / "scr" / "set-env.ps1").write_text("$env:A = 'set-env'\n")
        (repository.root / ".env").write_text("A=dotenv\nB=dotenv\n")
        repository.run(shell)
        environ = repository.litellm().environ
        assert (environ["A"], environ["B"]) == ("set-env", "dotenv")

    def test_the_shipped_set_env_falls_back_to_dotenv(
        self, shell: str, repository: Repository
    ) -> None:
        scr = repository.root / "scr"
        shutil.copy(scr / "set-env.ps1.example", scr / "set-env.ps1")
        (repository.root / ".env").write_text("OPENAI_API_KEY=sk-1\n")
        repository.run(shell)
        assert repository.litellm().environ["OPENAI_API_KEY"] == "sk-1"

    def test_a_failing_set_env_does_not_keep_the_proxy_from_starting(
        self, shell: str, repository: Repository
    ) -> None:
        (repository.root / "scr" / "set-env.ps1").write_text("throw 'vault locked'\n")
        done = repository.run(shell)
        assert repository.names() == ["litellm"]
        assert "vault locked" in done.stderr

    def test_no_key_stays_in_the_console(self, shell: str, repository: Repository) -> None:
        (repository.root / ".env").write_text("OPENAI_API_KEY=sk-1\n")
        script = str(repository.root / "scr" / "start-proxy.ps1")
        done = subprocess.run(
            [
                str(shutil.which(shell)),
                "-NoProfile",
                "-Command",
                f"& '{script}'; \"code $LASTEXITCODE key [$env:OPENAI_API_KEY]\"",
            ],
            env=repository.environ({}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "code 0 key []" in done.stdout

    def test_sub_agent_discovery_runs_rollcall_in_its_mode(
        self, shell: str, repository: Repository
    ) -> None:
        repository.stand_ins.add("rollcall", exit_code=3)
        done = repository.run(shell, "--force", script="run-subagent-discovery")
        [start] = repository.stand_ins.starts()
        config = str(repository.root / "config.yaml")
        assert start.argv == ["apply", "--mode", "subagents", "--config", config, "--force"]
        assert done.returncode == 3


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

    def test_the_examples_name_the_same_keys(self) -> None:
        names = r"[A-Z]+_(?:API|MASTER)_KEY"
        dotenv = re.findall(rf"(?m)^# ({names})=$", (SCR.parent / ".env.example").read_text())
        set_env = re.findall(rf"(?m)^    '({names})'$", (SCR / "set-env.ps1.example").read_text())
        known = {name for provider in BUILTIN.values() for name in provider.key_env}
        assert dotenv == set_env
        assert set(dotenv) - known == {"LITELLM_MASTER_KEY"}


def remove(stand_ins: StandIns, name: str) -> None:
    """Take one stand-in away again."""
    for path in stand_ins.folder.glob(f"{name}*"):
        path.unlink()
