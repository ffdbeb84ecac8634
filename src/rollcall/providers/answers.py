"""From the pages of a reply to an Answer: the path that fresh replies and stored ones both take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.adapters import ADAPTERS
from rollcall.providers.bodies import MAX_VALUES, Unreadable, as_utf8, read_json, too_many_values
from rollcall.providers.failures import Refusal, Refused, clipped, error_inside, one_line
from rollcall.providers.wire import HttpRequest, WrongShape

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.secrets import Redactor


class Pages:
    """The pages of one provider's answer, as they come in."""

    def __init__(self, provider: Provider, redactor: Redactor) -> None:
        """Start with none."""
        self.bodies: list[bytes] = []
        self.notes: list[str] = []
        self._provider = provider
        self._redactor = redactor
        self._documents: list[object] = []

    def add(self, raw: bytes) -> None:
        """Take a page.

        Raises:
            Refused: it is no JSON, holds an error, or far too much.
        """
        body = self._redactor.clean_page(as_utf8(raw))
        if too_many_values((*self.bodies, body)):
            detail = f"its answer holds more than {MAX_VALUES:,} values"
            raise Refused(Refusal(Verdict.TOO_LARGE, detail))
        try:
            document = read_json(body)
        except Unreadable as error:
            raise Refused(Refusal(Verdict.BAD_BODY, str(error))) from None
        if refusal := error_inside(document):
            raise Refused(refusal)
        self.bodies.append(body)
        self._documents.append(document)

    def following(self, key: str | None) -> HttpRequest | None:
        """The request for the page after the last one."""
        adapter = ADAPTERS[self._provider.protocol]
        return adapter.next_request(self._provider, key, self._documents[-1])

    def answer(self) -> Answer:
        """What the pages say: OK or EMPTY.

        Raises:
            Refused: they are no list of models, or not one row can be used.
        """
        provider = self._provider
        try:
            listing = ADAPTERS[provider.protocol].parse(provider, self._documents)
        except WrongShape as error:
            raise Refused(Refusal(Verdict.BAD_BODY, str(error))) from None
        if listing.rows and not listing.models:
            detail = f"none of its {listing.rows} rows can be used: {listing.notes[0]}"
            raise Refused(Refusal(Verdict.BAD_BODY, detail))
        if not listing.rows and not provider.empty_ok:
            raise Refused(Refusal(Verdict.EMPTY, "it lists no models"))
        notes = (*listing.notes, *self.notes)
        return Answer(provider.name, Verdict.OK, listing.models, tuple(self.bodies), notes=notes)


def refused(provider: Provider, refusal: Refusal, redactor: Redactor) -> Answer:
    """The answer of a provider that could not be asked; its words redacted, then clipped."""
    detail = clipped(redactor.redact(one_line(refusal.detail)))
    if refusal.verdict is Verdict.AUTH and provider.auth_hint:
        detail = f"{detail} {provider.auth_hint}"
    return Answer(provider.name, refusal.verdict, detail=detail)


def no_key(provider: Provider) -> Answer:
    """The answer where the key that is needed is not set."""
    where = f"; get a key at {provider.key_url}" if provider.key_url else ""
    names = " or ".join(provider.key_env)
    return Answer(provider.name, Verdict.NO_KEY, detail=f"{names} is not set{where}")


def from_bodies(provider: Provider, bodies: Sequence[bytes], redactor: Redactor) -> Answer:
    """The answer that these bodies give."""
    pages = Pages(provider, redactor)
    try:
        for body in bodies:
            pages.add(body)
        return pages.answer()
    except Refused as error:
        return refused(provider, error.refusal, redactor)
