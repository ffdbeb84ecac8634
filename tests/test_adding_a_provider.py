"""The steps of docs/ADDING_A_PROVIDER.md, taken in a copy of the source with the row shown there:
what runs over every provider then runs over the new one, too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.platforms import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
HOW_TO = (ROOT / "docs" / "ADDING_A_PROVIDER.md").read_text(encoding="utf-8")
ROW = re.search(r"^ +Provider\(\n.*?^ +\),$", HOW_TO, re.MULTILINE | re.DOTALL)
POLICY = re.search(r'echo "(.*)" > policy.yaml', HOW_TO)
REPLY = [
    {"id": "falcon-2", "object": "model", "owned_by": "acme", "context_length": 128_000},
    {"id": "falcon-2-mini", "object": "model", "owned_by": "acme", "context_length": 64_000},
]
USED = """
import os
from pathlib import Path
from rollcall import get_llm_client
from rollcall.__main__ import run
from tests.simulator import Simulator

with Simulator() as sim:
    os.environ["ACME_API_KEY"] = sim.key("acme")
    at = f"{{base_url: {sim.url('acme')}}}"
    Path("policy.yaml").write_text(POLICY.replace("acme: {}", f"acme: {at}"))
    assert run(["models", "--refresh"]) == 0
    assert run(["explain", "acme/falcon-2", "--refresh"]) == 0
    Path("llm_orchestrator.yaml").write_text(
        f"providers: {{acme: {at.replace('base_url', 'api_base')}}}\\n"
        "roles: {chat: {provider: acme, model: falcon-2}}\\n"
    )
    with get_llm_client() as client:
        print(client.run("chat", [{"role": "user", "content": "Hello"}]).content)
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python in a copy of the source in which steps 1 and 3 are done."""
    there = tmp_path_factory.mktemp("copy")
    for folder in ("src", "tests", "docs"):
        without = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / folder, there / folder, ignore=without)
    for file in ("pyproject.toml", "policy.yaml"):
        shutil.copy(ROOT / file, there)
    table = there / "src" / "rollcall" / "providers" / "builtin.py"
    assert ROW, "the how-to shows a row"
    text = table.read_text(encoding="utf-8")
    before, end, after = text.partition(")\n\nBUILTIN")
    table.write_text(before + textwrap.dedent(ROW[0]) + "\n" + end + after, encoding="utf-8")
    reply = there / "tests" / "simulator" / "rows" / "acme.json"
    reply.write_text(json.dumps(REPLY), encoding="utf-8")

    def run(*args: str, cwd: Path = there) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join((str(there / "src"), str(there)))
        return subprocess.run(
            [sys.executable, *args],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120 * PATIENCE,
        )

    for page, command in (
        ("PROVIDERS.md", ("-m", "tests.providers_page")),
        ("policy.schema.json", ("-m", "rollcall", "schema")),
    ):
        done = run(*command)
        assert done.returncode == 0, done.stderr
        (there / "docs" / page).write_text(done.stdout, encoding="utf-8")
    return run


def test_what_runs_over_every_provider_runs_over_it(run: Run) -> None:
    pages = ["tests/test_providers_page.py", "tests/test_policy.py", "tests/test_simulator.py"]
    each = ["tests/test_providers_shapes.py", "tests/test_providers_registry.py"]
    only = "[acme] or -acme] or up_to_date or simulated_and_nobody_else"
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", only, *pages, *each)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 8, done.stdout


def test_it_is_listed_explained_and_called_with_nothing_but_its_row(
    run: Run, tmp_path: Path
) -> None:
    assert POLICY, "the how-to shows a policy"
    done = run("-c", f"POLICY = {POLICY[1]!r}\n" + USED, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    listed, explained = done.stdout.split("model acme/falcon-2\n")
    assert [line.split("\t")[0] for line in listed.splitlines()] == [
        "acme/falcon-2",
        "acme/falcon-2-mini",
    ]
    assert "context: 128000   [context_length" in explained
    assert "falcon-2 heard: Hello" in explained
