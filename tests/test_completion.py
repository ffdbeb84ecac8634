"""The shells' completion: what is offered, and that each shell itself completes with its script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.platforms import not_on_windows
from tests.terminal import in_pipes, typed_into

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

RULES = """
allow:
  - {family: claude-haiku, from: [anthropic], newest: 1}
  - {family: grok, from: [xai], newest: 1}
aliases:
  default: {family: claude-haiku}
"""


def completed(house: House, line: str) -> list[str]:
    """What bash offers at the end of a line, of which the last word may be half typed."""
    words = line.split(" ")
    environ = {
        "_ROLLCALL_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = in_pipes(environ=environ)
    assert done.err == b""
    return done.out.decode().split()


def test_the_shell_completes_commands_options_models_and_aliases(house: House) -> None:
    house.write_policy(RULES, "anthropic", "xai")
    house.applied()
    house.sim.requests.clear()
    assert completed(house, "rollcall ap") == ["apply"]
    assert completed(house, "rollcall apply --det") == ["--detailed-exitcode"]
    assert completed(house, "rollcall explain def") == ["default"]
    assert "xai/grok-4.6" in completed(house, "rollcall explain xai/")
    assert completed(house, "rollcall pick xai/") == ["xai/grok-4.6"]
    assert house.sim.requests == [], "nobody is asked"
    house.policy.write_text("no policy", encoding="utf-8")
    assert completed(house, "rollcall explain def") == []


SHELLS = ("bash", "zsh", "fish", "powershell")


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(house: House, shell: str) -> None:
    assert f"complete_{shell}" in house.run("completion", shell).out


TYPED = {
    "rollcall stat": "status",
    "rollcall apply --det": "apply --detailed-exitcode",
    "rollcall explain deepseek/r1:f": "explain deepseek/r1:free",
}
"""What a person types before TAB -> the words rollcall then gets."""
PROGRAMS = {"powershell": ("pwsh", "powershell")}


@pytest.fixture
def typing(house: House) -> Path:
    """A folder with `rollcall` on PATH, which completes and else notes the words it was given."""
    house.config.write_text(
        "model_list:\n  - model_name: deepseek/r1:free\n    litellm_params: {model: openai/a}\n",
        encoding="utf-8",
    )
    house.write_policy("allow: []\n", "anthropic")
    command = house.folder / "bin" / "rollcall"
    command.parent.mkdir()
    command.write_text(
        '#!/bin/sh\n[ -z "$_ROLLCALL_COMPLETE" ] || exec '
        f"'{sys.executable}' -m rollcall\necho \"$@\" >>words\n",
        encoding="utf-8",
    )
    command.chmod(0o755)
    house.monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    for shell in SHELLS:
        script = house.run("completion", shell).out
        (house.folder / f"script.{shell}").write_text(script, encoding="utf-8")
    return house.folder


def program_of(shell: str) -> str:
    """The path of a shell; skips where there is none."""
    found = [path for name in PROGRAMS.get(shell, (shell,)) if (path := shutil.which(name))]
    return found[0] if found else pytest.skip(f"no {shell} here")


@not_on_windows("a script is no program there")
@pytest.mark.parametrize(
    ("shell", "options", "ready"),
    [
        ("bash", ("--norc", "-i"), ". ./script.bash"),
        ("zsh", ("-f", "-i"), "autoload -Uz compinit; compinit -u -D; . ./script.zsh"),
    ],
)
def test_tab_completes_at_a_prompt(
    typing: Path, shell: str, options: tuple[str, ...], ready: str
) -> None:
    lines = [ready, *(f"{begun}\t" for begun in TYPED)]
    screen = typed_into([program_of(shell), *options], lines)
    words = (typing / "words").read_text(encoding="utf-8") if (typing / "words").exists() else ""
    assert words.splitlines() == list(TYPED.values()), screen


def offered(program: str, line: str) -> list[str]:
    """What a program's output lines offer, without their descriptions."""
    done = subprocess.run(
        [program, *line.split(" ", 2)], capture_output=True, encoding="utf-8", check=False
    )
    return [row.partition("\t")[0] for row in done.stdout.splitlines()]


@not_on_windows("a script is no program there")
@pytest.mark.usefixtures("typing")
@pytest.mark.parametrize("begun", TYPED)
def test_fish_completes(begun: str) -> None:
    line = f"-N -c source script.fish; complete -C '{begun}'"
    assert offered(program_of("fish"), line) == TYPED[begun].split()[-1:]


@not_on_windows("a script is no program there")
@pytest.mark.usefixtures("typing")
def test_powershell_completes() -> None:
    asked = "; ".join(
        f"[Management.Automation.CommandCompletion]::CompleteInput('{begun}', {len(begun)}, $null)"
        ".CompletionMatches.CompletionText"
        for begun in TYPED
    )
    after = 'rollcall said "[$Env:_ROLLCALL_COMPLETE]"'
    read = "Get-Content -Raw script.powershell | Invoke-Expression"
    line = f"-NoProfile -Command {read}; {asked}; {after}; Get-Content words"
    expected = [words.split()[-1] for words in TYPED.values()]
    assert offered(program_of("powershell"), line) == [*expected, "said []"]
