"""adopt and eject on the command line: every other byte stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.house import OWN

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {match: "grok-4.*", from: [xai]}
aliases:
  claude: {family: claude-sonnet, from: [anthropic]}
"""

HAND = """\
# mine
model_list:
  - model_name: my-local-model        # written by hand
    litellm_params:
      model: ollama/llama3.3
  # the good one
  - model_name: claude-sonnet-5       # by hand too
    litellm_params:
      model: anthropic/claude-sonnet-5
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: other
    litellm_params: {model: ollama/phi}
router_settings:
  model_group_alias:
    claude: claude-sonnet-5
    fast: other                       # mine
"""


@pytest.fixture
def furnished(house: House) -> House:
    """Two providers, one of whose models is in the config by hand."""
    house.write_policy(RULES, "anthropic", "xai")
    return house


def test_adopt_takes_over_what_the_policy_would_produce_and_nothing_else(furnished: House) -> None:
    furnished.config.write_text(HAND, encoding="utf-8")
    ran = furnished.run("adopt")
    assert ran.code == 0, ran.text
    assert "adopted claude-sonnet-5" in ran.out
    assert "adopted alias claude" in ran.out
    assert "claude-sonnet-5" in furnished.names()
    text = furnished.config.read_text(encoding="utf-8")
    for line in (
        "my-local-model        # written by hand",
        "fast: other                       # mine",
    ):
        assert line in text
    assert text.count("model_name: other") == 1
    before = furnished.config.read_bytes()
    furnished.applied()
    assert furnished.config.read_bytes() == before


def test_adopt_with_nothing_to_adopt(furnished: House) -> None:
    furnished.applied()
    before = furnished.config.read_bytes()
    assert "nothing to adopt" in furnished.run("adopt").out
    assert furnished.config.read_bytes() == before


def test_entries_whose_markers_were_lost_are_refused_and_adopt_takes_them_back(
    furnished: House,
) -> None:
    furnished.applied()
    good = furnished.config.read_text(encoding="utf-8")
    bare = "".join(
        line for line in good.splitlines(keepends=True) if "rollcall: managed" not in line
    )
    furnished.config.write_text(bare, encoding="utf-8")
    ran = furnished.run("apply")
    assert ran.code == 1
    assert "rollcall adopt" in ran.err
    assert furnished.config.read_text(encoding="utf-8") == bare
    assert furnished.run("adopt").code == 0
    assert furnished.config.read_text(encoding="utf-8") == good
    furnished.applied()


def test_eject_leaves_the_entries_as_ordinary_ones(furnished: House) -> None:
    furnished.applied()
    names = furnished.names()
    assert furnished.run("eject").code == 0
    text = furnished.config.read_text(encoding="utf-8")
    assert "rollcall: managed" not in text
    assert "managed_by" not in text
    assert [row["model_name"] for row in furnished.data()["model_list"]] == [
        "my-local-model",
        *names,
    ]


def test_eject_remove_takes_them_out_and_can_be_undone(furnished: House) -> None:
    furnished.applied()
    full = furnished.config.read_bytes()
    assert furnished.run("eject", "--remove").code == 0
    assert furnished.config.read_text(encoding="utf-8").startswith(OWN.rstrip())
    assert furnished.names() == []
    assert furnished.run("rollback").code == 0
    assert furnished.config.read_bytes() == full


def test_eject_where_there_is_nothing(furnished: House) -> None:
    ran = furnished.run("eject")
    assert ran.code == 0
    assert furnished.config.read_text(encoding="utf-8") == OWN
