"""stdout is the result, stderr the conversation: pipes, terminals, old consoles, full disks."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollcall.report.text import is_terminal
from tests.platforms import not_on_windows
from tests.terminal import COMMAND, at_terminal, in_pipes, in_shell

if TYPE_CHECKING:
    from tests.house import House

posix = not_on_windows("no sh and no pseudo-terminals")


@pytest.fixture
def furnished(house: House) -> House:
    """Two providers and a few rules."""
    return house.furnish()


@pytest.mark.parametrize("command", [["apply"], ["models"]])
def test_a_pipe_gets_no_escape_sequence_and_no_progress(
    furnished: House, command: list[str]
) -> None:
    done = in_pipes(*command)
    assert b"\x1b" not in done.out + done.err
    assert b"asking" not in done.err


@posix
def test_a_terminal_shows_a_live_line_per_provider_beside_a_clean_stdout(furnished: House) -> None:
    done = at_terminal("plan", "--check", piped_stdout=True)
    assert done.code == 4
    for provider in (b"anthropic", b"xai"):
        assert provider in done.err
    assert b"asking" in done.err
    assert b"\x1b" not in done.out
    assert b"asking" not in done.out


@posix
@pytest.mark.parametrize("flag", ["--json", "--quiet"])
def test_progress_is_absent_where_it_is_not_wanted(furnished: House, flag: str) -> None:
    assert b"asking" not in at_terminal("plan", flag, piped_stdout=True).err


@posix
@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colour_gets_plain_tables(
    furnished: House, environ: dict[str, str]
) -> None:
    furnished.applied()
    done = at_terminal("models", environ=environ)
    assert b"\x1b" not in done.out
    assert b"\x1b[1m" in at_terminal("models").out


@posix
def test_a_dumb_terminal_gets_no_progress(furnished: House) -> None:
    assert at_terminal("apply", environ={"TERM": "dumb"}, piped_stdout=True).err == b""


@posix
def test_an_old_console_gets_what_it_can_show(furnished: House) -> None:
    environ = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = at_terminal("plan", environ=environ)
    assert done.code == 0
    assert b"\\u" not in done.out
    done.out.decode("ascii")


def test_a_pipe_of_an_old_console_is_whole(furnished: House) -> None:
    done = in_pipes("plan", environ={"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"})
    assert done.code == 0
    assert b"claude-haiku" in done.out


@posix
@pytest.mark.parametrize("command", ["plan", "--help"])
def test_a_reader_that_goes_away_is_no_error(furnished: House, command: str) -> None:
    done = in_shell(f"{{ $ROLLCALL {command}; echo code $? >&2; }} | true")
    assert done.err == b"code 0\n"


@posix
def test_a_reader_that_goes_away_stops_neither_the_restart_nor_the_exit_code(
    furnished: House,
) -> None:
    # the pipe is closed before the first line: `true` never reads
    line = "{ $ROLLCALL apply --detailed-exitcode --on-change 'touch ran'; echo $? >&2; } | true"
    assert in_shell(line).err == b"4\n"
    assert (furnished.folder / "ran").exists()


@pytest.mark.parametrize("command", [["models"], ["plan"], ["--help"], ["apply", "-q"]])
def test_a_pipe_that_nobody_reads_is_no_error(furnished: House, command: list[str]) -> None:
    """As behind `| more` that was left, or `| Select-Object -First 3`; Windows says EINVAL."""
    furnished.applied()
    process = subprocess.Popen(
        [*COMMAND, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0, said
    assert b"could not be written" not in said
    assert b"a bug" not in said


def test_the_null_device_is_no_terminal(furnished: House) -> None:
    """`isatty` says that Windows' NUL is one."""
    furnished.applied()
    done = in_pipes("pick")  # whose stdin is the null device
    assert done.code == 1
    assert b"Nobody is at a terminal to ask." in done.err
    with Path(os.devnull).open(encoding="utf-8") as nul:
        assert not is_terminal(nul)


def test_markdown_is_utf_8_wherever_it_is_sent(furnished: House) -> None:
    furnished.sim.set_rows("xai", [{"id": "größe-4☕", "created": 1}])
    furnished.policy.write_text(
        furnished.policy.read_text(encoding="utf-8").replace("[grok-4.5, grok-4.6]", "größe-4☕"),
        encoding="utf-8",
    )
    old = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = in_pipes("plan", "--markdown", "--markdown-out", "body.md", environ=old)
    assert done.code == 0, done.err
    assert "größe-4☕" in done.out.decode("utf-8")
    assert b"\r" not in done.out
    assert (furnished.folder / "body.md").read_bytes() == done.out


@posix
def test_no_console_at_all_is_no_error(furnished: House) -> None:
    assert in_shell("$ROLLCALL apply >&- 2>&-").code == 0
    assert len(furnished.names()) == 3


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="macOS: no /dev/full")
def test_a_full_disk_behind_stdout_is_two_lines_and_exit_1(furnished: House) -> None:
    done = in_shell("$ROLLCALL plan --json >/dev/full")
    assert done.code == 1
    assert len(done.err.splitlines()) == 2
    assert b"No space left" in done.err


@pytest.mark.parametrize("keys", [True, False], ids=["asked", "nobody could be asked"])
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_json_on_stdout_is_json_and_nothing_else(
    furnished: House, command: str, keys: bool
) -> None:
    environ = {} if keys else dict.fromkeys(furnished.sim.environ(), "")
    done = in_pipes(command, "--json", environ=environ)
    assert done.code == (0 if keys else 5)
    assert json.loads(done.out)["nobody"] is not keys
    done.out.decode("ascii")


def test_every_output_is_the_same_twice_under_one_clock(furnished: House) -> None:
    assert os.environ["SOURCE_DATE_EPOCH"]
    for command in (["plan", "--markdown"], ["plan", "--quiet"], ["models", "--json"], ["models"]):
        assert furnished.run(*command).text == furnished.run(*command).text
    first, second = (furnished.run("plan", "--json").json() for _ in range(2))
    for plan in (first, second):
        for line in plan["providers"]:
            del line["elapsed_ms"]
    assert first == second
