"""The memory of a config that is a file: a folder of its own in `.rollcall/`, on one machine.

`.rollcall/` may serve several configs. Each has a folder in it, named by `config_folder`, with
state.json, fresh.json and replies/. An older rollcall kept one of each for all: what lies there
still is moved to the config that wrote it last.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rollcall.errors import StoreError
from rollcall.files import MOST_TEXT_BYTES, is_there
from rollcall.store.atomic import read_bytes
from rollcall.store.disk_errors import words
from rollcall.store.folder import config_folder
from rollcall.store.freshness import STAMP
from rollcall.store.memory import STATE, Memory
from rollcall.store.shelf import REPLIES, FolderShelf
from rollcall.store.state import State, StateUnreadable, digest_of_ours

if TYPE_CHECKING:
    from pathlib import Path


class FolderMemory(Memory):
    """The memory in a folder, and what an older rollcall left beside it."""

    def __init__(self, state_dir: Path, config_path: Path) -> None:
        self._state_dir, self._config_path = state_dir, config_path
        self._folder = config_folder(config_path, state_dir)
        self._shared_path = state_dir / STATE
        super().__init__(FolderShelf(state_dir, self._folder, config_path), shared=False)

    def write_state(self, state: State) -> tuple[str, ...]:
        """As `Memory.write_state`; the first time, what is shared still is taken over."""
        heir = not self._is_unread and not is_there(self._folder / STATE) and self._is_heir()
        notes = super().write_state(state)
        if heir and not notes:
            try:
                self._move_shared()
            except OSError as error:
                return (f"The state could not be kept in {self._folder}: {words(error)}.",)
        return notes

    def read(self, name: str) -> bytes | None:
        """As `Memory.read`; until a first state is written, what is shared still counts."""
        found = super().read(name)
        inherited = found is None and name.startswith(REPLIES)
        if inherited and not is_there(self._folder / STATE) and self._is_heir():
            with suppress(StoreError):
                return read_bytes(self._state_dir / name)
        return found

    def _first_state(self) -> tuple[State, tuple[str, ...]]:
        """What an older rollcall kept for all configs of the folder, if it is this one's."""
        content = read_bytes(self._shared_path)
        if content is None:
            return State(), ()
        state = State.from_bytes(content)
        if self._wrote(state):
            return state, (f"{self._shared_path} is taken over for {self._config_path.name}.",)
        note = f"The state was begun anew: {self._shared_path} is that of another config."
        return State(), (note,)

    def _is_heir(self) -> bool:
        """Whether what an older rollcall kept for all configs of the folder is this one's."""
        try:
            content = read_bytes(self._shared_path)
            return content is not None and self._wrote(State.from_bytes(content))
        except (StateUnreadable, StoreError):
            return False

    def _wrote(self, state: State) -> bool:
        """Whether this config is the one a shared state was kept for last: our lines in it are as
        that run left them, or at least those of no other config beside it are.
        """
        last = state.written_blocks_sha256
        if last in (None, digest_of_ours(b""), self._digest(self._config_path)):
            return True
        beside = self._config_path.parent.glob("*.y*ml")
        return all(self._digest(path) != last for path in sorted(beside))

    def _digest(self, path: Path) -> str | None:
        try:
            return digest_of_ours(read_bytes(path, MOST_TEXT_BYTES) or b"")
        except StoreError:
            return None

    def _move_shared(self) -> None:
        """Take over the stored lists, where we have no newer ones, and leave nothing behind."""
        ours = self._folder / REPLIES
        ours.mkdir(mode=0o700, exist_ok=True)
        for path in sorted((self._state_dir / REPLIES).glob("*.reply")):
            kept = ours / path.name
            if kept.exists():
                path.unlink()
            else:
                path.replace(kept)
        with suppress(OSError):
            (self._state_dir / REPLIES).rmdir()
        (self._state_dir / STAMP).unlink(missing_ok=True)
        self._shared_path.unlink(missing_ok=True)
