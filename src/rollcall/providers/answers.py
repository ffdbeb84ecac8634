"""From the pages of a reply to an Answer: the path that fresh replies and stored ones both take.

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

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.bodies import MAX_VALUES, Unreadable, as_utf8, read_json, too_many_values
from rollcall.providers.builtin import missing_key
from rollcall.providers.failures import Refused, clipped, error_inside, one_line
from rollcall.providers.own_proxy import listed_by_the_proxy
from rollcall.providers.rows import rows_of_page
from rollcall.providers.wire import AFTER, HttpRequest, WrongShape
from rollcall.secrets import Redactor
from rollcall.settings import parse_moment

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.providers.fetch import Target
    from rollcall.store.memory import KeptReply


class Pages:
    """The pages of one provider's list, as they come in."""

    def __init__(
        self, provider: Provider, redactor: Redactor, moments: Collection[float] = ()
    ) -> None:
        """Start with none.

        Args:
            moments: when they are asked for, by the clocks there are, in Unix seconds.
        """
        self._moments = moments
        self.bodies: list[bytes] = []
        self._provider = provider
        self._adapter = ADAPTERS[provider.protocol]
        self._redactor = redactor
        self._pages: list[Page] = []
        self._rows = 0

    def add(self, raw: bytes, link: str = "") -> None:
        """Take a page and its Link header.

        Raises:
            Refused: it is no list of models, holds an error, or far too much.
        """
        body = self._redactor.clean_page(as_utf8(raw))
        if too_many_values((*self.bodies, body)):
            detail = f"its answer holds more than {MAX_VALUES:,} values"
            raise Refused(Verdict.TOO_LARGE, detail)
        try:
            document = read_json(body)
        except Unreadable as error:
            raise Refused(Verdict.BAD_BODY, str(error)) from None
        self._rows += self._count(document)
        self.bodies.append(body)
        self._pages.append(Page(document, link))

    def _count(self, document: object) -> int:
        """How many rows a page lists."""
        try:
            rows = len(rows_of_page(document, self._adapter.roots))
        except WrongShape as error:
            said = error_inside(document, None)
            raise said or Refused(Verdict.BAD_BODY, str(error)) from None
        if refusal := error_inside(document, rows):
            raise refusal
        return rows

    def following(self, asked: HttpRequest) -> HttpRequest | None:
        """The request for the page after the last one, which `asked` gave."""
        return self._pages[-1].following(asked, self._adapter.after)

    def answer(self, stopped: str = "") -> Answer:
        """What the pages say: OK, whole or partial.

        Args:
            stopped: why the pages after these were not read; "" = no reason but the pages'.

        Raises:
            Refused: they list nothing, or not one row can be used.
        """
        provider = self._provider
        try:
            listing = self._adapter.parse(
                provider, [page.document for page in self._pages], self._moments
            )
        except WrongShape as error:
            raise Refused(Verdict.BAD_BODY, str(error)) from None
        if why := listed_by_the_proxy(provider, self.bodies):
            raise Refused(Verdict.NOT_ASKED, why)
        if listing.rows and not listing.models:
            detail = f"none of its {listing.rows} rows can be used: {listing.notes[0]}"
            raise Refused(Verdict.BAD_BODY, detail)
        if not listing.rows and not provider.empty_ok:
            raise Refused(Verdict.EMPTY, "it lists no models")
        return Answer(
            provider.name,
            Verdict.OK,
            listing.models,
            tuple(self.bodies),
            notes=listing.notes,
            partial=clipped(self._redactor.redact(one_line(stopped))) or self._missing(),
        )

    def _missing(self) -> str:
        """What the last page says is still to come."""
        if not self._pages:
            return ""
        last = self._pages[-1]
        total = last.total()
        if total is not None and total > self._rows:
            return f"it lists {self._rows} of its {total} models"
        if last.says_more:
            return f"it says that there are more than these {self._rows}"
        return ""


def refused(provider: Provider, refusal: Refused, redactor: Redactor) -> Answer:
    """The answer of a provider that could not be asked; its words redacted, then clipped."""
    detail = clipped(redactor.redact(one_line(refusal.detail)))
    if refusal.verdict is Verdict.AUTH and provider.auth_hint:
        base = next(iter(provider.base_url_env), "its base_url")
        detail = f"{detail} {provider.auth_hint.format(base=base)}"
    if provider.base_from and refusal.verdict is not Verdict.NOT_ASKED:
        detail = f"{detail} (asked where {provider.base_from} says)"
    return Answer(provider.name, refusal.verdict, detail=detail)


def for_display(target: Target, answer: Answer) -> Answer:
    """The answer, which admits nothing where it is of a public list and its key is not set."""
    if not target.lacks_key:
        return answer
    detail = missing_key(target.provider, target.key_elsewhere)
    return replace(answer, verdict=Verdict.NO_KEY, detail=detail, partial="")


def known_answer(provider: Provider, kept: KeptReply | None = None) -> Answer | None:
    """What a provider says without being asked: its list in the policy, else its last good reply;
    None where there is neither.
    """
    if provider.models:
        body = json.dumps({"data": [dict(row) for row in provider.models]}).encode()
        return replace(stored_answer(provider, [body]), pages=(), offline=False)
    if kept is None:
        return None
    return stored_answer(provider, kept.pages, fetched_at=kept.fetched_at, partial=kept.partial)


def stored_answer(
    provider: Provider, bodies: Sequence[bytes], *, fetched_at: str = "", partial: str = ""
) -> Answer:
    """The answer that stored bodies give: the same adapters, no network.

    Args:
        fetched_at: ISO 8601. partial: what the answer said that these bodies came with; see
            `Answer.partial`.
    """
    redactor = Redactor()
    pages = Pages(provider, redactor, moments_of(fetched_at))
    try:
        for body in bodies:
            pages.add(body)
        answer = pages.answer()
    except Refused as error:
        answer = refused(provider, error, redactor)
    return replace(answer, fetched_at=fetched_at, partial=partial or answer.partial, offline=True)


def moments_of(stamp: str) -> tuple[float, ...]:
    """An ISO 8601 time in Unix seconds; nothing where it is none."""
    moment = parse_moment(stamp)
    return () if moment is None else (moment.timestamp(),)


# --- where a list goes on ---

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


class Page(NamedTuple):
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
