"""The picture at the top of the README is what rollcall prints."""

from __future__ import annotations

from pathlib import Path

from rollcall.cli import demo
from tests.platforms import not_on_windows
from tests.tools.terminal_picture import PICTURE, WIDTH, drawn, plain, screen, words_of


@not_on_windows("paths are drawn as they look elsewhere")
def test_the_picture_shows_what_is_really_printed() -> None:
    seen = screen()
    made = "make picture draws docs/terminal.svg anew"
    assert words_of(PICTURE.read_text(encoding="utf-8")) == plain(seen), made
    assert words_of(drawn(seen)) == plain(seen), "what is drawn can be read back"
    assert "docs/terminal.svg" in Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


def test_the_picture_asks_nobody_for_anything_and_holds_no_key() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    assert "url(http" not in text
    assert "demo-" not in text
    assert all(len(line) <= WIDTH for line in plain(screen()))


def test_cheap_is_no_dearer_than_default_in_the_demo() -> None:
    rows = [line.split() for line in plain_rows() if line.startswith(">   alias")]
    prices = {row[2]: sum(float(one.strip("$*")) for one in (row[3], row[5])) for row in rows}
    assert set(prices) >= {"cheap", "default"}
    assert prices["cheap"] <= prices["default"]
    assert demo.BROKEN in demo.PROVIDERS


def plain_rows() -> list[str]:
    """The lines of the screen, blanks kept."""
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", screen()).splitlines()
