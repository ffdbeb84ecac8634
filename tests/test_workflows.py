"""The CI files: valid by GitHub's schemas, and the regenerating script run against a real git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

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
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gitlab_job_of_the_docs_fits_gitlabs_schema(tmp_path: Path) -> None:
    docs = (ROOT / "docs" / "CI.md").read_text(encoding="utf-8")
    block = docs.partition("    regenerate:\n")[2].partition("\n\n")[0]
    job = tmp_path / ".gitlab-ci.yml"
    job.write_text("regenerate:\n" + block.replace("\n    ", "\n").removeprefix("    "))
    assert len(load(job)["regenerate"]["script"]) == 7
    fits("vendor.gitlab-ci", [job])


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION / "action.yml"], ids=lambda path: path.name)
class TestEveryStep:
    def test_others_actions_are_few_and_pinned(self, path: Path) -> None:
        for step in steps_of(path):
            uses = step.get("uses", "./")
            assert uses.startswith("./") or re.fullmatch(r"actions/[a-z-]+@v\d+", uses), uses

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


def test_the_workflow_passes_keys_that_rollcall_reads() -> None:
    [step] = [
        step
        for step in steps_of(ROOT / ".github" / "workflows" / "regenerate-config.yml")
        if "env" in step
    ]
    known = {name for provider in BUILTIN.values() for name in provider.key_env}
    assert set(step["env"]) <= known
    assert all(value == f"${{{{ secrets.{name} }}}}" for name, value in step["env"].items())


ROLLCALL = """#!{python}
import os, sys
args = sys.argv[1:]
with open(os.environ["LOG"], "a") as log:
    print("rollcall", *args, file=log)
if args[0] == "plan":
    with open(args[args.index("--out") + 1], "w") as plan:
        plan.write(os.environ["NEW_CONFIG"])
    print("## Models" + os.environ.get("LONG", ""))
    sys.exit(int(os.environ["PLAN_CODE"]))
with open(args[1]) as plan, open(os.environ["ROLLCALL_CONFIG"], "w") as config:
    config.write(plan.read())
sys.exit(int(os.environ.get("APPLY_CODE", "0")))
"""
GH = """#!{python}
import os, sys
args = sys.argv[1:]
with open(os.environ["LOG"], "a") as log:
    print("gh", *args[:2], file=log)
if args[:2] == ["pr", "list"]:
    print(os.environ.get("OPEN", ""))
if "--body-file" in args:
    with open(args[args.index("--body-file") + 1], encoding="utf-8") as body:
        text = body.read()
    with open(os.environ["LOG"] + ".body", "w", encoding="utf-8") as copy:
        copy.write(text)
if args[:2] in (["pr", "create"], ["pr", "view"]):
    print("https://github.example/pull/7")
"""
BRANCH = "rollcall/regenerate-config"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A clone with a config.yaml in a folder of its own, a remote, and stand-ins."""

    clone: Path
    remote: Path
    tools: Path
    log: Path

    def git(self, *args: str, at: Path | None = None) -> str:
        """Run git and give what it says."""
        done = subprocess.run(
            ["git", *args], cwd=at or self.clone, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def regenerate(self, plan_code: int = 4, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the action's script as GitHub would."""
        bash = shutil.which("bash")
        assert bash is not None
        for name in ("output", "summary"):
            (self.log.parent / name).write_text("")
        return subprocess.run(
            [bash, str(ACTION / "regenerate.sh")],
            cwd=self.clone,
            env={
                "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(self.log.parent),
                "LOG": str(self.log),
                "PLAN_CODE": str(plan_code),
                "NEW_CONFIG": "model_list: [new]\n",
                "ROLLCALL_CONFIG": "deploy/config.yaml",
                "BRANCH": BRANCH,
                "BASE": "main",
                "TITLE": "Update the models",
                "GITHUB_OUTPUT": str(self.log.parent / "output"),
                "GITHUB_STEP_SUMMARY": str(self.log.parent / "summary"),
                **environ,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def told(self) -> dict[str, str]:
        """The outputs of the step."""
        lines = (self.log.parent / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def called(self) -> list[str]:
        """What rollcall and gh were called with, so far."""
        return self.log.read_text().splitlines()

    def pushed(self) -> str | None:
        """config.yaml on the pull request's branch."""
        try:
            return self.git("show", f"{BRANCH}:deploy/config.yaml", at=self.remote)
        except subprocess.CalledProcessError:
            return None


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    if os.name == "nt" or not (shutil.which("git") and shutil.which("bash")):
        pytest.skip("Windows: no git and bash, which the action runs with on Linux")
    identity = {"NAME": "a", "EMAIL": "a@example.org"}
    for name, value in identity.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    made = Checkout(tmp_path / "clone", tmp_path / "remote.git", tmp_path / "t", tmp_path / "log")
    made.git("init", "--quiet", "--bare", "--initial-branch=main", str(made.remote), at=tmp_path)
    made.git("clone", "--quiet", str(made.remote), str(made.clone), at=tmp_path)
    made.git("switch", "--quiet", "-c", "main")
    (made.clone / "deploy").mkdir()
    (made.clone / "deploy" / "config.yaml").write_text("model_list: [old]\n")
    (made.clone / "other").write_text("mine\n")
    made.git("add", ".")
    made.git("commit", "--quiet", "-m", "start")
    made.git("push", "--quiet", "origin", "main")
    made.tools.mkdir()
    for name, text in (("rollcall", ROLLCALL), ("gh", GH)):
        path = made.tools / name
        path.write_text(text.format(python=sys.executable))
        path.chmod(0o755)
    return made


class TestRegenerate:
    def test_a_change_becomes_one_pull_request(self, checkout: Checkout) -> None:
        (checkout.clone / "other").write_text("not for this commit\n")
        done = checkout.regenerate()
        assert done.returncode == 0, done.stderr
        assert checkout.pushed() == "model_list: [new]"
        assert checkout.git("show", f"{BRANCH}:other", at=checkout.remote) == "mine"
        assert checkout.told() == {
            "exit-code": "4",
            "changed": "true",
            "pull-request": "https://github.example/pull/7",
        }
        assert [line.split()[:3] for line in checkout.called()][-1] == ["gh", "pr", "create"]
        assert (checkout.log.parent / "log.body").read_text() == "## Models\n"
        assert (checkout.log.parent / "summary").read_text() == "## Models\n"

    def test_exactly_the_plan_that_was_shown_is_applied(self, checkout: Checkout) -> None:
        checkout.regenerate()
        plan, apply = (line for line in checkout.called() if line.startswith("rollcall"))
        saved = plan.split()[plan.split().index("--out") + 1]
        assert apply.split()[:3] == ["rollcall", "apply", saved]

    def test_an_open_one_is_updated(self, checkout: Checkout) -> None:
        checkout.regenerate(OPEN="7")
        assert "gh pr edit" in checkout.called()
        assert "gh pr create" not in checkout.called()
        assert checkout.told()["pull-request"] == "https://github.example/pull/7"

    def test_the_same_content_is_not_pushed_again(self, checkout: Checkout) -> None:
        checkout.regenerate()
        first = checkout.git("rev-parse", BRANCH, at=checkout.remote)
        checkout.git("reset", "--quiet", "--hard", "origin/main")
        checkout.regenerate(OPEN="7")
        assert checkout.git("rev-parse", BRANCH, at=checkout.remote) == first

    def test_new_content_replaces_the_branch(self, checkout: Checkout) -> None:
        checkout.regenerate()
        checkout.git("reset", "--quiet", "--hard", "origin/main")
        done = checkout.regenerate(OPEN="7", NEW_CONFIG="model_list: [newer]\n")
        assert done.returncode == 0, done.stderr
        assert checkout.pushed() == "model_list: [newer]"
        assert checkout.git("rev-list", "--count", f"main..{BRANCH}", at=checkout.remote) == "1"

    def test_nothing_to_do_opens_nothing(self, checkout: Checkout) -> None:
        done = checkout.regenerate(plan_code=0)
        assert done.returncode == 0
        assert checkout.told() == {"exit-code": "0", "changed": "false"}
        assert checkout.pushed() is None
        assert [line for line in checkout.called() if "create" in line or "close" in line] == []

    def test_nothing_left_to_do_closes_the_old_one(self, checkout: Checkout) -> None:
        checkout.regenerate(plan_code=0, OPEN="7")
        assert "gh pr close" in checkout.called()

    @pytest.mark.parametrize(
        ("code", "title"),
        [(5, "No provider could be asked"), (3, "A guard refused the plan"), (1, "ended with 1")],
    )
    def test_a_failure_is_loud_and_changes_nothing(
        self, code: int, title: str, checkout: Checkout
    ) -> None:
        done = checkout.regenerate(plan_code=code)
        assert done.returncode == code
        assert "::error title=" in done.stdout
        assert title in done.stdout
        assert checkout.pushed() is None
        assert checkout.told() == {"exit-code": str(code), "changed": "false"}
        assert (checkout.clone / "deploy" / "config.yaml").read_text() == "model_list: [old]\n"

    def test_an_apply_that_fails_pushes_nothing(self, checkout: Checkout) -> None:
        done = checkout.regenerate(APPLY_CODE="1")
        assert done.returncode == 1
        assert checkout.pushed() is None

    def test_a_body_too_long_for_github_is_cut_at_a_whole_character(
        self, checkout: Checkout
    ) -> None:
        done = checkout.regenerate(LONG="\u00e4" * 60_001)
        assert done.returncode == 0, done.stderr
        body = (checkout.log.parent / "log.body").read_text(encoding="utf-8")
        assert len(body.encode()) < 61_000
        assert body.endswith("summary of the job.)\n")
