"""Draws docs/terminal.svg: what `rollcall` really prints in the demo, in the colours of a terminal.

make picture        (or: python -m tests.tools.terminal_picture)
"""

from __future__ import annotations

import html
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from rollcall.cli import demo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "terminal.svg"
WIDTH = 100
NOON = "1795176000"
"""2026-11-20, 12:00 UTC: ages and dates are those of that day."""
FOLDER = "/srv/litellm"


def screen() -> str:
    """What a person sees: a plan, the writing, and a run while one provider is broken."""
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-picture-") as name,
        demo.simulated_providers() as providers,
    ):
        folder = Path(name)
        demo.write_files(folder, providers)
        environ = {
            **demo.environment(),
            "SOURCE_DATE_EPOCH": NOON,
            "ROLLCALL_FORCE_TTY": str(WIDTH),
            "TERM": "xterm-256color",
        }
        environ.pop("NO_COLOR", None)
        lines = [_typed("plan -q"), _run(folder, environ, "plan", "-q")]
        lines += [_typed("apply -q"), _run(folder, environ, "apply", "-q")]
        providers.broken = demo.BROKEN
        lines += [_typed("apply       # gemini answers with an error page")]
        lines += [_run(folder, environ, "apply")]
        text = "\n".join(line for line in lines if line)
        return text.replace(str(folder.resolve()), FOLDER).replace(str(folder), FOLDER)


def _typed(line: str) -> str:
    return f"\x1b[1m$ rollcall {line}\x1b[0m"


def _run(folder: Path, environ: Mapping[str, str], *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "rollcall", *args],
        cwd=folder,
        env=dict(environ),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.stdout.rstrip("\n")


def drawn(text: str) -> str:
    """The screen as an SVG that asks nobody for a font."""
    import io

    from rich.console import Console
    from rich.text import Text

    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="standard"
    )
    console.print(Text.from_ansi(text), soft_wrap=False, highlight=False)
    made = console.export_svg(title="rollcall", unique_id="rollcall")
    made = re.sub(r"@font-face \{.*?\}", "", made, flags=re.DOTALL)
    made = made.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
    return "\n".join(line.rstrip() for line in made.splitlines() if line.strip()) + "\n"


def words_of(picture: str) -> list[str]:
    """Each line's characters, without blanks: what a reader of the picture reads."""
    lines: dict[int, str] = {}
    for number, text in _pieces(picture):
        lines[number] = lines.get(number, "") + "".join(html.unescape(text).split())
    return [lines[number] for number in sorted(lines) if lines[number]]


def _pieces(picture: str) -> Iterator[tuple[int, str]]:
    found = re.finditer(r'clip-path="url\(#rollcall-line-(\d+)\)">([^<]*)</text>', picture)
    yield from ((int(one[1]), one[2]) for one in found)


def plain(text: str) -> list[str]:
    """The lines of a screen, long ones folded, without colours and blanks and empty ones."""
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = (part for line in bare.splitlines() for part in textwrap.wrap(line, WIDTH))
    return [joined for line in lines if (joined := "".join(line.split()))]


if __name__ == "__main__":
    PICTURE.write_text(drawn(screen()), encoding="utf-8", newline="\n")
