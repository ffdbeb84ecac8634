"""The simulated catalogs: recorded rows in each provider's shape, as of autumn 2026.

Those of the providers that `rollcall demo` shows are the demo's own replies.
"""

from __future__ import annotations

import json
from pathlib import Path

from rollcall.cli.demo import REPLIES
from rollcall.providers.builtin import BUILTIN

ROWS = Path(__file__).with_name("rows")
Rows = list[dict[str, object]]

MAIN = (
    "openrouter", "xai", "gemini", "perplexity", "openai", "anthropic", "deepseek", "qwen",
)  # fmt: skip
"""Those of the shipped policy."""

NAMES = tuple(dict.fromkeys((*MAIN, *BUILTIN)))
"""The providers that are simulated: every built-in one."""


def rows_of(provider: str) -> Rows:
    """Fresh rows of one provider, free to be changed."""
    path = REPLIES / f"{provider}.json"
    if not path.exists():
        path = ROWS / f"{provider}.json"
    reply = json.loads(path.read_bytes())
    rows: Rows = reply if isinstance(reply, list) else reply.get("data") or reply["models"]
    return rows


def many_rows(count: int) -> list[dict[str, object]]:
    """`count` OpenRouter rows: the catalog, then copies of it by makers that do not exist."""
    rows = rows_of("openrouter")
    found = list(rows)
    while len(found) < count:
        turn = len(found) // len(rows)
        for row in rows:
            author, _, name = str(row["id"]).lstrip("~").partition("/")
            found.append({**row, "id": f"{author}-{turn}/{name}", "alias_target": None})
    return found[:count]
