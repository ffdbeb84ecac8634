"""--write-to: read here, write there; what an init container needs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import House

RULES = (
    'allow: [{family: claude-sonnet, from: [anthropic], newest: 1, name: "{id}"}]\naliases: {}\n'
)


@pytest.fixture
def furnished(house: House) -> House:
    house.write_policy(RULES, "anthropic")
    return house


def names(path: Path) -> list[str]:
    """The model_names of a config."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [row["model_name"] for row in data["model_list"]]


class TestRelativeIncludes:
    def including(self, house: House) -> None:
        house.config.write_text("include: [more.yaml]\nmodel_list: []\n", encoding="utf-8")
        (house.folder / "more.yaml").write_text("model_list: []\n", encoding="utf-8")

    def test_a_target_they_lead_nowhere_from_is_refused(
        self, furnished: House, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        self.including(furnished)
        target = tmp_path_factory.mktemp("out") / "config.yaml"
        ran = furnished.run("apply", "--write-to", str(target))
        assert ran.code == 1
        assert "more.yaml of `include:` is not beside it" in ran.err
        assert not target.exists()

    def test_the_same_folder_and_one_that_has_them_are_fine(
        self, furnished: House, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        self.including(furnished)
        beside = furnished.folder / "other.yaml"
        furnished.applied("--write-to", str(beside))
        assert names(beside) == ["claude-sonnet-5"]
        there = tmp_path_factory.mktemp("out")
        (there / "more.yaml").write_text("model_list: []\n", encoding="utf-8")
        furnished.applied("--write-to", str(there / "config.yaml"))


class TestOrUsable:
    def run(self, house: House, target: Path, *args: str) -> int:
        return house.run("apply", "--write-to", str(target), "--or-usable", *args).code

    def test_nobody_answers_and_the_first_copy_is_usable(
        self, furnished: House, tmp_path: Path
    ) -> None:
        furnished.sim.fault("anthropic", Fault.SERVER_ERROR)
        target = tmp_path / "out.yaml"
        assert furnished.run("apply", "--write-to", str(target)).code == 5
        target.unlink()
        assert self.run(furnished, target) == 0
        assert names(target) == ["my-local-model"]

    def test_an_error_with_a_usable_file_in_place(self, furnished: House, tmp_path: Path) -> None:
        target = tmp_path / "out.yaml"
        assert self.run(furnished, target) == 0
        before = target.read_bytes()
        furnished.policy.write_text("version: 9\n", encoding="utf-8")
        ran = furnished.run("apply", "--write-to", str(target), "--or-usable")
        assert ran.code == 0
        assert "version" in ran.err
        assert target.read_bytes() == before
        target.unlink()
        assert self.run(furnished, target) == 0, "config.yaml itself is usable"
        assert names(target) == ["my-local-model"]

    def test_nothing_usable_anywhere_still_fails(self, furnished: House, tmp_path: Path) -> None:
        furnished.config.write_text("model_list: [\n", encoding="utf-8")
        assert self.run(furnished, tmp_path / "out.yaml") == 1
        assert not (tmp_path / "out.yaml").exists(), "what nothing starts on is not copied"
        (tmp_path / "out.yaml").write_text("not: [a config\n", encoding="utf-8")
        assert self.run(furnished, tmp_path / "out.yaml") == 1

    def test_what_does_not_load_there_gives_way_to_a_copy(
        self, furnished: House, tmp_path: Path
    ) -> None:
        target = tmp_path / "out.yaml"
        target.write_text("not: [a config\n", encoding="utf-8")
        furnished.sim.fault("anthropic", Fault.SERVER_ERROR)
        assert self.run(furnished, target) == 0
        assert names(target) == ["my-local-model"]
