"""An explanation for people: stage by stage, with the verdict of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.report.text import out, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollcall.explain import Explanation

MARKS = {"ok": "[ok]", "stop": "[STOP]", "info": "-"}


def show_explanations(explanations: Iterable[Explanation], *, as_json: bool = False) -> None:
    """Print explanations to stdout."""
    if as_json:
        import json
        from dataclasses import asdict

        out(json.dumps([asdict(row) for row in explanations], indent=2))
        return
    for explanation in explanations:
        out(f"{explanation.kind} {printable(explanation.name)}")
        for stage in explanation.stages:
            out(f"  {MARKS[stage.verdict]} {stage.title}")
            for line in stage.lines:
                out(f"      {printable(line)}")
        out()
