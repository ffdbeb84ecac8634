"""Files around config.yaml: what LiteLLM takes from an included file, and from the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from rollcall.litellm_config.effective import merged

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
aliases:
  claude: {family: claude-sonnet}
  best: {family: claude-sonnet, fallbacks: [claude]}
"""


@pytest.fixture
def furnished(house: House) -> House:
    house.write_policy(RULES, "anthropic")
    return house


def effective(house: House, *names: str) -> dict[str, object]:
    """What LiteLLM makes of config.yaml and the files it includes."""
    included = [yaml.safe_load((house.folder / name).read_text(encoding="utf-8")) for name in names]
    return merged(house.data(), included)


def test_router_settings_of_an_included_file_leave_no_dead_alias(furnished: House) -> None:
    """LiteLLM takes them whole instead of config.yaml's."""
    furnished.config.write_text("include: [router.yaml]\nmodel_list: []\n", encoding="utf-8")
    (furnished.folder / "router.yaml").write_text(
        "router_settings: {num_retries: 2}\n", encoding="utf-8"
    )
    ran = furnished.applied()
    assert "router.yaml, which config.yaml includes, has router_settings" in ran.text
    assert furnished.aliases() == {}
    assert "router_settings" not in furnished.data()
    assert furnished.names() == ["claude-sonnet-5"]
    assert furnished.applied().code == 0
    assert effective(furnished, "router.yaml")["router_settings"] == {"num_retries": 2}


def test_an_include_without_router_settings_changes_nothing(furnished: House) -> None:
    furnished.config.write_text("include: [more.yaml]\nmodel_list: []\n", encoding="utf-8")
    (furnished.folder / "more.yaml").write_text("model_list: []\n", encoding="utf-8")
    furnished.applied()
    assert set(furnished.aliases()) == {"claude", "best"}


def test_a_file_that_is_itself_included_gets_no_router_settings(furnished: House) -> None:
    root = furnished.folder / "main.yaml"
    root.write_text(
        "include: [config.yaml]\nrouter_settings:\n  model_group_alias: {mine: x}\n",
        encoding="utf-8",
    )
    furnished.config.write_text("model_list: []\n", encoding="utf-8")
    ran = furnished.applied()
    assert "main.yaml includes this file" in ran.text
    assert "router_settings" not in furnished.data()
    assert furnished.names() == ["claude-sonnet-5"]


def test_aliases_and_entries_of_included_files_are_own_names(furnished: House) -> None:
    furnished.config.write_text("include: [more.yaml]\nmodel_list: []\n", encoding="utf-8")
    (furnished.folder / "more.yaml").write_text(
        "model_list:\n- {model_name: claude-sonnet-5, litellm_params: {model: openai/x}}\n"
        "router_settings: {model_group_alias: {claude: y}}\n",
        encoding="utf-8",
    )
    furnished.applied()
    assert furnished.names() == []


def test_two_included_files_of_one_name_are_told_apart(furnished: House) -> None:
    furnished.config.write_text(
        "include: [a/more.yaml, b/more.yaml]\nmodel_list: []\n", encoding="utf-8"
    )
    for folder, name in (("a", "claude-sonnet-5"), ("b", "other")):
        (furnished.folder / folder).mkdir()
        (furnished.folder / folder / "more.yaml").write_text(
            f"model_list:\n- {{model_name: {name}, litellm_params: {{model: nope/x}}}}\n",
            encoding="utf-8",
        )
    furnished.applied()
    assert furnished.names() == []
    told = furnished.run("doctor").text
    assert "a/more.yaml:2" in told
    assert "b/more.yaml:2" in told


class TestExplain:
    """explain speaks of what LiteLLM sees: the files put together."""

    @pytest.fixture
    def split(self, furnished: House) -> House:
        furnished.config.write_text(
            "include: [more.yaml]\nmodel_list: []\n"
            "router_settings: {model_group_alias: {mine: claude-sonnet-5}}\n",
            encoding="utf-8",
        )
        (furnished.folder / "more.yaml").write_text(
            "model_list:\n- {model_name: theirs, litellm_params: {model: openai/x}}\n"
            "router_settings: {model_group_alias: {short: theirs}}\n",
            encoding="utf-8",
        )
        return furnished

    def test_an_alias_that_an_included_file_replaces(self, split: House) -> None:
        told = split.run("explain", "mine").text
        assert "LiteLLM never sees it: it takes the router_settings of more.yaml instead" in told

    def test_an_alias_of_the_policy_that_cannot_be_written(self, split: House) -> None:
        assert "not written: more.yaml, which config.yaml includes" in (
            split.run("explain", "claude").text
        )

    @pytest.mark.parametrize(
        ("name", "says"), [("theirs", "it calls openai/x"), ("short", "leads to theirs")]
    )
    def test_what_an_included_file_gives(self, name: str, says: str, split: House) -> None:
        told = split.run("explain", name).text
        assert "more.yaml" in told
        assert says in told
        assert "never sees" not in told
