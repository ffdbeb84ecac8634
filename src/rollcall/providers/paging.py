"""Where a list goes on: the links, tokens and cursors by which providers page, in whatever shape.

A page says that there is more by any of these, the first that is there counts:

| says so | asked with |
|---|---|
| a Link header, `links.next`, `next`, `next_url` | that address, on the same host |
| `nextPageToken`, `next_page_token`, `next_cursor`, `next`, `after` and the like | a parameter |
| `has_more` | the last id: `last_id`, else the last row's |
| `page` below `total_pages`; `offset` and `limit` below `total` | the next page or offset |
| `total` above the rows seen | nothing: there is no way to the rest |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from rollcall.providers.wire import AFTER, HttpRequest

_LINKS: Final = (
    *("next", "next_url", "next_page_url", "next_page", "nextPage", "nextLink", "@odata.nextLink"),
)
_TOKENS: Final = {
    "nextPageToken": "pageToken",
    "next_page_token": "page_token",
    "nextToken": "nextToken",
    "next_token": "next_token",
    "nextCursor": "cursor",
    "next_cursor": "cursor",
    "continuation_token": "continuation_token",
    "after": "after",
    "after_id": "after_id",
    "next": "next",
    "next_page": "page",
    "nextPage": "page",
}
"""What a page calls its token -> the parameter that takes it. A number is a page's number."""

_MORE: Final = ("has_more", "hasMore", "has_next", "has_next_page", "hasNextPage", "truncated")
_PAGE: Final = ("page", "current_page", "page_number")
_PAGES: Final = ("total_pages", "totalPages", "totalPage", "page_count", "last_page")
_TOTAL: Final = ("total", "total_count", "totalCount", "total_items")
_INSIDE: Final = ("links", "_links", "pagination", "paging", "page_info", "meta", "metadata")
"""Objects that a page keeps such words in, when they do not stand beside the rows."""

_LINK_NEXT: Final = re.compile(
    r"<([^<>]*)>\s*;[^,<]*\brel\s*=\s*\"?next\"?(?![\w-])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its JSON, and its Link header ("" = it has none)."""

    document: object
    link: str = ""

    @property
    def says_more(self) -> bool:
        """Whether it says that the list goes on."""
        return self._address() is not None or self._cursor(AFTER) is not None

    def following(self, asked: HttpRequest, after: Sequence[str] = AFTER) -> HttpRequest | None:
        """The request for the next page; None where there is none, or no way to it.

        Args:
            asked: the request that gave this page; its headers hold the key.
            after: the provider's parameters that ask for what stands behind an id.
        """
        address = self._address()
        if address is not None:
            return _same_host(asked, address)
        cursor = self._cursor(after)
        return replace(asked, params={**asked.params, **cursor}) if cursor else None

    def total(self) -> int | None:
        """How many rows the whole list has, where it says so."""
        return next((n for place in self._places() if (n := _number(place, _TOTAL))), None)

    def _address(self) -> str | None:
        if found := _LINK_NEXT.search(self.link):
            return found[1]
        for place in self._places():
            for name in _LINKS:
                value = place.get(name)
                value = value.get("href") if isinstance(value, dict) else value
                if isinstance(value, str) and re.match(r"https?:|[/?]", value):
                    return value
        return None

    def _cursor(self, after: Sequence[str]) -> Mapping[str, str] | None:
        """Parameters that lead on; {} = there is more, and no way to it; None = this is the end."""
        for place in self._places():
            if any(place.get(name) is False for name in _MORE):
                return None
            for name, parameter in _TOKENS.items():
                value = place.get(name)
                if isinstance(value, str) and value:
                    return {parameter: value}
                if parameter == "page" and isinstance(value, int) and value > 1:
                    return {parameter: str(value)}
        for place in self._places():
            if any(place.get(name) is True for name in _MORE):
                if isinstance(cursor := place.get("cursor"), str) and cursor:
                    return {"cursor": cursor}
                last = _last_id(self.document, place)
                return dict.fromkeys(after, last) if last else {}
        for place in self._places():
            page, pages = _number(place, _PAGE), _number(place, _PAGES)
            if page is not None and pages is not None and max(page, 1) < pages:
                return {"page": str(page + 1)}
            offset, limit = _number(place, ("offset",)), _number(place, ("limit",))
            if offset is not None and limit and offset + limit < (_number(place, _TOTAL) or 0):
                return {"offset": str(offset + limit), "limit": str(limit)}
        return None

    def _places(self) -> Iterator[Mapping[str, object]]:
        """The page itself and the objects in it that may say how it goes on."""
        if isinstance(self.document, dict):
            yield self.document
            for name in _INSIDE:
                if isinstance(inner := self.document.get(name), dict):
                    yield inner


def _same_host(asked: HttpRequest, address: str) -> HttpRequest | None:
    """The request to an address a page names; None where it leads to another host."""
    try:
        url = urljoin(asked.url, address)
        here, there = urlsplit(asked.url), urlsplit(url)
    except ValueError:
        return None
    same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    return replace(asked, url=url, params={}) if same else None


def _last_id(document: object, place: Mapping[str, object]) -> str | None:
    """The id the next page begins behind: the one the page names, else its last row's."""
    if isinstance(named := place.get("last_id"), str) and named:
        return named
    rows = document.values() if isinstance(document, dict) else ()
    listed = next((part for part in rows if isinstance(part, list) and part), [])
    last = listed[-1] if listed else None
    found = (last.get("id") or last.get("name")) if isinstance(last, dict) else None
    return found if isinstance(found, str) and found else None


def _number(place: Mapping[str, object], names: Sequence[str]) -> int | None:
    values = (place.get(name) for name in names)
    return next((n for n in values if isinstance(n, int) and not isinstance(n, bool)), None)
