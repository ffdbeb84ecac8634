"""What a run leaves for the next one, when something else happens at the same time."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rollcall import settings as settings_module
from rollcall.catalog.model import Answer, Verdict
from rollcall.store.freshness import is_fresh
from rollcall.store.state import ProviderState, State
from rollcall.store.store import Store
from rollcall.sync import apply
from rollcall.sync.remember import after_asking
from tests.house import START
from tests.platforms import not_on_wine

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.settings import Settings
    from tests.house import House

RULES = "allow:\n  - {family: claude-sonnet, from: [anthropic], newest: 1}\n"
KEY = "ANTHROPIC_API_KEY"


@pytest.fixture
def ready(house: House) -> House:
    """One provider, one rule."""
    house.write_policy(RULES, "anthropic", "xai")
    return house


def settings_of(house: House, **changes: str) -> Settings:
    """As a command finds them, with some variables changed ("" = unset)."""
    environ = {key: value for key, value in {**os.environ, **changes}.items() if value}
    return settings_module.resolve(cwd=house.folder, environ=environ)


class WhileAsking:
    """Does something once, while the first provider is asked."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._done = False

    def asking(self, provider: str) -> None:
        """A provider is asked."""
        if not self._done:
            self._done = True
            self._act()

    def answered(self, answer: Answer) -> None:
        """It answered."""


@not_on_wine("the error of a held lock has no number")
def test_a_refresh_keeps_what_another_run_did_meanwhile(ready: House) -> None:
    ready.applied()
    store = Store(ready.config, ready.folder / ".rollcall")
    refreshing = threading.Thread(target=apply.refresh, args=(settings_of(ready),))
    with store.locked(5):
        asked = len(ready.sim.requests)
        refreshing.start()
        while len(ready.sim.requests) < asked + 2:
            assert refreshing.is_alive()
        mine = store.memory.read_state()[0].model_copy(
            update={"accepted": ["a/b"], "policy_text": "new"}
        )
        store.memory.write_state(mine)
    refreshing.join(timeout=60)
    state, _ = store.memory.read_state()
    assert (state.accepted, state.policy_text) == (["a/b"], "new")
    assert state.runs == mine.runs
    assert state.providers["anthropic"].verdict == "ok"


def test_a_policy_edited_while_providers_think_is_not_the_one_of_the_plan(ready: House) -> None:
    read = ready.policy.read_bytes()

    def edit() -> None:
        ready.policy.write_bytes(read + b"deny: ['*']\n")

    planned = apply.make_plan(settings_of(ready), WhileAsking(edit))
    assert planned.plan.policy_sha256 == hashlib.sha256(read).hexdigest()
    (ready.folder / "plan.json").write_text(planned.plan.to_json(), encoding="utf-8")
    ran = ready.run("apply", "plan.json")
    assert ran.code == 1
    assert "changed since the plan was made" in ran.err


def test_a_run_under_an_edited_policy_is_not_fresh(ready: House) -> None:
    read = ready.policy.read_bytes()
    settings = settings_of(ready)
    apply.apply(settings, WhileAsking(lambda: ready.policy.write_bytes(read + b"# edited\n")))
    assert not is_fresh(settings)
    ready.policy.write_bytes(read)
    assert is_fresh(settings)


class TestFreshness:
    """Whether `start` need not ask again."""

    def test_only_under_the_same_keys(self, ready: House) -> None:
        ready.applied()
        assert is_fresh(settings_of(ready))
        assert is_fresh(settings_of(ready, **{KEY: "another", "UNRELATED": "x"}))
        assert not is_fresh(settings_of(ready, **{KEY: ""}))

    def test_not_once_a_key_was_added(self, ready: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("XAI_API_KEY")
        ready.applied()
        assert is_fresh(settings_of(ready))
        assert not is_fresh(settings_of(ready, XAI_API_KEY="there"))

    def test_not_after_writing_elsewhere(self, ready: House) -> None:
        ready.applied("--write-to", "other.yaml")
        assert not is_fresh(settings_of(ready))
        ready.applied()
        assert is_fresh(settings_of(ready))

    def test_not_after_a_run_with_some_providers_only(self, ready: House) -> None:
        ready.applied("--provider", "anthropic")
        assert not is_fresh(settings_of(ready))


def test_writing_elsewhere_is_no_edit_by_hand(ready: House) -> None:
    ready.applied()
    rows = [row for row in ready.sim.rows("anthropic") if "sonnet-5" not in str(row)]
    ready.sim.set_rows("anthropic", rows)
    ready.applied("--write-to", "other.yaml")
    assert "edited" not in ready.applied("--write-to", "other.yaml").text


@pytest.mark.parametrize(
    "answer",
    [
        Answer("xai", Verdict.NOT_ASKED, detail="not selected by --provider"),
        Answer("xai", Verdict.OK, fetched_at="2026-11-20T12:00:00Z", offline=True),
    ],
)
def test_only_who_was_asked_is_stamped(answer: Answer) -> None:
    known = ProviderState(verdict="timeout", last_asked="then", stale_since="then", models=4)
    state = after_asking(
        State(providers={"xai": known}), [answer], now="2026-11-21T12:00:00Z", today=START
    )
    assert state.providers == {"xai": known}


def test_a_provider_that_was_left_out_keeps_its_own_time(ready: House) -> None:
    ready.applied()
    store = Store(ready.config, ready.folder / ".rollcall")
    before = store.memory.read_state()[0].providers
    ready.later(1)
    ready.applied("--provider", "anthropic")
    after = store.memory.read_state()[0].providers
    assert after["xai"] == before["xai"]
    assert after["anthropic"].last_asked != before["anthropic"].last_asked


ACCESS_DENIED = 5
"""Windows' number for a folder that permissions or the read-only mark of a disk close."""


class Closed:
    """A folder in which nothing can be made or written, refused as a system refuses it."""

    def __init__(self, house: House, number: int, windows: int | None) -> None:
        self.folder = house.folder / ".rollcall"
        self._number, self._windows = number, windows
        opening, making = os.open, os.mkdir

        def guarded_open(path: Any, flags: int, *rest: Any, **named: Any) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._guard(path)
            return opening(path, flags, *rest, **named)

        def guarded_mkdir(path: Any, *rest: Any, **named: Any) -> None:
            self._guard(path)
            making(path, *rest, **named)

        house.monkeypatch.setattr(os, "open", guarded_open)
        house.monkeypatch.setattr(os, "mkdir", guarded_mkdir)

    def _guard(self, path: Any) -> None:
        if self.folder in (Path(path), *Path(path).parents):
            error = OSError(self._number, "no", str(path))
            if self._windows is not None:
                error.winerror = self._windows  # type: ignore[attr-defined,unused-ignore]
            raise error


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("number", "windows", "why"),
    [
        (errno.EACCES, None, "permission denied"),
        (errno.EPERM, None, "not permitted"),
        (errno.EROFS, None, "the file system is read-only"),
        (errno.EACCES, ACCESS_DENIED, "permission denied"),
    ],
)
def test_a_state_folder_that_cannot_be_written_is_a_note_that_names_it(
    ready: House, number: int, windows: int | None, why: str, there: bool
) -> None:
    if there:
        (ready.folder / ".rollcall").mkdir()
    closed = Closed(ready, number, windows)
    ran = ready.applied()
    assert ready.data()["model_list"][1]["model_name"].startswith("anthropic/")
    (note,) = (line for line in ran.err.splitlines() if "The state could not be kept" in line)
    assert note.startswith("note: ")
    assert str(closed.folder) in note
    assert len([line for line in ran.err.splitlines() if line.startswith("note: The repl")]) == 1
    assert note.endswith(f"could not be written: {why}.")
    assert f"{closed.folder / 'backups'} cannot be written ({why})" in ran.text
    assert not any(closed.folder.glob("*"))
    again = ready.applied()
    assert "Nothing to change." in again.out
    assert "The state could not be kept" in again.err
