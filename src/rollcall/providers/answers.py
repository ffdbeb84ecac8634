"""From the pages of a reply to an Answer: the path that fresh replies and stored ones both take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.bodies import MAX_VALUES, Unreadable, as_utf8, read_json, too_many_values
from rollcall.providers.failures import Refusal, Refused, clipped, error_inside, one_line
from rollcall.providers.paging import Page
from rollcall.providers.rows import rows_of_page
from rollcall.providers.wire import HttpRequest, WrongShape

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.secrets import Redactor


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
            raise Refused(Refusal(Verdict.TOO_LARGE, detail))
        try:
            document = read_json(body)
        except Unreadable as error:
            raise Refused(Refusal(Verdict.BAD_BODY, str(error))) from None
        self._rows += self._count(document)
        self.bodies.append(body)
        self._pages.append(Page(document, link))

    def _count(self, document: object) -> int:
        """How many rows a page lists."""
        try:
            rows = len(rows_of_page(document, self._adapter.roots))
        except WrongShape as error:
            said = error_inside(document, None)
            raise Refused(said or Refusal(Verdict.BAD_BODY, str(error))) from None
        if refusal := error_inside(document, rows):
            raise Refused(refusal)
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
            raise Refused(Refusal(Verdict.BAD_BODY, str(error))) from None
        if listing.rows and not listing.models:
            detail = f"none of its {listing.rows} rows can be used: {listing.notes[0]}"
            raise Refused(Refusal(Verdict.BAD_BODY, detail))
        if not listing.rows and not provider.empty_ok:
            raise Refused(Refusal(Verdict.EMPTY, "it lists no models"))
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


def refused(provider: Provider, refusal: Refusal, redactor: Redactor) -> Answer:
    """The answer of a provider that could not be asked; its words redacted, then clipped."""
    detail = clipped(redactor.redact(one_line(refusal.detail)))
    if refusal.verdict is Verdict.AUTH and provider.auth_hint:
        base = next(iter(provider.base_url_env), "its base_url")
        detail = f"{detail} {provider.auth_hint.format(base=base)}"
    if provider.base_from:
        detail = f"{detail} (asked where {provider.base_from} says)"
    return Answer(provider.name, refusal.verdict, detail=detail)


def no_key(provider: Provider) -> Answer:
    """The answer where the key that is needed is not set."""
    where = f"; get a key at {provider.key_url}" if provider.key_url else ""
    names = " or ".join(provider.key_env)
    return Answer(provider.name, Verdict.NO_KEY, detail=f"{names} is not set{where}")


def from_bodies(
    provider: Provider, bodies: Sequence[bytes], redactor: Redactor, asked_at: str = ""
) -> Answer:
    """The answer that these bodies give.

    Args:
        asked_at: when they were asked for, ISO 8601.
    """
    pages = Pages(provider, redactor, moments_of(asked_at))
    try:
        for body in bodies:
            pages.add(body)
        return pages.answer()
    except Refused as error:
        return refused(provider, error.refusal, redactor)


def moments_of(*stamps: str) -> tuple[float, ...]:
    """ISO 8601 times in Unix seconds; what is none is left out."""
    found = []
    for stamp in stamps:
        try:
            found.append(datetime.fromisoformat(stamp).timestamp())
        except (ValueError, OverflowError):
            continue
    return tuple(found)
