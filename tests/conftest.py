"""Every test runs in an empty folder, with an empty home and no keys."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.platforms import OF_THE_SYSTEM, be_patient, is_wine
from tests.simulator.simulator import Simulator

EMPTY_PRICE_MAP = Path(__file__).parent / "data" / "empty_price_map.json"
"""What LiteLLM's map says changes with every release: no test depends on the installed one."""
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", *OF_THE_SYSTEM, "COVERAGE_", "COV_", "PYTEST_")

# A script's background job (`make test &`) starts with Ctrl-C ignored, and so would whatever the
# tests start: what they interrupt must be able to hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if is_wine():
    be_patient()


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without keys, proxies or a home; the working directory is empty."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if not name.upper().startswith(KEPT):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("ROLLCALL_PRICE_MAP", str(EMPTY_PRICE_MAP))
    work = tmp_path_factory.mktemp("work")
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """The simulated providers, on loopback."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def house(tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> House:
    """A user's folder with simulated providers around it."""
    return House(tmp_path, sim, monkeypatch)
