"""Folders and files that may not be written, as a user who is bound by permissions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platforms import as_root_only, not_on_windows

pytestmark = not_on_windows("no POSIX permissions")

SRC = Path(__file__).resolve().parents[1] / "src"
RUN = """
import json, os, sys, tempfile
from pathlib import Path
import rollcall.store.state
from rollcall.errors import StoreError
from rollcall.store.store import Store
config, state_dir, write_to = [Path(word) if word else None for word in sys.argv[1:4]]
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
tempfile.tempdir = sys.argv[4]
store, result = Store(config, state_dir), {}
try:
    with store.locked(1) as notes:
        result["locked"] = notes
        written = store.write_config(
            b"new\\n", expected=store.read_config(), created="2026-11-20T12:00:00Z",
            reason="apply", write_to=write_to)
    result |= {"in_place": written.in_place, "backup": written.backup_id, "notes": written.notes}
except StoreError as error:
    result |= {"what": error.what, "hint": error.hint}
print(json.dumps(result))
"""
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder an ordinary user can reach, with config/config.yaml and state/."""
    home = Path(tempfile.mkdtemp(prefix="rollcall-test-"))
    home.chmod(0o755)
    for name in ("config", "state", "tmp"):
        (home / name).mkdir(mode=0o755)
    (home / "config" / "config.yaml").write_bytes(b"old\n")
    yield home
    for path in (home, *home.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(home)


@pytest.fixture
def run(folder: Path) -> Run:
    """Write `new` as an ordinary user who owns everything but may be denied it by modes."""

    def run_as_user(
        modes: dict[str, int], state: str = "state", write_to: str | None = None
    ) -> dict[str, Any]:
        if sys.platform == "win32":
            raise NotImplementedError
        for path in (folder, *folder.rglob("*")):
            if os.geteuid() == 0:
                os.chown(path, 65534, 65534)
        for name, mode in modes.items():
            (folder / name).chmod(mode)
        words = [folder / "config" / "config.yaml", folder / state]
        words += [folder / write_to if write_to else Path(), folder / "tmp"]
        arguments = [str(word) if word != Path() else "" for word in words]
        done = subprocess.run(
            [sys.executable, "-c", RUN, *arguments], capture_output=True, encoding="utf-8", cwd=SRC
        )
        assert done.stderr == ""
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return run_as_user


def config_of(folder: Path) -> bytes:
    """config.yaml's bytes now."""
    return (folder / "config" / "config.yaml").read_bytes()


def test_a_folder_that_takes_no_files_is_written_in_place(folder: Path, run: Run) -> None:
    """The file may be written, its folder not: the weaker promise, said, after a backup."""
    inode = (folder / "config" / "config.yaml").stat().st_ino
    result = run({"config": 0o555})
    assert result["in_place"]
    assert any("in place" in note for note in result["notes"])
    assert any("config.yaml.bak could not be written" in note for note in result["notes"])
    assert config_of(folder) == b"new\n"
    assert (folder / "config" / "config.yaml").stat().st_ino == inode
    backup = folder / "state" / "backups" / f"{result['backup']}.yaml"
    assert backup.read_bytes() == b"old\n"
    assert not list((folder / "state").glob("journal*"))


def test_in_place_without_a_place_for_the_journal_is_refused(folder: Path, run: Run) -> None:
    """No backup, no write; the hint is about the state folder."""
    result = run({"config": 0o555}, state="config/.rollcall")
    assert "could not be kept" in result["what"]
    assert "--state-dir" in result["hint"]
    assert config_of(folder) == b"old\n"


def test_a_read_only_file_in_a_read_only_folder_is_refused(folder: Path, run: Run) -> None:
    """A ConfigMap."""
    result = run({"config/config.yaml": 0o444, "config": 0o555})
    assert "read-only" in result["what"]
    assert "--write-to" in result["hint"]
    assert config_of(folder) == b"old\n"


def test_write_to_needs_nothing_of_the_config_s_folder(folder: Path, run: Run) -> None:
    """An init container: reads a ConfigMap, writes a volume."""
    modes = {"config/config.yaml": 0o444, "config": 0o555}
    result = run(modes, state="config/.rollcall", write_to="tmp/config.yaml")
    assert (folder / "tmp" / "config.yaml").read_bytes() == b"new\n"
    assert config_of(folder) == b"old\n"
    assert any("temporary folder" in note for note in result["locked"])


def test_a_closed_state_folder_leaves_the_bak(folder: Path, run: Run) -> None:
    """The only backup then, and the note says so."""
    for mode in (0o555, 0o000):
        (folder / "config" / "config.yaml").write_bytes(b"old\n")
        result = run({"state": mode})
        assert "only in config.yaml.bak" in result["notes"][0]
        assert result["backup"] is None
        assert config_of(folder) == b"new\n"
        assert (folder / "config" / "config.yaml.bak").read_bytes() == b"old\n"


def test_an_unreadable_config_is_said(folder: Path, run: Run) -> None:
    """By whom it could not be read is up to its modes."""
    result = run({"config/config.yaml": 0o000})
    assert "permission denied" in result["what"]
    assert result["hint"]


@as_root_only("only root gives files away")
def test_somebody_else_s_file_keeps_its_owner(folder: Path, run: Run) -> None:
    """We may write it and its folder, but could not give a new one back: written in place."""

    if sys.platform == "win32":
        raise NotImplementedError
    path = folder / "config" / "config.yaml"
    first = run({"config/config.yaml": 0o666})
    assert not first["in_place"]
    path.write_bytes(b"old\n")
    subprocess.run(["chown", "-R", "65534:65534", folder], check=True)
    os.chown(path, 12345, 12345)
    arguments = [str(path), str(folder / "state"), "", str(folder / "tmp")]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, encoding="utf-8", cwd=SRC
    )
    assert json.loads(done.stdout)["in_place"]
    assert (path.stat().st_uid, path.read_bytes()) == (12345, b"new\n")
