"""adopt and eject on the command line: every other byte stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from rollcall.errors import PlanError
from rollcall.settings import resolve
from rollcall.sync.adopt import apply_adoption, plan_adoption
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
  - model_name: claude-sonnet-5
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
    """Not the policy's other changes either: those are apply's."""
    furnished.config.write_text(HAND, encoding="utf-8")
    ran = furnished.run("adopt", "--yes")
    assert ran.code == 0, ran.text
    assert "+    model_info:" in ran.out
    assert "takes over the alias claude" in ran.out
    assert furnished.names() == ["claude-sonnet-5"]
    text = furnished.config.read_text(encoding="utf-8")
    for line in (
        "my-local-model        # written by hand",
        "fast: other                       # mine",
        "# the good one",
    ):
        assert line in text
    assert text.count("model_name: other") == 1
    assert "grok" not in text
    furnished.applied()
    assert "claude-sonnet-5" in furnished.names()
    before = furnished.config.read_bytes()
    assert furnished.run("adopt", "--yes").code == 0
    assert furnished.config.read_bytes() == before


def test_adopt_shows_first_and_writes_only_after_a_yes(furnished: House) -> None:
    furnished.config.write_text(HAND, encoding="utf-8")
    ran = furnished.run("adopt")
    assert ran.code == 0
    assert "rollcall adopt --yes" in ran.out
    assert furnished.config.read_text(encoding="utf-8") == HAND
    told = furnished.run("adopt", "--json").json()
    assert (told["names"], told["changed"], told["pending"]) == (["claude-sonnet-5"], False, True)
    assert furnished.config.read_text(encoding="utf-8") == HAND
    assert furnished.run("adopt", "--json", "--yes").json()["changed"] is True


LOSSES = {
    "api_key": "      api_key: os.environ/ANTHROPIC_TEAM_KEY\n",
    "api_base": "      api_base: https://gateway.internal/anthropic\n",
    "rpm": "      rpm: 100\n",
    "timeout": "      timeout: 600\n",
    "tags": "      tags: [paid]\n",
    "extra_headers": "      extra_headers: {x-team: a}\n",
    "temperature": "      temperature: 0.2\n",
    "litellm_credential_name": "      litellm_credential_name: team\n",
    "access_groups": "    model_info: {access_groups: [a]}\n",
    "input_cost_per_token": "    model_info: {input_cost_per_token: 0.000009}\n",
    "mode": "    model_info: {mode: chat}\n",
    "max_input_tokens": "    model_info: {max_input_tokens: 5}\n",
}
"""What people's entries say that the policy does not -> their lines."""


@pytest.mark.parametrize("field", LOSSES)
def test_an_entry_that_would_lose_something_is_left_alone_and_the_rule_that_keeps_it_offered(
    furnished: House, field: str
) -> None:
    text = (
        "model_list:\n  - model_name: claude-sonnet-5\n    litellm_params:\n"
        f"      model: anthropic/claude-sonnet-5\n{LOSSES[field]}"
    )
    furnished.config.write_text(text, encoding="utf-8")
    ran = furnished.run("adopt", "--yes")
    assert ran.code == 0, ran.text
    assert f"would lose {field}" in ran.out
    assert "--write-policy" in ran.out
    assert furnished.config.read_text(encoding="utf-8") == text
    policy = furnished.policy.read_text(encoding="utf-8")
    furnished.policy.write_text(policy.replace("allow:", "allow:   # a closed list"), "utf-8")

    ran = furnished.run("adopt", "--yes", "--write-policy")
    assert ran.code == 0, ran.text
    assert "allow:   # a closed list" in furnished.policy.read_text(encoding="utf-8")
    (entry,) = furnished.data()["model_list"]
    (said,) = yaml.safe_load(text)["model_list"]
    assert entry["model_info"]["managed_by"] == "rollcall"
    for section in ("litellm_params", "model_info"):
        assert entry[section].items() >= said.get(section, {}).items()
    before = entry
    furnished.applied()
    assert furnished.entries()["claude-sonnet-5"] == before


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("      rpm: 5   # the contract says so\n", "would lose rpm"),
        ("    # do not change\n", "holds a comment"),
        ("      api_key: sk-ant-typed-in-0123456789\n", "api_key"),
        ("    model_info: {id: mine}\n", "would lose id"),
        ("    note: mine\n", "would lose note"),
    ],
)
def test_what_no_rule_can_keep_is_left_alone_and_said(
    furnished: House, lines: str, why: str
) -> None:
    text = (
        "model_list:\n  - model_name: claude-sonnet-5\n    litellm_params:\n"
        f"      model: anthropic/claude-sonnet-5\n{lines}"
    )
    furnished.config.write_text(text, encoding="utf-8")
    ran = furnished.run("adopt", "--yes")
    assert why in ran.out
    assert "sk-ant-typed" not in ran.text
    assert furnished.config.read_text(encoding="utf-8") == text


def test_deployments_of_one_name_are_never_taken_over(furnished: House) -> None:
    text = HAND + ""
    twin = (
        "  - model_name: claude-sonnet-5\n    litellm_params: {model: anthropic/claude-sonnet-5, "
        "api_key: os.environ/SECOND_KEY}\nrouter_settings:"
    )
    furnished.config.write_text(text.replace("router_settings:", twin), encoding="utf-8")
    before = furnished.config.read_bytes()
    assert "nothing to adopt" in furnished.run("adopt", "--yes").out
    assert furnished.config.read_bytes() == before
    furnished.applied()
    assert furnished.names().count("claude-sonnet-5") == 0


def test_with_the_whole_list_ours_adopt_writes_each_name_once(furnished: House) -> None:
    furnished.config.write_text(HAND, encoding="utf-8")
    policy = furnished.policy.read_text(encoding="utf-8")
    furnished.policy.write_text(policy + "model_list: replace\n", encoding="utf-8")
    assert furnished.run("adopt", "--yes").code == 0
    names = [row["model_name"] for row in furnished.data()["model_list"]]
    assert sorted(names) == ["claude-sonnet-5", "my-local-model", "other"]


def test_a_config_that_changes_while_a_person_thinks_is_not_written(furnished: House) -> None:
    furnished.config.write_text(HAND, encoding="utf-8")
    settings = resolve(config=furnished.config, policy=furnished.policy)
    plan = plan_adoption(settings)
    furnished.config.write_text(HAND + "# later\n", encoding="utf-8")
    with pytest.raises(PlanError, match="changed meanwhile"):
        apply_adoption(settings, plan)
    assert furnished.config.read_text(encoding="utf-8") == HAND + "# later\n"


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
    assert furnished.run("adopt", "--yes").code == 0
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


def test_a_gateway_and_a_key_for_a_whole_provider(furnished: House) -> None:
    """The list comes from the maker, the calls go elsewhere; a rule's word goes before."""
    gateway = "https://gateway.internal/anthropic"
    rules = RULES.replace(
        "allow:\n", f"allow:\n  - {{match: claude-haiku-4-5, api_base: {gateway}/b}}\n"
    )
    furnished.write_policy(rules, "anthropic", "xai")
    text = furnished.policy.read_text(encoding="utf-8")
    text = text.replace("  anthropic:\n", f"  anthropic:\n    api_base: {gateway}\n")
    furnished.policy.write_text(text, encoding="utf-8")
    furnished.config.write_text(
        "model_list:\n  - model_name: claude-sonnet-5\n    litellm_params:\n"
        f"      model: anthropic/claude-sonnet-5\n{LOSSES['api_base']}",
        encoding="utf-8",
    )
    assert furnished.run("adopt", "--yes").code == 0
    furnished.applied()
    bases = {
        name: entry["litellm_params"].get("api_base")
        for name, entry in furnished.entries().items()
        if "claude" in name
    }
    assert bases["claude-sonnet-5"] == gateway
    assert set(bases.values()) <= {gateway, f"{gateway}/b"}


def test_an_address_of_a_provider_that_is_none_is_told(furnished: House) -> None:
    text = furnished.policy.read_text(encoding="utf-8")
    furnished.policy.write_text(
        text.replace("  xai:\n", "  xai:\n    api_base: gateway\n"), encoding="utf-8"
    )
    ran = furnished.run("plan")
    assert ran.code == 1
    assert "providers.xai.api_base" in ran.err
