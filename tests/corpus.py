"""Real replies and configs beside the checkout; tests over them are skipped where none are."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(
    os.environ.get("ROLLCALL_CORPUS") or Path(__file__).resolve().parents[1].parent / "shared"
)
CATALOGS = ROOT / "catalogs"
FOLDERS = {
    "openrouter": "openrouter",
    "xai": "xai",
    "gemini": "gemini",
    "anthropic": "anthropic",
    "openai": "openai",
    "perplexity": "perplexity",
    "deepseek": "deepseek",
    "dashscope": "qwen",
}
"""Folder of captures -> our name of the provider."""

needs_catalogs = pytest.mark.skipif(
    not CATALOGS.is_dir(), reason="no collection of real replies beside the checkout"
)


@dataclass(frozen=True, slots=True)
class Capture:
    """What one provider really listed on one day."""

    day: date
    provider: str
    name: str
    rows: list[Any]


def captures() -> list[Capture]:
    """Every dated capture of the eight providers, oldest first."""
    found = []
    for folder, provider in FOLDERS.items():
        for path in sorted((CATALOGS / folder).glob("*.json")):
            day = re.match(r"(\d{4})-(\d\d)-(\d\d)", path.name)
            if day is None or "HTTP" in path.name:
                continue
            data = json.loads(path.read_bytes())
            rows = data.get("data") or data.get("models")
            year, month, number = map(int, day.groups())
            found.append(Capture(date(year, month, number), provider, path.name, rows))
    return sorted(found, key=lambda capture: (capture.day, capture.provider))
