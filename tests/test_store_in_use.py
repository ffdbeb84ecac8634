"""A file that another program has open: what Windows says then, told to the store on any system."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollcall.errors import StoreError
from rollcall.store import picks
from rollcall.store.atomic import read_bytes, remove_named, write_named
from rollcall.store.disk_errors import is_in_use, words
from rollcall.store.state import State
from rollcall.store.store import Store
from tests.house import House

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.simulator import Simulator

NOON = "2026-11-20T12:00:00Z"
OLD, NEW = b"old: text\n", b"new: text\n"


def windows_error(number: int, path: Path) -> OSError:
    """The error that a call on `path` raises there."""
    error = PermissionError(13, "Access is denied", str(path))
    error.winerror = number  # type: ignore[attr-defined,unused-ignore]  # only Windows has it
    return error


class Held:
    """Files that somebody has open: not to be replaced or removed, and, if so said, not written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shared: set[str] = set()
        self.shut: set[str] = set()
        self.number = 32
        replace, unlink, opening = os.replace, os.unlink, os.open

        def guarded_replace(source: Path, target: Path) -> None:
            self.guard(target, self.shared | self.shut)
            replace(source, target)

        def guarded_unlink(path: Path, **options: int) -> None:
            self.guard(path, self.shared | self.shut)
            unlink(path, **options)

        def guarded_open(path: Path, flags: int, *mode: int) -> int:
            self.guard(path, self.shut)
            return opening(path, flags, *mode)

        monkeypatch.setattr(os, "replace", guarded_replace)
        monkeypatch.setattr(os, "unlink", guarded_unlink)
        monkeypatch.setattr(os, "open", guarded_open)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)

    def guard(self, path: Path, names: set[str]) -> None:
        """Raise where the file is held."""
        if Path(path).name in names:
            raise windows_error(self.number, path)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "config.yaml").write_bytes(OLD)
    return Store(tmp_path / "config.yaml", tmp_path / ".rollcall")


def write(store: Store) -> tuple[str, ...]:
    """A run that writes; its notes."""
    with store.locked(1):
        return store.write_config(NEW, expected=OLD, created=NOON, reason="apply").notes


@pytest.mark.parametrize("number", [5, 32, 33])
def test_a_config_that_can_be_written_is_written_in_place(
    store: Store, held: Held, number: int
) -> None:
    held.number = number
    held.shared.add("config.yaml")
    notes = write(store)
    assert "another program has it open" in notes[-1]
    assert "in place" in notes[-1]
    assert store.read_config() == NEW
    assert [store.read_backup(backup.id) for backup in store.backups()] == [OLD]
    assert store.config_path.with_name("config.yaml.bak").read_bytes() == OLD
    assert list(store.state_dir.rglob("journal*")) == []


@pytest.mark.parametrize("number", [5, 32, 33])
def test_a_config_that_cannot_be_written_is_named_and_nothing_changes(
    store: Store, held: Held, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.number = number
    held.shared.add("config.yaml")
    opening = os.open

    def for_reading_only(path: Path, flags: int, *mode: int) -> int:
        if Path(path).name == "config.yaml" and flags & (os.O_WRONLY | os.O_RDWR):
            raise windows_error(number, path)
        return opening(path, flags, *mode)

    monkeypatch.setattr(os, "open", for_reading_only)
    with pytest.raises(StoreError) as caught:
        write(store)
    assert "config.yaml" in caught.value.what
    assert "another program has it open" in caught.value.what
    assert "as it was" in caught.value.what
    assert "Close it there" in caught.value.hint
    assert store.read_config() == OLD
    assert store.backups() == ()
    assert {path.name for path in store.config_path.parent.iterdir()} == {
        "config.yaml",
        ".rollcall",
    }
    assert list(store.state_dir.rglob("journal*")) == []


def test_access_denied_to_a_read_only_file_means_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert is_in_use(windows_error(5, path))
    path.chmod(0o444)
    assert not is_in_use(windows_error(5, path))
    assert words(windows_error(5, path)) == "permission denied"
    assert not is_in_use(windows_error(5, tmp_path / "gone"))
    assert not is_in_use(windows_error(5, tmp_path))
    assert is_in_use(windows_error(32, path))


def test_the_state_a_plan_and_a_copy_are_written_over_where_they_cannot_be_replaced(
    store: Store, held: Held, tmp_path: Path
) -> None:
    assert store.memory.write_state(State(last_run="before")) == ()
    held.shared |= {"state.json", "plan.json", "out.yaml"}
    assert store.memory.write_state(State(last_run=NOON)) == ()
    assert store.memory.read_state()[0].last_run == NOON
    for name in ("plan.json", "out.yaml"):
        (tmp_path / name).write_bytes(b"a longer text than the new one\n")
        write_named(tmp_path / name, b"new\n")
        assert (tmp_path / name).read_bytes() == b"new\n"


@pytest.mark.parametrize(
    ("doing", "work"),
    [
        ("read", read_bytes),
        ("written", lambda path: write_named(path, b"new\n")),
        ("removed", remove_named),
    ],
)
def test_what_is_shut_is_named(
    tmp_path: Path, held: Held, doing: str, work: Callable[[Path], object]
) -> None:
    path = tmp_path / "held"
    path.write_bytes(b"old\n")
    held.shut.add("held")
    with pytest.raises(StoreError) as caught:
        work(path)
    assert f"held could not be {doing}: another program has it open." in caught.value.what
    assert caught.value.hint.startswith("Close it there")
    assert {path.name for path in tmp_path.iterdir()} == {"held"}


def test_a_scanner_that_lets_go_is_waited_for(
    tmp_path: Path, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "held"
    path.write_bytes(b"old\n")
    held.shut.add("held")
    monkeypatch.setattr(time, "sleep", lambda seconds: held.shut.clear())
    assert read_bytes(path) == b"old\n"


def test_a_pick_that_stays_is_said(tmp_path: Path, held: Held) -> None:
    policy = tmp_path / "policy.yaml"
    path = picks.write_picked(policy, "anthropic/claude-haiku-4-5")
    held.shared.add(path.name)
    with pytest.raises(StoreError, match="another program has it open"):
        picks.forget_picked(policy)
    held.shut.add(path.name)
    with pytest.raises(StoreError, match="could not be read: another program has it open"):
        picks.read_picked(policy)
    held.shared.clear()
    held.shut.clear()
    picks.forget_picked(policy)
    assert picks.read_picked(policy) == (b"", None)


def test_a_backup_whose_description_is_shut_is_not_passed_over(store: Store, held: Held) -> None:
    """`rollback` would restore an older text than the last one."""
    write(store)
    [backup] = store.backups()
    held.shut.add(f"{backup.id}.json")
    with pytest.raises(StoreError, match="another program has it open"):
        store.backups()
    held.shut.clear()
    assert store.backups() == (backup,)


def test_a_state_that_cannot_be_read_just_now_is_not_a_damaged_one(
    store: Store, held: Held
) -> None:
    """What was accepted and first seen is still there afterwards."""
    store.memory.write_state(State(accepted=["dear-model"], last_run="before"))
    held.shut.add("state.json")
    state, [note] = store.memory.read_state()
    held.shut.clear()
    assert state.accepted == []
    assert "another program has it open" in note
    assert "keeps nothing new" in note
    assert store.memory.write_state(state.model_copy(update={"last_run": NOON})) == ()
    assert store.memory.read_state() == (State(accepted=["dear-model"], last_run="before"), ())
    assert list(store.state_dir.rglob("*.broken")) == []


def test_a_run_goes_on_without_a_state_that_cannot_be_read(
    tmp_path: Path, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, sim, monkeypatch)
    house.write_policy("allow:\n  - {family: glm, from: [openrouter], newest: 1}\n", "openrouter")
    assert house.run("apply", "--accept", "dear-model").code == 0
    [path] = tmp_path.rglob("state.json")
    before = path.read_bytes()
    held = Held(monkeypatch)
    held.shut.add("state.json")
    ran = house.run("apply")
    assert ran.code == 0
    assert "another program has it open" in ran.err
    held.shut.clear()
    assert path.read_bytes() == before
