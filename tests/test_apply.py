"""plan, apply and rollback as a user meets them, against simulated providers on real sockets."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.house import OWN
from tests.simulator.catalogs import NAMES
from tests.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.house import House

FOUR = ("anthropic", "gemini", "xai", "openrouter")
RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}
  - {family: claude-haiku, from: [anthropic], newest: 1, name: "{id}"}
  - {family: gemini-flash, from: [gemini], newest: 1}
  - {match: [grok-4.5, grok-4.6], from: [xai]}
  - {family: claude-sonnet, from: [openrouter], newest: 1}
aliases:
  default: {family: claude-haiku}
  claude: {family: claude-sonnet, from: [anthropic, openrouter], fallbacks: [claude-fallback]}
  claude-fallback: {family: claude-sonnet, from: [openrouter]}
"""
ADMITTED = [
    "claude-sonnet-5",
    "claude-haiku-4-5-20251001",
    "gemini/gemini-3.7-flash",
    "xai/grok-4.6",
    "xai/grok-4.5",
    "openrouter/anthropic/claude-sonnet-5",
]


@pytest.fixture
def furnished(house: House) -> House:
    """Four providers and a handful of rules."""
    house.write_policy(RULES, *FOUR)
    return house


def test_apply_writes_what_the_rules_admit_in_rule_order(furnished: House) -> None:
    ran = furnished.applied()
    assert furnished.names() == ADMITTED
    assert furnished.aliases() == {
        "default": "claude-haiku-4-5-20251001",
        "claude": "claude-sonnet-5",
        "claude-fallback": "openrouter/anthropic/claude-sonnet-5",
    }
    assert furnished.data()["router_settings"]["fallbacks"] == [
        {"claude": ["openrouter/anthropic/claude-sonnet-5"]}
    ]
    assert "restart" in ran.out


def test_every_line_of_the_user_stays_and_the_old_text_is_kept(furnished: House) -> None:
    furnished.applied()
    text = furnished.config.read_text(encoding="utf-8")
    for line in OWN.splitlines():
        assert line in text.splitlines()
    assert (furnished.folder / "config.yaml.bak").read_text(encoding="utf-8") == OWN


def test_an_entry_names_its_key_variable_and_a_stable_id(furnished: House) -> None:
    furnished.applied()
    entry = furnished.entries()["openrouter/anthropic/claude-sonnet-5"]
    assert entry["litellm_params"]["api_key"] == "os.environ/OPENROUTER_API_KEY"
    assert entry["model_info"]["id"] == "rollcall/openrouter/anthropic/claude-sonnet-5"
    assert entry["model_info"]["input_cost_per_token"] > 0
    assert "input_cost_per_token" not in furnished.entries()["claude-sonnet-5"]["model_info"]


def test_a_bearer_token_of_anthropic_is_left_to_litellm(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", furnished.sim.key("anthropic"))
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    furnished.applied()
    assert "api_key" not in furnished.entries()["claude-sonnet-5"]["litellm_params"]


def test_a_second_apply_leaves_bytes_and_time_of_the_file(furnished: House) -> None:
    furnished.applied()
    before = furnished.config.read_bytes(), furnished.config.stat().st_mtime_ns
    ran = furnished.applied()
    assert (furnished.config.read_bytes(), furnished.config.stat().st_mtime_ns) == before
    assert "Nothing to change" in ran.out
    assert len(furnished.run("rollback", "--list", "--json").json()) == 1


def test_the_order_in_which_providers_list_their_models_changes_no_byte(furnished: House) -> None:
    furnished.applied()
    before = furnished.config.read_bytes()
    shuffled = random.Random(7)
    for name in FOUR:
        rows = furnished.sim.rows(name)
        shuffled.shuffle(rows)
        furnished.sim.set_rows(name, rows)
    furnished.config.write_text(OWN, encoding="utf-8")
    furnished.applied()
    assert furnished.config.read_bytes() == before


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault.HTML, "bad_body"),
        (Fault.EMPTY, "empty"),
        (Fault.UNAUTHORIZED, "auth"),
        (Fault.SERVER_ERROR, "http_error"),
        (Fault.HANG, "timeout"),
        (Fault.REFUSE, "unreachable"),
    ],
)
@pytest.mark.parametrize("provider", FOUR)
def test_one_sick_provider_keeps_its_entries_to_the_byte(
    furnished: House, provider: str, fault: Fault, verdict: str
) -> None:
    furnished.applied()
    before = furnished.config.read_bytes()
    furnished.sim.fault(provider, fault)
    furnished.write_policy(RULES, *FOUR, hanging=provider if fault is Fault.HANG else "")
    plan = furnished.run("plan", "--json")
    assert plan.code == 0
    line = next(row for row in plan.json()["providers"] if row["name"] == provider)
    assert line["verdict"] == verdict
    assert line["stale_since"]
    furnished.applied()
    assert furnished.config.read_bytes() == before
    assert furnished.run("apply", "--strict").code == 5


def test_the_others_go_on_while_one_is_away(furnished: House) -> None:
    furnished.applied()
    furnished.sim.fault("anthropic", Fault.SERVER_ERROR)
    rows = [row for row in furnished.sim.rows("xai") if row["id"] != "grok-4.5"]  # type: ignore[index]
    furnished.sim.set_rows("xai", rows)
    furnished.applied()
    assert furnished.names() == ADMITTED
    leaving = furnished.entries()["xai/grok-4.5"]
    assert leaving["model_info"]["leaves"] == "2026-11-23"
    assert furnished.aliases()["claude"] == "claude-sonnet-5"


def test_nobody_answering_changes_nothing_and_says_so(furnished: House) -> None:
    furnished.applied()
    before = furnished.config.read_bytes()
    for name in FOUR:
        furnished.sim.fault(name, Fault.SERVER_ERROR)
    ran = furnished.run("apply")
    assert ran.code == 5
    assert "Nobody could be asked" in ran.text
    assert furnished.config.read_bytes() == before


def test_no_key_at_all_is_exit_5_naming_the_variable(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in furnished.sim.environ():
        monkeypatch.delenv(name)
    ran = furnished.run("apply")
    assert ran.code == 5
    assert "ANTHROPIC_API_KEY" in ran.text
    assert furnished.config.read_text(encoding="utf-8") == OWN


def test_a_provider_without_key_keeps_its_entries_and_gains_nothing(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished.applied()
    monkeypatch.delenv("XAI_API_KEY")
    furnished.sim.requests.clear()
    ran = furnished.applied()
    assert furnished.names() == ADMITTED
    assert "set XAI_API_KEY (get a key at https://console.x.ai)" in " ".join(ran.text.split())
    assert sorted(name for name, _ in furnished.sim.requests) == sorted({*FOUR} - {"xai"})
    furnished.write_policy(RULES + "missing_key: drop\n", *FOUR)
    furnished.applied()
    assert not [name for name in furnished.names() if name.startswith("xai/")]


def test_a_saved_plan_is_what_is_applied(furnished: House) -> None:
    assert furnished.run("plan", "--out", "plan.json", "--check").code == 4
    assert furnished.config.read_text(encoding="utf-8") == OWN
    for name in FOUR:
        furnished.sim.fault(name, Fault.SERVER_ERROR)
    assert furnished.run("apply", "plan.json", "--detailed-exitcode").code == 4
    assert furnished.names() == ADMITTED


@pytest.mark.parametrize("name", ["config.yaml", "policy.yaml"])
def test_a_saved_plan_is_refused_once_a_file_changed(furnished: House, name: str) -> None:
    furnished.run("plan", "--out", "plan.json")
    with (furnished.folder / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    before = furnished.config.read_bytes()
    ran = furnished.run("apply", "plan.json")
    assert ran.code == 1
    assert "changed since the plan was made" in ran.err
    assert furnished.config.read_bytes() == before


def test_rollback_brings_back_the_old_bytes_and_can_itself_be_undone(furnished: House) -> None:
    furnished.applied()
    new = furnished.config.read_bytes()
    assert furnished.run("rollback").code == 0
    assert furnished.config.read_text(encoding="utf-8") == OWN
    assert furnished.run("rollback").code == 0
    assert furnished.config.read_bytes() == new


@pytest.mark.parametrize("args", [[], ["123"]])
def test_rollback_with_nothing_to_go_back_to(furnished: House, args: list[str]) -> None:
    ran = furnished.run("rollback", *args)
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 2


def test_the_plan_as_json_says_what_and_why_and_nothing_of_the_user(furnished: House) -> None:
    plan = furnished.run("plan", "--json").json()
    assert {"schema", "changed", "refused", "config_sha256", "policy_sha256"} <= set(plan)
    assert {"result_sha256", "blocks", "changes", "held", "providers", "warnings"} <= set(plan)
    assert [change["name"] for change in plan["changes"] if change["kind"] == "add"] == ADMITTED
    assert all(change["reason"] for change in plan["changes"] if change["kind"] == "add")
    assert "my-local-model" not in json.dumps(plan)


@pytest.mark.parametrize(
    "command",
    [
        ["plan"],
        ["plan", "--json"],
        ["plan", "--markdown"],
        ["apply"],
        ["models", "--json"],
        ["status", "--json"],
        ["explain", "claude"],
    ],
)
def test_no_secret_in_any_output_or_in_the_state(furnished: House, command: list[str]) -> None:
    furnished.applied()
    for name in FOUR:
        furnished.sim.fault(name, Fault.ECHO_KEY)
    furnished.run("apply")
    ran = furnished.run(*command)
    kept = [path.read_bytes() for path in (furnished.folder / ".rollcall").rglob("*.json")]
    for secret in [*furnished.keys(), "sk-my-own-secret-1234567890"]:
        assert secret not in ran.text
        assert not [body for body in kept if secret.encode() in body]


def test_edits_between_our_markers_are_said_and_undone(furnished: House) -> None:
    furnished.applied()
    good = furnished.config.read_text(encoding="utf-8")
    bad = good.replace("claude-haiku-4-5-20251001", "claude-haiku-latest", 1)
    furnished.config.write_text(bad, encoding="utf-8")
    ran = furnished.applied()
    assert "edited" in ran.text
    assert furnished.config.read_text(encoding="utf-8") == good


def test_a_hand_written_entry_of_the_same_name_wins(furnished: House) -> None:
    text = OWN.replace("my-local-model  ", "claude-sonnet-5 ")
    furnished.config.write_text(text, encoding="utf-8")
    ran = furnished.applied()
    assert "claude-sonnet-5" not in furnished.names()
    assert "your own entry" in ran.err


def test_an_included_file_counts_as_hand_written(furnished: House) -> None:
    included = {
        "model_list": [{"model_name": "claude-sonnet-5", "litellm_params": {"model": "a/b"}}]
    }
    (furnished.folder / "more.yaml").write_text(yaml.safe_dump(included), encoding="utf-8")
    furnished.config.write_text("include: [more.yaml]\n" + OWN, encoding="utf-8")
    furnished.applied()
    assert "claude-sonnet-5" not in furnished.names()


def test_the_result_can_go_elsewhere_while_the_config_is_only_read(furnished: House) -> None:
    furnished.applied("--write-to", "out.yaml")
    assert furnished.config.read_text(encoding="utf-8") == OWN
    written = yaml.safe_load((furnished.folder / "out.yaml").read_text(encoding="utf-8"))
    assert [row["model_name"] for row in written["model_list"]][1:] == ADMITTED


def test_on_change_runs_once_and_only_after_a_change(furnished: House) -> None:
    command = f"\"{sys.executable}\" -c \"open('ran', 'a').write('x')\""
    furnished.applied("--on-change", command)
    furnished.applied("--on-change", command)
    assert (furnished.folder / "ran").read_text(encoding="utf-8") == "x"


def test_offline_decides_from_the_last_replies(furnished: House) -> None:
    furnished.applied()
    with_network = furnished.config.read_bytes()
    furnished.config.write_text(OWN, encoding="utf-8")
    asked = len(furnished.sim.requests)
    furnished.applied("--offline")
    assert furnished.config.read_bytes() == with_network
    assert len(furnished.sim.requests) == asked


def test_a_config_that_is_not_there_is_created(furnished: House) -> None:
    furnished.config.unlink()
    furnished.applied()
    assert furnished.names() == ADMITTED


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        (None, "no policy at"),
        ("version: 1\nproviders: [", "policy.yaml:"),
        ("version: 1\nproviders: {anthropic: {}}\nallow:\n  - {famly: claude}\n", "family"),
        ("version: 1\nproviders: {antropic: {}}\n", "anthropic"),
        ("version: 7\nproviders: {anthropic: {}}\n", "version"),
        ("", "policy.yaml"),
    ],
)
def test_a_bad_policy_is_two_clear_lines(house: House, policy: str | None, word: str) -> None:
    if policy is not None:
        house.policy.write_text(policy, encoding="utf-8")
    ran = house.run("apply")
    assert ran.code == 1
    assert word in ran.err
    assert len(ran.err.strip().splitlines()) == 2, ran.err
    assert house.config.read_text(encoding="utf-8") == OWN


@pytest.mark.parametrize(
    "text", ["model_list: [", "- a\n- b\n", "model_list:\n\t- x\n", "a: 1\n---\nb: 2\n", "\xff"]
)
def test_a_config_that_cannot_be_edited_is_two_clear_lines(furnished: House, text: str) -> None:
    furnished.config.write_bytes(text.encode("latin-1"))
    ran = furnished.run("apply")
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 2, ran.err
    assert furnished.config.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize(
    "flags",
    [
        ["--mode", "autopilot"],
        ["--timeout", "soon"],
        ["--provider", "nobody"],
    ],
)
def test_a_flag_that_makes_no_sense_is_two_clear_lines(furnished: House, flags: list[str]) -> None:
    ran = furnished.run("apply", *flags)
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 2, ran.err


def test_an_unknown_flag_is_a_usage_error(furnished: House) -> None:
    assert furnished.run("apply", "--no-such-flag").code == 2


def test_a_port_that_is_none_is_a_usage_error(furnished: House) -> None:
    assert furnished.run("serve", "--port", "99999").code == 2


def test_only_the_selected_provider_is_asked(furnished: House) -> None:
    furnished.applied()
    before, asked = furnished.config.read_bytes(), len(furnished.sim.requests)
    furnished.applied("--provider", "xai")
    assert furnished.config.read_bytes() == before
    assert {name for name, _ in furnished.sim.requests[asked:]} == {"xai"}


def test_mode_subagents_asks_only_openrouter_by_the_rules_that_name_it(furnished: House) -> None:
    furnished.applied("--mode", "subagents")
    assert {name for name, _ in furnished.sim.requests} == {"openrouter"}
    assert furnished.names() == ["openrouter/anthropic/claude-sonnet-5"]


def test_who_is_left_out_by_the_mode_is_told_so_though_selected(furnished: House) -> None:
    ran = furnished.run("plan", "--json", "--mode", "subagents", "--provider", "anthropic")
    said = {row["name"]: row["detail"] for row in json.loads(ran.out)["providers"]}
    assert said["anthropic"] == "not asked in mode subagents"
    assert said["openrouter"] == "not selected by --provider"


def test_mode_legacy_needs_no_policy_and_leaves_the_rest(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished.applied()
    before = furnished.names()
    furnished.policy.unlink()
    monkeypatch.setenv("OPENROUTER_API_BASE", furnished.sim.url("openrouter"))
    furnished.applied("--mode", "legacy")
    assert set(before) <= set(furnished.names())
    makers = {n.split("/")[1] for n in furnished.names() if n.startswith("openrouter/")}
    assert makers == {"anthropic"}
    assert furnished.aliases()["default"] == "claude-haiku-4-5-20251001"
    assert furnished.aliases()["claude-fallback"].startswith("openrouter/anthropic/")


def test_a_name_two_providers_would_share_is_refused(house: House) -> None:
    rules = 'allow:\n  - {family: claude-sonnet, newest: 1, name: "{family}"}\n'
    house.write_policy(rules, "anthropic", "openrouter")
    ran = house.run("apply")
    assert ran.code == 1
    assert "claude-sonnet" in ran.err
    assert house.config.read_text(encoding="utf-8") == OWN


def test_all_eight_providers_at_once(house: House) -> None:
    rules = "".join(
        f'  - {{match: "*", from: [{name}], max: 2, stage: any}}\n' for name in NAMES[:8]
    )
    house.write_policy("allow:\n" + rules, *NAMES[:8])
    house.applied()
    assert len(house.names()) >= 16
    listed = house.run("models", "--json", "--in-config").json()
    assert {row["provider"] for row in listed} >= set(NAMES[:8])


def test_a_plan_in_a_process_of_its_own_prints_plain_text(furnished: House) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rollcall", "plan"], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"claude-haiku-4-5-20251001" in done.stdout


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (Fault.UNAUTHORIZED, "check ANTHROPIC_API_KEY"),
        (Fault.REFUSE, "check the network and the base_url of anthropic"),
        (Fault.HANG, "--timeout"),
    ],
)
def test_a_provider_that_could_not_be_asked_says_what_to_do(
    house: House, fault: Fault, advice: str
) -> None:
    house.write_policy("allow:\n  - {family: claude-haiku, from: [anthropic]}\n", "anthropic")
    house.sim.fault("anthropic", fault)
    if fault is Fault.REFUSE:  # the simulator names a closed port once nobody listens
        house.write_policy("allow:\n  - {family: claude-haiku, from: [anthropic]}\n", "anthropic")
    flags = ("--timeout", "300ms") if fault is Fault.HANG else ()
    ran = house.run("apply", *flags)
    assert ran.code == 5
    assert advice in ran.err
