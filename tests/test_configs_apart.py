"""Two configs in one folder: what rollcall remembers of one has no say over the other."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from rollcall.store.folder import config_folder
from rollcall.store.state import State
from rollcall.store.store import Store
from tests.house import OWN
from tests.platforms import not_on_windows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

SONNETS = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 1}
"""
HAIKU = """
allow:
  - {family: claude-haiku, from: [anthropic], newest: 1}
"""
NEWER = {"type": "model", "id": "claude-sonnet-6", "display_name": "Claude Sonnet 6"}


@pytest.fixture
def shared(house: House) -> House:
    """config.yaml with policy.yaml, and staging.yaml with staging-policy.yaml beside them."""
    house.write_policy(HAIKU, "anthropic")
    house.policy.rename(house.folder / "staging-policy.yaml")
    house.write_policy(SONNETS, "anthropic")
    house.applied()
    return house


def staging(house: House) -> tuple[str, ...]:
    """The options that name the other config."""
    folder = house.folder
    return ("-c", str(folder / "staging.yaml"), "-p", str(folder / "staging-policy.yaml"))


def release(house: House) -> None:
    """A newer sonnet comes out."""
    house.sim.set_rows("anthropic", [NEWER, *house.sim.rows("anthropic")])


def test_the_policy_of_one_is_not_the_last_policy_of_the_other(shared: House) -> None:
    shared.applied(*staging(shared))
    release(shared)
    ran = shared.applied()
    assert "edited" not in ran.text
    assert "no rule" not in ran.text
    assert set(shared.names()) == {"anthropic/claude-sonnet-6", "anthropic/claude-sonnet-5"}
    assert shared.entries()["anthropic/claude-sonnet-5"]["model_info"]["leaves"]


def test_what_was_accepted_for_one_is_not_accepted_for_the_other(shared: House) -> None:
    shared.applied(*staging(shared), "--accept", "claude-haiku-9")
    folder = shared.folder
    for name, accepted in (("config.yaml", []), ("staging.yaml", ["claude-haiku-9"])):
        state, _ = Store(folder / name, folder / ".rollcall").memory.read_state()
        assert state.accepted == accepted


def test_each_has_its_own_stored_lists_and_its_own_stamp(shared: House) -> None:
    rows = shared.sim.rows("anthropic")
    shared.sim.set_rows("anthropic", [row for row in rows if "haiku" in str(row)])
    shared.applied(*staging(shared))
    assert "claude-sonnet-5" in shared.run("plan", "--offline", "-v").err
    for name in ("config.yaml", "staging.yaml"):
        home = config_folder(shared.folder / name, shared.folder / ".rollcall")
        assert {path.name for path in home.iterdir()} == {
            "facts.json",
            "fresh.json",
            "replies",
            "state.json",
        }


def spellings(folder: Path) -> list[Path]:
    """Ways to write one path."""
    (folder / "sub").mkdir(exist_ok=True)
    link = folder / "link.yaml"
    ways = [
        folder / "config.yaml",
        folder / "sub" / ".." / "config.yaml",
        folder.parent / folder.name / "." / "config.yaml",
    ]
    if sys.platform != "win32":
        link.symlink_to("config.yaml")
        (folder / "way").symlink_to(folder)
        ways += [link, folder / "way" / "config.yaml"]
    return ways


def test_every_spelling_of_a_path_is_one_config(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("model_list: []\n", encoding="utf-8")
    state_dir = tmp_path / ".rollcall"
    homes = {config_folder(way, state_dir).name for way in spellings(tmp_path)}
    assert homes == {config_folder(tmp_path / "config.yaml", state_dir).name}
    other = type(tmp_path)("config.yaml"), type(tmp_path)(".rollcall")
    assert config_folder(*other).name in homes
    assert config_folder(tmp_path / "other.yaml", state_dir).name not in homes


def test_a_folder_that_moved_keeps_its_memory(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    Store(here / "config.yaml", here / ".rollcall").memory.write_state(State(accepted=["a/b"]))
    here.rename(there)
    assert Store(there / "config.yaml", there / ".rollcall").memory.read_state()[0].accepted == [
        "a/b"
    ]


def as_before(house: House, name: str = "config.yaml") -> Path:
    """Put what is kept of a config where an older rollcall kept it: one for all. Its old home."""
    state_dir = house.folder / ".rollcall"
    home = config_folder(house.folder / name, state_dir)
    for path in list(home.iterdir()):
        path.rename(state_dir / path.name)
    home.rmdir()
    return home


class TestAnOlderFolder:
    """`.rollcall/` with one state.json for all configs."""

    def test_is_taken_over_by_the_config_it_was_kept_for(self, shared: House) -> None:
        home = as_before(shared)
        release(shared)
        ran = shared.applied()
        assert "taken over for config.yaml" in ran.err
        assert set(shared.names()) == {"anthropic/claude-sonnet-6", "anthropic/claude-sonnet-5"}
        state_dir = shared.folder / ".rollcall"
        assert {path.name for path in home.iterdir()} == {
            "facts.json",
            "fresh.json",
            "replies",
            "state.json",
        }
        assert not {"fresh.json", "replies", "state.json"} & {
            path.name for path in state_dir.iterdir()
        }
        assert "taken over" not in shared.applied().err

    def test_is_only_read_by_what_only_reads(self, shared: House) -> None:
        as_before(shared)
        seen = sorted((shared.folder / ".rollcall").rglob("*"))
        ran = shared.run("plan", "--offline", "-v")
        assert ran.code == 0
        assert "claude-sonnet-5" in ran.text
        assert shared.run("status", "--json").json()["last_run"]
        assert sorted((shared.folder / ".rollcall").rglob("*")) == seen

    def test_of_another_config_is_left_to_that_one(self, shared: House) -> None:
        shared.applied(*staging(shared))
        mine = config_folder(shared.config, shared.folder / ".rollcall")
        as_before(shared, "staging.yaml")
        shutil.rmtree(mine)
        ran = shared.applied()
        assert "another config" in ran.err
        assert (
            Store(shared.config, shared.folder / ".rollcall").memory.read_state()[0].accepted == []
        )
        assert "taken over for staging.yaml" in shared.applied(*staging(shared)).err

    def test_is_taken_over_after_a_hand_edit_too(self, shared: House) -> None:
        as_before(shared)
        text = shared.config.read_text(encoding="utf-8")
        shared.config.write_text(text.replace("Claude Sonnet 5", "Mine"), encoding="utf-8")
        ran = shared.applied()
        assert "taken over for config.yaml" in ran.err
        assert "edited since the last run" in ran.err

    def test_that_is_damaged_is_a_note_and_stays(self, shared: House) -> None:
        as_before(shared)
        path = shared.folder / ".rollcall" / "state.json"
        path.write_bytes(b"{")
        assert "begun anew" in shared.applied().err
        assert path.read_bytes() == b"{"
        assert "begun anew" not in shared.applied().err


def test_the_state_names_no_path_of_this_machine(shared: House) -> None:
    """It may be kept in CI and travel between machines."""
    home = config_folder(shared.config, shared.folder / ".rollcall")
    for path in home.glob("*.json"):
        assert os.fspath(shared.folder) not in json.dumps(json.loads(path.read_bytes()))


@not_on_windows("a path is written otherwise there")
def test_what_is_kept_keeps_its_name_from_version_to_version(house: House) -> None:
    """One that looked under another name would have forgotten everything."""
    house.write_policy(SONNETS, "anthropic")
    house.applied()
    home = house.folder / ".rollcall"
    kept = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    backup = f"backups/000001-20261120....00-{sha256(OWN.encode()).hexdigest()[:12]}"
    own = "config.yaml-a585f4e11102"  # the first digits of the sha256 of ../config.yaml
    wanted = (
        ".gitignore", "config.yaml.lock", rf"{backup}\.json", rf"{backup}\.yaml",
        f"{own}/state.json", f"{own}/fresh.json", f"{own}/facts.json",
        f"{own}/replies/anthropic-c70eca6b.reply",
    )  # fmt: skip
    assert len(kept) == len(wanted), kept
    for name in wanted:
        assert [one for one in kept if re.fullmatch(name, one)], (name, kept)
    assert Store(house.config, home)._in_place.journal.name == "journal-a585f4e111020230"
