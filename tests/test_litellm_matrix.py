"""doctor, --validate and smoke say of each trap what LiteLLM does with it: on LiteLLM itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rollcall.inspect.doctor import examine
from rollcall.inspect.surroundings import code_page_findings
from rollcall.litellm_config import fields
from rollcall.settings import resolve
from tests.litellm_cases import CASES, HEAD, Case
from tests.litellm_matrix import Bench, disagreements, listed_names, observe, row, upstream
from tests.litellm_proxy import MASTER_KEY, OFFLINE, litellm_command
from tests.platforms import not_on_windows
from tests.proxy_forks import running_forks

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.litellm,
    not_on_windows("no fork"),
    pytest.mark.skipif(sys.platform == "darwin", reason="macOS: no waiting without reaping"),
]

TABLE = Path(__file__).parents[1] / "docs" / "LITELLM.md"
FIELDS = Path(fields.__file__).with_name("litellm_fields.json")
ALL = [(group, case) for group, cases in CASES.items() for case in cases]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """LiteLLM, imported once; a provider."""
    folder = tmp_path_factory.mktemp("forks")
    with running_forks(folder) as forks, upstream() as url:
        yield Bench(forks, forks.write_command(folder / "litellm"), url)


@pytest.mark.parametrize(
    "case", [case for _, case in ALL], ids=[f"{group}: {case.trap}" for group, case in ALL]
)
def test_what_litellm_does_is_what_we_say(case: Case, bench: Bench, tmp_path: Path) -> None:
    one = observe(case, tmp_path, bench)
    assert list(disagreements(one)) == [], row(one)
    assert row(one) in TABLE.read_text(encoding="utf-8"), f"not in the table: {row(one)}"


VALUES = ["text", "12", 12, 1.5, True, ["a"], [1], {"a": 1}, {"a": "b"}, date(2024, 2, 1)]
"""One of every kind that YAML has."""
FIELDS_EACH = 2
NOT_TRIED = {
    "model",
    "api_base",
    "custom_llm_provider",
    "access_windows",
    "blocked",
    "id",
    "tag_regex",
}
"""What has an effect beyond its type."""


def typed_entries() -> dict[str, tuple[str, str, Any]]:
    """Name of an entry -> the section, field and value it tries: some fields of every type."""
    table = json.loads(FIELDS.read_text(encoding="utf-8"))
    tried = [
        (section, field, value)
        for section in ("litellm_params", "model_info")
        for fields in table[section].values()
        for field in [one for one in fields if one not in NOT_TRIED][:FIELDS_EACH]
        for value in VALUES
    ]
    return {f"n{number}": row for number, row in enumerate(tried)}


def test_a_value_that_does_not_fit_its_type_is_what_litellm_drops(
    bench: Bench, tmp_path: Path
) -> None:
    """Every type of the table, with a value of every kind, in one proxy."""
    tried = typed_entries()
    rows = []
    for name, (section, field, value) in tried.items():
        row: dict[str, Any] = {"model_name": name, "litellm_params": {"model": f"openai/{name}"}}
        row.setdefault(section, {})[field] = value
        rows.append(row)
    listed = listed_names(yaml.safe_dump({"model_list": rows}), bench, tmp_path)
    wrong = {}
    for name, one in tried.items():
        misfit = fields.misfit(*one)
        dropped = misfit is not None and misfit.consequence is fields.Consequence.DROPPED
        if dropped is (name in listed):
            wrong[name] = (*one, "listed" if name in listed else "dropped")
    assert not wrong, "\n".join(map(repr, wrong.items()))


def test_the_table_is_that_of_the_installed_litellm() -> None:
    """Where it is not: python -m tests.tools.litellm_fields, and look at what changed."""
    code = (
        "from tests.tools.litellm_fields import *; import sys; sys.stdout.write(text_of(table()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=TABLE.parents[1],
        env={**os.environ, **OFFLINE, "PYTHONPATH": str(TABLE.parents[1]), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    made = json.loads(done.stdout[done.stdout.index("{") :])
    known = json.loads(FIELDS.read_text(encoding="utf-8"))
    if made["litellm"] != known["litellm"]:
        pytest.skip(f"made with litellm {known['litellm']}, here is {made['litellm']}")
    assert made == known


def validated(config: Path, **environ: str) -> int:
    """The exit code of LiteLLM's own check, started anew: what a process reads files in is settled
    at its start.
    """
    args = [str(litellm_command()), "--config", str(config), "--validate_config"]
    variables = {"PATH": os.environ["PATH"], "HOME": str(config.parent), **OFFLINE, **environ}
    return subprocess.run(args, env=variables, capture_output=True, check=False).returncode


def test_a_code_page_without_the_letters_of_a_name_ends_the_start(tmp_path: Path) -> None:
    """ASCII is the one that every system has."""
    config = tmp_path / "config.yaml"
    config.write_text(HEAD.replace("good", "café"), encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    [finding] = code_page_findings({"config.yaml": config.read_bytes()}, "ascii")
    assert "it does not start" in finding.what
    assert "PYTHONUTF8=1" in finding.fix
    assert validated(config, **ascii_only) == 1
    assert validated(config, **ascii_only | {"PYTHONUTF8": "1"}) == 0


def test_a_folder_for_a_config_ends_the_start(bench: Bench, tmp_path: Path) -> None:
    """Docker makes one where the file that is to be mounted is not there."""
    config = tmp_path / "config.yaml"
    config.mkdir()
    environ = {"PATH": os.environ["PATH"], "LITELLM_MASTER_KEY": MASTER_KEY, **OFFLINE}
    log = tmp_path / "litellm.log"
    started = bench.forks.start(["--config", str(config), "--port", "1"], tmp_path, environ, log)
    code = started.exit_code(60)
    started.stop()
    assert code not in (0, None)
    found = examine(resolve(cwd=tmp_path, environ={**environ, "ROLLCALL_LITELLM": "none"}))
    assert "folder_for_file" in {one.code for one in found if "does not start" in one.what}
