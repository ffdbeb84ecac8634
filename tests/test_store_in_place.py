"""A config.yaml that cannot be replaced: written in place, and repaired after a kill."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.errors import StoreError
from rollcall.store.config_file import InPlace
from rollcall.store.store import Store
from tests.platforms import not_on_windows

OLD, NEW = b"old: text\n" * 40, b"the new: text\n" * 50
NOON = "2026-11-20T12:00:00Z"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A config.yaml that answers a rename as a mounted file does."""
    replace = os.replace

    def busy(source: Path, target: Path) -> None:
        if Path(target).name == "config.yaml":
            raise OSError(errno.EBUSY, "mounted")
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    (tmp_path / "config.yaml").write_bytes(OLD)
    return Store(tmp_path / "config.yaml", tmp_path / ".rollcall")


@pytest.fixture
def interrupted(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """What a killed in-place write from OLD to NEW leaves, with these bytes in the file."""

    def leave(present: bytes) -> None:
        unlink = os.unlink

        def keep_journal(path: Path, **options: int) -> None:
            if not Path(path).name.startswith("journal"):
                unlink(path, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", keep_journal)
            store.write_config(NEW, expected=OLD, created=NOON, reason="apply")
        assert len(journals(store)) == 1
        store.config_path.write_bytes(present)

    return leave


def journals(store: Store) -> list[Path]:
    """Signs of a write going on."""
    return list(store.state_dir.glob("journal-*"))


def next_run(store: Store) -> tuple[str, ...]:
    """What the next run says when it begins."""
    with store.locked(1) as notes:
        return notes


@pytest.mark.parametrize("new", [NEW, b"short\n", b""])
def test_it_is_written_after_a_backup_and_the_weaker_promise_is_said(
    store: Store, new: bytes
) -> None:
    """Longer, shorter and empty; the same file, not a new one; no journal afterwards."""
    inode = store.config_path.stat().st_ino
    written = store.write_config(new, expected=OLD, created=NOON, reason="apply")
    assert written.in_place
    assert "in place" in written.notes[-1]
    assert store.config_path.read_bytes() == new
    assert store.config_path.stat().st_ino == inode
    assert store.read_backup(written.backup_id or "") == OLD
    assert journals(store) == []
    assert next_run(store) == ()


@not_on_windows("no /dev/fd")
def test_the_journal_is_on_the_disk_before_the_first_byte_changes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut it is all that tells a torn file from an edited one."""
    fsync, write, replace = os.fsync, os.write, os.replace
    events: list[str] = []

    def file_of(descriptor: int) -> str:
        return Path(f"/dev/fd/{descriptor}").resolve().name

    def noting_fsync(descriptor: int) -> None:
        events.append(f"sync {file_of(descriptor)}")
        fsync(descriptor)

    def noting_write(descriptor: int, content: bytes) -> int:
        events.append(f"write {file_of(descriptor)}")
        return write(descriptor, content)

    def noting_replace(source: Path, target: Path) -> None:
        events.append(f"rename {Path(target).name}")
        replace(source, target)

    with store.locked(1):
        monkeypatch.setattr(os, "fsync", noting_fsync)
        monkeypatch.setattr(os, "write", noting_write)
        monkeypatch.setattr(os, "replace", noting_replace)
        store.write_config(NEW, expected=OLD, created=NOON, reason="apply")
    first = events.index("write config.yaml")
    renamed = next(i for i, event in enumerate(events) if event.startswith("rename journal-"))
    assert renamed < first
    assert events[renamed - 1].startswith("sync .journal-")
    assert f"sync {store.state_dir.name}" in events[renamed:first]


@pytest.mark.parametrize("length", [1, 100, len(OLD), len(OLD) + 1, len(NEW) - 1])
def test_a_torn_file_is_undone(
    store: Store, interrupted: Callable[[bytes], None], length: int
) -> None:
    """Any beginning of the new text over the old one."""
    interrupted(NEW[:length] + OLD[length:])
    [note] = next_run(store)
    assert "its earlier text was put back" in note
    assert store.config_path.read_bytes() == OLD
    assert next_run(store) == ()


def test_pages_that_never_reached_the_disk_are_undone(
    store: Store, interrupted: Callable[[bytes], None]
) -> None:
    """A power cut leaves zeros and any mixture of pages."""
    interrupted(NEW[:100] + OLD[100:200] + bytes(100) + NEW[300:])
    assert "put back" in next_run(store)[0]
    assert store.config_path.read_bytes() == OLD


def test_a_torn_file_is_undone_by_an_older_rollcall_s_journal(
    store: Store, interrupted: Callable[[bytes], None]
) -> None:
    """A proxy's image is replaced by a newer one after a power cut, too."""
    interrupted(NEW[:100] + OLD[100:])
    [journal] = journals(store)
    header, _, body = journal.read_bytes().partition(b"\n")
    fields = json.loads(header)
    fields["old"], fields["new"] = fields.pop("pages")
    journal.write_bytes(json.dumps(fields).encode() + b"\n" + body)
    assert "its earlier text was put back" in next_run(store)[0]
    assert store.config_path.read_bytes() == OLD
    assert journals(store) == []


@pytest.mark.parametrize(
    ("present", "said"), [(NEW, "complete"), (OLD, "had not begun"), (b"by hand\n", "edited")]
)
def test_a_whole_file_stays(
    store: Store, interrupted: Callable[[bytes], None], present: bytes, said: str
) -> None:
    """Also one that a person repaired meanwhile."""
    interrupted(present)
    [note] = next_run(store)
    assert said in note
    assert store.config_path.read_bytes() == present
    assert journals(store) == []


def test_lines_taken_off_the_end_by_hand_are_an_edit(
    store: Store, interrupted: Callable[[bytes], None]
) -> None:
    """Every byte is an old one, but no write of ours passes through that length."""
    interrupted(OLD[:-20])
    assert "edited" in next_run(store)[0]
    assert store.config_path.read_bytes() == OLD[:-20]


def test_a_file_removed_since_stays_removed(
    store: Store, interrupted: Callable[[bytes], None]
) -> None:
    """It is not ours to bring back."""
    interrupted(OLD)
    store.config_path.unlink()
    assert "edited" in next_run(store)[0]
    assert not store.config_path.exists()


@pytest.mark.parametrize("damage", ["rot", "a list", "a byte", "cut", "lengths"])
def test_a_damaged_journal_is_put_aside(
    store: Store, interrupted: Callable[[bytes], None], damage: str
) -> None:
    """It can say nothing about the file, though it be torn; a person may find the text in it."""
    torn = NEW[:30] + OLD[30:]
    interrupted(torn)
    whole = journals(store)[0].read_bytes()
    length = b'"pages": [%d' % len(OLD)
    damaged = {
        "rot": b"{}\nrot",
        "a list": b"[]\n",
        "a byte": whole[:-1] + b"~",
        "cut": whole[:-1],
        "lengths": whole.replace(length, b'"pages": [%d' % (len(OLD) - 1)),
    }[damage]
    assert damaged != whole
    journals(store)[0].write_bytes(damaged)
    [note] = next_run(store)
    assert "damaged" in note
    assert journals(store) == []
    [aside] = store.state_dir.glob("broken-journal-*")
    assert str(aside) in note
    assert aside.read_bytes() == damaged
    assert next_run(store) == ()
    assert store.config_path.read_bytes() == torn


def test_a_torn_file_that_cannot_be_repaired_is_said(
    store: Store, interrupted: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the place of its earlier text; and the next run tries again."""
    interrupted(NEW[:50] + OLD[50:])

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StoreError, match="half-written") as caught:
            next_run(store)
    assert "backups" in caught.value.hint
    assert "put back" in next_run(store)[0]


@settings(max_examples=80, deadline=None)
@given(old=st.binary(max_size=60), new=st.binary(max_size=60), data=st.data())
def test_every_state_a_write_passes_through_is_repaired(
    tmp_path_factory: pytest.TempPathFactory, old: bytes, new: bytes, data: st.DataObject
) -> None:
    """The tail is appended first, then the beginning is overwritten, then the rest cut off."""
    tail = old + new[len(old) :]
    states = [old + new[len(old) : end] for end in range(len(old), len(new) + 1)]
    states += [new[:end] + tail[end:] for end in range(min(len(old), len(new)) + 1)]
    path = tmp_path_factory.mktemp("torn") / "config.yaml"
    path.write_bytes(old)
    writing = InPlace(path, path.parent / "journal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "unlink", lambda path: None)
        writing.write(old, new)
    path.write_bytes(data.draw(st.sampled_from(states)))
    assert len(writing.recover()) == 1
    assert path.read_bytes() in (old, new)
