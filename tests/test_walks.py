"""The pages' walks, run: every command they print, and what it says."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.walks import agrees, says, steps

if TYPE_CHECKING:
    from tests.house import House

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

MINE = """\
# the team's proxy
model_list:
  - model_name: claude-sonnet-5
    litellm_params:
      model: anthropic/claude-sonnet-5
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: fast
    litellm_params:
      model: xai/grok-4.5
      rpm: 100
  - model_name: gpt-4-eu              # ours, in Frankfurt
    litellm_params:
      model: azure/gpt-4-eu
      api_base: os.environ/AZURE_API_BASE
  - model_name: old
    litellm_params: {model: anthropic/claude-2.1}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


@pytest.fixture
def existing(house: House) -> House:
    """A person with a config of their own, keys, and no policy yet."""
    house.config.write_text(MINE, encoding="utf-8")
    house.monkeypatch.setenv("ANTHROPIC_BASE_URL", house.sim.url("anthropic"))
    house.monkeypatch.setenv("XAI_API_BASE", house.sim.url("xai"))
    house.monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-a-master-key-0123456789")
    house.monkeypatch.setenv("COLUMNS", "100")
    return house


def test_the_walk_with_a_config_of_ones_own(existing: House) -> None:
    before = existing.config.read_bytes()
    for command, printed in steps(DOCS / "EXISTING.md"):
        said = says(existing, command)
        assert agrees(printed, said), "\n".join([command, *("    " + line for line in said)])
    assert existing.config.read_bytes() == before, "the walk ends with a rollback"


@pytest.fixture
def newcomer(house: House) -> House:
    """An empty folder, two keys and a master key."""
    house.config.unlink()
    keys = house.sim.environ()
    for name in keys:
        house.monkeypatch.delenv(name)
    for name in ("ANTHROPIC_API_KEY", "OPENROUTER_API_KEY"):
        house.monkeypatch.setenv(name, keys[name])
    house.monkeypatch.setenv("ANTHROPIC_BASE_URL", house.sim.url("anthropic"))
    house.monkeypatch.setenv("OPENROUTER_API_BASE", house.sim.url("openrouter"))
    house.monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-a-master-key-0123456789")
    house.monkeypatch.setenv("COLUMNS", "100")
    return house


def test_the_first_real_use_of_the_readme(newcomer: House) -> None:
    for command, printed in steps(ROOT / "README.md"):
        said = says(newcomer, command)
        assert agrees(printed, said), "\n".join([command, *("    " + line for line in said)])


def test_the_config_that_the_readme_shows(newcomer: House) -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8").partition("What stands in `config")[2]
    block = shown.partition("\n\n")[2].partition("\n\nKeys are only")[0]
    mine = block.partition("  # >>>")[0]
    assert newcomer.run("init").code == 0
    newcomer.config.write_text(textwrap.dedent(mine), encoding="utf-8")
    assert newcomer.run("apply").code == 0
    lines = newcomer.config.read_text(encoding="utf-8").splitlines()
    printed = textwrap.dedent(block).splitlines()
    assert agrees([*printed, "..."], lines), "\n".join(lines)
