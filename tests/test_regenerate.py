"""The action's script, day after day: real rollcall, real git over HTTP, a stand-in for `gh`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.git_server import GitServer, login
from tests.platforms import not_on_windows
from tests.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.simulator import Simulator

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / ".github" / "actions" / "regenerate-config" / "regenerate.py"
BRANCH = "rollcall/regenerate-config"
TOKEN, WEAK = "ghs_given-to-the-action", "ghs_left-behind-by-checkout"

POLICY = """
allow:
- {family: claude-sonnet, from: [anthropic], newest: 1}
- {family: grok, from: [xai], newest: 1}
aliases: {claude: {family: claude-sonnet}, best: {family: grok}}
"""

pytestmark = [
    not_on_windows("git's HTTP server is run as on Linux"),
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]


@dataclass(frozen=True, slots=True)
class Step:
    """How one step ended."""

    code: int
    out: str


@dataclass(frozen=True, slots=True)
class Morning:
    """What one run of the job did."""

    ask: Step
    propose: Step | None
    told: dict[str, str]
    summary: str


class Repository:
    """A repository on the server, and the job that runs in a fresh checkout of it."""

    def __init__(self, folder: Path, server: GitServer, sim: Simulator) -> None:
        self.folder, self.server, self.sim = folder, server, sim
        self.remote = folder / "served" / "team" / "proxy"
        self.clone = folder / "clone"
        self.state = folder / "gh.json"
        self.tools = folder / "tools"
        self.say(pull_requests=[], calls=[], refuses=False)
        self._make_tools()
        self._make_remote()

    def _make_tools(self) -> None:
        self.tools.mkdir()
        log = self.folder / "rollcall.json"
        programs = {
            "gh": f"import runpy; runpy.run_path({str(ROOT / 'tests' / 'gh_stand_in.py')!r})",
            "rollcall": "import json, os, pathlib\n"
            f"pathlib.Path({str(log)!r}).write_text(json.dumps(dict(os.environ)))\n"
            "from rollcall.__main__ import main; main()",
        }
        for name, code in programs.items():
            path = self.tools / name
            path.write_text(f"#!{sys.executable}\n{code}\n", encoding="utf-8")
            path.chmod(0o755)

    def _make_remote(self) -> None:
        self.remote.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", at=self.remote)
        self.git("config", "http.receivepack", "true", at=self.remote)
        self.clone.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        (self.clone / "deploy").mkdir()
        (self.clone / "deploy" / "config.yaml").write_text("model_list: []\n", encoding="utf-8")
        self.write_policy(POLICY)
        (self.clone / "other").write_text("mine\n", encoding="utf-8")
        self.commit("start")

    def write_policy(self, text: str) -> None:
        """Write deploy/policy.yaml, asking the simulated providers patiently."""
        head = {
            "version": 1,
            "defaults": {"timeout": "30s", "deadline": "60s"},
            "providers": self.sim.provider_policy("anthropic", "xai"),
        }
        path = self.clone / "deploy" / "policy.yaml"
        path.write_text(yaml.safe_dump(head) + text, encoding="utf-8")

    def commit(self, message: str) -> None:
        """Commit all that is in the checkout to main."""
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", message)
        self.git("push", "--quiet", str(self.remote), "HEAD:main")

    def git(self, *args: str, at: Path | None = None) -> str:
        """Run git and give what it says."""
        who = {f"GIT_{r}_{f}": f"a@{f}" for r in ("AUTHOR", "COMMITTER") for f in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *args],
            cwd=at or self.clone,
            env={**os.environ, **who},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        return done.stdout.strip()

    def morning(self, **environ: str) -> Morning:
        """Check main out and run the steps of the job, each with its own environment."""
        self.git("fetch", "--quiet", str(self.remote), "main")
        self.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        shutil.rmtree(self.clone / "deploy" / ".rollcall", ignore_errors=True)
        for name in ("output", "summary"):
            (self.folder / name).write_text("", encoding="utf-8")
        keys = "".join(
            f"{name}={value}\n" for name, value in self.sim.environ("anthropic", "xai").items()
        )
        asked = self._step("ask", {"KEYS": keys, "ROLLCALL_POLICY": "deploy/policy.yaml"}, environ)
        proposed = None
        if asked.code == 0:
            about = {"GH_TOKEN": TOKEN, "BRANCH": BRANCH, "BASE": "main", "TITLE": "Update"}
            proposed = self._step("propose", about, environ)
        told = dict(
            line.split("=", 1)
            for line in (self.folder / "output").read_text(encoding="utf-8").split("\n")[:-1]
        )
        return Morning(asked, proposed, told, (self.folder / "summary").read_text(encoding="utf-8"))

    def _step(self, name: str, own: dict[str, str], environ: dict[str, str]) -> Step:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), name],
            cwd=self.clone,
            env={
                "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(self.folder),
                "SOURCE_DATE_EPOCH": "1795176000",
                "ROLLCALL_PRICE_MAP": os.environ["ROLLCALL_PRICE_MAP"],
                "WORK": str(self.folder / "work"),
                "ROLLCALL_CONFIG": "deploy/config.yaml",
                "GITHUB_SERVER_URL": self.server.url,
                "GITHUB_REPOSITORY": "team/proxy",
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                "GH_STATE": str(self.state),
                **own,
                **environ,
            },
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Step(done.returncode, done.stdout + done.stderr)

    def pushed(self, path: str = "deploy/config.yaml") -> str | None:
        """A file on the pull request's branch."""
        try:
            return self.git("show", f"{BRANCH}:{path}", at=self.remote)
        except subprocess.CalledProcessError:
            return None

    def head(self) -> str:
        """The branch's commit."""
        return self.git("rev-parse", BRANCH, at=self.remote)

    def say(self, **state: Any) -> None:
        """Set what GitHub knows."""
        known = json.loads(self.state.read_text(encoding="utf-8")) if self.state.exists() else {}
        self.state.write_text(json.dumps({**known, **state}), encoding="utf-8")

    def pull_requests(self) -> list[dict[str, Any]]:
        """Every pull request, the first one first."""
        found: list[dict[str, Any]] = json.loads(self.state.read_text(encoding="utf-8"))[
            "pull_requests"
        ]
        return found

    def somebody(self, **fields: Any) -> None:
        """Somebody merges or closes the newest pull request."""
        rows = self.pull_requests()
        rows[-1] |= {"closed": True, **fields}
        self.say(pull_requests=rows)


@pytest.fixture
def repository(tmp_path: Path, sim: Simulator) -> Iterator[Repository]:
    with GitServer(tmp_path / "served", read=WEAK, write=TOKEN) as server:
        yield Repository(tmp_path, server, sim)


class TestFirstRunAndRepeat:
    def test_a_change_becomes_one_pull_request(self, repository: Repository) -> None:
        morning = repository.morning()
        assert morning.propose == Step(0, ""), morning
        assert "xai/grok-4.6" in (repository.pushed() or "")
        assert repository.pushed("other") == "mine"
        (opened,) = repository.pull_requests()
        assert morning.told == {"exit-code": "4", "changed": "true", "pull-request": opened["url"]}
        assert opened["body"].startswith("## Models of the LiteLLM proxy")
        assert morning.summary in opened["body"]

    def test_only_config_yaml_is_committed(self, repository: Repository) -> None:
        repository.morning()
        names = repository.git("diff", "--name-only", f"main..{BRANCH}", at=repository.remote)
        assert names == "deploy/config.yaml"

    def test_the_same_plan_on_the_next_day_pushes_nothing(self, repository: Repository) -> None:
        repository.morning()
        head = repository.head()
        morning = repository.morning()
        assert morning.propose is not None
        assert "has this content already" in morning.propose.out
        assert repository.head() == head
        assert len(repository.pull_requests()) == 1

    def test_another_plan_updates_the_open_one(self, repository: Repository) -> None:
        repository.morning()
        rows = [row for row in repository.sim.rows("xai") if "grok-4.6" not in json.dumps(row)]
        repository.sim.set_rows("xai", rows)
        repository.morning()
        assert "grok-4.6" not in (repository.pushed() or "grok-4.6")
        (opened,) = repository.pull_requests()
        assert "grok-4.6" not in opened["body"]
        assert repository.git("rev-list", "--count", f"main..{BRANCH}", at=repository.remote) == "1"

    def test_after_the_merge_there_is_nothing_to_do(self, repository: Repository) -> None:
        repository.morning()
        repository.git("update-ref", "refs/heads/main", BRANCH, at=repository.remote)
        repository.somebody(mergedAt="2026-11-20T06:00:00Z")
        morning = repository.morning()
        assert morning.told == {"exit-code": "0", "changed": "false"}
        assert "is up to date" in morning.summary
        assert len(repository.pull_requests()) == 1

    def test_an_open_one_without_anything_left_is_closed(self, repository: Repository) -> None:
        repository.morning()
        repository.git("update-ref", "refs/heads/main", BRANCH, at=repository.remote)
        repository.morning()
        (closed,) = repository.pull_requests()
        assert closed["closed"]
        assert "rollcall changes:" not in closed["body"], "we closed it: nobody refused the change"


class TestWhatSomebodyClosed:
    def test_it_is_not_opened_again_and_the_summary_says_so(self, repository: Repository) -> None:
        repository.morning()
        repository.somebody()
        head = repository.head()
        morning = repository.morning()
        assert morning.propose is not None
        assert morning.propose.code == 0
        assert len(repository.pull_requests()) == 1
        assert repository.head() == head
        assert "/pull/1 with the same change was closed" in morning.summary
        assert "pull-request" not in morning.told

    def test_a_part_of_it_is_not_opened_either(self, repository: Repository) -> None:
        repository.morning()
        repository.somebody()
        repository.sim.fault("xai", Fault.SERVER_ERROR)
        repository.morning()
        assert len(repository.pull_requests()) == 1

    def test_a_new_change_opens_a_new_one(self, repository: Repository) -> None:
        repository.morning()
        repository.somebody()
        repository.write_policy(POLICY.replace("newest: 1}", "newest: 2}", 1))
        repository.commit("two of them")
        repository.morning()
        assert [row["closed"] for row in repository.pull_requests()] == [True, False]

    def test_a_merged_one_whose_change_is_wanted_again_is_opened_again(
        self, repository: Repository
    ) -> None:
        repository.morning()
        repository.somebody(mergedAt="2026-11-20T06:00:00Z")  # and reverted on main since
        repository.morning()
        assert [row["closed"] for row in repository.pull_requests()] == [True, False]

    def test_one_from_a_fork_with_the_same_branch_name_is_nobodys(
        self, repository: Repository
    ) -> None:
        repository.morning()
        repository.somebody(isCrossRepository=True)
        repository.morning()
        assert [row["closed"] for row in repository.pull_requests()] == [True, False]


class TestAnOutage:
    @pytest.mark.parametrize("away", [("xai",), ("anthropic",)])
    def test_it_does_not_shrink_an_open_one(
        self, repository: Repository, away: tuple[str, ...]
    ) -> None:
        repository.morning()
        head, before = repository.head(), repository.pull_requests()
        for name in away:
            repository.sim.fault(name, Fault.SERVER_ERROR)
        morning = repository.morning()
        assert morning.propose is not None
        assert morning.propose.code == 0
        assert repository.head() == head
        assert repository.pull_requests() == before
        assert f"stays as it is: it holds changes of today's absentees ({away[0]}: http_error)" in (
            morning.summary
        )
        assert morning.told["pull-request"] == before[0]["url"]

    def test_it_does_not_close_an_open_one_of_that_provider_alone(
        self, repository: Repository
    ) -> None:
        repository.write_policy(POLICY.split("- {family: grok")[0])
        repository.commit("only anthropic")
        repository.morning()
        repository.sim.fault("anthropic", Fault.SERVER_ERROR)
        morning = repository.morning()
        assert morning.told["exit-code"] == "0"
        assert [row["closed"] for row in repository.pull_requests()] == [False]

    def test_one_who_has_nothing_in_the_open_one_does_not_hold_it_up(
        self, repository: Repository
    ) -> None:
        repository.write_policy(POLICY.split("- {family: grok")[0])
        repository.commit("only anthropic")
        repository.morning()
        repository.sim.fault("xai", Fault.SERVER_ERROR)
        repository.write_policy(
            POLICY.split("- {family: grok")[0].replace("newest: 1", "newest: 2")
        )
        repository.commit("two of them")
        repository.morning()
        (opened,) = repository.pull_requests()
        assert "stays as it is" not in opened["body"]
        assert (repository.pushed() or "").count("model_name") == 2

    def test_what_the_policy_takes_out_leaves_the_open_one(self, repository: Repository) -> None:
        repository.morning()
        repository.write_policy(POLICY.split("- {family: grok")[0])
        repository.commit("no grok")
        repository.morning()
        assert "grok" not in (repository.pushed() or "grok")

    def test_when_all_are_away_the_job_fails_and_the_open_one_stays(
        self, repository: Repository
    ) -> None:
        repository.morning()
        before = repository.pull_requests()
        for name in ("anthropic", "xai"):
            repository.sim.fault(name, Fault.SERVER_ERROR)
        morning = repository.morning()
        assert (morning.ask.code, morning.propose) == (5, None)
        assert "::error title=No provider could be asked::" in morning.ask.out
        assert repository.pull_requests() == before


class TestWhoSeesWhat:
    def test_each_step_has_only_what_it_needs(self, repository: Repository) -> None:
        repository.morning()
        asked = json.loads((repository.folder / "rollcall.json").read_text(encoding="utf-8"))
        proposed = json.loads(repository.state.read_text(encoding="utf-8"))["calls"][-1][
            "environment"
        ]
        assert {"ANTHROPIC_API_KEY", "XAI_API_KEY"} <= set(asked)
        assert "GH_TOKEN" not in asked
        assert "KEYS" not in asked
        assert proposed["GH_TOKEN"] == TOKEN
        assert not {name for name in proposed if name.endswith("_API_KEY") or name == "KEYS"}

    def test_it_pushes_with_the_token_it_was_given(self, repository: Repository) -> None:
        """Also where checkout left its own behind, which may not push."""
        key = f"http.{repository.server.url}/.extraheader"
        repository.git("config", "--local", key, f"AUTHORIZATION: basic {login(WEAK)}")
        assert repository.morning().propose == Step(0, "")
        assert repository.pushed()
        assert {line for sent in repository.server.headers for line in sent} == {
            f"basic {login(TOKEN)}"
        }

    def test_no_key_and_no_token_is_in_anything_it_says(self, repository: Repository) -> None:
        morning = repository.morning()
        (opened,) = repository.pull_requests()
        said = f"{morning}{opened}"
        for secret in (TOKEN, login(TOKEN), *repository.sim.environ().values()):
            assert secret not in said

    def test_a_line_of_the_keys_that_cannot_be_read_is_named_not_shown(
        self, repository: Repository
    ) -> None:
        morning = repository.morning(KEYS="# mine\nXAI_API_KEY=sk-1\nsk-secret-and-alone\n")
        assert morning.ask.code == 1
        assert "Line 3 of it is not NAME=value" in morning.ask.out
        assert "sk-secret" not in morning.ask.out


class TestWhatItMayNot:
    def test_a_token_that_may_not_push_is_told_what_it_needs(self, repository: Repository) -> None:
        morning = repository.morning(GH_TOKEN=WEAK)
        assert morning.propose is not None
        assert morning.propose.code == 1
        assert "::error title=git push ended with" in morning.propose.out
        assert "contents: write" in morning.propose.out
        assert repository.pull_requests() == []

    def test_a_pull_request_that_github_refuses_is_told_what_it_needs(
        self, repository: Repository
    ) -> None:
        repository.say(refuses=True)
        morning = repository.morning()
        assert morning.propose is not None
        assert morning.propose.code == 1
        assert "Allow GitHub Actions to create and approve pull requests" in morning.propose.out

    def test_what_somebody_pushed_meanwhile_is_not_overwritten(
        self, repository: Repository
    ) -> None:
        """Two runs at once, which the workflow's `concurrency` keeps apart."""
        repository.morning()
        real = shutil.which("git")
        other = repository.git("rev-parse", "main", at=repository.remote)
        wrapper = repository.tools / "git"
        wrapper.write_text(
            "#!/bin/sh\n"
            f'if [ "$1" = push ]; then {real} -C {repository.remote} update-ref'
            f" refs/heads/{BRANCH} {other}; fi\n"
            f'exec {real} "$@"\n',
            encoding="utf-8",
        )
        wrapper.chmod(0o755)
        repository.sim.set_rows("xai", repository.sim.rows("xai")[:1])
        morning = repository.morning()
        assert morning.propose is not None
        assert morning.propose.code == 1
        assert repository.head() == other


@pytest.mark.parametrize(
    ("code", "title"), [(3, "A guard refused the plan"), (1, "rollcall plan ended with 1")]
)
def test_a_failure_is_loud_and_changes_nothing(
    repository: Repository, code: int, title: str
) -> None:
    stand_in = repository.tools / "rollcall"
    stand_in.write_text(f"#!/bin/sh\necho '## Models'; exit {code}\n", encoding="utf-8")
    morning = repository.morning()
    assert (morning.ask.code, morning.propose) == (code, None)
    assert f"::error title={title}::" in morning.ask.out
    assert morning.told == {"exit-code": str(code), "changed": "false"}
    assert morning.summary == "## Models\n"
    assert repository.pushed() is None


def test_a_body_too_long_for_github_is_cut_and_keeps_its_marker(repository: Repository) -> None:
    stand_in = repository.tools / "rollcall"
    text = stand_in.read_text(encoding="utf-8") + "\n"
    stand_in.write_text(
        text.replace(
            "from rollcall",
            "import sys\nif 'plan' in sys.argv: print('\u00e4' * 60_001)\nfrom rollcall",
        ),
        encoding="utf-8",
    )
    repository.morning()
    body = repository.pull_requests()[0]["body"]
    assert len(body.encode()) < 61_000
    assert "summary of the job.)" in body
    assert re.search(r"<!-- rollcall changes:( [0-9a-f.]{26}){4} -->\n$", body)


class TestInstall:
    @pytest.fixture
    def installed(self, tmp_path: Path) -> Any:
        """Runs the step with a `pip` that only writes down what it was asked for."""
        (tmp_path / "modules" / "pip").mkdir(parents=True)
        (tmp_path / "modules" / "pip" / "__init__.py").touch()
        (tmp_path / "modules" / "pip" / "__main__.py").write_text(
            "import json, os, sys\n"
            "line = sys.argv[1:] + [open(sys.argv[-1]).read()]\n"
            "print(json.dumps(line), file=open(os.environ['CALLS'], 'a'))\n",
            encoding="utf-8",
        )

        def run(script: Path = SCRIPT, package: str = "") -> tuple[int, list[list[str]], str]:
            log = tmp_path / "calls.json"
            done = subprocess.run(
                [sys.executable, str(script), "install"],
                env={
                    "PYTHONPATH": str(tmp_path / "modules"),
                    "CALLS": str(log),
                    "PACKAGE": package,
                    "WORK": str(tmp_path / "work"),
                },
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            calls = (
                [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
                if log.exists()
                else []
            )
            return done.returncode, calls, done.stdout + done.stderr

        return run

    def test_dependencies_by_hash_then_rollcall_without_any(self, installed: Any) -> None:
        code, (pinned, own), _ = installed()
        assert code == 0
        assert "--require-hashes" in pinned
        assert pinned[-2] == str(SCRIPT.parent / "requirements.txt")
        assert {"--no-deps", "--no-build-isolation"} <= set(own)
        assert own[-1] == f"{ROOT.as_uri()}\n"

    def test_a_wheel_beside_the_action_is_taken(self, installed: Any, tmp_path: Path) -> None:
        folder = tmp_path / "repository" / ".github" / "actions" / "regenerate-config"
        shutil.copytree(SCRIPT.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        code, calls, said = installed(folder / "regenerate.py")
        assert (code, len(calls)) == (1, 1)
        assert "Put its wheel (make dist) into regenerate-config/" in said
        wheel = folder / "litellm_rollcall-1.0.0-py3-none-any.whl"
        wheel.touch()
        assert installed(folder / "regenerate.py")[1][-1][-1] == f"{wheel.as_uri()}\n"

    def test_a_version_and_its_hash_are_handed_to_pip_as_they_are(self, installed: Any) -> None:
        line = "litellm-rollcall==1.0.0 --hash=sha256:00"
        assert installed(package=line)[1][-1][-1] == line + "\n"
