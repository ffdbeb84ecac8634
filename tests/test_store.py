"""config.yaml on real disks: whole files, modes, links, backups, refusals."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.errors import NotFound, StoreError
from rollcall.store.config_file import Written
from rollcall.store.store import Store
from tests.platforms import as_root_only, not_on_windows

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = "2026-11-20T12:00:00Z"
posix_only = not_on_windows("no POSIX modes and links")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A config.yaml of one line."""
    (tmp_path / "config.yaml").write_bytes(b"old\r\n")
    return Store(tmp_path / "config.yaml", tmp_path / ".rollcall")


def write(store: Store, content: bytes, reason: str = "apply", created: str = NOON) -> Written:
    """Replace whatever is there now."""
    with store.locked(5):
        return store.write_config(
            content, expected=store.read_config(), created=created, reason=reason
        )


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def test_a_write_replaces_the_file_and_keeps_the_earlier_text_twice(store: Store) -> None:
    """config.yaml.bak and the history both hold the bytes as they were."""
    written = write(store, b"new\n")
    assert written == Written(store.backups()[0].id, version=sha256(b"new\n").hexdigest()[:12])
    assert store.read_config() == b"new\n"
    assert (store.config_path.parent / "config.yaml.bak").read_bytes() == b"old\r\n"
    assert store.read_backup(written.backup_id or "") == b"old\r\n"
    assert names(store.config_path.parent) == {"config.yaml", "config.yaml.bak", ".rollcall"}


def open_files() -> int:
    """How many files this process has open, below the first thousand descriptors."""
    return sum(os.path.exists(number) for number in range(1000))  # noqa: PTH110 - no path


def test_a_write_leaves_no_file_open(store: Store) -> None:
    """A proxy's parent, and `serve`, write for months."""
    write(store, b"first\n")
    before = open_files()
    write(store, b"second\n")
    store.write_config(
        b"third\n", expected=b"second\n", created=NOON, reason="apply",
        write_to=store.config_path.with_name("elsewhere.yaml"),
    )  # fmt: skip
    assert open_files() == before


def test_the_same_text_again_touches_nothing(store: Store) -> None:
    """Same bytes, same mtime, no backup, no state folder."""
    before = store.config_path.stat()
    assert store.write_config(
        b"old\r\n", expected=b"old\r\n", created=NOON, reason="apply"
    ) == Written(None, changed=False)
    assert store.config_path.stat().st_mtime_ns == before.st_mtime_ns
    assert names(store.config_path.parent) == {"config.yaml"}


def test_a_file_that_changed_meanwhile_is_left_alone(store: Store) -> None:
    """Somebody saved it in an editor while providers were asked."""
    with pytest.raises(StoreError, match="changed while rollcall was deciding"):
        store.write_config(b"new\n", expected=b"older\n", created=NOON, reason="apply")
    assert store.read_config() == b"old\r\n"
    assert store.backups() == ()


def test_a_missing_config_is_created_readable_for_the_proxy(tmp_path: Path) -> None:
    """It names keys and holds none; LiteLLM often runs under another user."""
    store = Store(tmp_path / "config.yaml", tmp_path / ".rollcall")
    assert store.read_config() == b""
    assert write(store, b"new\n") == Written(None, version=sha256(b"new\n").hexdigest()[:12])
    assert store.config_path.read_bytes() == b"new\n"
    assert not (tmp_path / "config.yaml.bak").exists()
    if sys.platform != "win32":
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(store.config_path.stat().st_mode) == 0o644 & ~umask


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    """A typing error in --config creates no folders."""
    store = Store(tmp_path / "typo" / "config.yaml", tmp_path / "typo" / ".rollcall")
    with pytest.raises(StoreError, match=r"typo.* does not exist"), store.locked(0):
        pass
    assert names(tmp_path) == set()


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_is_kept_and_goes_to_the_bak(store: Store, mode: int) -> None:
    """The earlier text is never easier to read than the file was."""
    store.config_path.chmod(mode)
    write(store, b"new\n")
    for path in (store.config_path, store.config_path.with_name("config.yaml.bak")):
        assert stat.S_IMODE(path.stat().st_mode) == mode


@posix_only
def test_the_state_folder_is_private(store: Store) -> None:
    """Folders 0700, files 0600, and git does not see them."""
    write(store, b"new\n")
    assert stat.S_IMODE(store.state_dir.stat().st_mode) == 0o700
    assert (store.state_dir / ".gitignore").read_text(encoding="utf-8") == "*\n"
    for path in store.state_dir.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@posix_only
@as_root_only("only root gives files away")
def test_the_owner_is_kept(store: Store) -> None:
    """root writes; the file still belongs to the proxy's user."""
    if sys.platform == "win32":
        raise NotImplementedError
    os.chown(store.config_path, 12345, 54321)
    write(store, b"new\n")
    for path in (store.config_path, store.config_path.with_name("config.yaml.bak")):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


@pytest.mark.skipif(sys.platform != "linux", reason="Windows, macOS: no attributes as on Linux")
def test_extended_attributes_are_kept(store: Store) -> None:
    """Access lists and labels live there."""
    if sys.platform != "linux":
        raise NotImplementedError
    try:
        os.setxattr(store.config_path, "user.kept", b"yes")
    except OSError:
        pytest.skip("this file system has no user attributes")
    write(store, b"new\n")
    assert os.getxattr(store.config_path, "user.kept") == b"yes"


@posix_only
def test_a_symlink_is_followed(tmp_path: Path) -> None:
    """The link stays a link; the file it points to is replaced, its .bak lies beside that."""
    real = tmp_path / "real" / "litellm.yaml"
    real.parent.mkdir()
    real.write_bytes(b"old\n")
    link = tmp_path / "config.yaml"
    link.symlink_to(Path("real") / "litellm.yaml")
    write(Store(link, tmp_path / ".rollcall"), b"new\n")
    assert link.is_symlink()
    assert real.read_bytes() == b"new\n"
    assert (real.parent / "litellm.yaml.bak").read_bytes() == b"old\n"


@posix_only
@pytest.mark.parametrize("target", ["nowhere.yaml", "config.yaml"])
def test_a_link_that_leads_nowhere_is_said(tmp_path: Path, target: str) -> None:
    """Dangling or pointing at itself: nothing is created, the link stays."""
    link = tmp_path / "config.yaml"
    link.symlink_to(target)
    store = Store(link, tmp_path / ".rollcall")
    with pytest.raises(StoreError, match=r"symlink to nowhere.yaml|go in a circle"):
        store.read_config()
    with pytest.raises(StoreError):
        store.write_config(b"new\n", expected=b"", created=NOON, reason="apply")
    assert link.is_symlink()
    assert names(tmp_path) == {"config.yaml"}


@posix_only
def test_a_bak_that_is_a_link_is_replaced_not_followed(store: Store) -> None:
    """A neighbour cannot make us write through it."""
    victim = store.config_path.parent / "victim"
    victim.write_bytes(b"precious")
    bak = store.config_path.with_name("config.yaml.bak")
    bak.symlink_to(victim)
    write(store, b"new\n")
    assert victim.read_bytes() == b"precious"
    assert not bak.is_symlink()


@posix_only
def test_a_read_only_file_stays(store: Store) -> None:
    """Its owner said so, though the folder would let us replace it."""
    store.config_path.chmod(0o444)
    with pytest.raises(StoreError, match="is read-only") as caught:
        write(store, b"new\n")
    assert "--write-to" in caught.value.hint
    assert store.read_config() == b"old\r\n"


@posix_only
def test_a_folder_or_a_pipe_is_no_config(tmp_path: Path) -> None:
    """And opening the pipe must not wait for a writer."""
    if sys.platform == "win32":
        raise NotImplementedError
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(StoreError):
            Store(tmp_path / name, tmp_path / ".rollcall").read_config()


def test_a_null_character_in_the_path_is_a_plain_error(tmp_path: Path) -> None:
    """Not a crash."""
    with pytest.raises(StoreError):
        Store(tmp_path / "a\0b", tmp_path / ".rollcall").read_config()


def in_use(path: Path) -> OSError:
    """What Windows says of a file that another program has open."""
    error = PermissionError(13, "in use", str(path))
    error.winerror = 32  # type: ignore[attr-defined,unused-ignore]  # only Windows has it
    return error


def test_a_reader_that_holds_the_file_is_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace an open file; twice is not the end."""
    replace = os.replace
    refused: list[Path] = []

    def busy(source: Path, target: Path) -> None:
        if Path(target) == store.config_path and len(refused) < 2:
            refused.append(target)
            raise in_use(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    assert not write(store, b"new\n").in_place
    assert len(refused) == 2
    assert store.read_config() == b"new\n"


@posix_only
def test_the_order_on_disk_is_safe_for_a_power_cut(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New text, backup and .bak are synced before the rename, the folder after both."""
    replace, fsync, events = os.replace, os.fsync, []

    def noting_replace(source: Path, target: Path) -> None:
        events.append(Path(target).name)
        replace(source, target)

    def noting_fsync(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        events.append(f"sync {kind}")
        fsync(descriptor)

    with store.locked(1):
        monkeypatch.setattr(os, "replace", noting_replace)
        monkeypatch.setattr(os, "fsync", noting_fsync)
        store.write_config(b"new\n", expected=b"old\r\n", created=NOON, reason="apply")
    rename = events.index("config.yaml")
    assert events[:rename].count("sync file") == 3
    assert events[rename + 1 :] == ["config.yaml.bak", "sync folder"]


def test_an_edit_while_the_backup_is_kept_is_not_overwritten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look is after everything that takes time; nothing is left of the attempt."""
    replace = os.replace

    def edited_meanwhile(source: Path, target: Path) -> None:
        replace(source, target)
        if Path(target).parent.name == "backups":
            store.config_path.write_bytes(b"by hand\n")

    monkeypatch.setattr(os, "replace", edited_meanwhile)
    with pytest.raises(StoreError, match="changed while rollcall was deciding"):
        write(store, b"new\n")
    assert store.config_path.read_bytes() == b"by hand\n"
    assert names(store.config_path.parent) == {"config.yaml", ".rollcall"}


def test_a_write_that_fails_leaves_no_backup_and_the_earlier_bak(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `rollback` would "restore" the very text that is there."""
    write(store, b"second\n")
    before = store.backups()
    replace = os.replace

    def fails(source: Path, target: Path) -> None:
        if Path(target) == store.config_path:
            raise OSError(errno.EIO, "failed")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(StoreError):
        write(store, b"third\n")
    assert store.read_config() == b"second\n"
    assert store.backups() == before
    assert store.config_path.with_name("config.yaml.bak").read_bytes() == b"old\r\n"


class TestWriteTo:
    """`--write-to`: config.yaml is only read."""

    def test_the_result_goes_elsewhere(self, store: Store, tmp_path: Path) -> None:
        """No backup, for nothing was lost; a second time touches nothing."""
        out = tmp_path / "out.yaml"
        for changed in (True, False):
            written = store.write_config(
                b"new\n", expected=b"old\r\n", created=NOON, reason="apply", write_to=out
            )
            assert written == Written(None, changed=changed)
        assert out.read_bytes() == b"new\n"
        assert store.read_config() == b"old\r\n"
        assert names(tmp_path) == {"config.yaml", "out.yaml"}

    def test_an_unchanged_text_is_still_written_there(self, store: Store, tmp_path: Path) -> None:
        """The proxy reads that path, whether or not there was news."""
        out = tmp_path / "out.yaml"
        store.write_config(
            b"old\r\n", expected=b"old\r\n", created=NOON, reason="apply", write_to=out
        )
        assert out.read_bytes() == b"old\r\n"

    @posix_only
    def test_it_is_as_private_as_the_original(self, store: Store, tmp_path: Path) -> None:
        """The same lines, perhaps with a literal key; but ours to write again."""
        store.config_path.chmod(0o440)
        out = tmp_path / "out.yaml"
        store.write_config(
            b"new\n", expected=b"old\r\n", created=NOON, reason="apply", write_to=out
        )
        assert stat.S_IMODE(out.stat().st_mode) == 0o640

    def test_naming_config_yaml_itself_is_an_ordinary_write(self, store: Store) -> None:
        """With its backup."""
        written = store.write_config(
            b"new\n",
            expected=b"old\r\n",
            created=NOON,
            reason="apply",
            write_to=store.config_path.parent / "." / "config.yaml",
        )
        assert store.read_backup(written.backup_id or "") == b"old\r\n"

    @pytest.mark.parametrize("name", ["missing/out.yaml", ".", os.devnull])
    def test_a_place_that_cannot_be_written_is_said(
        self, store: Store, tmp_path: Path, name: str
    ) -> None:
        """A missing folder, a folder, a device."""
        with pytest.raises(StoreError):
            store.write_config(
                b"new\n",
                expected=b"old\r\n",
                created=NOON,
                reason="apply",
                write_to=tmp_path / name,
            )
        assert store.read_config() == b"old\r\n"


class TestBackups:
    """The history behind `rollback`."""

    def test_twenty_are_kept_newest_first(self, store: Store) -> None:
        """With their reasons; the oldest go, description and all."""
        for number in range(25):
            write(store, b"text %d\n" % number, reason=f"run {number}")
        backups = store.backups()
        assert [backup.reason for backup in backups] == [f"run {n}" for n in range(24, 4, -1)]
        assert store.read_backup(backups[0].id) == b"text 23\n"
        assert store.read_backup(backups[-1].id) == b"text 4\n"
        assert len(names(store.state_dir / "backups")) == 40

    def test_ids_are_unique_and_ordered_whatever_the_clock_does(self, store: Store) -> None:
        """Standing still (SOURCE_DATE_EPOCH), jumping ahead, jumping back, broken."""
        clocks = [NOON, NOON, "2099-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00", "yesterday"]
        written = [
            write(store, b"text %d\n" % number, created=created).backup_id
            for number, created in enumerate(clocks)
        ]
        listed = [backup.id for backup in store.backups()]
        assert listed == written[::-1] == sorted(listed, reverse=True)
        assert [backup.created for backup in store.backups()] == clocks[::-1]

    @pytest.mark.parametrize("number", ["1", "01", "000001"])
    def test_a_number_alone_names_a_backup(self, store: Store, number: str) -> None:
        """`rollback 1` is enough."""
        write(store, b"new\n")
        assert store.read_backup("1") == b"old\r\n"

    @pytest.mark.parametrize(
        "wrong", ["2", "", "0", "../../config.yaml", "000002", "x" * 5000, "9" * 5000]
    )
    def test_one_that_is_not_there_is_not_found(self, store: Store, wrong: str) -> None:
        """The hint names the newest; a path is no id."""
        write(store, b"new\n")
        with pytest.raises(NotFound) as caught:
            store.read_backup(wrong)
        assert store.backups()[0].id in caught.value.hint

    def test_none_at_all(self, store: Store) -> None:
        """Before the first write."""
        assert store.backups() == ()
        with pytest.raises(NotFound):
            store.read_backup("1")

    def test_a_run_that_dies_over_and_over_pushes_nothing_out(self, store: Store) -> None:
        """The newest backup is used again when it already holds the text."""
        first = write(store, b"new\n").backup_id
        store.config_path.write_bytes(b"old\r\n")
        assert write(store, b"newer\n").backup_id == first
        assert len(store.backups()) == 1

    def test_a_damaged_newest_backup_is_not_relied_on(self, store: Store) -> None:
        """The text is kept anew."""
        first = write(store, b"new\n").backup_id
        (store.state_dir / "backups" / f"{first}.yaml").write_bytes(b"rot")
        store.config_path.write_bytes(b"old\r\n")
        second = write(store, b"newer\n").backup_id
        assert second != first
        assert store.read_backup(second or "") == b"old\r\n"

    def test_damaged_bytes_are_never_given_out(self, store: Store) -> None:
        """A backup that rotted says so."""
        backup_id = write(store, b"new\n").backup_id or ""
        (store.state_dir / "backups" / f"{backup_id}.yaml").write_bytes(b"olD\r\n")
        with pytest.raises(StoreError, match="damaged"):
            store.read_backup(backup_id)

    @pytest.mark.parametrize(
        "description", [None, b"", b"{", b"[]", b'{"sha256": 5}', b"\xff", b"[" * 90_000]
    )
    def test_a_lost_description_loses_no_text(
        self, store: Store, description: bytes | None
    ) -> None:
        """Time and checksum are in the name, too."""
        backup_id = write(store, b"new\n").backup_id or ""
        described = store.state_dir / "backups" / f"{backup_id}.json"
        if description is None:
            described.unlink()
        else:
            described.write_bytes(description)
        [backup] = store.backups()
        assert (backup.created, backup.size) == (NOON, 5)
        assert store.read_backup(backup_id) == b"old\r\n"

    def test_a_description_without_bytes_is_no_backup(self, store: Store) -> None:
        """What a kill between the two leaves."""
        backup_id = write(store, b"new\n").backup_id or ""
        (store.state_dir / "backups" / f"{backup_id}.yaml").unlink()
        assert store.backups() == ()

    def test_a_folder_of_a_backup_s_name_is_no_backup(self, store: Store) -> None:
        """Nor one of a description's name a description: the others are listed, and relied on."""
        first = write(store, b"new\n").backup_id
        folder = store.state_dir / "backups"
        (folder / f"000009-20260101000000-{'0' * 12}.yaml").mkdir()
        (folder / f"{first}.json").unlink()
        (folder / f"{first}.json").mkdir()
        assert [backup.id for backup in store.backups()] == [first]
        with pytest.raises(NotFound):
            store.find_backup("9")
        store.config_path.write_bytes(b"old\r\n")
        assert write(store, b"newer\n").backup_id == first

    def test_configs_that_share_a_state_folder_keep_their_own(self, tmp_path: Path) -> None:
        """A rollback never brings another config's text."""
        one, two = (Store(tmp_path / name, tmp_path / ".rollcall") for name in ("a.yaml", "b.yaml"))
        for store in (one, two):
            store.config_path.write_bytes(store.config_path.name.encode())
            write(store, b"new\n")
        assert [one.read_backup(backup.id) for backup in one.backups()] == [b"a.yaml"]
        assert [two.read_backup(backup.id) for backup in two.backups()] == [b"b.yaml"]

    def test_letter_case_makes_no_other_config_where_the_system_ignores_it(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two names of one file, one of which the folder does not list: so it looks there."""
        write(store, b"new\n")
        other = store.config_path.with_name("CONFIG.YAML")
        if not other.exists():
            os.link(store.config_path, other)
        listdir = os.listdir

        def listing(folder: str) -> list[str]:
            return [name for name in listdir(folder) if name != other.name]

        monkeypatch.setattr(os, "listdir", listing)
        shouted = Store(other, store.state_dir)
        assert shouted.backups() == store.backups() != ()
        write(shouted, b"newer\n")
        assert store.read_config() == b"newer\n"
        assert len(store.backups()) == 2

    def test_moving_the_whole_folder_keeps_the_history(self, store: Store, tmp_path: Path) -> None:
        """Backups know their config relative to the state folder."""
        home = tmp_path / "home"
        home.mkdir()
        (tmp_path / "config.yaml").rename(home / "config.yaml")
        write(Store(home / "config.yaml", home / ".rollcall"), b"new\n")
        moved = home.rename(tmp_path / "moved")
        assert len(Store(moved / "config.yaml", moved / ".rollcall").backups()) == 1

    @settings(max_examples=25, deadline=None)
    @given(texts=st.lists(st.binary(max_size=200), min_size=2, max_size=6))
    def test_backup_then_restore_is_identity(
        self, tmp_path_factory: pytest.TempPathFactory, texts: list[bytes]
    ) -> None:
        """Any bytes, in any order."""
        folder = tmp_path_factory.mktemp("identity")
        store = Store(folder / "config.yaml", folder / ".rollcall")
        store.config_path.write_bytes(texts[0])
        for before, after in itertools.pairwise(texts):
            written = write(store, after)
            assert store.read_config() == after
            if after != before:
                assert store.read_backup(written.backup_id or "") == before


class TestStateFolderInTheWay:
    """Whatever the state folder is, config.yaml is never changed without a backup."""

    def test_a_file_of_its_name(self, store: Store) -> None:
        """config.yaml.bak has to do, and the note says so."""
        store.state_dir.write_bytes(b"not a folder")
        with store.locked(1):
            written = store.write_config(
                b"new\n", expected=b"old\r\n", created=NOON, reason="apply"
            )
        assert written.backup_id is None
        assert "only in config.yaml.bak" in written.notes[0]
        assert store.config_path.with_name("config.yaml.bak").read_bytes() == b"old\r\n"
        assert store.read_config() == b"new\n"

    def test_a_file_of_its_name_on_windows(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which says that nothing is there: two lines where backups are asked for, and a write
        goes on with config.yaml.bak.
        """
        iterdir = Path.iterdir

        def nothing_there(folder: Path) -> Iterator[Path]:
            if folder.parent.is_file():
                raise FileNotFoundError(errno.ENOENT, "nothing there", str(folder))
            return iterdir(folder)

        store.state_dir.write_bytes(b"not a folder")
        monkeypatch.setattr(Path, "iterdir", nothing_there)
        monkeypatch.setattr("rollcall.files.sys", SimpleNamespace(platform="win32"))
        for asked in (store.backups, lambda: store.find_backup("1")):
            with pytest.raises(StoreError, match="could not be read: a part of its path"):
                asked()
        written = store.write_config(b"new\n", expected=b"old\r\n", created=NOON, reason="apply")
        assert "only in config.yaml.bak" in written.notes[0]

    def test_a_folder_in_the_place_of_the_bak(self, store: Store) -> None:
        """The history has to do, and the note says so."""
        store.config_path.with_name("config.yaml.bak").mkdir()
        written = write(store, b"new\n")
        assert "config.yaml.bak could not be written" in written.notes[0]
        assert store.read_backup(written.backup_id or "") == b"old\r\n"

    def test_both_in_the_way_is_a_refusal(self, store: Store) -> None:
        """Without any backup nothing is written."""
        store.state_dir.write_bytes(b"not a folder")
        store.config_path.with_name("config.yaml.bak").mkdir()
        with pytest.raises(StoreError):
            write(store, b"new\n")
        assert store.read_config() == b"old\r\n"

    def test_a_project_folder_given_as_state_folder_stays_visible_to_git(
        self, store: Store, tmp_path: Path
    ) -> None:
        """`--state-dir .` writes no .gitignore that hides everything."""
        shared = Store(store.config_path, tmp_path)
        write(shared, b"new\n")
        assert not (tmp_path / ".gitignore").exists()
        assert shared.read_backup("1") == b"old\r\n"
