"""How a run ends when it is interrupted, terminated, or meets a bug; and the known errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house import OWN
from tests.platforms import not_on_windows
from tests.simulator.faults import Fault
from tests.terminal import COMMAND, in_pipes

if TYPE_CHECKING:
    from tests.house import House

RULES = """
allow:
  - {family: claude-haiku, from: [anthropic], newest: 1}
"""


@pytest.fixture
def furnished(house: House) -> House:
    """One provider and one rule."""
    house.write_policy(RULES, "anthropic")
    return house


@not_on_windows("no POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_a_provider_hangs_ends_the_run_with_the_config_whole(
    furnished: House, number: signal.Signals, code: int
) -> None:
    furnished.sim.fault("anthropic", Fault.HANG)
    process = subprocess.Popen(
        [*COMMAND, "apply", "--timeout", "60s", "--deadline", "60s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not furnished.sim.requests:
        assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert out == b""
    assert b"Traceback" not in err
    assert furnished.config.read_text(encoding="utf-8") == OWN
    furnished.sim.heal("anthropic")
    furnished.applied()


@not_on_windows("no POSIX signals")
def test_these_tests_pass_as_a_background_job_with_ctrl_c_ignored() -> None:
    name = test_a_signal_while_a_provider_hangs_ends_the_run_with_the_config_whole.__name__
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{name}"],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        env=environ,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout.decode()[-2000:]


@pytest.mark.parametrize("kind", ["RuntimeError", "BrokenPipeError"])
def test_a_bug_is_exit_70_and_a_log_without_keys(
    furnished: House, tmp_path: Path, kind: str
) -> None:
    """Also one that looks like a reader who went away."""
    # a module of the standard library that turns against us: no seam of our own is needed
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "difflib.py").write_text(
        "import os\n\nget_close_matches = None\n\ndef unified_diff(*args, **kwargs):\n"
        "    said = [os.environ['ANTHROPIC_API_KEY'], 'k-in-dotenv-77']\n"
        f"    raise {kind}(*([32] if {kind} is BrokenPipeError else []), ' '.join(said))\n",
        encoding="utf-8",
    )
    (furnished.folder / ".env").write_text("OTHER_API_KEY=k-in-dotenv-77\n", encoding="utf-8")
    environ = {"PYTHONPATH": str(broken), "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}
    environ["ROLLCALL_FORCE_TTY"] = "100"  # the diff is for people
    done = in_pipes("plan", environ=environ)
    assert done.code == 70
    lines = done.err.decode().splitlines()
    assert len(lines) == 2
    log = Path(lines[1].rstrip(".").rpartition(" ")[2])
    text = log.read_text(encoding="utf-8")
    assert kind in text
    for secret in (os.environ["ANTHROPIC_API_KEY"], "k-in-dotenv-77"):
        assert secret not in text + done.err.decode()
    assert furnished.config.read_text(encoding="utf-8") == OWN


@pytest.mark.parametrize(
    "args",
    [
        ["plan", "-c", "."],
        ["plan", "-c", "nowhere/config.yaml"],
        ["plan", "-p", "."],
        ["plan", "-p", "nowhere.yaml"],
        ["plan", "-p", "a.yaml/b.yaml"],
        ["plan", "--timeout", "0"],
        ["plan", "--deadline", "0s"],
        ["models", "--provider", "nobody"],
        ["explain", "nobody-knows"],
        ["rollback", "99"],
        ["pick", "nobody-knows"],
        ["pick"],
        ["init"],
        ["init", "-p", "nowhere/policy.yaml"],
        ["init", "-p", ".", "--overwrite"],
        ["env", "no-such-client"],
        ["env", "claude-code", "--shell", "tcl"],
        ["roles"],
        ["roles", "-f", "."],
    ],
    ids=" ".join,
)
def test_a_known_error_is_two_lines_on_stderr(furnished: House, args: list[str]) -> None:
    furnished.applied()
    furnished.config.with_name("a.yaml").write_text("", encoding="utf-8")
    before = furnished.config.read_bytes()
    ran = furnished.run(*args)
    assert ran.code == 1
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 2, ran.err
    assert all(line.strip() for line in ran.err.splitlines())
    assert furnished.config.read_bytes() == before


BROKEN = "model_list:\n  - model_name: [\n"
STRAY = "model_list:\n- {model_name: x, litellm_params: {}, model_info: {managed_by: rollcall}}\n"
READING = ["models", "explain x", "pick x", "smoke http://127.0.0.1:9", "init --overwrite"]
EDITING = ["plan", "apply", "adopt", "eject"]


@pytest.mark.parametrize(
    ("command", "text"),
    [*((one, BROKEN) for one in [*READING, *EDITING]), ("plan", STRAY), ("apply", STRAY)],
)
def test_a_config_that_cannot_be_used_is_called_by_its_own_name(
    furnished: House, command: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be a config.yaml here, too, which is well."""
    other = furnished.folder / "team.yaml"
    other.write_text(text, encoding="utf-8")
    monkeypatch.setenv("ROLLCALL_CONFIG", "team.yaml")
    ran = furnished.run(*command.split())
    assert ran.code == 1
    what, hint = ran.err.splitlines()
    assert what.startswith(f"rollcall: {other}:2: " if text is STRAY else f"rollcall: {other}:3: ")
    assert hint.endswith("The path comes from ROLLCALL_CONFIG.")
    assert "config.yaml" not in what.replace(str(other), "")


@pytest.mark.parametrize("command", ["plan", "models", "explain default"])
def test_a_config_that_was_named_and_is_not_there_is_told(furnished: House, command: str) -> None:
    ran = furnished.run(*command.split(), "-c", "confg.yaml")
    assert ran.err.splitlines()[0].endswith("confg.yaml is not there: apply would make it.")
    assert "is not there" not in furnished.run(*command.split()).err


@pytest.mark.parametrize("command", ["plan", "apply", "models", "status", "env codex"])
def test_an_env_file_that_is_no_text_is_two_lines(furnished: House, command: str) -> None:
    (furnished.folder / ".env").write_bytes(b"KEY=\xff\xfe\n")
    ran = furnished.run(*command.split())
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 2, ran.err


def test_the_demo_ends_well_and_shows_every_step(house: House) -> None:
    done = in_pipes("demo")
    assert done.code == 0, done.out
    text = done.out.decode()
    for step in ("$ rollcall plan", "$ rollcall apply", "$ rollcall rollback", "nothing was lost"):
        assert step in text
    assert "$2.00 / $10.00" in text  # as a person sees it, though nobody is there
    assert text.rstrip().endswith("to the byte.")


def test_a_quiet_plan_still_says_why_nobody_could_be_asked(furnished: House) -> None:
    furnished.sim.fault("anthropic", Fault.UNAUTHORIZED)
    ran = furnished.run("plan", "--quiet")
    assert ran.code == 5
    assert "auth" in ran.out
