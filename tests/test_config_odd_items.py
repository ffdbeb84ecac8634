"""Items that LiteLLM could not start with: we edit around them, and every command still answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from rollcall.litellm_config.document import parse
from tests.adopting import adopt
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
    house.config.write_text(ODD, encoding="utf-8")
    return house


def test_what_is_no_entry_stays_where_it_is(house: House) -> None:
    assert house.run("apply").code == 0
    written = house.config.read_text(encoding="utf-8")
    assert [line for line in ODD.splitlines() if line not in written.splitlines()] == []
    assert "Nothing to change" in house.run("apply").out
    assert house.run("rollback").code == 0
    assert house.config.read_text(encoding="utf-8") == ODD


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


BETWEEN = {
    "no model_name": ("- model_name: .*\n    litellm_params", "- litellm_params"),
    "a list for a name": ("model_name: .*", "model_name: [a]"),
    "an empty name": ("model_name: .*", 'model_name: ""'),
    "no params": ("litellm_params:\n(      .*\n)+", "litellm_params:\n"),
    "a list of params": ("litellm_params:\n(      .*\n)+", "litellm_params: [a]\n"),
    "no model": ("\n      model: .*", ""),
    "a number for a model": ("\n      model: .*", "\n      model: 7"),
    "foreign: no model_info": ("model_info:\n(      .*\n)+", "model_info:\n"),
    "foreign: a lone word": ("  - model_name", "  - word\n  - model_name"),
    "foreign: a bare dash": ("  - model_name", "  -\n  - model_name"),
    "an alias without a model": ("main: .*", "main: {hidden: true}"),
    "an alias of nothing": ("main: .*", "main:"),
    "a list of aliases": ("main: .*", "main: [a, b]"),
    "a number for an alias": ("main: .*", "3.5: a"),
}
"""What somebody did between our markers: a pattern and what stands there instead."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """config.yaml after an apply."""
    from tests.simulator.simulator import Simulator

    with pytest.MonkeyPatch.context() as monkeypatch, Simulator() as sim:
        house = House(tmp_path_factory.mktemp("written"), sim, monkeypatch)
        house.write_policy(POLICY, "openrouter")
        house.config.write_text("model_list: []\n", encoding="utf-8")
        house.applied()
        return house.config.read_text(encoding="utf-8")


@pytest.mark.parametrize("edit", BETWEEN)
def test_an_odd_row_of_ours_is_refused_with_its_line(house: House, written: str, edit: str) -> None:
    text = re.sub(*BETWEEN[edit], written, count=1)
    assert text != written
    house.config.write_text(text, encoding="utf-8")
    for command in ("plan", "apply", "apply --force", "adopt"):
        found = house.run(*command.split())
        if command == "adopt" and "foreign" in edit:
            continue
        assert (found.code, found.err.count("\n")) == (1, 2), (command, found.err)
        what = f"rollcall: {re.escape(str(house.config))}:\\d+: (a row|an entry) "
        assert re.match(what, found.err), (command, found.err)
        assert house.config.read_text(encoding="utf-8") == text
    for command in ("models", "explain main", "explain nowhere", "status", "doctor"):
        assert house.run(*command.split()).code in (0, 1), command


@pytest.mark.parametrize("edit", BETWEEN)
def test_what_is_left_is_whole(written: str, edit: str) -> None:
    managed = parse(re.sub(*BETWEEN[edit], written, count=1).encode()).managed
    assert len(managed.models) + len(managed.aliases) >= 1
    for entry in managed.models:
        assert entry["model_name"]
        assert entry["litellm_params"]["model"]
        assert entry["model_info"]["managed_by"]
    assert all(isinstance(name, str) and target for name, target in managed.aliases.items())
