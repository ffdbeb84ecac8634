"""Asks providers for their lists, all at once under one deadline. The layers, in order:

| | |
|---|---|
| `ask_all` | who has to be asked: not whose list the policy holds |
| `network.Round.ask` | all of them at once, in one event loop (`run_apart`), until the deadline |
| `Round._settle` | one of them: an Answer, whatever happens |
| `_Reader.read` | its list, page by page |
| `_Reader._take` | one page: its timeout, a second try |
| `http_client.exchange` | one request: a body within bounds, or a Refused |

Nothing of the network is imported where nobody is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from rollcall.providers.answers import known_answer
from rollcall.secrets import Redactor, key_mark

if TYPE_CHECKING:
    from rollcall.catalog.model import Answer
    from rollcall.providers.builtin import Provider


@dataclass(frozen=True, slots=True)
class Target:
    """One provider to ask, with the key to ask it with (None = none needed, or none there).

    Attributes:
        timeout_seconds: for each request to it, its body included.
        key_elsewhere: where LiteLLM itself gets the key that is not there, if it does.
    """

    provider: Provider
    key: str | None = field(repr=False)
    timeout_seconds: float
    key_elsewhere: str | None = None

    @property
    def lacks_key(self) -> bool:
        """Whether it needs a key that is not there: it is not worth asking, or only for display."""
        return self.provider.needs_key and self.key is None


class Observer(Protocol):
    """Told about progress, for the live display; must not raise."""

    def asking(self, provider: str) -> None:
        """A request went out."""

    def answered(self, answer: Answer) -> None:
        """A provider is settled."""


def ask_all(
    targets: Sequence[Target],
    *,
    deadline_seconds: float,
    fetched_at: str,
    observer: Observer | None = None,
    secrets: Sequence[str] = (),
    meanwhile: Iterable[Callable[[], object]] = (),
) -> tuple[Answer, ...]:
    """Ask every target at once; answers in the order of `targets`. Never raises for a provider.

    May be called where an event loop is running already: it then works in a thread of its own.

    Args:
        deadline_seconds: bound on the whole call, bodies included.
        fetched_at: ISO 8601 UTC, stamped on every answer.
        secrets: strings to redact wherever a provider echoes them.
        meanwhile: short pieces of work to do once the requests are out; skipped when nobody is
            asked.
    """
    known = {target.provider.name: known_answer(target.provider) for target in targets}
    asked = [target for target in targets if known[target.provider.name] is None]
    if asked:
        from rollcall.providers.http_client import run_apart
        from rollcall.providers.network import Round

        keys = [target.key for target in asked if target.key]
        redactor = Redactor([*secrets, *keys])
        now = Round(redactor, deadline_seconds, observer, meanwhile, fetched_at)
        run_apart(lambda: now.ask(asked))
        known.update((answer.provider, answer) for answer in now.answers)
    marks = {target.provider.name: key_mark(target.key) for target in targets}
    return tuple(
        replace(answer, fetched_at=fetched_at, key_mark=marks[name])
        for name, answer in known.items()
        if answer
    )
