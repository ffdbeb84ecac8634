"""The code of the documentation: every block of every page, and every command between backticks."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code: its page, its first line, its text, and the language its fence says."""

    page: str
    line: int
    text: str
    language: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """Its lines that say something, with those that a backslash continues made one."""
        whole = re.sub(r"\\\n\s*", "", self.text)
        return [line for line in whole.splitlines() if line.strip()]


def blocks() -> Iterator[Block]:
    """Every fenced or indented block of every page."""
    for page in PAGES:
        lines = page.read_text(encoding="utf-8").splitlines()
        name = page.relative_to(ROOT).as_posix()
        at = 0
        while at < len(lines):
            begin, fenced = at, lines[at].startswith("```")
            if fenced:
                at = lines.index("```", at + 1)
                inside = "\n".join(lines[begin + 1 : at])
                yield Block(name, begin + 1, inside, lines[begin][3:])
            elif lines[at].startswith("    ") and not lines[at - 1].strip():
                while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                    at += 1
                text = textwrap.dedent("\n".join(lines[begin:at])).rstrip()
                yield Block(name, begin + 1, text)
                continue
            at += 1


def inline() -> Iterator[tuple[str, str]]:
    """Each page's name with each text between backticks outside its blocks."""
    for page in PAGES:
        text = re.sub(
            r"^(    |```[\s\S]*?^```).*$", "", page.read_text("utf-8"), flags=re.MULTILINE
        )
        for found in re.finditer(r"`([^`]+)`", text):
            yield page.relative_to(ROOT).as_posix(), " ".join(found[1].split())
