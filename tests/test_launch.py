"""The launch: which litellm is started, with what, and what comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rollcall.errors import LaunchError
from rollcall.launch.find import find_litellm
from rollcall.launch.run import (
    command,
    config_given,
    exit_code,
    launch,
    place_last_good,
    run_child,
    variables,
)
from rollcall.launch.shells import batch_line
from tests.platforms import not_on_windows, only_on_windows
from tests.stand_in import StandIns

posix = not_on_windows("no #! lines")
SRC = str(Path(__file__).resolve().parents[1] / "src")
NO_PYTHON = "/nowhere/bin/python"


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    return StandIns(tmp_path / "bin with spaces", tmp_path / "starts.jsonl")


def in_a_process(call: str, *argv: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    """Run `call(argv, os.environ)` of the launch in a Python of its own."""
    code = (
        f"import os, sys; from rollcall.launch.run import {call}; print('before', end='');"
        f"sys.exit({call}(sys.argv[1:], os.environ))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *argv],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={"PYTHONPATH": SRC, "PATH": os.environ["PATH"], **environ},
        start_new_session=True,
    )


@posix
class TestFindLitellm:
    def test_the_option_wins(self, stand_ins: StandIns) -> None:
        named = stand_ins.add("my-litellm")
        other = stand_ins.add("litellm")
        environ = {"PATH": str(stand_ins.folder), "ROLLCALL_LITELLM": str(other)}
        assert find_litellm(str(named), environ) == named
        assert find_litellm("my-litellm", environ) == named

    def test_a_path_from_the_working_directory_is_not_searched_on_path(
        self, isolated: Path, stand_ins: StandIns
    ) -> None:
        stand_ins.add("litellm")
        here = StandIns(isolated, stand_ins.record).add("litellm")
        environ = {"PATH": str(stand_ins.folder)}
        assert find_litellm("./litellm", environ) == here
        assert command(find_litellm("./litellm", environ), Path("c"), [])[0] == str(here)

    def test_the_variable_wins_over_the_search(self, stand_ins: StandIns) -> None:
        stand_ins.add("litellm")
        named = stand_ins.add("my-litellm")
        environ = {"PATH": str(stand_ins.folder), "ROLLCALL_LITELLM": str(named)}
        assert find_litellm(None, environ) == named

    def test_an_empty_variable_says_nothing(self, stand_ins: StandIns) -> None:
        found = stand_ins.add("litellm")
        environ = {"PATH": str(stand_ins.folder), "ROLLCALL_LITELLM": ""}
        assert find_litellm("", environ, python=NO_PYTHON) == found

    def test_beside_python_wins_over_path(self, stand_ins: StandIns, tmp_path: Path) -> None:
        stand_ins.add("litellm")
        beside = StandIns(tmp_path / "venv" / "bin", stand_ins.record).add("litellm")
        python = tmp_path / "venv" / "bin" / "python"
        assert find_litellm(None, {"PATH": str(stand_ins.folder)}, python=str(python)) == beside

    def test_a_home_folder_is_understood(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        named = StandIns(tmp_path / "bin", tmp_path / "starts").add("litellm")
        assert find_litellm("~/bin/litellm", {"PATH": ""}) == named

    def test_a_python_that_does_not_know_where_it_is_is_passed_over(
        self, isolated: Path, stand_ins: StandIns
    ) -> None:
        StandIns(isolated, stand_ins.record).add("litellm")
        found = stand_ins.add("litellm")
        assert find_litellm(None, {"PATH": str(stand_ins.folder)}, python="") == found

    def test_missing_is_two_clear_lines(self) -> None:
        with pytest.raises(LaunchError) as caught:
            find_litellm(None, {"PATH": ""}, python=NO_PYTHON)
        assert "not found" in caught.value.what
        assert 'pip install "litellm[proxy]"' in caught.value.hint

    @pytest.mark.parametrize("option", ["--litellm", "ROLLCALL_LITELLM"])
    def test_a_wrong_name_is_not_replaced_by_a_guess(
        self, option: str, stand_ins: StandIns
    ) -> None:
        stand_ins.add("litellm")
        environ = {"PATH": str(stand_ins.folder)}
        explicit = "no-such-litellm" if option == "--litellm" else None
        if explicit is None:
            environ["ROLLCALL_LITELLM"] = "no-such-litellm"
        with pytest.raises(LaunchError) as caught:
            find_litellm(explicit, environ)
        assert option in caught.value.what
        assert "no-such-litellm" in caught.value.what


class TestCommand:
    CONFIG = Path("/etc/my proxy/config.yaml")
    OURS = ("--config", str(Path("/etc/my proxy/config.yaml")))

    @pytest.mark.parametrize(
        ("args", "expected"),
        [
            ([], ["LL", *OURS]),
            (["--port", "4000"], ["LL", *OURS, "--port", "4000"]),
            (["--config", "x.yaml"], ["LL", "--config", "x.yaml"]),
            (["--config=x.yaml", "--port", "1"], ["LL", "--config=x.yaml", "--port", "1"]),
            (["-c", "x.yaml"], ["LL", "-c", "x.yaml"]),
            (["-cx.yaml"], ["LL", "-cx.yaml"]),
            (["litellm", "--port", "1"], ["LL", *OURS, "--port", "1"]),
            (["litellm", "-c", "x.yaml"], ["LL", "-c", "x.yaml"]),
            (
                ["docker/prod_entrypoint.sh", "--port", "4000"],
                ["docker/prod_entrypoint.sh", "--port", "4000", *OURS],
            ),
            (["entry.sh", "--config", "x.yaml"], ["entry.sh", "--config", "x.yaml"]),
            (
                ["tini", "--", "litellm", "--port", "1"],
                ["tini", "--", "litellm", "--port", "1", *OURS],
            ),
            (["sh", "-c", "litellm --port 1"], ["sh", "-c", "litellm --port 1"]),
            (
                ["uvicorn", "litellm.proxy.proxy_server:app"],
                ["uvicorn", "litellm.proxy.proxy_server:app"],
            ),
        ],
    )
    def test_config_is_added_where_it_reaches_litellm(
        self, args: list[str], expected: list[str]
    ) -> None:
        assert command("LL", self.CONFIG, args) == expected

    @pytest.mark.parametrize(
        "line",
        [
            "bash -lc X", "bash -eo pipefail -c X", "bash -o errexit -lc X", "/bin/sh -ec X",
            "tini -- dash -xc X", "env A=1 zsh -fc X", "fish --command=X", "python -c X",
            "cmd /c X", "cmd.exe /C X", "cmd /d /s /c X", "CMD /S/K X", "cmd /q/c X", "cmd /cX",
            r"C:\Windows\System32\cmd.exe /c X", "entry.sh cmd /r X",
            "pwsh -c X", "pwsh -Command X", "pwsh -NoProfile -NonInteractive -comm X", "pwsh /c X",
            "pwsh -ExecutionPolicy Bypass -Command X", "pwsh -ep Bypass -nop -c X",
            "powershell -Command X", "powershell.exe -EncodedCommand X", "powershell -enc X",
            "powershell -ec X", "powershell -e X", "pwsh -cwa X", "powershell -", "powershell X",
            "powershell -ExecutionPolicy Bypass X", "PowerShell.EXE -NoLogo X",
        ],
    )  # fmt: skip
    def test_nothing_is_added_to_a_line_for_a_shell(self, line: str) -> None:
        args = line.split()
        assert command("LL", self.CONFIG, args) == args

    @pytest.mark.parametrize(
        "line",
        [
            "sh entry.sh X", "bash -e entry.sh -x", "bash --norc entry.sh", "cmdline /port 1",
            "pwsh -File X.ps1", "pwsh -NoProfile -f X.ps1 -Port 1", "pwsh X.ps1",
            "powershell -ExecutionPolicy Bypass -File X.ps1", "pwsh -ep Bypass -File X.ps1",
            "my-proxy.cmd --port 1", "entry.sh /c", "docker/prod_entrypoint.sh -x",
        ],
    )  # fmt: skip
    def test_a_script_with_words_of_its_own_gets_the_config(self, line: str) -> None:
        args = line.split()
        assert command("LL", self.CONFIG, args) == [*args, *self.OURS]

    @pytest.mark.parametrize(
        ("args", "given"),
        [
            (["--port", "1"], None),
            (["--config", "a.yaml", "-c", "b.yaml"], "b.yaml"),
            (["--config="], ""),
            (["--config"], None),
            (["-cx.yaml"], "x.yaml"),
            (["sh", "-c", "litellm"], None),
            (["entry.sh", "--config=x.yaml"], "x.yaml"),
        ],
    )
    def test_the_config_somebody_named_is_told(self, args: list[str], given: str | None) -> None:
        assert config_given(args) == given

    def test_a_web_server_learns_the_config_from_its_environment(self) -> None:
        environ = variables({"A": "1"}, self.CONFIG, ["/usr/bin/uvicorn", "app"])
        assert environ == {
            "A": "1",
            "PYTHONUTF8": "1",
            "ROLLCALL_CONFIG": str(self.CONFIG),
            "CONFIG_FILE_PATH": str(self.CONFIG),
        }

    @pytest.mark.parametrize(("given", "expected"), [({}, "1"), ({"PYTHONUTF8": "0"}, "0")])
    def test_litellm_reads_utf_8_unless_a_person_says_otherwise(
        self, given: dict[str, str], expected: str
    ) -> None:
        assert variables(given, self.CONFIG, [])["PYTHONUTF8"] == expected

    def test_litellm_itself_is_not_given_a_variable_that_outranks_its_option(self) -> None:
        for args in ([], ["--config", "x.yaml"], ["litellm"], ["entry.sh"]):
            assert "CONFIG_FILE_PATH" not in variables({}, self.CONFIG, args)


class TestBatchFiles:
    """cmd reads the whole line anew; what it would change is not handed to it."""

    def test_every_word_stays_one_word(self) -> None:
        argv = [r"C:\R&D 100%\litellm.bat", "--port", "4000", "a&b|c<d>(e)", r"C:\my x\\"[:-1], ""]
        assert batch_line(argv, "C:\\") == (
            r'/d /e:on /v:off /s /c ""C:\R&D 100%%cd:~,%\litellm.bat" --port 4000'
            r' "a&b|c<d>(e)" "C:\my x\\" """'
        )

    @pytest.mark.parametrize("word", ['a"b', "50%PATH%", "x^y", "!x!", "a\nb", "\0"])
    def test_what_cmd_misreads_in_quotes_too_is_two_lines(self, word: str) -> None:
        with pytest.raises(LaunchError) as caught:
            batch_line([r"C:\x\litellm.cmd", "--alias", word], "C:\\x")
        assert r"C:\x\litellm.cmd is a batch file" in caught.value.what
        assert repr(word) in caught.value.what
        assert "--litellm" in caught.value.hint

    def test_a_config_of_the_folder_we_are_in_needs_no_odd_folder(self) -> None:
        argv = [r"C:\x\litellm.bat", "--config", r"c:\My 100%\etc\config.yaml"]
        assert batch_line(argv, r"C:\my 100%").endswith(r'--config etc\config.yaml"')
        with pytest.raises(LaunchError):
            batch_line(argv, r"C:\elsewhere")

    @only_on_windows("no cmd")
    @pytest.mark.parametrize("folder", ["R&D", "100%", "my proxy (1)", "größe"])
    def test_it_is_started_by_its_name_and_gets_what_was_meant(
        self, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = tmp_path / folder
        here.mkdir()
        show = tmp_path / "show.py"
        text = "import sys; open('seen','w',encoding='utf-8').write(chr(0).join(sys.argv[1:]))\n"
        show.write_text(text + "sys.exit(9)\n", encoding="utf-8")
        for name in ("litellm.bat", "called.cmd"):
            call = "call " if name == "called.cmd" else ""
            line = f'@{call}"{sys.executable}" "{show}" %*\r\n'
            (here / name).write_bytes(line.encode("ascii"))
        monkeypatch.chdir(here)
        environ = {**os.environ, "PATH": str(here)}
        words = ["--config", str(here / "config.yaml"), "a&echo b", "a|b<c>(d)", "x y\\", "", "*"]
        meant = [*words[:1], "config.yaml" if "%" in folder else words[1], *words[2:]]
        for name in ("litellm", "called", str(here / "litellm.bat")):
            assert run_child([name, *words], environ) == 9
            assert (here / "seen").read_text(encoding="utf-8").split("\0") == meant


@posix
@pytest.mark.parametrize("call", ["launch", "run_child"])
class TestHandOff:
    def test_arguments_environment_and_exit_code_pass_through(
        self, call: str, stand_ins: StandIns
    ) -> None:
        litellm = stand_ins.add("litellm", exit_code=7)
        argv = [str(litellm), "--config", "a b.yaml", "--alias", 'it\'s "x"', ""]
        process = in_a_process(call, *argv, environ={"OPENAI_API_KEY": "sk-1 2"})
        output, _ = process.communicate(timeout=30)
        [start] = stand_ins.starts()
        assert process.returncode == 7
        assert output == "beforelitellm says hello\n"
        assert start.argv == argv[1:]
        assert start.environ["OPENAI_API_KEY"] == "sk-1 2"

    @pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
    def test_a_signal_to_us_reaches_litellm(
        self, call: str, name: str, stand_ins: StandIns
    ) -> None:
        litellm = stand_ins.add("litellm", exit_code=9, waits=True)
        process = in_a_process(call, str(litellm), environ={})
        assert process.stdout is not None
        assert process.stdout.readline() == "beforeready\n"
        process.send_signal(signal.Signals[name])
        output, _ = process.communicate(timeout=30)
        assert output == f"got {name}\n"
        assert process.returncode == 9

    def test_control_c_reaches_litellm_once_and_its_answer_is_ours(
        self, call: str, stand_ins: StandIns
    ) -> None:
        if sys.platform == "win32":
            raise NotImplementedError
        litellm = stand_ins.add("litellm", exit_code=3, waits=True)
        process = in_a_process(call, str(litellm), environ={})
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        assert output == "got SIGINT\n"
        assert process.returncode == 3

    def test_what_cannot_be_started_is_two_lines(
        self, call: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        if sys.platform == "win32":
            raise NotImplementedError
        broken = tmp_path / "litellm"
        broken.write_text("#!/no/such/python\n", encoding="utf-8")
        broken.chmod(0o755)
        before = signal.getsignal(signal.SIGPIPE)
        with pytest.raises(LaunchError) as caught:
            {"launch": launch, "run_child": run_child}[call]([str(broken)], {})
        assert str(broken) in caught.value.what
        assert caught.value.hint
        assert signal.getsignal(signal.SIGPIPE) == before


@posix
def test_litellm_takes_our_place_and_our_process_number(stand_ins: StandIns) -> None:
    process = in_a_process("launch", str(stand_ins.add("litellm")), environ={})
    process.communicate(timeout=30)
    assert stand_ins.starts()[0].pid == process.pid


@posix
def test_a_pipe_that_closes_ends_a_shell_command_as_usual(stand_ins: StandIns) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    process = in_a_process("launch", "sh", "-c", "kill -PIPE $$; echo ignored", environ={})
    output, _ = process.communicate(timeout=30)
    assert "ignored" not in output
    assert process.returncode == -signal.SIGPIPE


@pytest.mark.parametrize(
    ("returncode", "expected"), [(0, 0), (3, 3), (-15, 143), (-2, 130), (0xC000013A, 130)]
)
def test_exit_codes_read_as_a_shell_reports_them(returncode: int, expected: int) -> None:
    assert exit_code(returncode) == expected


class TestLastGood:
    def test_it_stands_beside_the_config_and_is_private(self, tmp_path: Path) -> None:
        config = tmp_path / "config.yaml"
        config.write_bytes(b"broken: [")
        placed = place_last_good(config, b"model_list: []\n")
        assert placed == tmp_path / "config.rollcall-last-good.yaml"
        assert placed.read_bytes() == b"model_list: []\n"
        assert config.read_bytes() == b"broken: ["
        if os.name != "nt":
            assert placed.stat().st_mode & 0o777 == 0o600

    def test_an_older_one_is_replaced(self, tmp_path: Path) -> None:
        place_last_good(tmp_path / "config.yml", b"old")
        placed = place_last_good(tmp_path / "config.yml", b"new")
        assert placed.read_bytes() == b"new"
        assert [path.name for path in tmp_path.iterdir()] == ["config.rollcall-last-good.yml"]

    def test_a_folder_that_cannot_be_written_is_replaced_by_a_private_one(
        self, tmp_path: Path
    ) -> None:
        config = tmp_path / "gone" / "config.yaml"
        placed = place_last_good(config, b"model_list: []\n")
        assert placed.read_bytes() == b"model_list: []\n"
        assert not config.parent.exists()
        if os.name != "nt":
            assert placed.parent.stat().st_mode & 0o777 == 0o700

    def test_nowhere_to_put_it_is_two_clear_lines(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone too"))
        with pytest.raises(LaunchError) as caught:
            place_last_good(tmp_path / "gone" / "config.yaml", b"")
        assert "last good config" in caught.value.what
        assert "rollcall rollback" in caught.value.hint
