"""What LiteLLM swallows in a config, or stops at without naming the place. Pure.

LiteLLM checks no duplicate key, no alias target and no fallback target, drops an entry it cannot
use with a line in its log, and ends with a long traceback that names no entry where it does stop.
Each trap here was seen on LiteLLM 1.106.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollcall.doctor.findings import Finding, at_most
from rollcall.doctor.traps.aliases import alias_traps
from rollcall.doctor.traps.entries import entry_traps
from rollcall.doctor.traps.fallbacks import fallback_traps
from rollcall.doctor.traps.secrets import secret_traps
from rollcall.doctor.traps.sections import section_traps
from rollcall.doctor.traps.site import Site
from rollcall.doctor.traps.text import text_traps

__all__ = ["Site", "find_traps"]


def find_traps(site: Site) -> tuple[Finding, ...]:
    """Every trap in one config, file order within each kind, at most ten of a kind."""
    return at_most(_all(site))


def _all(site: Site) -> Iterator[Finding]:
    yield from text_traps(site)
    if not site.data:
        return
    yield from section_traps(site)
    yield from entry_traps(site)
    yield from secret_traps(site)
    yield from alias_traps(site)
    yield from fallback_traps(site)
