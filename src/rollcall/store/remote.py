"""A config that is no file: read under a version, written while that version stands.

There is no lock between machines. Who writes second finds another version, and decides anew from
what is there now; so no write is lost, and nobody waits. What is remembered (state, lists, earlier
configs) lies beside the config in the same store, under versions too: CI, cron jobs and people
share one memory. A copy of the config is kept on this machine, for litellm to be started on.
"""

from __future__ import annotations

import os
import posixpath
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rollcall.errors import LostRace, NotFound, StoreError
from rollcall.files import sha256_of
from rollcall.store.atomic import replace_file
from rollcall.store.backups import Backup, Backups
from rollcall.store.config_file import Written, write_copy
from rollcall.store.disk_errors import store_error
from rollcall.store.includes import parse, walk
from rollcall.store.memory import Memory
from rollcall.store.shelf import Held
from rollcall.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rollcall.settings import Settings
    from rollcall.store.shelf import Shelf


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
    def memory(self) -> Memory:
        """What one run tells the next, on whatever machine."""
        return Memory(self.home.shelf, shared=True)

    def read_config(self) -> bytes:
        """The config's bytes as they are there now; b"" when there is none."""
        held = self._seen.config = self.home.read()
        return held.content if held else b""

    @property
    def version(self) -> str:
        """The version of the config that was read last; "" when there was none."""
        return self._seen.config.version if self._seen.config else ""

    def _included(self, data: dict[str, object]) -> Iterator[tuple[str, Path | None, bytes | None]]:
        for one in self._includes(data):
            yield one.entry, Path(one.name) if one.name else None, one.content

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
            raise LostRace(self.home.address)
        if write_to is not None:
            return write_copy(write_to, content, config_path=write_to)
        if content == expected:
            return Written(None, changed=False)
        if not self.unsafe and not self._seen.conditions:
            self.home.require_conditions()
            self._seen.conditions = True
        kept = None
        if held is not None:
            kept = self._backups.add(held.content, created=created, reason=reason)
        try:
            version = self.home.write(content, held.version if held else None)
        except BaseException as error:
            there = self._there()
            if not isinstance(error, StoreError) or there is None or there.content != content:

                def present() -> bytes | None:
                    now = there or self._there()  # the first look may have failed for a moment
                    return now.content if now else None

                self._backups.forget(kept, expected, present)
                raise
            version = there.version
        self._seen.config = Held(content, version)
        notes: tuple[str, ...] = ()
        try:
            self.place_copy(self.copy_of(content))
        except StoreError as error:
            notes = (f"{error.what} It is the copy of {self.home.address} for litellm here.",)
        self._backups.prune()
        return Written(kept.id if kept else None, notes=notes, version=version)

    def _there(self) -> Held | None:
        """What is there after a write that failed; None where that cannot be read. It may be our
        own: an answer may be lost on the way, and the client's second try then meets its first.
        """
        with suppress(StoreError):
            return self.home.read()
        return None

    def copy_of(self, content: bytes) -> dict[Path, bytes]:
        """The config, and what it includes, nested, by where LiteLLM looks for each on this
        machine; what leads out of the config's folder is left out.
        """
        folder = self.config_path.parent.absolute()
        copy = {self.config_path: content}
        for one in self._includes(parse(content)):
            path = Path(os.path.normpath(folder / one.place))
            if one.name and path.is_relative_to(folder):
                copy[path] = one.content
        return copy

    def place_copy(self, copy: Mapping[Path, bytes]) -> None:
        """Keep a copy as `copy_of` has it on this machine, for litellm to start on.

        Raises:
            StoreError: it could not be written.
        """
        try:
            self.config_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if sys.platform != "win32":
                self.config_path.parent.parent.chmod(0o700)
            for path, text in copy.items():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(path, text, synced=False)
        except OSError as error:
            raise store_error("written", self.config_path, error) from error

    @property
    def _backups(self) -> Backups:
        return Backups(self.home.shelf, "")

    def find_backup(self, backup_id: str) -> Backup:
        """One backup by its id or number; else a version, where the store keeps those."""
        try:
            return self._backups.find(backup_id)
        except NotFound:
            if (content := self.home.earlier(backup_id)) is None:
                raise
            return Backup(backup_id, "", sha256_of(content), len(content), "a version")

    def read_backup(self, backup_id: str) -> bytes:
        """Its bytes, as `find_backup` finds it."""
        try:
            return self._backups.read(backup_id)
        except NotFound:
            if (content := self.home.earlier(backup_id)) is None:
                raise
            return content


class Home(Protocol):
    """Where one config lives."""

    @property
    def address(self) -> str:
        """What a person calls it."""
        ...

    @property
    def shelf(self) -> Shelf:
        """For what is remembered beside it."""
        ...

    def read(self) -> Held | None:
        """The config; None where there is none yet. Raises StoreError."""
        ...

    def write(self, content: bytes, version: str | None) -> str:
        """As `Shelf.put`, the config itself."""
        ...

    def earlier(self, version: str) -> bytes | None:
        """The config under an earlier version, where the store keeps those. Raises StoreError."""
        ...

    def included(self, entry: str, declared_in: str) -> tuple[str, bytes] | None:
        """The name and text of a file that `include:` names, None where it cannot be read.

        Args:
            declared_in: the name of the text that names it, "" for the config itself.
        """
        ...

    def require_conditions(self) -> None:
        """Refuse a store that writes whatever the condition. Raises StoreError."""
        ...


def home_of(settings: Settings) -> Home:
    """The home at the settings' address.

    Raises:
        StoreError: its client is not installed, or cannot be set up.
    """
    address = settings.address or ""
    reach: Callable[[str, Mapping[str, str]], Home]
    try:
        if address.startswith("configmap://"):
            from rollcall.store.configmap_home import ConfigMapHome

            reach = ConfigMapHome.at
        else:
            from rollcall.store.object_home import ObjectHome

            reach = ObjectHome.at
    except ImportError as error:
        raise StoreError(
            f"This needs a package that is not installed ({error.name}).",
            "Install it with: pip install obstore kubernetes (rollcall's extra `fleet`).",
        ) from None
    return reach(address, settings.environ)
