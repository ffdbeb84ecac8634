"""`python -m benchmarks.in_process FILE`: one file, ours and ruamel.yaml's round trip.

Both without the interpreter, the imports and the disk. Prints {"ours", "ruamel"} in seconds; ours
is the best of five, ruamel's of one to three, as it takes so long. CPU time: other work on the
machine would count otherwise.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

OURS = 30


def main() -> None:
    """Measure and print."""
    raw = Path(sys.argv[1]).read_bytes()
    repeats = 3 if len(raw) < 1_000_000 else 1
    times = {"ours": best(5, lambda: ours(raw)), "ruamel": best(repeats, lambda: ruamel(raw))}
    sys.stdout.write(json.dumps(times))


def best(repeats: int, work: Callable[[], object]) -> float:
    """The shortest of some runs, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def ours(raw: bytes) -> bytes:
    """Read the config, compare, put our entries in, read back and compare again."""
    from rollcall.litellm_config import document, writing

    blocks = document.Blocks(
        models=tuple(entry(index) for index in range(OURS)),
        aliases={"default": "managed-0", "cheap": "managed-1"},
        fallbacks=(),
    )
    result = writing.with_blocks(document.parse(raw), blocks)
    assert result != raw
    return result


def entry(index: int) -> dict[str, Any]:
    """One managed entry."""
    return {
        "model_name": f"managed-{index}",
        "litellm_params": {"model": f"openrouter/acme/m-{index}", "api_key": "os.environ/KEY"},
        "model_info": {
            "id": f"rollcall/openrouter/acme/m-{index}",
            "managed_by": "rollcall",
            "max_input_tokens": 128000,
            "input_cost_per_token": 1e-06,
        },
    }


def ruamel(raw: bytes) -> str:
    """Load and dump."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    out = StringIO()
    yaml.dump(yaml.load(raw.decode()), out)
    return out.getvalue()


if __name__ == "__main__":
    main()
