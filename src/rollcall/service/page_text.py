"""The page as HTML. Everything that stands in it is escaped by the template engine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from rollcall.service.page_filter import SHOW_TITLES

if TYPE_CHECKING:
    from rollcall.service.kept import Health
    from rollcall.service.page import Page

MAX_TEXT = 160
"""Longer names are cut: a provider's name is data, and may be 10,000 characters."""


def render_page(page: Page, *, upstream: Health, can_sign_out: bool) -> str:
    """The whole page."""
    template = _environment().get_template("page.html")
    return template.render(
        page=page, upstream=upstream, can_sign_out=can_sign_out, show_titles=SHOW_TITLES
    )


def render_sign_in(*, can_sign_in: bool, wrong: bool) -> str:
    """What a visitor sees who may not see the page."""
    return _environment().get_template("sign_in.html").render(can_sign_in=can_sign_in, wrong=wrong)


def shown_text(value: object) -> str:
    """Text as it may be shown: no control or direction-changing characters, not endless."""
    text = str(value)
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return "".join(character if character.isprintable() else "\ufffd" for character in cut)


def shown_tokens(count: int | None) -> str:
    """A number of tokens as people say it: 200k, 1M."""
    if count is None:
        return "–"
    for unit, suffix in ((1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{suffix}" if count < 1000 * unit else f"{count:.3g}"
    return str(count)


def shown_price(price: float | None) -> str:
    """USD per 1M tokens."""
    if price is None:
        return "–"
    return "free" if price == 0 else f"${price:,.2f}" if price >= 0.01 else f"${price:.3g}"


def safe_url(url: str | None) -> str | None:
    """A link only where it is plain https: data must not bring other schemes onto the page."""
    return url if url and url.startswith("https://") else None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rollcall.service"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "tokens": shown_tokens,
        "price": shown_price,
        "safe_url": safe_url,
    }
    return environment


def _finalize(value: Any) -> Any:
    """Clean every plain string that is put into the page."""
    return shown_text(value) if type(value) is str else value
