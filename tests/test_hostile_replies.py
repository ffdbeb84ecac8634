"""Replies made to use up time and memory, from every provider at once, through the whole tool."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rollcall.providers.bodies import MAX_VALUES, too_many_values
from rollcall.providers.rows import MAX_ROWS
from tests.house import House
from tests.platforms import not_on_windows
from tests.simulator.catalogs import MAIN
from tests.simulator.simulator import Simulator
from tests.stand_in import StandIns

MANY = 1_500_000
SOURCE = Path(__file__).resolve().parents[1] / "src"


def bounded() -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000))


def policy_for(house: House) -> None:
    house.write_policy('allow: [{match: "*"}]\n', *MAIN)


@not_on_windows("no limit on the memory of a process")
def test_bombs_from_everybody_cost_no_memory_and_the_proxy_starts(
    house: House, sim: Simulator
) -> None:
    policy_for(house)
    before = house.config.read_bytes()
    for name in MAIN:
        sim.set_rows(name, [[]] * MANY)
    stand_ins = StandIns(house.folder / "bin", house.folder / "started.jsonl")
    litellm = stand_ins.add("litellm")
    ran = subprocess.run(
        [sys.executable, "-m", "rollcall", "start", "--discover", "--litellm", str(litellm)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        encoding="utf-8",
        preexec_fn=bounded,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "a bug" not in ran.stderr
    assert len(stand_ins.starts()) == 1
    assert house.config.read_bytes() == before


def test_more_models_than_anybody_has_are_no_list(house: House, sim: Simulator) -> None:
    policy_for(house)
    sim.set_rows("xai", [{"id": f"m{number}"} for number in range(MAX_ROWS + 1)])
    ran = house.run("plan", "--provider", "xai", "--deadline", "60s", "--timeout", "60s")
    assert f"it lists more than {MAX_ROWS:,} models" in ran.text


def test_values_are_counted_over_all_pages() -> None:
    page = b"[" + b"0," * (MAX_VALUES // 2)
    assert not too_many_values([page])
    assert too_many_values([page, page])


def test_a_list_inside_a_row_is_read_in_part(house: House, sim: Simulator) -> None:
    policy_for(house)
    names = [f"name-{number}" for number in range(5000)]
    sim.set_rows("openai", [{"id": "gpt-5.5", "created": 1, "aliases": names}])
    rows = house.run("apply", "--provider", "openai").text
    assert "openai/gpt-5.5" in rows
    listed = house.run("models", "--json").json()
    assert all(len(row["aliases"]) <= 101 for row in listed)
