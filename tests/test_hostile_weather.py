"""Network weather through the whole tool, as a process: the deadline holds until its very end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house import House
from tests.simulator.catalogs import MAIN
from tests.simulator.faults import Fault
from tests.simulator.simulator import Simulator
from tests.stand_in import StandIns

SOURCE = Path(__file__).resolve().parents[1] / "src"
HANGING_RESOLVER = """\
import socket, time

def getaddrinfo(host, *args, _own=socket.getaddrinfo, **kwargs):
    if host != "127.0.0.1":
        time.sleep(600)
    return _own(host, *args, **kwargs)

socket.getaddrinfo = getaddrinfo
"""
GENEROUS_SECONDS = 60.0
"""Far more than the slowest machine needs, far less than what hangs."""


def typed(house: House, *args: str) -> tuple[subprocess.CompletedProcess[str], float]:
    path = os.pathsep.join((str(house.folder / "site"), str(SOURCE)))
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "rollcall", *args],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return ran, time.monotonic() - started


def test_a_name_server_that_hangs_holds_nobody(house: House, sim: Simulator) -> None:
    (house.folder / "site").mkdir()
    (house.folder / "site" / "sitecustomize.py").write_text(HANGING_RESOLVER, encoding="utf-8")
    house.write_policy('allow: [{match: "*"}]\n', "xai", "openai")
    text = house.policy.read_text(encoding="utf-8")
    lost = text.replace(sim.url("openai"), "http://nowhere.example/v1")
    assert lost != text
    house.policy.write_text(lost, encoding="utf-8")
    ran, seconds = typed(house, "apply", "--deadline", "2s", "--timeout", "30s")
    assert ran.returncode == 0, ran.stderr
    assert seconds < GENEROUS_SECONDS
    assert "openai: timeout" in ran.stderr
    assert house.entries(), "the others still count"


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.SLOW_DRIP, Fault.REDIRECT_ELSEWHERE])
def test_the_proxy_starts_when_all_eight_misbehave(
    house: House, sim: Simulator, fault: Fault
) -> None:
    house.write_policy('allow: [{match: "*"}]\nguards: {max_models: 1000}\n', *MAIN)
    house.applied()
    before = house.config.read_bytes()
    for name in MAIN:
        sim.fault(name, fault)
    sim.requests.clear()
    stand_ins = StandIns(house.folder / "bin", house.folder / "started.jsonl")
    litellm = stand_ins.add("litellm")
    ran, seconds = typed(
        house, "start", "--discover", "--ttl", "0s", "--deadline", "1s", "--litellm", str(litellm)
    )
    assert ran.returncode == 0, ran.stderr
    assert seconds < GENEROUS_SECONDS
    (start,) = stand_ins.starts()
    assert start.argv == ["--config", str(house.config)]
    assert house.config.read_bytes() == before
    assert {name for name, _ in sim.requests} == set(MAIN), "nothing went anywhere else"
    said = ran.stdout + ran.stderr
    assert not any(key in said for key in house.keys())  # noqa: SIM118 - no mapping
