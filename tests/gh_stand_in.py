"""A stand-in for GitHub's command line, over one JSON file: the `gh` on a test's PATH."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ["GH_STATE"])


def option(name: str) -> str:
    """The value of an option."""
    return sys.argv[sys.argv.index(name) + 1]


def main() -> None:
    """List, create, edit or close a pull request."""
    state: dict[str, Any] = json.loads(STATE.read_text(encoding="utf-8"))
    state["calls"].append({"args": sys.argv[1:], "environment": dict(os.environ)})
    rows: list[dict[str, Any]] = state["pull_requests"]
    what = sys.argv[2]
    if what == "list":
        closed = option("--state") == "closed"
        branch = option("--head")
        print(json.dumps([r for r in rows if r["closed"] == closed and r["branch"] == branch]))
    elif what == "create" and state["refuses"]:
        STATE.write_text(json.dumps(state), encoding="utf-8")
        sys.exit("GitHub Actions is not permitted to create or approve pull requests")
    elif what == "create":
        number = len(rows) + 1
        url = f"https://git.example/{os.environ['GH_REPO']}/pull/{number}"
        rows.append(
            {
                "number": number,
                "url": url,
                "branch": option("--head"),
                "body": Path(option("--body-file")).read_text(encoding="utf-8"),
                "mergedAt": None,
                "isCrossRepository": False,
                "closed": False,
            }
        )
        print(url)
    else:
        row = rows[int(sys.argv[3]) - 1]
        if what == "edit":
            row["body"] = Path(option("--body-file")).read_text(encoding="utf-8")
        elif what == "close":
            row["closed"] = True
    STATE.write_text(json.dumps(state), encoding="utf-8")


main()
