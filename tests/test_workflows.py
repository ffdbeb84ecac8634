"""The CI files: valid by GitHub's schemas, pinned, and no weaker than zizmor wants them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from rollcall.providers.builtin import BUILTIN

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / ".github" / "actions" / "regenerate-config"


def load(path: Path) -> dict[str, Any]:
    """A workflow as GitHub reads it: `on` is a word there, not a yes."""
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return data


def steps_of(path: Path) -> list[dict[str, Any]]:
    data = load(path)
    jobs = data.get("jobs", {"action": data.get("runs")})
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-actions", [ACTION / "action.yml"]),
    ],
)
def test_the_files_fit_githubs_schemas(schema: str, paths: list[Path]) -> None:
    fits(schema, paths)


def fits(schema: str, paths: list[Path]) -> None:
    """Check files against a schema that check-jsonschema brings along."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gitlab_job_of_the_docs_fits_gitlabs_schema(tmp_path: Path) -> None:
    docs = (ROOT / "docs" / "CI.md").read_text(encoding="utf-8")
    block = docs.partition("    regenerate:\n")[2].partition("\n\n")[0]
    job = tmp_path / ".gitlab-ci.yml"
    job.write_text(
        "regenerate:\n" + block.replace("\n    ", "\n").removeprefix("    "), encoding="utf-8"
    )
    assert len(load(job)["regenerate"]["script"]) == 8
    fits("vendor.gitlab-ci", [job])


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION / "action.yml"], ids=lambda path: path.name)
class TestEveryStep:
    def test_others_actions_are_few_and_pinned(self, path: Path) -> None:
        for step in steps_of(path):
            uses = step.get("uses", "./")
            assert uses.startswith("./") or re.fullmatch(
                r"(actions|pypa)/[a-z-]+@[0-9a-f]{40}", uses
            ), uses

    def test_a_pinned_commit_says_which_release_it_is(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.search(r"uses: (?!\./)", line):
                assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line

    def test_checkout_leaves_no_credentials_behind(self, path: Path) -> None:
        for step in steps_of(path):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false"

    def test_no_script_has_an_expression_pasted_into_it(self, path: Path) -> None:
        for step in steps_of(path):
            assert "${{" not in step.get("run", ""), "give it by env, where it stays a value"

    def test_a_local_action_exists(self, path: Path) -> None:
        for step in steps_of(path):
            if step.get("uses", "").startswith("./"):
                assert (ROOT / step["uses"] / "action.yml").is_file()


def test_ci_runs_what_make_test_runs() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ntest:")[2]
    lines = recipe.partition("\n\n")[0].splitlines()[1:]
    wanted = [line.strip().removeprefix("$(BIN)/").partition(" $(")[0] for line in lines]
    runs = [
        step["run"] for step in steps_of(ROOT / ".github" / "workflows" / "ci.yml") if "run" in step
    ]
    assert wanted
    assert [run for run in runs if run in wanted] == wanted


def test_ci_covers_every_supported_python() -> None:
    matrix = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert matrix["python"] == re.findall(r"Python :: (3\.\d+)", project)
    assert {os_name.partition("-")[0] for os_name in matrix["os"]} == {"ubuntu", "macos", "windows"}


class TestRegenerating:
    def test_the_workflow_passes_keys_that_rollcall_reads(self) -> None:
        lines = [
            line
            for step in steps_of(ROOT / ".github" / "workflows" / "regenerate-config.yml")
            for line in step.get("with", {}).get("keys", "").splitlines()
        ]
        known = {name for provider in BUILTIN.values() for name in provider.key_env}
        assert lines
        for line in lines:
            name, _, value = line.partition("=")
            assert name in known
            assert value == f"${{{{ secrets.{name} }}}}"

    def test_only_the_step_that_asks_has_the_keys_and_only_the_last_the_token(self) -> None:
        """An `env:` of the calling step would be in every step of the action."""
        install, ask, propose = (step["env"] for step in steps_of(ACTION / "action.yml")[1:])
        assert "KEYS" in ask
        assert "GH_TOKEN" in propose
        assert not {"KEYS", "GH_TOKEN"} & set(install)
        assert "GH_TOKEN" not in ask
        assert "KEYS" not in propose
        for step in steps_of(ROOT / ".github" / "workflows" / "regenerate-config.yml"):
            assert "env" not in step

    def test_forks_do_not_ask_and_one_run_waits_for_another(self) -> None:
        data = load(ROOT / ".github" / "workflows" / "regenerate-config.yml")
        assert data["jobs"]["regenerate"]["if"].startswith("${{ !github.event.repository.fork ||")
        assert data["concurrency"]["cancel-in-progress"] == "false"
        assert set(data["on"]) == {"schedule", "workflow_dispatch"}, "no pull request gets the keys"


@pytest.mark.parametrize(
    ("pins", "extras"),
    [
        (ACTION / "requirements.txt", ()),
        (ROOT / "examples/docker/requirements.txt", ("serve", "fleet")),
    ],
    ids=["the action", "the image"],
)
def test_every_dependency_is_pinned_by_hash(pins: Path, extras: tuple[str, ...]) -> None:
    """And to a version that pyproject.toml admits; `make pins` writes the files."""
    text = pins.read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)(?= |$)", text, re.MULTILINE))
    blocks = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pinned)
    assert all("--hash=sha256:" in block for block in blocks)
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = data["project"]
    wanted = [*project["dependencies"], *data["build-system"]["requires"]]
    wanted += [line for extra in extras for line in project["optional-dependencies"][extra]]
    for requirement in map(Requirement, wanted):
        version = pinned[requirement.name.lower().replace(".", "-")]
        assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize(
    ("extra", "path"), [("serve", "service/__init__.py"), ("fleet", "store/remote.py")]
)
def test_the_hint_for_a_missing_extra_names_its_packages(extra: str, path: str) -> None:
    """Packages of the index, which is where rollcall itself is not yet."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = data["project"]["optional-dependencies"][extra]
    names = " ".join(sorted(Requirement(line).name for line in wanted))
    text = (ROOT / "src" / "rollcall" / path).read_text(encoding="utf-8")
    (hint,) = re.findall(r"pip install ([\w ]+) \(rollcall's extra", text)
    assert " ".join(sorted(hint.split())) == names


ZIZMOR = shutil.which("zizmor", path=str(Path(sys.executable).parent))


@pytest.mark.skipif(ZIZMOR is None, reason="zizmor is not installed")
def test_zizmor_finds_nothing() -> None:
    assert ZIZMOR is not None
    command = [ZIZMOR, "--offline", "--no-progress", "--persona", "regular", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout


class TestReleasing:
    def test_only_the_publishing_job_can_publish_and_no_secret_is_stored(self) -> None:
        path = ROOT / ".github" / "workflows" / "release.yml"
        data = load(path)
        assert data["permissions"] == {}
        assert {name: job["permissions"] for name, job in data["jobs"].items()} == {
            "build": {"contents": "read", "id-token": "write", "attestations": "write"},
            "publish": {"id-token": "write"},
        }
        trusted = {
            name: job["environment"] for name, job in data["jobs"].items() if "environment" in job
        }
        assert trusted == {"publish": "pypi"}, "what PyPI trusts beside the workflow"
        assert "secrets." not in path.read_text(encoding="utf-8")


def test_no_file_somebody_would_run_has_a_placeholder_for_an_address() -> None:
    folders = (".github", "docs", "examples", "scr")
    files = [path for name in folders for path in (ROOT / name).rglob("*") if path.is_file()]
    placeholder = re.compile(r"\b(OWNER|REPOSITORY|ORG|USERNAME)/|/(OWNER|REPO(SITORY)?)\b")
    for path in [*files, ROOT / "README.md", ROOT / "pyproject.toml"]:
        text = path.read_bytes().decode(errors="ignore")
        assert not placeholder.search(text), path
