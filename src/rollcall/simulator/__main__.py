"""`python -m rollcall.simulator`: the simulated providers in the foreground.

Prints one line of JSON, {"urls": {provider: base_url}, "environ": {variable: key}}, and answers
until interrupted. Benchmarks use it as a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import threading

from rollcall.simulator.catalogs import MAIN, NAMES, rows_of
from rollcall.simulator.faults import Fault
from rollcall.simulator.simulator import Simulator


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m rollcall.simulator", description=__doc__)
    parser.add_argument("--openrouter-rows", type=int, help="repeat OpenRouter's rows up to N")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--hang", action="append", default=[], choices=NAMES)
    parser.add_argument("--gzip", action="store_true", help="compress, as real providers do")
    options = parser.parse_args(arguments)
    with Simulator(compress=options.gzip) as sim:
        if options.openrouter_rows:
            sim.set_rows("openrouter", many_rows(options.openrouter_rows))
        for name in NAMES:
            if name in options.hang:
                sim.fault(name, Fault.HANG)
            elif options.latency:
                sim.fault(name, Fault.DELAY, seconds=options.latency)
        urls = {name: sim.url(name) for name in NAMES}
        sys.stdout.write(json.dumps({"urls": urls, "environ": sim.environ(*MAIN)}) + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


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


if __name__ == "__main__":
    main()
