"""Windows' own files: held open by other programs, with access lists and attributes."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rollcall.errors import StoreError
from rollcall.store.atomic import real_path
from rollcall.store.state import State
from rollcall.store.store import Store

if sys.platform != "win32":
    pytest.skip("Windows' own files", allow_module_level=True)

import ctypes
import msvcrt
from ctypes import wintypes

OLD, NEW = b"old: text\n", b"new: text\n"
NOON = "2026-11-20T12:00:00Z"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "config.yaml").write_bytes(OLD)
    return Store(tmp_path / "config.yaml", tmp_path / ".rollcall")


def write(store: Store) -> tuple[str, ...]:
    """A run that writes; its notes."""
    with store.locked(1):
        return store.write_config(NEW, expected=OLD, created=NOON, reason="apply").notes


def held_alone(path: Path, share: int = 0) -> Any:
    """The file opened as a scanner does: nobody else gets in meanwhile."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateFileW.restype = wintypes.HANDLE
    handle = kernel.CreateFileW(str(path), 0x80000000, share, None, 3, 0, None)
    return closing(os.fdopen(msvcrt.open_osfhandle(handle, 0), "rb"))


def test_a_config_open_in_an_editor_is_written_in_place(store: Store) -> None:
    with store.config_path.open("rb"):
        notes = write(store)
    assert "another program has it open" in notes[-1]
    assert store.read_config() == NEW
    assert [store.read_backup(backup.id) for backup in store.backups()] == [OLD]


def test_a_config_a_scanner_holds_is_named(store: Store) -> None:
    with held_alone(store.config_path), pytest.raises(StoreError) as caught:
        write(store)
    assert "config.yaml could not be read: another program has it open." in caught.value.what
    assert store.read_config() == OLD
    assert store.backups() == ()


def test_a_config_shared_for_reading_only_is_named(store: Store) -> None:
    """It can be read, not replaced, not written."""
    with held_alone(store.config_path, share=1), pytest.raises(StoreError) as caught:
        write(store)
    assert "another program has it open" in caught.value.what
    assert caught.value.hint.startswith("Close it there")
    assert store.read_config() == OLD
    assert store.backups() == ()
    assert list(store.state_dir.rglob("journal*")) == []


def test_hidden_stays_hidden(store: Store) -> None:
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.SetFileAttributesW(str(store.config_path), 0x22)
    write(store)
    for name in ("config.yaml", "config.yaml.bak"):
        path = store.config_path.with_name(name)
        assert kernel.GetFileAttributesW(str(path)) & 0x02, name


def shortened(path: str) -> str:
    """As programs of old name it (`C:\\PROGRA~1`); itself where the drive has no such names."""
    name = ctypes.create_unicode_buffer(32768)
    ctypes.WinDLL("kernel32").GetShortPathNameW(path, name, len(name))
    return name.value or path


def test_every_spelling_of_a_path_has_the_same_history_and_state(store: Store) -> None:
    write(store)
    store.memory.write_state(State(last_run=NOON))
    folder = str(store.config_path.parent)
    for spelling in (
        store.config_path.with_name("CONFIG.YAML"),
        store.config_path.with_name("Config.yaml"),
        Path(folder.upper()) / "config.yaml",
        Path(folder[0].lower() + folder[1:]) / "config.yaml",
        Path("\\\\?\\" + folder) / "config.yaml",
        Path(shortened(folder)) / "config.yaml",
        Path(shortened(str(store.config_path))),
    ):
        other = Store(spelling, spelling.parent / ".rollcall")
        assert other.backups() == store.backups() != (), spelling
        assert other.memory.read_state()[0].last_run == NOON, spelling
        assert real_path(spelling).name == "config.yaml"


def access(path: Path) -> str:
    """The file's access list as text."""
    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    descriptor, text = ctypes.c_void_p(), ctypes.c_wchar_p()
    advapi.GetNamedSecurityInfoW(
        str(path), 1, 4, None, None, None, None, ctypes.byref(descriptor)
    )  # fmt: skip
    advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
        descriptor, 1, 4, ctypes.byref(text), None
    )
    return text.value or ""


def test_the_access_list_survives_and_the_bak_has_it_too(store: Store) -> None:
    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    descriptor = ctypes.c_void_p()
    advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        "D:P(A;;FA;;;SY)(A;;FA;;;BA)", 1, ctypes.byref(descriptor), None
    )
    assert advapi.SetFileSecurityW(str(store.config_path), 4, descriptor)
    before = access(store.config_path)
    plain = store.config_path.with_name("plain")
    plain.write_bytes(b"")
    if before == access(plain):
        pytest.skip("Wine: this file system keeps no access lists")
    write(store)
    assert access(store.config_path) == before
    assert access(store.config_path.with_name("config.yaml.bak")) == before
    [backup] = (store.state_dir / "backups").glob("*.yaml")
    assert access(backup) == before
