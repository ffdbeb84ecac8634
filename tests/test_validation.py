"""`apply --validate`: LiteLLM and a YAML 1.2 reader see the new config before it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.errors import ConfigRefused
from rollcall.launch.validation import check_yaml_1_2, expected_rows
from tests.house import OWN
from tests.litellm_proxy import MASTER_KEY, OFFLINE

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1%s}
aliases: {claude: {family: claude-sonnet}}
"""


@pytest.fixture
def offline(house: House) -> House:
    """LiteLLM looks nothing up."""
    for name, value in {**OFFLINE, "LITELLM_MASTER_KEY": MASTER_KEY}.items():
        house.monkeypatch.setenv(name, value)
    return house


@pytest.mark.litellm
def test_litellm_says_yes_and_it_is_written(offline: House) -> None:
    offline.write_policy(RULES % "", "anthropic")
    offline.applied("--validate")
    assert offline.names() == ["anthropic/claude-sonnet-5"]
    assert not list(offline.folder.glob(".rollcall-check-*"))


@pytest.mark.litellm
def test_what_litellm_would_drop_is_not_written(offline: House) -> None:
    offline.write_policy(RULES % ", model_info: {input_cost_per_token: dear}", "anthropic")
    ran = offline.run("apply", "--validate")
    assert ran.code == 1
    assert "entries of the new config" in ran.err
    assert offline.config.read_text(encoding="utf-8") == OWN


def test_rows_are_entries_and_what_visible_aliases_lead_to() -> None:
    text = b"""
model_list:
  - {model_name: a, litellm_params: {model: x/a}}
  - {model_name: a, litellm_params: {model: y/a}}
  - {model_name: b, litellm_params: {model: x/b}}
router_settings:
  model_group_alias: {one: a, two: {model: b, hidden: true}, three: nothing}
"""
    assert expected_rows(text) == 5
    assert expected_rows(b"include: [x.yaml]\n" + text) is None


def test_an_entry_that_means_something_else_in_yaml_1_2_is_refused(house: House) -> None:
    house.write_policy(RULES % "", "anthropic")
    house.applied()
    good = house.config.read_bytes()
    check_yaml_1_2(good)
    with pytest.raises(ConfigRefused):
        check_yaml_1_2(good.replace(b"1000000", b"0o17"))
