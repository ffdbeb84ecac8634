"""kill -9, full disks and lying system calls at every step of a write, and at random moments."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.platforms import not_on_windows

pytestmark = not_on_windows("no fork, no SIGKILL")

PROJECT = Path(__file__).resolve().parents[1]
Faults = Callable[..., dict[str, dict[str, Any]]]
KILLS = ("kill", "kill-half")
ERRORS = ("disk-full", "disk-full-once", "quota-once", "denied", "denied-once", "read-only")


@pytest.fixture
def torment(tmp_path: Path) -> Faults:
    """Run one scenario under some faults, in a process of its own that may fork."""

    def run(scenario: str, *faults: str, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
        command = [*prefix, sys.executable, "-m", "tests.disk_faults", scenario]
        command += [str(tmp_path / "runs"), *faults]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        results: dict[str, Any] = json.loads(done.stdout)
        assert list(results) == list(faults)
        return results

    return run


@pytest.mark.parametrize(
    ("scenario", "steps"),
    [("replace", 30), ("create", 20), ("write-to", 9), ("in-place", 40), ("in-place-shorter", 40)],
)
def test_a_kill_at_every_step_leaves_whole_files(
    torment: Faults, scenario: str, steps: int
) -> None:
    """config.yaml is old or new, the history whole, and the next run works (and repairs)."""
    for result in torment(scenario, *KILLS).values():
        assert result["problems"] == []
        assert result["endings"] == {"killed": result["steps"]}
        assert result["steps"] >= steps
        assert {"open for writing", "write", "fsync", "replace", "flock"} <= set(result["calls"])


@pytest.mark.parametrize("scenario", ["replace", "create", "write-to", "in-place"])
def test_an_error_at_every_step_is_refused_or_survived(torment: Faults, scenario: str) -> None:
    """A refusal leaves the old file and no temporary ones; anything else wrote the new file."""
    for result in torment(scenario, *ERRORS).values():
        assert result["problems"] == []
        assert result["steps"] >= 5
        assert set(result["endings"]) <= {"done", "refused"}
        for message in result["messages"]:
            assert len(message.splitlines()) == 2, "two lines: what, and what to do"


@pytest.mark.parametrize(
    ("scenario", "faults"),
    [
        ("replace", ("io-error", "io-error-once", "stat-error-once")),
        ("in-place", ("io-error-once",)),
        ("write-to", ("io-error-once",)),
    ],
)
def test_a_failing_disk_never_costs_the_old_file(
    torment: Faults, scenario: str, faults: tuple[str, ...]
) -> None:
    """EIO at any call, reading ones too, once or from then on: what is not replaced is whole."""
    for result in torment(scenario, *faults).values():
        assert result["problems"] == []
        assert result["steps"] >= 15


@pytest.mark.parametrize("scenario", ["replace", "in-place"])
def test_kills_at_random_moments(torment: Faults, scenario: str) -> None:
    """A hundred SIGKILLs each, unrelated to steps."""
    result = torment(scenario, "random-100")["random-100"]
    assert result["problems"] == []
    assert sum(result["endings"].values()) == 100


@pytest.fixture
def mount_namespace(tmp_path: Path) -> tuple[str, ...]:
    """A command prefix under which files can be mounted; skips where that is not permitted."""
    prefix = ("unshare", "--mount")
    inside, over = tmp_path / "inside", tmp_path / "over"
    inside.touch()
    over.touch()
    try:
        tried = subprocess.run([*prefix, "mount", "--bind", inside, over], capture_output=True)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if tried.returncode != 0:
        pytest.skip("mounting is not permitted here")
    return prefix


def test_a_really_mounted_file_survives_every_step(
    torment: Faults, mount_namespace: tuple[str, ...]
) -> None:
    """A bind-mounted config.yaml is written in place: torn at worst until the next run."""
    for result in torment(
        "mounted", "kill-half", "disk-full-once", prefix=mount_namespace
    ).values():
        assert result["problems"] == []
        assert result["steps"] >= 30


WRITER = """
import sys
from pathlib import Path
from rollcall.store.store import Store
folder = Path(sys.argv[1])
store = Store(folder / "config.yaml", folder / ".rollcall")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with store.locked(30):
        before = store.read_config()
        number = int(before.split()[-1])
        after = b"# %d bytes\\ncount: %d\\n" % (number, number + 1)
        store.write_config(after, expected=before, created="2026-11-20T12:00:00Z", reason="count")
"""


def test_runs_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    """Three processes count in one file, thirty times each: no count is lost."""
    (tmp_path / "config.yaml").write_bytes(b"count: 0\n")
    command = [sys.executable, "-c", WRITER, str(tmp_path), "30"]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.communicate(b"go\n", timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert (tmp_path / "config.yaml").read_bytes().endswith(b"count: 90\n")


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    """kill -9 on the holder: the next run does not wait."""
    from rollcall.store.store import Store

    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from rollcall.store.store import Store\n"
            "with Store(Path(sys.argv[1]) / 'config.yaml', Path(sys.argv[1]) / 's').locked(1):\n"
            "    print('held', flush=True); sys.stdin.readline()",
            tmp_path,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.communicate()
    started = time.monotonic()
    with Store(tmp_path / "config.yaml", tmp_path / "s").locked(30):
        assert time.monotonic() - started < 25
