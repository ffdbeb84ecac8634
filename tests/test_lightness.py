"""What each command imports, asks and counts: never a time, so that it holds on any machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from types import CodeType, FrameType
from typing import Any

import pytest

from rollcall import startup
from rollcall.catalog.model import Model, Price
from rollcall.cli.app import app, app_for, name_of
from rollcall.litellm_config import document, writing
from rollcall.litellm_config.text import LoadedYaml
from rollcall.policy import schema
from rollcall.selection.admission import admit
from rollcall.selection.rule import RuleContext
from tests.house import House
from tests.platforms import not_on_windows

HEAVY = frozenset(
    {
        "anyio",
        "asyncio",
        "fastapi",
        "filelock",
        "httpx",
        "litellm",
        "pydantic",
        "rich",
        "ruamel.yaml",
        "ssl",
        "typer",
        "uvicorn",
        "yaml",
    }
)
NEVER = frozenset({"fastapi", "litellm", "rich", "ruamel.yaml", "uvicorn"})
"""What no command needs but those that draw a table, serve, or write ruamel's YAML."""

RULES = """
allow:
  - {family: claude-sonnet, from: [anthropic], newest: 2, name: "{id}"}
  - {family: gpt, from: [openai], newest: 1}
  - {match: "qwen/*", from: [openrouter], newest: 1, max: 2}
"""


def imported(*args: str) -> set[str]:
    """The modules a process of this interpreter imports, up to its end or to the command."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", *args],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    lines = [line for line in ran.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.fixture
def applied(house: House) -> House:
    """A folder where one apply has been done."""
    house.write_policy(RULES)
    house.applied()
    return house


def test_importing_the_package_imports_nothing_heavy() -> None:
    found = imported("-c", "import rollcall; rollcall.__version__")
    assert found & HEAVY == set()
    assert {name for name in found if name.startswith("rollcall")} == {
        "rollcall",
        "rollcall._version",
    }


def test_the_library_needs_no_command_line() -> None:
    found = imported("-c", "from rollcall import get_llm_client")
    assert found & (NEVER | {"typer", "rollcall.cli", "rollcall.sync.apply"}) == set()


def test_the_version_needs_only_the_command_line() -> None:
    found = imported("-m", "rollcall", "--version")
    assert found & (HEAVY - {"typer"} | {"hashlib"}) == set()
    assert (
        found & {"rollcall.sync.apply", "rollcall.policy.schema", "rollcall.catalog.model"} == set()
    )


@not_on_windows("a process cannot become another")
def test_a_start_within_the_time_to_live_reads_one_stamp(applied: House) -> None:
    applied.sim.requests.clear()
    litellm = shutil.which("true")  # a program that does nothing, whatever it is told
    assert litellm
    found = imported("-m", "rollcall", "start", "-q", "--discover", "--litellm", litellm)
    assert found & (HEAVY - {"typer"}) == set()
    assert "rollcall.sync.apply" not in found
    assert applied.sim.requests == []


@pytest.mark.parametrize("args", [("apply",), ("apply", "--json"), ("plan", "--json")])
def test_a_run_that_changes_nothing_imports_no_tables_and_no_editor(
    applied: House, args: tuple[str, ...]
) -> None:
    found = imported("-m", "rollcall", *args)
    assert "httpx" in found
    assert found & NEVER == set()
    unwanted = {
        "click",
        "rollcall.litellm_config.adoption",
        "rollcall.inspect.explain",
        "rollcall.inspect.inventory",
        "rollcall.runtime",
        "rollcall.service.app",
        "rollcall.cli.demo",
    }
    assert found & unwanted == set()


def test_a_quiet_run_that_changes_nothing_imports_nothing_that_tells_or_keeps_changes(
    applied: House,
) -> None:
    found = imported("-m", "rollcall", "apply", "-q")
    assert "httpx" in found
    reports = {f"rollcall.report.{name}" for name in ("changes", "plan", "tables")}
    assert found & (reports | {"rollcall.store.backups"}) == set()


@pytest.mark.parametrize(
    "args", [("models", "--json"), ("status", "--json"), ("apply", "--offline")]
)
def test_a_run_that_asks_nobody_imports_no_network(applied: House, args: tuple[str, ...]) -> None:
    applied.sim.requests.clear()
    found = imported("-m", "rollcall", *args)
    assert found & (NEVER | {"httpx", "anyio"}) == set()
    assert applied.sim.requests == []


def test_what_deciding_needs_is_not_imported_before_the_providers_are_asked() -> None:
    found = imported("-c", "import rollcall.sync.apply")
    assert found & set(startup.NEEDED_FOR_DECIDING) == set()


def test_each_provider_is_asked_once(applied: House) -> None:
    applied.sim.requests.clear()
    applied.applied()
    asked = [provider for provider, _ in applied.sim.requests]
    assert sorted(asked) == sorted(applied.sim.provider_policy())


def test_only_the_named_command_is_built() -> None:
    assert len(app_for(["apply", "--help"]).registered_commands) == 1
    assert app_for(["--version"]).registered_commands == []
    for words in ([], ["aply"], ["--help"]):
        names = [[name_of(row) for row in one.registered_commands] for one in (app_for(words), app)]
        assert names[0] == names[1]


# --- how the number of steps grows ---


def calls(work: Callable[[], object], only: CodeType | None = None) -> int:
    """How many Python functions `work` calls, or how often the one with this code."""
    count = 0

    def counted(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call" and only in (None, frame.f_code)

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def assert_linear(steps: list[int]) -> None:
    """Each doubling adds twice what the one before it added, give or take a tenth."""
    first, second = steps[1] - steps[0], steps[2] - steps[1]
    assert second <= 2.2 * first, steps


def models(count: int, tag: str) -> list[Model]:
    """A catalog of families with several versions, by many makers; ids differ by `tag`."""
    return [
        Model(
            provider="openrouter",
            id=f"maker{index % 40}{tag}/model{index % 97}-{index % 7}.{index % 10}-{index}b",
            litellm_model="x",
            released=date(2026, 1, 1 + index % 28),
            context=100_000,
            price=Price(),
            capabilities={"tools": True},
        )
        for index in range(count)
    ]


def rules(count: int, tag: str) -> dict[str, Any]:
    """A policy of patterns, families and single ids."""
    rows: list[dict[str, Any]] = []
    for index in range(count):
        word = (
            {"match": f"maker{index % 40}{tag}/*"},
            {"family": f"model{index % 97}-{index}b"},
            {"match": f"maker{index % 40}{tag}/nothing-{index}"},
        )[index % 3]
        rows.append({**word, "from": ["openrouter"], "newest": 1, "max": 3})
    return {"version": 1, "providers": {"openrouter": {}}, "allow": rows}


def admitting(model_count: int, rule_count: int) -> int:
    """The calls it takes to admit, from ids never read before."""
    tag = f"x{model_count}x{rule_count}"
    found = schema.Policy.model_validate(rules(rule_count, tag))
    catalog = {"openrouter": models(model_count, tag)}
    today = date(2026, 11, 20)
    return calls(lambda: admit(RuleContext(found, catalog, today)))


def test_admitting_grows_with_the_models_not_with_their_square() -> None:
    admitting(1, 1)  # imports are no steps
    assert_linear([admitting(count, 30) for count in (500, 1000, 2000)])


def test_rules_do_not_multiply_with_models() -> None:
    few, many = admitting(2000, 15), admitting(2000, 60)
    assert many <= 2.0 * few, (few, many)


def editing(entries: int) -> int:
    """The calls it takes to put one entry into a config of so many."""
    lines = [f"  - {{model_name: m{n}, litellm_params: {{model: a/b{n}}}}}" for n in range(entries)]
    raw = ("model_list:\n" + "\n".join(lines) + "\n").encode()
    entry = {
        "model_name": "ours",
        "litellm_params": {"model": "openai/x"},
        "model_info": {"id": "rollcall/openai/x", "managed_by": "rollcall"},
    }
    blocks = document.Blocks(models=(entry,), aliases={}, fallbacks=())
    return calls(lambda: writing.with_blocks(document.parse(raw), blocks))


def test_editing_grows_with_the_entries_not_with_their_square() -> None:
    editing(1)  # imports are no steps
    assert_linear([editing(count) for count in (200, 400, 800)])


def test_a_first_write_reads_the_file_once_and_the_result_once() -> None:
    raw = b"model_list:\n  - {model_name: mine, litellm_params: {model: a/b}}\n"
    entry = {
        "model_name": "x",
        "litellm_params": {"model": "a/x"},
        "model_info": {"id": "rollcall/a/x", "managed_by": "rollcall"},
    }
    blocks = document.Blocks(
        models=(entry,),
        aliases={"default": "x"},
        fallbacks=({"default": ["mine"]},),
    )
    readings = calls(
        lambda: writing.with_blocks(document.parse(raw), blocks),
        only=LoadedYaml.__init__.__code__,
    )
    assert readings == 2
