"""What docs and help say for Task Scheduler, launchd and each shell, read by the real ones."""

from __future__ import annotations

import io
import os
import plistlib
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from rollcall.__main__ import run
from rollcall.inspect.keys import NEW_KEY
from rollcall.inspect.shells import Shell, command_line
from rollcall.service import help_epilog
from tests.test_shells import ENDINGS, HERE, starting

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("START.md", "SERVICE.md")}


def options_of(command: str) -> set[str]:
    """The options of a command of ours, by its help."""
    text = io.StringIO()
    with redirect_stdout(text):
        run([command, "--help"])
    return set(re.findall(r"--[a-z-]+", text.getvalue()))


def blocks(kind: str) -> list[str]:
    """Every block of code of that kind in these pages, and in `serve --help`."""
    found = [
        one
        for text in PAGES.values()
        for one in re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)
    ]
    told = help_epilog("darwin" if kind == "xml" else "win32")
    return [*found, re.split(r"\n\n", told.partition("\b\n")[2])[0]]


@pytest.mark.parametrize("text", blocks("xml"))
def test_launchd_reads_its_file_and_rollcall_its_words(text: str) -> None:
    told = plistlib.loads(text.strip().encode())
    program, command, *words = told["ProgramArguments"]
    assert program == f"{told['WorkingDirectory']}/.venv/bin/rollcall"
    assert {word for word in words if word.startswith("--")} <= options_of(command)
    assert told.get("RunAtLoad") or told["StartCalendarInterval"]["Hour"] == 5


@pytest.mark.parametrize("text", blocks("powershell"))
def test_powershell_reads_what_is_for_task_scheduler(text: str, tmp_path: Path) -> None:
    assert text.count("Register-ScheduledTask") == text.count("-WorkingDirectory")
    command = starting("powershell")
    script = tmp_path / "tasks.ps1"  # the same words, and what they make of their arguments
    stand_ins = "\n".join(
        f"function {name} {{ [string]::Join('|', $args) }}"
        for name in sorted(set(re.findall(r"(?:New|Register)-ScheduledTask\w*", text)))
    )
    script.write_text(f"{stand_ins}\n{text}", encoding="utf-8")
    done = subprocess.run(
        [*command, str(script)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    assert not done.stderr
    for argument in re.findall(r"-Argument\|(.*?)\|-WorkingDirectory", done.stdout):
        name, *words = shlex.split(argument)
        assert {word for word in words if word.startswith("--") and word != "--port"} - {"--"} <= (
            options_of(name)
        )
    assert done.stdout.count("-Argument|") == text.count("Register-ScheduledTask")


def run_line(line: str, shell: Shell, folder: Path) -> None:
    """Have a shell run one line in a folder."""
    command = starting(shell)
    script = folder / f"line.{ENDINGS[shell]}"
    script.write_text(line + "\n", encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        [*command, str(script)],
        cwd=folder,
        env={**os.environ, "PATH": path},
        timeout=60,
        check=True,
    )


@pytest.mark.parametrize("shell", HERE)
def test_the_line_that_makes_a_master_key_makes_one_in_every_shell(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(b"A=1")
    run_line(NEW_KEY, shell, tmp_path)
    text = (tmp_path / ".env").read_bytes().decode("utf-8").replace("\r\n", "\n")
    assert re.fullmatch(r"A=1\nLITELLM_MASTER_KEY=sk-[0-9a-f]{48}\n", text)


@pytest.mark.parametrize("shell", HERE)
def test_a_command_with_an_odd_path_in_every_shell(shell: Shell, tmp_path: Path) -> None:
    show = tmp_path / "it's & (this).py"
    show.write_text("import sys; open('seen', 'w').write(sys.argv[1])", encoding="utf-8")
    call = {"powershell": "& ", "cmd": "@"}.get(shell, "")
    words = (sys.executable, str(show), "a b")
    run_line(call + command_line(words, shell), shell, tmp_path)
    assert (tmp_path / "seen").read_text(encoding="utf-8") == "a b"


@pytest.mark.parametrize("name", sorted(path.name for path in DOCS.glob("*.md")))
def test_no_page_sets_a_variable_as_only_sh_does_or_needs_openssl(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert not re.search(r"^ +[A-Z][A-Z_]+=\S+ +(rollcall|litellm|python)", text, re.MULTILINE)
    assert "openssl rand" not in text
    assert not re.search(r"pip install [^\n]*'[^'\n]*\[", re.sub(r'sh -c "[^"]*"', "", text))


@pytest.mark.parametrize("script", sorted(DOCS.parent.glob("scr/*")), ids=lambda path: path.name)
def test_what_a_script_says_to_type_is_quoted_as_every_shell_reads_it(script: Path) -> None:
    said = [
        line.replace("\\", "").replace("`", "")
        for line in script.read_text(encoding="utf-8").splitlines()
        if "pip install" in line
    ]
    assert all(re.search(r'pip install "[^"]+"', line) for line in said), said


def test_the_interpreter_of_the_fix_is_the_system_s() -> None:
    assert NEW_KEY.split()[0] == ("python" if os.name == "nt" else "python3")
