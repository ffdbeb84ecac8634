"""`rollcall start` as a process: discovery or not, litellm is started, whatever happened before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

from rollcall.launch.find import KNOWN_BAD
from tests.house import OWN
from tests.litellm_proxy import MASTER_KEY, OFFLINE, free_port
from tests.platforms import PATIENCE, not_on_windows
from tests.simulator.faults import Fault
from tests.stand_in import OF_NO_ENVIRONMENT, StandIns

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
aliases: {claude: {family: claude-sonnet}}
"""
WITH_NEW = ["my-local-model", "claude-sonnet-5"]


class Starter:
    """Types `rollcall start` with a stand-in litellm on PATH."""

    def __init__(self, house: House, stand_ins: StandIns) -> None:
        self.house = house
        self.stand_ins = stand_ins

    def start(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        path = f"{self.stand_ins.folder}{os.pathsep}{os.environ['PATH']}"
        environ = {**os.environ, "PATH": path, "ROLLCALL_LITELLM": "litellm", **variables}
        return subprocess.run(
            [sys.executable, "-m", "rollcall", "start", *args],
            env=environ,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def names(self) -> list[str]:
        """The model_names of the config litellm was last started on."""
        argv = self.stand_ins.starts()[-1].argv
        text = Path(argv[argv.index("--config") + 1]).read_text(encoding="utf-8")
        return [row["model_name"] for row in yaml.safe_load(text)["model_list"]]


@pytest.fixture
def starter(house: House, tmp_path: Path) -> Starter:
    """A policy, a config, and a litellm that ends with 7."""
    house.write_policy(RULES, "anthropic")
    house.monkeypatch.delenv("SOURCE_DATE_EPOCH")
    stand_ins = StandIns(tmp_path / "bin dir", tmp_path / "record.jsonl")
    stand_ins.add("litellm", exit_code=7)
    return Starter(house, stand_ins)


def test_without_discovery_nobody_is_asked_and_one_line_says_how(starter: Starter) -> None:
    done = starter.start("--", "--port", "4711")
    assert done.returncode == 7
    assert starter.stand_ins.starts()[0].argv[-2:] == ["--port", "4711"]
    assert starter.names() == ["my-local-model"]
    assert "LITELLM_ENABLE_DISCOVERY" in done.stderr
    assert not starter.house.sim.requests


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_the_variable_turns_discovery_on(starter: Starter, word: str) -> None:
    assert starter.start(LITELLM_ENABLE_DISCOVERY=word).returncode == 7
    assert starter.names() == WITH_NEW


def test_within_the_time_to_live_nobody_is_asked_again(starter: Starter) -> None:
    starter.start("--discover")
    asked = len(starter.house.sim.requests)
    starter.start("--discover")
    assert len(starter.house.sim.requests) == asked
    starter.start("--discover", "--ttl", "0s")
    assert len(starter.house.sim.requests) > asked


@pytest.mark.parametrize("change", ["policy", "config", "key", "mode"])
def test_a_change_ends_the_time_to_live(starter: Starter, change: str) -> None:
    starter.start("--discover")
    asked = len(starter.house.sim.requests)
    variables = {}
    if change == "policy":
        starter.house.policy.write_text(
            starter.house.policy.read_text(encoding="utf-8") + "# more\n", encoding="utf-8"
        )
    elif change == "config":
        starter.house.config.write_text(
            starter.house.config.read_text(encoding="utf-8") + "# more\n", encoding="utf-8"
        )
    elif change == "key":
        variables["ANTHROPIC_API_KEY"] = ""
    else:
        variables["LITELLM_DISCOVERY_MODE"] = "subagents"
    done = starter.start("--discover", **variables)
    again = len(starter.house.sim.requests) > asked
    assert (
        again
        or "ANTHROPIC_API_KEY" in done.stderr
        or "not_asked" in done.stderr
        or ("Nobody could be asked" in done.stderr)
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("policy.yaml", "version: ["),
        ("policy.yaml", None),
        ("config.yaml", "model_list: [\n"),
        ("config.yaml", "a: 1\n---\nb: 2\n"),
        ("config.yaml", None),
    ],
)
def test_litellm_is_started_whatever_the_files_say(
    starter: Starter, name: str, text: str | None
) -> None:
    path = starter.house.folder / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
    done = starter.start("--discover")
    assert done.returncode == 7
    assert "rollcall: " in done.stderr or text is None
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"LITELLM_DISCOVERY_MODE": "autopilot"},
        {"SOURCE_DATE_EPOCH": "yesterday"},
        {"ROLLCALL_STATE_DIR": "/dev/null/state"},
    ],
)
def test_litellm_is_started_whatever_the_variables_say(
    starter: Starter, variables: dict[str, str]
) -> None:
    done = starter.start("--discover", **variables)
    assert done.returncode == 7
    assert len(starter.stand_ins.starts()) == 1
    assert "Traceback" not in done.stderr


def test_a_hanging_provider_costs_the_deadline_and_no_more(starter: Starter) -> None:
    starter.house.sim.fault("anthropic", Fault.HANG)
    done = starter.start("--discover", "--deadline", "300ms", "--timeout", "300ms")
    assert done.returncode == 7
    assert "timeout" in done.stderr
    assert starter.names() == ["my-local-model"]


def test_two_lines_and_a_start_where_the_config_does_not_load(starter: Starter) -> None:
    starter.house.config.write_text("model_list:\n\t- broken\n", encoding="utf-8")
    done = starter.start("-q")
    assert done.returncode == 7
    assert "does not load" in done.stderr
    assert "--or-last-good" in done.stderr


def test_or_last_good_starts_on_the_last_backup_that_loads(starter: Starter) -> None:
    starter.start("--discover")
    starter.start("--discover", "--ttl", "0s")
    starter.house.config.write_text("model_list:\n\t- broken\n", encoding="utf-8")
    done = starter.start("--or-last-good")
    assert done.returncode == 7
    assert "LAST GOOD" in done.stderr
    assert starter.names() == ["my-local-model"]
    assert starter.house.config.read_text(encoding="utf-8") == "model_list:\n\t- broken\n"


def test_a_containers_own_entrypoint_gets_the_config(starter: Starter) -> None:
    starter.stand_ins.add("entrypoint.sh")
    assert starter.start("--", "entrypoint.sh", "--port", "1").returncode == 0
    started = starter.stand_ins.starts()[0]
    assert started.name == "entrypoint.sh"
    assert started.argv[:2] == ["--port", "1"]
    assert str(starter.house.config) in started.argv


@not_on_windows("no lib/python*/site-packages")
@pytest.mark.parametrize("version", [*sorted(KNOWN_BAD), "1.108.7"])
def test_a_release_known_to_steal_keys_is_not_started_unless_told(
    starter: Starter, tmp_path: Path, version: str
) -> None:
    starter.stand_ins = StandIns(tmp_path / "venv" / "bin", tmp_path / "record.jsonl")
    starter.stand_ins.add("litellm", exit_code=7, python=OF_NO_ENVIRONMENT)
    (tmp_path / "venv/lib/python3.12/site-packages" / f"litellm-{version}.dist-info").mkdir(
        parents=True
    )
    done = starter.start("--discover")
    if version not in KNOWN_BAD:
        assert done.returncode == 7
        return
    assert done.returncode == 1
    assert not starter.stand_ins.starts()
    assert f"litellm {version}" in done.stderr
    assert "replace every key" in done.stderr
    assert starter.start("--litellm-anyway").returncode == 7


@not_on_windows("no POSIX shell")
def test_a_command_of_its_own_needs_no_litellm_of_ours(starter: Starter) -> None:
    """In a container's entrypoint `sh -c` may well find a litellm that we do not."""
    done = starter.start("--", "sh", "-c", "exit 9", ROLLCALL_LITELLM="no-such-litellm")
    assert (done.returncode, "no-such-litellm" in done.stderr) == (9, False)
    named = starter.start("--", "litellm", "--port", "1", ROLLCALL_LITELLM="no-such-litellm")
    assert named.returncode == 1


def test_without_litellm_there_are_two_lines(starter: Starter) -> None:
    done = starter.start(ROLLCALL_LITELLM="no-such-litellm")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 2


@not_on_windows("no POSIX signals")
def test_ctrl_c_during_discovery_starts_nothing_and_leaves_the_file(starter: Starter) -> None:
    sim = starter.house.sim
    sim.fault("anthropic", Fault.HANG)
    environ = {**os.environ, "PATH": f"{starter.stand_ins.folder}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "rollcall", "start", "--discover", "--litellm", "litellm",
         "--deadline", "50s", "--timeout", "50s"],
        env=environ, stderr=subprocess.PIPE,
    )  # fmt: skip
    asked = sim.wait_until_asked()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert asked
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert not starter.stand_ins.starts()
    assert starter.house.config.read_text(encoding="utf-8") == OWN


@pytest.mark.litellm
def test_from_an_outdated_list_to_a_served_new_one_with_the_real_proxy(house: House) -> None:
    house.write_policy(RULES, "anthropic")
    house.monkeypatch.delenv("SOURCE_DATE_EPOCH")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "rollcall", "start", "--discover", "--",
         "--port", str(port), "--host", "127.0.0.1"],
        env={**os.environ, **OFFLINE, "LITELLM_MASTER_KEY": MASTER_KEY},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        transport = httpx.HTTPTransport(retries=0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            listed = _names_once_ready(client, process)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert set(listed) == {"my-local-model", "claude-sonnet-5", "claude"}


def _names_once_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> list[str]:
    import time

    deadline = time.monotonic() + PATIENCE * 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get("/health/readiness", timeout=2).status_code == 200:
                headers = {"authorization": f"Bearer {MASTER_KEY}"}
                rows = client.get("/v1/models", headers=headers, timeout=30).json()["data"]
                return [row["id"] for row in rows]
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"the proxy was not ready: {process.poll()}")


def test_a_mode_that_is_none_asks_nobody_even_with_discover(starter: Starter) -> None:
    """Asking everybody instead would write what the mode was to keep out."""
    done = starter.start("--discover", "--mode", "autopilot")
    assert done.returncode == 7
    assert "no such mode" in done.stderr
    assert starter.names() == ["my-local-model"]
    assert not starter.house.sim.requests


def test_an_env_file_that_is_not_text_does_not_keep_the_proxy_down(starter: Starter) -> None:
    (starter.house.folder / ".env").write_bytes(b"KEY=\xff\xfe\n")
    done = starter.start("--discover")
    assert done.returncode == 7
    assert "is not UTF-8" in done.stderr
