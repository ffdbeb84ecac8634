"""The table of every recorded model stays as it was looked at; what moves a row is told."""

from __future__ import annotations

import difflib

from tests.catalog_table import TABLE, rows
from tests.corpus import needs_catalogs


@needs_catalogs
def test_no_recorded_model_changed_its_kind_family_or_price() -> None:
    looked_at = TABLE.read_text(encoding="utf-8").splitlines()
    before = [line for line in looked_at if not line.startswith("#")]
    moved = [
        line
        for line in difflib.unified_diff(before, rows(), "looked at", "read now", lineterm="", n=0)
        if not line.startswith("@@")
    ]
    assert not moved, "\n".join([*moved, "python -m tests.catalog_table writes it anew"])


def test_the_table_never_says_what_no_reply_may_give() -> None:
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        _, model_id, kind, family, *prices = line.split(" ")
        assert model_id
        assert "/" in family
        for price in prices:
            assert price == "-" or 0 <= float(price) <= 10_000, line
        per_minute_or_image = kind in ("image", "video", "speech", "rerank")
        assert not (per_minute_or_image and "0" in prices), line
