"""Findings for people and programs: what is wrong, where, and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.doctor.findings import Level
from rollcall.report.text import out, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollcall.doctor.findings import Finding

MARKS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.ERROR: "ERROR  "}


def show_findings(findings: Sequence[Finding], *, as_json: bool = False) -> None:
    """Print every finding to stdout, the fix below it."""
    if as_json:
        import json
        from dataclasses import asdict

        out(json.dumps([asdict(finding) for finding in findings], indent=2))
        return
    for finding in findings:
        where = f"{printable(finding.where)}: " if finding.where else ""
        out(f"{MARKS[finding.level]} {where}{printable(finding.what)}")
        if finding.fix:
            out(f"        fix: {printable(finding.fix)}")
    errors = sum(finding.level is Level.ERROR for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    out(f"{errors} errors, {warnings} warnings.")
