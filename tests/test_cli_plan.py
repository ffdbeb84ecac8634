"""plan and apply at the command line: options together, saved plans, targets, exit codes."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.house import OWN, RULES
from tests.simulator.faults import Fault
from tests.terminal import in_pipes

if TYPE_CHECKING:
    from tests.house import House, Ran
NAMES = ["anthropic/claude-haiku-4-5-20251001", "xai/grok-4.6", "xai/grok-4.5"]


@pytest.fixture
def furnished(house: House) -> House:
    """Two providers and a few rules."""
    return house.furnish()


def two_lines(ran: Ran) -> bool:
    """Whether an error is what it should be: what happened, and what to do."""
    return ran.code == 1 and ran.out == "" and len(ran.err.splitlines()) == 2


def silence(house: House) -> None:
    """Nobody answers any more."""
    for name in ("anthropic", "xai"):
        house.sim.fault(name, Fault.SERVER_ERROR)


# plan


def test_plan_writes_nothing_at_all(furnished: House) -> None:
    before = sorted(furnished.folder.iterdir())
    for flags in (["-q"], ["--json"], ["--markdown"], ["--check"], ["-v"]):
        assert furnished.run("plan", *flags).code in (0, 4)
    assert sorted(furnished.folder.iterdir()) == before


@pytest.mark.parametrize("flags", [[], ["--json"], ["-q"], ["--provider", "xai"]])
def test_a_dry_run_of_apply_is_plan(furnished: House, flags: list[str]) -> None:
    before = sorted(furnished.folder.iterdir())
    planned = furnished.run("plan", "--check", *flags)
    trap = f"{sys.executable} -c \"open('ran', 'w')\""
    tried = furnished.run(
        "apply", "--dry-run", "--detailed-exitcode", "--on-change", trap, "--write-to", "x", *flags
    )
    assert tried.code == planned.code == 4
    if flags == ["--json"]:
        plans = [tried.json(), planned.json()]
        for row in [row for plan in plans for row in plan["providers"]]:
            del row["elapsed_ms"]
        assert plans[0] == plans[1]
    else:
        assert without_times(tried.out) == without_times(planned.out)
    assert furnished.run("apply", "--dry-run").code == 0
    assert sorted(furnished.folder.iterdir()) == before
    silence(furnished)
    assert furnished.run("apply", "--dry-run").code == furnished.run("plan").code == 5


def without_times(text: str) -> str:
    """Also without the line and the blanks that are as wide as the longest time."""
    text = re.sub(r"(?m)^(provider .*models|\S+ +ok +\d+) +(ms|\d+)$", r"\1", text)
    return re.sub("(─| )+", r"\1", text)


def test_a_saved_plan_has_no_dry_run(furnished: House) -> None:
    furnished.run("plan", "--out", "plan.json")
    assert furnished.run("apply", "plan.json", "--dry-run").code == 2


def test_the_fields_of_a_plan_are_the_documented_ones(furnished: House) -> None:
    plan = furnished.run("plan", "--json").json()
    assert {
        "schema", "changed", "refused", "config_sha256", "policy_sha256", "result_sha256",
        "blocks", "changes", "held", "providers", "warnings",
    } <= set(plan)  # fmt: skip
    assert set(plan["blocks"]) == {"models", "aliases", "fallbacks"}
    assert set(plan["changes"][0]) == {"kind", "name", "before", "after", "reason"}
    assert set(plan["providers"][0]) == {
        "name", "verdict", "models", "elapsed_ms", "detail", "stale_since",
    }  # fmt: skip


def test_out_saves_what_json_prints_and_check_still_counts(furnished: House) -> None:
    ran = furnished.run("plan", "--out", "plan.json", "--json", "--check")
    assert ran.code == 4
    assert (furnished.folder / "plan.json").read_text(encoding="ascii") == ran.out
    ran = furnished.run("plan", "--out", "again.json", "--markdown", "--check")
    assert ran.code == 4
    assert ran.out.startswith("## ")
    assert json.loads((furnished.folder / "again.json").read_bytes())["changed"] is True


def test_two_results_on_one_stdout_are_a_usage_error(furnished: House) -> None:
    ran = furnished.run("plan", "--json", "--markdown")
    assert ran.code == 2
    assert ran.out == ""


@pytest.mark.parametrize("target", ["config.yaml", "policy.yaml", "nowhere/plan.json", "."])
def test_a_plan_is_not_saved_over_the_users_files_or_nowhere(furnished: House, target: str) -> None:
    before = furnished.policy.read_bytes()
    assert two_lines(furnished.run("plan", "--out", target))
    assert target not in ("config.yaml", "policy.yaml") or not furnished.sim.requests
    assert furnished.config.read_text(encoding="utf-8") == OWN
    assert furnished.policy.read_bytes() == before


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_verbose_says_on_stderr_what_was_read_and_every_reason(
    furnished: House, command: str
) -> None:
    furnished.applied()
    plain, ran = furnished.run(command, "--json"), furnished.run(command, "--json", "-v")
    assert set(ran.json()) == set(plain.json())
    for word in (str(furnished.config), str(furnished.policy), "orchestrator", "anthropic", "ok"):
        assert word in ran.err
    assert "entry xai/grok-4.5: admitted: rule 2" in ran.err
    assert f"alias default: {NAMES[0]}" in ran.err
    assert plain.err == ""


def test_verbose_tells_every_oddity_of_a_reply(furnished: House) -> None:
    rows: list[Any] = furnished.sim.rows("xai")
    furnished.sim.set_rows("xai", [*rows, *({"id": number} for number in range(9))])
    plain, ran = furnished.run("plan"), furnished.run("plan", "-v")
    oddities = [line for line in ran.err.splitlines() if line.startswith("note: xai: ")]
    assert len(oddities) > len([li for li in plain.err.splitlines() if li.startswith("note: xai")])


# exit codes


def test_of_several_exit_codes_the_gravest_counts(furnished: House) -> None:
    furnished.sim.fault("xai", Fault.SERVER_ERROR)
    assert furnished.run("plan", "--check").code == 4
    assert furnished.run("plan", "--check", "--strict").code == 5
    furnished.write_policy(RULES + "guards: {max_models: 1}\n", "anthropic", "xai")
    furnished.sim.heal("xai")
    furnished.sim.fault("anthropic", Fault.SERVER_ERROR)
    ran = furnished.run("plan", "--check", "--strict", "--json")
    assert ran.code == 3
    assert ran.json()["refused"][0]["accept"]
    furnished.config.write_text("model_list: [", encoding="utf-8")
    assert furnished.run("plan", "--check", "--strict").code == 1


def test_strict_still_writes_the_rest(furnished: House) -> None:
    furnished.sim.fault("xai", Fault.SERVER_ERROR)
    ran = furnished.run("apply", "--strict", "--detailed-exitcode")
    assert ran.code == 5
    assert furnished.names() == NAMES[:1]


def test_a_quiet_apply_is_silent_only_where_all_is_well(furnished: House) -> None:
    assert furnished.applied("--quiet").text == ""
    furnished.sim.fault("xai", Fault.SERVER_ERROR)
    ran = furnished.run("apply", "--quiet", "--strict")
    assert ran.code == 5
    assert "xai: http_error" in ran.err


# saved plans


def saved(house: House, *flags: str) -> dict[str, Any]:
    """A plan, saved as plan.json."""
    house.run("plan", "--out", "plan.json", "--quiet", *flags)
    plan = json.loads((house.folder / "plan.json").read_bytes())
    assert isinstance(plan, dict)
    return plan


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": None},
        {"result_sha256": "0" * 64},
        {"blocks": {"models": [], "aliases": {}, "fallbacks": []}},
        {"blocks": {"models": [{}], "aliases": {}, "fallbacks": []}},
        {"blocks": {"models": [{"model_name": None}], "aliases": {}, "fallbacks": []}},
        {"blocks": {"models": 7}},
        {"changes": "none"},
        {"surprise": 1},
    ],
)
def test_a_plan_that_was_tampered_with_is_two_lines(
    furnished: House, change: dict[str, Any]
) -> None:
    plan = saved(furnished)
    (furnished.folder / "plan.json").write_text(json.dumps({**plan, **change}), encoding="utf-8")
    ran = furnished.run("apply", "plan.json")
    assert two_lines(ran), ran.text
    assert furnished.config.read_text(encoding="utf-8") == OWN


@pytest.mark.parametrize("text", ["", "[]", "null", "\x00", "{}", "not json"])
def test_a_file_that_is_no_plan_is_two_lines(furnished: House, text: str) -> None:
    (furnished.folder / "plan.json").write_text(text, encoding="utf-8")
    assert two_lines(furnished.run("apply", "plan.json"))


def test_a_refused_plan_is_applied_only_by_force(furnished: House) -> None:
    furnished.write_policy(RULES + "guards: {max_models: 1}\n", "anthropic", "xai")
    assert saved(furnished)["refused"]
    ran = furnished.run("apply", "plan.json")
    assert ran.code == 3
    assert len(ran.err.splitlines()) == 2
    assert "max_models" in ran.err
    assert furnished.config.read_text(encoding="utf-8") == OWN
    assert furnished.run("apply", "plan.json", "--force").code == 0
    assert furnished.names() == NAMES


@pytest.mark.parametrize("flags", [["--accept", "x"], ["--offline"], ["--provider", "xai"]])
def test_options_that_would_decide_anew_do_not_go_with_a_saved_plan(
    furnished: House, flags: list[str]
) -> None:
    saved(furnished)
    assert furnished.run("apply", "plan.json", *flags).code == 2
    assert furnished.config.read_text(encoding="utf-8") == OWN


def test_a_saved_legacy_plan_is_applied_in_its_mode(
    furnished: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished.policy.unlink()
    monkeypatch.setenv("OPENROUTER_API_BASE", furnished.sim.url("openrouter"))
    saved(furnished, "--mode", "legacy")
    assert furnished.run("apply", "plan.json", "--mode", "legacy").code == 0
    assert furnished.aliases()["claude-fallback"].startswith("openrouter/anthropic/")


# where the result goes


def test_write_to_says_whether_the_target_changed(furnished: House) -> None:
    flags = ("--write-to", "out.yaml", "--detailed-exitcode")
    assert furnished.run("apply", *flags).code == 4
    before = (furnished.folder / "out.yaml").stat().st_mtime_ns
    ran = furnished.run("apply", *flags)
    assert ran.code == 0
    assert "holds it already" in ran.out
    assert (furnished.folder / "out.yaml").stat().st_mtime_ns == before
    assert furnished.config.read_text(encoding="utf-8") == OWN


def test_write_to_the_config_itself_is_an_ordinary_apply(furnished: House) -> None:
    furnished.applied("--write-to", "config.yaml")
    assert furnished.names() == NAMES
    assert (furnished.folder / "config.yaml.bak").read_text(encoding="utf-8") == OWN


def test_an_unchanged_plan_still_writes_the_target(furnished: House) -> None:
    furnished.applied()
    furnished.applied("--write-to", "out.yaml")
    assert (furnished.folder / "out.yaml").read_bytes() == furnished.config.read_bytes()


def test_when_nobody_answers_a_missing_target_is_a_copy_and_a_present_one_stays(
    furnished: House,
) -> None:
    silence(furnished)
    ran = furnished.run("apply", "--write-to", "out.yaml")
    assert ran.code == 5
    assert (furnished.folder / "out.yaml").read_text(encoding="utf-8") == OWN
    (furnished.folder / "out.yaml").write_text("model_list: []\n", encoding="utf-8")
    assert furnished.run("apply", "--write-to", "out.yaml").code == 5
    assert (furnished.folder / "out.yaml").read_text(encoding="utf-8") == "model_list: []\n"


@pytest.mark.parametrize("target", ["nowhere/out.yaml", ".", "policy.yaml"])
def test_a_target_that_cannot_be_is_two_lines(furnished: House, target: str) -> None:
    before = furnished.policy.read_bytes()
    assert two_lines(furnished.run("apply", "--write-to", target))
    assert furnished.policy.read_bytes() == before


# --on-change


def command(code: str) -> str:
    """A command line that runs a line of Python."""
    return f'"{sys.executable}" -c "{code}"'


def test_what_the_on_change_command_prints_is_conversation(furnished: House) -> None:
    done = in_pipes("apply", "--json", "--on-change", command("print(40 + 2)"))
    assert done.code == 0
    assert json.loads(done.out)["changed"] is True
    assert b"42" in done.err


def test_a_failing_on_change_command_is_an_error_though_the_config_is_written(
    furnished: House,
) -> None:
    ran = furnished.run("apply", "--on-change", command("raise SystemExit(7)"))
    assert ran.code == 1
    assert "ended with 7; the new config is written" in ran.err
    assert furnished.names() == NAMES


def test_on_change_runs_only_when_the_target_changed(furnished: House) -> None:
    flags = ("--write-to", "out.yaml", "--on-change", command("open('ran', 'a').write('x')"))
    furnished.applied(*flags)
    furnished.applied(*flags)
    assert (furnished.folder / "ran").read_text(encoding="utf-8") == "x"


# model_list: replace


def test_replacing_the_whole_list_needs_force_once_and_is_said(furnished: House) -> None:
    furnished.write_policy(RULES + "model_list: replace\n", "anthropic", "xai")
    assert furnished.run("apply").code == 3
    assert furnished.config.read_text(encoding="utf-8") == OWN
    for command in ("plan", "apply"):
        ran = furnished.run(command, "--force")
        assert ran.code == 0
        assert "takes out what you wrote by hand (entries: 1, aliases: 0)" in ran.err
        assert "my-local-model" not in ran.text
    assert [row["model_name"] for row in furnished.data()["model_list"]] == NAMES
    ran = furnished.run("apply")
    assert ran.code == 0
    assert ran.err == ""
    furnished.run("rollback")
    assert furnished.config.read_text(encoding="utf-8") == OWN


def test_a_config_named_by_hand_that_is_not_there_is_said(house: House) -> None:
    """A typing mistake in the path would else make a new file, and leave the right one stale."""
    house.write_policy("allow: [{family: claude-sonnet, newest: 1}]\n", "anthropic")
    ran = house.run("plan", "-c", "confg.yaml")
    assert ran.code == 0
    assert f"{house.folder / 'confg.yaml'} is not there: apply would make it." in ran.err
    assert "is not there" not in house.run("plan", "-c", "config.yaml").err


def test_a_pipe_says_what_keeps_everybody_from_being_asked(house: House) -> None:
    house.write_policy("allow: [{family: claude-haiku}]\n", "anthropic")
    house.monkeypatch.delenv("ROLLCALL_FORCE_TTY")
    house.monkeypatch.delenv("ANTHROPIC_API_KEY")
    ran = house.run("plan", "--check")
    assert ran.code == 5
    assert "anthropic: no_key: set ANTHROPIC_API_KEY" in ran.err


def test_models_asks_where_a_saved_plan_was_applied_and_nothing_is_stored(house: House) -> None:
    house.write_policy("allow: [{family: claude-haiku}]\n", "anthropic")
    assert house.run("plan", "--out", "plan.json").code == 0
    house.applied("plan.json")
    rows = house.run("models", "--json").json()
    assert len(rows) > 1
    assert not any("not_asked" in row["reason"] for row in rows)
