"""Paths that lead to something else than a file: nothing hangs, and the proxy starts."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rollcall.files import read_regular
from rollcall.store.folder import config_folder
from tests.platforms import not_on_windows
from tests.stand_in import StandIns

pytestmark = not_on_windows("no pipes or devices as files")

CONFIG = "model_list:\n- model_name: mine\n  litellm_params: {model: openai/x}\n"
POLICY = """\
version: 1
providers: {here: {type: openai, base_url: "http://127.0.0.1:9/v1", key_env: null, empty: ok}}
allow: [{match: "*"}]
"""
HANGS_SECONDS = 60
"""What would hang is ended then: far more than the slowest machine needs."""


def pipe(path: Path) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def enormous(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(8 * 1024**3)


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


KINDS: tuple[Callable[[Path], None], ...] = (pipe, endless, folder, circle, enormous, binary)
MEMORY = config_folder(Path("config.yaml"), Path(".rollcall")).as_posix()
READ = (
    "config.yaml",
    "policy.yaml",
    "policy.picked.yaml",
    ".env",
    "included.yaml",
    ".rollcall/state.json",
    f"{MEMORY}/state.json",
    f"{MEMORY}/fresh.json",
    ".rollcall/config.yaml.lock",
    ".rollcall/backups",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "config.yaml").write_text(f"include: [included.yaml]\n{CONFIG}", encoding="utf-8")
    (tmp_path / ".rollcall").mkdir(mode=0o700)
    (tmp_path / MEMORY).mkdir(mode=0o700)
    return tmp_path


def typed(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that may take little memory."""
    import resource

    def bounded() -> None:
        if sys.platform == "win32":
            raise NotImplementedError
        resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))

    source = Path(__file__).resolve().parents[1] / "src"
    return subprocess.run(
        [sys.executable, "-m", "rollcall", *args],
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(source)},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=HANGS_SECONDS,
        preexec_fn=bounded,
        check=False,
    )


@pytest.mark.parametrize("kind", [pipe, endless])
@pytest.mark.parametrize("name", READ)
def test_the_proxy_starts_whatever_lies_there(
    home: Path, name: str, kind: Callable[[Path], None]
) -> None:
    stand_ins = StandIns(home / "bin", home / "started.jsonl")
    litellm = stand_ins.add("litellm")
    (home / name).unlink(missing_ok=True)
    kind(home / name)
    ran = typed(home, "start", "--discover", "--deadline", "1s", "--litellm", str(litellm))
    assert ran.returncode == 0, ran.stderr
    assert [start.argv for start in stand_ins.starts()] == [["--config", str(home / "config.yaml")]]
    assert "a bug" not in ran.stderr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["config.yaml", "policy.yaml"])
def test_a_plan_from_what_is_no_file_ends_in_two_lines(
    home: Path, name: str, kind: Callable[[Path], None]
) -> None:
    (home / name).unlink(missing_ok=True)
    kind(home / name)
    ran = typed(home, "plan", "--offline")
    assert ran.returncode == 1, ran.stderr
    lines = ran.stderr.splitlines()
    assert len(lines) == 2, ran.stderr
    assert name in lines[0] or "/dev/zero" in lines[0]


def device(path: Path) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize("kind", [device, pipe, folder])
@pytest.mark.parametrize("command", ["plan", "apply", "rollback"])
def test_a_config_that_is_no_file_is_refused_before_anything_is_made_beside_it(
    home: Path, command: str, kind: Callable[[Path], None]
) -> None:
    """Root would leave `/dev/.rollcall` behind."""
    there = home / "dev"
    there.mkdir()
    kind(there / "null")
    ran = typed(home, command, "-c", "dev/null", *(["--offline"] if command == "plan" else []))
    assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 2), ran.stderr
    assert f"{there / 'null'} could not be read: it is a" in ran.stderr
    assert [path.name for path in there.iterdir()] == ["null"]


@pytest.mark.parametrize("kind", [enormous, binary])
def test_an_env_file_nobody_can_read_ends_in_two_lines(
    home: Path, kind: Callable[[Path], None]
) -> None:
    kind(home / ".env")
    ran = typed(home, "plan", "--offline")
    assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 2), ran.stderr
    assert ".env cannot be read" in ran.stderr


@pytest.mark.parametrize("kind", [pipe, endless, binary])
def test_a_saved_plan_that_is_no_file(home: Path, kind: Callable[[Path], None]) -> None:
    kind(home / "plan.json")
    ran = typed(home, "apply", "plan.json")
    assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 2), ran.stderr


def test_a_path_through_a_file_is_not_taken_for_one_where_nothing_is_yet(tmp_path: Path) -> None:
    """Windows says that nothing is there: a `.rollcall` that is a file would go unnoticed."""
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "state.json", tmp_path / "file" / "deep" / "state.json"):
        with pytest.raises(NotADirectoryError):
            read_regular(path)
    for path in (tmp_path / "none", tmp_path / "no folder" / "none"):
        with pytest.raises(FileNotFoundError):
            read_regular(path)


def test_what_is_read_is_a_file_of_bounded_size(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger"):
        read_regular(path, 4)
    assert read_regular(Path("/proc/self/status") if Path("/proc").exists() else path)


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(OSError, match="socket"):
            read_regular(tmp_path / "socket")


def test_a_folder_that_cannot_be_listed_keeps_no_proxy_from_starting(home: Path) -> None:
    stand_ins = StandIns(home / "bin", home / "started.jsonl")
    litellm = stand_ins.add("litellm")
    (home / "config.yaml").write_text("a: [", encoding="utf-8")
    (home / ".rollcall" / "backups").write_text("not a folder", encoding="utf-8")
    ran = typed(home, "start", "--or-last-good", "--litellm", str(litellm))
    assert ran.returncode == 0, ran.stderr
    assert len(stand_ins.starts()) == 1
