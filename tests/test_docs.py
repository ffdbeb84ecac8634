"""Every block of code in the documentation: run, read by what it is meant for, or listed here."""

from __future__ import annotations

import importlib.util
import os
import plistlib
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tree_sitter_powershell
import typer
import yaml
from tree_sitter import Language, Parser

from rollcall.cli.app import app_for
from rollcall.policy.file import load_policy
from rollcall.policy.schema import Policy
from rollcall.runtime.config import parse_config
from tests.doc_blocks import PAGES, ROOT, Block, blocks, inline
from tests.runtime_support import KEY, simulated
from tests.stand_in import OF_NO_ENVIRONMENT, StandIns

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from tests.house import House

RUN_ELSEWHERE = {
    "README.md $": "test_walks.py: every command, with its output",
    "docs/EXISTING.md $": "test_walks.py: every command, with its output",
    "docs/CI.md regenerate:": "test_workflows.py: by GitLab's schema",
    "examples/minimal_app/README.md llm.preprocess is": "test_runtime_acceptance.py: its output",
}
NO_CODE = {
    "docs/ARCHITECTURE.md cli ─►": "a picture",
    "docs/ARCHITECTURE.md inputs   =": "five lines of sync/apply.py, shortened",
    "docs/ADDING_A_PROVIDER.md Provider(": "a piece of a table; ruff and mypy read the real one",
    "docs/LIBRARY.md ResolvedLLMConfig(": "how a value looks, with an ellipsis",
    "docs/POLICY.md policy.yaml:12:": "a message; test_policy.py has it",
    "docs/POLICY.md claude-sonnet-4-5-20250929 ends": "a message; test_last_days.py has it",
    "examples/minimal_app/README.md The variable": "a message; test_runtime_acceptance.py has it",
}
OTHERS = {
    "powershell": "Windows' own",
    "case": "shell",
    "0)": "shell",
    "4)": "shell",
    "*)": "shell",
    "esac": "shell",
    "export": "shell",
    "17": "a line of crontab; what it runs is read like any other",
}


def listed(block: Block, table: dict[str, str]) -> bool:
    """Whether a block is one of a table: by its page and how it begins."""
    return any(f"{block.page} {block.text}".startswith(start) for start in table)


COMMANDS: dict[str, click.Command] = typer.main.get_command(app_for(())).commands  # type: ignore[attr-defined]


def options_of(command: click.Command) -> set[str]:
    """Every way to write an option of a command."""
    return {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {
        "--help",
        "-h",
    }


def check_rollcall(words: list[str]) -> None:
    """The command exists and has these options; what stands after `--` is litellm's."""
    assert words, "no command"
    if words[0].startswith("-"):
        assert set(words) <= {"--help", "-h", "--version", "-V"}
        return
    command = COMMANDS[words[0]]
    ours = words[1 : words.index("--")] if "--" in words else words[1:]
    known = options_of(command)
    for word in ours:
        if word.startswith("-"):
            assert word.partition("=")[0] in known, f"{words[0]} has no {word}"


def check_pip(words: list[str]) -> None:
    """What is installed is here: the checkout, its extras, a file; or stands on the index."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for word in words[1:]:
        assert not word.startswith("litellm-rollcall"), "not on the index yet"
        if found := re.fullmatch(r"\.\[(.*)\]", word):
            assert set(found[1].split(",")) <= set(extras["optional-dependencies"])


def check_make(words: list[str]) -> None:
    """The Makefile has the target."""
    text = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^{words[0]}:", text, re.MULTILINE), words


def check_python(words: list[str]) -> None:
    """The module or the file is there."""
    if words[0] == "-m":
        assert importlib.util.find_spec(words[1]), words
    else:
        assert list(ROOT.rglob(words[0])), words


def check_docker(words: list[str]) -> None:
    """The file it is told to read is there."""
    assert (ROOT / words[words.index("-f") + 1]).is_file()


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "rollcall": check_rollcall,
    "pip": check_pip,
    "make": check_make,
    "python": check_python,
    "docker": check_docker,
}


def check_shell(line: str) -> None:
    """One line of shell: each of its commands is one we know, called as it can be called."""
    plain = line.replace("\\", "/") if re.match(r"(powershell|scr)\b", line) else line
    for part in re.split(r"&&|\|\||;|\|", re.sub(r"\s+#.*", "", plain)):
        words = shlex.split(part)
        while words and re.match(r"[A-Za-z_]+=", words[0]):
            words.pop(0)
        if not words or words[0] in {"echo", "exit", "cd"}:
            continue
        name = re.sub(r"^\.venv/bin/", "", words[0])
        if name.startswith("scr/"):
            assert (ROOT / name).is_file(), name
        elif name in CHECKS:
            CHECKS[name](words[1:])
        else:
            assert name in OTHERS, f"{name!r} of {line!r} is not listed"
            if "rollcall" in words:
                check_rollcall(words[words.index("rollcall") + 1 :])
            for word in words:
                assert not word.startswith("scr/") or (ROOT / word).is_file(), word


def check_plist(text: str) -> None:
    """macOS' own form, and a command of rollcall in it."""
    program, *words = plistlib.loads(text.encode())["ProgramArguments"]
    assert program.endswith("/rollcall")
    check_rollcall(words)


def check_powershell(text: str) -> None:
    """It parses, and what it has rollcall do can be done."""
    assert (
        not Parser(Language(tree_sitter_powershell.language()))
        .parse(text.encode())
        .root_node.has_error
    )
    for found in re.finditer(r"""-Argument ('[^'\n]*'|"[^"\n]*"|\w+)""", text):
        check_rollcall([word for word in found[1].strip("'\"").split() if not word.startswith("$")])


OTHER_READERS: dict[str, Callable[[str], None]] = {
    "xml": check_plist,
    "powershell": check_powershell,
}

POLICY_WORDS = set(Policy.model_fields)
RUNTIME_WORDS = {"project", "env", "providers", "roles", "catalog"}


def check_yaml(block: Block, data: dict[str, Any]) -> None:
    """Read by what reads it: the policy's reader, the library's, or LiteLLM's own words."""
    words = set(data)
    if block.page == "docs/LIBRARY.md" or "roles" in words:
        whole = {"providers": {"openai": {}}, "roles": {}, **data}
        parse_config(yaml.safe_dump(whole), str(block))
    elif words <= POLICY_WORDS:
        whole = {
            "version": 1,
            "providers": {name: {} for name in ("anthropic", "openrouter")},
            "allow": [{"match": "*"}],
            **data,
        }
        text = block.text if {"version", "providers", "allow"} <= words else yaml.safe_dump(whole)
        load_policy(text, str(block))
    else:
        assert words in ({"model_list", "router_settings"}, {"services"}), words


@pytest.mark.parametrize("block", list(blocks()), ids=str)
def test_a_block_of_the_documentation_is_right(block: Block) -> None:
    if listed(block, RUN_ELSEWHERE) or listed(block, NO_CODE):
        return
    if block.language in OTHER_READERS:
        OTHER_READERS[block.language](block.text)
        return
    if block.page == "docs/LIBRARY.md" and not re.match(r"[a-z]+:", block.lines[0]):
        return  # Python: test_runtime_acceptance.py runs it all as one program
    if block.lines[0].startswith("from rollcall import"):
        return  # README's: run below
    data: Any = None
    if re.match(r"[\w-]+:( |$)", block.lines[0]):
        data = yaml.safe_load(block.text.replace("...", "# ..."))
    if isinstance(data, dict):
        check_yaml(block, data)
        return
    for line in block.lines:
        check_shell(line)


def test_what_is_listed_still_stands_there() -> None:
    found = [f"{block.page} {block.text}" for block in blocks()]
    for start in [*NO_CODE, *RUN_ELSEWHERE]:
        assert any(text.startswith(start) for text in found), start


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_between_backticks_can_be_typed(page: Path) -> None:
    name = page.relative_to(ROOT).as_posix()
    for where, text in inline():
        if where != name:
            continue
        cleaned = re.sub(r"\[[^\]]*\]|…|\.\.\.", "", text)
        words = cleaned.split()
        if not words or words[0] not in {"rollcall", *COMMANDS} or len(words) == 1:
            continue
        if words[0] != "rollcall" and not words[1].startswith("--"):
            continue
        check_rollcall(words[1:] if words[0] == "rollcall" else words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)", text):
        target = page.parent / found[1] if found[1] else page
        assert target.exists(), found[0]
        if found[2] and target.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}
            assert found[2][1:] in anchors, found[0]


def block_of(page: str, start: str) -> Block:
    """The block of a page that begins so."""
    (found,) = (
        block for block in blocks() if f"{block.page} {block.text}".startswith(f"{page} {start}")
    )
    return found


@pytest.mark.skipif(os.name == "nt", reason="Windows: lines for a POSIX shell")
class TestRunInAShell:
    @pytest.fixture
    def tools(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
        """`rollcall` and a stand-in for litellm on PATH."""
        made = StandIns(tmp_path / "tools", tmp_path / "starts.jsonl")
        made.add("litellm", python=OF_NO_ENVIRONMENT, says=False)
        made.add("prod_entrypoint.sh", python=OF_NO_ENVIRONMENT, says=False)
        rollcall = made.folder / "rollcall"
        rollcall.write_text(
            f"#!{sys.executable}\nfrom rollcall.__main__ import main\nmain()\n", encoding="utf-8"
        )
        rollcall.chmod(0o755)
        monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("ROLLCALL_LITELLM", str(made.folder / "litellm"))
        return made

    def run(self, house: House, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script with the shell's `-e`, as a CI job does."""
        return subprocess.run(
            ["sh", "-ec", script],
            cwd=house.folder,
            env=dict(os.environ),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def test_the_ci_job_without_github(self, house: House, tools: StandIns) -> None:
        house.write_policy("allow: [{family: claude-sonnet, newest: 1}]\n", "anthropic")
        script = block_of("docs/CI.md", "code=0").text
        first = self.run(house, script)
        assert first.returncode == 0, first.stderr
        assert "anthropic/claude-sonnet-5" in house.names()
        assert (house.folder / "body.md").is_file()
        assert self.run(house, script).stdout.endswith("nothing to do\n")
        house.policy.write_text("version: 9\n", encoding="utf-8")
        assert self.run(house, script).returncode == 1

    def test_the_ways_to_start(self, house: House, tools: StandIns) -> None:
        house.write_policy("allow: [{family: claude-sonnet, newest: 1}]\n", "anthropic")
        (house.folder / "docker").mkdir()
        (house.folder / "docker" / "prod_entrypoint.sh").symlink_to(
            tools.folder / "prod_entrypoint.sh"
        )
        lines = [
            *block_of("docs/START.md", "rollcall start").lines,
            "rollcall start --discover -- --port 4000",
        ]
        assert lines[-1] in block_of("README.md", "rollcall start").text
        config = str(house.config)
        for line in lines:
            done = self.run(house, line)
            assert done.returncode == 0, done.stderr
        started = [(one.name, one.argv) for one in tools.starts()]
        assert started == [
            ("litellm", ["--config", config]),
            ("litellm", ["--config", config, "--port", "4000"]),
            ("prod_entrypoint.sh", ["--port", "4000", "--config", config]),
            ("litellm", ["--config", config]),
            ("litellm", ["--config", config, "--port", "4000"]),
        ]
        assert "anthropic/claude-sonnet-5" in house.names(), "the fourth line asks first"


def test_the_library_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORCH_AUTH_OPENAI_DEFAULT_API_KEY", KEY)
    with simulated("openai") as server:
        file = yaml.safe_load(block_of("README.md", "project: my-app").text)
        file["providers"]["openai"]["api_base"] = f"{server.url}/v1"
        Path("llm_orchestrator.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")
        program: dict[str, Any] = {}
        exec(compile(block_of("README.md", "from rollcall").text, "README.md", "exec"), program)
        program["client"].close()
    assert capsys.readouterr().out.endswith("openai gpt-5.4-mini\n")
