"""Commands as the pages print them, run one after the other, and what they really say."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.house import House

FOLDER = "/srv/litellm"
"""What the pages call the folder of config.yaml."""


def steps(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each `$ command` of a page's code blocks, with the lines printed below it."""
    command = ""
    printed: list[str] = []
    for line in [*page.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("    $ "):
            if command:
                yield command, printed
            command, printed = line.removeprefix("    $ "), []
        elif command and line.startswith("    "):
            printed.append(line[4:].rstrip())
        elif command and line.strip():
            yield command, printed
            command, printed = "", []
        elif command:
            printed.append("")
    if command:
        yield command, printed


def says(house: House, command: str) -> list[str]:
    """What a command says in the house, as a page prints it."""
    words = shlex.split(command)
    if words[0] == "cat":
        text = (house.folder / words[1]).read_text(encoding="utf-8")
    else:
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            house.monkeypatch.setenv(name, value)
        text = house.run(*words[1:]).text
    shown = text.replace(str(house.folder), FOLDER).replace(FOLDER + os.sep, FOLDER + "/")
    return [line.rstrip() for line in re.sub(r"http://127\.0\.0\.1:\d+", "URL", shown).splitlines()]


def agrees(printed: list[str], said: list[str]) -> bool:
    """Whether the printed lines are what was said; a line `...` stands for any lines."""
    parts = [re.escape(line) for line in "\n".join(printed).strip().splitlines()]
    pattern = "\n".join(parts).replace(r"\.\.\.", r"[\s\S]*?")
    return re.fullmatch(pattern, "\n".join(said).strip()) is not None
