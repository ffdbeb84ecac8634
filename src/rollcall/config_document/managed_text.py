"""Our own lines of config.yaml, for a diff that shows nobody's secrets."""

from __future__ import annotations

import re

from rollcall.config_document.reading import regions_of
from rollcall.config_document.text import decode
from rollcall.errors import ConfigRefused
from rollcall.secret_names import PRIVATE_ENDING

_SECRET = re.compile(
    rf"""({PRIVATE_ENDING}["']?[ ]*:[ ]*)"""
    r"""(?!["']?os\.environ/)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
    r"""|[|>][-+0-9 ]*(?:\n[^:#\n]*(?=\n))+|[^\s,{}\[\]#"'][^,}\n]*)"""
)
"""A value that may be a secret; not prices, whose keys end in `per_token` and the like."""


def managed_text(raw: bytes) -> str:
    """Our own lines only, markers included, for a diff that shows nobody's secrets.

    Line ends are LF. A secret somebody typed into one of our entries is masked. A file that cannot
    be read has no lines that are surely ours: "".
    """
    try:
        regions = regions_of(raw)
    except ConfigRefused:
        return ""
    body = decode(raw).body if regions else ""
    ours = "".join(body[region.start : region.end] for region in regions)
    return _SECRET.sub(r'\1"***"', ours.replace("\r\n", "\n"))
