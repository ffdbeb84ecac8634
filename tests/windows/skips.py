"""Says how many tests were skipped on Windows, and for which reasons; of a whole run, holds that
against skips.txt.

    python3 tests/windows/skips.py REPORT.xml [--all]

The report is pytest's JUnit file. With `--all` every reason has to stand in skips.txt, and be there
as often as it says; one that depends on the machine (what is installed, what lies beside the
checkout) has `any` for its number.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

PINNED = Path(__file__).with_name("skips.txt")


def skips_of(report: Path) -> tuple[Counter[str], str]:
    """How many tests were skipped for each reason, and the closing line."""
    root = ET.parse(report).getroot()
    suites = list(root.iter("testsuite"))
    total = {
        name: sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    }
    reasons: Counter[str] = Counter()
    for skipped in root.iter("skipped"):
        if skipped.get("type") != "pytest.xfail":
            reason = skipped.get("message") or ""
            if reason == "collection skipped":  # a whole module
                reason = (skipped.text or "").rpartition("Skipped: ")[2].rstrip("')\"")
            reasons[" ".join(reason.split())] += 1
    passed = total["tests"] - total["failures"] - total["errors"] - total["skipped"]
    failed = total["failures"] + total["errors"]
    again = f" ({failed} of them at the second try)" if failed else ""
    return reasons, f"{passed + failed} passed{again}, {total['skipped']} skipped"


def pinned() -> dict[str, int | None]:
    """The number of each reason, None where it depends on the machine."""
    numbers: dict[str, int | None] = {}
    for line in PINNED.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\s*(\d+|any)  (\S.*)", line):
            numbers[found[2]] = None if found[1] == "any" else int(found[1])
    return numbers


def complaints(found: Counter[str], expected: dict[str, int | None]) -> list[str]:
    """What differs, a line each."""
    said = [f"a reason that is not there: {reason}" for reason in found if reason not in expected]
    return said + [
        f"{found[reason]} instead of {number}: {reason}"
        for reason, number in expected.items()
        if number is not None and found[reason] != number
    ]


def main() -> int:
    """Print the closing line with the reasons; 1 where skips.txt does not hold."""
    found, closing = skips_of(Path(sys.argv[1]))
    print(f"On Windows' Python under Wine: {closing}")
    for reason, number in sorted(found.items()):
        print(f"{number:>5}  {reason}")
    wrong = complaints(found, pinned()) if "--all" in sys.argv else []
    for line in wrong:
        print(f"tests/windows/skips.txt: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
