"""A config that is no file: read under a version, written while that version stands.

There is no lock between machines. Who writes second finds another version, and decides anew from
what is there now; so no write is lost, and nobody waits. What is remembered (state, lists, earlier
configs) lies beside the config in the same store, under versions too: CI, cron jobs and people
share one memory. A copy of the config is kept on this machine, for litellm to be started on.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rollcall.errors import LostRace, NotFound, StoreError
from rollcall.files import sha256_of
from rollcall.store.atomic import replace_file
from rollcall.store.backups import KEPT, Backup
from rollcall.store.config_file import Written, write_copy
from rollcall.store.disk_errors import store_error
from rollcall.store.homes import Home, home_of
from rollcall.store.includes import walk
from rollcall.store.memory import Held, Memory
from rollcall.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.settings import Settings


_BACKUP = re.compile(r"backups/((\d{6})-\d{0,14}-[0-9a-f]{12})\.yaml")


def open_remote(settings: Settings) -> RemoteStore:
    """The store of a config at an address, its config read.

    Raises:
        StoreError: it cannot be reached, or read.
    """
    return RemoteStore(
        settings.config_path,
        settings.state_dir,
        home=home_of(settings),
        unsafe=settings.unsafe_store,
    )


class _Included(NamedTuple):
    """What one path of an `include:` leads to.

    Attributes:
        entry: the path as it is written. name: what the home calls what is there; "" = nothing is.
        place: where LiteLLM looks for it, from the config's folder.
    """

    entry: str
    name: str
    place: str
    content: bytes


@dataclass
class _Seen:
    """What a run knows of a store: the config as it last was there, and that conditions count."""

    config: Held | None = None
    conditions: bool = False


@dataclass(frozen=True)
class RemoteStore(Store):
    """As `Store`, for a config in a home of its own.

    Attributes:
        home: where it lives. unsafe: write to a store that ignores conditions, too.
    """

    home: Home = field(kw_only=True)
    unsafe: bool = field(default=False, kw_only=True)
    _seen: _Seen = field(default_factory=_Seen, init=False, repr=False)

    def __post_init__(self) -> None:
        """Nothing lies in a folder that a stranger could have made."""

    @contextmanager
    def locked(self, deadline_seconds: float) -> Iterator[tuple[str, ...]]:  # noqa: ARG002 - as Store has it
        """No lock: a version lost is found out when writing."""
        yield ()

    @cached_property
    def _memory(self) -> Memory:
        return Memory(self.home.shelf, shared=True)

    def recover(self) -> tuple[str, ...]:
        """A store writes whole objects: nothing is ever half-written."""
        return ()

    def read_config(self) -> bytes:
        """The config's bytes as they are there now; b"" when there is none."""
        held = self._seen.config = self.home.read()
        return held.content if held else b""

    @property
    def version(self) -> str:
        """The version of the config that was read last; "" when there was none."""
        return self._seen.config.version if self._seen.config else ""

    def read_includes(self, data: dict[str, object]) -> tuple[tuple[Path, bytes], ...]:
        """The included files, nested, as bytes; unreadable ones left out."""
        return tuple((Path(one.name), one.content) for one in self._includes(data) if one.name)

    def missing_includes(self, data: dict[str, object]) -> tuple[str, ...]:
        """The paths `include:` names, nested, at which there is nothing."""
        return tuple(one.entry for one in self._includes(data) if not one.name)

    def _includes(self, data: object) -> Iterator[_Included]:
        places = {"": ""}

        def find(entry: str, declared_in: str) -> tuple[str, bytes] | None:
            found = self.home.included(entry, declared_in)
            if found:
                beside = posixpath.dirname(places[declared_in])
                places.setdefault(found[0], posixpath.join(beside, entry))
            return found

        for entry, name, content in walk(data, "", find):
            yield _Included(entry, name or "", places[name or ""], content or b"")

    def write_config(
        self,
        content: bytes,
        *,
        expected: bytes,
        created: str,
        reason: str,
        write_to: Path | None = None,
    ) -> Written:
        """Replace the config, while the version that was read stands; arguments as in `Store`.

        Raises:
            LostRace: somebody wrote meanwhile. StoreError: it could not be written. In both
                cases nothing of ours is there, and no new backup is left.
        """
        held = self._seen.config
        if (held.content if held else b"") != expected:
            self.read_config()
            raise LostRace(f"{self.home.address} changed meanwhile.", "Run again.")
        if write_to is not None:
            return write_copy(write_to, content, config_path=write_to)
        if content == expected:
            return Written(None, changed=False)
        if not self.unsafe and not self._seen.conditions:
            self.home.require_conditions()
            self._seen.conditions = True
        backup, is_new = self._keep(held, created, reason) if held else (None, False)
        try:
            version = self.home.write(content, held.version if held else None)
        except BaseException as error:
            version = self._arrived(content) if isinstance(error, StoreError) else ""
            if not version:
                if backup is not None and is_new:
                    self._forget(backup, expected)
                raise
        self._seen.config = Held(content, version)
        notes: tuple[str, ...] = ()
        try:
            self.place_copy(content)
        except StoreError as error:
            notes = (f"{error.what} It is the copy of {self.home.address} for litellm here.",)
        self._prune()
        return Written(backup, notes=notes, version=version)

    def _forget(self, backup: str, expected: bytes) -> None:
        """A write that did not happen leaves no new backup, unless another one happened instead:
        then it is an earlier config all the same, and the winner may count on it.
        """
        with suppress(StoreError):
            held = self.home.read()
            if held is not None and held.content == expected:
                self._discard(backup)

    def _arrived(self, content: bytes) -> str:
        """The version, if it is our own write that is there: an answer may be lost on the way, and
        the client's second try then meets its first.
        """
        with suppress(StoreError):
            held = self.home.read()
            return held.version if held and held.content == content else ""
        return ""

    def place_copy(self, content: bytes) -> Path:
        """Keep the config, and the files it includes, on this machine for litellm to start on.

        Raises:
            StoreError: it could not be written.
        """
        try:
            self.config_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if sys.platform != "win32":
                self.config_path.parent.parent.chmod(0o700)
            replace_file(self.config_path, content, synced=False)
            for path, text in self._includes_of(content):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(path, text, synced=False)
        except OSError as error:
            raise store_error("written", self.config_path, error) from error
        return self.config_path

    def _includes_of(self, content: bytes) -> Iterator[tuple[Path, bytes]]:
        """What it includes, nested, and where LiteLLM looks for that beside the copy; what leads
        out of its folder is left out.
        """
        if b"include" not in content:
            return
        from rollcall import yaml_reading

        folder = self.config_path.parent.absolute()
        with suppress(*yaml_reading.UNREADABLE):
            data = yaml_reading.load(content.decode("utf-8-sig"))
            for one in self._includes(data):
                path = Path(os.path.normpath(folder / one.place))
                if one.name and path.is_relative_to(folder):
                    yield path, one.content

    def backups(self) -> tuple[Backup, ...]:
        """Earlier configs, newest first."""
        return tuple(backup for name in self._backup_names() if (backup := self._described(name)))

    def find_backup(self, backup_id: str) -> Backup:
        """One backup by its id or number; else a version, where the store keeps those."""
        names = self._backup_names()
        for name in names:
            number = name.split("-")[0]
            if backup_id in (name, number) or backup_id.lstrip("0") == number.lstrip("0"):
                return self._described(name) or Backup(name, "", "", 0, "")
        if (content := self.home.earlier(backup_id)) is not None:
            return Backup(backup_id, "", sha256_of(content), len(content), "a version")
        hint = f"The newest is {names[0]}." if names else "None is kept yet."
        raise NotFound(
            f"There is no backup {backup_id!r} of {self.home.address}.",
            f"{hint} `rollcall rollback --list` shows all.",
        )

    def read_backup(self, backup_id: str) -> bytes:
        """The bytes of one backup, checked against the digits in its name."""
        held = self.home.shelf.get(f"backups/{backup_id}.yaml")
        if held is None:
            content = self.home.earlier(backup_id)
            if content is None:
                raise NotFound(f"There is no backup {backup_id!r}.", "See `rollcall rollback -l`.")
            return content
        if not sha256_of(held.content).startswith(backup_id[-12:]):
            raise StoreError(
                f"The backup {backup_id} is damaged: its bytes do not match its name.",
                "Choose another one: `rollcall rollback --list`.",
            )
        return held.content

    def _backup_names(self) -> list[str]:
        """Newest first."""
        found = (_BACKUP.fullmatch(name) for name in self.home.shelf.names())
        return sorted((row[1] for row in found if row), reverse=True)

    def _described(self, name: str) -> Backup | None:
        held = self.home.shelf.get(f"backups/{name}.json")
        with suppress(ValueError, KeyError, TypeError):
            fields = json.loads(held.content if held else b"")
            digest, size = str(fields["sha256"]), int(fields["size"])
            return Backup(name, str(fields["created"]), digest, size, str(fields["reason"]))
        return None

    def _keep(self, held: Held, created: str, reason: str) -> tuple[str, bool]:
        """Put the earlier config into the history: its id, and whether it is new there."""
        names, digest = self._backup_names(), sha256_of(held.content)
        if names and names[0].endswith(digest[:12]):
            return names[0], False
        number = 1 + (int(names[0].split("-")[0]) if names else 0)
        stamp = re.sub(r"\D", "", created)[:14]
        backup = f"{number:06}-{stamp}-{digest[:12]}"
        fields = {
            "schema": 1,
            "created": created,
            "reason": reason,
            "sha256": digest,
            "size": len(held.content),
            "version": held.version,
        }
        parts = {"json": json.dumps(fields, indent=1).encode() + b"\n", "yaml": held.content}
        try:
            new = [self._put(f"backups/{backup}.{end}", text) for end, text in parts.items()]
        except BaseException:
            with suppress(StoreError):
                self._discard(backup)
            raise
        return backup, all(new)

    def _put(self, name: str, content: bytes) -> bool:
        """Keep one part of a backup; False where it lies there already, as where another writer
        keeps the very same text, or a run that broke off began to.
        """
        try:
            self.home.shelf.put(name, content, None)
        except LostRace:
            if self.home.shelf.get(name) is None:
                raise
            return False
        return True

    def _discard(self, backup: str) -> None:
        for suffix in (".yaml", ".json"):
            self.home.shelf.remove(f"backups/{backup}{suffix}")

    def _prune(self) -> None:
        with suppress(StoreError):
            for name in self._backup_names()[KEPT:]:
                self._discard(name)
