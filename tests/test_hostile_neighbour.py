"""Another user of the machine, who may write beside config.yaml (a folder like /tmp)."""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.house import House
from tests.platforms import as_root_only

NEIGHBOUR = 54321

pytestmark = as_root_only("only root can make files of another user's")


@pytest.fixture
def shared(house: House) -> House:
    house.write_policy('allow: [{match: "grok*", from: [xai]}]\n', "xai")
    house.folder.chmod(0o1777)
    return house


def planted(path: Path) -> Path:
    if sys.platform == "win32":
        raise NotImplementedError
    os.lchown(path, NEIGHBOUR, NEIGHBOUR)
    return path


def test_a_planted_link_has_nothing_overwritten(
    shared: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mine = tmp_path_factory.mktemp("mine")
    (mine / "state.json").write_text("precious", encoding="utf-8")
    (shared.folder / ".rollcall").symlink_to(mine)
    planted(shared.folder / ".rollcall")
    before = shared.config.read_bytes()
    ran = shared.run("apply")
    assert (ran.code, len(ran.err.splitlines())) == (1, 2), ran.text
    assert "belongs to another user" in ran.err
    assert [path.name for path in mine.iterdir()] == ["state.json"]
    assert (mine / "state.json").read_text(encoding="utf-8") == "precious"
    assert shared.config.read_bytes() == before


def test_a_planted_backup_is_not_restored(shared: House) -> None:
    backups = shared.folder / ".rollcall" / "backups"
    backups.mkdir(parents=True)
    evil = b"model_list: []\ngeneral_settings: {master_key: theirs}\n"
    digest = sha256(evil).hexdigest()
    backup = backups / f"000001-20261120101010-{digest[:12]}.yaml"
    backup.write_bytes(evil)
    fields = {"schema": 1, "config": "../config.yaml", "created": "", "reason": "", "size": 1}
    description = json.dumps({**fields, "sha256": digest})
    backup.with_suffix(".json").write_text(description, encoding="utf-8")
    for path in (shared.folder / ".rollcall", backups, *backups.iterdir()):
        planted(path)
    before = shared.config.read_bytes()
    assert shared.run("rollback").code == 1
    assert shared.config.read_bytes() == before


def test_another_folder_serves_and_the_lock_is_elsewhere(shared: House, tmp_path: Path) -> None:
    folder = shared.folder / ".rollcall"
    folder.mkdir()
    (folder / "config.yaml.lock").symlink_to(tmp_path / "theirs")
    planted(folder)
    ran = shared.run("apply", "--state-dir", str(tmp_path / "state"))
    assert ran.code == 0, ran.text
    assert [path.name for path in folder.iterdir()] == ["config.yaml.lock"]
    assert not (tmp_path / "theirs").exists()


def test_a_folder_of_whoever_owns_the_folder_around_it_is_trusted(shared: House) -> None:
    (shared.folder / ".rollcall").mkdir()
    planted(shared.folder / ".rollcall")
    planted(shared.folder)
    shared.applied()


def test_links_in_a_circle_are_no_bug(shared: House) -> None:
    (shared.folder / ".rollcall").symlink_to(".rollcall")
    assert "a bug" not in shared.run("apply").text
