"""What `--help` says, and that every promised option is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollcall.cli.app import app, name_of
from rollcall.errors import Exit

if TYPE_CHECKING:
    from tests.house import House

DECIDING = {
    "--config", "--policy", "--state-dir", "--mode", "--provider", "--timeout", "--deadline",
    "--offline", "--force", "--strict", "--accept", "--json", "--quiet", "--verbose",
}  # fmt: skip
OPTIONS = {
    "plan": DECIDING | {"--out", "--markdown", "--check"},
    "apply": DECIDING | {"--detailed-exitcode", "--on-change", "--write-to", "--validate"},
    "start": {"--config", "--policy", "--state-dir", "--mode", "--ttl", "--deadline", "--discover"},
    "rollback": {"--config", "--state-dir", "--list", "--json"},
    "models": {"--config", "--policy", "--mode", "--provider", "--deadline", "--families"},
    "explain": {"--config", "--policy", "--mode", "--timeout", "--deadline", "--json"},
    "adopt": {"--config", "--policy", "--mode", "--offline", "--yes", "--write-policy", "--json"},
    "eject": {"--config", "--state-dir", "--remove", "--json"},
    "status": {"--config", "--state-dir", "--check", "--json"},
    "doctor": {"--config", "--policy", "--state-dir", "--json"},
    "smoke": {"--config", "--timeout", "--all", "--no-calls", "--json"},
}


def test_the_commands_stand_in_the_order_of_daily_work(house: House) -> None:
    lines = house.run("--help").out.partition("Commands:")[2].splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert listed[:6] == ["plan", "apply", "start", "rollback", "models", "explain"]
    assert listed[len(app.registered_commands) - 1] == "demo"


def test_no_summary_is_cut_off(house: House) -> None:
    assert "..." not in house.run("--help").out.replace("ARGS]...", "")


def test_every_exit_code_is_explained(house: House) -> None:
    text = house.run("--help").out
    for code in Exit:
        assert f" {code.value} " in text


@pytest.mark.parametrize("command", OPTIONS)
def test_a_command_has_its_options_each_with_a_help_text(house: House, command: str) -> None:
    ran = house.run(command, "--help")
    assert ran.code == 0
    for option in OPTIONS[command]:
        assert option in ran.out
    # an option without help is a line that ends in its type
    bare = [li for li in ran.out.splitlines() if li.strip().startswith("-") and li.endswith(">")]
    assert not bare


@pytest.mark.parametrize("command", [name_of(row) for row in app.registered_commands])
def test_help_needs_no_files(house: House, command: str) -> None:
    house.policy.unlink(missing_ok=True)
    house.config.unlink()
    assert house.run(command, "--help").code == 0


def test_version_and_no_arguments(house: House) -> None:
    assert house.run("--version").out.startswith("rollcall ")
    assert "Commands:" in house.run().text


@pytest.mark.parametrize("args", [["frobnicate"], ["plan", "--nope"], ["explain"], ["env"]])
def test_wrong_usage_is_exit_2_on_stderr(house: House, args: list[str]) -> None:
    ran = house.run(*args)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err


def test_help_is_a_command_too(house: House) -> None:
    assert house.run("help").out == house.run("--help").out
    assert house.run("help", "plan").out == house.run("plan", "-h").out
    ran = house.run("help", "pln")
    assert ran.code == 2
    assert "Did you mean 'plan'" in ran.err


def test_a_mistyped_command_names_the_nearest(house: House) -> None:
    ran = house.run("aply")
    assert ran.code == 2
    assert "Did you mean 'apply'?" in ran.err


@pytest.mark.parametrize("columns", ["50", "80", "200"])
def test_no_help_text_is_cut_at_any_width(
    house: House, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = " ".join(house.run("--help").out.replace("ARGS]...", "").split())
    assert "..." not in text
    for row in app.registered_commands:
        assert row.callback is not None
        assert (row.callback.__doc__ or "").partition("\n")[0] in text
