"""Items that LiteLLM could not start with: we edit around them, and every command still answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.litellm_config.adoption import adopt
from rollcall.litellm_config.document import parse
from tests.house import House

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.simulator import Simulator

POLICY = """
allow:
  - {family: glm, from: [openrouter], newest: 1}
aliases:
  main: {family: glm}
"""

ODD = """\
model_list:
  -
  - just-a-word
  - model_name: [a, b]
    litellm_params: [x]
  - model_name: 123
    litellm_params:
  - model_name: mine
    litellm_params: {model: ollama/mine}
router_settings:
  model_group_alias:
    3.5: mine
    ~: mine
    old: {model: mine, hidden: true}
"""


@pytest.fixture
def house(tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> House:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy(POLICY, "openrouter")
    house.config.write_text(ODD)
    return house


def test_what_is_no_entry_stays_where_it_is(house: House) -> None:
    assert house.run("apply").code == 0
    written = house.config.read_text()
    assert [line for line in ODD.splitlines() if line not in written.splitlines()] == []
    assert "Nothing to change" in house.run("apply").out
    assert house.run("rollback").code == 0
    assert house.config.read_text() == ODD


@pytest.mark.parametrize(
    "command", ["plan", "models", "explain mine", "explain nowhere", "adopt", "doctor", "eject"]
)
def test_every_command_answers(house: House, command: str) -> None:
    for _ in range(2):
        assert house.run(*command.split()).code in (0, 1)
        house.run("apply")


def test_the_config_s_entries_are_the_mappings_in_it() -> None:
    document = parse(ODD.encode())
    assert [entry.get("model_name") for entry in document.own_entries] == [["a", "b"], 123, "mine"]
    assert len(document.own_models) == 5


def test_adopting_passes_them_over() -> None:
    taken = parse(adopt(parse(ODD.encode()), frozenset({"mine"})))
    assert [entry["model_name"] for entry in taken.managed.models] == ["mine"]
    assert len(taken.own_models) == 4
