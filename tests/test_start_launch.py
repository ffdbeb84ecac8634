"""`rollcall start`, whole: what litellm is started with, and what comes back from it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.platforms import not_on_windows
from tests.stand_in import StandIns, Start

pytestmark = not_on_windows("no #! lines")

CONFIG = """\
model_list:
  - model_name: alpha  # mine
    litellm_params: {model: openai/gpt-5.5}
"""
POLICY = """\
version: 1
defaults: {timeout: 1s, deadline: 2s}
providers:
  local: {type: openai, base_url: "http://127.0.0.1:%d/v1", key_env: null}
allow:
  - {match: "*", from: [local], newest: 1}
aliases: {}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A folder with a config, and stand-ins on PATH."""

    folder: Path
    stand_ins: StandIns

    def environ(self, extra: dict[str, str]) -> dict[str, str]:
        """A small environment; ROLLCALL_LITELLM names the stand-in."""
        litellm = str(self.stand_ins.folder / "litellm")
        path = os.pathsep.join([str(self.stand_ins.folder), os.environ["PATH"]])
        return {"PATH": path, "HOME": os.environ["HOME"], "ROLLCALL_LITELLM": litellm, **extra}

    def popen(self, *args: str, **extra: str) -> subprocess.Popen[str]:
        """Begin `rollcall start`, in a process group of its own as a terminal's job is."""
        return subprocess.Popen(
            [sys.executable, "-m", "rollcall", "start", *args],
            cwd=self.folder,
            env=self.environ(extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def start(self, *args: str, **extra: str) -> tuple[int, str, str]:
        """Run `rollcall start` to its end: (exit code, stdout, stderr)."""
        process = self.popen(*args, **extra)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def started(self) -> Start:
        """The one start of something."""
        [start] = self.stand_ins.starts()
        return start

    @property
    def config(self) -> Path:
        """Its config.yaml."""
        return self.folder / "config.yaml"


@pytest.fixture
def proxy(tmp_path: Path) -> Proxy:
    folder = tmp_path / "my proxy"
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY % unused_port(), encoding="utf-8")
    made = Proxy(folder, StandIns(tmp_path / "stand ins", tmp_path / "starts.jsonl"))
    made.stand_ins.add("litellm", exit_code=5)
    return made


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def silent_server() -> Iterator[int]:
    """A server that accepts connections and never answers; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_arguments_and_exit_code_pass_through(proxy: Proxy) -> None:
    code, out, err = proxy.start("--", "--port", "4000", "--alias", "a b")
    assert proxy.started().argv == [
        "--config",
        str(proxy.config),
        "--port",
        "4000",
        "--alias",
        "a b",
    ]
    assert (code, out) == (5, "litellm says hello\n")
    assert "LITELLM_ENABLE_DISCOVERY=1" in err


def test_litellm_gets_the_variables_of_dotenv(proxy: Proxy) -> None:
    (proxy.folder / ".env").write_text("A=1\nB=${A}2\nC=from dotenv\n", encoding="utf-8")
    proxy.start(C="from the environment")
    environ = proxy.started().environ
    assert (environ["A"], environ["B"], environ["C"]) == ("1", "12", "from the environment")


def test_a_containers_own_command_is_started(proxy: Proxy) -> None:
    entrypoint = proxy.stand_ins.add("entrypoint.sh", exit_code=3)
    code, _, _ = proxy.start("--", str(entrypoint), "--port", "4000")
    start = proxy.started()
    assert (code, start.name) == (3, "entrypoint.sh")
    assert start.argv == ["--port", "4000", "--config", str(proxy.config)]


def test_a_config_named_for_litellm_is_left_to_it(proxy: Proxy) -> None:
    proxy.start("--", "litellm", "--config", "other.yaml")
    assert proxy.started().argv == ["--config", "other.yaml"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_litellms(number: signal.Signals, proxy: Proxy) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    proxy.stand_ins.add("litellm", exit_code=9, waits=True)
    process = proxy.popen()
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, number)
    out, _ = process.communicate(timeout=30)
    assert (out, process.returncode) == (f"got {number.name}\n", 9)


def test_a_failing_discovery_does_not_keep_litellm_from_starting(proxy: Proxy) -> None:
    code, out, err = proxy.start("--discover")
    assert (code, out) == (5, "litellm says hello\n")
    assert "local" in err
    assert proxy.config.read_text(encoding="utf-8") == CONFIG


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("policy.yaml", "version: 1\nalow: []\n"),
        ("policy.yaml", "{"),
        ("config.yaml", "model_list: [\n"),
    ],
)
def test_a_broken_file_does_not_either(name: str, text: str, proxy: Proxy) -> None:
    (proxy.folder / name).write_text(text, encoding="utf-8")
    code, _, err = proxy.start(LITELLM_ENABLE_DISCOVERY="1")
    assert code == 5
    assert len(proxy.stand_ins.starts()) == 1
    assert "rollcall:" in err
    assert (proxy.folder / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "environ",
    [
        {"LITELLM_DISCOVERY_MODE": "orchestra", "LITELLM_ENABLE_DISCOVERY": "1"},
        {"SOURCE_DATE_EPOCH": "yesterday"},
    ],
)
def test_settings_that_make_no_sense_do_not_either(environ: dict[str, str], proxy: Proxy) -> None:
    code, _, err = proxy.start(**environ)
    assert code == 5
    assert "rollcall:" in err


def test_a_provider_that_hangs_costs_the_deadline_at_most(proxy: Proxy) -> None:
    with silent_server() as port:
        (proxy.folder / "policy.yaml").write_text(POLICY % port, encoding="utf-8")
        code, _, err = proxy.start("--discover", "--deadline", "300ms")
    assert code == 5
    assert "local" in err


def test_control_c_during_discovery_starts_nothing(proxy: Proxy) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    with socket.create_server(("127.0.0.1", 0)) as server:
        (proxy.folder / "policy.yaml").write_text(
            POLICY % server.getsockname()[1], encoding="utf-8"
        )
        process = proxy.popen("--discover", "--deadline", "50s", "--timeout", "50s")
        connection, _ = server.accept()
        with connection:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=30)
    assert process.returncode == 130
    assert proxy.stand_ins.starts() == []
    assert proxy.config.read_text(encoding="utf-8") == CONFIG


def test_a_missing_litellm_is_two_lines(proxy: Proxy) -> None:
    code, out, err = proxy.start("--litellm", "no-such-litellm")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert len(lines) == 2
    assert "no-such-litellm" in lines[0]


@pytest.mark.parametrize(
    ("command", "what_to_do"),
    [
        ("litelm", "Did you mean 'litellm'?"),
        ("nosuch", "Name a command on PATH, or its path"),
        ("./script", "Its first line names a program that is not there."),
    ],
)
def test_a_missing_command_of_ones_own_is_two_lines(
    proxy: Proxy, command: str, what_to_do: str
) -> None:
    script = proxy.folder / "script"
    script.write_text("#!/no/such/program\n", encoding="utf-8")
    script.chmod(0o700)
    code, _, err = proxy.start("--", command)
    assert code == 1
    what, hint = err.splitlines()[-2:]
    assert what.startswith(f"rollcall: {command} could not be started: No such file")
    assert what_to_do in hint


def test_a_config_that_does_not_load_is_said_and_litellm_decides(proxy: Proxy) -> None:
    proxy.config.write_text("model_list: [\n", encoding="utf-8")
    code, _, err = proxy.start()
    assert code == 5
    assert "does not load" in err
    assert proxy.started().argv == ["--config", str(proxy.config)]
