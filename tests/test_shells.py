"""What is written for a shell, run by that shell: it says what was meant, and runs nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rollcall.errors import SettingsError
from rollcall.inspect.clients import CLIENTS, client_lines
from rollcall.inspect.shells import (
    Shell,
    assignment,
    reference,
    remark,
    removal,
    shell_named,
    this_shell,
)
from tests.platforms import is_wine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

PROGRAMS: dict[Shell, tuple[str, ...]] = {
    "sh": ("sh", "-eu"),
    "fish": ("fish", "--no-config"),
    "powershell": ("pwsh", "-NoProfile", "-NonInteractive", "-File"),
    "cmd": ("cmd", "/d", "/q", "/c"),
}
ENDINGS: dict[Shell, str] = {"sh": "sh", "fish": "fish", "powershell": "ps1", "cmd": "cmd"}
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"

HERE: tuple[Shell, ...] = ("powershell", "cmd") if os.name == "nt" else ("sh", "fish", "powershell")

HARMLESS = (
    "plain",
    "a b",
    "",
    "C:\\new\\tools\\",
    "a&b|c<d>e^f(g)",
    "-x",
    "#no remark",
    "~",
    "é☕",
)
HOSTILE = (
    "it's",
    "two\nlines",
    "tab\there",
    'say "hi"',
    "50%PATH%",
    "!important!",
    "$HOME `id` $(id) ${HOME}",
    "\u2018typographic\u2019 \u201cquotes\u201d",
    "back\\'slash",
    "bell\a and \x1b[31m",
)


def starting(shell: Shell) -> list[str]:
    """How a shell is started on a script; skips the test where there is none."""
    program, *options = PROGRAMS[shell]
    found = shutil.which(program)
    if found is None and program == "pwsh" and not is_wine():  # whose `powershell` is none
        found = shutil.which("powershell")
    if found is None:
        pytest.skip("Wine: no PowerShell" if is_wine() else f"no {program} here")
    return [found, *options]


def run(lines: list[str], shell: Shell, folder: Path, **environ: str) -> dict[str, str]:
    """The variables of a program that the shell starts after these lines."""
    command = starting(shell)
    script = folder / f"lines.{ENDINGS[shell]}"
    call = {"powershell": "&", "cmd": "@"}.get(shell, "")
    show = folder / "show.py"
    show.write_text(SHOW, encoding="utf-8")
    line = f'{call} "{sys.executable}" "{show}"'
    script.write_text("\n".join([*lines, line, ""]), encoding="utf-8")
    done = subprocess.run(
        [*command, str(script)],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    seen: dict[str, str] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("shell", HERE)
class TestRunByTheShell:
    @pytest.mark.parametrize("value", HARMLESS + HOSTILE)
    def test_a_value_arrives_as_it_is(self, shell: Shell, value: str, tmp_path: Path) -> None:
        if shell == "cmd" and (value in HOSTILE or not value.isascii()):
            if any(one in value for one in '"%!\n'):
                with pytest.raises(SettingsError, match="--shell powershell"):
                    assignment("SHOWN", value, shell)
            return
        seen = run([assignment("SHOWN", value, shell)], shell, tmp_path, SHOWN="old")
        assert seen.get("SHOWN", "") == value  # Windows has no empty variables

    def test_another_variable_s_value(self, shell: Shell, tmp_path: Path) -> None:
        lines = [reference("SHOWN", "THEIR_KEY", shell)]
        assert run(lines, shell, tmp_path, THEIR_KEY="sk $x'1")["SHOWN"] == "sk $x'1"

    def test_a_variable_is_removed_whether_it_is_there_or_not(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        assert "SHOWN" not in run([removal("SHOWN", shell)], shell, tmp_path, SHOWN="old")
        assert "SHOWN" not in run([removal("SHOWN", shell)], shell, tmp_path)

    @pytest.mark.parametrize("text", [*HARMLESS, *HOSTILE, "\r\nexit 3\u2028exit 3"])
    def test_a_remark_runs_nothing(self, shell: Shell, text: str, tmp_path: Path) -> None:
        if shell == "cmd" and not text.isascii():
            pytest.skip("Windows: cmd reads its file in the code page")
        assert run([remark(text, shell)], shell, tmp_path, SHOWN="same")["SHOWN"] == "same"

    @pytest.mark.parametrize("client", CLIENTS)
    def test_every_client_s_lines(self, shell: Shell, client: str, tmp_path: Path) -> None:
        url = "http://127.0.0.1:4000"
        words = {"{root}": url, "{v1}": f"{url}/v1", "{key}": "sk-1", "{model}": "a/b"}
        lines = client_lines(client, f"{url}/v1", "THEIR_KEY", shell, model="a/b")
        seen = run(lines, shell, tmp_path, THEIR_KEY="sk-1", ANTHROPIC_API_KEY="old")
        for name, meaning in CLIENTS[client].variables:
            assert seen[name] == words.get(meaning, meaning)
        for name in CLIENTS[client].unset:
            assert name not in seen


class TestWhichShell:
    def test_powershell_tells_its_children(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "name", "posix")
        assert this_shell({"PSModulePath": "/x", "SHELL": "/bin/bash"}) == "powershell"
        assert this_shell({"SHELL": "/usr/bin/fish"}) == "fish"
        assert this_shell({"SHELL": "/bin/bash"}) == "sh"
        assert this_shell({}) == "sh"

    def test_windows_is_powershell_s(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "name", "nt")
        assert this_shell({"PSModulePath": "C:\\x"}) == "powershell"

    def test_env_prints_for_the_shell_that_runs_it(self, house: House) -> None:
        house.monkeypatch.setenv("PSModulePath", "/opt/microsoft/powershell/7/Modules")
        assert "$env:OPENAI_BASE_URL = " in house.run("env", "codex").out
        assert "set -gx OPENAI_BASE_URL " in house.run("env", "codex", "--shell", "fish").out
        assert 'set "OPENAI_BASE_URL=' in house.run("env", "codex", "--shell", "cmd").out

    def test_an_unknown_shell_lists_the_known(self, house: House) -> None:
        ran = house.run("env", "codex", "--shell", "tcsh")
        assert ran.code == 1
        assert "sh, powershell, fish, cmd" in ran.err
        assert shell_named("fish") == "fish"
