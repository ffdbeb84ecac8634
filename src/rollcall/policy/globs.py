"""Patterns over model ids: `*` is any run of characters, `?` is one. Pure.

Not `fnmatch`: ids hold slashes and brackets, case matters on every system, and nothing but `*` and
`?` is special.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

WILD = re.compile(r"[*?]")


class Glob(NamedTuple):
    """One compiled pattern.

    Attributes:
        literal: nothing in it is special: it names one id exactly.
        prefix: what every match begins with; narrows a sorted list of ids.
        core: the longest plain text in every match; cheaper to look for than the whole pattern.
    """

    text: str
    literal: bool
    prefix: str
    core: str
    matches: Callable[[str], object]


@lru_cache(maxsize=4096)
def compile_glob(text: str) -> Glob:
    """Compile a pattern once; a match takes time linear in the id, whatever the pattern."""
    special = WILD.search(text)
    if special is None:
        return Glob(text, literal=True, prefix=text, core=text, matches=text.__eq__)
    expression = re.compile(_translate(text), re.DOTALL)
    core = max(WILD.split(text), key=len)
    prefix = text[: special.start()]
    return Glob(text, literal=False, prefix=prefix, core=core, matches=expression.fullmatch)


def _translate(text: str) -> str:
    """The pattern as a regular expression; atomic groups keep many stars from backtracking."""
    parts = [re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", text)]
    if len(parts) == 1:
        return parts[0]
    first, *middle, last = parts
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"
