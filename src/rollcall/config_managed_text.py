"""Our own lines of config.yaml, for a diff that shows nobody's secrets."""

from __future__ import annotations

import re

from rollcall.config_reading import parse
from rollcall.config_sections import Layout
from rollcall.errors import ConfigRefused

_SECRET = re.compile(
    r"""((?:key|secret|token|password|credentials?)["']?\s*:\s*)"""
    r"""(?!["']?os\.environ/)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,{}\[\]#"'][^,}\n\r]*)""",
    re.IGNORECASE,
)


def managed_text(raw: bytes) -> str:
    """Our own lines only, markers included, for a diff that shows nobody's secrets.

    Line ends are LF. A secret somebody typed into one of our entries is masked. A file that cannot
    be read has no lines that are surely ours: "".
    """
    try:
        layout = parse(raw).layout
    except ConfigRefused:
        return ""
    return "".join(_regions(layout)) if layout else ""


def _regions(layout: Layout) -> list[str]:
    sections = [layout.models, layout.aliases, layout.fallbacks, layout.leaving]
    regions = [section.region for section in sections if section and section.region]
    return [
        _SECRET.sub(r'\1"***"', layout.text.body[region.start : region.end].replace("\r\n", "\n"))
        for region in sorted(regions, key=lambda region: region.start)
    ]
