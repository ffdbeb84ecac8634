"""The lock: one run at a time on one file, by whatever path, and never for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rollcall.errors import LockBusy, StoreError
from rollcall.store.store import Store
from tests.platforms import not_on_windows, not_on_wine

posix_only = not_on_windows("no POSIX links and modes")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A config in a folder of its own."""
    (tmp_path / "config.yaml").write_bytes(b"old\n")
    return Store(tmp_path / "config.yaml", tmp_path / ".rollcall")


def is_busy(store: Store) -> bool:
    """Whether a run that will not wait is turned away."""
    try:
        with store.locked(0):
            return False
    except LockBusy:
        return True


@not_on_wine("the error of a held lock has no number")
def test_a_second_run_is_turned_away_after_its_deadline(store: Store) -> None:
    """Two clear lines, and the next run is let in."""
    with store.locked(1), pytest.raises(LockBusy) as caught, store.locked(0.05):
        pass
    assert str(store.config_path) in caught.value.what
    assert caught.value.hint
    assert not is_busy(store)


def test_a_second_run_waits_for_the_first(store: Store) -> None:
    """It gets in as soon as the first is done."""
    events = []
    inside = threading.Event()
    with store.locked(1):

        def second() -> None:
            inside.set()
            with store.locked(30):
                events.append("second")

        thread = threading.Thread(target=second)
        thread.start()
        assert inside.wait(10)
        events.append("first")
    thread.join(30)
    assert events == ["first", "second"]


def test_an_error_inside_frees_the_lock(store: Store) -> None:
    """Also Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), store.locked(1):
        raise KeyboardInterrupt
    assert not is_busy(store)


@posix_only
def test_every_path_to_a_file_meets_the_same_lock(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link elsewhere, a linked folder, a relative path, another state folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.yaml").symlink_to(store.config_path)
    (tmp_path / "linked").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    others = [
        Store(elsewhere / "config.yaml", elsewhere / ".rollcall"),
        Store(tmp_path / "linked" / "config.yaml", tmp_path / "linked" / ".rollcall"),
        Store(Path("config.yaml"), Path(".rollcall")),
        Store(store.config_path, tmp_path / "state"),
    ]
    with store.locked(1):
        assert [is_busy(other) for other in others] == [True] * 4


def test_other_configs_are_not_held_up(store: Store, tmp_path: Path) -> None:
    """Two configs in one folder have two locks."""
    with store.locked(1):
        assert not is_busy(Store(tmp_path / "other.yaml", store.state_dir))


def test_a_dead_run_s_temporary_files_go(store: Store, tmp_path: Path) -> None:
    """Only ours, and only those of this config."""
    for name in (".config.yaml.12345678.rollcall-tmp", ".config.yaml.bak.12345678.rollcall-tmp"):
        (tmp_path / name).write_bytes(b"half")
    strangers = [
        ".other.yaml.12345678.rollcall-tmp",
        ".config.yaml.dev.12345678.rollcall-tmp",
        ".config.yaml.rollcall-tmp",
        ".config.yaml.swp",
        "config.yaml.tmp",
    ]
    for name in strangers:
        (tmp_path / name).write_bytes(b"theirs")
    with store.locked(1):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", ".rollcall", *strangers}


@posix_only
def test_without_a_writable_place_the_temporary_folder_has_the_lock(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said, and still a lock."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    store.state_dir.write_bytes(b"in the way")
    with store.locked(1) as notes:
        assert "temporary folder" in notes[0]
        assert is_busy(store)
    [folder] = temporary.iterdir()
    assert folder.stat().st_mode & 0o077 == 0


@posix_only
@pytest.mark.parametrize("trap", ["link", "open", "file"])
def test_a_neighbour_s_folder_in_the_temporary_one_is_not_used(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """Then there is no lock, which is said; the file is still checked before it is replaced."""
    if sys.platform == "win32":
        raise NotImplementedError
    temporary, victim = tmp_path / "tmp", tmp_path / "victim"
    temporary.mkdir()
    victim.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    name = temporary / f"rollcall-{os.geteuid()}"
    if trap == "link":
        name.symlink_to(victim)
    elif trap == "open":
        name.mkdir()
        name.chmod(0o777)
    else:
        name.touch()
    store.state_dir.write_bytes(b"in the way")
    with store.locked(1) as notes:
        assert "No lock could be taken" in notes[0]
    assert list(victim.iterdir()) == []


@posix_only
def test_a_lock_file_that_is_a_link_is_not_followed(store: Store, tmp_path: Path) -> None:
    """Nothing is created where it points."""
    store.state_dir.mkdir()
    (store.state_dir / "config.yaml.lock").symlink_to(tmp_path / "victim")
    with store.locked(1):
        pass
    assert not (tmp_path / "victim").exists()


def test_taking_the_lock_imports_nothing_heavy() -> None:
    """Every run pays for it."""
    code = (
        "import sys; from pathlib import Path; from rollcall.store.store import Store\n"
        "with Store(Path('config.yaml'), Path('.rollcall')).locked(0): pass\n"
        "heavy = {'asyncio', 'sqlite3', 'filelock', 'tempfile', 'pydantic', 'yaml', 'shutil'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, encoding="utf-8")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_config_that_leads_nowhere_is_said_before_the_lock(tmp_path: Path) -> None:
    """Nothing is created."""
    store = Store(tmp_path / "missing" / "config.yaml", tmp_path / ".rollcall")
    with pytest.raises(StoreError), store.locked(0):
        pass
    assert list(tmp_path.iterdir()) == []
