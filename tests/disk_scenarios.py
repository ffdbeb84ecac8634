"""What the store is asked to do while it is tormented, and what must hold afterwards."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rollcall.catalog.model import Answer, Verdict
from rollcall.errors import StoreError
from rollcall.store.state import State
from rollcall.store.store import Store

FIRST = b"# first\nmodel_list: []\n"
SECOND = b"# second\nmodel_list: []\n" + b"# x\n" * 1500
OLD = b"# old\nmodel_list: []\n" + b"# old\n" * 1500
NEW = b"# new\nmodel_list: []\n" + b"# much newer\n" * 1500
SHORT = b"# short\nmodel_list: []\n" + b"# short\n" * 600
NOON = "2026-11-20T12:00:00Z"
PAGES = (b'{"data": []}' * 400,)


@dataclass(frozen=True)
class Scenario:
    """One way to write: how the folder looks before, what runs, and which texts may be there."""

    run: Callable[[Path], None]
    build: Callable[[Path], None]
    old: bytes = OLD
    new: bytes = NEW
    in_place: bool = False
    target: str = "config.yaml"


def store_in(folder: Path) -> Store:
    """The store of a scenario's folder."""
    return Store(folder / "config.yaml", folder / ".rollcall")


def build(folder: Path) -> None:
    """A config with two earlier texts, a state and a stored reply."""
    template = folder.parent / "template"
    if not template.exists():
        _write_template(template)
    shutil.copytree(template, folder)


def _write_template(folder: Path) -> None:
    folder.mkdir(parents=True)
    store = store_in(folder)
    store.config_path.write_bytes(FIRST)
    store.config_path.chmod(0o640)
    for before, after in ((FIRST, SECOND), (SECOND, OLD)):
        store.write_config(after, expected=before, created=NOON, reason="earlier")
    store.memory.write_state(State(last_run="2026-11-19T12:00:00Z"))
    store.memory.write_replies((Answer("openai", Verdict.OK, pages=(b"{}",), fetched_at=NOON),))


def build_empty(folder: Path) -> None:
    """A folder without config.yaml."""
    folder.mkdir(parents=True)


def build_mounted(folder: Path) -> None:
    """A config that is one mounted file; only inside a mount namespace of our own."""
    build(folder)
    outside = folder / "outside.yaml"
    outside.write_bytes(OLD)
    subprocess.run(["mount", "--bind", outside, folder / "config.yaml"], check=True)


def run(folder: Path, new: bytes = NEW) -> None:
    """A whole run that writes."""
    store = store_in(folder)
    with store.locked(5):
        before = store.read_config()
        store.write_config(new, expected=before, created=NOON, reason="apply")
        store.memory.write_replies((Answer("openai", Verdict.OK, pages=PAGES, fetched_at=NOON),))
        store.memory.write_state(State(last_run=NOON))


def run_write_to(folder: Path) -> None:
    """A run that writes elsewhere."""
    store = store_in(folder)
    with store.locked(5):
        before = store.read_config()
        out = folder / "out.yaml"
        store.write_config(NEW, expected=before, created=NOON, reason="apply", write_to=out)


def build_write_to(folder: Path) -> None:
    """A config, and an earlier result elsewhere."""
    build(folder)
    (folder / "out.yaml").write_bytes(OLD)


def as_if_mounted(work: Callable[[Path], None]) -> Callable[[Path], None]:
    """The same, where config.yaml cannot be replaced (what a mounted file answers)."""

    def mounted(folder: Path) -> None:
        original = os.replace

        def busy(source: Path, target: Path) -> None:
            if Path(target).name == "config.yaml":
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
            original(source, target)

        os.replace = busy  # type: ignore[assignment]  # fault injection, in a child only
        try:
            work(folder)
        finally:
            os.replace = original

    return mounted


def run_shorter(folder: Path) -> None:
    """A run whose text is shorter than the one before."""
    run(folder, SHORT)


SCENARIOS = {
    "replace": Scenario(run, build),
    "create": Scenario(run, build_empty, old=b""),
    "write-to": Scenario(run_write_to, build_write_to, target="out.yaml"),
    "in-place": Scenario(as_if_mounted(run), build, in_place=True),
    "in-place-shorter": Scenario(as_if_mounted(run_shorter), build, new=SHORT, in_place=True),
    "mounted": Scenario(run, build_mounted, in_place=True),
}


def problems_after(scenario: Scenario, folder: Path, ending: str, *, sweeps: bool) -> list[str]:
    """Everything that does not hold after a run ended in `ending`, and after the next run.

    Args:
        sweeps: whether the run must have removed its temporary files itself.
    """
    store, target = store_in(folder), folder / scenario.target
    problems = []
    found = _bytes(target)
    allowed = {"done": {scenario.new}, "refused": {scenario.old}}
    if found not in allowed.get(ending, {scenario.old, scenario.new}) and not (
        scenario.in_place and ending in ("killed", "refused")
    ):
        problems.append(f"{target.name} is {_name(scenario, found)}")
    if sweeps and ending == "refused" and found == scenario.old != b"":
        kept = [store.read_backup(backup.id) for backup in store.backups()]
        if kept != [SECOND, FIRST]:
            problems.append("a write that did not happen left a backup")
        if _bytes(store.config_path.with_name("config.yaml.bak")) != SECOND:
            problems.append("a write that did not happen changed config.yaml.bak")
    if sweeps and _temporary(folder):
        problems.append(f"left behind: {_temporary(folder)}")
    try:
        with store.locked(5) as notes:
            recovered = _bytes(target)
            if recovered not in (scenario.old, scenario.new):
                problems.append(f"{target.name} is {_name(scenario, recovered)} when recovered")
            if recovered != found and not notes:
                problems.append("was repaired without a word")
        problems += _problems_of_history(scenario, store)
        scenario.run(folder)
        if _bytes(target) != scenario.new:
            problems.append(f"{target.name} is {_name(scenario, _bytes(target))} in the next run")
        if [name for name in _temporary(folder) if "rollcall/" not in name]:
            problems.append(f"left behind by the next run: {_temporary(folder)}")
        problems += _problems_of_history(scenario, store)
    except (StoreError, OSError) as error:
        problems.append(f"the next run failed: {error!r}")
    return problems


def _problems_of_history(scenario: Scenario, store: Store) -> list[str]:
    """Whatever happened, earlier texts are there, whole, and so is what the state folder says."""
    problems = []
    texts = [store.read_backup(backup.id) for backup in store.backups()]
    known = [FIRST, SECOND, OLD, NEW, SHORT]
    if any(text not in known for text in texts):
        problems.append("a backup holds an unknown text")
    if scenario.old and not {FIRST, SECOND} <= set(texts):
        problems.append("an earlier backup is gone")
    previous = _bytes(store.config_path.with_name("config.yaml.bak"))
    if previous not in (b"", *known):
        problems.append("config.yaml.bak is torn")
    if store.memory.read_state()[1]:
        problems.append(f"the state is damaged: {store.memory.read_state()[1]}")
    replies = store.memory.read_replies("openai")
    if replies is None and scenario.old:
        problems.append("the stored reply is gone")
    if replies is not None and replies[0] not in ((b"{}",), PAGES):
        problems.append("the stored reply is torn")
    return problems


def _temporary(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*.rollcall-tmp")]


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _name(scenario: Scenario, content: bytes) -> str:
    names = {scenario.old: "old", scenario.new: "new"}
    return names.get(content, f"torn: {len(content)} bytes, {content[:20]!r}")
