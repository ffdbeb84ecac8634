"""The page of providers says what the data says."""

from __future__ import annotations

from pathlib import Path

from tests.providers_page import page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "PROVIDERS.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "python -m tests.providers_page > docs/PROVIDERS.md"
    )
