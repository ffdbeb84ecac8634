"""Writes docs/LITELLM.md: what LiteLLM does with every trap, and what rollcall says of it.

    python -m tests.tools.litellm_matrix          # some four minutes, with litellm installed
    python -m tests.tools.litellm_matrix includ   # new cases and those with these letters only

Each case runs on LiteLLM itself (tests/litellm_matrix.py). tests/test_litellm_matrix.py fails where
a row is no longer what happens.
"""

from __future__ import annotations

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from rollcall.inspect.releases import CHANGES
from tests.litellm_cases import CASES
from tests.litellm_matrix import Bench, disagreements, observe, row, upstream
from tests.proxy_forks import running_forks

TARGET = Path(__file__).parents[2] / "docs" / "LITELLM.md"
HEAD = """\
# What LiteLLM does with a config, and what rollcall says of it

LiteLLM checks little of its config. Some mistakes end its start with a traceback that names no
place, some drop an entry or break calls with a line in the log, some have no effect. Each row below
was run on LiteLLM {version}'s own proxy: a good entry, `good`, with what the first column says
(`odd` is an entry, `best` an alias; `dead` is an entry whose provider is down).

* *LiteLLM*: whether it starts, which names of the file `/v1/models` does not list, which calls do
  not answer 200.
* *doctor*: what `rollcall doctor` finds. An error: it does not start, a name does not answer, or a
  key is at risk.
* *--validate*: what `rollcall apply --validate` does with it as a new config, over a present one
  that is well. It refuses what LiteLLM's own `--validate_config` refuses, which does not look at
  the master key, the database, or the packages that some callbacks need, and what LiteLLM would
  drop and did not drop before. MCP servers are left out of it: with them, that check does not end.
* *smoke*: what `rollcall smoke --all` says of the running proxy.

The table is made by `python -m tests.tools.litellm_matrix` and held against the proxy by
`tests/test_litellm_matrix.py`. The types of an entry's fields are those of LiteLLM's own models
(`src/rollcall/litellm_config/litellm_fields.json`, made by `python -m tests.tools.litellm_fields`).

What LiteLLM does otherwise from some release on, doctor tells of the one that is installed; where
that is not known it tells both, and what a newer one takes is a warning. Seen on 1.108.14, 1.109.0,
1.109.3, 1.110.0 and 1.110.2, with the proxy's other packages of 1.108.7 (their own `proxy` extra
could not be installed). All other rows came out the same on 1.110.2.

"""
OTHERWISE = "| finding | place | from | what LiteLLM does then |\n|-|-|-|-|\n"
NAMES = """
A model whose name YAML reads as a number or a day is served under its text from 1.110.0 on; aliases
and fallbacks reach it by that.
"""
COLUMNS = "| config | LiteLLM | doctor | --validate | smoke |\n|-|-|-|-|-|\n"


def main(letters: str = "") -> int:
    """Run the cases and write the page; 1 where something disagrees."""
    parts, wrong = [HEAD.format(version=version("litellm")) + changes()], 0
    known = _known_rows() if letters else {}
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        with running_forks(top) as forks, upstream() as url:
            bench = Bench(forks, forks.write_command(top / "litellm"), url)
            for group, cases in CASES.items():
                rows = []
                for number, case in enumerate(cases):
                    if case.trap in known and letters not in case.trap:
                        rows.append(known[case.trap])
                        continue
                    folder = top / f"{group} {number}"
                    folder.mkdir()
                    one = observe(case, folder, bench)
                    rows.append(row(one))
                    for problem in disagreements(one):
                        wrong += 1
                        print(f"{case.trap}: {problem}", file=sys.stderr)  # noqa: T201
                parts.append(f"\n## {group}\n\n{COLUMNS}" + "\n".join(rows) + "\n")
    TARGET.write_text("".join(parts), encoding="utf-8", newline="\n")
    return int(wrong > 0)


def changes() -> str:
    """The table of what changed with a release."""
    rows = [
        f"| `{code}` | {f'`{place}`' if place else 'any'} | {change.since}"
        f" | {change.now or 'takes it'} |\n"
        for (code, place), change in CHANGES.items()
    ]
    return OTHERWISE + "".join(rows) + NAMES


def _known_rows() -> dict[str, str]:
    """Trap -> its row, as the page has it."""
    lines = [line for line in TARGET.read_text("utf-8").splitlines() if line.startswith("| ")]
    return {line[2:].partition(" | ")[0].replace("\\|", "|"): line for line in lines}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
