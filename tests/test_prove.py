"""A new config is proved through LiteLLM's proxy: before it is written, after a restart, and by the
parent that watches over it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import httpx
import pytest

from rollcall.launch.run import serving_at
from tests.house import House
from tests.litellm_proxy import MASTER_KEY, OFFLINE, free_port, litellm_command
from tests.platforms import not_on_windows
from tests.simulator import CallFault
from tests.stand_in_proxy import stand_in_proxy, starts, until

pytestmark = not_on_windows("a stand-in that is started by its first line")

RULES = """
allow:
  - {match: [claude-sonnet-4-6, claude-sonnet-5, claude-opus-5], from: [anthropic], stage: any}
aliases:
  work: {model: "anthropic/TARGET"}
  other: {model: anthropic/claude-sonnet-4-6}
"""
OLD, NEW = "claude-sonnet-4-6", "claude-sonnet-5"


@pytest.fixture
def home(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A folder whose alias serves, a stand-in for LiteLLM, and a policy that names another."""
    stand_in_proxy(house.folder / "bin", dies_on=NEW)
    monkeypatch.setenv("ROLLCALL_LITELLM", str(house.folder / "bin" / "litellm"))
    monkeypatch.setenv("LITELLM_MASTER_KEY", MASTER_KEY)
    lead_to(house, OLD)
    house.applied()
    lead_to(house, NEW)
    return house


def lead_to(house: House, target: str) -> None:
    house.write_policy(RULES.replace("TARGET", target), "anthropic")


def faults(house: House, **kinds: list[str]) -> None:
    found: dict[str, list[str]] = {"dead": [], "unready": [], "unready_ports": []}
    text = json.dumps({**found, **kinds})
    (house.folder / "faults.json").write_text(text, encoding="utf-8")


def test_a_config_whose_aliases_all_answer_is_written(home: House) -> None:
    ran = home.run("apply", "--prove")
    assert ran.code == 0, ran.text
    assert home.aliases()["work"] == f"anthropic/{NEW}"
    assert len(starts(home.folder / "bin")) == 1
    assert list(home.folder.glob(".rollcall-check*")) == []
    home.applied("--prove")
    assert len(starts(home.folder / "bin")) == 1, "nothing changed, nothing to prove"


def test_a_config_with_an_alias_that_would_be_dead_is_not(home: House) -> None:
    before = home.config.read_bytes()
    faults(home, dead=[f"anthropic/{NEW}"])
    ran = home.run("apply", "--prove")
    assert ran.code == 1
    assert "work would be dead: 404: model anthropic/claude-sonnet-5 not found" in ran.err
    assert home.config.read_bytes() == before


def test_an_alias_that_was_dead_before_stops_nothing_and_is_told(home: House) -> None:
    faults(home, dead=[f"anthropic/{OLD}"])
    ran = home.run("apply", "--prove")
    assert ran.code == 0, ran.text
    assert "note: other is dead, before and after" in ran.err
    assert home.aliases()["work"] == f"anthropic/{NEW}"


def test_a_proxy_that_is_not_ready_in_its_time_is_no_proof(home: House) -> None:
    before = home.config.read_bytes()
    faults(home, unready=[f"anthropic/{NEW}"])
    ran = home.run("apply", "--prove", "--prove-budget", "2s")
    assert ran.code == 1
    assert "was not ready on the new config within 2 s" in ran.err
    assert home.config.read_bytes() == before


class Running:
    """The stand-in on a port of its own, restarted by a command line."""

    def __init__(self, home: House) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.failed = self.answered = 0
        self._pids = home.folder / "pids"
        script = home.folder / "restart.py"
        script.write_text(
            "import os, pathlib, signal, subprocess, sys, time\n"
            f"pids = pathlib.Path({str(self._pids)!r})\n"
            "old = int(pids.read_text()) if pids.exists() else None\n"
            "if old:\n"
            "    os.kill(old, signal.SIGTERM)\n"
            f"new = subprocess.Popen([{str(home.folder / 'bin' / 'litellm')!r}, '--config',"
            f" {str(home.config)!r}, '--port', '{self.port}'], start_new_session=True)\n"
            "pids.write_text(str(new.pid))\n",
            encoding="utf-8",
        )
        self.command = f'"{sys.executable}" "{script}"'
        subprocess.run([sys.executable, str(script)], check=True)
        self.wait()

    def wait(self) -> None:
        """Until it is ready."""
        with httpx.Client(trust_env=False) as client:
            for _ in range(600):
                try:
                    if client.get(self.url + "/health/readiness").status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                time.sleep(0.05)
        raise AssertionError("the stand-in did not become ready")

    def load(self, stop: threading.Event) -> None:
        """Call the alias again and again, and count."""
        with httpx.Client(trust_env=False) as client:
            while not stop.wait(0.01):
                try:
                    body = {"model": "work", "messages": []}
                    reply = client.post(self.url + "/v1/chat/completions", json=body)
                    good = reply.status_code == 200
                except httpx.HTTPError:
                    good = False
                self.answered += good
                self.failed += not good

    def end(self) -> None:
        """Stop it."""
        if sys.platform == "win32":
            raise NotImplementedError
        os.kill(int(self._pids.read_text(encoding="utf-8")), signal.SIGKILL)


@pytest.fixture
def running(home: House) -> Any:
    found = Running(home)
    yield found
    found.end()


def test_a_config_that_kills_an_alias_is_rolled_back_under_load(
    home: House, running: Running
) -> None:
    before = home.config.read_bytes()
    faults(home, dead=[f"anthropic/{NEW}"])
    stop = threading.Event()
    thread = threading.Thread(target=running.load, args=(stop,))
    thread.start()
    try:
        ran = home.run(
            "apply", "--on-change", running.command, "--prove-after", running.url,
            "--prove-budget", "3s",
        )  # fmt: skip
    finally:
        running.wait()
        stop.set()
        thread.join()
    assert ran.code == 1
    assert "work answered before and is dead now: 404" in ran.err
    assert "is rolled back to" in ran.err
    assert home.config.read_bytes() == before
    assert [one[1]["work"] for one in starts(home.folder / "bin")] == [
        f"anthropic/{OLD}", f"anthropic/{NEW}", f"anthropic/{OLD}",
    ]  # fmt: skip
    assert running.failed > 0
    assert running.answered > 0
    reply = httpx.post(
        running.url + "/v1/chat/completions", json={"model": "work"}, trust_env=False
    )
    assert reply.status_code == 200


def test_a_config_that_serves_stays_after_the_restart(home: House, running: Running) -> None:
    ran = home.run("apply", "--on-change", running.command, "--prove-after", running.url)
    assert ran.code == 0, ran.text
    assert home.aliases()["work"] == f"anthropic/{NEW}"


@pytest.mark.parametrize("args", [["--prove-after", "http://127.0.0.1:1"]])
def test_prove_after_without_a_restart_is_a_usage_error(home: House, args: list[str]) -> None:
    assert home.run("apply", *args).code == 2


@pytest.mark.parametrize(
    ("args", "environ", "at"),
    [
        ([], {}, ("127.0.0.1", 4000)),
        (["--port", "4100", "--host", "0.0.0.0"], {}, ("127.0.0.1", 4100)),
        (["--host=10.0.0.3", "--port=5"], {}, ("10.0.0.3", 5)),
        ([], {"PORT": "8080"}, ("127.0.0.1", 8080)),
        (["--port"], {}, ("127.0.0.1", 4000)),
    ],
)
def test_where_a_proxy_can_be_reached(
    args: list[str], environ: dict[str, str], at: tuple[str, int]
) -> None:
    assert serving_at(args, environ) == at


def is_ready(port: int) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/health/readiness"
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_watch_restarts_on_a_good_config_keeps_away_a_bad_one_and_goes_back(home: House) -> None:
    port, folder = free_port(), home.folder / "bin"
    command = [sys.executable, "-m", "rollcall", "start", "--watch", "1s", "-c", str(home.config)]
    errors = (home.folder / "watch.err").open("wb")
    parent = subprocess.Popen(
        [*command, "-p", str(home.policy), "--", "--port", str(port)],
        env=dict(os.environ), stderr=errors, stdout=errors,
    )  # fmt: skip

    def served() -> list[str]:
        return [str(one[1]["work"]) for one in starts(folder) if one[0] == str(port)]

    def told() -> str:
        return (home.folder / "watch.err").read_text(encoding="utf-8", errors="replace")

    try:
        until(lambda: served() == [f"anthropic/{OLD}", f"anthropic/{NEW}"])  # a good one
        faults(home, dead=["anthropic/claude-opus-5"])
        lead_to(home, "claude-opus-5")  # a bad one: proved first, and never written
        until(lambda: "work would be dead" in told())
        assert len(served()) == 2
        assert home.aliases()["work"] == f"anthropic/{NEW}"
        lead_to(home, OLD)
        until(lambda: served()[2:] == [f"anthropic/{OLD}"])
        until(lambda: is_ready(port))
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(60) == 7, "litellm's own exit code"
    finally:
        if parent.poll() is None:
            parent.kill()
        errors.close()
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{port}/health/readiness", trust_env=False)


@pytest.mark.litellm
def test_litellm_itself_proves_a_config(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_LITELLM", litellm_command())
    for name, value in {**OFFLINE, "LITELLM_MASTER_KEY": MASTER_KEY}.items():
        monkeypatch.setenv(name, value)
    providers = house.sim.provider_policy("anthropic")
    rules = RULES.replace("from: [anthropic]", "from: [anthropic], api_base: BASE")
    base = str(providers["anthropic"]["base_url"])
    text = rules.replace("BASE", f'"{base}"')
    house.write_policy(text.replace("TARGET", OLD), "anthropic")
    house.applied()
    house.write_policy(text.replace("TARGET", NEW), "anthropic")
    house.sim.fault_calls("anthropic", CallFault.NOT_FOUND, NEW)
    ran = house.run("apply", "--prove")
    assert ran.code == 1, ran.text
    assert "Through LiteLLM's proxy, work would be dead: 404" in ran.err
    assert house.aliases()["work"] == f"anthropic/{OLD}"
    house.sim.heal()
    ran = house.run("apply", "--prove")
    assert ran.code == 0, ran.text
    assert house.aliases()["work"] == f"anthropic/{NEW}"


WATCHER = """
import os, sys
from pathlib import Path
from rollcall.launch.watch import Watch, watch

config, litellm, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
old = config.read_text(encoding="utf-8")
(config.parent / "old.yaml").write_text(old, encoding="utf-8")
new = old.replace("claude-sonnet-4-6", "claude-sonnet-5")
(config.parent / "new.yaml").write_text(new, encoding="utf-8")
put = "import shutil,sys,os; first=not os.path.exists('looked'); open('looked','w').close();"
look = [sys.executable, "-c", put + "first and shutil.copy('new.yaml','config.yaml'); "
        "sys.exit(4 if first else 0)"]
back = [sys.executable, "-c", "import shutil; shutil.copy('old.yaml', 'config.yaml')"]
argv = [litellm, "--config", str(config), "--port", str(port)]
sys.exit(watch(Watch(argv, dict(os.environ), look, back, "127.0.0.1", port, 1.0,
                     lambda line: print(line, flush=True), ready_seconds=2.0)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_goes_back_to_the_last_good_file_when_the_new_one_does_not_become_ready(
    home: House, number: signal.Signals
) -> None:
    port, folder = free_port(), home.folder / "bin"
    faults(home, unready_ports=[str(port)])
    before = home.config.read_bytes()
    script = home.folder / "watcher.py"
    script.write_text(WATCHER, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, str(script), str(home.config), str(folder / "litellm"), str(port)],
        cwd=home.folder, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        until(lambda: [str(one[1]["work"])[-1] for one in starts(folder)] == ["6", "5", "6"])
        parent.send_signal(number)
        said, _ = parent.communicate(timeout=60)
    finally:
        parent.kill()
    assert "THE PROXY DID NOT BECOME READY" in said
    assert home.config.read_bytes() == before
    assert parent.returncode in (7, 128 + number)
