"""Which policy counts: the one beside config.yaml, then the working directory's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.settings import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

HERE = "allow: [{match: grok-4.5, from: [xai]}]\n"
THERE = "allow: [{family: claude-sonnet, from: [anthropic], newest: 1}]\n"


@pytest.fixture
def elsewhere(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and a policy of its own; the working directory has one, too."""
    there = tmp_path_factory.mktemp("srv")
    house.write_policy(THERE, "anthropic")
    (there / "policy.yaml").write_bytes(house.policy.read_bytes())
    (there / "config.yaml").write_text("model_list: []\n", encoding="utf-8")
    house.write_policy(HERE, "xai")
    return there


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_the_one_beside_the_config_counts_and_is_said(
    house: House, elsewhere: Path, by: str
) -> None:
    config = str(elsewhere / "config.yaml")
    if by == "variable":
        house.monkeypatch.setenv("ROLLCALL_CONFIG", config)
    plan = house.run("plan", "--json", *(["-c", config] if by == "flag" else [])).json()
    assert [line["name"] for line in plan["providers"]] == ["anthropic"]
    assert any("counts, beside config.yaml" in line for line in plan["warnings"])


def test_the_working_directorys_counts_where_there_is_none_beside(
    house: House, elsewhere: Path
) -> None:
    (elsewhere / "policy.yaml").unlink()
    plan = house.run("plan", "--json", "-c", str(elsewhere / "config.yaml")).json()
    assert [line["name"] for line in plan["providers"]] == ["xai"]
    assert not any("counts" in line for line in plan["warnings"])


def test_one_that_is_named_is_the_one(house: House, elsewhere: Path) -> None:
    settings = resolve(config=elsewhere / "config.yaml", policy=house.policy)
    assert (settings.policy_path, settings.other_policy) == (house.policy, None)
    house.monkeypatch.setenv("ROLLCALL_POLICY", str(house.policy))
    assert resolve(config=elsewhere / "config.yaml").other_policy is None


def test_two_that_say_the_same_need_no_word(house: House, elsewhere: Path) -> None:
    house.policy.write_bytes((elsewhere / "policy.yaml").read_bytes())
    plan = house.run("plan", "--json", "-c", str(elsewhere / "config.yaml")).json()
    assert not any("counts" in line for line in plan["warnings"])


def test_init_writes_beside_the_config(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("srv") / "config.yaml"
    assert house.run("init", "--offline", "-c", str(there)).code == 0
    assert there.with_name("policy.yaml").is_file()
